//! A login that needs a person: the login command takes the terminal, and the cluster goes on with what it was given.

use crate::app::answering::answering;
use crate::app::effect::Effect;
use crate::app::model::Model;
use crate::domain::{ClusterId, Failure};
use crate::text::escape;

use super::notice;

/// The login command by its name, which comes from the kubeconfig.
pub fn title(name: &str) -> String {
    format!("the login command {}", escape(name))
}

/// What stands in the terminal before it says something itself. The current context has no name before it is resolved.
pub fn line(name: &str, cluster: &ClusterId) -> String {
    if cluster.0.is_empty() {
        return format!("{} (logs in)", escape(name));
    }
    format!("{} (logs in to {})", escape(name), escape(&cluster.0))
}

/// Of the first cluster that waits for one.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let waits = model.clusters.iter().find(|c| answering(model, c).login);
    if let Some(cluster) = waits.map(|cluster| cluster.id.clone()) {
        return vec![Effect::LogIn { cluster }];
    }
    notice(model, "no cluster waits for a login", false);
    Vec::new()
}

pub fn ended(model: &mut Model, cluster: &ClusterId, outcome: Result<(), Failure>) -> Vec<Effect> {
    match outcome {
        Ok(()) => notice(model, format!("logged in to {cluster}"), false),
        Err(failure) => notice(model, failure.line(), true),
    }
    Vec::new()
}
