//! The desk, from the first call to the visit, on SQLite and, with `TEST_DATABASE_URL`, on PostgreSQL.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say so at once"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use domain::clock::{Clock, FixedClock};
use domain::contact::email::EmailAddress;
use domain::db::{self, Pool};
use domain::done::Done;
use domain::error::{Code, Error};
use domain::follow_up::{self, AssignFollowUp, Complete, Snooze};
use domain::hospital::{Hospital, Site};
use domain::id::new_id;
use domain::lead::assign::{Assign, assign};
use domain::lead::attempt::{LogAttempt, Logged, log};
use domain::lead::inquiry::Draft;
use domain::lead::stage::{
    Close, CompleteVisit, Qualify, Reopen, ScheduleAppointment, close, complete_visit, qualify, reopen,
    schedule,
};
use domain::lead::update::{UpdateContact, UpdateLead, update};
use domain::lead::{self, receive};
use domain::link::Secrets;
use domain::patch::Patch;
use domain::playbook::Playbooks;
use domain::sla::sweep::mark_missed;
use domain::viewer::{Actor, Viewer};
use entity::appointment::AppointmentState;
use entity::business_calendar::hours::WeeklyHours;
use entity::condition::Condition;
use entity::enums::{AttemptOutcome, Disposition, LeadStage, LeadType, Medium, Role};
use entity::follow_up::FollowUpState;
use entity::id::{LeadId, ServiceLineId, StaffId, TeamId};
use entity::lead_event::LeadEventKind;
use entity::message::MessageKind;
use entity::routing_rule::{AddedFlags, PersonStrategy};
use entity::{
    appointment, business_calendar, facility, lead_event, message, routing_rule, service_line, sla_policy,
    staff, team, team_member,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder,
};
use uuid::Uuid;

/// A Monday, 9 in the morning in New York.
fn monday_nine() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 14, 0, 0).unwrap()
}

struct Stand {
    h: Hospital,
    clock: FixedClock,
    team: TeamId,
    other_team: TeamId,
    ann: StaffId,
    ben: StaffId,
    line: ServiceLineId,
    /// The server's address and the database to drop there.
    made: Option<(String, String)>,
}

impl Stand {
    async fn on_sqlite() -> Self {
        let pool = Pool {
            max_connections: 1,
            ..Pool::default()
        };
        Self::on(db::connect("sqlite::memory:", &pool).await.unwrap(), None).await
    }

    /// A database of its own on the server of `TEST_DATABASE_URL`, if that is set.
    async fn on_postgres() -> Option<Self> {
        let server = std::env::var("TEST_DATABASE_URL")
            .ok()
            .filter(|url| url.starts_with("postgres"))?;
        let admin = db::connect(&server, &Pool::default()).await.unwrap();
        let id: LeadId = new_id(monday_nine() + TimeDelta::milliseconds(i64::from(std::process::id())));
        let name = format!("desk_{}", id.0.simple());
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let (before_query, query) = server
            .split_once('?')
            .map_or((server.as_str(), None), |(a, b)| (a, Some(b)));
        let (base, _) = before_query.rsplit_once('/').unwrap();
        let url = format!(
            "{base}/{name}{}",
            query.map(|query| format!("?{query}")).unwrap_or_default()
        );
        let db = db::connect(&url, &Pool::default()).await.unwrap();
        Some(Self::on(db, Some((server, name))).await)
    }

    async fn on(db: DatabaseConnection, made: Option<(String, String)>) -> Self {
        Migrator::up(&db, None).await.unwrap();
        let clock = FixedClock::at(monday_nine());
        let h = Hospital {
            db,
            clock: Arc::new(clock.clone()),
            secrets: Arc::new(Secrets::new([7; 32])),
            site: Arc::new(Site {
                public_url: "https://leads.example.org".to_owned(),
                mail_from: "Example Hospital <care@mail.example.org>".to_owned(),
                postal_address: "1 Main St, Columbus, OH 43215".to_owned(),
                name: "Example Hospital".to_owned(),
            }),
            playbooks: Arc::new(Playbooks::new(Duration::ZERO)),
        };
        let now = clock.now();
        let [team, other_team] = [new_id(now), new_id(now)];
        let [ann, ben] = [new_id(now), new_id(now)];
        let stand = Self {
            h,
            clock,
            team,
            other_team,
            ann,
            ben,
            line: new_id(now),
            made,
        };
        stand.fill(now).await;
        stand
    }

    async fn fill(&self, now: DateTime<Utc>) {
        let db = &self.h.db;
        let place = facility::Model {
            id: new_id(now),
            slug: "riverside".to_owned(),
            name: "Riverside".to_owned(),
            address_line: "1 Main St".to_owned(),
            city: "Columbus".to_owned(),
            region: "OH".to_owned(),
            postal_code: "43215".to_owned(),
            country: "US".to_owned(),
            time_zone: "America/New_York".to_owned(),
            phone: None,
            created_at: now,
        };
        place.clone().into_active_model().insert(db).await.unwrap();
        let weekly: WeeklyHours = serde_json::from_value(serde_json::json!({
            "monday": ["08:00-17:00"], "tuesday": ["08:00-17:00"], "wednesday": ["08:00-17:00"],
        }))
        .unwrap();
        let hours = business_calendar::Model {
            id: new_id(now),
            facility_id: place.id,
            hours: weekly.into(),
            created_at: now,
        };
        hours.into_active_model().insert(db).await.unwrap();
        // The house needs one review team; a fresh database may have it already.
        let review = team::Entity::find()
            .filter(team::Column::IsReview.eq(true))
            .one(db)
            .await
            .unwrap();
        for (id, slug) in [(self.team, "sleep"), (self.other_team, "imaging")] {
            let team = team::Model {
                id,
                slug: slug.to_owned(),
                name: slug.to_owned(),
                facility_id: Some(place.id),
                department_id: None,
                lead_id: None,
                is_review: id == self.other_team && review.is_none(),
                created_at: now,
            };
            team.into_active_model().insert(db).await.unwrap();
        }
        for (id, name, team_id) in [(self.ann, "ann", self.team), (self.ben, "ben", self.other_team)] {
            let person = staff::Model {
                id,
                email: format!("{name}@example.org"),
                display_name: name.to_owned(),
                role: Role::IntakeCoordinator,
                time_zone: "America/New_York".to_owned(),
                password_hash: None,
                max_open: None,
                active: true,
                created_at: now,
            };
            person.into_active_model().insert(db).await.unwrap();
            team_member::Model {
                team_id,
                staff_id: id,
            }
            .into_active_model()
            .insert(db)
            .await
            .unwrap();
        }
        let line = service_line::Model {
            id: self.line,
            slug: "sleep".to_owned(),
            name: "Sleep medicine".to_owned(),
            direct_scheduling: false,
            referral_required: true,
            order_required: false,
            triage_required: false,
            direct_procedures: service_line::Procedures::default(),
            mails_per_visit: service_line::MAILS_PER_VISIT,
            pacing_weeks: service_line::PACING_WEEKS,
            max_wait_days: None,
            min_open_slots: None,
            active: true,
            created_at: now,
        };
        line.into_active_model().insert(db).await.unwrap();
        let policy = sla_policy::Model {
            id: new_id(now),
            name: "Standard".to_owned(),
            position: 1,
            condition: Condition::default(),
            first_attempt_mins: 60,
            target_mins: None,
            warn_owner_mins: None,
            tell_lead_mins: None,
            take_back_mins: None,
            attempts_wanted: 2,
            spacing_mins: 120,
            remind_before_mins: 15,
            retired_at: None,
            created_at: now,
        };
        policy.into_active_model().insert(db).await.unwrap();
        let rule = routing_rule::Model {
            id: new_id(now),
            name: "All to sleep".to_owned(),
            position: 1,
            condition: Condition::default(),
            team_id: self.team,
            facility_id: Some(place.id),
            strategy: PersonStrategy::LeastOpenWork,
            owner_id: None,
            flags: AddedFlags::default(),
            urgent: false,
            active: true,
            retired_at: None,
            created_at: now,
        };
        rule.into_active_model().insert(db).await.unwrap();
    }

    /// Drops the database that was made for this stand.
    async fn end(self) {
        self.h.db.close().await.unwrap();
        if let Some((server, name)) = self.made {
            let admin = db::connect(&server, &Pool::default()).await.unwrap();
            admin
                .execute_unprepared(&format!("DROP DATABASE {name}"))
                .await
                .unwrap();
        }
    }

    async fn lead(&self) -> LeadId {
        let draft = Draft {
            lead_type: Some(LeadType::PatientAppointment),
            given_name: "Pat".to_owned(),
            family_name: "Doe".to_owned(),
            email: "pat@example.org".to_owned(),
            requested_service: "sleep".to_owned(),
            ..Draft::default()
        };
        let inquiry = draft.parse(&self.h.playbook().await.unwrap()).unwrap();
        receive::receive(&self.h, Actor::VISITOR, inquiry)
            .await
            .unwrap()
            .value
            .lead_id
    }

    fn ann(&self) -> Viewer {
        Viewer::Staff {
            id: self.ann,
            role: Role::IntakeCoordinator,
            teams: vec![self.team],
        }
    }

    fn boss(&self) -> Viewer {
        Viewer::Token {
            id: entity::id::TokenId(Uuid::from_u128(1)),
            role: Role::Admin,
        }
    }

    async fn try_reach(&self, lead_id: LeadId, outcome: AttemptOutcome) -> Logged {
        let input = LogAttempt {
            lead_id,
            medium: Medium::Phone,
            outcome,
            note: None,
            callback_at: None,
            at: None,
        };
        log(&self.h, &self.ann(), input).await.unwrap().value
    }

    async fn open_follow_ups(&self, lead_id: LeadId) -> Vec<entity::follow_up::Model> {
        entity::follow_up::Entity::find()
            .filter(entity::follow_up::Column::LeadId.eq(lead_id))
            .filter(entity::follow_up::Column::State.eq(FollowUpState::Open))
            .order_by_asc(entity::follow_up::Column::DueAt)
            .all(&self.h.db)
            .await
            .unwrap()
    }

    async fn events(&self, lead_id: LeadId) -> Vec<lead_event::Model> {
        lead_event::Entity::find()
            .filter(lead_event::Column::LeadId.eq(lead_id))
            .order_by_asc(lead_event::Column::Id)
            .all(&self.h.db)
            .await
            .unwrap()
    }

    /// The mails to staff, counted by kind and reader.
    async fn notices(&self) -> HashMap<(MessageKind, StaffId), usize> {
        let mut found = HashMap::new();
        for row in message::Entity::find().all(&self.h.db).await.unwrap() {
            if let Some(staff) = row.staff_id {
                *found.entry((row.kind, staff)).or_default() += 1;
            }
        }
        found
    }
}

/// Runs a story on every database there is.
macro_rules! story {
    ($(#[$doc:meta])* $name:ident, $stand:ident, $body:block) => {
        $(#[$doc])*
        #[tokio::test]
        async fn $name() {
            let on_postgres = Stand::on_postgres().await;
            for stand in [Some(Stand::on_sqlite().await), on_postgres].into_iter().flatten() {
                let $stand = &stand;
                async { $body }.await;
                stand.end().await;
            }
        }
    };
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Code {
    match result {
        Err(Error::Refused(refusals)) => refusals[0].code,
        other => panic!("a refusal was expected: {other:?}"),
    }
}

story!(
    an_attempt_in_vain_stops_the_clock_and_asks_for_the_next_until_somebody_decides,
    s,
    {
        let lead_id = s.lead().await;
        s.clock.advance(TimeDelta::minutes(30));
        let logged = s.try_reach(lead_id, AttemptOutcome::Voicemail).await;
        assert_eq!(logged.lead.stage, LeadStage::Contacted);
        assert_eq!(
            (
                logged.lead.first_attempt_business_secs,
                logged.lead.first_reached_at
            ),
            (Some(30 * 60), None)
        );
        assert_eq!((logged.lead.attempts_made, logged.lead.version), (1, 2));
        assert_eq!(logged.attempt.staff_id, Some(s.ann));
        let next = &s.open_follow_ups(lead_id).await[0];
        assert_eq!(
            (next.title.as_str(), next.due_at),
            ("Attempt 2 of 2", s.clock.now() + TimeDelta::hours(2))
        );

        s.clock.advance(TimeDelta::hours(2));
        s.try_reach(lead_id, AttemptOutcome::NoAnswer).await;
        let open = s.open_follow_ups(lead_id).await;
        assert_eq!(open.len(), 1, "the attempt answered the one before");
        assert_eq!(open[0].title, "Decide: close as unreachable");

        let kinds: Vec<_> = s
            .events(lead_id)
            .await
            .into_iter()
            .map(|event| event.kind)
            .collect();
        let count = |kind| kinds.iter().filter(|k| **k == kind).count();
        assert_eq!(
            (
                count(LeadEventKind::Attempted),
                count(LeadEventKind::StageChanged)
            ),
            (2, 1)
        );
    }
);

story!(a_lead_goes_from_the_first_call_to_the_visit, s, {
    let lead_id = s.lead().await;
    let (h, ann) = (&s.h, s.ann());
    let first = s.try_reach(lead_id, AttemptOutcome::Reached).await.lead;
    assert!(
        s.open_follow_ups(lead_id).await.is_empty(),
        "the coordinator decides what comes next"
    );
    let book = |version| ScheduleAppointment {
        lead_id,
        starts_at: s.clock.now() + TimeDelta::days(3),
        ends_at: None,
        facility_id: None,
        version,
    };
    assert_eq!(
        code(schedule(h, &ann, book(None)).await),
        Code::NotAllowedNow,
        "not qualified yet"
    );
    let stale = Qualify {
        lead_id,
        note: None,
        version: Some(first.version - 1),
    };
    assert_eq!(code(qualify(h, &ann, stale).await), Code::VersionConflict);
    let note = Some("Has a referral.".to_owned());
    let _: Done<entity::lead::Model> = qualify(
        h,
        &ann,
        Qualify {
            lead_id,
            note,
            version: Some(first.version),
        },
    )
    .await
    .unwrap();
    let booked = schedule(h, &ann, book(None)).await.unwrap().value;
    let moved = schedule(h, &ann, book(Some(booked.lead.version)))
        .await
        .unwrap()
        .value;
    assert_eq!(moved.lead.stage, LeadStage::AppointmentScheduled);
    let old = appointment::Entity::find_by_id(booked.appointment.id)
        .one(&h.db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(old.state, AppointmentState::Cancelled);

    s.clock.advance(TimeDelta::days(3));
    let visit = CompleteVisit {
        lead_id,
        appointment_id: None,
        at: None,
        version: None,
    };
    let done = complete_visit(h, &ann, visit).await.unwrap().value;
    assert_eq!(
        (done.stage, done.completed_at),
        (LeadStage::VisitCompleted, Some(s.clock.now()))
    );
    assert_eq!(done.qualified_at, Some(monday_nine()));
    let kept = appointment::Entity::find_by_id(moved.appointment.id)
        .one(&h.db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.state, AppointmentState::Attended);
    let arrivals: Vec<_> = s
        .events(lead_id)
        .await
        .into_iter()
        .filter(|event| event.kind == LeadEventKind::StageChanged)
        .filter_map(|event| event.to_stage)
        .collect();
    assert_eq!(
        arrivals,
        [
            LeadStage::Contacted,
            LeadStage::Qualified,
            LeadStage::AppointmentScheduled,
            LeadStage::VisitCompleted
        ]
    );
});

story!(
    a_closed_lead_has_no_open_work_and_comes_back_to_where_it_was,
    s,
    {
        let lead_id = s.lead().await;
        s.try_reach(lead_id, AttemptOutcome::Busy).await;
        let (h, ann) = (&s.h, s.ann());
        let input = |disposition| Close {
            lead_id,
            disposition,
            note: None,
            version: None,
        };
        assert_eq!(
            code(close(h, &ann, input(Disposition::Other)).await),
            Code::Required,
            "another reason is told"
        );
        let closed = close(h, &ann, input(Disposition::Unreachable))
            .await
            .unwrap()
            .value;
        assert_eq!(
            (closed.stage, closed.disposition),
            (LeadStage::Closed, Some(Disposition::Unreachable))
        );
        assert!(s.open_follow_ups(lead_id).await.is_empty());
        let again = LogAttempt {
            lead_id,
            medium: Medium::Phone,
            outcome: AttemptOutcome::Reached,
            note: None,
            callback_at: None,
            at: None,
        };
        assert_eq!(code(log(h, &ann, again).await), Code::NotAllowedNow);

        let back = reopen(
            h,
            &ann,
            Reopen {
                lead_id,
                note: None,
                version: None,
            },
        )
        .await
        .unwrap()
        .value;
        assert_eq!((back.stage, back.disposition), (LeadStage::Contacted, None));
        assert_eq!(s.open_follow_ups(lead_id).await.len(), 1);
        assert_eq!(
            code(
                reopen(
                    h,
                    &ann,
                    Reopen {
                        lead_id,
                        note: None,
                        version: None
                    }
                )
                .await
            ),
            Code::NotAllowedNow
        );
    }
);

story!(a_late_first_contact_is_marked_at_its_due_time_and_told_once, s, {
    let lead_id = s.lead().await;
    let due = s.open_follow_ups(lead_id).await[0].due_at;
    assert_eq!(due, monday_nine() + TimeDelta::hours(1));

    s.clock.set(due - TimeDelta::minutes(15));
    assert_eq!(follow_up::remind::move_up(&s.h).await.unwrap().value, 1);
    assert_eq!(follow_up::remind::move_up(&s.h).await.unwrap().value, 0);
    s.clock.set(due - TimeDelta::microseconds(1));
    assert_eq!(mark_missed(&s.h).await.unwrap().value, 0);
    assert_eq!(follow_up::remind::move_up(&s.h).await.unwrap().value, 0);
    s.clock.set(due);
    let missed = mark_missed(&s.h).await.unwrap();
    assert_eq!((missed.value, missed.signals.len()), (1, 1));
    assert_eq!(mark_missed(&s.h).await.unwrap().value, 0);
    assert_eq!(follow_up::remind::move_up(&s.h).await.unwrap().value, 1);
    assert_eq!(follow_up::remind::move_up(&s.h).await.unwrap().value, 0);

    let row = &s.open_follow_ups(lead_id).await[0];
    assert_eq!((row.rank, row.late_at, row.remind_at), (1, Some(due), None));
    let told = s.notices().await;
    for kind in [
        MessageKind::FollowUpAssigned,
        MessageKind::FollowUpDueSoon,
        MessageKind::FollowUpLate,
    ] {
        assert_eq!(told.get(&(kind, s.ann)), Some(&1), "{kind}");
    }
    // A call that was made in time and is logged now takes the miss back.
    let in_time = LogAttempt {
        lead_id,
        medium: Medium::Phone,
        outcome: AttemptOutcome::Reached,
        note: None,
        callback_at: None,
        at: Some(due - TimeDelta::minutes(1)),
    };
    let logged = log(&s.h, &s.ann(), in_time).await.unwrap().value;
    assert_eq!(logged.lead.sla_missed_at, None);
});

story!(
    a_snoozed_follow_up_is_not_late_until_its_new_time_and_then_tells_again,
    s,
    {
        let lead_id = s.lead().await;
        let row = s.open_follow_ups(lead_id).await.remove(0);
        s.clock.set(row.due_at);
        let _: Done<usize> = follow_up::remind::move_up(&s.h).await.unwrap();
        let until = s.clock.now() + TimeDelta::hours(3);
        let input = Snooze {
            id: row.id,
            until,
            version: Some(row.version),
        };
        let put_off = follow_up::snooze(&s.h, &s.ann(), input).await.unwrap().value;
        assert_eq!((put_off.rank, put_off.late_at, put_off.due_at), (4, None, until));
        assert_eq!(put_off.remind_at, Some(until - TimeDelta::minutes(15)));
        s.clock.set(until);
        let _: Done<usize> = follow_up::remind::move_up(&s.h).await.unwrap();
        assert_eq!(
            s.notices().await.get(&(MessageKind::FollowUpLate, s.ann)),
            Some(&2)
        );
        let gone = Snooze {
            id: row.id,
            until: s.clock.now(),
            version: None,
        };
        assert_eq!(code(follow_up::snooze(&s.h, &s.ann(), gone).await), Code::Invalid);

        let outcome = Some("Wrote a letter.".to_owned());
        let done = follow_up::complete(
            &s.h,
            &s.ann(),
            Complete {
                id: row.id,
                outcome,
                version: None,
            },
        )
        .await
        .unwrap();
        assert_eq!(done.value.state, FollowUpState::Done);
        let again = Complete {
            id: row.id,
            outcome: None,
            version: None,
        };
        assert_eq!(
            code(follow_up::complete(&s.h, &s.ann(), again).await),
            Code::NotAllowedNow
        );
    }
);

story!(
    a_lead_given_to_another_team_takes_its_work_along_and_leaves_the_first_ones_sight,
    s,
    {
        let lead_id = s.lead().await;
        let (h, boss) = (&s.h, s.boss());
        let to = |team_id, owner_id| Assign {
            lead_id,
            team_id,
            owner_id,
            reason: None,
            version: None,
        };
        let stranger = to(None, Patch::Set(s.ben));
        assert_eq!(
            code(assign(h, &boss, stranger).await),
            Code::NotFound,
            "not of the team"
        );
        assert_eq!(
            code(assign(h, &boss, to(None, Patch::Keep)).await),
            Code::Required
        );
        let given = assign(h, &boss, to(Some(s.other_team), Patch::Set(s.ben)))
            .await
            .unwrap();
        assert_eq!(
            (given.value.team_id, given.value.owner_id),
            (s.other_team, Some(s.ben))
        );
        let row = s.open_follow_ups(lead_id).await.remove(0);
        assert_eq!(
            (row.team_id, row.assignee_id, row.version),
            (s.other_team, Some(s.ben), 2)
        );
        assert_eq!(row.remind_at, Some(row.due_at - TimeDelta::minutes(15)));
        assert_eq!(
            s.notices().await.get(&(MessageKind::FollowUpAssigned, s.ben)),
            Some(&1)
        );
        let seen = lead::find::by_id(&h.db, &s.ann(), lead_id).await;
        assert!(matches!(seen, Err(Error::Missing { noun: "lead" })));
        let taken = AssignFollowUp {
            id: row.id,
            assignee_id: s.ann,
            version: None,
        };
        let result = follow_up::assign(h, &s.ann(), taken.clone()).await;
        assert!(
            matches!(result, Err(Error::Missing { noun: "follow-up" })),
            "it is no longer hers"
        );
        assert_eq!(code(follow_up::assign(h, &boss, taken).await), Code::NotFound);

        let nobody = assign(h, &boss, to(None, Patch::Clear)).await.unwrap().value;
        assert_eq!(nobody.owner_id, None);
        let row = s.open_follow_ups(lead_id).await.remove(0);
        assert_eq!((row.assignee_id, row.remind_at), (None, None));
        s.clock.set(row.due_at);
        let _: Done<usize> = follow_up::remind::move_up(h).await.unwrap();
        assert_eq!(
            s.notices().await.get(&(MessageKind::FollowUpLate, s.ben)),
            Some(&1),
            "the team is told"
        );
    }
);

story!(
    a_correction_names_the_fields_that_changed_and_never_what_was_in_them,
    s,
    {
        let lead_id = s.lead().await;
        let (h, ann) = (&s.h, s.ann());
        let nothing = update(h, &ann, UpdateLead::of(lead_id)).await.unwrap();
        assert_eq!((nothing.value.version, nothing.signals.len()), (1, 0));
        let edit = UpdateLead {
            urgent: Some(true),
            service_line_id: Patch::Clear,
            contact: UpdateContact {
                email: Patch::Set(EmailAddress::parse("pat.doe@example.org").unwrap()),
                region: Patch::Set("oh".to_owned()),
                ..UpdateContact::default()
            },
            ..UpdateLead::of(lead_id)
        };
        let updated = update(h, &ann, edit).await.unwrap().value;
        assert!(
            updated
                .flags
                .0
                .contains(&entity::enums::EligibilityFlag::ServiceUnclear)
        );
        assert_eq!(s.open_follow_ups(lead_id).await[0].rank, 0, "its work goes first");
        let event = s.events(lead_id).await.pop().unwrap();
        assert_eq!(event.kind, LeadEventKind::Updated);
        let data = serde_json::Value::Object(event.data.0);
        assert_eq!(data["fields"], serde_json::json!(["serviceLineId", "urgent"]));
        assert_eq!(data["contactFields"], serde_json::json!(["email", "region"]));
        assert!(!data.to_string().contains("pat"));
        let unreachable = UpdateLead {
            contact: UpdateContact {
                email: Patch::Clear,
                ..UpdateContact::default()
            },
            ..UpdateLead::of(lead_id)
        };
        assert_eq!(code(update(h, &ann, unreachable).await), Code::Required);
    }
);

story!(
    attempts_logged_at_once_all_count_and_sweeps_at_once_tell_once,
    s,
    {
        let lead_id = s.lead().await;
        s.clock.set(s.open_follow_ups(lead_id).await[0].due_at);
        let sweeps = tokio::join!(
            follow_up::remind::move_up(&s.h),
            follow_up::remind::move_up(&s.h),
            mark_missed(&s.h),
            mark_missed(&s.h)
        );
        assert_eq!(sweeps.0.unwrap().value + sweeps.1.unwrap().value, 1);
        assert_eq!(sweeps.2.unwrap().value + sweeps.3.unwrap().value, 1);
        assert_eq!(
            s.notices().await.get(&(MessageKind::FollowUpLate, s.ann)),
            Some(&1)
        );

        let busy = || s.try_reach(lead_id, AttemptOutcome::Busy);
        let logged = tokio::join!(busy(), busy(), busy(), busy());
        let mut made = [logged.0, logged.1, logged.2, logged.3].map(|logged| logged.lead.attempts_made);
        made.sort_unstable();
        assert_eq!(made, [1, 2, 3, 4]);
        assert_eq!(s.open_follow_ups(lead_id).await.len(), 1);
    }
);
