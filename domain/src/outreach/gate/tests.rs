mod plain;

use chrono::TimeZone;
use chrono_tz::America::{Los_Angeles, New_York};
use entity::business_calendar::hours::{DayHours, WeeklyHours};
use entity::campaign::CampaignState;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::quiet_hours;

const GRANTED: Standing = Standing::Granted {
    event_id: ConsentEventId(Uuid::from_u128(7)),
    wording_id: Some(ConsentWordingId(Uuid::from_u128(8))),
};
const ZONES: [Tz; 1] = [New_York];
const LIVE: CampaignNow = CampaignNow {
    state: CampaignState::Live,
    opens_at: None,
    closes_at: None,
    budget_spent: false,
};
const PAUSED: [CampaignNow; 2] = [
    LIVE,
    CampaignNow {
        state: CampaignState::Paused,
        ..LIVE
    },
];
const DRAFT: [CampaignNow; 1] = [CampaignNow {
    state: CampaignState::Draft,
    ..LIVE
}];
const ENDED: [CampaignNow; 1] = [CampaignNow {
    state: CampaignState::Ended,
    ..LIVE
}];
const SPENT: [CampaignNow; 1] = [CampaignNow {
    budget_spent: true,
    ..LIVE
}];

/// A Monday, at noon in New York.
fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, 17, 0, 0).unwrap()
}

fn withdrawn(at: DateTime<Utc>) -> Standing {
    Standing::Withdrawn {
        event_id: ConsentEventId(Uuid::from_u128(9)),
        at,
    }
}

fn input(window: &SendWindow, kind: MessageKind) -> GateInput<'_> {
    GateInput {
        kind,
        purpose: Purpose::Marketing,
        planned_at: noon() - TimeDelta::hours(1),
        expires_at: noon() + TimeDelta::days(1),
        address: Some("pat@example.org"),
        standing: GRANTED,
        suppressed: None,
        preferences: Preferences::default(),
        zones: &ZONES,
        window,
        caps: Caps::default(),
        history: &[],
        campaigns: &[],
        mailing_stopped: false,
        sequence_paused: false,
        template: TemplateApproval::NotNeeded,
        pacing: Pacing::Open,
        turn: Turn::Now,
        sending_stopped: false,
        lead_left: false,
        out_of_date: false,
        staff_away: false,
        now: noon(),
    }
}

fn codes(decision: &Decision) -> Vec<GateReason> {
    decision.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_consented_mail_goes_and_names_the_event_and_wording_it_relies_on() {
    let window = SendWindow::marketing();
    let decision = decide(&input(&window, MessageKind::Nurture));
    assert_eq!(decision.outcome, GateOutcome::Allow);
    assert_eq!(codes(&decision), [GateReason::ConsentGranted]);
    assert_eq!(
        decision.consent_event_id,
        Some(ConsentEventId(Uuid::from_u128(7)))
    );
    assert_eq!(decision.wording_id, Some(ConsentWordingId(Uuid::from_u128(8))));
    assert_eq!(
        (decision.rules_version, decision.at, decision.until),
        (RULES_VERSION, noon(), None)
    );
}

#[test]
fn every_single_reason_has_its_outcome() {
    type Change = fn(&mut GateInput<'_>);
    let table: [(Change, GateOutcome, GateReason); 20] = [
        (|i| i.address = None, GateOutcome::Withhold, GateReason::NoAddress),
        (
            |i| i.address = Some("  "),
            GateOutcome::Withhold,
            GateReason::NoAddress,
        ),
        (
            |i| i.suppressed = Some(SuppressionReason::HardBounce),
            GateOutcome::Withhold,
            GateReason::Suppressed,
        ),
        (
            |i| i.suppressed = Some(SuppressionReason::Complaint),
            GateOutcome::Withhold,
            GateReason::Suppressed,
        ),
        (
            |i| i.standing = Standing::None,
            GateOutcome::Withhold,
            GateReason::NoConsent,
        ),
        (
            |i| i.standing = Standing::Denied,
            GateOutcome::Withhold,
            GateReason::NoConsent,
        ),
        (
            |i| i.standing = Standing::Expired,
            GateOutcome::Withhold,
            GateReason::NoConsent,
        ),
        (
            |i| i.standing = withdrawn(i.planned_at),
            GateOutcome::Withhold,
            GateReason::ConsentWithdrawn,
        ),
        (
            |i| i.lead_left = true,
            GateOutcome::Withhold,
            GateReason::LeadLeft,
        ),
        (
            |i| i.expires_at = i.now,
            GateOutcome::Withhold,
            GateReason::Expired,
        ),
        (
            |i| i.preferences.wants_line = false,
            GateOutcome::Withhold,
            GateReason::LineUnwanted,
        ),
        (
            |i| i.campaigns = &ENDED,
            GateOutcome::Withhold,
            GateReason::CampaignEnded,
        ),
        (
            |i| i.campaigns = &PAUSED,
            GateOutcome::Defer,
            GateReason::CampaignPaused,
        ),
        (
            |i| i.campaigns = &DRAFT,
            GateOutcome::Defer,
            GateReason::CampaignNotStarted,
        ),
        (
            |i| i.campaigns = &SPENT,
            GateOutcome::Defer,
            GateReason::BudgetSpent,
        ),
        (
            |i| i.template = TemplateApproval::NotApproved,
            GateOutcome::Defer,
            GateReason::TemplateNotApproved,
        ),
        (
            |i| i.pacing = Pacing::Held { until: None },
            GateOutcome::Defer,
            GateReason::CapacityHeld,
        ),
        (
            |i| i.sending_stopped = true,
            GateOutcome::Defer,
            GateReason::SendingStopped,
        ),
        (
            |i| i.preferences.paused_until = Some(i.now + TimeDelta::minutes(1)),
            GateOutcome::Defer,
            GateReason::ContactPaused,
        ),
        (
            |i| i.sequence_paused = true,
            GateOutcome::Defer,
            GateReason::SequencePaused,
        ),
    ];
    let window = SendWindow::marketing();
    for (change, outcome, reason) in table {
        let mut changed = input(&window, MessageKind::Nurture);
        change(&mut changed);
        let decision = decide(&changed);
        assert_eq!((decision.outcome, codes(&decision)), (outcome, vec![reason]));
        assert_eq!(decision.until.is_some(), outcome == GateOutcome::Defer);
    }
}

#[test]
fn a_withdrawal_is_named_as_what_stands_against_the_mail() {
    let window = SendWindow::marketing();
    let decision = decide(&GateInput {
        standing: withdrawn(noon()),
        ..input(&window, MessageKind::Nurture)
    });
    assert_eq!(
        decision.consent_event_id,
        Some(ConsentEventId(Uuid::from_u128(9)))
    );
}

#[test]
fn all_reasons_are_listed_and_withholding_comes_first() {
    let window = SendWindow::marketing();
    let decision = decide(&GateInput {
        standing: Standing::None,
        suppressed: Some(SuppressionReason::DoNotContact),
        campaigns: &PAUSED,
        now: noon() + TimeDelta::hours(12),
        ..input(&window, MessageKind::Nurture)
    });
    assert_eq!(decision.outcome, GateOutcome::Withhold);
    assert_eq!(
        codes(&decision),
        [
            GateReason::Suppressed,
            GateReason::NoConsent,
            GateReason::QuietHours,
            GateReason::CampaignPaused
        ]
    );
    assert_eq!(decision.until, None);
}

#[test]
fn quiet_hours_defer_to_the_opening_in_the_latest_zone() {
    let window = SendWindow::marketing();
    let night = Utc.with_ymd_and_hms(2026, 11, 24, 13, 0, 0).unwrap();
    let decision = decide(&GateInput {
        now: night,
        expires_at: night + TimeDelta::days(1),
        zones: &[New_York, Los_Angeles],
        ..input(&window, MessageKind::Nurture)
    });
    assert_eq!(
        (decision.outcome, codes(&decision)),
        (GateOutcome::Defer, vec![GateReason::QuietHours])
    );
    assert_eq!(
        decision.until,
        Some(Utc.with_ymd_and_hms(2026, 11, 24, 17, 0, 0).unwrap())
    );
}

#[test]
fn a_requested_reply_needs_no_consent_and_does_not_wait_for_the_morning() {
    let window = SendWindow::marketing();
    let night = noon() + TimeDelta::hours(12);
    for standing in [
        Standing::None,
        Standing::Denied,
        Standing::Expired,
        withdrawn(noon() - TimeDelta::days(9)),
    ] {
        let confirmation = input(&window, MessageKind::Confirmation);
        let decision = decide(&GateInput {
            standing,
            now: night,
            campaigns: &ENDED,
            sending_stopped: true,
            pacing: Pacing::Held { until: None },
            template: TemplateApproval::Approved,
            preferences: Preferences {
                paused_until: Some(night + TimeDelta::days(1)),
                max_per_week: Some(1),
                wants_line: false,
            },
            history: &[noon(); 9],
            ..confirmation
        });
        assert_eq!(
            (decision.outcome, codes(&decision)),
            (GateOutcome::Allow, vec![GateReason::RequestedReply])
        );
        assert_eq!(decision.consent_event_id, None);
    }
}

#[test]
fn a_withdrawal_after_asking_stops_the_requested_reply() {
    let window = SendWindow::marketing();
    let confirmation = input(&window, MessageKind::Confirmation);
    let decision = decide(&GateInput {
        standing: withdrawn(confirmation.planned_at),
        ..confirmation
    });
    assert_eq!(
        (decision.outcome, codes(&decision)),
        (GateOutcome::Withhold, vec![GateReason::ConsentWithdrawn])
    );
}

#[test]
fn a_complaint_stops_nurture_but_neither_a_requested_reply_nor_a_reminder() {
    let window = SendWindow::marketing();
    let complaint = Some(SuppressionReason::Complaint);
    let outcome = |kind, purpose| {
        decide(&GateInput {
            suppressed: complaint,
            purpose,
            ..input(&window, kind)
        })
        .outcome
    };
    assert_eq!(
        outcome(MessageKind::Nurture, Purpose::Marketing),
        GateOutcome::Withhold
    );
    assert_eq!(
        outcome(MessageKind::Nurture, Purpose::CareCoordination),
        GateOutcome::Withhold
    );
    assert_eq!(
        outcome(MessageKind::Nurture, Purpose::Reminder),
        GateOutcome::Allow
    );
    assert_eq!(
        outcome(MessageKind::Confirmation, Purpose::CareCoordination),
        GateOutcome::Allow
    );
}

#[test]
fn a_mail_to_staff_goes_at_any_hour_unless_it_is_out_of_date() {
    let window = SendWindow::marketing();
    let notice = GateInput {
        standing: Standing::None,
        now: noon() + TimeDelta::hours(12),
        ..input(&window, MessageKind::FollowUpLate)
    };
    assert_eq!(codes(&decide(&notice)), [GateReason::StaffNotice]);
    let late = decide(&GateInput {
        out_of_date: true,
        ..notice
    });
    assert_eq!(
        (late.outcome, codes(&late)),
        (GateOutcome::Withhold, vec![GateReason::OutOfDate])
    );
    let away = decide(&GateInput {
        staff_away: true,
        standing: Standing::None,
        ..input(&window, MessageKind::FollowUpLate)
    });
    assert_eq!(
        (away.outcome, codes(&away)),
        (GateOutcome::Withhold, vec![GateReason::StaffAway])
    );
}

#[test]
fn a_window_that_never_opens_defers_and_looks_again() {
    let mut window = SendWindow::marketing();
    window.hours = WeeklyHours::on_days(&[], &DayHours::closed());
    let decision = decide(&input(&window, MessageKind::Nurture));
    assert_eq!(decision.until, Some(noon() + RECHECK));
}

#[test]
fn sentences_name_nobody() {
    for code in GateReason::ALL {
        let text = explain(*code).text;
        assert!(
            text.ends_with('.') && !text.contains('@') && !text.contains('{'),
            "{text}"
        );
    }
}

fn capped(history: &[DateTime<Utc>], own: Option<u32>, now: DateTime<Utc>) -> Decision {
    decide(&GateInput {
        history,
        preferences: Preferences {
            max_per_week: own,
            ..Preferences::default()
        },
        now,
        expires_at: now + TimeDelta::days(9),
        ..input(&SendWindow::marketing(), MessageKind::Nurture)
    })
}

#[test]
fn the_third_mail_of_a_day_waits_until_the_first_of_them_is_a_day_old() {
    let (first, second) = (noon() - TimeDelta::hours(3), noon() - TimeDelta::hours(1));
    let decision = capped(&[second, first], None, noon());
    assert_eq!(codes(&decision), [GateReason::FrequencyCap]);
    assert_eq!(decision.until, Some(first + caps::DAY));
    assert_eq!(decision.reasons[0].until, decision.until);
    assert_eq!(
        capped(&[second, first], None, first + caps::DAY).outcome,
        GateOutcome::Allow,
        "a day is over when 24 hours are"
    );
    assert_eq!(
        capped(
            &[second, first],
            None,
            first + caps::DAY - TimeDelta::microseconds(1)
        )
        .outcome,
        GateOutcome::Defer
    );
}

#[test]
fn the_fifth_mail_of_a_week_waits_and_then_for_the_window_to_open() {
    let days_ago = |days| noon() - TimeDelta::days(days);
    // Tuesday to Friday of last week, and now it is Monday.
    let decision = capped(
        &[days_ago(3), days_ago(4), days_ago(5), days_ago(6)],
        None,
        noon(),
    );
    assert_eq!(decision.until, Some(days_ago(6) + WEEK));
    // The oldest went out late in the evening of another zone, so room comes while it is quiet.
    let late = days_ago(6) + TimeDelta::hours(11);
    let decision = capped(&[days_ago(3), days_ago(4), days_ago(5), late], None, noon());
    assert_eq!(
        decision.until,
        Some(Utc.with_ymd_and_hms(2026, 11, 25, 14, 0, 0).unwrap()),
        "the morning after"
    );
    assert_eq!(decision.reasons[0].until, Some(late + WEEK));
}

#[test]
fn the_contact_s_own_cap_is_only_ever_stricter() {
    let yesterday = [noon() - TimeDelta::hours(30)];
    assert_eq!(capped(&yesterday, Some(1), noon()).outcome, GateOutcome::Defer);
    assert_eq!(capped(&yesterday, Some(2), noon()).outcome, GateOutcome::Allow);
    let four = [noon() - TimeDelta::days(2); 4];
    assert_eq!(capped(&four, Some(50), noon()).outcome, GateOutcome::Defer);
}

#[test]
fn a_campaign_holds_its_mails_until_its_first_day_and_withholds_them_after_its_last() {
    let (opens, closes) = (noon() + TimeDelta::days(1), noon() + TimeDelta::days(3));
    let campaign = [CampaignNow {
        opens_at: Some(opens),
        closes_at: Some(closes),
        ..LIVE
    }];
    let at = |now| {
        decide(&GateInput {
            campaigns: &campaign,
            now,
            expires_at: noon() + TimeDelta::days(20),
            ..input(&SendWindow::marketing(), MessageKind::Nurture)
        })
    };
    let early = at(noon());
    assert_eq!(
        (codes(&early), early.until),
        (vec![GateReason::CampaignNotStarted], Some(opens))
    );
    assert_eq!(at(opens).outcome, GateOutcome::Allow);
    assert_eq!(codes(&at(closes)), [GateReason::CampaignEnded]);
}

#[test]
fn a_hold_for_capacity_holds_marketing_alone_and_a_stop_all_bulk() {
    let window = SendWindow::marketing();
    let outcome = |purpose, held: bool| {
        let pacing = if held {
            Pacing::Held { until: None }
        } else {
            Pacing::Open
        };
        decide(&GateInput {
            purpose,
            pacing,
            sending_stopped: !held,
            ..input(&window, MessageKind::Nurture)
        })
        .outcome
    };
    use GateOutcome::{Allow, Defer};
    for (purpose, held, stopped) in [
        (Purpose::Marketing, Defer, Defer),
        (Purpose::Research, Allow, Defer),
        (Purpose::CareCoordination, Allow, Defer),
        (Purpose::Reminder, Allow, Allow),
    ] {
        assert_eq!(
            (outcome(purpose, true), outcome(purpose, false)),
            (held, stopped),
            "{purpose}"
        );
    }
}

#[test]
fn care_and_reminders_do_not_count_and_are_not_counted() {
    let window = SendWindow::marketing();
    for purpose in [Purpose::CareCoordination, Purpose::Reminder] {
        let decision = decide(&GateInput {
            purpose,
            history: &[noon(); 9],
            preferences: Preferences {
                paused_until: Some(noon() + TimeDelta::days(9)),
                max_per_week: Some(1),
                wants_line: false,
            },
            campaigns: &SPENT,
            ..input(&window, MessageKind::Nurture)
        });
        assert_eq!(decision.outcome, GateOutcome::Allow, "{purpose}");
        assert_eq!(decision.cap_version, None);
        assert!(!is_promotional(MessageKind::Nurture, purpose));
    }
}

#[test]
fn every_decision_names_the_versions_of_what_was_asked() {
    let window = SendWindow::marketing();
    let nurture = decide(&input(&window, MessageKind::Nurture));
    assert_eq!(nurture.window_version.as_deref(), Some("HOUSE.0"));
    assert_eq!(
        (nurture.cap_version, nurture.rules_version),
        (Some(0), RULES_VERSION)
    );
    let reply = decide(&input(&window, MessageKind::Confirmation));
    assert_eq!((reply.window_version, reply.cap_version), (None, None));
}

#[test]
fn what_is_allowed_is_good_until_the_window_closes() {
    let window = SendWindow::marketing();
    let mut asked = input(&window, MessageKind::Nurture);
    asked.now = Utc.with_ymd_and_hms(2026, 11, 24, 0, 59, 30).unwrap();
    assert_eq!(good_for(&asked), Some(TimeDelta::seconds(30)));
    assert_eq!(good_for(&input(&window, MessageKind::Confirmation)), None);
}

prop_compose! {
    fn any_standing()(which in 0..5, minutes in -2000_i64..2000) -> Standing {
        match which {
            0 => GRANTED,
            1 => Standing::Denied,
            2 => withdrawn(noon() + TimeDelta::minutes(minutes)),
            3 => Standing::Expired,
            _ => Standing::None,
        }
    }
}

prop_compose! {
    fn anything()(
        kind in prop::sample::select(MessageKind::ALL),
        purpose in prop::sample::select(Purpose::ALL),
        standing in any_standing(),
        suppressed in prop::option::of(prop::sample::select(SuppressionReason::ALL)),
        zones in prop::sample::subsequence(vec![New_York, Los_Angeles, chrono_tz::Pacific::Guam], 0..=3),
        minutes in 0_i64..20_000,
        flags in any::<(bool, bool, bool, bool, bool)>(),
    ) -> (GateInput<'static>, &'static [Tz]) {
        let window: &'static SendWindow = Box::leak(Box::new(SendWindow::marketing()));
        let zones: &'static [Tz] = Vec::leak(zones);
        let (campaign_paused, sequence_paused, lead_left, out_of_date, has_address) = flags;
        let campaigns: &'static [CampaignNow] = if campaign_paused { &PAUSED } else { &[LIVE] };
        let now = noon() + TimeDelta::minutes(minutes);
        let address = has_address.then_some("pat@example.org");
        let made = GateInput {
            kind, purpose, standing, suppressed, zones, campaigns, sequence_paused, lead_left, out_of_date,
            address, now, expires_at: noon() + TimeDelta::days(10), ..input(window, kind)
        };
        (made, zones)
    }
}

proptest! {
    #[test]
    fn nurture_never_goes_without_a_grant_or_in_quiet_hours((input, zones) in anything()) {
        let decision = decide(&input);
        if decision.outcome == GateOutcome::Allow && input.kind == MessageKind::Nurture {
            prop_assert!(input.standing.is_granted());
            prop_assert!(quiet_hours::is_allowed(input.now, zones, input.window));
            prop_assert!(input.campaigns != PAUSED && !input.sequence_paused && !input.lead_left);
            prop_assert!(decision.consent_event_id.is_some());
        }
    }

    #[test]
    fn nothing_goes_to_a_suppressed_or_missing_address_or_too_late((input, _) in anything()) {
        if decide(&input).outcome == GateOutcome::Allow {
            prop_assert!(input.address.is_some() && input.now < input.expires_at);
            let blocked =
                matches!(input.suppressed, Some(SuppressionReason::HardBounce | SuppressionReason::DoNotContact));
            prop_assert!(!blocked);
            prop_assert!(input.suppressed.is_none() || input.kind != MessageKind::Nurture
                || input.purpose == Purpose::Reminder);
        }
    }

    #[test]
    fn every_decision_has_a_reason_and_a_deferral_a_later_time((input, _) in anything()) {
        let decision = decide(&input);
        prop_assert!(!decision.reasons.is_empty());
        prop_assert_eq!(decision.until.is_some(), decision.outcome == GateOutcome::Defer);
        prop_assert!(decision.until.is_none_or(|until| until > input.now));
    }
}
