//! The model before anything is known.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::clusters::ClusterState;
use crate::app::effect::Effect;
use crate::app::keymap::Keymap;
use crate::app::model::{Armed, Board, Model, Settings, View, Work};
use crate::config::{Config, Namespaces};
use crate::domain::release_record::FILE;
use crate::domain::{ClusterId, Failure, Fleet};

use super::{later, plan::ARMED_SECONDS, settings::said};

impl Model {
    /// `width` and `height` are those of the terminal, in cells. The feeds are asked for once the cluster is known.
    pub fn new(config: &Config, now: Timestamp, width: u16, height: u16) -> (Self, Vec<Effect>) {
        let settings = Settings::new(config).unwrap_or_else(|clash| Settings {
            keymap: Keymap::build(&BTreeMap::new()).unwrap_or_default(),
            broken: Some(format!("{}; the default keys are in force", said(&clash))),
            ..Settings::with(config, Keymap::default())
        });
        let clusters = config.clusters();
        let model = Self {
            now,
            width,
            height,
            settings,
            clusters: clusters.iter().map(|id| cluster(config, id, now)).collect(),
            view: view(config),
            epoch: 0,
            sources: BTreeMap::new(),
            fleet: Fleet::default(),
            board: Board::default(),
            screens: Vec::new(),
            overlay: None,
            batch: None,
            follows: Vec::new(),
            arming: config.armed_at_start.then(|| Armed {
                until: later(now, ARMED_SECONDS),
            }),
            notice: None,
            next_job: 0,
            executions: Vec::new(),
            ended: BTreeSet::new(),
            watched: Vec::new(),
            work: Work::default(),
            command: config.command.clone(),
            ages: 0,
            dirty: true,
        };
        (model, vec![Effect::Connect { clusters }])
    }
}

impl Settings {
    /// # Errors
    /// Keys that are none, or that clash.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        Keymap::build(&config.keys).map(|keymap| Self::with(config, keymap))
    }

    fn with(config: &Config, keymap: Keymap) -> Self {
        Self {
            display: config.display.clone(),
            readonly: config.readonly,
            environments: config.environments.clone(),
            service_label: config.service_label.clone(),
            holds: config.holds.clone(),
            keymap,
            aliases: config.aliases.clone(),
            programs: config.programs.clone(),
            kubeconfig: config
                .connection
                .kubeconfig
                .as_ref()
                .map(|file| file.display().to_string()),
            verify_seconds: config.verify_seconds,
            at_once: config.at_once,
            log_file: config.state_dir.join("rolldeck.log").display().to_string(),
            record_file: config.state_dir.join(FILE).display().to_string(),
            clusters: config.clusters(),
            broken: None,
        }
    }
}

fn cluster(config: &Config, id: &ClusterId, now: Timestamp) -> ClusterState {
    let mut cluster = ClusterState::new(id.clone(), now);
    cluster.scope.namespaces = named(config);
    cluster
}

fn named(config: &Config) -> Vec<Box<str>> {
    match &config.namespaces {
        Namespaces::Named(names) => names.iter().map(|name| name.as_str().into()).collect(),
        Namespaces::OfContext | Namespaces::All => Vec::new(),
    }
}

fn view(config: &Config) -> View {
    let favourites = named(config);
    let mut known = favourites.clone();
    known.sort();
    View {
        asked: config.namespaces.clone(),
        known,
        favourites,
    }
}
