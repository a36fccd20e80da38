use super::*;
use LeadStage::{AppointmentScheduled, Closed, Contacted, New, Qualified, VisitCompleted};

const FRESH: Context = Context {
    attempted: false,
    direct_scheduling: false,
    furthest: New,
};
const TRIED: Context = Context {
    attempted: true,
    ..FRESH
};
const DIRECT: Context = Context {
    direct_scheduling: true,
    ..TRIED
};

/// Every step that some context allows, apart from closing and reopening.
const STEPS: [(LeadStage, LeadStage, Context); 6] = [
    (New, Contacted, TRIED),
    (Contacted, Qualified, TRIED),
    (Contacted, AppointmentScheduled, DIRECT),
    (Qualified, AppointmentScheduled, TRIED),
    (AppointmentScheduled, AppointmentScheduled, TRIED),
    (AppointmentScheduled, VisitCompleted, TRIED),
];

#[test]
fn the_steps_of_the_funnel_are_these_and_no_others() {
    for from in [New, Contacted, Qualified, AppointmentScheduled, VisitCompleted] {
        for to in [New, Contacted, Qualified, AppointmentScheduled, VisitCompleted] {
            let listed = STEPS.iter().any(|(a, b, _)| (*a, *b) == (from, to));
            assert_eq!(allowed(from, to, &DIRECT).is_ok(), listed, "{from} to {to}");
        }
    }
    for (from, to, context) in STEPS {
        assert_eq!(allowed(from, to, &context), Ok(()), "{from} to {to}");
    }
}

#[test]
fn a_lead_is_contacted_by_an_attempt_only() {
    assert!(allowed(New, Contacted, &FRESH).is_err());
    assert!(allowed(New, Qualified, &TRIED).is_err());
    assert!(allowed(New, AppointmentScheduled, &DIRECT).is_err());
}

#[test]
fn booking_without_qualification_needs_a_service_line_that_allows_it() {
    assert!(allowed(Contacted, AppointmentScheduled, &TRIED).is_err());
    assert!(allowed(Contacted, AppointmentScheduled, &DIRECT).is_ok());
}

#[test]
fn every_open_stage_can_be_closed_and_a_closed_one_only_once() {
    for from in [New, Contacted, Qualified, AppointmentScheduled, VisitCompleted] {
        assert_eq!(allowed(from, Closed, &FRESH), Ok(()), "{from}");
    }
    assert!(allowed(Closed, Closed, &FRESH).is_err());
}

#[test]
fn a_closed_lead_goes_back_to_the_furthest_stage_it_had_reached_and_to_no_other() {
    let open = [New, Contacted, Qualified, AppointmentScheduled, VisitCompleted];
    for furthest in open {
        for to in open {
            let back = allowed(Closed, to, &Context { furthest, ..DIRECT });
            assert_eq!(back.is_ok(), to == furthest, "to {to} with {furthest} reached");
        }
    }
}
