//! Text to read: an object described or as yaml, two revisions compared, and the events of one service.

use crate::app::effect::{Compared, Effect, YamlOf};
use crate::app::event::{Document, JobId};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{Model, Screen, Search, TextKind, TextScreen};
use crate::domain::build::BuildId;
use crate::domain::release_record::Action;
use crate::domain::{Failure, Known, WorkloadId, known::State};
use crate::text::action::whole;
use crate::text::{age, clock, pad, width};

use super::find::{self, Way};
use super::{commits, image, key, next_job, notice, record, releases};

/// So many lines of a build's log are kept, the newest.
const BUILD_LOG: usize = 20_000;
/// Cells of the longest reason that is written whole.
const REASON: usize = 20;

pub fn open_yaml(model: &mut Model, of: YamlOf) -> Vec<Effect> {
    let job = next_job(model);
    push(
        model,
        named(&of),
        TextKind::Yaml(of.clone()),
        loading(),
        job,
    );
    vec![Effect::FetchYaml { job, object: of }]
}

pub fn open_description(model: &mut Model, of: YamlOf) -> Vec<Effect> {
    let job = next_job(model);
    let kind = TextKind::Description(of.clone());
    push(model, named(&of), kind, loading(), job);
    vec![Effect::Describe { job, object: of }]
}

fn named(of: &YamlOf) -> String {
    match of {
        YamlOf::Object { kind, name, .. } => format!("{}/{name}", kind.word()),
        YamlOf::Workload(id) => id.to_string(),
        YamlOf::Pod { pod, .. } => format!("pod/{pod}"),
        YamlOf::Revision { name, .. } => format!("revision {name}"),
    }
}

/// `title` says in words which two they are.
pub fn open_comparison(model: &mut Model, title: String, revisions: Compared) -> Vec<Effect> {
    let job = next_job(model);
    let kind = TextKind::Comparison {
        revisions: revisions.clone(),
        whole: 0,
    };
    push(model, title, kind, loading(), job);
    vec![Effect::Compare { job, revisions }]
}

/// Nothing was read yet.
pub fn loading() -> Known<Document> {
    Known {
        last: None,
        state: State::Loading,
    }
}

/// All that the record says of one action.
pub fn open_action(model: &mut Model, (action, under_way): (&Action, bool)) -> Vec<Effect> {
    let (job, now) = (next_job(model), model.now);
    let (id, workload) = (&action.sending.id, &action.sending.workload);
    let title = format!("{} of {workload}", action.sending.verb);
    let kind = TextKind::Action {
        id: id.clone(),
        workload: workload.clone(),
    };
    let mut document = Known::default();
    let lines = whole(action, under_way, now);
    document.learn(
        Document {
            lines,
            read_at: now,
        },
        now,
    );
    push(model, title, kind, document, job);
    Vec::new()
}

pub fn open_events(model: &mut Model, id: WorkloadId) -> Vec<Effect> {
    let job = next_job(model);
    let mut document = Known::default();
    document.learn(events(model, &id), model.now);
    push(
        model,
        format!("events of {id}"),
        TextKind::Events(id),
        document,
        job,
    );
    Vec::new()
}

pub fn push(
    model: &mut Model,
    title: String,
    kind: TextKind,
    document: Known<Document>,
    job: JobId,
) {
    model.screens.push(Screen::Text(TextScreen {
        title,
        kind,
        document,
        job,
        offset: 0,
        search: Search::default(),
    }));
}

fn events(model: &Model, id: &WorkloadId) -> Document {
    let warnings = model
        .fleet
        .workload(id)
        .map(|w| model.fleet.warnings(w))
        .unwrap_or_default();
    let reasons = warnings.iter().map(|warning| width(&warning.reason));
    let widest = reasons.max().unwrap_or(0).min(REASON);
    let now = model.clock_of(id);
    let line = |warning: &&crate::domain::Warning| {
        let (ago, at) = (age(warning.last_seen, now), clock(warning.last_seen));
        let kind = warning.about_kind.to_lowercase();
        format!(
            "{at}  {ago:>4}  x{:<4} {}  {kind}/{}: {}",
            warning.count,
            pad(&warning.reason, widest),
            warning.about,
            warning.message
        )
    };
    let mut lines: Vec<String> = warnings.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("no warnings in the last hour".into());
    }
    Document {
        lines,
        read_at: model.now,
    }
}

pub fn fetched(model: &mut Model, job: JobId, outcome: Result<Document, Failure>) -> Vec<Effect> {
    let now = model.now;
    let its = |screen: &Screen| matches!(screen, Screen::Text(text) if text.job == job);
    let Some(at) = model.screens.iter().position(its) else {
        return Vec::new();
    };
    if let Screen::Text(screen) = &mut model.screens[at] {
        if let (TextKind::Comparison { whole, .. }, Ok(document)) = (&mut screen.kind, &outcome) {
            *whole = document.lines.len();
        }
        match outcome {
            Ok(document) => screen.document.learn(document, now),
            Err(failure) => screen.document.fail(failure.sentence, now),
        }
    }
    commits::append(model, at);
    model.dirty = true;
    Vec::new()
}

/// The log of a build, from its end on while that runs.
pub fn open_build_log(model: &mut Model, build: BuildId, of: WorkloadId) -> Vec<Effect> {
    let job = next_job(model);
    let title = format!("#{} of {}", build.number, build.job.path);
    let kind = TextKind::BuildLog(build.clone(), of);
    push(model, title, kind, loading(), job);
    vec![Effect::ReadBuildLog { job, build }]
}

/// All of a text that grows; it is copied only for a screen.
pub fn grown(model: &mut Model, job: JobId, lines: &[String]) {
    let now = model.now;
    keep_end(model, job, |screen| {
        let old = screen.document.last.take();
        let mut kept = old.map_or_else(Vec::new, |(document, _)| document.lines);
        lines.clone_into(&mut kept);
        let document = Document {
            lines: kept,
            read_at: now,
        };
        screen.document.learn(document, now);
    });
}

pub fn build_logged(
    model: &mut Model,
    job: JobId,
    outcome: Result<(Document, bool), Failure>,
) -> Vec<Effect> {
    let now = model.now;
    model.dirty |= keep_end(model, job, |screen| match outcome {
        Ok((mut piece, _)) => {
            let old = screen.document.last.take();
            let mut lines = old.map_or_else(Vec::new, |(document, _)| document.lines);
            lines.append(&mut piece.lines);
            let over = lines.len().saturating_sub(BUILD_LOG);
            lines.drain(..over);
            screen.offset = screen.offset.saturating_sub(over);
            piece.lines = lines;
            screen.document.learn(piece, now);
        }
        Err(failure) => screen.document.fail(failure.line(), now),
    });
    Vec::new()
}

/// Changes the text of this job. Who stands at its end stays there. False when no screen shows it.
fn keep_end(model: &mut Model, job: JobId, change: impl FnOnce(&mut TextScreen)) -> bool {
    let last = last_top(model);
    let its = |screen: &&mut Screen| matches!(screen, Screen::Text(text) if text.job == job);
    let Some(Screen::Text(screen)) = model.screens.iter_mut().find(its) else {
        return false;
    };
    let at_end = screen.offset >= last;
    change(screen);
    if at_end {
        let last = last_top(model);
        if let Some(Screen::Text(screen)) = model.screens.last_mut()
            && screen.job == job
        {
            screen.offset = last;
        }
    }
    true
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    if let Some(effects) = releases::act(model, intent) {
        return effects;
    }
    let (page, last) = (layout::page(model), last_top(model));
    let Some(Screen::Text(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    if let Some(to) = key::moved(intent, screen.offset, last + 1, page) {
        screen.offset = to;
        return Vec::new();
    }
    match intent {
        Intent::Back => {
            let (job, kind) = (screen.job, screen.kind.clone());
            model.screens.pop();
            let mut effects = vec![Effect::Cancel { job }];
            if let TextKind::Making(id) = &kind {
                effects.extend(image::left(model, id));
            }
            return effects;
        }
        Intent::Find => screen.search.open = true,
        Intent::FindNext => find::go(model, Way::Next),
        Intent::FindPrevious => find::go(model, Way::Previous),
        Intent::Copy => {
            let lines = lines(screen).join("\n");
            return vec![Effect::Copy { text: lines }];
        }
        Intent::Retry => return again(model),
        Intent::StopBuild => return image::stop(model),
        Intent::RollBack => notice(model, "there is no revision here to go back to", false),
        _ => {}
    }
    Vec::new()
}

fn lines(screen: &TextScreen) -> &[String] {
    let document = screen.document.value();
    document.map_or(&[], |document| &document.lines)
}

/// The line at the top when the last one is in sight.
fn last_top(model: &Model) -> usize {
    match model.screens.last() {
        Some(Screen::Text(screen)) => {
            layout::last_top(model, lines(screen).iter().map(String::as_str))
        }
        Some(
            Screen::Service(_)
            | Screen::Logs(_)
            | Screen::Doctor(_)
            | Screen::Table(_)
            | Screen::Record(_)
            | Screen::Builds(_)
            | Screen::Changes(_)
            | Screen::Matrix(_),
        )
        | None => 0,
    }
}

fn again(model: &mut Model) -> Vec<Effect> {
    let (job, now) = (next_job(model), model.now);
    let Some(Screen::Text(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let kind = screen.kind.clone();
    let document = match &kind {
        TextKind::Events(id) => Some(events(model, id)),
        // It is made again when the record is read again.
        TextKind::Action { .. } => return record::again(model),
        TextKind::Yaml(_)
        | TextKind::Description(_)
        | TextKind::Comparison { .. }
        | TextKind::Occurrence(_)
        | TextKind::Making(_)
        | TextKind::BuildLog(..)
        | TextKind::Releases(_) => None,
    };
    let Some(Screen::Text(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    let old = std::mem::replace(&mut screen.job, job);
    match kind {
        TextKind::Action { .. } => Vec::new(),
        // Its news come by themselves, by this job.
        TextKind::Making(_) => {
            screen.job = old;
            Vec::new()
        }
        TextKind::Events(_) => {
            if let Some(document) = document {
                screen.document.learn(document, now);
            }
            Vec::new()
        }
        TextKind::Occurrence(_) => {
            notice(model, "it is read again with the list", false);
            Vec::new()
        }
        TextKind::Releases(of) => vec![
            Effect::Cancel { job: old },
            Effect::ReadReleases {
                job,
                of: (of.workload, of.name),
            },
        ],
        TextKind::BuildLog(build, _) => {
            screen.document = loading();
            vec![
                Effect::Cancel { job: old },
                Effect::ReadBuildLog { job, build },
            ]
        }
        TextKind::Description(object) => vec![
            Effect::Cancel { job: old },
            Effect::Describe { job, object },
        ],
        TextKind::Yaml(object) => vec![
            Effect::Cancel { job: old },
            Effect::FetchYaml { job, object },
        ],
        TextKind::Comparison { revisions, .. } => vec![
            Effect::Cancel { job: old },
            Effect::Compare { job, revisions },
        ],
    }
}
