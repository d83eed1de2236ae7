//! From the matrix to plans: what one environment runs, for the next one that runs the service.

use crate::app::effect::Effect;
use crate::app::model::{Model, Screen};
use crate::domain::WorkloadId;
use crate::plan::{Target, Verb};

use super::{batch, matrix, notice, plan};

/// Of one cell.
pub fn open(model: &mut Model, id: &WorkloadId) -> Vec<Effect> {
    match wanted(model, id) {
        Ok((to, target)) => plan::open(model, &to, Verb::PromoteImage, target),
        Err(words) => {
            notice(model, words, true);
            Vec::new()
        }
    }
}

/// Of all that are marked, in the order of the matrix, one after another.
pub fn several(model: &mut Model) -> Vec<Effect> {
    let mut rows = Vec::new();
    for id in marked(model) {
        match wanted(model, &id) {
            Ok(row) => rows.push(row),
            Err(words) => {
                notice(model, words, true);
                return Vec::new();
            }
        }
    }
    batch::open_rows(model, Verb::PromoteImage, rows, 1)
}

fn marked(model: &Model) -> Vec<WorkloadId> {
    let Some(Screen::Matrix(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let matrix = matrix::of(model, screen);
    let cells = matrix.rows.iter().flat_map(|row| &row.cells);
    let ids = cells.flat_map(|cell| &cell.running).map(|one| one.id);
    let shown: Vec<_> = ids
        .filter(|id| screen.marks.contains(id))
        .cloned()
        .collect();
    let hidden = screen.marks.iter().filter(|id| !shown.contains(id));
    let hidden: Vec<_> = hidden.cloned().collect();
    shown.into_iter().chain(hidden).collect()
}

/// # Errors
/// There is no next one, or it is not clear which, in words.
fn wanted(model: &Model, id: &WorkloadId) -> Result<(WorkloadId, Target), String> {
    let Some(Screen::Matrix(screen)) = model.screens.last() else {
        return Err("that is for the matrix".into());
    };
    // What a filter hides is there all the same.
    let screen = crate::app::model::MatrixScreen {
        digests: screen.digests.clone(),
        ..crate::app::model::MatrixScreen::default()
    };
    let matrix = matrix::of(model, &screen);
    let (from, to, next) = matrix::next(model, &matrix, id)?;
    let target = Target::Promoted {
        from: id.clone(),
        environments: (from.name.clone(), to.name.clone()),
    };
    Ok((next, target))
}
