//! An action of the release record in words: one line of how it stands, and the whole of it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::release_record::{Action, Became, Stands};

use super::{age, duration, moment};

/// How it stands, the word first: `verified: 6/6 pods run 2.14.1`. `under_way`: a process that lives carries it out.
pub fn outcome(action: &Action, under_way: bool) -> String {
    let said = action.sentence().unwrap_or_default();
    match action.stands() {
        Stands::Verified | Stands::NotVerified | Stands::NotBegun => said.to_owned(),
        Stands::Accepted => "accepted, and not followed to its end".into(),
        Stands::Refused => format!("refused: {said}"),
        Stands::Unknown => format!("unknown: {said}"),
        Stands::Interrupted(became) => {
            let word = match became {
                Became::Applied => "applied",
                Became::NotApplied => "not applied",
                Became::Unknown => "outcome unknown",
            };
            format!("interrupted, {word}: {said}")
        }
        Stands::Sent if under_way => "under way".into(),
        Stands::Sent => "interrupted: nothing says what became of it".into(),
    }
}

/// `2.15.0 → 2.14.1`; one version when it stays.
pub fn arrow(action: &Action) -> String {
    if let Some(replicas) = action.sending.replicas {
        return format!("{} → {} replicas", replicas.from, replicas.to);
    }
    let (from, to) = (&action.sending.from.version, &action.sending.to.version);
    if from == to {
        return to.clone();
    }
    format!("{from} → {to}")
}

/// `accepted after 1s, verified after 52s`; empty while nothing is known.
pub fn times(action: &Action) -> String {
    let after = |word: &str, after: Option<SignedDuration>| {
        Some(format!(
            "{word} after {}",
            duration(after?.as_secs().unsigned_abs())
        ))
    };
    let ended = match action.stands() {
        Stands::Verified => "verified",
        _ => "ended",
    };
    let parts = [
        after("answered", action.answered_after()),
        after(ended, action.ended_after()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Everything the record says of it, a line each.
pub fn whole(action: &Action, under_way: bool, now: Timestamp) -> Vec<String> {
    let sending = &action.sending;
    let mut lines = Vec::new();
    let mut row = |title: &str, words: String| {
        for (n, words) in words.lines().enumerate() {
            let title = if n == 0 { title } else { "" };
            lines.push(format!("{title:<10}{words}"));
        }
    };
    let at = |at: Timestamp| format!("{}, {} ago", moment(at), age(at, now));
    row("when", at(sending.at));
    row("who", sending.by.clone());
    row(
        "user",
        match &sending.server_user {
            Some(user) => format!("{user} (the API server's name)"),
            None => "unknown: the API server did not tell".into(),
        },
    );
    let id = &sending.workload;
    row(
        "where",
        format!("{id} in {} of {}", id.namespace, id.cluster),
    );
    row("uid", sending.uid.clone());
    row("verb", sending.verb.clone());
    let side = |side: &crate::domain::release_record::Side| match side.number {
        0 => side.version.clone(),
        number => format!("{} (rev {number}, {})", side.version, side.name),
    };
    row("from", side(&sending.from));
    row("to", side(&sending.to));
    row(
        "reason",
        sending
            .reason
            .clone()
            .unwrap_or_else(|| "none was given".into()),
    );
    if let Some(reason) = &sending.override_reason {
        row("override", reason.clone());
    }
    for checked in &sending.checks {
        row(
            "check",
            format!(
                "{:<11}{}: {}",
                checked.finding, checked.check, checked.sentence
            ),
        );
    }
    for step in &sending.steps {
        row("step", step.clone());
    }
    if let Some(line) = &action.answered {
        row("answer", format!("{}: {}", at(line.at), line.sentence));
    }
    if let Some(line) = &action.found {
        row("found", format!("{}: {}", at(line.at), line.sentence));
    }
    if let Some(line) = &action.ended {
        row("end", format!("{}: {}", at(line.at), line.sentence));
    }
    row("outcome", outcome(action, under_way));
    let times = times(action);
    if !times.is_empty() {
        row("times", times);
    }
    row("id", sending.id.clone());
    lines
}
