//! The doctor: what works and what does not, asked one by one.

use crate::app::effect::Effect;
use crate::app::event::{Diagnosis, JobId};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{DoctorScreen, Model, Screen};
use crate::plan::Finding;
use crate::text;

use super::{key, next_job};

/// The widest name of what a line is about, in cells.
const ABOUT: u16 = 24;

pub fn open(model: &mut Model) -> Vec<Effect> {
    let job = next_job(model);
    let mut effects = Vec::new();
    if let Some(Screen::Doctor(old)) = model.screens.last() {
        effects.push(Effect::Cancel { job: old.job });
        model.screens.pop();
    }
    model.overlay = None;
    model.screens.push(Screen::Doctor(DoctorScreen {
        job,
        findings: Vec::new(),
        done: false,
        offset: 0,
    }));
    effects.push(Effect::Diagnose {
        job,
        clusters: model.cluster_ids(),
    });
    effects
}

pub fn diagnosed(model: &mut Model, job: JobId, finding: Diagnosis) -> Vec<Effect> {
    for screen in &mut model.screens {
        if let Screen::Doctor(screen) = screen
            && screen.job == job
        {
            screen.done |= finding.last;
            screen.findings.push(finding);
            model.dirty = true;
            break;
        }
    }
    Vec::new()
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, rows, width) = (layout::page(model), layout::doctor_rows(model), model.width);
    let Some(Screen::Doctor(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    // The path of the log stands below them all.
    let last = (lines(screen, width).len() + 2).saturating_sub(rows);
    if let Some(to) = key::moved(intent, screen.offset, last + 1, page) {
        screen.offset = to;
        return Vec::new();
    }
    match intent {
        Intent::Retry => open(model),
        Intent::Copy => {
            let lines: Vec<_> = screen.findings.iter().flat_map(report).collect();
            let text = lines.join("\n");
            vec![Effect::Copy { text }]
        }
        Intent::Back => {
            let job = screen.job;
            model.screens.pop();
            vec![Effect::Cancel { job }]
        }
        _ => Vec::new(),
    }
}

/// One line of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Of the first line of a finding.
    pub head: Option<(Finding, &'a str)>,
    pub words: String,
    pub kind: LineKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    Sentence,
    Hint,
    /// To be written as it stands: it begins at the edge of the screen, so that a mouse can take it.
    Script,
}

/// The width of the column of names.
pub fn about_width(screen: &DoctorScreen) -> u16 {
    let widths = screen.findings.iter().map(|f| text::width(&f.about));
    u16::try_from(widths.max().unwrap_or(0))
        .unwrap_or(ABOUT)
        .min(ABOUT)
}

/// Everything that was found, on a screen so many cells wide.
pub fn lines(screen: &DoctorScreen, width: u16) -> Vec<Line<'_>> {
    let room = usize::from(width.saturating_sub(about_width(screen) + 16));
    let mut all = Vec::new();
    for found in &screen.findings {
        let mut head = Some((found.finding, &*found.about));
        let mut push = |words: String, kind| {
            let head = head.take();
            all.push(Line { head, words, kind });
        };
        for line in text::wrap(&found.sentence, room) {
            push(line, LineKind::Sentence);
        }
        for line in hints(found).iter().flat_map(|hint| text::wrap(hint, room)) {
            push(line, LineKind::Hint);
        }
        for line in script(found) {
            for piece in text::pieces(&text::escape(line), usize::from(width.max(1))) {
                push(piece.to_owned(), LineKind::Script);
            }
        }
    }
    all
}

/// The same as plain lines, in which a script begins at the edge, to be copied from there.
pub fn report(found: &Diagnosis) -> Vec<String> {
    let word = found.finding.word();
    let mut lines = vec![format!("{word:<11}{:<11} {}", found.about, found.sentence)];
    lines.extend(hints(found).iter().map(|hint| format!("{:<23}{hint}", "")));
    lines.extend(script(found).map(str::to_owned));
    lines
}

/// What to do about it, and each step of what is to be installed.
fn hints(found: &Diagnosis) -> Vec<String> {
    let mut hints: Vec<String> = found.hint.iter().cloned().collect();
    if let Some(hook) = &found.hook {
        let numbered = (1..).zip(&hook.steps);
        hints.extend(numbered.map(|(n, step)| format!("{n}. {step}")));
        hints.extend(hook.script.iter().map(|script| format!("{}:", script.file)));
    }
    hints
}

fn script(found: &Diagnosis) -> impl Iterator<Item = &str> {
    let script = found.hook.as_ref().and_then(|hook| hook.script.as_ref());
    script.into_iter().flat_map(|script| script.text.lines())
}
