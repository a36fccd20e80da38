//! What is kept of a form that was not sent, for how long, and who can see it.

use super::*;

#[tokio::test]
async fn a_link_that_was_forged_or_has_ended_discloses_nothing() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let other = if path.ends_with('A') { "Q" } else { "A" };
    let forged = format!("{}{other}", &path[..path.len() - 1]);
    for forged in ["/r/nonsense".to_owned(), forged] {
        let answer = open(&clinic, &forged).await;
        assert_eq!(answer.status, 404, "{forged}");
        let answer = Answer::to(clinic.client.post(&forged).form(&pat())).await;
        assert_eq!(answer.status, 404, "{forged}");
    }
    // Another link made by the same key opens nothing here.
    let unsubscribe = path.replace("/r/", "/u/");
    assert_eq!(open(&clinic, &unsubscribe).await.status, 404);
    clinic.clock.advance(TimeDelta::days(30));
    let answer = open(&clinic, &path).await;
    assert_eq!(answer.status, 410, "even before the sweep");
    assert!(!answer.body.contains("pat@example.org") && !answer.body.contains("sleep"));
    let answer = Answer::to(clinic.client.post(&path).form(&pat())).await;
    assert_eq!(answer.status, 410);
    assert_eq!(leads(&clinic).await.len(), 0);
    clinic.drain().await;
}

#[tokio::test]
async fn what_was_typed_is_forgotten_at_once_on_demand() {
    let clinic = clinic().await;
    let untouched = clinic.contents().await;
    let offered = untouched.holding("this_week");
    let path = saved(&clinic, &[]).await;
    days_pass(&clinic, 4).await;
    let answer = press(&clinic, &path, &[FORGET]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    contains(&answer, "It is deleted");
    assert_eq!(drafts(&clinic).await.len(), 0);
    let contents = clinic.contents().await;
    assert_eq!(contents.holding("pat@example.org"), Vec::<&str>::new());
    assert_eq!(contents.holding("this_week"), offered, "only where it is offered");
    assert_eq!(open(&clinic, &path).await.status, 410);
    assert_eq!(
        Answer::to(clinic.client.post(&path).form(&[FORGET])).await.status,
        410
    );
    days_pass(&clinic, 30).await;
    assert_eq!(
        clinic.mails_to("pat@example.org").await.len(),
        0,
        "its mails were emptied too"
    );
}

#[tokio::test]
async fn a_form_under_a_corrected_name_is_forgotten_whole() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    for name in ["Patricia", "Sky"] {
        let fields = [("given_name", name), ("email", "pat@example.org"), SAVE];
        assert_eq!(press(&clinic, &path, &fields).await.status, 303);
        clinic.hours_pass(1);
    }
    assert_eq!(press(&clinic, &path, &[FORGET]).await.status, 200);
    let contents = clinic.contents().await;
    for typed in ["pat@example.org", "Patricia", "Sky"] {
        assert_eq!(contents.holding(typed), Vec::<&str>::new(), "{typed}");
    }
}

#[tokio::test]
async fn who_took_back_what_was_ticked_is_forgotten_with_the_form_and_who_did_not_is_kept() {
    for taken_back in [true, false] {
        let clinic = clinic().await;
        let path = saved(&clinic, &["email me about my request"]).await;
        if taken_back {
            let id = drafts(&clinic).await[0].contact_id.to_string();
            let input = json!({ "contactId": id, "medium": "EMAIL", "purpose": "CARE_COORDINATION" });
            clinic.change(ADMIN, "withdrawConsent", input).await;
        }
        assert_eq!(press(&clinic, &path, &[FORGET]).await.status, 200);
        let who = contact::Entity::find().all(clinic.db()).await.unwrap();
        assert_eq!(who[0].erased_at.is_some(), taken_back);
    }
}

#[tokio::test]
async fn of_delete_and_send_at_one_moment_one_is_done_and_both_answers_say_which() {
    for _ in 0..3 {
        let clinic = clinic().await;
        let path = saved(&clinic, &[]).await;
        let mut sent = FormPage::read(&open(&clinic, &path).await).hidden;
        let mut deleted = sent.clone();
        sent.extend(
            pat()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        deleted.push((FORGET.0.to_owned(), FORGET.1.to_owned()));
        let (send, delete) = tokio::join!(
            Answer::to(clinic.client.post(&path).form(&sent)),
            Answer::to(clinic.client.post(&path).form(&deleted))
        );
        clinic.drain().await;
        let was_sent = leads(&clinic).await.len() == 1;
        assert_eq!(send.status == 303, was_sent, "{}", send.body);
        assert_eq!(
            delete.body.contains("It is deleted"),
            !was_sent,
            "{}",
            delete.body
        );
        let says_sent = delete.status == 303 || delete.body.contains("You have sent this form");
        assert_eq!(says_sent, was_sent, "{}", delete.body);
    }
}

#[tokio::test]
async fn of_somebody_who_is_known_otherwise_only_the_saved_form_is_forgotten() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    clinic
        .submit_form(
            "question",
            &[
                ("given_name", "Pat"),
                ("email", "pat@example.org"),
                ("service", "Sleep"),
            ],
        )
        .await;
    clinic.drain().await;
    assert_eq!(press(&clinic, &path, &[FORGET]).await.status, 200);
    let contents = clinic.contents().await;
    assert!(contents.holding("pat@example.org").contains(&"contact"));
    assert_eq!(
        contents.holding("Finish your form"),
        Vec::<&str>::new(),
        "the mail with the link is emptied"
    );
    assert_eq!(leads(&clinic).await.len(), 1);
}

#[tokio::test]
async fn a_mail_that_has_not_gone_is_withheld_when_its_form_is_forgotten() {
    let clinic = clinic().await;
    save(&clinic, "sleep-study", &BEGUN).await;
    let id = drafts(&clinic).await[0].id;
    let path = format!("/r/{}", clinic.hospital.secrets.draft_token(id.0));
    assert_eq!(press(&clinic, &path, &[FORGET]).await.status, 200);
    clinic.drain().await;
    assert_eq!(clinic.mails().await.len(), 0);
    let messages = clinic.messages().await;
    assert_eq!(messages[0].state, MessageState::Withheld);
}

#[tokio::test]
async fn what_was_left_is_forgotten_at_its_end_but_not_a_consent() {
    let clinic = clinic().await;
    saved(&clinic, &[]).await;
    let agreed = [("email", "sky@example.org"), ("agree", "services and events")];
    save(&clinic, "sleep-study", &agreed).await;
    days_pass(&clinic, 31).await;
    assert_eq!(drafts(&clinic).await.len(), 0);
    let contents = clinic.contents().await;
    assert_eq!(contents.holding("pat@example.org"), Vec::<&str>::new());
    assert!(
        contents.holding("sky@example.org").contains(&"contact"),
        "who agreed to hear more stays a contact"
    );
    assert!(leads(&clinic).await.iter().all(|lead| lead.erased_at.is_some()));
    assert!(
        enrollments(&clinic)
            .await
            .iter()
            .all(|row| row.state != EnrollmentState::Active)
    );
}

#[tokio::test]
async fn an_export_shows_a_saved_form_and_an_erasure_takes_it() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let id = drafts(&clinic).await[0].contact_id.to_string();
    let told = clinic
        .change(ADMIN, "exportContact", json!({ "contactId": id }))
        .await
        .to_string();
    assert!(
        told.contains("savedForms") && told.contains("this_week") && told.contains("for 30 days"),
        "{told}"
    );
    clinic
        .change(ADMIN, "eraseContact", json!({ "contactId": id }))
        .await;
    let contents = clinic.contents().await;
    assert_eq!(contents.holding("pat@example.org"), Vec::<&str>::new());
    assert_eq!(contents.holding("Finish your form"), Vec::<&str>::new());
    assert_eq!(drafts(&clinic).await.len(), 0);
    assert_eq!(open(&clinic, &path).await.status, 410);
}

#[tokio::test]
async fn a_form_with_a_second_yes_asks_for_it_when_it_is_saved() {
    let clinic = Clinic::new().await;
    let mut document = document();
    document["forms"][0]["doubleOptIn"] = json!({ "days": 7 });
    let setup = Setup::parse(&document.to_string()).unwrap();
    domain::setup::apply(&clinic.hospital, &setup).await.unwrap();
    let fields = [
        ("email", "pat@example.org"),
        ("agree", "email me about my request"),
    ];
    save(&clinic, "sleep-study", &fields).await;
    clinic.drain().await;
    let mut subjects = clinic.subjects_to("pat@example.org").await;
    subjects.sort();
    assert_eq!(
        subjects,
        [
            "Finish your form whenever you like",
            "Please confirm your email address"
        ]
    );
    let said = consent_event::Entity::find().all(clinic.db()).await.unwrap();
    assert!(said.iter().all(|event| event.action != ConsentAction::Grant));
    days_pass(&clinic, 4).await;
    let deferred = message::Entity::find()
        .filter(message::Column::State.eq(MessageState::Deferred))
        .count(clinic.db())
        .await
        .unwrap();
    assert_eq!(deferred, 1, "the reminder waits for the second yes");
}

#[tokio::test]
async fn who_has_no_link_can_delete_nothing_and_sends_nothing_by_trying() {
    let clinic = clinic().await;
    let mut fields = pat();
    fields.push(FORGET);
    let answer = clinic.submit_form("sleep-study", &fields).await;
    assert_eq!(answer.status, 422);
    contains(&answer, "no saved form here");
    assert_eq!(leads(&clinic).await.len(), 0);
}
