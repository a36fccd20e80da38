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
async fn what_is_saved_without_the_link_leaves_alone_what_was_saved_before() {
    let clinic = clinic().await;
    let path = saved(&clinic, &[]).await;
    let first = drafts(&clinic).await.remove(0);
    clinic.minutes_pass(5);
    let stranger = [
        ("email", "PAT@example.org"),
        ("timing", "later"),
        ("agree", "services and events"),
    ];
    assert_eq!(save(&clinic, "sleep-study", &stranger).await.status, 303);
    clinic.drain().await;
    let kept = drafts(&clinic).await;
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&first), "neither its words nor its end");
    let page = open(&clinic, &path).await;
    contains(&page, "<option value=\"this_week\" selected>");
    contains(&page, "value=\"Pat\"");
    assert!(!page.body.contains("You agreed to this"));
    let links: Vec<String> = clinic.mails().await.iter().map(link).collect();
    assert_eq!(links.len(), 2, "each has a link of its own");
    assert_ne!(links[0], links[1]);
}

#[tokio::test]
async fn an_address_gets_three_links_a_day_whoever_asks_and_whatever_is_deleted() {
    let clinic = clinic().await;
    let began = clinic.now();
    let mut sent = 0;
    for minute in 0..6 {
        clinic.minutes_pass(1);
        let name = format!("Pat{minute}");
        let form = if minute % 2 == 0 { "sleep-study" } else { "estudio" };
        let answer = save(
            &clinic,
            form,
            &[("given_name", &name), ("email", "pat@example.org")],
        )
        .await;
        assert_eq!(answer.status, 303, "the answer tells nobody what else was saved");
        clinic.drain().await;
        for mail in clinic.mails_to("pat@example.org").await {
            sent += 1;
            assert_eq!(press(&clinic, &link(&mail), &[FORGET]).await.status, 200);
        }
    }
    assert_eq!(sent, 3);
    assert_eq!(drafts(&clinic).await.len(), 3, "nothing is lost");
    clinic.live_until(began + TimeDelta::hours(24)).await;
    assert_eq!(clinic.mails_to("pat@example.org").await.len(), 0);
    clinic.live_until(began + TimeDelta::hours(25)).await;
    assert_eq!(clinic.mails_to("pat@example.org").await.len(), 3);
    // More than a second day's share is refused, in the form's language.
    for minute in 0..3 {
        let name = format!("Sky{minute}");
        save(
            &clinic,
            "estudio",
            &[("given_name", &name), ("email", "pat@example.org")],
        )
        .await;
    }
    let answer = save(&clinic, "estudio", &[("email", "pat@example.org")]).await;
    assert_eq!(answer.status, 422);
    contains(&answer, "Ya hay demasiados formularios");
    // Nobody remembers for longer than it counts.
    clinic.live_until(began + TimeDelta::hours(75)).await;
    while domain::lead::form_draft::share::forget_old(&clinic.hospital)
        .await
        .unwrap()
    {}
    let kept = entity::form_draft_mail::Entity::find();
    assert_eq!(kept.count(clinic.db()).await.unwrap(), 0);
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
    let boxes = FormPage::read(&page).boxes;
    assert!(boxes.iter().all(|shown| !shown.ticked), "{boxes:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-robots-tag"), Some("noindex"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    let head = Answer::to(clinic.client.head(&path)).await;
    assert_eq!(head.status, 200);
    let unknown = Answer::to(clinic.client.delete(&path)).await;
    assert_eq!(
        (unknown.status.as_u16(), unknown.header("allow")),
        (405, Some("GET, HEAD, POST"))
    );
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
    contains(&gone, "href=\"/f/sleep-study\"");
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
async fn a_name_that_is_corrected_by_the_link_is_the_same_contact() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    let corrected = [
        ("given_name", "Patricia"),
        ("email", "pat@example.org"),
        ("timing", "later"),
        SAVE,
    ];
    assert_eq!(press(&clinic, &path, &corrected).await.status, 303);
    let names = async || -> Vec<String> {
        let who = contact::Entity::find().all(clinic.db()).await.unwrap();
        who.iter().map(contact::Model::display_name).collect()
    };
    assert_eq!(names().await, ["Patricia"]);
    let sent = [
        ("given_name", "Patrice"),
        ("family_name", "Meyer"),
        ("email", "pat@example.org"),
    ];
    assert_eq!(press(&clinic, &path, &sent).await.status, 303);
    assert_eq!(names().await, ["Patrice Meyer"]);
    assert_eq!(leads(&clinic).await.len(), 1);
    clinic.drain().await;
}

#[tokio::test]
async fn who_turns_out_to_be_known_leaves_no_second_contact_behind() {
    let clinic = clinic().await;
    clinic.submit_form("question", &pat_asks_about("Sleep")).await;
    save(
        &clinic,
        "sleep-study",
        &[("given_name", "P."), ("email", "pat@example.org")],
    )
    .await;
    clinic.drain().await;
    let mails = clinic.mails_to("pat@example.org").await;
    let path = link(mails.iter().find(|mail| mail.text.contains("/r/")).unwrap());
    assert_eq!(contact::Entity::find().count(clinic.db()).await.unwrap(), 2);
    clinic.hours_pass(1);
    assert_eq!(press(&clinic, &path, &pat()).await.status, 303);
    let who = contact::Entity::find().all(clinic.db()).await.unwrap();
    let left: Vec<_> = who.iter().filter(|contact| contact.erased_at.is_none()).collect();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].display_name(), "Pat Meyer");
    clinic.drain().await;
}

#[tokio::test]
async fn sending_the_form_anew_takes_nothing_from_whoever_has_the_link() {
    let clinic = clinic().await;
    let nameless = [("email", "pat@example.org"), ("timing", "this_week")];
    save(&clinic, "sleep-study", &nameless).await;
    clinic.drain().await;
    let path = link(&only_mail(&clinic).await);
    clinic.hours_pass(1);
    let stranger = [
        ("given_name", "Sam"),
        ("family_name", "Stranger"),
        ("email", "pat@example.org"),
    ];
    assert_eq!(clinic.submit_form("sleep-study", &stranger).await.status, 303);
    assert_eq!(drafts(&clinic).await[0].state, FormDraftState::Waiting);
    contains(
        &open(&clinic, &path).await,
        "<option value=\"this_week\" selected>",
    );
    assert_eq!(press(&clinic, &path, &pat()).await.status, 303);
    assert_eq!(leads(&clinic).await.len(), 2);
    let names: Vec<String> = contact::Entity::find()
        .order_by_asc(contact::Column::Id)
        .all(clinic.db())
        .await
        .unwrap()
        .iter()
        .map(contact::Model::display_name)
        .collect();
    assert_eq!(names, ["Pat Meyer", "Sam Stranger"]);
    clinic.drain().await;
}

#[tokio::test]
async fn a_parent_who_sends_the_form_does_not_end_the_reminders_of_a_child_on_the_same_address() {
    let clinic = clinic().await;
    saved(&clinic, &["email me about my request"]).await;
    clinic.hours_pass(1);
    let parent = [
        ("given_name", "Robin"),
        ("family_name", "Meyer"),
        ("email", "pat@example.org"),
    ];
    assert_eq!(clinic.submit_form("sleep-study", &parent).await.status, 303);
    assert_eq!(contact::Entity::find().count(clinic.db()).await.unwrap(), 2);
    days_pass(&clinic, 4).await;
    let subjects = clinic.subjects_to("pat@example.org").await;
    assert!(
        subjects.contains(&"You can still finish".to_owned()),
        "{subjects:?}"
    );
}

#[tokio::test]
async fn what_was_agreed_to_is_told_and_not_asked_for_again_unless_it_was_taken_back() {
    let clinic = clinic().await;
    let path = saved(&clinic, &["email me about my request"]).await;
    let page = open(&clinic, &path).await;
    contains(&page, "You agreed to this when you saved the form:");
    let shown = |page: &Answer| FormPage::read(page).boxes.len();
    let asked = shown(&page);
    let grants = async || {
        let found = consent_event::Entity::find();
        let granted = found.filter(consent_event::Column::Action.eq(ConsentAction::Grant));
        granted.count(clinic.db()).await.unwrap()
    };
    let again = [("email", "pat@example.org"), SAVE];
    press(&clinic, &path, &again).await;
    press(&clinic, &path, &again).await;
    assert_eq!(grants().await, 1, "it was said once");
    let contact_id = drafts(&clinic).await[0].contact_id.to_string();
    let input = json!({ "contactId": contact_id, "medium": "EMAIL", "purpose": "CARE_COORDINATION" });
    clinic.change(ADMIN, "withdrawConsent", input).await;
    let page = open(&clinic, &path).await;
    assert!(!page.body.contains("You agreed to this"));
    assert_eq!(shown(&page), asked + 1);
    press(&clinic, &path, &again).await;
    assert_eq!(grants().await, 1);
    let anew = [
        ("email", "pat@example.org"),
        ("agree", "email me about my request"),
        SAVE,
    ];
    press(&clinic, &path, &anew).await;
    assert_eq!(grants().await, 2);
    press(&clinic, &path, &pat()).await;
    assert_eq!(grants().await, 2, "sending it says nothing that was said before");
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
    only_mail(&clinic).await;
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
