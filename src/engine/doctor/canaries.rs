//! Says which canaries of Flagger go out unchecked: a promotion that was not seen to its end leaves that behind.

use super::{line, namespaces};
use crate::app::event::Diagnosis;
use crate::config::Config;
use crate::domain::{Feed, Item, SourceId};
use crate::plan::Finding;
use crate::sources::kube::path::Resource;
use crate::sources::kube::{self, Cluster, discovery};

/// Canaries that are read of one namespace.
const MOST: usize = 10_000;

/// What the lines are about.
const ABOUT: &str = "canaries";

/// Empty where there is no Flagger.
pub async fn lines(config: &Config, cluster: &Cluster) -> Vec<Diagnosis> {
    let served = discovery::serves(cluster, Resource::Canaries).await;
    if !served.unwrap_or_default() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for namespace in namespaces(config, cluster) {
        let source = SourceId {
            cluster: cluster.id().clone(),
            namespace: namespace.as_deref().map(Into::into),
            feed: Feed::Canaries,
        };
        match kube::list_all(cluster, &source, MOST).await {
            Ok(items) => lines.extend(items.iter().filter_map(unchecked)),
            Err(error) => {
                let sentence = format!("not looked at: {}", error.failure().sentence);
                lines.push(line(Finding::Unverified, ABOUT, sentence));
            }
        }
    }
    lines
}

fn unchecked(item: &Item) -> Option<Diagnosis> {
    let Item::Canary { of, canary, .. } = item else {
        return None;
    };
    let flagger = canary.flagger.as_deref().filter(|f| f.is_unchecked())?;
    let (name, namespace) = (&flagger.name, &of.namespace);
    let sentence = format!(
        "skipAnalysis of the Canary {name} in {namespace} is on: a new template of {of} goes to all unchecked"
    );
    let hint = format!(
        "rolldeck resume {of} -n {namespace}, or the key that pauses on its row, puts its analysis on again"
    );
    Some(line(Finding::Warn, ABOUT, sentence).hint(&hint))
}
