//! How the person of a team is chosen.

use entity::id::StaffId;
use entity::lead;
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

use super::{ADA, calls, furnish, publish_routing};
use crate::harness::Clinic;

/// Two more coordinators at the sleep desk.
async fn clinic() -> Clinic {
    let clinic = Clinic::new().await;
    let person = |email: &str, name: &str| {
        json!({ "email": email, "name": name, "role": "INTAKE_COORDINATOR", "timeZone": "America/New_York",
            "password": "correct horse battery" })
    };
    furnish(
        &clinic,
        json!({
            "staff": [person("ivy@clinic.example", "Ivy Early"), person("joe@clinic.example", "Joe Late")],
            "teams": [{ "slug": "sleep-desk", "name": "Sleep desk", "facility": "harbor",
                "department": "Sleep Medicine", "members": ["ivy@clinic.example", "joe@clinic.example"] }],
        }),
    )
    .await;
    clinic
}

async fn by(clinic: &Clinic, strategy: &str) {
    let rule = json!({ "name": "Sleep", "when": [], "team": "sleep-desk", "strategy": strategy });
    publish_routing(clinic, json!([rule])).await;
}

async fn name_of(clinic: &Clinic, owner: Option<StaffId>) -> String {
    let playbook = clinic.hospital.playbook().await.unwrap();
    owner.map_or_else(
        || "nobody".to_owned(),
        |id| playbook.staff[&id].display_name.clone(),
    )
}

async fn given(clinic: &Clinic, names: &[&str]) -> Vec<String> {
    let mut given = Vec::new();
    for name in names {
        let lead = calls(clinic, name, json!({})).await;
        given.push(name_of(clinic, lead.owner_id).await);
    }
    given
}

#[tokio::test]
async fn by_turns_everybody_gets_one_and_whoever_was_away_comes_first_again() {
    let clinic = clinic().await;
    by(&clinic, "ROUND_ROBIN").await;
    let order = given(&clinic, &["A", "B", "C", "D"]).await;
    let mut everybody = order[..3].to_vec();
    everybody.sort();
    assert_eq!(everybody, ["Ivy Early", "Joe Late", "Nora Night"]);
    assert_eq!(order[3], order[0], "it begins anew");
    let said = clinic.last_lead().await.routing.explanation;
    assert!(
        said.ends_with("The member who has waited longest for a lead of this rule gets it."),
        "{said}"
    );

    // The next one is away, so the one after gets it, and whoever was passed over is first afterwards.
    let next = order[1].split(' ').next().unwrap().to_lowercase();
    let absence = json!({ "staffId": clinic.id_of("staff", &next).await, "reason": "LEAVE", "to": "2026-03-05T13:00:00Z" });
    let absent = clinic.change(ADA, "addAbsence", absence).await;
    assert_eq!(given(&clinic, &["E"]).await[0], order[2]);
    let query = "query($id: ID!) { node(id: $id) { ... on Staff { absences { id } } } }";
    let id = json!({ "id": absent["staff"]["id"] });
    let found = clinic.graphql(ADA, query, id).await.data("node.absences.0.id");
    clinic
        .change(ADA, "endAbsence", json!({ "absenceId": found }))
        .await;
    assert_eq!(
        given(&clinic, &["F", "G"]).await,
        [order[1].clone(), order[0].clone()]
    );
    clinic.drain().await;
}

#[tokio::test]
async fn leads_of_one_moment_go_to_different_people_by_turns() {
    let clinic = clinic().await;
    by(&clinic, "ROUND_ROBIN").await;
    let ask = async |name: &str| {
        let email = format!("{name}@example.org");
        let fields = [
            ("given_name", name),
            ("family_name", "Doe"),
            ("email", email.as_str()),
        ];
        clinic.submit_lead("sleep-study", &fields, None).await
    };
    futures_util::future::join_all(["Al", "Bo", "Cy", "Di", "Ed", "Fay"].map(ask)).await;
    let leads = lead::Entity::find()
        .order_by_asc(lead::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for lead in &leads {
        *counts.entry(lead.owner_id).or_insert(0) += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [2, 2, 2]);
    clinic.drain().await;
}

#[tokio::test]
async fn only_leads_of_a_rule_by_turns_cost_a_statement_more() {
    let clinic = clinic().await;
    let turns = |statements: Vec<String>| {
        statements
            .iter()
            .filter(|sql| sql.contains("routing_turn"))
            .count()
    };
    by(&clinic, "LEAST_OPEN_WORK").await;
    clinic.statements();
    calls(&clinic, "Al", json!({})).await;
    assert_eq!(turns(clinic.statements()), 0);
    by(&clinic, "ROUND_ROBIN").await;
    clinic.statements();
    calls(&clinic, "Bo", json!({})).await;
    assert_eq!(turns(clinic.statements()), 2);
    clinic.drain().await;
}

async fn skills(clinic: &Clinic, who: &str, languages: &[&str], lines: &[&str]) -> Value {
    let input =
        json!({ "staffId": clinic.id_of("staff", who).await, "languages": languages, "serviceLines": lines });
    clinic.try_change(ADA, "setStaffSkills", input).await
}

#[tokio::test]
async fn by_skill_it_is_who_speaks_the_language_and_knows_the_line_and_else_whoever_has_least() {
    let clinic = clinic().await;
    by(&clinic, "SKILL_MATCH").await;
    for (who, languages, lines) in [
        ("ivy", &["es", "en"][..], &["cardiology"][..]),
        ("joe", &["es-MX"], &["sleep"]),
        ("nora", &[], &["sleep"]),
    ] {
        assert_eq!(
            skills(&clinic, who, languages, lines).await["userErrors"],
            json!([])
        );
    }
    let mut owners = Vec::new();
    for (name, language) in [("Al", "es"), ("Bo", "es-ES"), ("Cy", "en"), ("Di", "en-GB")] {
        let lead = calls(&clinic, name, json!({ "language": language })).await;
        owners.push(name_of(&clinic, lead.owner_id).await);
    }
    assert_eq!(owners, ["Joe Late", "Joe Late", "Nora Night", "Nora Night"]);
    let lead = calls(&clinic, "Ed", json!({ "language": "fr" })).await;
    assert_eq!(
        name_of(&clinic, lead.owner_id).await,
        "Ivy Early",
        "has nothing to do yet"
    );
    let said = lead.routing.explanation;
    assert!(
        said.contains("Nobody who speaks the language and knows the service line can be given it."),
        "{said}"
    );
    let query = "{ teams { slug members { displayName languages serviceLines } } }";
    let teams = clinic.graphql(ADA, query, json!({})).await.data("teams");
    assert!(teams.to_string().contains("es-mx"));
    clinic.drain().await;
}

#[tokio::test]
async fn a_skill_that_is_none_is_refused_at_its_place() {
    let clinic = clinic().await;
    clinic.sign_in("ada").await;
    let before = clinic.contents().await;
    for (languages, lines, field) in [
        (&["en", "x"][..], &[][..], ["languages", "1"]),
        (&[], &["surgery"], ["serviceLines", "0"]),
    ] {
        let refused = skills(&clinic, "ivy", languages, lines).await;
        assert_eq!(refused["userErrors"][0]["field"], json!(field));
    }
    let many: Vec<String> = (0..21).map(|number| format!("x{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let refused = skills(&clinic, "ivy", &many, &[]).await;
    assert_eq!(refused["userErrors"][0]["code"], "TOO_LARGE");
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}
