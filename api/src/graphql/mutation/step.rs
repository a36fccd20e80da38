//! The steps of a sequence, as inputs write them: the same fields that a step shows when it is read.

use async_graphql::InputObject;
use domain::error::{Code, Refusal};
use entity::sequence_version::{Action, Step, Steps, Way};

use super::clause::{ClauseInput, condition};
use crate::graphql::scalars::Duration;
use crate::graphql::sequence::StepKind;
use crate::graphql::vocabulary::{AttemptOutcome, Awaited, EligibilityFlag, LeadStage, StaffTold, Weekday};

/// One way of a split.
#[derive(InputObject, Clone, Debug)]
pub struct SplitWayInput {
    /// Its share, in proportion to the other ways: 1 to 1000.
    weight: u32,
    /// Key of the step that it leads to; a later one.
    then: String,
}

/// One step. After it the next in the list follows, except after a branch, a split, a wait for something and an end. Set
/// only the fields of its kind.
#[derive(InputObject, Clone, Debug)]
pub struct StepInput {
    /// Names the step within the version: lower-case letters, digits and inner hyphens.
    key: String,
    /// What it does.
    kind: StepKind,
    /// The template's key, of a mail.
    template: Option<String>,
    /// How long a wait is: one second to 365 days. Or name `minuteOfDay`.
    wait: Option<Duration>,
    /// The local weekday that a wait ends on; any day if not said.
    weekday: Option<Weekday>,
    /// The local minute of the day, 0 to 1439, that a wait ends at, in the contact's zone. Or name `wait`.
    minute_of_day: Option<u16>,
    /// What is waited for, of `WAIT_FOR`.
    event: Option<Awaited>,
    /// The stage that is waited for, with `STAGE_REACHED` and only then.
    stage: Option<LeadStage>,
    /// The outcome of the attempt that is waited for, with `ATTEMPT_LOGGED`; any if not said.
    outcome: Option<AttemptOutcome>,
    /// How long something is waited for: one second to 365 days.
    timeout: Option<Duration>,
    /// What is to be done, of a follow-up; the subject line, of a mail to staff. Without anything about the person.
    title: Option<String>,
    /// Business minutes until a follow-up is due.
    due_in_minutes: Option<i64>,
    /// Who is told, of a mail to staff.
    to: Option<StaffTold>,
    /// What a branch asks, and when a goal is reached: every clause must hold.
    when: Option<Vec<ClauseInput>>,
    /// Key of the step if it holds, or happens in time; a later one.
    then: Option<String>,
    /// Key of the step if it does not; a later one.
    otherwise: Option<String>,
    /// What a split draws by: splits with one seed divide alike. In a way of its own if not said.
    seed: Option<String>,
    /// The ways of a split, 2 to 10.
    ways: Option<Vec<SplitWayInput>>,
    /// Flags that the lead gets: `TRIAGE_NEEDED`, `ORDER_MISSING`, `REFERRAL_REQUIRED`.
    add_flags: Option<Vec<EligibilityFlag>>,
    /// Flags that the lead loses: `ORDER_MISSING`, `REFERRAL_REQUIRED`.
    remove_flags: Option<Vec<EligibilityFlag>>,
    /// Slug of the team that the lead goes to.
    team: Option<String>,
}

/// Reads the steps.
///
/// # Errors
/// Every field that is missing or does not belong to its step, each with its path.
pub(super) fn read(steps: Vec<StepInput>) -> Result<Steps, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let steps: Vec<Step> = steps
        .into_iter()
        .enumerate()
        .filter_map(|(place, step)| {
            Reading {
                place,
                refusals: &mut refusals,
            }
            .step(step)
        })
        .collect();
    if refusals.is_empty() {
        Ok(Steps(steps))
    } else {
        Err(refusals)
    }
}

/// The rules behind the door call some fields by the names they are stored under.
pub(super) fn at_input(refusal: &mut Refusal) {
    if refusal.field == ["exits", "afterSecs"] {
        refusal.field = vec!["endsAfter".to_owned()];
    }
    let [list, _, part] = refusal.field.as_mut_slice() else {
        return;
    };
    if list != "steps" {
        return;
    }
    match part.as_str() {
        "secs" => "wait".clone_into(part),
        "dueInMins" => "dueInMinutes".clone_into(part),
        "timeoutSecs" => "timeout".clone_into(part),
        _ => {}
    }
}

/// One step while it is read.
struct Reading<'a> {
    place: usize,
    refusals: &'a mut Vec<Refusal>,
}

impl Reading<'_> {
    fn step(mut self, step: StepInput) -> Option<Step> {
        let known = self.refusals.len();
        self.refuse_strangers(&step);
        let action = match step.kind {
            StepKind::SendEmail => self
                .needed("template", step.template)
                .map(|template| Action::SendEmail { template }),
            StepKind::Wait => self.wait(step.wait, step.weekday, step.minute_of_day),
            StepKind::FollowUp => {
                let title = self.needed("title", step.title);
                let due = self.needed("dueInMinutes", step.due_in_minutes);
                title
                    .zip(due)
                    .map(|(title, due_in_mins)| Action::FollowUp { title, due_in_mins })
            }
            StepKind::Branch => {
                let when = self.needed("when", step.when).map(condition);
                let then = self.needed("then", step.then);
                let otherwise = self.needed("otherwise", step.otherwise);
                when.zip(then)
                    .zip(otherwise)
                    .map(|((when, then), otherwise)| Action::Branch {
                        when,
                        then,
                        otherwise,
                    })
            }
            StepKind::WaitFor => {
                let event = self.needed("event", step.event);
                let timeout = self.needed("timeout", step.timeout);
                let then = self.needed("then", step.then);
                let otherwise = self.needed("otherwise", step.otherwise);
                match (event, timeout, then, otherwise) {
                    (Some(event), Some(Duration(timeout_secs)), Some(then), Some(otherwise)) => {
                        Some(Action::WaitFor {
                            event: event.into(),
                            stage: step.stage.map(Into::into),
                            outcome: step.outcome.map(Into::into),
                            timeout_secs,
                            then,
                            otherwise,
                        })
                    }
                    _ => None,
                }
            }
            StepKind::Split => self.needed("ways", step.ways).map(|ways| Action::Split {
                seed: step.seed,
                ways: ways.into_iter().map(way).collect(),
            }),
            StepKind::UpdateLead => Some(Action::UpdateLead {
                add_flags: flags(step.add_flags),
                remove_flags: flags(step.remove_flags),
                team: step.team,
            }),
            StepKind::NotifyStaff => {
                let to = self.needed("to", step.to);
                let title = self.needed("title", step.title);
                to.zip(title)
                    .map(|(to, title)| Action::NotifyStaff { to: to.into(), title })
            }
            StepKind::Goal => self.needed("when", step.when).map(|when| Action::Goal {
                when: condition(when),
            }),
            StepKind::End => Some(Action::End {}),
        };
        let well = self.refusals.len() == known;
        action.filter(|_| well).map(|action| Step {
            key: step.key,
            action,
        })
    }

    fn wait(
        &mut self,
        secs: Option<Duration>,
        weekday: Option<Weekday>,
        minute: Option<u16>,
    ) -> Option<Action> {
        match (secs, minute) {
            (Some(_), Some(_)) => self.refuse(
                Code::Invalid,
                "minuteOfDay",
                "A wait has a length or a time, not both.",
            ),
            (Some(_), None) if weekday.is_some() => {
                self.refuse(
                    Code::Required,
                    "minuteOfDay",
                    "Say at which minute of that day the wait ends.",
                );
            }
            (Some(Duration(secs)), None) => return Some(Action::Wait { secs }),
            (None, Some(minute_of_day)) => {
                return Some(Action::WaitUntil {
                    weekday: weekday.map(Into::into),
                    minute_of_day,
                });
            }
            (None, None) => self.refuse(
                Code::Required,
                "wait",
                "Say how long the wait is, or when it ends.",
            ),
        }
        None
    }

    /// Fields that are set and do not belong to the step's kind: they would be lost without a word.
    fn refuse_strangers(&mut self, step: &StepInput) {
        use StepKind::{Branch, FollowUp, Goal, NotifyStaff, SendEmail, Split, UpdateLead, Wait, WaitFor};
        let fields: [(&str, bool, &[StepKind]); 19] = [
            ("template", step.template.is_some(), &[SendEmail]),
            ("wait", step.wait.is_some(), &[Wait]),
            ("weekday", step.weekday.is_some(), &[Wait]),
            ("minuteOfDay", step.minute_of_day.is_some(), &[Wait]),
            ("event", step.event.is_some(), &[WaitFor]),
            ("stage", step.stage.is_some(), &[WaitFor]),
            ("outcome", step.outcome.is_some(), &[WaitFor]),
            ("timeout", step.timeout.is_some(), &[WaitFor]),
            ("title", step.title.is_some(), &[FollowUp, NotifyStaff]),
            ("dueInMinutes", step.due_in_minutes.is_some(), &[FollowUp]),
            ("to", step.to.is_some(), &[NotifyStaff]),
            ("when", step.when.is_some(), &[Branch, Goal]),
            ("then", step.then.is_some(), &[Branch, WaitFor]),
            ("otherwise", step.otherwise.is_some(), &[Branch, WaitFor]),
            ("seed", step.seed.is_some(), &[Split]),
            ("ways", step.ways.is_some(), &[Split]),
            ("addFlags", step.add_flags.is_some(), &[UpdateLead]),
            ("removeFlags", step.remove_flags.is_some(), &[UpdateLead]),
            ("team", step.team.is_some(), &[UpdateLead]),
        ];
        for (field, _, _) in fields
            .into_iter()
            .filter(|(_, set, kinds)| *set && !kinds.contains(&step.kind))
        {
            self.refuse(Code::Invalid, field, "A step of this kind has no such field.");
        }
    }

    fn needed<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.refuse(Code::Required, field, "A step of this kind needs this.");
        }
        value
    }

    fn refuse(&mut self, code: Code, field: &str, message: &'static str) {
        self.refusals.push(Refusal::new(
            code,
            &format!("steps.{}.{field}", self.place),
            message,
        ));
    }
}

fn way(sent: SplitWayInput) -> Way {
    Way {
        weight: sent.weight,
        then: sent.then,
    }
}

fn flags(sent: Option<Vec<EligibilityFlag>>) -> Vec<entity::enums::EligibilityFlag> {
    sent.unwrap_or_default().into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use entity::sequence_version::Weekday as StoredWeekday;

    use super::*;
    use crate::graphql::vocabulary::{Comparison, Fact};

    fn step(key: &str, kind: StepKind) -> StepInput {
        StepInput {
            key: key.to_owned(),
            kind,
            template: None,
            wait: None,
            weekday: None,
            minute_of_day: None,
            event: None,
            stage: None,
            outcome: None,
            timeout: None,
            title: None,
            due_in_minutes: None,
            to: None,
            when: None,
            then: None,
            otherwise: None,
            seed: None,
            ways: None,
            add_flags: None,
            remove_flags: None,
            team: None,
        }
    }

    fn fields(steps: Vec<StepInput>) -> Vec<String> {
        let refusals = read(steps).unwrap_err();
        refusals
            .iter()
            .map(|refusal| format!("{} {}", refusal.field.join("."), refusal.code.as_str()))
            .collect()
    }

    #[test]
    fn each_kind_becomes_its_action() {
        let clause: Vec<ClauseInput> = Vec::new();
        let steps = read(vec![
            StepInput {
                template: Some("welcome".to_owned()),
                ..step("mail", StepKind::SendEmail)
            },
            StepInput {
                wait: Some(Duration(3600)),
                ..step("hour", StepKind::Wait)
            },
            StepInput {
                weekday: Some(Weekday::Tuesday),
                minute_of_day: Some(600),
                ..step("day", StepKind::Wait)
            },
            StepInput {
                title: Some("Call".to_owned()),
                due_in_minutes: Some(60),
                ..step("call", StepKind::FollowUp)
            },
            StepInput {
                when: Some(clause),
                then: Some("end".to_owned()),
                otherwise: Some("end".to_owned()),
                ..step("fork", StepKind::Branch)
            },
            step("end", StepKind::End),
        ]);
        let actions: Vec<Action> = steps.unwrap().0.into_iter().map(|step| step.action).collect();
        assert_eq!(
            actions[0],
            Action::SendEmail {
                template: "welcome".to_owned()
            }
        );
        assert_eq!(actions[1], Action::Wait { secs: 3600 });
        assert_eq!(
            actions[2],
            Action::WaitUntil {
                weekday: Some(StoredWeekday::Tuesday),
                minute_of_day: 600
            }
        );
        assert_eq!(
            actions[3],
            Action::FollowUp {
                title: "Call".to_owned(),
                due_in_mins: 60
            }
        );
        assert!(matches!(actions[4], Action::Branch { .. }));
        assert_eq!(actions[5], Action::End {});
    }

    #[test]
    fn what_is_missing_and_what_does_not_belong_is_named_with_its_path() {
        let steps = vec![
            StepInput {
                wait: Some(Duration(1)),
                ..step("mail", StepKind::SendEmail)
            },
            step("wait", StepKind::Wait),
            StepInput {
                wait: Some(Duration(1)),
                minute_of_day: Some(1),
                ..step("both", StepKind::Wait)
            },
            StepInput {
                wait: Some(Duration(1)),
                weekday: Some(Weekday::Friday),
                ..step("half", StepKind::Wait)
            },
            StepInput {
                then: Some("x".to_owned()),
                ..step("fork", StepKind::Branch)
            },
        ];
        assert_eq!(
            fields(steps),
            [
                "steps.0.wait INVALID",
                "steps.0.template REQUIRED",
                "steps.1.wait REQUIRED",
                "steps.2.minuteOfDay INVALID",
                "steps.3.minuteOfDay REQUIRED",
                "steps.4.when REQUIRED",
                "steps.4.otherwise REQUIRED",
            ]
        );
    }

    #[test]
    fn refusals_of_the_rules_name_the_fields_of_the_input() {
        let mut refusal = Refusal::new(Code::Invalid, "steps.3.secs", "Too long.");
        at_input(&mut refusal);
        assert_eq!(refusal.field, ["steps", "3", "wait"]);
        let mut refusal = Refusal::new(Code::Invalid, "steps.3.when.0.values", "None.");
        at_input(&mut refusal);
        assert_eq!(refusal.field, ["steps", "3", "when", "0", "values"]);
    }

    #[test]
    fn clauses_keep_their_order_and_values() {
        let clause = |fact| ClauseInput::of(fact, Comparison::In, &["a", "b"]);
        let condition = condition(vec![clause(Fact::Channel), clause(Fact::Stage)]);
        assert_eq!(condition.0.len(), 2);
        assert_eq!(condition.0[0].fact, entity::condition::Fact::Channel);
        assert_eq!(condition.0[1].values, ["a", "b"]);
    }
}
