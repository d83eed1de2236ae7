//! The machine as a person meets it: keys and news in, a model and effects out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::app::effect::Effect;
use crate::app::event::{Event, LogNews};
use crate::app::keymap::{Code, Key};
use crate::app::model::{Model, Overlay, Screen, Stage};
use crate::app::{settle, update};
use crate::config::{Config, Namespaces};
use crate::domain::{
    Change, Connection, Environment, Feed, Fleet, Health, Identity, Item, ItemId, Kind, Level,
    Phase, PinnedBy, SourceId, Truth, Update, Workload, fixture,
};
use crate::plan::check::CheckState;
use crate::plan::verbs::rollback::sample;
use crate::plan::{CheckId, Finding, Follow, Progress, Target, Verdict};

mod ask;
mod batch;
mod board;
mod builds;
mod changes;
mod clusters;
mod command;
mod filter;
mod handover;
mod layout;
mod logs;
mod making;
mod matrix;
mod measuring;
mod plan;
mod readers;
mod record;
mod registry;
mod release;
mod scope;
mod sequences;
mod service;
mod settings;
mod table;
mod tags;
mod time;
mod usage;
mod way_back;

fn identity(namespace: Option<&str>) -> Identity {
    Identity {
        server: "https://api".into(),
        version: "v1.36.3".into(),
        pinned: PinnedBy::KubeSystem("u".into()),
        user: None,
        namespace: namespace.map(Into::into),
    }
}

fn model_with(config: &Config, namespace: Option<&str>) -> (Model, Vec<Effect>) {
    let (mut model, _) = Model::new(config, fixture::now(), 120, 24);
    let state = Connection::Connected(identity(namespace));
    let effects = update(
        &mut model,
        Event::Connection {
            cluster: "prod-eu".into(),
            state,
        },
    );
    (model, effects)
}

fn start() -> Model {
    model_with(&Config::default(), None).0
}

fn source(kind: Kind, namespace: Option<&str>) -> SourceId {
    SourceId {
        cluster: "prod-eu".into(),
        namespace: namespace.map(Into::into),
        feed: Feed::Workloads(kind),
    }
}

fn news(model: &mut Model, source: SourceId, updates: Vec<Update>) -> Vec<Effect> {
    let (epoch, at) = (model.epoch, model.now);
    let effects = update(
        model,
        Event::Fed {
            source,
            epoch,
            at,
            updates,
        },
    );
    settle(model);
    effects
}

fn put(model: &mut Model, workloads: &[Workload]) -> Vec<Effect> {
    let put = |w: &Workload| Update::Change(Change::Put(Item::Workload(Box::new(w.clone()))));
    news(
        model,
        source(Kind::Deployment, None),
        workloads.iter().map(put).collect(),
    )
}

fn steady(name: &str) -> Workload {
    let mut workload = fixture::workload(Kind::Deployment);
    workload.id.name = name.into();
    workload.uid = format!("uid-{name}").as_str().into();
    workload.selector = format!("app={name}").into();
    workload
}

fn stalled(name: &str) -> Workload {
    let mut workload = steady(name);
    workload.counts.updated = 2;
    workload.counts.total = 7;
    let mut progressing =
        fixture::condition("Progressing", Truth::False, "ProgressDeadlineExceeded");
    progressing.message = "has timed out progressing".into();
    workload.conditions = [
        fixture::condition("Available", Truth::True, "x"),
        progressing,
    ]
    .into();
    workload
}

/// Keys as text; `^` stands before a letter with ctrl, `\n` is enter, `\x1b` esc.
fn keys(model: &mut Model, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let key = match c {
            '^' => Key::ctrl(chars.next().unwrap()),
            '\n' => Key::plain(Code::Enter),
            '\x1b' => Key::plain(Code::Esc),
            '\t' => Key::plain(Code::Tab),
            c => Key::char(c),
        };
        effects.extend(update(model, Event::Key(key)));
        settle(model);
    }
    effects
}

fn names(model: &Model) -> Vec<&str> {
    model.board.rows.iter().map(|row| &*row.id.name).collect()
}

fn cursor(model: &Model) -> &str {
    &model.board.cursor.as_ref().unwrap().0.name
}

fn fleet() -> Model {
    let mut model = start();
    put(
        &mut model,
        &[
            steady("auth"),
            steady("billing"),
            stalled("checkout"),
            steady("search"),
        ],
    );
    model
}
