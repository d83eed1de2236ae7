//! The history of a Helm release, and from a row of it the plan to go back.

use crate::app::effect::Effect;
use crate::app::event::{Document, JobId, ReleaseHistory};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{Model, Releases, Screen, TextKind};
use crate::domain::{Failure, Workload, WorkloadId};
use crate::plan::{Target, Verb};
use crate::text::{chart_lines, count};

use super::text::{loading, push};
use super::{key, next_job, notice, plan};

/// What Helm keeps of the release that the workload is a part of.
pub fn open(model: &mut Model, workload: WorkloadId) -> Vec<Effect> {
    let found = model.fleet.workload(&workload);
    let Some(name) = found.and_then(Workload::chart_release) else {
        let words = format!("nothing on {workload} says that Helm installed it");
        notice(model, words, false);
        return Vec::new();
    };
    let name: Box<str> = name.into();
    let job = next_job(model);
    let title = format!("Helm release {name}");
    let kind = TextKind::Releases(Releases {
        workload: workload.clone(),
        name: name.clone(),
        revisions: Vec::new(),
        marked: None,
    });
    push(model, title, kind, loading(), job);
    let of = (workload, name);
    vec![Effect::ReadReleases { job, of }]
}

/// What is marked stays so; at first it is the one before the newest.
pub fn read(
    model: &mut Model,
    job: JobId,
    outcome: Result<ReleaseHistory, Failure>,
) -> Vec<Effect> {
    let now = model.now;
    let screen = model.screens.iter_mut().find_map(|screen| match screen {
        Screen::Text(screen) if screen.job == job => Some(screen),
        _ => None,
    });
    let Some(screen) = screen else {
        return Vec::new();
    };
    let TextKind::Releases(of) = &mut screen.kind else {
        return Vec::new();
    };
    match outcome {
        Ok(history) => {
            of.revisions = history.releases.iter().map(|r| r.revision).collect();
            let stays = of.marked.filter(|marked| of.revisions.contains(marked));
            of.marked = stays.or_else(|| of.revisions.get(1).copied());
            let lines = lines(of, &history);
            let read_at = history.read_at;
            screen.document.learn(Document { lines, read_at }, now);
        }
        Err(failure) => screen.document.fail(failure.sentence, now),
    }
    model.dirty = true;
    Vec::new()
}

fn lines(of: &Releases, history: &ReleaseHistory) -> Vec<String> {
    let (name, namespace) = (&of.name, &of.workload.namespace);
    let mut lines = match &*history.releases {
        [] => vec![format!("Helm keeps no release {name} in {namespace}")],
        releases => chart_lines(releases, history.read_at),
    };
    if history.unreadable > 0 {
        lines.push(format!(
            "{} could not be read",
            count(history.unreadable, "release")
        ));
    }
    lines
}

/// `None` for what the screen has in common with other texts.
pub fn act(model: &mut Model, intent: Intent) -> Option<Vec<Effect>> {
    let (page, rows) = (layout::page(model), layout::reader_rows(model));
    let Some(Screen::Text(screen)) = model.screens.last_mut() else {
        return None;
    };
    let TextKind::Releases(of) = &mut screen.kind else {
        return None;
    };
    let at = of.line()?;
    if let Some(to) = key::moved(intent, at - 1, of.revisions.len(), page) {
        of.marked = of.revisions.get(to).copied();
        // The titles come along with the first.
        let line = if to == 0 { 0 } else { to + 1 };
        screen.offset = layout::scrolled(screen.offset, line, rows);
        return Some(Vec::new());
    }
    if intent != Intent::RollBack {
        return None;
    }
    let target = Target::Release {
        newest: of.revisions.first().copied(),
        to: of.marked,
    };
    let workload = of.workload.clone();
    Some(plan::open(model, &workload, Verb::HelmRollback, target))
}
