//! Time passes: ages, deadlines, notices. A tick after which nothing visible reads differently paints nothing.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::layout;
use crate::app::model::{ChangesScreen, MatrixScreen, Model, Overlay, RecordScreen, Screen, Stage};
use crate::app::settle::{self, settle};
use crate::app::way_back;
use crate::domain::{Connection, Health, Phase};
use crate::plan::Follow;
use crate::text::{age, coarse_age};

use super::{board, commits, follow, measuring, notice, usage};

pub fn ticked(model: &mut Model, now: Timestamp) -> Vec<Effect> {
    model.now = model.of_ours(now);
    if model
        .notice
        .as_ref()
        .is_some_and(|notice| notice.until <= model.now)
    {
        model.notice = None;
        model.dirty = true;
    }
    if model.arming.is_some_and(|armed| armed.until <= model.now) {
        model.arming = None;
        notice(
            model,
            "writes in protected environments are off again",
            false,
        );
    }
    let expired = model.fleet.expire(model.now);
    model.work.touched.extend(expired);
    settle::touch_what_ages(model);
    let mut effects = follow::fold(model);
    effects.extend(usage::ask(model));
    effects.extend(measuring::ask(model));
    effects.extend(commits::ask(model));
    effects.extend(super::matrix::ask(model));
    effects.extend(board::new_images(model));
    settle(model);
    effects.extend(way_back::watch(model));
    settle::tidy(model);
    let ages = ages(model);
    if ages != model.ages {
        model.ages = ages;
        model.dirty = true;
    }
    effects
}

/// All that is on the screen and changes with time alone.
fn ages(model: &Model) -> u64 {
    let mut words = Words(DefaultHasher::new(), model.now);
    header(model, &mut words);
    match model.screens.last() {
        None => rows(model, &mut words),
        Some(Screen::Service(screen)) => service(model, screen, &mut words),
        Some(Screen::Text(screen)) => {
            if let Some((_, at)) = &screen.document.last {
                words.age(*at);
            }
        }
        Some(Screen::Record(screen)) => record(model, screen, &mut words),
        Some(Screen::Changes(screen)) => changes(model, screen, &mut words),
        Some(Screen::Table(screen)) => {
            if let Some((_, at)) = &screen.table.last {
                words.age(*at);
            }
        }
        Some(Screen::Matrix(screen)) => matrix(model, screen, &mut words),
        Some(Screen::Builds(screen)) => {
            for build in model.chain.builds(&screen.job) {
                build.started.into_iter().for_each(|at| words.age(at));
            }
        }
        Some(Screen::Logs(_) | Screen::Doctor(_)) => {}
    }
    for following in &model.follows {
        if following.open && matches!(following.state, Follow::Pending(_)) {
            words.by(model.clock_of(&following.goal.workload));
            words.age(following.goal.accepted);
        }
    }
    words.by(model.now);
    if let Some(Overlay::Plan(shown)) = &model.overlay
        && let Stage::Gathering { since } = shown.stage
    {
        words.age(since);
    }
    words.0.finish()
}

struct Words(DefaultHasher, Timestamp);

impl Words {
    fn age(&mut self, since: Timestamp) {
        age(since, self.1).hash(&mut self.0);
    }

    fn coarse_age(&mut self, since: Timestamp) {
        coarse_age(since, self.1).hash(&mut self.0);
    }

    fn until(&mut self, at: Timestamp) {
        age(self.1, at).hash(&mut self.0);
    }

    /// From here on the words go by this clock.
    fn by(&mut self, now: Timestamp) {
        self.1 = now;
    }

    fn seconds(&mut self) {
        self.1.as_second().hash(&mut self.0);
    }
}

fn changes(model: &Model, screen: &ChangesScreen, words: &mut Words) {
    let lines = super::changes::lines(model, screen);
    let shown = lines
        .iter()
        .skip(screen.offset)
        .take(layout::changes_rows(model));
    shown.for_each(|one| words.age(one.at));
    screen.read_at.iter().for_each(|at| words.age(*at));
}

/// The ages in its cells are coarse; those of what was read are not.
fn matrix(model: &Model, screen: &MatrixScreen, words: &mut Words) {
    for known in screen.digests.values() {
        known.last.iter().for_each(|(_, at)| words.age(*at));
    }
    for row in model
        .board
        .rows
        .iter()
        .chain(model.board.hidden_rows.values())
    {
        row.changed.iter().for_each(|at| words.coarse_age(*at));
    }
}

fn header(model: &Model, words: &mut Words) {
    if model.arming.is_some() {
        words.seconds();
    }
    for cluster in &model.clusters {
        match &cluster.connection {
            Connection::Connecting { since, .. } => words.age(*since),
            Connection::Failed { since, next, .. } => {
                words.age(*since);
                words.until(*next);
            }
            Connection::Connected(_) => {}
        }
    }
    for note in model
        .fleet
        .suspended()
        .filter_map(|s| s.suspension.as_ref())
    {
        words.age(note.at);
    }
    for state in model.sources.values() {
        match &state.health {
            Health::Quiet { since } => words.age(*since),
            Health::Retrying { since, next, .. } => {
                words.age(*since);
                words.until(*next);
                if let Some(contact) = state.contact {
                    words.age(contact);
                }
            }
            Health::Live
            | Health::Absent
            | Health::Listing(_)
            | Health::Denied(_)
            | Health::AuthExpired(_)
            | Health::Undecodable(_) => {}
        }
    }
}

fn rows(model: &Model, words: &mut Words) {
    let rows = layout::board_rows(model);
    for row in model.board.rows.iter().skip(model.board.offset).take(rows) {
        words.by(model.clock_of(&row.id));
        if let Some(at) = row.changed {
            words.coarse_age(at);
        }
        let stuck = row.standing.phase == Phase::Stalled;
        if let Some(at) = row.standing.since.filter(|_| stuck) {
            words.age(at);
        }
    }
}

fn record(model: &Model, screen: &RecordScreen, words: &mut Words) {
    if let Some((_, read_at)) = &screen.page.last {
        words.age(*read_at);
    }
    for row in (screen.offset..).take(layout::record_rows(model)) {
        if let Some(entry) = screen.entry(row) {
            words.age(entry.at());
        }
    }
}

fn service(model: &Model, screen: &crate::app::model::ServiceScreen, words: &mut Words) {
    let Some(workload) = model.fleet.workload(&screen.workload) else {
        return;
    };
    words.by(model.clock_of(&workload.id));
    let row = model
        .board
        .rows
        .iter()
        .find(|row| row.id == screen.workload);
    let steady = row.is_some_and(|row| row.standing.phase == Phase::Steady);
    if !steady {
        // `4m12s of 10m`, `gives up in 5m48s`.
        words.seconds();
    }
    for revision in model.fleet.revisions(workload) {
        words.age(revision.created);
    }
    for pod in model.fleet.pods(model.fleet.stand_in(workload)) {
        words.age(pod.created);
    }
    for warning in model.fleet.warnings(workload) {
        words.age(warning.last_seen);
    }
    if let Some((_, at)) = workload.written_by {
        words.age(at);
    }
}
