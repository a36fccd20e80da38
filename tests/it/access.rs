//! Who may ask for what, at every root field, and whose leads are seen.

use std::collections::BTreeMap;
use std::time::Duration;

use api::graphql::access::{Root, table};
use entity::enums::Role;
use futures_util::StreamExt;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic, OPS, pat};

/// Staff of each role in `clinic.json`.
const STAFF: [(Role, &str); 9] = [
    (Role::Admin, "ada"),
    (Role::MarketingStrategist, "stella"),
    (Role::PerformanceMarketer, "percy"),
    (Role::ContentLead, "cora"),
    (Role::MarketingOps, "otto"),
    (Role::IntakeCoordinator, "nora"),
    (Role::ClinicalReviewer, "rita"),
    (Role::ServiceLineLead, "sam"),
    (Role::Analyst, "ann"),
];

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { name kind enumValues { name } fields { name type { ...T } args { name defaultValue type { ...T } } }
        inputFields { name defaultValue type { ...T } } }
} }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The public schema, as a client reads it.
struct Schema {
    types: BTreeMap<String, Value>,
    ids: BTreeMap<&'static str, String>,
}

impl Schema {
    async fn of(clinic: &Clinic) -> Self {
        let answer = clinic
            .graphql(OPS, INTROSPECTION, json!({}))
            .await
            .data("__schema.types");
        let types = answer.as_array().unwrap().iter();
        let types = types
            .map(|kind| (kind["name"].as_str().unwrap().to_owned(), kind.clone()))
            .collect();
        Self {
            types,
            ids: ids(clinic).await,
        }
    }

    fn fields(&self, root: Root) -> Vec<Value> {
        self.types[root.name()]["fields"].as_array().unwrap().clone()
    }

    /// An operation that asks for one root field, with every argument that it needs.
    fn operation(&self, root: Root, field: &Value) -> String {
        let name = field["name"].as_str().unwrap();
        let args: Vec<String> = needed(&field["args"])
            .map(|arg| {
                let arg_name = arg["name"].as_str().unwrap();
                // `contact(id:)` wants a contact's id.
                let noun = if arg_name == "id" {
                    format!("{name}Id")
                } else {
                    arg_name.to_owned()
                };
                format!("{arg_name}: {}", self.sample(&arg["type"], &noun))
            })
            .collect();
        let args = if args.is_empty() {
            String::new()
        } else {
            format!("({})", args.join(", "))
        };
        let selection = if self.is_leaf(&field["type"]) {
            ""
        } else {
            " { __typename }"
        };
        format!("{} {{ {name}{args}{selection} }}", root.name().to_lowercase())
    }

    fn is_leaf(&self, kind: &Value) -> bool {
        match kind["kind"].as_str() {
            Some("NON_NULL" | "LIST") => self.is_leaf(&kind["ofType"]),
            other => matches!(other, Some("SCALAR" | "ENUM")),
        }
    }

    /// A value of a type, written as GraphQL.
    fn sample(&self, kind: &Value, name: &str) -> String {
        let of = kind["name"].as_str().unwrap_or_default();
        match kind["kind"].as_str().unwrap() {
            "NON_NULL" => self.sample(&kind["ofType"], name),
            "LIST" => format!("[{}]", self.sample(&kind["ofType"], name)),
            "ENUM" => self.types[of]["enumValues"][0]["name"]
                .as_str()
                .unwrap()
                .to_owned(),
            // The public sends it with a form's key.
            "INPUT_OBJECT" if of == "SubmitLeadInput" => format!("{{formKey: \"{}\"}}", self.ids["formKey"]),
            "INPUT_OBJECT" => {
                let fields = needed(&self.types[of]["inputFields"]).map(|field| {
                    let name = field["name"].as_str().unwrap();
                    format!("{name}: {}", self.sample(&field["type"], name))
                });
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
            _ => match of {
                "ID" => format!("\"{}\"", self.ids.get(name).unwrap_or(&self.ids["leadId"])),
                "DateTime" if name == "from" => "\"2026-03-01T05:00:00Z\"".to_owned(),
                "DateTime" => "\"2026-03-10T04:00:00Z\"".to_owned(),
                "Date" => "\"2026-03-10\"".to_owned(),
                "Int" | "Duration" => "1".to_owned(),
                "Float" => "1.0".to_owned(),
                "Boolean" => "true".to_owned(),
                "EmailAddress" => "\"somebody@example.org\"".to_owned(),
                "PhoneNumber" => "\"+18605550100\"".to_owned(),
                _ => format!("\"{name}\""),
            },
        }
    }
}

/// Those arguments or fields that have to be given.
fn needed(list: &Value) -> impl Iterator<Item = &Value> {
    let all = list.as_array().unwrap().iter();
    all.filter(|one| one["type"]["kind"] == "NON_NULL" && one["defaultValue"].is_null())
}

/// Ids of rows that exist, by the name of the argument.
async fn ids(clinic: &Clinic) -> BTreeMap<&'static str, String> {
    let lead = clinic.last_lead().await;
    let query = "query($id: ID!) { lead(id: $id) { followUps { nodes { id } } enrollments { id } messages { nodes { id } } } }";
    let of_lead = clinic
        .graphql(OPS, query, json!({ "id": lead.id.to_string() }))
        .await
        .data("lead");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let query = "{ ruleSets(kind: ROUTING) { nodes { id } } }";
    let rule_sets = clinic.graphql(OPS, query, json!({})).await;
    let rule_set = text(&rule_sets.data("ruleSets.nodes.0.id"));
    BTreeMap::from([
        ("leadId", lead.id.to_string()),
        ("contactId", lead.contact_id.to_string()),
        ("followUpId", text(&of_lead["followUps"]["nodes"][0]["id"])),
        ("followUpIds", text(&of_lead["followUps"]["nodes"][0]["id"])),
        ("fromId", clinic.id_of("staff", "nora").await),
        ("toId", clinic.id_of("staff", "sam").await),
        ("enrollmentId", text(&of_lead["enrollments"][0]["id"])),
        ("messageId", text(&of_lead["messages"]["nodes"][0]["id"])),
        ("draftId", rule_set.clone()),
        ("ruleSetId", rule_set),
        ("campaignId", clinic.id_of("campaign", "sleep-spring").await),
        (
            "sequenceId",
            clinic.id_of("sequence", "Sleep: the first weeks").await,
        ),
        // No move runs; an id of one is asked for all the same.
        (
            "sequenceMoveId",
            entity::id::EnrollmentMoveId(lead.id.0).to_string(),
        ),
        // There is no mailing; an id of one is asked for all the same.
        ("mailingId", entity::id::MailingId(lead.id.0).to_string()),
        // Nor is there a sample.
        (
            "qualitySampleId",
            entity::id::QualitySampleId(lead.id.0).to_string(),
        ),
        ("serviceLineId", clinic.id_of("serviceLine", "sleep").await),
        ("facilityId", clinic.id_of("facility", "harbor").await),
        ("teamId", clinic.id_of("team", "sleep-desk").await),
        ("ownerId", clinic.id_of("staff", "nora").await),
        ("assigneeId", clinic.id_of("staff", "nora").await),
        ("templateId", clinic.id_of("template", "received").await),
        ("versionId", clinic.id_of("templateVersion", "received").await),
        ("formKey", clinic.form_key("sleep-study").await),
        ("wordingId", clinic.id_of("wording", "email-care").await),
    ])
}

/// Everybody who may come along: nobody, tokens of each role, staff of each role.
fn everybody() -> Vec<(As<'static>, Option<Role>)> {
    let staff = STAFF
        .into_iter()
        .map(|(role, name)| (As::Staff(name), Some(role)));
    let tokens = Role::ALL.iter().map(|role| (As::Role(*role), Some(*role)));
    [(As::Nobody, None)]
        .into_iter()
        .chain(tokens)
        .chain(staff)
        .collect()
}

fn errors(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors
        .filter_map(|error| error["extensions"]["code"].as_str())
        .collect()
}

#[tokio::test]
async fn every_root_field_of_the_schema_stands_in_the_table_and_the_other_way_round() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let schema = Schema::of(&clinic).await;
    let mut in_schema: Vec<String> = Vec::new();
    for root in [Root::Query, Root::Mutation, Root::Subscription] {
        let fields = schema.fields(root).into_iter();
        in_schema.extend(fields.map(|field| format!("{}.{}", root.name(), field["name"].as_str().unwrap())));
    }
    let mut in_table: Vec<_> = table()
        .iter()
        .map(|rule| format!("{}.{}", rule.root.name(), rule.field))
        .collect();
    in_schema.sort();
    in_table.sort();
    assert_eq!(in_schema, in_table);
}

#[tokio::test]
async fn every_root_field_answers_whom_the_table_names_and_refuses_all_others_without_a_trace() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let schema = Schema::of(&clinic).await;
    for (who, _) in everybody() {
        if let As::Staff(name) = who {
            clinic.sign_in(name).await;
        }
        if let As::Role(role) = who {
            clinic.token(role).await;
        }
    }
    for root in [Root::Query, Root::Mutation] {
        // Signing out comes last, for it ends what proves the others.
        let mut fields = schema.fields(root);
        fields.retain(|field| field["name"] != "signOut");
        for field in fields {
            let name = field["name"].as_str().unwrap();
            let rule = api::graphql::access::rule(root.name(), name).expect("it is in the table");
            let operation = schema.operation(root, &field);
            let before = clinic.contents().await;
            let mut may = Vec::new();
            for (who, role) in everybody() {
                let allowed = match rule.may {
                    api::graphql::access::May::Anybody => true,
                    api::graphql::access::May::Roles(roles) => role.is_some_and(|role| roles.contains(&role)),
                };
                if allowed {
                    may.push(who);
                    continue;
                }
                let answer = clinic.graphql(who, &operation, json!({})).await.json();
                let expected = if role.is_some() {
                    "FORBIDDEN"
                } else {
                    "UNAUTHENTICATED"
                };
                assert_eq!(
                    errors(&answer),
                    [expected],
                    "{who:?} asks {operation}: {answer:#}"
                );
            }
            let differences = clinic.contents().await.differences(&before);
            assert_eq!(
                differences,
                Vec::<String>::new(),
                "{name} was refused and still changed something"
            );
            for who in may {
                let answer = clinic.graphql(who, &operation, json!({})).await.json();
                let codes = errors(&answer);
                let fine = codes.iter().all(|code| *code == "NOT_FOUND");
                assert!(fine, "{who:?} asks {operation}: {answer:#}");
            }
        }
    }
    clinic.drain().await;
}

#[tokio::test]
async fn only_those_who_contact_leads_enter_one_without_a_form() {
    let clinic = Clinic::new().await;
    for (who, role) in everybody() {
        if let As::Staff(name) = who {
            clinic.sign_in(name).await;
        }
        let Some(role) = role else { continue };
        let input = json!({ "leadType": "SERVICE_INQUIRY", "channel": "PHONE", "requestedService": "sleep study",
            "contact": { "givenName": "Pat", "email": "pat@example.org" }, "externalId": format!("{who:?}") });
        let query = "mutation($i: SubmitLeadInput!) { submitLead(input: $i) { receipt { created } userErrors { field code } } }";
        let before = clinic.contents().await;
        let answer = clinic.graphql(who, query, json!({ "i": input })).await;
        let desk = [
            Role::Admin,
            Role::MarketingOps,
            Role::IntakeCoordinator,
            Role::ServiceLineLead,
        ];
        if desk.contains(&role) {
            assert_eq!(
                answer.data("submitLead.receipt.created"),
                true,
                "{who:?}: {}",
                answer.body
            );
        } else {
            assert_eq!(answer.code(), "FORBIDDEN", "{who:?}");
            // The token itself was made meanwhile.
            let differences = clinic.contents().await.differences(&before);
            assert!(
                differences
                    .iter()
                    .all(|table| table == "token" || table == "audit_event"),
                "{differences:?}"
            );
        }
    }
    clinic.drain().await;
}

#[tokio::test]
async fn a_subscription_is_refused_before_it_starts_to_whom_the_table_does_not_name() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let schema = Schema::of(&clinic).await;
    let lead = clinic.last_lead().await.id;
    for field in schema.fields(Root::Subscription) {
        let rule = api::graphql::access::rule("Subscription", field["name"].as_str().unwrap())
            .expect("in the table");
        let operation = schema.operation(Root::Subscription, &field);
        for who in [
            As::Nobody,
            As::Role(Role::Analyst),
            As::Role(Role::ContentLead),
            OPS,
        ] {
            let request = clinic
                .client
                .post("/graphql")
                .header("accept", "text/event-stream");
            let request = clinic
                .proved(who, request)
                .await
                .body_json(&json!({ "query": operation }));
            let allowed = match (rule.may, who) {
                (api::graphql::access::May::Anybody, _) => true,
                (api::graphql::access::May::Roles(roles), As::Role(role)) => roles.contains(&role),
                _ => false,
            };
            if allowed {
                // It runs until it has something to tell.
                let mut events = Box::pin(request.send().await.0.into_body().into_bytes_stream());
                let mut tick = tokio::time::interval(Duration::from_millis(5));
                for _ in 0..5 {
                    tokio::select! {
                        event = events.next() => {
                            let text = String::from_utf8_lossy(&event.expect("an event").expect("it arrives")).into_owned();
                            assert!(!text.contains("\"errors\""), "{who:?} asks {operation}: {text}");
                        }
                        _ = tick.tick() => clinic.signals.tell(&[domain::signal::Signal::LeadReceived { lead_id: lead }]),
                    }
                }
            } else {
                let answer = Answer::to(request).await;
                let expected = if who == As::Nobody {
                    "UNAUTHENTICATED"
                } else {
                    "FORBIDDEN"
                };
                assert!(
                    answer.body.contains(expected),
                    "{who:?} asks {operation}: {}",
                    answer.body
                );
            }
        }
    }
}

#[tokio::test]
async fn a_coordinator_never_sees_the_leads_of_another_team_by_any_way() {
    let clinic = Clinic::new().await;
    let sleep = clinic.pat_asks().await;
    let fields = [
        ("given_name", "Hal"),
        ("phone", "(608) 555-0199"),
        ("email", "hal@example.org"),
    ];
    clinic.submit_form("heart", &fields).await;
    let heart = clinic.last_lead().await;
    clinic.drain().await;
    let luis = As::Staff("luis");
    let foreign = ids_of(&clinic, &sleep).await;
    let query = "query($lead: ID!, $contact: ID!, $followUp: ID!, $message: ID!) {
        lead(id: $lead) { id } contact(id: $contact) { id } message(id: $message) { id }
        a: node(id: $lead) { id } b: node(id: $contact) { id } c: node(id: $followUp) { id } d: node(id: $message) { id }
        nodes(ids: [$lead, $contact, $followUp, $message]) { id }
    }";
    let seen = clinic.graphql(luis, query, foreign.clone()).await.data("");
    for way in ["lead", "contact", "message", "a", "b", "c", "d"] {
        assert_eq!(seen[way], Value::Null, "{way}");
    }
    assert_eq!(seen["nodes"], json!([null, null, null, null]));
    let lists = "{ leads { totalCount nodes { id } } contacts { totalCount nodes { givenName } }
        followUps { totalCount nodes { lead { id } } } messages { totalCount nodes { lead { id } } }
        dashboard(filter: { from: \"2026-03-01T05:00:00Z\", to: \"2026-03-10T04:00:00Z\" }) { totals { leads } byServiceLine { name } } }";
    let own = clinic.graphql(luis, lists, json!({})).await.data("");
    let heart_id = json!(heart.id.to_string());
    assert_eq!(
        own["leads"],
        json!({ "totalCount": 1, "nodes": [{ "id": heart_id }] })
    );
    assert_eq!(
        own["contacts"],
        json!({ "totalCount": 1, "nodes": [{ "givenName": "Hal" }] })
    );
    assert_eq!(
        own["followUps"],
        json!({ "totalCount": 1, "nodes": [{ "lead": { "id": heart_id } }] })
    );
    assert_eq!(own["messages"]["totalCount"], 2, "{:#}", own["messages"]);
    assert_eq!(own["dashboard"]["totals"]["leads"], 1);
    let all = clinic.graphql(OPS, "{ leads { totalCount } }", json!({})).await;
    assert_eq!(all.data("leads.totalCount"), 2);
    let before = clinic.contents().await;
    let changed = clinic
        .try_change(
            luis,
            "logAttempt",
            json!({ "leadId": sleep, "medium": "PHONE", "outcome": "REACHED" }),
        )
        .await;
    assert_eq!(
        changed["userErrors"][0]["code"], "NOT_FOUND",
        "the same answer as for a lead that does not exist"
    );
    let withdrawn = clinic
        .try_change(
            luis,
            "withdrawConsent",
            json!({ "contactId": foreign["contact"] }),
        )
        .await;
    assert_eq!(withdrawn["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

async fn ids_of(clinic: &Clinic, lead: &str) -> Value {
    let query = "query($id: ID!) { lead(id: $id) { contact { id } followUps { nodes { id } } messages { nodes { id } } } }";
    let found = clinic
        .graphql(OPS, query, json!({ "id": lead }))
        .await
        .data("lead");
    json!({
        "lead": lead, "contact": found["contact"]["id"], "followUp": found["followUps"]["nodes"][0]["id"],
        "message": found["messages"]["nodes"][0]["id"],
    })
}

#[tokio::test]
async fn an_analyst_sees_figures_and_no_people() {
    let clinic = Clinic::new().await;
    let lead = clinic.pat_asks().await;
    clinic.drain().await;
    let ids = ids_of(&clinic, &lead).await;
    let ann = As::Staff("ann");
    for operation in [
        "{ leads { totalCount } }",
        "{ contacts { totalCount } }",
        "{ messages { totalCount } }",
        "{ followUps { totalCount } }",
    ] {
        assert_eq!(
            clinic.graphql(ann, operation, json!({})).await.code(),
            "FORBIDDEN",
            "{operation}"
        );
    }
    let query = "query($lead: ID!, $contact: ID!, $followUp: ID!, $message: ID!) {
        nodes(ids: [$lead, $contact, $followUp, $message]) { id } }";
    let seen = clinic.graphql(ann, query, ids).await;
    assert_eq!(seen.data("nodes"), json!([null, null, null, null]));
    let figures = "{ dashboard(filter: { from: \"2026-03-01T05:00:00Z\", to: \"2026-03-10T04:00:00Z\" }) { totals { leads } } }";
    assert_eq!(
        clinic
            .graphql(ann, figures, json!({}))
            .await
            .data("dashboard.totals.leads"),
        1
    );
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_password_are_told_nothing_more() {
    let clinic = Clinic::new().await;
    let wrong = clinic
        .graphql(As::Token("lwt_nonsense"), "{ viewer { kind } }", json!({}))
        .await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (401, "UNAUTHENTICATED")
    );
    let answers = ["nora@clinic.example", "nobody@clinic.example"].map(|email| {
        clinic.try_change(
            As::Nobody,
            "signIn",
            json!({ "email": email, "password": "wrong horse" }),
        )
    });
    let [known, unknown] = futures_util::future::join_all(answers).await.try_into().unwrap();
    assert_eq!(known["userErrors"][0]["code"], "SIGN_IN_FAILED");
    assert_eq!(known, unknown, "whether somebody works here is not told");
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_from_then_on() {
    let clinic = Clinic::new().await;
    clinic.submit_form("sleep-study", &pat()).await;
    clinic.drain().await;
    assert_eq!(
        clinic
            .graphql(OPS, "{ leads { totalCount } }", json!({}))
            .await
            .data("leads.totalCount"),
        1
    );
    let token = entity::token::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("the one that was made");
    domain::staff::token::revoke(&clinic.hospital, token.id)
        .await
        .unwrap();
    assert_eq!(
        clinic
            .graphql(OPS, "{ leads { totalCount } }", json!({}))
            .await
            .status,
        401
    );
}
