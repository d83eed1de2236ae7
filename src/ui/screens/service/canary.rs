//! A release that stops part-way: what the canary gets, what it waits for, what comes next, and what judges it.

use crate::app::model::SourceState;
use crate::app::wishes::analyses_of;
use crate::domain::Health;
use crate::domain::canary::{self, Canary, Verdict};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::pen::Pen;
use super::{View, measured};

/// Runs that are told; older ones say less.
const RUNS: usize = 2;

/// Draws it and gives the next free line, which is the first when there is nothing to say.
pub fn canary(pen: &mut Pen<'_>, y: u16, view: &View<'_>) -> u16 {
    let room = pen.width().saturating_sub(3);
    let mut lines = lines(view);
    lines.extend(measured::lines(view, room));
    let mut y = y;
    for (words, role) in &lines {
        pen.put_clause(2, y, room, words, *role);
        y += 1;
    }
    y
}

/// Whether there is anything to say.
pub fn has(view: &View<'_>) -> bool {
    !lines(view).is_empty()
}

fn lines(view: &View<'_>) -> Vec<(String, Role)> {
    let Some(canary) = view.workload.canary.as_deref() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some(at) = canary::at(view.workload, view.revisions) {
        if !canary.aborted {
            let step = text::canary::now(canary, &at);
            lines.push((format!("{}: {step}", canary.provider.name()), Role::Plain));
            // Of two sides one has it all, and that is said.
            if at.steps > 0 || !at.routed {
                lines.push((format!("weight {}", weight(canary, &at)), Role::Plain));
            }
        }
        if let Some(next) = text::canary::next(canary).filter(|_| !canary.aborted) {
            lines.push((format!("then {next}"), Role::Dim));
        }
    }
    if canary.promoted_fully {
        let words = match &canary.flagger {
            Some(_) => "skipAnalysis is on: what comes goes to all unchecked",
            None => "promoted fully: the steps are left out",
        };
        lines.push((words.into(), Role::Plain));
    }
    lines.extend(of_flagger(canary));
    if let Some(of) = &canary.template_of {
        lines.push((format!("runs the template of {of}"), Role::Dim));
    }
    lines.extend(analyses(view));
    lines
}

/// What it is to get, and what stands in the route that Flagger writes it into.
fn weight(canary: &Canary, at: &canary::At) -> String {
    let weighed = canary.flagger.as_ref().and_then(|f| f.weighed.as_ref());
    let (Some(weighed), Some(real)) = (weighed, at.real) else {
        return text::canary::weight(at);
    };
    let taken = match weighed.taken {
        None => return text::canary::weight(at),
        Some(true) => "",
        Some(false) => ", which its gateway has not taken so far",
    };
    let (kind, name) = (weighed.kind.short(), &weighed.name);
    format!("{}% set, {real}% in {kind}/{name}{taken}", at.set)
}

/// How often it looks, how much it bears, and which doors it waits at.
fn of_flagger(canary: &Canary) -> Vec<(String, Role)> {
    let Some(flagger) = canary.flagger.as_deref() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if canary.is_partial() && !canary.aborted {
        let (failed, most) = (flagger.failed.min(flagger.threshold), flagger.threshold);
        let looks = text::duration(flagger.interval.into());
        let words = format!("Flagger looks every {looks}, {failed} of {most} failed checks");
        lines.push((words, Role::Dim));
    }
    lines.extend(flagger.held_by().map(|gate| {
        let words = format!("gate {} holds it: {}", gate.name, gate.url);
        (words, Role::Warn)
    }));
    lines
}

fn analyses(view: &View<'_>) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    for run in view
        .model
        .fleet
        .analyses(view.workload)
        .into_iter()
        .take(RUNS)
    {
        let words = format!("analysis {}", text::canary::analysis(run));
        lines.push((words, role(run.verdict, run.is_hollow())));
        for metric in &run.metrics {
            lines.push((
                format!("  {}", text::canary::metric(metric)),
                role(metric.verdict, metric.is_hollow()),
            ));
        }
    }
    lines.extend(denied(view).map(|why| (format!("analyses: {why}"), Role::Dim)));
    lines
}

/// Why nothing is known of them.
fn denied(view: &View<'_>) -> Option<String> {
    let source = analyses_of(view.workload)?;
    match view.model.sources.get(&source)? {
        SourceState {
            health: Health::Denied(why),
            ..
        } => Some(why.clone()),
        _ => None,
    }
}

/// A success that rests on nothing does not look like one.
fn role(verdict: Verdict, hollow: bool) -> Role {
    match verdict {
        Verdict::Successful if hollow => Role::Warn,
        Verdict::Failed | Verdict::Error => Role::Bad,
        Verdict::Inconclusive => Role::Warn,
        Verdict::Pending | Verdict::Running => Role::Plain,
        Verdict::Successful => Role::Dim,
    }
}
