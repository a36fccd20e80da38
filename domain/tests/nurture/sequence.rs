//! Sequences published, paused, entered and left.

use chrono::TimeDelta;
use domain::error::{Code, Error};
use domain::lead::stage::{Close, close};
use domain::sequence::{self, Advanced, EnrollLead, PauseSequence, UnenrollLead};
use domain::viewer::Viewer;
use entity::enrollment::{EnrollmentState, ExitReason};
use entity::enums::{Disposition, Purpose};
use entity::message::{GateReason, MessageState};
use entity::sequence_version;
use entity::sequence_version::Action;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::stand::{BOSS, code, mail, plan, step, wait};

story!(a_closed_lead_leaves_every_sequence_and_its_mail_stays_here, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    s.advance().await;
    let input = Close {
        lead_id: lead.id,
        disposition: Disposition::NotInterested,
        note: None,
        version: None,
    };
    let _ = close(&s.h, &BOSS, input).await.unwrap();
    let left = &s.enrollments(&lead).await[0];
    assert_eq!(
        (left.state, left.exit_reason),
        (EnrollmentState::Exited, Some(ExitReason::Closed))
    );
    let mail = &s.mails(&lead).await[0];
    assert_eq!(mail.state, MessageState::Withheld);
    assert_eq!(
        mail.decision.clone().unwrap().reasons[0].code,
        GateReason::LeadLeft
    );
    s.clock.advance(TimeDelta::hours(2));
    assert_eq!(s.advance().await, Advanced::default());
});

story!(
    a_published_version_never_changes_and_enrollments_stay_on_theirs,
    s,
    {
        let id = s
            .publish("tips", Purpose::Marketing, vec![wait("hour", 3600), mail("old")])
            .await;
        let before = s.lead("doe").await;
        assert_eq!(code(s.publish_steps(id, None).await), Code::NotAllowedNow);
        assert_eq!(
            code(
                s.publish_steps(id, Some(vec![step("x", Action::Wait { secs: 0 })]))
                    .await
            ),
            Code::Invalid
        );
        s.publish_steps(id, Some(vec![wait("hour", 3600), mail("new")]))
            .await
            .unwrap();
        let after = s.lead("roe").await;
        s.advance().await;
        s.clock.advance(TimeDelta::hours(1));
        s.advance().await;
        assert_eq!(s.mails(&before).await[0].step_key.as_deref(), Some("old"));
        assert_eq!(s.mails(&after).await[0].step_key.as_deref(), Some("new"));
        let versions = sequence_version::Entity::find()
            .filter(sequence_version::Column::SequenceId.eq(id))
            .order_by_asc(sequence_version::Column::Number)
            .all(&s.h.db)
            .await
            .unwrap();
        assert_eq!(versions.iter().map(|v| v.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(versions[0].steps.0[1].key, "old");
    }
);

story!(a_paused_sequence_holds_everybody_in_place_and_takes_nobody, s, {
    let id = s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    let pause = |resume| {
        sequence::pause(
            &s.h,
            &BOSS,
            PauseSequence {
                sequence_id: id,
                resume,
            },
        )
    };
    let _ = pause(false).await.unwrap();
    let late = s.lead("roe").await;
    assert!(s.enrollments(&late).await.is_empty());
    assert_eq!(
        s.advance().await,
        Advanced {
            looked_at: 1,
            moved: 0,
            full: false
        }
    );
    assert!(s.mails(&lead).await.is_empty());
    let _ = pause(true).await.unwrap();
    s.clock.advance(sequence::advance::RECHECK);
    assert_eq!(s.advance().await.moved, 1);
    assert_eq!(s.mails(&lead).await.len(), 1);
});

story!(a_lead_is_enrolled_and_taken_out_by_hand, s, {
    let id = s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    let input = EnrollLead {
        lead_id: lead.id,
        sequence_id: id,
    };
    assert_eq!(
        code(sequence::enroll(&s.h, &BOSS, input).await),
        Code::AlreadyExists
    );
    s.advance().await;
    let first = UnenrollLead {
        enrollment_id: s.enrollments(&lead).await[0].id,
    };
    let out = sequence::unenroll(&s.h, &BOSS, first).await.unwrap().value;
    assert_eq!(out.exit_reason, Some(ExitReason::Unenrolled));
    assert_eq!(s.mails(&lead).await[0].state, MessageState::Withheld);
    assert_eq!(
        code(sequence::unenroll(&s.h, &BOSS, first).await),
        Code::NotAllowedNow
    );
    let again = sequence::enroll(&s.h, &BOSS, input).await.unwrap();
    assert_eq!(
        (again.value.state, again.signals.len()),
        (EnrollmentState::Active, 1)
    );
    let stranger = Viewer::Public;
    assert!(matches!(
        sequence::enroll(&s.h, &stranger, input).await,
        Err(Error::Missing { .. })
    ));
});
