use entity::id::{ContactId, MessageId};
use entity::message::{self, Lane, MessageState};
use sea_orm::PaginatorTrait;

use super::*;
use crate::ground::Ground;

fn input(address: &str, reason: SuppressionReason) -> SuppressAddress {
    SuppressAddress {
        medium: Medium::Email,
        address: address.to_owned(),
        reason,
    }
}

async fn contact(ground: &Ground, email: &str) -> ContactId {
    let now = ground.h.now();
    let row = contact::Model {
        id: new_id(now),
        kind: contact::ContactKind::Person,
        given_name: "Pat".to_owned(),
        family_name: "Doe".to_owned(),
        organization: None,
        email: Some(email.to_owned()),
        email_normalized: Some(EmailAddress::parse(email).unwrap().normalized()),
        phone: None,
        language: "en".to_owned(),
        time_zone: None,
        postal_code: None,
        merged_into_id: None,
        link_generation: 0,
        erased_at: None,
        region: None,
        created_at: now,
        updated_at: now,
    };
    row.into_active_model().insert(&ground.h.db).await.unwrap().id
}

async fn mail(ground: &Ground, contact_id: ContactId, kind: MessageKind, purpose: Purpose) -> MessageId {
    let now = ground.h.now();
    let id: MessageId = new_id(now);
    let row = message::Model {
        id,
        kind,
        lane: Lane::Bulk,
        purpose,
        origin_key: Some(id.to_string()),
        lead_id: None,
        contact_id: Some(contact_id),
        staff_id: None,
        follow_up_id: None,
        enrollment_id: None,
        step_key: None,
        occurrence: None,
        sequence_id: None,
        mailing_id: None,
        campaign_id: None,
        template_version_id: None,
        language: None,
        subject: "Hello".to_owned(),
        rfc_message_id: format!("{id}@mail.example.org"),
        state: MessageState::Planned,
        due_at: now,
        expires_at: now + chrono::TimeDelta::days(14),
        attempts: 0,
        fence: 0,
        lease_until: None,
        decision: None,
        consent_event_id: None,
        response: None,
        route: None,
        created_at: now,
        handed_off_at: None,
        sent_at: None,
        paced_on: None,
        settled_at: None,
    };
    message::Entity::insert(row.into_active_model())
        .exec_without_returning(&ground.h.db)
        .await
        .unwrap();
    id
}

async fn state(ground: &Ground, id: MessageId) -> MessageState {
    message::Entity::find_by_id(id)
        .one(&ground.h.db)
        .await
        .unwrap()
        .unwrap()
        .state
}

#[tokio::test]
async fn a_complaint_stops_promotion_and_a_do_not_contact_stops_everything() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let (pat, ann) = (
        contact(&ground, "Pat@Example.org").await,
        contact(&ground, "ann@example.org").await,
    );
    let promotion = mail(&ground, pat, MessageKind::Nurture, Purpose::Marketing).await;
    let reminder = mail(&ground, pat, MessageKind::Nurture, Purpose::Reminder).await;
    let reply = mail(&ground, pat, MessageKind::Confirmation, Purpose::CareCoordination).await;
    let other = mail(&ground, ann, MessageKind::Nurture, Purpose::Marketing).await;
    let admin = ground.admin();
    _ = suppress(
        &ground.h,
        &admin,
        input("pat@example.org", SuppressionReason::Complaint),
    )
    .await
    .unwrap();
    assert_eq!(state(&ground, promotion).await, MessageState::Withheld);
    assert_eq!(state(&ground, reminder).await, MessageState::Planned);
    assert_eq!(state(&ground, reply).await, MessageState::Planned);
    _ = suppress(
        &ground.h,
        &admin,
        input("PAT@example.org", SuppressionReason::DoNotContact),
    )
    .await
    .unwrap();
    assert_eq!(state(&ground, reminder).await, MessageState::Withheld);
    assert_eq!(state(&ground, reply).await, MessageState::Withheld);
    assert_eq!(state(&ground, other).await, MessageState::Planned);
}

#[tokio::test]
async fn the_stronger_reason_stays_and_the_address_is_not_kept() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let mut seen = Vec::new();
    for reason in [
        SuppressionReason::HardBounce,
        SuppressionReason::DoNotContact,
        SuppressionReason::Complaint,
    ] {
        let row = suppress(&ground.h, &admin, input("pat@example.org", reason))
            .await
            .unwrap()
            .value;
        assert_eq!(
            row.address_hash,
            ground.h.secrets.address_hash("EMAIL", "pat@example.org")
        );
        seen.push(row.reason);
    }
    let strongest = SuppressionReason::DoNotContact;
    assert_eq!(seen, [SuppressionReason::HardBounce, strongest, strongest]);
    assert_eq!(Entity::find().count(&ground.h.db).await.unwrap(), 1);
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_nothing_stored() {
    let ground = Ground::at("2026-11-23T14:00:00Z").await;
    let admin = ground.admin();
    let wrong = suppress(&ground.h, &admin, input("pat", SuppressionReason::Complaint)).await;
    assert!(matches!(wrong, Err(Error::Refused(refusals)) if refusals[0].field == ["address"]));
    let post = SuppressAddress {
        medium: Medium::Post,
        ..input("1 Main St", SuppressionReason::DoNotContact)
    };
    assert!(
        matches!(suppress(&ground.h, &admin, post).await, Err(Error::Refused(refusals)) if refusals[0].field == ["medium"])
    );
    let public = suppress(
        &ground.h,
        &Viewer::Public,
        input("pat@example.org", SuppressionReason::Complaint),
    )
    .await;
    assert!(matches!(public, Err(Error::Missing { .. })));
    assert_eq!(Entity::find().count(&ground.h.db).await.unwrap(), 0);
}
