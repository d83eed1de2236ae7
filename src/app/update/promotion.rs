//! From the matrix to plans: what one environment runs, for the next one that runs the service.

use crate::app::effect::Effect;
use crate::app::model::{MatrixScreen, Model, Screen};
use crate::domain::WorkloadId;
use crate::domain::matrix::{Cell, Row, is_on};
use crate::plan::{Target, Verb};
use crate::text;

use super::{batch, notice, plan};

/// Of one cell, which may run it more than once.
pub fn open(model: &mut Model, ids: Vec<WorkloadId>) -> Vec<Effect> {
    let rows = match wanted(model, ids) {
        Ok(rows) => rows,
        Err(words) => {
            notice(model, words, true);
            return Vec::new();
        }
    };
    match <[_; 1]>::try_from(rows) {
        Ok([(to, target)]) => plan::open(model, &to, Verb::PromoteImage, target),
        Err(rows) => batch::open_rows(model, Verb::PromoteImage, rows, 1),
    }
}

/// Of all that are marked, in the order of the matrix, one after another.
pub fn marked(model: &mut Model) -> Vec<Effect> {
    let Some(screen) = screen(model) else {
        return Vec::new();
    };
    let cells = screen.table.all().flat_map(|row| &row.cells);
    let ids = cells.flat_map(|cell| &cell.running).map(|one| &one.id);
    let mut marked: Vec<_> = ids
        .filter(|id| screen.marks.contains(id))
        .cloned()
        .collect();
    let gone = screen.marks.iter().filter(|id| !marked.contains(id));
    let gone: Vec<_> = gone.cloned().collect();
    marked.extend(gone);
    match wanted(model, marked) {
        Ok(rows) => batch::open_rows(model, Verb::PromoteImage, rows, 1),
        Err(words) => {
            notice(model, words, true);
            Vec::new()
        }
    }
}

fn screen(model: &Model) -> Option<&MatrixScreen> {
    match model.screens.last() {
        Some(Screen::Matrix(screen)) => Some(screen),
        Some(_) | None => None,
    }
}

/// The workload that each of these goes to.
///
/// # Errors
/// There is no next one, it is not clear which, or two would go to the same, in words.
fn wanted(model: &Model, ids: Vec<WorkloadId>) -> Result<Vec<(WorkloadId, Target)>, String> {
    let screen = screen(model).ok_or("that is for the matrix")?;
    let mut rows: Vec<(WorkloadId, Target)> = Vec::new();
    for id in ids {
        let (to, target) = next(model, screen, id)?;
        if rows.iter().any(|(other, _)| *other == to) {
            return Err(format!(
                "two of them would go to {}: promote one of them alone",
                placed(&to)
            ));
        }
        rows.push((to, target));
    }
    Ok(rows)
}

/// The next environment that runs the service of this workload, and the workload there.
///
/// # Errors
/// There is none, or it is not clear which, in words.
fn next(
    model: &Model,
    screen: &MatrixScreen,
    id: WorkloadId,
) -> Result<(WorkloadId, Target), String> {
    let table = &screen.table;
    let holds = |row: &Row| {
        let here = |cell: &&Cell| cell.running.iter().any(|one| one.id == id);
        row.cells.iter().find(here).map(|cell| cell.at)
    };
    let found = table.all().find_map(|row| Some((row, holds(row)?)));
    let (row, at) = found.ok_or_else(|| format!("{id} is not in the matrix"))?;
    let (settings, from) = (&model.settings, &table.environments[at]);
    let on_way = |at: usize| is_on(&settings.way, &table.environments[at]);
    if !on_way(at) {
        let way = settings.way.join(", ");
        let name = &from.name;
        return Err(format!(
            "{name} is not on the way of promotion, which is {way}: promotion.way in the configuration"
        ));
    }
    let cells = row.cells.iter();
    let Some(cell) = cells
        .filter(|cell| on_way(cell.at))
        .find(|cell| cell.at > at)
    else {
        let order = match (settings.environments.is_empty(), settings.way.is_empty()) {
            (true, _) => "environments: in the configuration says what comes after what",
            (false, true) => "their order is that of environments: in the configuration",
            (false, false) => "their order is that of promotion.way in the configuration",
        };
        let (name, service) = (&from.name, &row.service);
        return Err(format!(
            "no environment after {name} runs {service}: {order}"
        ));
    };
    let to = &table.environments[cell.at];
    let Some(there) = cell.counterpart(&id) else {
        let several: Vec<_> = cell.running.iter().map(|one| placed(&one.id)).collect();
        let several: Vec<_> = several.iter().map(String::as_str).collect();
        let (service, to, several) = (&row.service, &to.name, text::list(&several));
        return Err(format!(
            "{service} is more than one workload in {to}, and none of them is of the kind and namespace of {}: {several}",
            placed(&id)
        ));
    };
    let environments = (from.name.clone(), to.name.clone());
    let target = Target::Promoted {
        from: id,
        environments,
    };
    Ok((there.id.clone(), target))
}

/// `deploy/web in shop`.
fn placed(id: &WorkloadId) -> String {
    format!("{id} in {}", id.namespace)
}
