//! The engine that moves enrollments.

use std::collections::HashSet;

use chrono::TimeDelta;
use domain::clock::Clock;
use domain::playbook;
use domain::sequence::{self, Advanced, advance_due};
use entity::enrollment::{EnrollmentState, ExitReason};
use entity::enums::Purpose;
use entity::message::MessageState;
use entity::message_event::MessageEventKind;
use entity::{enrollment, follow_up, lead, message, message_event, template};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};

use crate::stand::plan;

story!(a_lead_walks_through_its_sequence_and_each_step_is_done_once, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let lead = s.lead("doe").await;
    assert_eq!(
        s.advance().await,
        Advanced {
            looked_at: 1,
            moved: 1,
            full: false
        }
    );
    assert_eq!(
        s.advance().await,
        Advanced::default(),
        "nothing is due while it waits"
    );
    let mails = s.mails(&lead).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].state, mails[0].due_at),
        (MessageState::Planned, s.clock.now())
    );
    assert!(mails[0].rfc_message_id.ends_with("@mail.example.org"));

    s.clock.advance(TimeDelta::hours(1));
    assert_eq!(s.advance().await.moved, 1);
    assert_eq!(s.mails(&lead).await.len(), 2);
    let calls = follow_up::Entity::find()
        .filter(follow_up::Column::EnrollmentId.is_not_null())
        .all(&s.h.db)
        .await
        .unwrap();
    assert_eq!(calls.len(), 1);
    let ended = &s.enrollments(&lead).await[0];
    assert_eq!(
        (ended.state, ended.exit_reason),
        (EnrollmentState::Completed, None)
    );
    assert_eq!(ended.ended_at, Some(s.clock.now()));
    let planned = message_event::Entity::find()
        .filter(message_event::Column::Kind.eq(MessageEventKind::Planned))
        .filter(message_event::Column::MessageId.is_in(s.mails(&lead).await.iter().map(|m| m.id)))
        .count(&s.h.db)
        .await
        .unwrap();
    assert_eq!(planned, 2);
});

story!(
    many_workers_move_many_enrollments_and_nobody_is_skipped_or_doubled,
    s,
    {
        s.publish("tips", Purpose::Marketing, plan()).await;
        for number in 0..40 {
            s.lead(&format!("doe{number}x")).await;
        }
        for _ in 0..2 {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    let h = s.h.clone();
                    tokio::spawn(
                        async move { while advance_due(&h, 7).await.unwrap().value.looked_at > 0 {} },
                    )
                })
                .collect();
            for worker in workers {
                worker.await.unwrap();
            }
            // A worker may have seen nothing because others held the rest; the next sweep finds it.
            while s.advance().await.looked_at > 0 {}
            s.clock.advance(TimeDelta::hours(1));
        }
        let mails = message::Entity::find()
            .filter(message::Column::EnrollmentId.is_not_null())
            .all(&s.h.db)
            .await
            .unwrap();
        let visits: HashSet<_> = mails
            .iter()
            .map(|m| (m.enrollment_id, m.step_key.clone()))
            .collect();
        assert_eq!((mails.len(), visits.len()), (80, 80));
        let active = enrollment::Entity::find().filter(enrollment::Column::State.eq(EnrollmentState::Active));
        assert_eq!(active.count(&s.h.db).await.unwrap(), 0);
    }
);

story!(what_cannot_be_moved_leaves_as_broken_and_holds_nobody_up, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let [broken, faulty, sound] = [s.lead("doe").await, s.lead("roe").await, s.lead("poe").await];
    let set_step = async |lead: &lead::Model, key: &str| {
        let row = s.enrollments(lead).await.remove(0);
        let mut row = row.into_active_model();
        row.step_key = Set(key.to_owned());
        row.update(&s.h.db).await.unwrap();
    };
    set_step(&broken, "gone").await;
    assert_eq!(s.advance().await.looked_at, 3);
    let row = &s.enrollments(&broken).await[0];
    assert_eq!(
        (row.state, row.exit_reason),
        (EnrollmentState::Exited, Some(ExitReason::Broken))
    );
    assert_eq!(
        (s.mails(&faulty).await.len(), s.mails(&sound).await.len()),
        (1, 1)
    );

    // A template that is gone: tried again, later each time, and given up in the end.
    template::Entity::update_many()
        .col_expr(template::Column::Key, Expr::value("renamed"))
        .filter(template::Column::Key.eq("hello"))
        .exec(&s.h.db)
        .await
        .unwrap();
    playbook::changed(&s.h.db).await.unwrap();
    s.clock.advance(TimeDelta::hours(1));
    for faults in 1..sequence::advance::MAX_FAULTS {
        s.advance().await;
        let row = &s.enrollments(&faulty).await[0];
        assert_eq!((row.state, row.fault_count), (EnrollmentState::Active, faults));
        assert!(row.due_at > s.clock.now());
        s.clock.set(row.due_at);
    }
    s.advance().await;
    assert_eq!(
        s.enrollments(&faulty).await[0].exit_reason,
        Some(ExitReason::Broken)
    );
});

story!(one_row_that_cannot_be_read_holds_nobody_else_up, s, {
    s.publish("tips", Purpose::Marketing, plan()).await;
    let [unreadable, sound] = [s.lead("doe").await, s.lead("roe").await];
    lead::Entity::update_many()
        .col_expr(
            lead::Column::Answers,
            Expr::value(serde_json::json!("not answers")),
        )
        .filter(lead::Column::Id.eq(unreadable.id))
        .exec(&s.h.db)
        .await
        .unwrap();
    for faults in 1..sequence::advance::MAX_FAULTS {
        s.advance().await;
        let row = &s.enrollments(&unreadable).await[0];
        assert_eq!((row.state, row.fault_count), (EnrollmentState::Active, faults));
        s.clock.set(row.due_at);
    }
    s.advance().await;
    assert_eq!(
        s.enrollments(&unreadable).await[0].exit_reason,
        Some(ExitReason::Broken)
    );
    assert_eq!(s.mails(&sound).await.len(), 1);
});
