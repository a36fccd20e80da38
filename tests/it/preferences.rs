//! People set what they hear of, on the page behind the link of a mail, and staff write it down for them.

use entity::consent_event::{self, ConsentAction, ConsentMethod};
use entity::enrollment::{self, ExitReason};
use entity::enums::{Medium, Purpose, Role};
use entity::message::{self, GateReason, MessageKind, MessageState};
use entity::{audit_event, contact};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::harness::{Answer, As, Clinic, FormPage, Mail, OPS, at};

const NORA: As<'static> = As::Staff("nora");
const MARKETING: &str = "EMAIL.MARKETING";

/// Pat's first promotional mail.
async fn mail_to_pat(clinic: &Clinic) -> Mail {
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    let mails = clinic.mails_to("pat@example.org").await;
    mails.into_iter().last().expect("the first nurture mail")
}

/// A clinic in which Pat has got a link, and its path.
async fn with_link() -> (Clinic, String) {
    let clinic = Clinic::new().await;
    let path = mail_to_pat(&clinic).await.preferences_path().to_owned();
    (clinic, path)
}

async fn open(clinic: &Clinic, path: &str) -> FormPage {
    let answer = Answer::to(clinic.client.get(path)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    FormPage::read(&answer)
}

type Fields = Vec<(String, String)>;

/// What a browser sends of a page on which nothing was touched.
fn untouched(page: &FormPage) -> Fields {
    let version = page.hidden.iter().find(|(name, _)| name == "version");
    let ticked = page.boxes.iter().filter(|found| found.ticked);
    let boxes = ticked.map(|found| (found.name.clone(), found.value.clone()));
    version.cloned().into_iter().chain(boxes).collect()
}

fn with(mut fields: Fields, name: &str, value: &str) -> Fields {
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

fn without(fields: Fields, value: &str) -> Fields {
    fields.into_iter().filter(|(_, found)| found != value).collect()
}

async fn post(clinic: &Clinic, path: &str, fields: &Fields) -> Answer {
    Answer::to(clinic.client.post(path).form(fields)).await
}

async fn contact_of_pat(clinic: &Clinic) -> contact::Model {
    let found = contact::Entity::find()
        .filter(contact::Column::EmailNormalized.eq("pat@example.org"))
        .one(clinic.db());
    found.await.unwrap().expect("Pat is a contact")
}

/// What GraphQL tells of Pat's wishes and consents.
async fn told(clinic: &Clinic) -> Value {
    let id = contact_of_pat(clinic).await.id.to_string();
    let query = "query($id: ID!) { contact(id: $id) { language
        preferences { pausedUntil maxPerWeek lines { serviceLine { slug } wanted } }
        consent { medium purpose state event { method wording { key } } } } }";
    clinic
        .graphql(OPS, query, json!({ "id": id }))
        .await
        .data("contact")
}

fn standing(told: &Value, medium: &str, purpose: &str) -> Value {
    let all = told["consent"].as_array().expect("standings are a list");
    let found = all
        .iter()
        .find(|found| found["medium"] == medium && found["purpose"] == purpose);
    found.expect("a standing for each").clone()
}

#[tokio::test]
async fn each_kind_of_change_is_saved_together_and_can_be_read() {
    let (clinic, path) = with_link().await;
    let page = open(&clinic, &path).await;
    let sleep = page.checkbox("Sleep medicine").value.clone();
    let fields = without(without(untouched(&page), "PHONE.CARE_COORDINATION"), &sleep);
    let fields = with(with(fields, "often", "2"), "pause", "2026-03-20");
    let answer = post(&clinic, &path, &with(fields, "language", "es")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains("<html lang=\"es\">"),
        "the new language holds at once"
    );
    assert!(
        answer.body.contains("role=\"status\"") && answer.body.contains("Sus preferencias están guardadas")
    );
    let told = told(&clinic).await;
    assert_eq!(
        (&told["language"], &told["preferences"]),
        (
            &json!("es"),
            // Midnight in the east, in summer time.
            &json!({ "pausedUntil": "2026-03-20T04:00:00Z", "maxPerWeek": 2,
                "lines": [{ "serviceLine": { "slug": "sleep" }, "wanted": false }] })
        )
    );
    assert_eq!(
        standing(&told, "PHONE", "CARE_COORDINATION")["state"],
        "WITHDRAWN"
    );
    assert_eq!(standing(&told, "EMAIL", "MARKETING")["state"], "GRANTED");
    let shown = open(&clinic, &path).await;
    assert!(!shown.checkbox("Sleep medicine").ticked);
    let audited = audit_event::Entity::find()
        .filter(audit_event::Column::Action.eq("preferences.save"))
        .all(clinic.db())
        .await
        .unwrap();
    assert_eq!(audited.len(), 1);
}

#[tokio::test]
async fn wishes_can_be_taken_back() {
    let (clinic, path) = with_link().await;
    let fields = untouched(&open(&clinic, &path).await);
    let fields = with(with(fields, "often", "1"), "pause", "2026-03-20");
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    let fields = untouched(&open(&clinic, &path).await);
    let fields = with(with(fields, "often", "any"), "pause", "");
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    assert_eq!(
        told(&clinic).await["preferences"],
        json!({ "pausedUntil": null, "maxPerWeek": null, "lines": [] })
    );
}

#[tokio::test]
async fn what_is_agreed_to_on_the_page_is_a_grant_with_the_words_that_were_shown() {
    let (clinic, path) = with_link().await;
    let fields = without(untouched(&open(&clinic, &path).await), MARKETING);
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    clinic.minutes_pass(1);
    let page = Answer::to(clinic.client.get(&path)).await;
    assert!(
        page.body.contains("You ended this on March 5, 2026.")
            && page.body.contains("You may email me about services and events."),
        "{}",
        page.body
    );
    let fields = with(untouched(&FormPage::read(&page)), "allow", MARKETING);
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    let event = consent_event::Entity::find()
        .filter(consent_event::Column::Method.eq(ConsentMethod::PreferencePage))
        .filter(consent_event::Column::Action.eq(ConsentAction::Grant))
        .one(clinic.db())
        .await
        .unwrap()
        .expect("a grant");
    assert_eq!(
        (event.medium, event.purpose, event.address.as_deref()),
        (Medium::Email, Some(Purpose::Marketing), Some("pat@example.org"))
    );
    assert!(event.source.message_id.is_some(), "the mail whose link was used");
    assert_eq!(
        standing(&told(&clinic).await, "EMAIL", "MARKETING"),
        json!({ "medium": "EMAIL", "purpose": "MARKETING", "state": "GRANTED",
            "event": { "method": "PREFERENCE_PAGE", "wording": { "key": "email-marketing" } } })
    );
}

#[tokio::test]
async fn an_old_page_does_not_undo_what_was_said_later() {
    let (clinic, path) = with_link().await;
    let old = untouched(&open(&clinic, &path).await);
    let id = contact_of_pat(&clinic).await.id.to_string();
    let input = json!({ "contactId": id, "medium": "EMAIL", "purpose": "MARKETING" });
    clinic.change(NORA, "withdrawConsent", input).await;
    let before = clinic.contents().await;
    let answer = post(&clinic, &path, &with(old, "often", "4")).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("role=\"alert\"") && answer.body.contains("Please look again"));
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    let shown = FormPage::read(&answer);
    let box_of_marketing = shown.boxes.iter().find(|found| found.value == MARKETING);
    assert!(!box_of_marketing.expect("it is shown").ticked, "the newest state");
    let answer = post(&clinic, &path, &with(untouched(&shown), "often", "4")).await;
    assert_eq!(answer.status, 200, "what was shown then is new again");
}

#[tokio::test]
async fn the_same_page_sent_twice_is_saved_once() {
    let (clinic, path) = with_link().await;
    let fields = without(untouched(&open(&clinic, &path).await), MARKETING);
    let fields = with(fields, "often", "1");
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    let before = clinic.contents().await;
    let answer = post(&clinic, &path, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("Nothing to save"));
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn forged_and_revoked_links_lead_to_the_same_page_and_new_mail_carries_new_links() {
    let (clinic, path) = with_link().await;
    let id = contact_of_pat(&clinic).await.id.to_string();
    let mut forged = path.clone().into_bytes();
    let last = forged.len() - 2;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    let fields = untouched(&open(&clinic, &path).await);
    clinic
        .change(OPS, "revokePreferenceLinks", json!({ "contactId": id }))
        .await;
    let before = clinic.contents().await;
    let mut bodies = Vec::new();
    for bad in [path.as_str(), &forged, "/p/short", "/p/%C3%A9"] {
        let everything = vec![("everything".to_owned(), "1".to_owned())];
        let answers = [
            Answer::to(clinic.client.get(bad)).await,
            post(&clinic, bad, &fields).await,
            post(&clinic, bad, &everything).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, 404, "{bad}");
            bodies.push(answer.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "nobody learns which it was");
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
    clinic.live_until(at("2026-03-09T14:00:00Z")).await;
    let mails = clinic.mails_to("pat@example.org").await;
    let newest = mails.last().expect("a mail").preferences_path().to_owned();
    assert_eq!(Answer::to(clinic.client.get(&newest)).await.status, 200);
}

#[tokio::test]
async fn a_link_is_void_once_its_mail_belongs_to_another_contact() {
    let (clinic, path) = with_link().await;
    let mut merged = contact_of_pat(&clinic).await.into_active_model();
    let other = contact::Model {
        id: domain::id::new_id(clinic.now()),
        email: None,
        email_normalized: None,
        ..contact_of_pat(&clinic).await
    };
    let other_id = other.id;
    other.into_active_model().insert(clinic.db()).await.unwrap();
    merged.merged_into_id = Set(Some(other_id));
    merged.update(clinic.db()).await.unwrap();
    assert_eq!(Answer::to(clinic.client.get(&path)).await.status, 404);
    message::Entity::update_many()
        .col_expr(
            message::Column::ContactId,
            sea_orm::sea_query::Expr::value(other_id),
        )
        .filter(message::Column::ContactId.is_not_null())
        .exec(clinic.db())
        .await
        .unwrap();
    assert_eq!(Answer::to(clinic.client.get(&path)).await.status, 404);
}

#[tokio::test]
async fn opening_every_link_of_a_mail_changes_nothing() {
    let clinic = Clinic::new().await;
    let mail = mail_to_pat(&clinic).await;
    let site = "https://leads.clinic.example";
    let all = format!("{} {}", mail.text, mail.html);
    let links: Vec<&str> = all
        .match_indices(site)
        .map(|(start, _)| {
            let rest = &all[start + site.len()..];
            let end = rest.find(|c: char| c.is_whitespace() || "\"<>".contains(c));
            &rest[..end.unwrap_or(rest.len())]
        })
        .collect();
    assert!(
        links.iter().any(|link| link.starts_with("/p/")) && links.iter().any(|link| link.starts_with("/u/")),
        "{links:?}"
    );
    let before = clinic.contents().await;
    for link in links {
        assert_eq!(Answer::to(clinic.client.get(link)).await.status, 200, "{link}");
        let head = Answer::to(clinic.client.head(link)).await;
        assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""), "{link}");
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn bad_input_is_told_at_its_field_and_nothing_is_stored() {
    let (clinic, path) = with_link().await;
    let fields = with(untouched(&open(&clinic, &path).await), "often", "2");
    let before = clinic.contents().await;
    for (name, value, link) in [
        ("pause", "tomorrow", "href=\"#pause\""),
        ("pause", "2026-03-05", "href=\"#pause\""),
        ("pause", "2029-01-01", "href=\"#pause\""),
        ("pause", "2026-02-30", "href=\"#pause\""),
        ("allow", "EMAIL.EVERYTHING", "href=\"#allow\""),
        ("allow", "SMS.MARKETING", "href=\"#allow\""),
        ("lines", "line_01jd8x3k5v9w2m7q4r6t8y0abc", "href=\"#line-1\""),
        ("language", "tlh", "href=\"#language-en\""),
        ("often", "3", "href=\"#often-any\""),
        ("version", "again", "This was sent more than once."),
        ("phone", "555", "This page has no such field."),
    ] {
        let answer = post(&clinic, &path, &with(fields.clone(), name, value)).await;
        assert_eq!(answer.status, 422, "{name}={value}: {}", answer.body);
        assert!(
            answer.body.contains(link) && answer.body.contains("id=\"problems\""),
            "{name}={value}: {}",
            answer.body
        );
        assert_eq!(
            clinic.contents().await.differences(&before),
            Vec::<String>::new(),
            "{name}={value}"
        );
    }
    for often in ["0", "-1", "51", "2.5", "many"] {
        let fields = with(untouched(&open(&clinic, &path).await), "often", often);
        let answer = post(&clinic, &path, &fields).await;
        assert_eq!(answer.status, 422, "{often}");
        assert!(answer.body.contains("href=\"#often-any\""), "{often}");
    }
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_that_is_no_form_or_too_large_is_refused() {
    let (clinic, path) = with_link().await;
    let before = clinic.contents().await;
    let json = clinic
        .client
        .post(&path)
        .content_type("application/json")
        .body("{}");
    assert_eq!(Answer::to(json).await.status, 400);
    let large = vec![("allow".to_owned(), "x".repeat(20_000))];
    assert_eq!(post(&clinic, &path, &large).await.status, 413);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

/// A contact that agreed to marketing, with a mail that is due now: the path of its page.
async fn planned_mail(clinic: &Clinic) -> (message::Model, String) {
    clinic.plan_nurture(1).await;
    let message = message::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("one");
    let contact = contact::Entity::find()
        .one(clinic.db())
        .await
        .unwrap()
        .expect("one");
    let url = domain::preference::link::url(&clinic.hospital, &message, &contact);
    let path = url["https://leads.clinic.example".len()..].to_owned();
    (message, path)
}

async fn state(clinic: &Clinic, message: &message::Model) -> MessageState {
    let found = message::Entity::find_by_id(message.id).one(clinic.db());
    found.await.unwrap().expect("it is there").state
}

#[tokio::test]
async fn taking_a_consent_back_on_the_page_withholds_what_is_planned_and_what_is_claimed() {
    for claimed in [false, true] {
        let clinic = Clinic::new().await;
        let (message, path) = planned_mail(&clinic).await;
        let fields = without(untouched(&open(&clinic, &path).await), MARKETING);
        let held = if claimed {
            let lane = message::Lane::Bulk;
            let claim = domain::outreach::claim::claim(&clinic.hospital, lane, 10, 60)
                .await
                .unwrap();
            assert_eq!(claim.sendables.len(), 1, "a worker holds it");
            Some(claim)
        } else {
            None
        };
        assert_eq!(post(&clinic, &path, &fields).await.status, 200);
        assert_eq!(state(&clinic, &message).await, MessageState::Withheld);
        drop(held);
        clinic.drain().await;
        assert_eq!(clinic.mails().await.len(), 0);
    }
}

#[tokio::test]
async fn a_wish_sends_a_claimed_mail_back_to_the_gate() {
    let clinic = Clinic::new().await;
    let (message, path) = planned_mail(&clinic).await;
    let fields = with(untouched(&open(&clinic, &path).await), "pause", "2026-04-01");
    let lane = message::Lane::Bulk;
    let claim = domain::outreach::claim::claim(&clinic.hospital, lane, 10, 60)
        .await
        .unwrap();
    assert_eq!(claim.sendables.len(), 1);
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    assert_eq!(state(&clinic, &message).await, MessageState::Planned);
    clinic.drain().await;
}

#[tokio::test]
async fn a_pause_set_on_the_page_holds_mail_until_its_end() {
    let clinic = Clinic::new().await;
    let (message, path) = planned_mail(&clinic).await;
    let fields = with(untouched(&open(&clinic, &path).await), "pause", "2026-03-10");
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    clinic.live_until(at("2026-03-09T20:00:00Z")).await;
    assert_eq!(state(&clinic, &message).await, MessageState::Deferred);
    assert_eq!(clinic.mails().await.len(), 0);
    clinic.live_until(at("2026-03-10T20:00:00Z")).await;
    assert_eq!(state(&clinic, &message).await, MessageState::Accepted);
    assert_eq!(clinic.mails().await.len(), 1);
}

#[tokio::test]
async fn a_service_line_given_up_on_the_page_is_written_of_no_more() {
    let (clinic, path) = with_link().await;
    let page = open(&clinic, &path).await;
    let sleep = page.checkbox("Sleep medicine").value.clone();
    assert_eq!(
        post(&clinic, &path, &without(untouched(&page), &sleep))
            .await
            .status,
        200
    );
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    let nurture: Vec<_> = clinic
        .messages()
        .await
        .into_iter()
        .filter(|row| row.kind == MessageKind::Nurture)
        .map(|row| (row.state, row.decision.map(|decision| decision.reasons[0].code)))
        .collect();
    assert_eq!(
        nurture,
        [
            (MessageState::Accepted, Some(GateReason::ConsentGranted)),
            (MessageState::Withheld, Some(GateReason::LineUnwanted)),
        ]
    );
}

#[tokio::test]
async fn taking_marketing_back_ends_the_sequences_that_rest_on_it() {
    let (clinic, path) = with_link().await;
    let fields = without(untouched(&open(&clinic, &path).await), MARKETING);
    assert_eq!(post(&clinic, &path, &fields).await.status, 200);
    let enrollment = enrollment::Entity::find().one(clinic.db()).await.unwrap();
    assert_eq!(
        enrollment.expect("an enrollment").exit_reason,
        Some(ExitReason::Withdrawn)
    );
    clinic.live_until(at("2026-03-20T12:00:00Z")).await;
    let nurture = clinic.messages().await.into_iter();
    let sent = nurture.filter(|row| row.kind == MessageKind::Nurture && row.sent_at.is_some());
    assert_eq!(sent.count(), 1, "the one that was sent before");
}

#[tokio::test]
async fn one_button_ends_everything_at_once_whatever_the_page_showed() {
    let (clinic, path) = with_link().await;
    let everything = vec![("everything".to_owned(), "1".to_owned())];
    let answer = post(&clinic, &path, &everything).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("You are unsubscribed from everything"));
    assert!(
        FormPage::read(&answer)
            .boxes
            .iter()
            .all(|found| found.name != "allow" || !found.ticked)
    );
    let told = told(&clinic).await;
    for standing in told["consent"].as_array().unwrap() {
        assert_eq!(standing["state"], "WITHDRAWN", "{standing}");
    }
    let events = consent_event::Entity::find()
        .filter(consent_event::Column::Method.eq(ConsentMethod::PreferencePage))
        .order_by_asc(consent_event::Column::Id)
        .all(clinic.db())
        .await
        .unwrap();
    assert_eq!(events.len(), Medium::ALL.len(), "one a medium, for every purpose");
    let before = clinic.contents().await;
    assert_eq!(post(&clinic, &path, &everything).await.status, 200);
    assert_eq!(clinic.contents().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn the_page_keeps_to_itself_and_shows_addresses_only_in_part() {
    let (clinic, path) = with_link().await;
    let answer = Answer::to(clinic.client.get(&path)).await;
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.header(name), Some(value));
    }
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"));
    assert_eq!(answer.header("set-cookie"), None);
    assert!(!answer.body.contains("<script"));
    assert!(!answer.body.contains("pat@example.org") && !answer.body.contains("555"));
    for held in ["p••@example.org", "•• 0142", "Pat Meyer", "March 3, 2026"] {
        assert!(answer.body.contains(held), "{held}: {}", answer.body);
    }
    // The mail was of this purpose.
    assert!(answer.body.contains("The mail you came from was of this kind."));
}

#[tokio::test]
async fn pages_speak_the_contacts_language_and_else_the_browsers() {
    let (clinic, path) = with_link().await;
    let unsubscribe = format!(
        "/u/{}",
        clinic.mails_to("pat@example.org").await[1].unsubscribe_token()
    );
    let cases = [
        ("es-MX", "en-US,en;q=0.9", "es"),
        ("en", "es", "en"),
        ("fr", "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("fr", "de", "en"),
    ];
    for (language, accepted, expected) in cases {
        let mut row = contact_of_pat(&clinic).await.into_active_model();
        row.language = Set(language.to_owned());
        row.update(clinic.db()).await.unwrap();
        for path in [path.as_str(), &unsubscribe] {
            let request = clinic.client.get(path).header("accept-language", accepted);
            let answer = Answer::to(request).await;
            let lang = format!("<html lang=\"{expected}\">");
            assert!(answer.body.contains(&lang), "{path} {language} {accepted}");
        }
    }
    for missing in ["/p/none", "/u/none", "/f/none", "/none"] {
        let request = clinic.client.get(missing).header("accept-language", "es");
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 404);
        assert!(
            answer.body.contains("<html lang=\"es\">") && answer.body.contains("Esta página no existe"),
            "{missing}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn staff_write_down_what_a_person_wishes() {
    let clinic = Clinic::new().await;
    clinic.pat_asks().await;
    clinic.drain().await;
    let id = contact_of_pat(&clinic).await.id.to_string();
    let line = clinic.id_of("serviceLine", "cardiology").await;
    let input = json!({ "contactId": id, "pausedUntil": "2026-04-01T00:00:00Z", "maxPerWeek": 3, "language": "es",
        "lines": [{ "serviceLineId": line, "wanted": false }] });
    clinic.change(NORA, "updateContactPreferences", input).await;
    let wished = told(&clinic).await;
    assert_eq!(
        wished["preferences"],
        json!({ "pausedUntil": "2026-04-01T00:00:00Z", "maxPerWeek": 3,
            "lines": [{ "serviceLine": { "slug": "cardiology" }, "wanted": false }] })
    );
    assert_eq!(wished["language"], "es");
    clinic
        .change(
            NORA,
            "updateContactPreferences",
            json!({ "contactId": id, "pausedUntil": null }),
        )
        .await;
    let wished = told(&clinic).await;
    assert_eq!(wished["preferences"]["pausedUntil"], Value::Null);
    assert_eq!(wished["preferences"]["maxPerWeek"], 3, "what is not sent stays");

    for (input, field) in [
        (json!({ "maxPerWeek": 0 }), json!(["maxPerWeek"])),
        (json!({ "maxPerWeek": 51 }), json!(["maxPerWeek"])),
        (
            json!({ "pausedUntil": "2026-03-01T00:00:00Z" }),
            json!(["pausedUntil"]),
        ),
        (
            json!({ "pausedUntil": "2029-03-01T00:00:00Z" }),
            json!(["pausedUntil"]),
        ),
        (json!({ "language": "Spanish!" }), json!(["language"])),
        (
            json!({ "lines": [{ "serviceLineId": line, "wanted": true }, { "serviceLineId": line, "wanted": false }] }),
            json!(["lines", "1", "serviceLineId"]),
        ),
    ] {
        let mut input = input;
        input["contactId"] = json!(id);
        let payload = clinic.try_change(NORA, "updateContactPreferences", input).await;
        assert_eq!(payload["userErrors"][0]["field"], field);
    }
    for (who, field) in [
        (As::Staff("luis"), "updateContactPreferences"),
        (As::Staff("luis"), "revokePreferenceLinks"),
    ] {
        let payload = clinic.try_change(who, field, json!({ "contactId": id })).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{field}");
    }
    let refused = clinic
        .graphql(
            As::Role(Role::Analyst),
            "mutation($id: ID!) { updateContactPreferences(input: { contactId: $id }) { contact { id } } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(refused.code(), "FORBIDDEN");
    assert_eq!(told(&clinic).await, wished, "nothing was changed");
}
