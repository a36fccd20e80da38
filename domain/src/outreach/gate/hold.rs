//! Why a mail may not go now, and until when.

use chrono::{DateTime, TimeDelta, Utc};
use entity::campaign::CampaignState;
use entity::enums::Purpose;
use entity::message::GateReason;

use super::{GateInput, Pacing, RECHECK, TemplateApproval, Turn, caps, reason_in_line};
use crate::consent::Standing;
use crate::quiet_hours;

/// A reason to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) reason: GateReason,
    pub(super) until: DateTime<Utc>,
}

/// Every reason to wait.
pub(super) fn holds(input: &GateInput<'_>) -> Vec<Hold> {
    if !input.is_nurture() {
        return Vec::new();
    }
    let mut holds = Holds {
        found: Vec::new(),
        now: input.now,
    };
    if let Standing::Pending { until, .. } = input.standing {
        holds.until(GateReason::OptInPending, Some(until));
    }
    if !quiet_hours::is_allowed(input.now, input.zones, input.window) {
        let opens = quiet_hours::next_allowed(input.now, input.zones, input.window);
        holds.until(GateReason::QuietHours, opens);
    }
    let paused = |state| state == CampaignState::Paused;
    if input.campaigns.iter().any(|campaign| paused(campaign.state)) {
        holds.until(GateReason::CampaignPaused, None);
    }
    if input.sequence_paused {
        holds.until(GateReason::SequencePaused, None);
    }
    if input.template == TemplateApproval::NotApproved {
        holds.until(GateReason::TemplateNotApproved, None);
    }
    if input.is_promotional() {
        of_promotion(input, &mut holds);
    }
    if input.is_bulk() && input.sending_stopped {
        holds.until(GateReason::SendingStopped, None);
    }
    holds.found
}

/// What holds only mails that serve the hospital first.
fn of_promotion(input: &GateInput<'_>, holds: &mut Holds) {
    for campaign in input.campaigns {
        if campaign.state == CampaignState::Draft {
            holds.until(GateReason::CampaignNotStarted, None);
        }
        if let Some(opens) = campaign.opens_at.filter(|opens| *opens > input.now) {
            holds.until(GateReason::CampaignNotStarted, Some(opens));
        }
        if campaign.budget_spent {
            holds.until(GateReason::BudgetSpent, None);
        }
    }
    let preferences = input.preferences;
    if let Some(until) = preferences.paused_until.filter(|until| *until > input.now) {
        holds.until(GateReason::ContactPaused, Some(until));
    }
    if let Some(free) = caps::free_at(input.caps, preferences.max_per_week, input.history, input.now) {
        holds.until(GateReason::FrequencyCap, Some(free));
    }
    if let Pacing::Held { until } = input.pacing
        && input.purpose == Purpose::Marketing
    {
        holds.until(GateReason::CapacityHeld, until);
    }
    if let Turn::Waits { stopped, until } = input.turn
        && input.purpose == Purpose::Marketing
    {
        holds.until(reason_in_line(stopped), Some(until));
    }
}

struct Holds {
    found: Vec<Hold>,
    now: DateTime<Utc>,
}

impl Holds {
    /// Adds a reason, each once with its latest time. Without a known time the gate looks again after [`RECHECK`].
    fn until(&mut self, reason: GateReason, until: Option<DateTime<Utc>>) {
        let until = until.unwrap_or(self.now + RECHECK);
        match self.found.iter_mut().find(|hold| hold.reason == reason) {
            Some(known) => known.until = known.until.max(until),
            None => self.found.push(Hold { reason, until }),
        }
    }
}

/// When to look again: when the last of the holds has passed, and the window is open then.
pub(super) fn until(input: &GateInput<'_>, holds: &[Hold]) -> Option<DateTime<Utc>> {
    let passed = holds.iter().map(|hold| hold.until).max()?;
    let opens = quiet_hours::next_allowed(passed, input.zones, input.window);
    Some(opens.unwrap_or(passed))
}

/// How long a mail that is allowed at `now` may still begin to go out: until the window closes. None for mails that no
/// window holds.
pub(super) fn good_for(input: &GateInput<'_>) -> Option<TimeDelta> {
    if !input.is_nurture() {
        return None;
    }
    quiet_hours::open_for(input.now, input.zones, input.window)
}
