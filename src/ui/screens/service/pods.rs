//! The pods of the service, those in trouble first as the model orders them, and the Warning events about it.

use crate::app::layout::scrolled;
use crate::app::model::Pane;
use crate::domain::known::State;
use crate::domain::usage::{cores, hints, of_pod, share, size};
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
    Cpu,
    Memory,
    Node,
    Age,
}

pub fn pods(pen: &mut Pen<'_>, view: &View<'_>) {
    let role = if view.screen.pane == Pane::Pods {
        Role::Strong
    } else {
        Role::Dim
    };
    let mut x = pen.line(1, 0, "PODS", role);
    if let Some(name) = view.other() {
        x = pen.line(x, 0, &format!(" OF {name}"), role);
    }
    if view.pods.is_empty() {
        let words = if view.stand_in.counts.total == 0 {
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
        x = pen.line(x + 1, 0, &mark, Role::Dim);
    }
    usage(pen, x + 2, view);
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
                Part::Cpu | Part::Memory if near(words, column.key) => Role::Warn,
                Part::Node | Part::Age | Part::Version | Part::Cpu | Part::Memory => Role::Dim,
                Part::Name | Part::Restarts => Role::Plain,
            };
            let (x, words) = (2 + column.x, &words[column.key as usize]);
            match column.key {
                Part::Name | Part::Node => pen.put_end(x, y, column.width, words, role),
                Part::State
                | Part::Restarts
                | Part::Version
                | Part::Cpu
                | Part::Memory
                | Part::Age => pen.put(x, y, column.width, words, role),
            };
        }
    }
}

/// What they use together, how old that is, and the worst hint; or why it is not known.
fn usage(pen: &mut Pen<'_>, x: u16, view: &View<'_>) {
    let known = &view.screen.usage.known;
    let hints = view.pods.iter().flat_map(|pod| {
        let tag = pod.name.rsplit('-').next().unwrap_or_default();
        let hints = hints(pod, known.value(), view.now()).into_iter();
        hints.map(move |hint| format!("{tag} {hint}"))
    });
    let hints: Vec<_> = hints.collect();
    let mut parts = Vec::new();
    match hints.as_slice() {
        [] => {}
        [one] => parts.push((one.clone(), Role::Warn)),
        [one, more @ ..] => parts.push((format!("{one} (+{})", more.len()), Role::Warn)),
    }
    if let Some((usage, at)) = &known.last {
        let pods = view.pods.iter().filter_map(|pod| of_pod(pod, usage));
        let (mut cpu, mut memory, mut count) = (0, 0, 0);
        for (used, _) in pods {
            (cpu, memory, count) = (cpu + used.cpu, memory + used.memory, count + 1);
        }
        let mut words = format!("{count} use {} CPU, {}", cores(cpu), size(memory));
        if matches!(known.state, State::Failed { .. }) {
            words = format!("{words}, {} ago", text::age(*at, view.model.now));
        }
        parts.push((words, Role::Dim));
    }
    if let State::Failed { why, .. } = &known.state {
        parts.push((format!("usage unknown: {why}"), Role::Dim));
    }
    let mut x = x;
    for (words, role) in parts {
        x = pen.line(x, 0, &words, role) + 2;
    }
}

/// The share is one to look at.
fn near(words: &[String; 8], part: Part) -> bool {
    let share = words[part as usize].split_once(' ').map(|(_, share)| share);
    let percent = share.and_then(|share| share.strip_suffix("% of limit"));
    percent.is_some_and(|percent| percent.parse::<u32>().is_ok_and(|percent| percent >= 90))
}

/// The words of a row, in the order of [`Part`].
fn words(view: &View<'_>, pod: &Pod) -> [String; 8] {
    let restarts = match pod.restarts() {
        0 => String::new(),
        1 => "1 restart".to_owned(),
        n => format!("{n} restarts"),
    };
    let mut revisions = view.model.fleet.revisions(view.stand_in).iter();
    let revision = revisions.find(|r| r.pod_hash == pod.revision);
    let used = view.screen.usage.known.value();
    let used = used.and_then(|usage| of_pod(pod, usage));
    let amount = |words: String, share: Option<String>| match share {
        Some(share) => format!("{words} {share}"),
        None => words,
    };
    let (cpu, memory) = used.map_or_else(Default::default, |(used, bounds)| {
        let cpu = share(used.cpu, bounds.cpu_limit, bounds.requested_cpu);
        let memory = share(used.memory, bounds.memory_limit, bounds.requested_memory);
        (
            amount(cores(used.cpu), cpu),
            amount(size(used.memory), memory),
        )
    });
    [
        pod.name.to_string(),
        pod.word().to_owned(),
        restarts,
        revision.map_or_else(String::new, |r| version_of(view, r)),
        cpu,
        memory,
        pod.node.as_deref().unwrap_or("").to_owned(),
        text::age(pod.created, view.now()),
    ]
}

fn columns(rows: &[(&Pod, [String; 8])]) -> Vec<Column<Part>> {
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
        column(Part::Cpu, 16, 5),
        column(Part::Memory, 16, 5),
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
