//! The worker's counters and gauges. Labels are names of lanes, states and subjects: never of people.

use std::time::Duration;

use domain::nudge::Subject;
use domain::outreach::claim::Claimed;
use domain::outreach::recover::Recovered;
use domain::outreach::settle::Settled;
use domain::sequence::watchdog::StuckReason;
use entity::message::{Lane, MessageState};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Says what each of them means, for the page that is scraped. Call it once, when the recorder is set.
pub fn describe() {
    describe_counter!(
        "leadward_messages_total",
        "Messages by the state that they came to, and their lane."
    );
    describe_counter!(
        "leadward_leases_recovered_total",
        "Messages whose worker was lost, by what became of them."
    );
    describe_counter!(
        "leadward_jobs_total",
        "Looks at what is due, by subject and outcome."
    );
    describe_counter!("leadward_nudges_total", "Nudges, by subject and outcome.");
    describe_histogram!(
        "leadward_job_seconds",
        Unit::Seconds,
        "How long a look at what is due took."
    );
    describe_histogram!(
        "leadward_send_seconds",
        Unit::Seconds,
        "How long the mail server took for one message."
    );
    describe_gauge!(
        "leadward_queue_age_seconds",
        Unit::Seconds,
        "How long the oldest due row has waited, by subject."
    );
    describe_gauge!(
        "leadward_enrollments_stuck",
        "Enrollments that are due and do not move, by reason; looked at once a minute, at most 500."
    );
    describe_gauge!(
        "leadward_consent_unsealed",
        "Consent events that wait for their place in the chain of hashes."
    );
    describe_counter!(
        "leadward_consent_sealed_total",
        "Consent events that were sealed into the chain of hashes."
    );
    describe_gauge!(
        "leadward_route_resting",
        "1 while the mail server of a route cannot be reached."
    );
}

pub(crate) fn claimed(lane: Lane, claimed: &Claimed) {
    count(lane, MessageState::Withheld, claimed.withheld);
    count(lane, MessageState::Deferred, claimed.deferred);
}

pub(crate) fn settled(lane: Lane, settled: Settled) {
    count(lane, MessageState::Accepted, settled.accepted);
    count(lane, MessageState::Refused, settled.refused);
    count(lane, MessageState::Deferred, settled.deferred);
    count(lane, MessageState::Unknown, settled.unknown);
}

pub(crate) fn unwritable(lane: Lane, how_many: usize) {
    count(lane, MessageState::Withheld, how_many);
}

pub(crate) fn recovered(recovered: Recovered) {
    let found = [
        ("planned", recovered.planned),
        ("sent_again", recovered.sent_again),
        ("unknown", recovered.unknown),
    ];
    for (what, how_many) in found {
        if how_many > 0 {
            counter!("leadward_leases_recovered_total", "to" => what).increment(how_many as u64);
        }
    }
}

pub(crate) fn sent(took: Duration) {
    histogram!("leadward_send_seconds").record(took.as_secs_f64());
}

pub(crate) fn looked(subject: Subject, took: Duration) {
    histogram!("leadward_job_seconds", "subject" => subject.name()).record(took.as_secs_f64());
}

pub(crate) fn queue_age(subject: Subject, secs: f64) {
    gauge!("leadward_queue_age_seconds", "subject" => subject.name()).set(secs);
}

pub(crate) fn stuck(reason: StuckReason, how_many: usize) {
    let how_many = u32::try_from(how_many).unwrap_or(u32::MAX);
    gauge!("leadward_enrollments_stuck", "reason" => reason.name()).set(f64::from(how_many));
}

pub(crate) fn sealed(how_many: usize) {
    counter!("leadward_consent_sealed_total").increment(how_many as u64);
}

pub(crate) fn unsealed(how_many: u64) {
    // A gauge is a float; it is exact far beyond any number of rows that wait.
    gauge!("leadward_consent_unsealed").set(how_many as f64);
}

pub(crate) fn route_resting(route: &str, resting: bool) {
    gauge!("leadward_route_resting", "route" => route.to_owned()).set(if resting { 1.0 } else { 0.0 });
}

fn count(lane: Lane, state: MessageState, how_many: usize) {
    if how_many > 0 {
        counter!("leadward_messages_total", "lane" => lane.as_str(), "state" => state.as_str())
            .increment(how_many as u64);
    }
}
