//! What pods use, where the cluster serves metrics.k8s.io.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client::Cluster;
use super::error::Error;
use super::path;
use crate::domain::Usage;
use crate::domain::usage::{Amount, thousandths};

/// Of the pods that the selector finds, as the server measured them last.
///
/// # Errors
/// `NotFound` where the cluster measures nothing.
pub async fn usage(cluster: &Cluster, namespace: &str, selector: &str) -> Result<Usage, Error> {
    let answer = cluster.get(&path::pod_metrics(namespace, selector)).await?;
    read(&answer.body).map_err(|why| Error::Unusable {
        about: "read pods.metrics.k8s.io".into(),
        status: 200,
        message: format!("the answer cannot be read: {why}"),
    })
}

fn read(body: &[u8]) -> Result<Usage, serde_json::Error> {
    let list: List = serde_json::from_slice(body)?;
    let pods = list.items.into_iter().map(|pod| {
        let containers = pod.containers.into_iter();
        let of = containers.filter_map(|c| Some((c.name, c.usage.amount()?)));
        (pod.metadata.name, of.collect::<BTreeMap<_, _>>())
    });
    Ok(pods.collect())
}

#[derive(Deserialize)]
struct List {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Meta,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Meta {
    name: Box<str>,
}

#[derive(Deserialize)]
struct Container {
    name: Box<str>,
    usage: Quantities,
}

#[derive(Deserialize)]
struct Quantities {
    cpu: String,
    memory: String,
}

impl Quantities {
    fn amount(&self) -> Option<Amount> {
        Some(Amount {
            cpu: thousandths(&self.cpu)?,
            memory: thousandths(&self.memory)? / 1000,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_metrics() {
        let body = br#"{"kind":"PodMetricsList","items":[{"metadata":{"name":"web-1"},"window":"15s",
            "containers":[{"name":"web","usage":{"cpu":"12500000n","memory":"2048Ki"}},{"name":"odd","usage":{"cpu":"?","memory":"1"}}]}]}"#;
        let usage = read(body).unwrap();
        let amount = Amount {
            cpu: 13,
            memory: 2 << 20,
        };
        let of_pod = BTreeMap::from([("web".into(), amount)]);
        assert_eq!(usage, Usage::from([("web-1".into(), of_pod)]));
    }
}
