//! A dry run as text, and as JSON. People are named by the ids of their leads.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::dry_run::{Entry, Simulation};
use domain::playbook::Playbook;
use entity::id::TeamId;
use serde_json::{Value, json};

/// An instant to the minute.
pub(super) fn minute(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn team(playbook: &Playbook, id: TeamId) -> &str {
    playbook.teams.get(&id).map_or("?", |team| team.name.as_str())
}

fn who(entry: &Entry) -> String {
    entry
        .sample
        .map_or_else(|| entry.lead_id.to_string(), str::to_owned)
}

/// What else there is to say of an entry.
fn more(entry: &Entry, playbook: &Playbook) -> String {
    let mut parts = Vec::new();
    parts.extend(entry.template.clone());
    if let Some(work) = &entry.follow_up {
        let due = minute(work.due_at);
        parts.push(format!(
            "{} ({}, due {due})",
            work.title,
            team(playbook, work.team_id)
        ));
    }
    parts.extend(entry.until.map(|until| format!("until {}", minute(until))));
    parts.extend(entry.exit_reason.map(|reason| reason.as_str().to_owned()));
    parts.extend(entry.reasons.iter().map(|reason| reason.text.clone()));
    parts.join("; ")
}

/// For people.
pub(super) fn text(answer: &Simulation, playbook: &Playbook, first: usize) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = writeln!(
        out,
        "Version {} with {} leads, {} to {}.",
        answer.version,
        answer.leads,
        minute(answer.from),
        minute(answer.until)
    );
    out.push_str(&super::reached(answer));
    let _ = writeln!(
        out,
        "\n{:<24} {:<12} {:>7} {:>7}",
        "step", "what", "times", "leads"
    );
    for count in answer.counts() {
        let _ = writeln!(
            out,
            "{:<24} {:<12} {:>7} {:>7}",
            count.step_key.unwrap_or("-"),
            count.outcome.as_str(),
            count.times,
            count.leads
        );
    }
    if !answer.team_days.is_empty() {
        let _ = writeln!(
            out,
            "\n{:<24} {:<10} {:>10} {:>10} {:>10}",
            "team", "day", "by this", "other", "members"
        );
    }
    for day in &answer.team_days {
        let others = day
            .others
            .map_or_else(|| "?".to_owned(), |count| count.to_string());
        let _ = writeln!(
            out,
            "{:<24} {:<10} {:>10} {others:>10} {:>10}",
            team(playbook, day.team_id),
            day.date.to_string(),
            day.by_sequence,
            day.members
        );
    }
    let _ = writeln!(
        out,
        "\n{:<20} {:<31} {:<24} {:<12}",
        "when", "lead", "step", "what"
    );
    for entry in answer.entries.iter().take(first) {
        let _ = writeln!(
            out,
            "{:<20} {:<31} {:<24} {:<12} {}",
            minute(entry.at),
            who(entry),
            entry.step_key.as_deref().unwrap_or("-"),
            entry.outcome.as_str(),
            more(entry, playbook)
        );
    }
    if answer.entries.len() > first {
        let _ = writeln!(out, "… and {} more", answer.entries.len() - first);
    }
    out
}

/// For programs.
pub(super) fn json(answer: &Simulation, playbook: &Playbook) -> Value {
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let entry = |entry: &Entry| {
        json!({
            "lead": entry.sample.is_none().then(|| entry.lead_id.to_string()),
            "sample": entry.sample,
            "step": entry.step_key,
            "at": at(entry.at),
            "outcome": entry.outcome.as_str(),
            "until": entry.until.map(at),
            "template": entry.template,
            "reasons": entry.reasons.iter().map(|reason| json!({ "code": reason.code, "text": reason.text })).collect::<Vec<_>>(),
            "followUp": entry.follow_up.as_ref().map(|work| json!({
                "title": work.title, "team": team(playbook, work.team_id), "dueAt": at(work.due_at),
            })),
            "exitReason": entry.exit_reason.map(|reason| reason.as_str()),
        })
    };
    let counts = answer.counts().into_iter().map(|count| {
        json!({
            "step": count.step_key, "outcome": count.outcome.as_str(), "times": count.times, "leads": count.leads,
        })
    });
    let days = answer.team_days.iter().map(|day| {
        json!({
            "team": team(playbook, day.team_id), "date": day.date.to_string(), "bySequence": day.by_sequence,
            "others": day.others, "members": day.members,
        })
    });
    json!({
        "sequence": answer.sequence_id.to_string(),
        "version": answer.version,
        "from": at(answer.from),
        "until": at(answer.until),
        "reached": at(answer.reached),
        "complete": answer.is_complete(),
        "leads": answer.leads,
        "counts": counts.collect::<Vec<_>>(),
        "teamDays": days.collect::<Vec<_>>(),
        "entries": answer.entries.iter().map(entry).collect::<Vec<_>>(),
    })
}
