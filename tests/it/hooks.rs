//! What mail providers tell by their webhooks: verified, stored, and only then applied.

use std::sync::Arc;

use api::hooks::HookSettings;
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::consent_event::{self, ConsentAction, ConsentMethod};
use entity::enums::Purpose;
use entity::inbound_mail::{self, InboundSource, InboundState};
use entity::message::MessageKind;
use entity::suppression::{self, SuppressionReason};
use poem::http::StatusCode;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::harness::{Clinic, ClinicSettings, Documents, at};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:mail";
const CERTIFICATE_URL: &str =
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
const CONFIRM_URL: &str = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:123456789012:mail&Token=tok";
const CERTIFICATE: &str = include_str!("sns/certificate.pem");
const BOUNCE: &str = include_str!("sns/bounce_v2.json");
const COMPLAINT: &str = include_str!("sns/complaint_v1.json");
const CONFIRM: &str = include_str!("sns/confirm.json");
const CONFIRM_ELSEWHERE: &str = include_str!("sns/confirm_elsewhere.json");
/// What a key for P-256 begins with in DER.
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

/// A key of SendGrid's kind.
struct Signer(EcdsaKeyPair, SystemRandom);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self(pair, random)
    }

    fn public(&self) -> String {
        let der = [&hex::decode(P256).unwrap(), self.0.public_key().as_ref()].concat();
        STANDARD.encode(der)
    }

    fn sign(&self, timestamp: &str, body: &str) -> String {
        let signed = format!("{timestamp}{body}");
        STANDARD.encode(self.0.sign(&self.1, signed.as_bytes()).unwrap())
    }
}

async fn clinic(hooks: HookSettings) -> (Clinic, Arc<Documents>) {
    let documents = Arc::new(Documents::default());
    documents.put(CERTIFICATE_URL, CERTIFICATE);
    documents.put(CONFIRM_URL, "confirmed");
    let settings = ClinicSettings {
        hooks,
        documents: documents.clone(),
        ..ClinicSettings::default()
    };
    let clinic = Clinic::with(settings).await;
    clinic.pat_asks().await;
    clinic.live_until(at("2026-03-05T16:00:00Z")).await;
    (clinic, documents)
}

fn with_ses() -> HookSettings {
    HookSettings {
        ses_topics: vec![TOPIC.to_owned()],
        ..HookSettings::default()
    }
}

async fn post(clinic: &Clinic, provider: &str, headers: &[(&str, &str)], body: &str) -> StatusCode {
    let mut request = clinic
        .client
        .post(format!("/hooks/mail/{provider}"))
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.0.status()
}

async fn stored(clinic: &Clinic) -> Vec<inbound_mail::Model> {
    let rows = inbound_mail::Entity::find().order_by_asc(inbound_mail::Column::Id);
    rows.all(clinic.db()).await.unwrap()
}

async fn suppressed(clinic: &Clinic) -> Vec<SuppressionReason> {
    let rows = suppression::Entity::find().all(clinic.db()).await.unwrap();
    rows.into_iter().map(|row| row.reason).collect()
}

#[tokio::test]
async fn without_its_setting_a_provider_has_no_door() {
    let (clinic, _) = clinic(HookSettings::default()).await;
    for provider in ["ses", "sendgrid", "postmark", "another"] {
        assert_eq!(
            post(&clinic, provider, &[], "{}").await,
            StatusCode::NOT_FOUND,
            "{provider}"
        );
    }
    assert!(stored(&clinic).await.is_empty());
}

#[tokio::test]
async fn a_bounce_that_sns_signed_is_stored_once_and_suppresses_the_recipient() {
    let (clinic, _) = clinic(with_ses()).await;
    assert_eq!(post(&clinic, "ses", &[], BOUNCE).await, StatusCode::OK);
    assert_eq!(
        post(&clinic, "ses", &[], BOUNCE).await,
        StatusCode::OK,
        "it comes again"
    );
    let rows = stored(&clinic).await;
    assert_eq!(
        (rows.len(), rows[0].source, rows[0].state),
        (1, InboundSource::Ses, InboundState::Received)
    );
    clinic.drain().await;
    assert_eq!(stored(&clinic).await[0].state, InboundState::Applied);
    assert_eq!(
        suppressed(&clinic).await,
        [SuppressionReason::HardBounce],
        "and nobody whom nothing was sent to"
    );
}

#[tokio::test]
async fn a_complaint_signed_in_the_older_way_takes_marketing_back() {
    let (clinic, _) = clinic(with_ses()).await;
    assert_eq!(post(&clinic, "ses", &[], COMPLAINT).await, StatusCode::OK);
    clinic.drain().await;
    let taken =
        consent_event::Entity::find().filter(consent_event::Column::Action.eq(ConsentAction::Withdraw));
    let taken = taken.all(clinic.db()).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (taken[0].purpose, taken[0].method),
        (Some(Purpose::Marketing), ConsentMethod::Webhook)
    );
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::Complaint]);
}

#[tokio::test]
async fn what_sns_did_not_sign_or_for_another_topic_is_refused_and_not_stored() {
    let (clinic, documents) = clinic(with_ses()).await;
    for (body, status) in [
        (
            BOUNCE.replace("pat@example.org", "lee@example.org"),
            StatusCode::UNAUTHORIZED,
        ),
        (
            BOUNCE.replace("\"SignatureVersion\": \"2\"", "\"SignatureVersion\": \"3\""),
            StatusCode::UNAUTHORIZED,
        ),
        (
            BOUNCE.replace(
                "sns.us-east-1.amazonaws.com/S",
                "sns.us-east-1.amazonaws.com.example.org/S",
            ),
            StatusCode::FORBIDDEN,
        ),
        (BOUNCE.replace(":mail", ":other"), StatusCode::FORBIDDEN),
        ("{".to_owned(), StatusCode::BAD_REQUEST),
        ("x".repeat(2 << 20), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(
            post(&clinic, "ses", &[], &body).await,
            status,
            "{}",
            &body[..body.len().min(80)]
        );
    }
    assert!(stored(&clinic).await.is_empty());
    assert!(
        documents.asked().iter().all(|url| url == CERTIFICATE_URL),
        "{:?}",
        documents.asked()
    );
}

#[tokio::test]
async fn a_topic_is_confirmed_only_at_an_address_of_sns() {
    let (clinic, documents) = clinic(with_ses()).await;
    assert_eq!(post(&clinic, "ses", &[], CONFIRM).await, StatusCode::OK);
    assert!(documents.asked().contains(&CONFIRM_URL.to_owned()));
    assert_eq!(
        post(&clinic, "ses", &[], CONFIRM_ELSEWHERE).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(documents.asked().len(), 2, "the certificate and the confirmation");
    assert!(stored(&clinic).await.is_empty());
}

#[tokio::test]
async fn events_that_sendgrid_signed_of_late_are_taken_each_once() {
    let signer = Signer::new();
    let hooks = HookSettings {
        sendgrid_key: Some(signer.public()),
        ..HookSettings::default()
    };
    let (clinic, _) = clinic(hooks).await;
    let sent = clinic
        .messages()
        .await
        .into_iter()
        .find(|row| row.kind == MessageKind::Nurture)
        .unwrap();
    let event = |id: &str, kind: &str| {
        json!({ "email": "pat@example.org", "event": kind, "type": "bounce", "status": "5.1.1",
        "sg_event_id": id, "smtp-id": format!("<{}>", sent.rfc_message_id), "new_field": [1] })
    };
    let body = json!([event("a", "bounce"), event("b", "open"), event("a", "bounce")]).to_string();
    let now = clinic.now().timestamp().to_string();
    let headers = |signature: &str, timestamp: &str| {
        [
            ("X-Twilio-Email-Event-Webhook-Signature", signature.to_owned()),
            ("X-Twilio-Email-Event-Webhook-Timestamp", timestamp.to_owned()),
        ]
    };
    let send = async |signature: String, timestamp: &str, body: &str| {
        let headers = headers(&signature, timestamp);
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        post(&clinic, "sendgrid", &headers, body).await
    };
    assert_eq!(
        post(&clinic, "sendgrid", &[], &body).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        send(signer.sign(&now, "[]"), &now, &body).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        send(Signer::new().sign(&now, &body), &now, &body).await,
        StatusCode::UNAUTHORIZED
    );
    let old = (clinic.now().timestamp() - 3_600).to_string();
    assert_eq!(
        send(signer.sign(&old, &body), &old, &body).await,
        StatusCode::FORBIDDEN,
        "a replay"
    );
    assert!(stored(&clinic).await.is_empty());
    assert_eq!(send(signer.sign(&now, &body), &now, &body).await, StatusCode::OK);
    let again = json!([event("b", "open"), event("a", "bounce")]).to_string();
    assert_eq!(
        send(signer.sign(&now, &again), &now, &again).await,
        StatusCode::OK
    );
    assert_eq!(stored(&clinic).await.len(), 2);
    clinic.drain().await;
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::HardBounce]);
}

#[tokio::test]
async fn postmark_is_known_by_its_secret_in_either_place() {
    let hooks = HookSettings {
        postmark_secret: Some("s3cret".to_owned()),
        ..HookSettings::default()
    };
    let (clinic, _) = clinic(hooks).await;
    let body = json!({ "RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "TypeCode": 1, "Email": "pat@example.org",
        "MessageID": "883953f4", "Details": "smtp;550 5.1.1 unknown", "Unknown": {} }).to_string();
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    for wrong in [
        vec![],
        vec![("Authorization", basic("x:secret"))],
        vec![("X-Webhook-Secret", "S3cret".to_owned())],
    ] {
        let headers: Vec<(&str, &str)> = wrong
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            post(&clinic, "postmark", &headers, &body).await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert!(stored(&clinic).await.is_empty());
    assert_eq!(
        post(
            &clinic,
            "postmark",
            &[("Authorization", &basic("any:s3cret"))],
            &body
        )
        .await,
        StatusCode::OK
    );
    assert_eq!(
        post(&clinic, "postmark", &[("X-Webhook-Secret", "s3cret")], &body).await,
        StatusCode::OK
    );
    assert_eq!(stored(&clinic).await.len(), 1, "the same notice");
    clinic.drain().await;
    assert_eq!(suppressed(&clinic).await, [SuppressionReason::HardBounce]);
}
