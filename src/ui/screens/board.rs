//! The home screen: one row per workload, worst first, with what is wrong in words and the key that fixes it.

use crate::app::Model;
use crate::app::answering::stale_since;
use crate::app::clusters::ClusterState;
use crate::app::intent::Intent;
use crate::app::layout::scrolled;
use crate::app::model::{Row, SyncWord};
use crate::app::update::missing_permission;
use crate::app::way_back::WayBack;
use crate::app::words::key;
use crate::config::Column as Part;
use crate::domain::canary::At;
use crate::domain::standing::Reason;
use crate::domain::{Color, Health, Kind, Phase, SourceId, source::Feed};
use crate::plan::Verb;
use crate::plan::verbs::canary::{can, flagger};
use crate::text;

use super::super::theme::{self, Role};
use super::super::widgets::bar::bar;
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::super::widgets::table::{Column, Placed, place, scroll_mark};
use super::builds;

/// Cells before the first column: the cursor and the phase's sign.
const MARKS: u16 = 4;

/// From here on bars have ten blocks and the rollout says its age.
const ROOMY: u16 = 100;

/// Draws titles and rows into the area between the header and the lines above the keys.
pub fn board(pen: &mut Pen<'_>, model: &Model) {
    if model.board.has_last_line() {
        let filter = pen.height().saturating_sub(1);
        filter_line(&mut pen.part(0, filter, pen.width(), 1), model);
        let (width, height) = (pen.width(), filter);
        rows(&mut pen.part(0, 0, width, height), model);
    } else {
        rows(pen, model);
    }
}

fn rows(pen: &mut Pen<'_>, model: &Model) {
    let rows = &model.board.rows;
    if rows.is_empty() {
        nothing(pen, model);
        return;
    }
    let height = usize::from(pen.height().saturating_sub(1));
    let at = cursor(model);
    let last = rows.len().saturating_sub(height);
    let offset = scrolled(model.board.offset.min(last), at.unwrap_or(0), height);
    let visible: Vec<Shown<'_>> = rows
        .iter()
        .skip(offset)
        .take(height)
        .map(|row| Shown::new(row, model, pen.width()))
        .collect();
    let columns = place(
        &columns(&visible, model),
        pen.width().saturating_sub(MARKS + 1),
    );
    let mark = scroll_mark(offset, visible.len(), rows.len()).unwrap_or_default();
    let taken = if mark.is_empty() { 0 } else { cells(&mark) + 2 };
    let end = pen.width().saturating_sub(taken);
    for column in &columns {
        let x = MARKS + column.x;
        let room = column.width.min(end.saturating_sub(x));
        let title = match column.title.split_once(' ') {
            Some((first, _)) if cells(column.title) > room => first,
            Some(_) | None => column.title,
        };
        pen.put(x, 0, room, title, Role::Dim);
    }
    pen.right(0, 1, &mark, Role::Dim);
    for (y, shown) in (1..).zip(&visible) {
        let selected = at == Some(offset + usize::from(y) - 1);
        draw(pen, y, shown, &columns, selected);
    }
}

/// Where the cursor's object is now.
fn cursor(model: &Model) -> Option<usize> {
    let (id, uid) = model.board.cursor.as_ref()?;
    model
        .board
        .rows
        .iter()
        .position(|row| row.uid == *uid && row.id == *id)
}

/// A row in words.
struct Shown<'a> {
    row: &'a Row,
    namespace: &'a str,
    service: &'a str,
    environment: String,
    color: Option<Color>,
    version: String,
    rollout: String,
    rollout_short: String,
    ready: String,
    changed: String,
    build: String,
    why: String,
    key: Option<(String, bool)>,
    marked: bool,
    /// How long ago it was so, when nothing newer is known.
    heard: Option<String>,
}

impl<'a> Shown<'a> {
    fn new(row: &'a Row, model: &Model, width: u16) -> Self {
        let version = match &row.from_version {
            Some(from) if *from != row.version => format!("{from} → {}", row.version),
            Some(_) | None => row.version.clone(),
        };
        let rollout_short = rollout(row, model, width);
        let blocks = if width >= ROOMY { 10 } else { 5 };
        let rollout = match (steps(row), row.standing.progress) {
            (Some(at), _) => format!("{} {rollout_short}", bar(at.set, 100, blocks)),
            (None, Some(done)) => {
                format!("{} {rollout_short}", bar(done.done, done.of, blocks))
            }
            (None, None) => rollout_short.clone(),
        };
        Self {
            row,
            namespace: &row.id.namespace,
            service: row.name(),
            environment: row
                .environment
                .clone()
                .unwrap_or_else(|| own_place(row, model)),
            color: model.environment(&row.id).and_then(|e| e.color),
            version,
            rollout,
            rollout_short,
            ready: match row.standing.phase {
                Phase::Unknown => "?".to_owned(),
                Phase::Stalled
                | Phase::Canary
                | Phase::Degraded
                | Phase::RollingBack
                | Phase::Rolling
                | Phase::Paused
                | Phase::Steady
                | Phase::ScaledToZero => format!("{}/{}", row.available, row.desired),
            },
            changed: row.changed.map_or_else(String::new, |at| {
                text::coarse_age(at, model.clock_of(&row.id))
            }),
            build: builds::cell(row.build.as_ref()),
            why: why(row, model),
            key: fixing_key(row, model),
            marked: model.board.marks.contains_key(&row.id),
            heard: stale(model, row).map(|at| format!("{} old", text::age(at, model.now))),
        }
    }

    fn words(&self, part: Part) -> &str {
        match part {
            Part::Namespace => self.namespace,
            Part::Service => self.service,
            Part::Environment => &self.environment,
            Part::Version => &self.version,
            Part::Rollout => &self.rollout,
            Part::Ready => &self.ready,
            Part::Changed => &self.changed,
            Part::Build => &self.build,
            Part::Why => &self.why,
        }
    }

    /// Cells for what stands behind the reason: how old it is, and the key.
    fn behind(&self) -> u16 {
        let key = self.key.as_ref().map(|(key, _)| key);
        [self.heard.as_ref(), key]
            .into_iter()
            .flatten()
            .map(|words| cells(words) + 3)
            .sum()
    }
}

/// A namespace without an environment is one of its own: `prod-eu/shop`, or `prod-eu` when there is but one namespace.
fn own_place(row: &Row, model: &Model) -> String {
    if model.clusters.iter().all(one_namespace) {
        return row.id.cluster.to_string();
    }
    format!("{}/{}", row.id.cluster, row.id.namespace)
}

fn one_namespace(cluster: &ClusterState) -> bool {
    cluster.scope.namespaces.len() == 1
}

/// `3/6 stalled 4m`. How long a rollout that moves is on its way, CHANGED says.
fn rollout(row: &Row, model: &Model, width: u16) -> String {
    let standing = &row.standing;
    let phase = match standing.phase {
        Phase::Steady => String::new(),
        phase @ (Phase::Stalled
        | Phase::Canary
        | Phase::Degraded
        | Phase::RollingBack
        | Phase::Rolling
        | Phase::Paused
        | Phase::Unknown
        | Phase::ScaledToZero) => phase.to_string(),
    };
    let mut words = match (steps(row), standing.progress) {
        // The phase of a canary that moves as it should is said by its steps.
        (Some(at), _) if standing.phase == Phase::Canary => text::canary::at(at),
        (Some(at), _) => format!("{} {phase}", text::canary::at(at)),
        (None, Some(progress)) => format!("{}/{} {phase}", progress.done, progress.of),
        (None, None) => phase,
    };
    let stuck = standing.phase == Phase::Stalled && standing.progress.is_some();
    if let (true, Some(since)) = (stuck && width >= ROOMY, standing.since) {
        words.push(' ');
        words.push_str(&text::age(since, model.clock_of(&row.id)));
    }
    words
}

/// How far its steps are, unless they are given up or it has none.
fn steps(row: &Row) -> Option<&At> {
    let why = row.standing.why.as_ref();
    let aborted = why.is_some_and(|why| why.reason == Reason::Aborted);
    row.canary.as_ref().filter(|at| at.is_told() && !aborted)
}

fn why(row: &Row, model: &Model) -> String {
    match (&row.standing.why, row.sync) {
        (Some(why), _) => why.text.clone(),
        (None, _) if row.followed => "followed".to_owned(),
        (None, Some(word)) => sync_word(word).to_owned(),
        (None, None) => row
            .build
            .as_ref()
            .and_then(|build| builds::progress(build, model.now))
            .or_else(|| way_back(row, model))
            .unwrap_or_default(),
    }
}

/// That there is none is said at once, how good it is where there is room for it.
fn way_back(row: &Row, model: &Model) -> Option<String> {
    let back = WayBack::of(model, model.fleet.workload(&row.id)?);
    let said = model.board.wide || back.is_none();
    back.words().filter(|_| said)
}

fn sync_word(word: SyncWord) -> &'static str {
    match word {
        SyncWord::Suspended => "sync suspended by us",
        SyncWord::OutOfSync => "out of sync",
        SyncWord::Failing => "sync fails",
    }
}

/// The release verb that helps this row, and whether it may be used.
fn fixing_key(row: &Row, model: &Model) -> Option<(String, bool)> {
    if row.followed {
        return None;
    }
    if row.id.kind == Kind::Rollout || row.canary.is_some() {
        return canary_keys(row, model);
    }
    let paused = || {
        let why = row.standing.why.as_ref();
        why.is_some_and(|why| why.reason == Reason::Paused)
    };
    let unchecked = || {
        let case = model.fleet.workload(&row.id).and_then(flagger::case);
        case.is_some_and(|case| case.flagger.is_unchecked())
    };
    let intent = if row.standing.phase == Phase::Stalled {
        Intent::RollBack
    } else if paused() || unchecked() {
        Intent::PauseOrResume
    } else if row.standing.why.is_none() && row.sync == Some(SyncWord::Suspended) {
        Intent::ResumeSync
    } else {
        return None;
    };
    let missing = missing_permission(model, &row.id).is_some();
    let key = model.settings.keymap.shown(intent)?;
    Some((key, !missing && !model.settings.readonly))
}

/// `P A` where a canary waits, `A` where it is on its way, `P` where it was aborted; `u` where Flagger is told to leave it
/// alone or unchecked.
fn canary_keys(row: &Row, model: &Model) -> Option<(String, bool)> {
    let workload = model.fleet.workload(&row.id)?;
    let intents = [
        (Intent::Promote, can::lets_on(workload)),
        (Intent::Abort, Verb::Abort),
        (Intent::PauseOrResume, Verb::Resume),
    ];
    let by_flagger = flagger::case(workload).is_some();
    let works = |verb| can::works(workload, verb).is_ok() && (verb != Verb::Resume || by_flagger);
    let helps = intents.into_iter().filter(|(_, verb)| works(*verb));
    let keys: Vec<_> = helps
        .filter_map(|(intent, _)| model.settings.keymap.shown(intent))
        .collect();
    (!keys.is_empty()).then(|| (keys.join(" "), !model.settings.readonly))
}

/// Since when nothing was heard of this row.
fn stale(model: &Model, row: &Row) -> Option<jiff::Timestamp> {
    let feed = Feed::Workloads(row.id.kind);
    let of = |namespace: Option<Box<str>>| SourceId {
        cluster: row.id.cluster.clone(),
        namespace,
        feed: feed.clone(),
    };
    stale_since(model, &of(None))
        .or_else(|| stale_since(model, &of(Some(row.id.namespace.clone()))))
}

/// The most cells that the first clause of a reason is given before versions are shown whole.
const CLAUSE: u16 = 40;

/// As wide as what is in sight asks for, so that little is cut; least widths are what 80 columns have room for.
fn columns(visible: &[Shown<'_>], model: &Model) -> Vec<Column<Part>> {
    let column = |key, title: &'static str, small: u16, goes| {
        let words = visible.iter().map(|shown| shown.words(key));
        Column::holding(words, key, title, small, goes)
    };
    let (beside_namespace, several) = (beside_namespace(model), model.clusters.len() > 1);
    let crowded = beside_namespace || several;
    let made = |part| match part {
        Part::Namespace => after_the_reason(column(part, "NAMESPACE", 9, 0)),
        Part::Service => column(part, "SERVICE", 13, 0),
        // Of several clusters it tells which.
        Part::Environment if several => after_the_reason(column(part, "ENV", 12, 0)),
        Part::Environment => column(part, "ENV", 8, 4),
        Part::Version => after_the_reason(column(part, "VERSION", 16, 0)),
        Part::Rollout => {
            let rollout = column(part, "ROLLOUT", 18, 0);
            if crowded {
                without_bar(rollout, visible)
            } else {
                rollout
            }
        }
        Part::Ready => column(part, "READY", 7, 1),
        Part::Changed => column(part, "CHANGED", 7, 2),
        Part::Build => column(part, "BUILD", 8, 3),
        Part::Why => why_column(visible, crowded),
    };
    match &model.settings.display.columns {
        Some(chosen) => chosen.iter().copied().map(made).collect(),
        None => every_column(model, beside_namespace).map(made).collect(),
    }
}

/// Whether rows of several namespaces stand side by side, and nothing else says which is which.
fn beside_namespace(model: &Model) -> bool {
    let told = model.clusters.len() > 1 && model.settings.environments.is_empty();
    !told && !model.clusters.iter().all(one_namespace)
}

/// Those that tell rows apart or say something about them here.
fn every_column(model: &Model, beside_namespace: bool) -> impl Iterator<Item = Part> {
    let environments = !model.settings.environments.is_empty() || model.clusters.len() > 1;
    let builds = !model.settings.jenkins.is_empty();
    let all = [
        Part::Namespace,
        Part::Service,
        Part::Environment,
        Part::Version,
        Part::Rollout,
        Part::Ready,
        Part::Changed,
        Part::Build,
        Part::Why,
    ];
    all.into_iter().filter(move |part| match part {
        Part::Namespace => beside_namespace,
        Part::Environment => environments,
        Part::Build => builds,
        Part::Service | Part::Version | Part::Rollout | Part::Ready | Part::Changed | Part::Why => {
            true
        }
    })
}

/// The bar gives way: what is left says the same in words.
fn without_bar(rollout: Column<Part>, visible: &[Shown<'_>]) -> Column<Part> {
    let short = visible.iter().map(|shown| cells(&shown.rollout_short));
    let short = short.max().unwrap_or(0).max(cells(rollout.title));
    let least = rollout.least.min(short);
    after_the_reason(Column { least, ..rollout })
}

/// It is whole only once the reasons are.
fn after_the_reason(column: Column<Part>) -> Column<Part> {
    Column {
        wants: column.least,
        ..column
    }
}

fn why_column(visible: &[Shown<'_>], crowded: bool) -> Column<Part> {
    let needs = |shown: &Shown<'_>| {
        let clause = cells(text::clause(&shown.why)).min(CLAUSE);
        if clause == 0 && shown.heard.is_none() {
            return 0;
        }
        clause + shown.behind()
    };
    let least = if crowded { 11 } else { 22 };
    Column {
        key: Part::Why,
        title: "WHY AND WHAT NEXT",
        least,
        wants: visible.iter().map(needs).max().unwrap_or(0).max(least),
        most: u16::MAX,
        goes: 0,
    }
}

fn draw(pen: &mut Pen<'_>, y: u16, shown: &Shown<'_>, columns: &[Placed<Part>], selected: bool) {
    let (sign, phase_role) = theme::phase(shown.row.standing.phase);
    if selected {
        pen.put(0, y, 1, "❯", Role::Key);
    }
    if shown.marked {
        pen.put(1, y, 1, "▌", Role::Key);
    }
    pen.stale(shown.heard.is_some());
    pen.put(2, y, 1, sign, phase_role);
    for column in columns {
        let x = MARKS + column.x;
        let role = match column.key {
            Part::Service | Part::Namespace if selected => Role::Strong,
            Part::Rollout => phase_role,
            Part::Environment => shown.color.map_or(Role::Dim, Role::Named),
            Part::Changed => Role::Dim,
            Part::Build => builds::role(shown.row.build.as_ref()),
            Part::Why => why_role(shown.row.standing.phase),
            Part::Service | Part::Namespace | Part::Version | Part::Ready => Role::Plain,
        };
        match column.key {
            Part::Why => draw_why(pen, (x, y), column.width, shown, role),
            Part::Rollout if cells(&shown.rollout) > column.width => {
                pen.put(x, y, column.width, &shown.rollout_short, role);
            }
            Part::Version => draw_version(pen, (x, y), column.width, shown),
            // Of places that are alike the end tells them apart.
            Part::Environment if shown.row.environment.is_none() => {
                pen.put_end(x, y, column.width, &shown.environment, role);
            }
            Part::Namespace => {
                pen.put_end(x, y, column.width, shown.namespace, role);
            }
            Part::Rollout
            | Part::Service
            | Part::Environment
            | Part::Ready
            | Part::Changed
            | Part::Build => {
                pen.put(x, y, column.width, shown.words(column.key), role);
            }
        }
    }
    pen.stale(false);
}

fn why_role(phase: Phase) -> Role {
    match phase {
        Phase::Stalled | Phase::Degraded => Role::Bad,
        Phase::Canary | Phase::Paused | Phase::Unknown => Role::Warn,
        Phase::RollingBack | Phase::Rolling | Phase::Steady => Role::Plain,
        Phase::ScaledToZero => Role::Dim,
    }
}

/// Where it goes to matters most: when it is too long, where it comes from is cut first.
fn draw_version(pen: &mut Pen<'_>, (x, y): (u16, u16), width: u16, shown: &Shown<'_>) {
    let to = &shown.row.version;
    let from = shown.row.from_version.as_ref().filter(|from| *from != to);
    match from {
        Some(from) if cells(&shown.version) > width && width > 9 => {
            let room = width - 3;
            let room = room.saturating_sub(cells(to)).max(4);
            let end = pen.put(x, y, room, from, Role::Plain);
            let end = pen.put(end, y, 3, " → ", Role::Dim);
            pen.put(end, y, (x + width).saturating_sub(end), to, Role::Plain);
        }
        Some(_) | None => {
            pen.put(x, y, width, &shown.version, Role::Plain);
        }
    }
}

/// The key is never cut: the reason gives way, a clause at a time. The age of old news gives way to the first
/// clause; the header tells it as well.
fn draw_why(pen: &mut Pen<'_>, (x, y): (u16, u16), width: u16, shown: &Shown<'_>, role: Role) {
    let needs = cells(text::clause(&shown.why)) + shown.behind();
    let heard = shown.heard.as_ref().filter(|_| needs <= width);
    let behind = [
        heard.map(|age| (age, Role::Dim)),
        shown.key.as_ref().map(|(key, usable)| {
            let role = if *usable { Role::Key } else { Role::Dim };
            (key, role)
        }),
    ];
    let behind: Vec<_> = behind.into_iter().flatten().collect();
    let taken: u16 = behind.iter().map(|(words, _)| cells(words) + 3).sum();
    let mut end = pen.put_clause(x, y, width.saturating_sub(taken), &shown.why, role);
    for (words, role) in behind {
        if end > x {
            end = pen.put(end, y, 3, " · ", Role::Dim);
        }
        end = pen.put(end, y, (x + width).saturating_sub(end), words, role);
    }
}

/// `/ check  12 hidden`.
fn filter_line(pen: &mut Pen<'_>, model: &Model) {
    let board = &model.board;
    let mut x = 1;
    if !board.marks.is_empty() {
        let back = key(model, Intent::Back);
        let words = format!("▌{} marked ({back} clears)  ", board.marks.len());
        x = pen.line(x, 0, &words, Role::Key);
    }
    if board.only_trouble {
        let words = format!(
            "only trouble ({} shows all)  ",
            key(model, Intent::OnlyTrouble)
        );
        x = pen.line(x, 0, &words, Role::Warn);
    }
    if board.filtering {
        x = input(pen, x, 0, "/ ", &board.filter) + 2;
    } else if !board.filter.value().is_empty() {
        x = pen.line(x, 0, "/ ", Role::Dim);
        x = pen.line(x, 0, board.filter.value(), Role::Strong) + 2;
    }
    if board.hidden > 0 {
        pen.line(x, 0, &format!("{} hidden", board.hidden), Role::Warn);
    }
}

/// No rows: because nothing is there, because nothing is known yet, or because the filter hides them.
fn nothing(pen: &mut Pen<'_>, model: &Model) {
    let board = &model.board;
    let listing = model.sources.is_empty()
        || model.sources.iter().any(|(source, state)| {
            matches!(source.feed, Feed::Workloads(_))
                && !state.synced
                && !matches!(state.health, Health::Denied(_))
        });
    let elsewhere = || {
        let (all, palette) = (
            key(model, Intent::AllNamespaces),
            key(model, Intent::Palette),
        );
        format!("{all} shows all namespaces, {palette}ns picks one")
    };
    let back = key(model, Intent::Back);
    let first = model.clusters.first();
    let namespaces = first.map_or(&[][..], |c| &c.scope.namespaces);
    let (words, hint) = match (board.hidden, listing) {
        (0, true) => ("Listing services…".to_owned(), String::new()),
        (0, false) => match namespaces {
            [] => ("No services in this cluster.".to_owned(), String::new()),
            [one] => (format!("No services in namespace {one}."), elsewhere()),
            many => (format!("No services in {}.", many.join(", ")), elsewhere()),
        },
        (1, _) => (
            "The filter hides the one service there is.".to_owned(),
            format!("{back} shows it"),
        ),
        (hidden, _) => (
            format!("The filter hides all {hidden} services."),
            format!("{back} shows them"),
        ),
    };
    pen.line(2, 1, &words, Role::Plain);
    pen.line(2, 2, &hint, Role::Dim);
}
