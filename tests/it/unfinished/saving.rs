//! Saving a form, and finishing it by the mailed link or anew.

use super::*;

#[tokio::test]
async fn a_form_that_cannot_be_finished_later_looks_as_before_and_takes_no_draft() {
    let clinic = clinic().await;
    let answer = open(&clinic, "/f/question").await;
    assert!(!answer.body.contains("finish-later"));
    let answer = save(&clinic, "question", &[("email", "pat@example.org")]).await;
    assert_eq!(answer.status, 422, "a field that the form does not have");
    assert_eq!(open(&clinic, "/f/question/saved").await.status, 404);
    assert_eq!(drafts(&clinic).await.len(), 0);
}

#[tokio::test]
async fn saving_keeps_one_draft_and_sends_one_neutral_mail_and_is_no_lead() {
    let clinic = clinic().await;
    let page = open(&clinic, "/f/sleep-study").await;
    contains(&page, "Save and finish later");
    contains(&page, "for 30 days");
    let path = saved(&clinic, &["email me about my request"]).await;
    let mail = only_mail(&clinic).await;
    assert_eq!(mail.subject, "Finish your form whenever you like");
    let said = format!("{}{}{}", mail.subject, mail.text, mail.html).to_lowercase();
    for secret in ["sleep", "this_week", "pat,", "dear"] {
        assert!(!said.contains(secret), "{secret} is told in {said}");
    }
    assert!(mail.text.contains("30 days"));
    assert!(!path.contains("sleep"));
    let kept = drafts(&clinic).await;
    assert_eq!(kept.len(), 1);
    let draft = &kept[0];
    assert_eq!(draft.state, FormDraftState::Waiting);
    assert_eq!(draft.expires_at - draft.agreed_at, TimeDelta::days(30));
    assert_eq!(draft.visit.source_code.as_deref(), Some("SLP-AD-1"));
    assert!(draft.agreement.contains("for 30 days") && draft.agreement.contains("after 3 days"));
    assert_eq!(leads(&clinic).await.len(), 0);
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 0);
    assert_eq!(touchpoint::Entity::find().count(clinic.db()).await.unwrap(), 0);
    // Ticking a box and pressing the button is saying yes, with the text that was shown.
    let said = consent_event::Entity::find().all(clinic.db()).await.unwrap();
    let granted: Vec<_> = said
        .iter()
        .filter(|event| event.action == ConsentAction::Grant)
        .collect();
    assert_eq!(
        (said.len(), granted.len()),
        (2, 1),
        "a box left unticked is a no; of the phone there is none"
    );
    assert_eq!(granted[0].purpose, Some(Purpose::CareCoordination));
    assert!(granted[0].wording_id.is_some() && granted[0].evidence.is_some());
}

#[tokio::test]
async fn saving_again_replaces_what_was_saved_and_no_second_mail_comes_at_once() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    clinic.minutes_pass(5);
    let again = [("email", "PAT@example.org"), ("timing", "later")];
    assert_eq!(save(&clinic, "sleep-study", &again).await.status, 303);
    clinic.drain().await;
    assert_eq!(drafts(&clinic).await.len(), 1);
    assert_eq!(contact::Entity::find().count(clinic.db()).await.unwrap(), 1);
    only_mail(&clinic).await;
    let page = open(&clinic, &path).await;
    contains(&page, "<option value=\"later\" selected>");
    assert!(
        !page.body.contains("value=\"Pat\""),
        "the name was not typed again"
    );
    // After a while a second save brings a second mail, but nobody's mailbox is filled.
    for _ in 0..5 {
        clinic.minutes_pass(30);
        for form in ["sleep-study", "estudio"] {
            let answer = save(&clinic, form, &again).await;
            assert_eq!(answer.status, 303, "{}", answer.body);
        }
        clinic.drain().await;
    }
    let kinds: Vec<_> = clinic
        .messages()
        .await
        .into_iter()
        .map(|row| (row.kind, row.state))
        .collect();
    assert_eq!(kinds, [(MessageKind::FormSaved, MessageState::Accepted); 3]);
    clinic.hours_pass(24);
    save(&clinic, "sleep-study", &again).await;
    clinic.drain().await;
    assert_eq!(clinic.messages().await.len(), 4);
}

#[tokio::test]
async fn two_saves_at_one_moment_are_one_draft_and_one_mail() {
    let clinic = clinic().await;
    let (first, second) = tokio::join!(
        save(&clinic, "sleep-study", &BEGUN),
        save(&clinic, "sleep-study", &BEGUN)
    );
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303));
    clinic.drain().await;
    assert_eq!(drafts(&clinic).await.len(), 1);
    only_mail(&clinic).await;
}

#[tokio::test]
async fn saving_asks_for_nothing_but_an_address_and_names_the_field() {
    let clinic = clinic().await;
    let answer = save(&clinic, "sleep-study", &[("given_name", "Pat")]).await;
    assert_eq!(answer.status, 422);
    contains(
        &answer,
        "Email address: Enter your email address, so that we can send you the link.",
    );
    contains(&answer, "value=\"Pat\"");
    let answer = save(
        &clinic,
        "sleep-study",
        &[("email", "pat@example.org"), ("phone", "12"), ("timing", "never")],
    )
    .await;
    assert_eq!(answer.status, 422);
    contains(&answer, "Phone number: ");
    contains(
        &answer,
        "When would you like to come?: Choose one of the options.",
    );
    let answer = save(&clinic, "estudio", &[("email", "")]).await;
    assert_eq!(answer.status, 422);
    contains(&answer, "Escriba su dirección de correo");
    let mut trapped = BEGUN.to_vec();
    trapped.push(("homepage_url", "https://spam.example"));
    assert_eq!(save(&clinic, "sleep-study", &trapped).await.status, 303);
    assert_eq!(drafts(&clinic).await.len(), 0);
}

#[tokio::test]
async fn the_link_shows_what_was_typed_and_looking_changes_nothing() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["call me"]).await;
    let before = clinic.contents().await;
    let page = open(&clinic, &path).await;
    assert_eq!(page.status, 200);
    contains(&page, "value=\"pat@example.org\"");
    contains(&page, "<option value=\"this_week\" selected>");
    assert!(FormPage::read(&page).checkbox("call me").ticked);
    assert!(!FormPage::read(&page).checkbox("services and events").ticked);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-robots-tag"), Some("noindex"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let head = Answer::to(clinic.client.head(&path)).await;
    assert_eq!(head.status, 200);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_form_is_finished_once_whatever_is_sent_again() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    clinic.hours_pass(2);
    let page = FormPage::read(&open(&clinic, &path).await);
    let mut pairs = page.hidden.clone();
    pairs.extend(
        pat()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let send = || Answer::to(clinic.client.post(&path).form(&pairs));
    let (first, second) = tokio::join!(send(), send());
    let third = send().await;
    for answer in [first, second, third] {
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(answer.header("location"), Some("/f/sleep-study/thanks"));
    }
    let found = leads(&clinic).await;
    assert_eq!(found.len(), 1);
    let lead = &found[0];
    assert_eq!((lead.unfinished_at, lead.received_at), (None, clinic.now()));
    assert_eq!(
        lead.source_code.as_deref(),
        Some("SLP-AD-1"),
        "as when it was saved"
    );
    let who = contact::Entity::find().all(clinic.db()).await.unwrap();
    assert_eq!(who.len(), 1);
    assert_eq!(who[0].display_name(), "Pat Meyer");
    assert_eq!(follow_up::Entity::find().count(clinic.db()).await.unwrap(), 1);
    let kept = drafts(&clinic).await;
    assert_eq!(kept[0].state, FormDraftState::Finished);
    assert!(kept[0].fields.0.is_empty() && kept[0].email_normalized.is_none());
    let gone = open(&clinic, &path).await;
    assert_eq!(gone.status, 410);
    contains(&gone, "You have sent this form");
    clinic.drain().await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    assert_eq!(
        subjects,
        [
            "Finish your form whenever you like",
            "We have received your request"
        ]
    );
    days_pass(&clinic, 40).await;
    assert_eq!(drafts(&clinic).await.len(), 0);
    assert!(leads(&clinic).await[0].erased_at.is_none());
}

#[tokio::test]
async fn a_name_that_comes_last_is_that_of_the_contact_without_one() {
    let clinic = clinic().await;
    assert_eq!(
        save(&clinic, "sleep-study", &[("email", "pat@example.org")])
            .await
            .status,
        303
    );
    clinic.drain().await;
    let path = link(&only_mail(&clinic).await);
    clinic.hours_pass(1);
    assert_eq!(press(&clinic, &path, &pat()).await.status, 303);
    let who = contact::Entity::find().all(clinic.db()).await.unwrap();
    assert_eq!(who.len(), 1);
    assert_eq!(who[0].display_name(), "Pat Meyer");
    clinic.drain().await;
}

#[tokio::test]
async fn sending_the_form_anew_finishes_what_was_saved_too() {
    let clinic = clinic().await;
    saved(&clinic, &[]).await;
    clinic.hours_pass(1);
    let answer = clinic.submit_form("sleep-study", &pat()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(drafts(&clinic).await[0].state, FormDraftState::Finished);
    days_pass(&clinic, 10).await;
    assert_eq!(leads(&clinic).await.len(), 1);
    assert!(
        enrollments(&clinic)
            .await
            .iter()
            .all(|row| row.exit_reason.is_none())
    );
}

#[tokio::test]
async fn a_parent_and_a_child_on_one_address_do_not_finish_each_others_forms() {
    let clinic = clinic().await;
    saved(&clinic, &[]).await;
    clinic.hours_pass(1);
    let parent = [
        ("given_name", "Robin"),
        ("family_name", "Meyer"),
        ("email", "pat@example.org"),
    ];
    assert_eq!(clinic.submit_form("sleep-study", &parent).await.status, 303);
    assert_eq!(drafts(&clinic).await[0].state, FormDraftState::Waiting);
    assert_eq!(contact::Entity::find().count(clinic.db()).await.unwrap(), 2);
    clinic.drain().await;
}

#[tokio::test]
async fn on_the_page_of_the_link_it_can_be_saved_again_for_the_same_address_only() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let fields = [("email", "pat@example.org"), ("family_name", "Meyer"), SAVE];
    let answer = press(&clinic, &path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.header("location"), Some("/f/sleep-study/saved"));
    contains(&open(&clinic, &path).await, "value=\"Meyer\"");
    let other = [("email", "other@example.org"), SAVE];
    let answer = press(&clinic, &path, &other).await;
    assert_eq!(answer.status, 422);
    contains(&answer, "The link belongs to the address that it went to.");
    assert_eq!(drafts(&clinic).await.len(), 1);
    clinic.drain().await;
}

#[tokio::test]
async fn the_spanish_form_speaks_spanish_to_its_end() {
    let clinic = clinic().await;
    let page = open(&clinic, "/f/estudio").await;
    contains(&page, "Guardar y terminar más tarde");
    contains(&page, "guardemos 30 días");
    let answer = save(&clinic, "estudio", &[("email", "luz@example.org")]).await;
    assert_eq!(answer.header("location"), Some("/f/estudio/saved"));
    contains(
        &open(&clinic, "/f/estudio/saved").await,
        "Hemos guardado su formulario",
    );
    clinic.drain().await;
    let mail = clinic.mails_to("luz@example.org").await.remove(0);
    assert_eq!(mail.subject, "Puede terminar su formulario cuando quiera");
    assert!(mail.text.contains("se guarda 30 días"));
    let path = link(&mail);
    contains(&open(&clinic, &path).await, "Borrar lo que escribí");
    contains(&press(&clinic, &path, &[FORGET]).await, "Está borrado");
}

#[tokio::test]
async fn saving_and_finishing_are_counted_with_the_posts_of_forms() {
    let clinic = furnished(ClinicSettings {
        form_posts_per_minute: 2,
        ..ClinicSettings::default()
    })
    .await;
    let path = saved(&clinic, &[]).await;
    assert_eq!(
        press(&clinic, &path, &[("email", "pat@example.org"), SAVE])
            .await
            .status,
        303
    );
    assert_eq!(press(&clinic, &path, &pat()).await.status, 429);
    assert_eq!(leads(&clinic).await.len(), 0);
}
