//! A form that nobody sent: the lead that is made of it, and the sequence that reminds.

use super::*;

#[tokio::test]
async fn a_form_that_was_left_reminds_by_its_sequence_only_whoever_agreed() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    let silent = [("given_name", "Sky"), ("email", "sky@example.org")];
    save(&clinic, "sleep-study", &silent).await;
    days_pass(&clinic, 4).await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    assert_eq!(
        subjects,
        ["Finish your form whenever you like", "You can still finish"]
    );
    let mails = clinic.mails_to("pat@example.org").await;
    assert_eq!(link(&mails[1]), path, "the same link");
    assert!(!mails[1].subject.to_lowercase().contains("sleep"));
    assert_eq!(clinic.mails_to("sky@example.org").await.len(), 1);
    let withheld: Vec<_> = clinic
        .messages()
        .await
        .into_iter()
        .filter(|message| message.state == MessageState::Withheld)
        .collect();
    assert_eq!(withheld.len(), 1);
    assert_eq!(
        withheld[0].decision.as_ref().unwrap().reasons[0].code,
        GateReason::NoConsent
    );
    // The Spanish form is none that the sequence is about.
    save(&clinic, "estudio", &[("email", "luz@example.org")]).await;
    days_pass(&clinic, 4).await;
    assert_eq!(leads(&clinic).await.len(), 3);
    assert_eq!(enrollments(&clinic).await.len(), 2);
}

#[tokio::test]
async fn an_unfinished_lead_is_counted_and_listed_nowhere_unless_asked_for() {
    let clinic = clinic().await;
    saved(&clinic, &["email me about my request"]).await;
    days_pass(&clinic, 4).await;
    let found = leads(&clinic).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].unfinished_at.is_some() && found[0].owner_id.is_none());
    assert!(found[0].sla_missed_at.is_none(), "nobody was to call");
    let query = "query($f: LeadFilter) { leads(filter: $f) { totalCount nodes { id } } }";
    let count = async |filter: Value| {
        let answer = clinic.graphql(OPS, query, json!({ "f": filter })).await;
        answer.data("leads.totalCount")
    };
    assert_eq!(count(Value::Null).await, json!(0));
    assert_eq!(count(json!({ "stages": ["NEW"] })).await, json!(0));
    assert_eq!(count(json!({ "unfinished": false })).await, json!(0));
    assert_eq!(count(json!({ "unfinished": true })).await, json!(1));
    let query = "query($f: DashboardFilter!) { dashboard(filter: $f) { totals { leads } } }";
    let period = json!({ "f": { "from": clinic.now() - TimeDelta::days(20), "to": clinic.now() } });
    let dashboard = clinic.graphql(OPS, query, period).await;
    assert_eq!(
        dashboard.data("dashboard.totals.leads"),
        json!(0),
        "{}",
        dashboard.body
    );
    let id = found[0].contact_id.to_string();
    let query = "query($id: ID!) { contact(id: $id) { leads { totalCount } } }";
    let of_contact = clinic.graphql(OPS, query, json!({ "id": id })).await;
    assert_eq!(of_contact.data("contact.leads.totalCount"), json!(0));
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 0);
    assert_eq!(touchpoint::Entity::find().count(clinic.db()).await.unwrap(), 0);
    let kinds: Vec<_> = clinic.messages().await.iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        [MessageKind::FormSaved, MessageKind::Nurture],
        "nobody of the staff is told"
    );
    // Nobody works on what was not sent.
    let input = json!({ "leadId": found[0].id.to_string(), "medium": "PHONE", "outcome": "REACHED" });
    let query = "mutation($input: LogAttemptInput!) { logAttempt(input: $input) { userErrors { code } } }";
    let answer = clinic
        .graphql(As::Staff("nora"), query, json!({ "input": input }))
        .await;
    contains(&answer, "NOT_FOUND");
}

#[tokio::test]
async fn a_form_that_was_left_and_is_sent_after_all_is_the_same_lead_and_no_longer_reminded_of() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    days_pass(&clinic, 4).await;
    let before = leads(&clinic).await.remove(0);
    let answer = press(&clinic, &path, &pat()).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let found = leads(&clinic).await;
    assert_eq!(found.len(), 1);
    let lead = &found[0];
    assert_eq!((lead.id, lead.unfinished_at), (before.id, None));
    assert_eq!(
        (lead.received_at, lead.version),
        (clinic.now(), before.version + 1)
    );
    assert!(lead.owner_id.is_some() && lead.sla_due_at > clinic.now());
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 1);
    let mut ways: Vec<_> = enrollments(&clinic)
        .await
        .into_iter()
        .map(|row| (row.state, row.exit_reason))
        .collect();
    ways.sort_by_key(|(state, _)| state.as_str());
    assert_eq!(
        ways,
        [
            (EnrollmentState::Active, None),
            (EnrollmentState::Exited, Some(ExitReason::FormFinished))
        ],
        "the sequence about new leads has begun, the one about left forms is over"
    );
    clinic.drain().await;
    days_pass(&clinic, 8).await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    let reminders = subjects
        .iter()
        .filter(|subject| *subject == "You can still finish");
    assert_eq!(reminders.count(), 1);
    assert!(subjects.contains(&"We have received your request".to_owned()));
    let count = clinic.graphql(OPS, "{ leads { totalCount } }", Value::Null).await;
    assert_eq!(count.data("leads.totalCount"), json!(1));
    let events = lead_event::Entity::find()
        .filter(lead_event::Column::LeadId.eq(lead.id))
        .all(clinic.db())
        .await
        .unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert!(
        kinds.starts_with(&["FORM_ABANDONED", "ENROLLED"]) && kinds.contains(&"RECEIVED"),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_mailing_to_those_of_a_period_finds_a_form_that_was_left_before_it_and_sent_within_it() {
    // Ids of its own: those of the process are as late as the latest story's.
    domain::id::apart(async {
        let clinic = clinic().await;
        let path = saved(&clinic, &[]).await;
        days_pass(&clinic, 4).await;
        assert_eq!(leads(&clinic).await.len(), 1, "it counts as left");
        days_pass(&clinic, 1).await;
        let begins = clinic.now();
        days_pass(&clinic, 1).await;
        let answer = press(&clinic, &path, &pat()).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let input = json!({
            "name": "News for those of this week",
            "campaignId": clinic.id_of("campaign", "heart-month").await,
            "templateId": clinic.id_of("template", "still-here").await,
            "audience": { "receivedFrom": begins },
        });
        let mailing = clinic.change(ADMIN, "createMailing", input).await["mailing"].clone();
        let input = json!({ "mailingId": mailing["id"], "version": mailing["version"] });
        clinic.change(ADMIN, "startMailing", input).await;
        clinic.drain().await;
        let planned = message::Entity::find().filter(message::Column::MailingId.is_not_null());
        assert_eq!(planned.count(clinic.db()).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_sends_the_form_anew_is_not_reminded_of_the_saved_one_and_still_finds_it_by_its_link() {
    let clinic = clinic().await;
    let before = saved(&clinic, &["email me about my request"]).await;
    clinic.hours_pass(1);
    assert_eq!(clinic.submit_form("sleep-study", &pat()).await.status, 303);
    days_pass(&clinic, 20).await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    assert!(
        !subjects.contains(&"You can still finish".to_owned()),
        "{subjects:?}"
    );
    contains(
        &open(&clinic, &before).await,
        "<option value=\"this_week\" selected>",
    );
    assert_eq!(leads(&clinic).await.len(), 1, "none that counts as left");
    // What was left already ends its reminders too.
    let robin = [
        ("given_name", "Robin"),
        ("email", "robin@example.org"),
        ("agree", "email me about my request"),
    ];
    save(&clinic, "sleep-study", &robin).await;
    days_pass(&clinic, 4).await;
    let anew = [
        ("given_name", "Robin"),
        ("family_name", "Ray"),
        ("email", "robin@example.org"),
    ];
    assert_eq!(clinic.submit_form("sleep-study", &anew).await.status, 303);
    days_pass(&clinic, 20).await;
    let subjects = clinic.subjects_to("robin@example.org").await;
    let reminders = subjects
        .iter()
        .filter(|subject| *subject == "You can still finish");
    assert_eq!(reminders.count(), 1, "{subjects:?}");
}

#[tokio::test]
async fn many_workers_make_one_unfinished_lead() {
    let clinic = clinic().await;
    saved(&clinic, &["email me about my request"]).await;
    clinic.clock.advance(TimeDelta::days(3));
    let workers = [clinic.another_worker(), clinic.another_worker()];
    let (a, b) = tokio::join!(workers[0].drain(), workers[1].drain());
    a.unwrap();
    b.unwrap();
    clinic.drain().await;
    assert_eq!(leads(&clinic).await.len(), 1);
    assert_eq!(enrollments(&clinic).await.len(), 1);
}

#[tokio::test]
async fn a_sequence_about_left_forms_is_refused_for_a_form_that_nobody_can_save() {
    let clinic = clinic().await;
    let publish = async |trigger: Value| {
        let input = json!({ "name": trigger.to_string(), "purpose": "CARE_COORDINATION", "trigger": trigger,
            "steps": [{ "key": "end", "kind": "END" }] });
        let made = clinic.change(OPS, "createSequence", input).await;
        let id = made["sequence"]["id"].clone();
        clinic
            .try_change(OPS, "publishSequence", json!({ "sequenceId": id }))
            .await
    };
    let refused = publish(json!({ "on": "FORM_ABANDONED", "form": "question" })).await;
    assert!(refused.to_string().contains("FORM_ABANDONED"), "{refused}");
    let refused = publish(json!({ "on": "FORM_ABANDONED", "form": "no-such-form" })).await;
    assert!(refused.to_string().contains("There is no such form"), "{refused}");
    let refused = publish(json!({ "on": "LEAD_RECEIVED", "form": "sleep-study" })).await;
    assert!(
        refused
            .to_string()
            .contains("Only a trigger on an abandoned form"),
        "{refused}"
    );
    let taken = publish(json!({ "on": "FORM_ABANDONED" })).await;
    assert_eq!(taken["userErrors"], json!([]), "{taken}");
}
