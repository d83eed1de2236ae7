//! The settings file was written while this runs: what can change at once does, and what cannot is said.

use crate::app::effect::Effect;
use crate::app::model::{Model, Settings};
use crate::config::Config;
use crate::domain::Failure;

use super::notice;

pub fn configured(model: &mut Model, outcome: Result<Box<Config>, Failure>) -> Vec<Effect> {
    model.dirty = true;
    let read = outcome.and_then(|config| Settings::new(&config).map(|settings| (config, settings)));
    let (config, settings) = match read {
        Ok(read) => read,
        Err(failure) => {
            model.settings.broken = Some(format!("{}; what was in force stays", failure.line()));
            return Vec::new();
        }
    };
    let next_start = config.clusters() != model.settings.clusters
        || config.namespaces != model.settings.namespaces;
    model.settings = Settings {
        clusters: std::mem::take(&mut model.settings.clusters),
        namespaces: std::mem::take(&mut model.settings.namespaces),
        ..settings
    };
    let all: Vec<_> = model.fleet.workloads().map(|w| w.id.clone()).collect();
    model.work.touched.extend(all);
    model.work.all_rows = true;
    let words = if next_start {
        "settings read again; clusters and namespaces count from the next start"
    } else {
        "settings read again"
    };
    notice(model, words, false);
    Vec::new()
}
