//! The pods of the service, those in trouble first as the model orders them, and the Warning events about it.

use crate::app::layout::scrolled;
use crate::app::model::Pane;
use crate::domain::{Pod, Warning};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::pen::{Pen, cells};
use super::super::super::widgets::table::{Column, place, scroll_mark};
use super::{View, version_of};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    State,
    Restarts,
    Version,
    Node,
    Age,
}

pub fn pods(pen: &mut Pen<'_>, view: &View<'_>) {
    let role = if view.screen.pane == Pane::Pods {
        Role::Strong
    } else {
        Role::Dim
    };
    let x = pen.line(1, 0, "PODS", role);
    if view.pods.is_empty() {
        let words = if view.workload.counts.total == 0 {
            "  none"
        } else {
            "  not watched yet"
        };
        pen.line(x, 0, words, Role::Dim);
        return;
    }
    let height = usize::from(pen.height().saturating_sub(1));
    let at = view
        .screen
        .pod
        .as_ref()
        .and_then(|name| view.pods.iter().position(|pod| pod.name == *name));
    let offset = scrolled(0, at.unwrap_or(0), height);
    let visible = view.pods.iter().skip(offset).take(height);
    let rows: Vec<_> = visible.map(|pod| (*pod, words(view, pod))).collect();
    if let Some(mark) = scroll_mark(offset, rows.len(), view.pods.len()) {
        pen.line(x + 1, 0, &mark, Role::Dim);
    }
    let columns = place(&columns(&rows), pen.width().saturating_sub(4));
    for (y, (pod, words)) in (1..).zip(&rows) {
        let selected = view.screen.pod.as_ref() == Some(&pod.name);
        if selected && view.screen.pane == Pane::Pods {
            pen.put(0, y, 1, "❯", Role::Key);
        }
        for column in &columns {
            let role = match column.key {
                Part::Name if selected => Role::Strong,
                Part::State if pod.terminating => Role::Dim,
                Part::State if pod.ready => Role::Good,
                Part::State => Role::Bad,
                Part::Node | Part::Age | Part::Version => Role::Dim,
                Part::Name | Part::Restarts => Role::Plain,
            };
            let (x, words) = (2 + column.x, &words[column.key as usize]);
            match column.key {
                Part::Name | Part::Node => pen.put_end(x, y, column.width, words, role),
                Part::State | Part::Restarts | Part::Version | Part::Age => {
                    pen.put(x, y, column.width, words, role)
                }
            };
        }
    }
}

/// The words of a row, in the order of [`Part`].
fn words(view: &View<'_>, pod: &Pod) -> [String; 6] {
    let restarts = match pod.restarts() {
        0 => String::new(),
        1 => "1 restart".to_owned(),
        n => format!("{n} restarts"),
    };
    let revision = view.revisions.iter().find(|r| r.pod_hash == pod.revision);
    [
        pod.name.to_string(),
        pod.word().to_owned(),
        restarts,
        revision.map_or_else(String::new, |r| version_of(view, r)),
        pod.node.as_deref().unwrap_or("").to_owned(),
        text::age(pod.created, view.now()),
    ]
}

fn columns(rows: &[(&Pod, [String; 6])]) -> Vec<Column<Part>> {
    let column = |key: Part, small: u16, goes| {
        let most = rows
            .iter()
            .map(|(_, words)| cells(&words[key as usize]))
            .max()
            .unwrap_or(0);
        Column {
            key,
            title: "",
            least: most.min(small),
            wants: most,
            most,
            goes,
        }
    };
    let name = column(Part::Name, 20, 0);
    [
        Column {
            // Its head is the service's name: the other columns come before all of it.
            wants: name.least,
            ..name
        },
        column(Part::State, 16, 0),
        column(Part::Restarts, 12, 2),
        column(Part::Version, 8, 3),
        column(Part::Node, 8, 4),
        column(Part::Age, 4, 1),
    ]
    .into_iter()
    .filter(|column| column.most > 0)
    .collect()
}

/// `4m x9  Failed  manifest unknown`.
pub fn events(pen: &mut Pen<'_>, view: &View<'_>) {
    if pen.height() < 2 {
        return;
    }
    let x = pen.line(1, 0, "EVENTS", Role::Dim);
    if view.warnings.is_empty() {
        pen.line(x + 2, 0, "no warnings", Role::Dim);
        return;
    }
    let height = usize::from(pen.height() - 1);
    let all = alike(&view.warnings);
    let shown = &all[..height.min(all.len())];
    if let Some(mark) = scroll_mark(0, shown.len(), all.len()) {
        pen.line(x + 1, 0, &mark, Role::Dim);
    }
    let reasons = shown.iter().map(|(newest, _)| cells(&newest.reason));
    let reason_cells = reasons.max().unwrap_or(0).min(20);
    let (mut y, mut others) = (1, shown.len());
    for (warning, count) in shown {
        let age = text::age(warning.last_seen, view.now());
        let times = match count {
            0 | 1 => String::new(),
            count => format!("x{count}"),
        };
        pen.put(2, y, 4, &age, Role::Dim);
        pen.put(6, y, 5, &times, Role::Dim);
        pen.put(12, y, reason_cells, &warning.reason, Role::Warn);
        let x = 14 + reason_cells;
        let message = text::wrap(
            &warning.message,
            usize::from(pen.width().saturating_sub(x + 1)),
        );
        // Each of the others has a line left.
        others -= 1;
        let room = usize::from(pen.height().saturating_sub(y)).saturating_sub(others);
        for line in message.iter().take(room.max(1)) {
            pen.line(x, y, line, Role::Plain);
            y += 1;
        }
    }
}

/// The newest of those that say the same, and how often it was said: every pod of a revision says what the first says.
fn alike<'a>(warnings: &[&'a Warning]) -> Vec<(&'a Warning, u32)> {
    let mut all: Vec<(&Warning, u32)> = Vec::new();
    for warning in warnings {
        let says = |other: &Warning| {
            (&other.reason, &other.message) == (&warning.reason, &warning.message)
        };
        match all.iter_mut().find(|(newest, _)| says(newest)) {
            Some((_, count)) => *count = count.saturating_add(warning.count),
            None => all.push((warning, warning.count)),
        }
    }
    all
}
