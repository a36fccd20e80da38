//! The steps of a sequence, as inputs write them: the same fields that a step shows when it is read.

use async_graphql::InputObject;
use domain::error::{Code, Refusal};
use entity::sequence_version::{Action, Step, Steps};

use super::clause::{ClauseInput, condition};
use crate::graphql::scalars::Duration;
use crate::graphql::sequence::StepKind;
use crate::graphql::vocabulary::Weekday;

/// One step. After it the next in the list follows, except after a branch and an end. Set only the fields of its kind.
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
    /// What is to be done, of a follow-up.
    title: Option<String>,
    /// Business minutes until a follow-up is due.
    due_in_minutes: Option<i64>,
    /// What a branch asks: every clause must hold.
    when: Option<Vec<ClauseInput>>,
    /// Key of the step if it holds; a later one.
    then: Option<String>,
    /// Key of the step if it does not; a later one.
    otherwise: Option<String>,
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

/// The rules behind the door call two fields by the names they are stored under.
pub(super) fn at_input(refusal: &mut Refusal) {
    let [list, _, part] = refusal.field.as_mut_slice() else {
        return;
    };
    if list != "steps" {
        return;
    }
    match part.as_str() {
        "secs" => "wait".clone_into(part),
        "dueInMins" => "dueInMinutes".clone_into(part),
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
        let fields = [
            ("template", step.template.is_some(), StepKind::SendEmail),
            ("wait", step.wait.is_some(), StepKind::Wait),
            ("weekday", step.weekday.is_some(), StepKind::Wait),
            ("minuteOfDay", step.minute_of_day.is_some(), StepKind::Wait),
            ("title", step.title.is_some(), StepKind::FollowUp),
            ("dueInMinutes", step.due_in_minutes.is_some(), StepKind::FollowUp),
            ("when", step.when.is_some(), StepKind::Branch),
            ("then", step.then.is_some(), StepKind::Branch),
            ("otherwise", step.otherwise.is_some(), StepKind::Branch),
        ];
        for (field, _, _) in fields
            .into_iter()
            .filter(|(_, set, kind)| *set && *kind != step.kind)
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
            title: None,
            due_in_minutes: None,
            when: None,
            then: None,
            otherwise: None,
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
