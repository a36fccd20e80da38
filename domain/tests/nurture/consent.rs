//! Consent given, written down and taken back.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use domain::consent::{
    self, Method, RecordConsent, Standing, WithdrawConsent, WordingRef, look_up, unsubscribe, withdraw,
};
use domain::db;
use domain::error::Error;
use domain::id::new_id;
use domain::link::Secrets;
use domain::outreach::claim::claim;
use domain::viewer::Viewer;
use entity::consent_event::{ConsentAction, ConsentLevel};
use entity::enrollment::{EnrollmentState, ExitReason};
use entity::enums::{Medium, Purpose};
use entity::message::{GateOutcome, GateReason, Lane, MessageState};
use entity::sequence_version::Action;
use entity::{consent_event, message};
use futures_util::poll;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    IntoActiveModel, QueryFilter,
};

use crate::stand::{BOSS, Stand, plan, step, wait};

story!(
    a_withdrawal_stops_planned_and_claimed_mail_of_its_purpose_at_once,
    s,
    {
        s.publish("tips", Purpose::Marketing, plan()).await;
        let help = step(
            "help",
            Action::SendEmail {
                template: "help".to_owned(),
            },
        );
        s.publish("help", Purpose::CareCoordination, vec![help, wait("day", 86_400)])
            .await;
        let lead = s.lead("doe").await;
        let other = s.lead("roe").await;
        s.advance().await;
        let marketing = s
            .mails(&lead)
            .await
            .into_iter()
            .find(|m| m.purpose == Purpose::Marketing)
            .unwrap();
        message::Entity::update_many()
            .col_expr(message::Column::State, Expr::value(MessageState::Claimed))
            .col_expr(message::Column::LeaseUntil, Expr::value(s.clock.now()))
            .col_expr(message::Column::Fence, Expr::value(4_i64))
            .filter(message::Column::Id.eq(marketing.id))
            .exec(&s.h.db)
            .await
            .unwrap();

        let input = WithdrawConsent {
            contact_id: lead.contact_id,
            medium: None,
            purpose: Some(Purpose::Marketing),
            reason: Some("said so on the phone".to_owned()),
        };
        let done = withdraw(&s.h, &BOSS, input).await.unwrap();
        assert_eq!(
            (done.value.messages_withheld, done.value.enrollments_ended),
            (1, 1)
        );
        assert_eq!(
            (done.value.events.len(), done.signals.len()),
            (Medium::ALL.len(), 1)
        );

        let mails: HashMap<_, _> = s.mails(&lead).await.into_iter().map(|m| (m.purpose, m)).collect();
        let withheld = &mails[&Purpose::Marketing];
        assert_eq!(
            (withheld.state, withheld.fence, withheld.lease_until),
            (MessageState::Withheld, 5, None)
        );
        assert_eq!(withheld.settled_at, Some(s.clock.now()));
        let decision = withheld.decision.clone().unwrap();
        assert_eq!(
            (decision.outcome, decision.reasons[0].code),
            (GateOutcome::Withhold, GateReason::ConsentWithdrawn)
        );
        let by_mail = done
            .value
            .events
            .iter()
            .find(|event| event.medium == Medium::Email)
            .unwrap();
        assert_eq!(decision.consent_event_id, Some(by_mail.id));
        assert_eq!(mails[&Purpose::CareCoordination].state, MessageState::Planned);
        let reasons: Vec<_> = s
            .enrollments(&lead)
            .await
            .iter()
            .map(|e| (e.state, e.exit_reason))
            .collect();
        assert!(reasons.contains(&(EnrollmentState::Exited, Some(ExitReason::Withdrawn))));
        assert!(reasons.contains(&(EnrollmentState::Active, None)));
        assert!(
            s.mails(&other)
                .await
                .iter()
                .all(|m| m.state == MessageState::Planned),
            "another contact is not touched"
        );
        assert!(matches!(
            s.standing(&lead, "doe@example.org").await,
            Standing::Withdrawn { .. }
        ));
    }
);

story!(one_click_unsubscribes_once_and_looking_never_does, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    s.advance().await;
    let token = s.h.secrets.unsubscribe_token(s.mails(&lead).await[0].id.0);
    assert!(look_up(&s.h, &token).await.unwrap().subscribed);
    assert!(s.standing(&lead, "doe@example.org").await.is_granted());

    let forged = Secrets::new([8; 32]).unsubscribe_token(s.mails(&lead).await[0].id.0);
    for wrong in [forged.as_str(), "", "x", &token[1..]] {
        let missing = unsubscribe(&s.h, wrong, Method::OneClick).await;
        assert!(matches!(missing, Err(Error::Missing { noun: "link" })));
        assert!(matches!(
            look_up(&s.h, wrong).await,
            Err(Error::Missing { noun: "link" })
        ));
    }

    s.clock.advance(TimeDelta::days(400));
    let first = unsubscribe(&s.h, &token, Method::OneClick).await.unwrap().value;
    let again = unsubscribe(&s.h, &token, Method::UnsubscribePage)
        .await
        .unwrap()
        .value;
    assert_eq!(
        (first.already, again.already, first.purpose),
        (false, true, Purpose::Marketing)
    );
    assert!(!look_up(&s.h, &token).await.unwrap().subscribed);
    let withdrawals = consent_event::Entity::find()
        .filter(consent_event::Column::Action.eq(ConsentAction::Withdraw))
        .all(&s.h.db)
        .await
        .unwrap();
    assert_eq!(withdrawals.len(), 1);
    assert_eq!(withdrawals[0].source.message_id, Some(s.mails(&lead).await[0].id));
    assert_eq!(s.mails(&lead).await[0].state, MessageState::Withheld);
});

story!(a_click_that_waited_for_another_one_writes_nothing_more, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    s.advance().await;
    let token = s.h.secrets.unsubscribe_token(s.mails(&lead).await[0].id.0);
    let said = said_before(s).await;
    let first = alone_with_contacts(s).await;
    let mut second = Box::pin(unsubscribe(&s.h, &token, Method::OneClick));
    assert!(poll!(second.as_mut()).is_pending(), "it waits for the first");
    s.clock.advance(TimeDelta::seconds(1));
    withdrawn(said, s.clock.now()).insert(&first).await.unwrap();
    first.commit().await.unwrap();
    assert!(second.await.unwrap().value.already);
});

story!(a_claim_that_waited_for_a_withdrawal_sees_it, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    s.advance().await;
    let said = said_before(s).await;
    let first = alone_with_contacts(s).await;
    let mut claimed = Box::pin(claim(&s.h, Lane::Bulk, 10, 60));
    assert!(
        poll!(claimed.as_mut()).is_pending(),
        "it waits for the withdrawal"
    );
    s.clock.advance(TimeDelta::seconds(1));
    withdrawn(said, s.clock.now()).insert(&first).await.unwrap();
    first.commit().await.unwrap();
    let claimed = claimed.await.unwrap();
    assert_eq!((claimed.sendables.len(), claimed.withheld), (0, 1));
    assert_eq!(s.mails(&lead).await[0].state, MessageState::Withheld);
});

/// A transaction that lets nobody else look at contacts until it ends. SQLite has one writer at a time anyway; on
/// PostgreSQL one poll may get past several statements, if the server is quick.
async fn alone_with_contacts(s: &Stand) -> DatabaseTransaction {
    let tx = db::begin_write(&s.h.db).await.unwrap();
    if tx.get_database_backend() == DbBackend::Postgres {
        let alone = "LOCK TABLE contact IN ACCESS EXCLUSIVE MODE";
        tx.execute_unprepared(alone).await.unwrap();
    }
    tx
}

/// The only thing that was said about consent.
async fn said_before(s: &Stand) -> consent_event::Model {
    consent_event::Entity::find().one(&s.h.db).await.unwrap().unwrap()
}

/// The same person takes back what was said.
fn withdrawn(said: consent_event::Model, now: DateTime<Utc>) -> consent_event::ActiveModel {
    let mut event = said.into_active_model();
    event.id = Set(new_id(now));
    event.action = Set(ConsentAction::Withdraw);
    event.level = Set(ConsentLevel::None);
    (event.occurred_at, event.recorded_at) = (Set(now), Set(now));
    event
}

story!(a_consent_is_written_down_with_what_proves_it, s, {
    let lead = s.lead("doe").await;
    let input = RecordConsent {
        contact_id: lead.contact_id,
        medium: Medium::Email,
        address: Some("Other@Example.org".to_owned()),
        purpose: Purpose::Marketing,
        wording: Some(WordingRef::Key("email-marketing".to_owned())),
        granted: true,
        occurred_at: Some(s.clock.now() - TimeDelta::days(1)),
        expires_at: None,
        evidence: None,
    };
    let event = consent::record(&s.h, &BOSS, input.clone()).await.unwrap().value;
    assert_eq!(
        (event.wording_id, event.address.as_deref()),
        (Some(s.wording), Some("other@example.org"))
    );
    assert!(s.standing(&lead, "other@example.org").await.is_granted());

    let refused = async |change: fn(&mut RecordConsent)| {
        let mut input = input.clone();
        change(&mut input);
        match consent::record(&s.h, &BOSS, input).await {
            Err(Error::Refused(refusals)) => refusals.iter().map(|r| r.field.join(".")).collect::<Vec<_>>(),
            other => panic!("a refusal was expected: {other:?}"),
        }
    };
    assert_eq!(
        refused(|i| i.occurred_at = i.occurred_at.map(|at| at + TimeDelta::days(2))).await,
        ["occurredAt"]
    );
    assert_eq!(refused(|i| i.wording = None).await, ["wordingId"]);
    assert_eq!(
        refused(|i| i.wording = Some(WordingRef::Key("x".to_owned()))).await,
        ["wordingKey"]
    );
    assert_eq!(refused(|i| i.purpose = Purpose::Research).await, ["wordingKey"]);
    assert_eq!(
        refused(|i| i.address = Some("nobody".to_owned())).await,
        ["address"]
    );
    assert_eq!(
        refused(|i| i.evidence = Some("x".repeat(501))).await,
        ["evidence"]
    );
    let phone = refused(|i| (i.medium, i.address) = (Medium::Phone, None)).await;
    assert_eq!(
        phone,
        ["address", "wordingKey"],
        "all that is wrong is said at once"
    );
    assert_eq!(
        refused(|i| i.evidence = Some("said\u{0}so".to_owned())).await,
        ["evidence"]
    );
    let never = |i: &mut RecordConsent| i.occurred_at = Some("0001-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(refused(never).await, ["occurredAt"]);
    let by_paper = |i: &mut RecordConsent| {
        (i.medium, i.address, i.wording) = (Medium::Post, None, None);
        (i.purpose, i.evidence) = (Purpose::Tracking, Some("said so".to_owned()));
    };
    assert_eq!(
        refused(by_paper).await,
        ["medium"],
        "links are opened in mails alone"
    );
    assert!(matches!(
        consent::record(&s.h, &Viewer::Public, input.clone()).await,
        Err(Error::Missing { noun: "contact" })
    ));
});
