//! Builds in few words: the column of the board, and the line of a build.

use jiff::Timestamp;

use crate::app::model::RowBuild;
use crate::domain::build::Outcome;
use crate::domain::chain::Newest;
use crate::text;

use super::super::theme::Role;

/// `#812 ok`.
pub fn cell(build: Option<&RowBuild>) -> String {
    match build.and_then(|build| build.newest) {
        None | Some(Newest::None) => String::new(),
        Some(Newest::Queued { stuck: false }) => "queued".into(),
        Some(Newest::Queued { stuck: true }) => "stuck".into(),
        Some(Newest::Running { number, percent }) => match percent {
            Some(percent) => format!("#{number} {percent}%"),
            None => format!("#{number} runs"),
        },
        Some(Newest::Done { number, outcome }) => format!("#{number} {}", word(outcome)),
    }
}

pub fn role(build: Option<&RowBuild>) -> Role {
    match build.and_then(|build| build.newest) {
        None | Some(Newest::None) => Role::Dim,
        Some(Newest::Queued { stuck }) if stuck => Role::Warn,
        Some(Newest::Queued { .. } | Newest::Running { .. }) => Role::Moving,
        Some(Newest::Done { outcome, .. }) => of_outcome(outcome),
    }
}

/// What of a build is worth a word where nothing worse is to be said.
pub fn progress(build: &RowBuild, now: Timestamp) -> Option<String> {
    match build.newest? {
        Newest::Running { number, percent } => Some(match percent {
            Some(percent) => format!("#{number} builds, {percent}%"),
            None => format!("#{number} builds"),
        }),
        Newest::Queued { stuck } => Some(if stuck {
            "its build is stuck in the queue".into()
        } else {
            "its build is queued".into()
        }),
        Newest::Done { .. } => {
            let since = text::coarse_age(build.red_since?, now);
            Some(format!("{} red for {since}", build.job.branch()))
        }
        Newest::None => None,
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "ok",
        Outcome::Failure => "red",
        Outcome::Unstable => "unstable",
        Outcome::NotBuilt => "not built",
        Outcome::Aborted => "aborted",
    }
}

fn of_outcome(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Success => Role::Good,
        Outcome::Failure => Role::Bad,
        Outcome::Unstable => Role::Warn,
        Outcome::NotBuilt | Outcome::Aborted => Role::Dim,
    }
}
