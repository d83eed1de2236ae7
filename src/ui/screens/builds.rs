//! The builds of one service, newest first, with what runs what they made; and builds in few words, for the board.

use jiff::Timestamp;

use crate::app::Model;
use crate::app::deliveries::deliveries;
use crate::app::intent::Intent;
use crate::app::layout::{builds_foot, builds_rows, scrolled};
use crate::app::model::{BuildsScreen, RowBuild};
use crate::app::words::key;
use crate::domain::build::{Build, Outcome, Stage, StageState, State, Tests};
use crate::domain::chain::Newest;
use crate::domain::delivery::{Delivery, ran};
use crate::domain::{commit, known};
use crate::text;

use super::super::theme::Role;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::{Column, Placed, place, scroll_mark};

/// Cells before the first column: the cursor.
const MARKS: u16 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Number,
    Result,
    When,
    Took,
    Commit,
    Cause,
    Tests,
    Runs,
}

/// A build in words.
struct Shown<'a> {
    build: &'a Build,
    number: String,
    result: String,
    when: String,
    took: String,
    commit: String,
    cause: String,
    tests: String,
    runs: String,
}

pub fn builds(pen: &mut Pen<'_>, model: &Model, screen: &BuildsScreen) {
    let builds = model.chain.builds(&screen.job);
    title(pen, model, screen, builds.len());
    queue(pen, model, screen);
    if builds.is_empty() {
        let words = match model.chain.job(&screen.job) {
            None => "nothing is known of this job so far",
            Some(_) => "it was never built",
        };
        pen.line(MARKS, 3, words, Role::Dim);
        return;
    }
    let (height, at) = (builds_rows(model), screen.at(builds));
    let offset = scrolled(screen.offset, at, height);
    let tied = tied(model, screen, builds);
    let in_sight = builds.iter().skip(offset).take(height);
    let shown: Vec<_> = in_sight
        .map(|build| Shown::new(build, model, &tied))
        .collect();
    let columns = place(&columns(&shown), pen.width().saturating_sub(MARKS + 1));
    for column in &columns {
        pen.put(MARKS + column.x, 2, column.width, column.title, Role::Dim);
    }
    let mark = scroll_mark(offset, shown.len(), builds.len()).unwrap_or_default();
    pen.right(2, 1, &mark, Role::Dim);
    for (y, (row, shown)) in (3..).zip((offset..).zip(&shown)) {
        draw(pen, y, shown, &columns, row == at);
    }
    if let (Some(build), 1..) = (builds.get(at), builds_foot(model)) {
        let y = u16::try_from(height).unwrap_or(u16::MAX).saturating_add(4);
        told(pen, y, build);
    }
}

fn title(pen: &mut Pen<'_>, model: &Model, screen: &BuildsScreen, count: usize) {
    let x = pen.line(1, 0, "BUILDS", Role::Strong) + 2;
    let job = &screen.job;
    let x = pen.line(
        x,
        0,
        &format!("{} on {}", job.path, job.server),
        Role::Plain,
    ) + 2;
    let mut servers = model.chain.servers();
    let known = servers.find(|(name, _)| **name == *job.server);
    let (words, role) = match known.map(|(_, known)| &known.state) {
        Some(known::State::Failed { why, since }) => {
            let ago = text::age(*since, model.now);
            (format!("no answer for {ago}: {why}"), Role::Bad)
        }
        Some(known::State::Fresh) => (text::count(count, "build"), Role::Dim),
        Some(known::State::Never | known::State::Loading) | None => ("asking …".into(), Role::Dim),
    };
    pen.line(x, 0, &words, role);
}

fn queue(pen: &mut Pen<'_>, model: &Model, screen: &BuildsScreen) {
    let Some(job) = model.chain.job(&screen.job) else {
        return;
    };
    if !job.buildable {
        let words = if let Some(hold) = job.hold() {
            let key = key(model, Intent::ResumeJob);
            format!("{} · {key} ends it", text::held(&hold, model.now))
        } else {
            let why = job.description.as_deref().unwrap_or("nobody says why");
            format!("switched off: {why}")
        };
        pen.line(MARKS, 1, &words, Role::Warn);
    } else if let Some(queued) = &job.queued {
        let since = queued.since.map(|since| text::age(since, model.now));
        let since = since.map_or_else(String::new, |since| format!(" for {since}"));
        let why = queued
            .why
            .as_deref()
            .unwrap_or("the server does not say for what");
        let words = format!("one waits in the queue{since}: {why}");
        pen.line(
            MARKS,
            1,
            &words,
            if queued.stuck {
                Role::Warn
            } else {
                Role::Moving
            },
        );
    }
}

fn tied<'a>(model: &'a Model, screen: &BuildsScreen, builds: &'a [Build]) -> Vec<Delivery<'a>> {
    let Some(workload) = model.fleet.workload(&screen.workload) else {
        return Vec::new();
    };
    deliveries(
        model,
        model.fleet.revisions(workload),
        (&screen.job, builds),
    )
}

impl<'a> Shown<'a> {
    fn new(build: &'a Build, model: &Model, tied: &[Delivery<'_>]) -> Self {
        let now = model.now;
        let took = ran(build, now).map(|took| text::duration(took.as_secs()));
        let its = tied
            .iter()
            .filter(|d| d.build.is_some_and(|b| b.id == build.id));
        let runs: Vec<_> = its.filter_map(runs).collect();
        let newest = build.commits.first();
        Self {
            number: format!("#{}", build.id.number),
            result: result(build, now),
            when: build
                .started
                .map_or_else(String::new, |at| text::coarse_age(at, now)),
            took: took.unwrap_or_default(),
            commit: commit::short(&build.commit().unwrap_or_default()).to_owned(),
            cause: match newest {
                Some(commit) => format!("{} ({})", commit.subject, commit.author),
                None => build
                    .causes
                    .first()
                    .map_or_else(String::new, ToString::to_string),
            },
            tests: build.tests.map_or_else(String::new, tests),
            runs: runs.join(", "),
            build,
        }
    }

    fn words(&self, part: Part) -> &str {
        match part {
            Part::Number => &self.number,
            Part::Result => &self.result,
            Part::When => &self.when,
            Part::Took => &self.took,
            Part::Commit => &self.commit,
            Part::Cause => &self.cause,
            Part::Tests => &self.tests,
            Part::Runs => &self.runs,
        }
    }
}

/// `rev 42 by its tag`.
fn runs(delivery: &Delivery<'_>) -> Option<String> {
    let (revision, tie) = (delivery.revision?, delivery.tie?);
    Some(format!("rev {} {}", revision.number, tie.words()))
}

/// How far it is, or how it ended.
pub fn result(build: &Build, now: Timestamp) -> String {
    match build.state {
        State::Running => build
            .percent(now)
            .map_or("runs".into(), |p| format!("{p}%")),
        State::Done(outcome) => word(outcome).into(),
    }
}

fn tests(tests: Tests) -> String {
    match tests.failed {
        0 => format!("{} ok", tests.total - tests.skipped.min(tests.total)),
        failed => format!("{failed} failed"),
    }
}

fn columns(shown: &[Shown<'_>]) -> Vec<Column<Part>> {
    let column = |part, title: &'static str, small: u16, goes| {
        let words = shown.iter().map(|shown| shown.words(part));
        Column::holding(words, part, title, small, goes)
    };
    vec![
        column(Part::Number, "BUILD", 5, 0),
        column(Part::Result, "RESULT", 8, 0),
        column(Part::When, "WHEN", 4, 0),
        column(Part::Took, "TOOK", 5, 1),
        column(Part::Commit, "COMMIT", 7, 0),
        column(Part::Tests, "TESTS", 6, 2),
        column(Part::Runs, "RUNS AS", 10, 0),
        column(Part::Cause, "WHAT IS NEW, OR WHY IT RAN", 12, 0),
    ]
}

fn draw(pen: &mut Pen<'_>, y: u16, shown: &Shown<'_>, columns: &[Placed<Part>], marked: bool) {
    if marked {
        pen.put(0, y, 1, "❯", Role::Key);
    }
    for column in columns {
        let role = match column.key {
            Part::Number if marked => Role::Strong,
            Part::Result => match shown.build.state {
                State::Running => Role::Moving,
                State::Done(outcome) => of_outcome(outcome),
            },
            Part::When | Part::Took => Role::Dim,
            Part::Tests if shown.build.tests.is_some_and(|tests| tests.failed > 0) => Role::Bad,
            Part::Number | Part::Commit | Part::Cause | Part::Tests | Part::Runs => Role::Plain,
        };
        pen.put(
            MARKS + column.x,
            y,
            column.width,
            shown.words(column.key),
            role,
        );
    }
}

/// The marked build in five lines; a key opens its log.
fn told(pen: &mut Pen<'_>, y: u16, build: &Build) {
    let list = |words: Vec<String>| {
        if words.is_empty() {
            "none".to_owned()
        } else {
            words.join(", ")
        }
    };
    let stages = list(build.stages.iter().map(stage).collect());
    let given = build
        .parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let lines = [
        ("stages", stages),
        ("given", list(given.collect())),
        (
            "image",
            build
                .image
                .as_deref()
                .unwrap_or("it does not tell")
                .to_owned(),
        ),
        (
            "blame",
            list(build.culprits.iter().map(ToString::to_string).collect()),
        ),
        ("page", build.url.to_string()),
    ];
    for (y, (title, words)) in (y..).zip(&lines) {
        pen.put(MARKS, y, 8, title, Role::Dim);
        let x = MARKS + 9;
        pen.put(
            x,
            y,
            pen.width().saturating_sub(x + 1).min(cells(words)),
            words,
            Role::Plain,
        );
    }
}

/// `test ok 42s`.
fn stage(stage: &Stage) -> String {
    let word = match stage.state {
        StageState::Waiting => "waits",
        StageState::Running => "runs",
        StageState::Paused => "waits for a person",
        StageState::Success => "ok",
        StageState::Unstable => "unstable",
        StageState::Failed => "failed",
        StageState::Aborted => "aborted",
        StageState::Skipped => "skipped",
    };
    let took = text::duration(stage.duration.as_secs());
    format!("{} {word} {took}", stage.name)
}

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
