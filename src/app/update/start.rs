//! The model before anything is known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::keymap::Keymap;
use crate::app::model::{Armed, Board, Model, Scope, Settings, Work};
use crate::config::{Config, Namespaces};
use crate::domain::{ClusterId, Connection, Fleet};

use super::{later, notice, plan::ARMED_SECONDS};

impl Model {
    /// `width` and `height` are those of the terminal, in cells. The feeds are asked for once the cluster is known.
    pub fn new(config: &Config, now: Timestamp, width: u16, height: u16) -> (Self, Vec<Effect>) {
        let (keymap, clash) = match Keymap::build(&config.keys) {
            Ok(keymap) => (keymap, None),
            Err(failure) => (
                Keymap::build(&BTreeMap::new()).unwrap_or_default(),
                Some(failure.sentence),
            ),
        };
        let context = config.connection.context.as_deref();
        let log_file = config.state_dir.join("rolldeck.log");
        let mut model = Self {
            now,
            width,
            height,
            settings: Settings {
                display: config.display.clone(),
                readonly: config.readonly,
                environments: config.environments.clone(),
                keymap,
                verify_seconds: config.verify_seconds,
                log_file: log_file.display().to_string(),
            },
            cluster: ClusterId::from(context.unwrap_or("")),
            connection: Connection::Connecting {
                doing: "reading the kubeconfig".into(),
                since: now,
            },
            scope: scope(config),
            epoch: 0,
            sources: BTreeMap::new(),
            skew: 0,
            fleet: Fleet::default(),
            board: Board::default(),
            screens: Vec::new(),
            overlay: None,
            follows: Vec::new(),
            arming: config.armed_at_start.then(|| Armed {
                until: later(now, ARMED_SECONDS),
            }),
            notice: None,
            permissions: BTreeMap::new(),
            next_job: 0,
            executions: Vec::new(),
            ended: BTreeSet::new(),
            watched: Vec::new(),
            work: Work::default(),
            command: config.command.clone(),
            ages: 0,
            dirty: true,
        };
        if let Some(clash) = clash {
            notice(
                &mut model,
                format!("{clash}; the default keys are in force"),
                true,
            );
        }
        (model, Vec::new())
    }
}

fn scope(config: &Config) -> Scope {
    let named: Vec<Box<str>> = match &config.namespaces {
        Namespaces::Named(names) => names.iter().map(|name| name.as_str().into()).collect(),
        Namespaces::OfContext | Namespaces::All => Vec::new(),
    };
    let mut known = named.clone();
    known.sort();
    Scope {
        asked: config.namespaces.clone(),
        known,
        favourites: named.clone(),
        namespaces: named,
        note: None,
        resolved: false,
    }
}
