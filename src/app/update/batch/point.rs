//! What still stands between the plans of several services and their execution.

use crate::app::intent::Intent;
use crate::app::model::{BatchBox, BatchRow, Model, Stage};
use crate::domain::{Level, WorkloadId};
use crate::plan::{Answers, Missing, gate};

use super::super::plan::{self, check_name};
use super::{is_open, plan_of};

/// The strictest of its rows.
pub fn level(model: &Model, batch: &BatchBox) -> Level {
    let levels = batch
        .rows
        .iter()
        .map(|row| model.level(&row.shown.workload));
    let strictest = levels.max_by_key(|level| gate::rank(*level));
    strictest.unwrap_or(Level::Guarded)
}

/// The rows that are not left out.
pub fn taken(batch: &BatchBox) -> impl Iterator<Item = &BatchRow> {
    batch.rows.iter().filter(|row| !row.left_out)
}

/// What a protected environment wants typed: how many services it is about.
pub fn word(batch: &BatchBox) -> String {
    taken(batch).count().to_string()
}

/// What still stands between the plans and their execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// Every row is left out.
    Nothing,
    /// So many are still read or checked.
    Answers(usize),
    /// A row has no plan, or a check of it blocks.
    Row(WorkloadId, String),
    /// What is missing of the person, of all rows alike.
    Person(Missing),
}

/// The first thing that is missing; `None` when all is given.
pub fn open_point(model: &Model, batch: &BatchBox) -> Option<Open> {
    let rows: Vec<_> = taken(batch).collect();
    if rows.is_empty() {
        return Some(Open::Nothing);
    }
    let waits = rows.iter().filter(|row| is_open(&row.shown)).count();
    if waits > 0 {
        return Some(Open::Answers(waits));
    }
    let answers = answers(model, batch);
    let level = level(model, batch);
    let (mut person, mut confirmation) = (None, false);
    for row in rows {
        let id = &row.shown.workload;
        let (plan, verdicts) = match &row.shown.stage {
            Stage::Refused { failure } => {
                return Some(Open::Row(id.clone(), failure.sentence.clone()));
            }
            _ => plan_of(&row.shown)?,
        };
        for missing in gate::missing(level, plan, verdicts, &answers) {
            match missing {
                Missing::Answer(check) | Missing::Blocked(check) | Missing::Override(check) => {
                    let words = format!("{} blocks", check_name(check));
                    return Some(Open::Row(id.clone(), words));
                }
                // The last of all: it is the key itself.
                Missing::Confirmation => confirmation = true,
                Missing::ReadOnly | Missing::Arming | Missing::Name => {
                    person.get_or_insert(missing);
                }
            }
        }
    }
    let confirmation = confirmation.then_some(Missing::Confirmation);
    person.or(confirmation).map(Open::Person)
}

pub fn answers(model: &Model, batch: &BatchBox) -> Answers {
    Answers {
        several: Some(taken(batch).count()),
        ..plan::answers(model, &batch.answers)
    }
}

/// What is missing, in words.
pub fn not_yet(model: &Model, open: &Open) -> String {
    let key = |intent| model.settings.keymap.shown(intent).unwrap_or_default();
    match open {
        Open::Nothing => "every row is left out".into(),
        Open::Answers(1) => "not yet: one of them is still being asked".into(),
        Open::Answers(n) => format!("not yet: {n} of them are still being asked"),
        Open::Row(id, why) => format!("{}: {why} ({} leaves it out)", id.name, key(Intent::Mark)),
        Open::Person(Missing::ReadOnly) => "read-only: nothing is sent".into(),
        Open::Person(Missing::Arming) => {
            let arm = key(Intent::Arm);
            format!("writes are off here: {arm} arms them for ten minutes")
        }
        Open::Person(_) => format!("{} confirms", key(Intent::Confirm)),
    }
}
