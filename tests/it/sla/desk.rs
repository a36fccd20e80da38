//! Who is away, who has enough, and what the rules and the mails make of it.

use entity::message::{GateReason, MessageKind, MessageState};
use serde_json::{Value, json};

use super::{IVY, NORA, clinic, open_work, owner};
use crate::harness::{As, Clinic, at};

const ADA: As<'static> = As::Staff("ada");

async fn absence(clinic: &Clinic, who: &str, from: Option<&str>, to: &str) -> Value {
    json!({ "staffId": clinic.id_of("staff", who).await, "reason": "LEAVE", "from": from, "to": to })
}

async fn routing(clinic: &Clinic) -> String {
    clinic.last_lead().await.routing.explanation
}

async fn asks(clinic: &Clinic, name: &str) {
    let email = format!("{name}@example.org");
    let fields = [
        ("given_name", name),
        ("family_name", "Doe"),
        ("email", email.as_str()),
    ];
    let payload = clinic.submit_lead("sleep-study", &fields, None).await;
    assert_eq!(payload["userErrors"], json!([]));
}

#[tokio::test]
async fn whoever_is_away_is_given_nothing_until_the_absence_ends() {
    let clinic = clinic().await;
    let input = absence(&clinic, "nora", None, "2026-03-05T13:00:00Z").await;
    clinic.change(NORA, "addAbsence", input).await;
    asks(&clinic, "Al").await;
    let ivy = clinic.id_of("staff", "ivy").await;
    assert_eq!(owner(&clinic).await, Some(ivy));
    let said = routing(&clinic).await;
    assert!(said.contains("The person whom the rule names is away."), "{said}");

    let query = "query { teams { slug lead { displayName } members { displayName away maxOpen absences { id reason from to } } } }";
    let teams = clinic.graphql(ADA, query, json!({})).await.data("teams");
    let desk = teams
        .as_array()
        .unwrap()
        .iter()
        .find(|team| team["slug"] == "sleep-desk");
    let desk = desk.unwrap();
    assert_eq!(desk["lead"]["displayName"], "Sam Serviceline");
    let members = desk["members"].as_array().unwrap();
    let nora = members
        .iter()
        .find(|one| one["displayName"] == "Nora Night")
        .unwrap();
    assert_eq!(
        (&nora["away"], &nora["absences"][0]["reason"]),
        (&json!(true), &json!("LEAVE"))
    );

    let end = json!({ "absenceId": nora["absences"][0]["id"] });
    let not_hers = clinic.try_change(IVY, "endAbsence", end.clone()).await;
    assert_eq!(not_hers["userErrors"][0]["code"], "NOT_FOUND");
    clinic.change(ADA, "endAbsence", end.clone()).await;
    let over = clinic.try_change(NORA, "endAbsence", end).await;
    assert_ne!(over["userErrors"], json!([]));
    asks(&clinic, "Bo").await;
    assert_eq!(owner(&clinic).await, Some(clinic.id_of("staff", "nora").await));
    clinic.drain().await;
}

#[tokio::test]
async fn an_absence_is_entered_by_the_person_or_an_administrator_and_has_its_limits() {
    let clinic = clinic().await;
    let input = absence(&clinic, "nora", None, "2026-03-05T13:00:00Z").await;
    clinic.sign_in("ivy").await;
    clinic.sign_in("nora").await;
    let before = clinic.contents().await;
    let refused = clinic.try_change(IVY, "addAbsence", input.clone()).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["staffId"]));
    for (from, to, field) in [
        (None, "2026-03-03T15:00:00Z", "to"),
        (Some("2026-03-06T15:00:00Z"), "2026-03-06T15:00:00Z", "to"),
        (None, "2027-06-03T15:00:00Z", "to"),
        (Some("2028-03-06T15:00:00Z"), "2028-03-07T15:00:00Z", "from"),
    ] {
        let input = absence(&clinic, "nora", from, to).await;
        let refused = clinic.try_change(NORA, "addAbsence", input).await;
        assert_eq!(refused["userErrors"][0]["field"], json!([field]), "{from:?} {to}");
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    clinic.change(ADA, "addAbsence", input).await;
}

#[tokio::test]
async fn nobody_is_reminded_while_away_and_what_is_late_is_told_to_the_lead_of_the_team() {
    let clinic = clinic().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let input = absence(&clinic, "nora", None, "2026-03-05T13:00:00Z").await;
    clinic.change(NORA, "addAbsence", input).await;
    clinic.live_until(at("2026-03-03T16:00:00Z")).await;
    let mails = clinic.messages().await;
    let soon = mails
        .iter()
        .find(|mail| mail.kind == MessageKind::FollowUpDueSoon)
        .expect("a reminder was planned");
    assert_eq!(soon.state, MessageState::Withheld);
    let reasons = &soon.decision.as_ref().unwrap().reasons;
    assert_eq!(reasons[0].code, GateReason::StaffAway);
    let mut to_sam = clinic.subjects_to("sam@clinic.example").await;
    to_sam.sort_unstable();
    assert_eq!(
        to_sam,
        [
            "Follow-up late: it was due at 11:00 EST",
            "Nobody has tried yet: a first contact is due at 11:00 EST",
            "Your team has not tried yet: a first contact was due at 11:00 EST",
        ]
    );
    let to_nora = clinic.subjects_to("nora@clinic.example").await;
    assert_eq!(to_nora, ["Follow-up for you, due at 11:00 EST"], "from before");
}

#[tokio::test]
async fn a_limit_holds_for_leads_that_come_at_one_moment() {
    let clinic = clinic().await;
    for who in ["nora", "ivy"] {
        let input = json!({ "staffId": clinic.id_of("staff", who).await, "maxOpen": 2 });
        clinic.change(ADA, "setStaffLimit", input).await;
    }
    let names = ["Al", "Bo", "Cy", "Di", "Ed", "Fay", "Gus"];
    futures_util::future::join_all(names.map(|name| asks(&clinic, name))).await;
    let work = open_work(&clinic).await;
    let has = async |who: &str| {
        let id = clinic.id_of("staff", who).await;
        let theirs =
            |row: &&entity::follow_up::Model| row.assignee_id.map(|id| id.to_string()) == Some(id.clone());
        work.iter().filter(theirs).count()
    };
    assert_eq!((has("nora").await, has("ivy").await), (2, 2));
    assert_eq!(work.iter().filter(|row| row.assignee_id.is_none()).count(), 3);
    let said = routing(&clinic).await;
    assert!(
        said.ends_with(
            "Nobody can be given it: 1 has as much as can be done. So anybody of the team can take it."
        ),
        "{said}"
    );

    let clear = json!({ "staffId": clinic.id_of("staff", "nora").await, "maxOpen": null });
    clinic.change(ADA, "setStaffLimit", clear).await;
    asks(&clinic, "Hal").await;
    assert_eq!(owner(&clinic).await, Some(clinic.id_of("staff", "nora").await));
    let wrong = json!({ "staffId": clinic.id_of("staff", "nora").await, "maxOpen": 201 });
    let refused = clinic.try_change(ADA, "setStaffLimit", wrong).await;
    assert_eq!(refused["userErrors"][0]["field"], json!(["maxOpen"]));
    clinic.drain().await;
}
