//! Asks whether each Prometheus of the settings answers, by the way that they give.

use futures::future::join_all;

use super::line;
use crate::app::event::Diagnosis;
use crate::config::{Config, Prometheus};
use crate::engine::clock;
use crate::plan::Finding;
use crate::sources::kube::Cluster;
use crate::sources::prometheus::{Cause, answers};

/// What the lines are about.
const ABOUT: &str = "metrics";

/// Empty where none is configured.
pub async fn lines(config: &Config, clusters: &[Cluster]) -> Vec<Diagnosis> {
    let servers = config.prometheus.iter();
    let asked = servers.map(|server| of_server(config, clusters, server));
    join_all(asked).await.into_iter().flatten().collect()
}

/// One behind an API server is asked through that of each cluster that it is about.
async fn of_server(config: &Config, clusters: &[Cluster], server: &Prometheus) -> Vec<Diagnosis> {
    if server.through().is_none() {
        return vec![ask(config, server, (None, "directly")).await];
    }
    let behind = clusters.iter().filter(|one| concerns(config, server, one));
    let asked = behind.map(async |cluster| {
        let way = match clusters {
            [_] => "through the API server".to_owned(),
            _ => format!("through the API server of {}", cluster.id()),
        };
        ask(config, server, (Some(cluster), &way)).await
    });
    let lines = join_all(asked).await;
    if !lines.is_empty() {
        return lines;
    }
    let name = server.name();
    let sentence = format!("{name} was not asked: no API server that leads to it answers");
    vec![line(Finding::Unverified, ABOUT, sentence)]
}

async fn ask(
    config: &Config,
    server: &Prometheus,
    (cluster, way): (Option<&Cluster>, &str),
) -> Diagnosis {
    let asked = clock::now();
    match answers(server, &config.connection.proxy, cluster).await {
        Ok(()) => {
            let took = clock::now().duration_since(asked).as_millis();
            let name = server.name();
            let text = format!("{name}, asked {way}, answers in {took} ms");
            line(Finding::Ok, ABOUT, text)
        }
        Err(refusal) => {
            let text = format!("asked {way}: {}", refusal.words);
            line(Finding::Warn, ABOUT, text).hint(&fix(server, refusal.cause))
        }
    }
}

fn concerns(config: &Config, server: &Prometheus, cluster: &Cluster) -> bool {
    let about = |name: &str, of: &str| server.is_of(Some(name)) && *of == *cluster.id().0;
    let mut environments = config.environments.iter();
    server.environments.is_empty() || environments.any(|one| about(&one.name, &one.cluster))
}

fn fix(server: &Prometheus, cause: Cause) -> String {
    let Some(through) = server.through() else {
        return match cause {
            Cause::Login | Cause::Rights => "user: and token: in the settings are its login",
            Cause::Other => "url: in the settings is its address, with its path",
        }
        .into();
    };
    let namespace = through.namespace;
    match cause {
        Cause::Login => {
            "through the API server goes your own login alone: url: and token: ask it directly"
                .into()
        }
        Cause::Rights => format!(
            "whoever runs the cluster can grant get of services/proxy in {namespace}; url: asks it without that"
        ),
        Cause::Other => format!(
            "service: in the settings is its namespace/name:port, as kubectl -n {namespace} get services has them"
        ),
    }
}
