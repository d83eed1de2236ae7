//! The model before anything is known.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::app::effect::Effect;
use crate::app::keymap::Keymap;
use crate::app::model::{Armed, Board, Model, Settings, View, Work};
use crate::config::{Config, Namespaces};
use crate::domain::release_record::FILE;
use crate::domain::{Chain, Failure, Fleet};

use super::clusters::made;
use super::{arm::ARMED_SECONDS, later};

impl Model {
    /// `width` and `height` are those of the terminal, in cells. The feeds are asked for once the cluster is known.
    pub fn new(config: &Config, now: Timestamp, width: u16, height: u16) -> (Self, Vec<Effect>) {
        let settings = Settings::new(config).unwrap_or_else(|clash| Settings {
            keymap: Keymap::build(&BTreeMap::new()).unwrap_or_default(),
            broken: Some(format!("{}; the default keys are in force", clash.line())),
            ..Settings::with(config, Keymap::default())
        });
        let (clusters, view) = (config.clusters(), view(config));
        let model = Self {
            now,
            width,
            height,
            settings,
            clusters: clusters
                .iter()
                .map(|id| made(&view, &config.environments, id, now))
                .collect(),
            view,
            epoch: 0,
            sources: BTreeMap::new(),
            fleet: Fleet::default(),
            chain: Chain::default(),
            board: Board::default(),
            screens: Vec::new(),
            makings: BTreeMap::new(),
            overlay: None,
            batch: None,
            follows: Vec::new(),
            interrupted: Vec::new(),
            arming: config.armed_at_start.then(|| Armed {
                until: later(now, ARMED_SECONDS),
            }),
            notice: None,
            kinds: BTreeMap::new(),
            next_job: 0,
            executions: Vec::new(),
            ended: BTreeSet::new(),
            deletions: VecDeque::new(),
            watched: Vec::new(),
            jobs_watched: Vec::new(),
            images_watched: (Vec::new(), None),
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
            namespaces: config.namespaces.clone(),
            environments: config.environments.clone(),
            way: config.way.clone(),
            service_label: config.service_label.clone(),
            holds: config.holds.clone(),
            jenkins: config.jenkins.clone(),
            prometheus: config.prometheus.clone(),
            builds: config.builds.clone(),
            repositories: config.repositories.clone(),
            keymap,
            aliases: config.aliases.clone(),
            programs: config.programs.clone(),
            kubeconfig: config
                .connection
                .kubeconfig
                .as_ref()
                .map(|file| file.display().to_string()),
            verify_seconds: config.verify_seconds,
            notify: config.notify.clone(),
            at_once: config.at_once,
            verify_images: config.registries.verify,
            log_file: config.state_dir.join("rolldeck.log").display().to_string(),
            record_file: config.state_dir.join(FILE).display().to_string(),
            clusters: config.clusters(),
            broken: None,
        }
    }
}

fn view(config: &Config) -> View {
    let favourites: Vec<Box<str>> = match &config.namespaces {
        Namespaces::Named(names) => names.iter().map(|name| name.as_str().into()).collect(),
        Namespaces::OfContext | Namespaces::OfEnvironments | Namespaces::All => Vec::new(),
    };
    let mut known = favourites.clone();
    known.sort();
    View {
        asked: config.namespaces.clone(),
        environment: None,
        known,
        favourites,
    }
}
