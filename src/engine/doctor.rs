//! Says in lines what is right and wrong here: kubeconfig, server, login, permissions, canaries and who measures them,
//! files, terminal, and whether a push reaches its build.

mod canaries;
mod metrics;
mod push;

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesOrdered;

use super::{Shared, clock};
use crate::app::event::{Diagnosis, Event, JobId};
use crate::config::{Config, Connection, Namespaces};
use crate::domain::{ClusterId, Failure, Identity, Kind, PinnedBy, environment};
use crate::plan::Finding;
use crate::sources::kube::access::{self, Permission, Right};
use crate::sources::kube::path::Resource;
use crate::sources::kube::{self, Cluster, discovery, kubeconfig};
use crate::text;

/// A clock that is further off than this makes ages wrong.
const SKEW: i64 = 5;

pub(super) async fn tell(shared: Arc<Shared>, job: JobId, clusters: Vec<ClusterId>) {
    let config = shared.config();
    let (mut findings, connected) = here(&config, &clusters).await;
    // Other servers may take a while; what is known is told before.
    let asks_servers = !config.prometheus.is_empty() || !config.jenkins.is_empty();
    if let Some(finding) = findings.last_mut() {
        finding.last = !asks_servers;
    }
    for finding in findings {
        shared.send(Event::Diagnosed { job, finding }).await;
    }
    let mut findings = servers(&config, &connected, None).await;
    if let Some(finding) = findings.last_mut() {
        finding.last = true;
    }
    for finding in findings {
        shared.send(Event::Diagnosed { job, finding }).await;
    }
}

/// Everything, in the order in which one thing rests on another. Connects anew, so that it tells about a login
/// made now. `service`: only that one is asked of the servers that build.
pub async fn diagnose(
    config: &Config,
    clusters: &[ClusterId],
    service: Option<&str>,
) -> Vec<Diagnosis> {
    let (mut lines, connected) = here(config, clusters).await;
    lines.extend(servers(config, &connected, service).await);
    lines
}

/// What the other servers of the settings say.
async fn servers(config: &Config, clusters: &[Cluster], service: Option<&str>) -> Vec<Diagnosis> {
    let mut lines = metrics::lines(config, clusters).await;
    lines.extend(push::lines(config, clusters, service).await);
    lines
}

/// What is right and wrong with the clusters and this machine, and the clusters that answer.
async fn here(config: &Config, clusters: &[ClusterId]) -> (Vec<Diagnosis>, Vec<Cluster>) {
    let all = clusters.iter().map(|id| of_one(config, id));
    let all = futures::future::join_all(all).await;
    let (mut lines, mut connected) = (Vec::new(), Vec::new());
    for (id, (of_one, cluster)) in clusters.iter().zip(all) {
        connected.extend(cluster);
        lines.extend(of_one.into_iter().map(|mut line| {
            if clusters.len() > 1 {
                line.sentence = format!("{id}: {}", line.sentence);
            }
            line
        }));
    }
    lines.extend(way_line(config));
    lines.push(state_line(&config.state_dir));
    lines.push(terminal_line(config));
    (lines, connected)
}

async fn of_one(config: &Config, id: &ClusterId) -> (Vec<Diagnosis>, Option<Cluster>) {
    let connection = config.connection.to(&id.0);
    let mut lines = vec![kubeconfig_line(&connection)];
    // Boxed: what asks many things is large.
    match Box::pin(kube::connect(&connection, clock::now, |_| {})).await {
        Ok(cluster) => {
            lines.extend(of_cluster(config, &cluster).await);
            (lines, Some(cluster))
        }
        Err(error) => {
            lines.push(failed("login", &error.failure()));
            (lines, None)
        }
    }
}

fn kubeconfig_line(connection: &Connection) -> Diagnosis {
    match kubeconfig::contexts(connection) {
        Ok((_, Some(current))) => {
            let context = connection.context.as_ref().unwrap_or(&current);
            let text = format!("context {context} of {}", files(connection));
            line(Finding::Ok, "kubeconfig", text)
        }
        Ok((names, None)) => {
            let text = match &connection.context {
                Some(context) => format!("context {context}"),
                None if connection.in_cluster => "none; the pod's service account".into(),
                None if names.is_empty() => {
                    return line(Finding::Warn, "kubeconfig", "there is none".into()).hint(
                        "KUBECONFIG or --kubeconfig names one; kubectl config view shows it",
                    );
                }
                None => format!("no current context; there are: {}", names.join(", ")),
            };
            line(Finding::Ok, "kubeconfig", text)
        }
        Err(error) => failed("kubeconfig", &error.failure()),
    }
}

/// The files that are there, in their order.
fn files(connection: &Connection) -> String {
    let there = connection.files().iter().filter(|file| file.exists());
    let shown: Vec<_> = there.map(|file| file.display().to_string()).collect();
    shown.join(", ")
}

fn proxy_line(cluster: &Cluster) -> Diagnosis {
    let text = match cluster.proxy() {
        Some(proxy) => format!("through {proxy}"),
        None => "none for this server".into(),
    };
    line(Finding::Ok, "proxy", text)
}

/// Only a login command says when its login expires.
fn login_line(cluster: &Cluster) -> Diagnosis {
    let Some(end) = cluster.login_expires() else {
        let text = "nothing says when it expires".into();
        return line(Finding::Ok, "login", text);
    };
    let left = text::age(clock::now(), end);
    if end <= clock::now() {
        return line(Finding::Warn, "login", format!("expired at {end}")).hint("log in again");
    }
    line(Finding::Ok, "login", format!("expires in {left}, at {end}"))
}

async fn of_cluster(config: &Config, cluster: &Cluster) -> Vec<Diagnosis> {
    let asked = clock::now();
    let version = cluster.get("/version").await;
    let took = clock::now().duration_since(asked).as_millis();
    let mut lines = vec![login_line(cluster), proxy_line(cluster)];
    match &version {
        Ok(answer) => {
            let text = format!("{} answered in {took} ms", cluster.server());
            lines.push(line(Finding::Ok, "server", text));
            lines.extend(
                answer
                    .server_date
                    .map(|date| skew_line(date.duration_since(clock::now()).as_secs())),
            );
        }
        Err(error) => {
            lines.push(failed("server", &error.failure()));
            return lines;
        }
    }
    match kube::identify(cluster).await {
        Ok(identity) => lines.extend(identity_lines(&identity)),
        Err(error) => lines.push(failed("identity", &error.failure())),
    }
    lines.extend(permissions(config, cluster).await);
    lines.extend(canaries::lines(config, cluster).await);
    lines
}

fn skew_line(seconds: i64) -> Diagnosis {
    if seconds.abs() <= SKEW {
        return line(Finding::Ok, "clock", "agrees with the server's".into());
    }
    let side = if seconds > 0 { "behind" } else { "ahead of" };
    let text = format!("{} s {side} the server's", seconds.abs());
    line(Finding::Warn, "clock", text).hint("ages use the server's clock; set this one right")
}

fn identity_lines(identity: &Identity) -> Vec<Diagnosis> {
    let pin = match &identity.pinned {
        PinnedBy::KubeSystem(uid) => line(Finding::Ok, "identity", format!("kube-system {uid}")),
        PinnedBy::AddressAndCa(text) => line(
            Finding::Warn,
            "identity",
            format!("known by its address: {text}"),
        )
        .hint("get namespaces kube-system would pin it by its uid"),
    };
    let user = match &identity.user {
        Some(user) => line(Finding::Ok, "user", user.to_string()),
        None => line(
            Finding::Unverified,
            "user",
            "the server does not say".into(),
        ),
    };
    let version = line(Finding::Ok, "version", identity.version.to_string());
    vec![version, pin, user]
}

async fn permissions(config: &Config, cluster: &Cluster) -> Vec<Diagnosis> {
    let namespaces = namespaces(config, cluster);
    let kinds = kinds(cluster).await;
    let mut asking = FuturesOrdered::new();
    for namespace in &namespaces {
        let resources = kinds.iter().copied().map(Resource::Workload);
        let others = [Resource::ReplicaSets, Resource::Pods, Resource::Events];
        for resource in resources.chain(others) {
            asking.push_back(rights(cluster, resource, namespace.as_deref()));
        }
    }
    asking.collect().await
}

/// The kinds of workloads that the cluster has.
async fn kinds(cluster: &Cluster) -> Vec<Kind> {
    let argo = discovery::serves(cluster, Kind::Rollout.into()).await;
    let argo = argo.unwrap_or_default();
    let kinds = Kind::ALL.into_iter();
    kinds.filter(|kind| !kind.is_optional() || argo).collect()
}

pub fn namespaces(config: &Config, cluster: &Cluster) -> Vec<Option<String>> {
    match &config.namespaces {
        Namespaces::All => vec![None],
        Namespaces::Named(names) => names.iter().cloned().map(Some).collect(),
        Namespaces::OfContext => vec![cluster.default_namespace().map(Into::into)],
        Namespaces::OfEnvironments => {
            let names = environment::namespaces_of(config.environments.iter(), cluster.id());
            match names.as_slice() {
                [] => vec![None],
                names => names.iter().map(|name| Some(name.to_string())).collect(),
            }
        }
    }
}

async fn rights(cluster: &Cluster, resource: Resource, namespace: Option<&str>) -> Diagnosis {
    let verbs: &[&str] = match resource {
        Resource::Workload(_) => &["list", "watch", "patch"],
        _ => &["list", "watch"],
    };
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    for verb in verbs.iter().copied() {
        let right = Right {
            verb,
            group: resource.group(),
            resource: resource.plural(),
            subresource: "",
            namespace,
        };
        match access::permission(cluster, right).await {
            Ok(Permission::Allowed) => {}
            Ok(Permission::Denied(_)) => missing.push(verb),
            Ok(Permission::Unknown(_)) | Err(_) => unknown.push(verb),
        }
    }
    let place = namespace.map_or("every namespace".into(), |name| format!("namespace {name}"));
    let plural = resource.plural();
    if !missing.is_empty() {
        let text = format!("you may not {} {plural} in {place}", missing.join(", "));
        return line(Finding::Warn, "permission", text)
            .hint("whoever runs the cluster can grant it; -n picks namespaces");
    }
    if !unknown.is_empty() {
        let text = format!("whether you may {} {plural} in {place}", unknown.join(", "));
        return line(Finding::Unverified, "permission", text);
    }
    let text = format!("{} {plural} in {place}", verbs.join(", "));
    line(Finding::Ok, "permission", text)
}

/// Through which environments a version goes, and what says so.
fn way_line(config: &Config) -> Option<Diagnosis> {
    let (all, way) = (&config.environments, &config.way);
    let on: Vec<&str> = if way.is_empty() {
        all.iter().map(|one| &*one.name).collect()
    } else {
        way.iter().map(String::as_str).collect()
    };
    let off: Vec<&str> = all
        .iter()
        .map(|one| &*one.name)
        .filter(|name| !on.contains(name))
        .collect();
    let by = if way.is_empty() {
        "the order of environments:"
    } else {
        "promotion.way"
    };
    let off = match off.as_slice() {
        [] => String::new(),
        [one] => format!("; {one} is not on it"),
        some => format!("; {} are not on it", some.join(", ")),
    };
    let text = format!("{}, by {by}{off}", on.join(", then "));
    (all.len() > 1).then(|| line(Finding::Ok, "promotion", text))
}

fn state_line(state_dir: &Path) -> Diagnosis {
    let probe = state_dir.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::create_dir_all(state_dir).and_then(|()| std::fs::write(&probe, b""));
    let _ = std::fs::remove_file(&probe);
    let place = state_dir.display();
    match written {
        Ok(()) => line(Finding::Ok, "record", format!("{place} can be written")),
        Err(why) => line(Finding::Block, "record", format!("{place}: {}", why.kind())).hint(
            "without the release record nothing is written; XDG_STATE_HOME names another place",
        ),
    }
}

fn terminal_line(config: &Config) -> Diagnosis {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| "unset".into());
    let yes = |on: bool| if on { "yes" } else { "no" };
    let text = format!(
        "TERM {}, colour {}, plain ASCII {}, locale {}",
        variable("TERM"),
        yes(config.display.color),
        yes(config.display.ascii),
        ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .unwrap_or_else(|| "unset".into()),
    );
    line(Finding::Ok, "terminal", text)
}

fn failed(about: &str, failure: &Failure) -> Diagnosis {
    let mut line = line(Finding::Block, about, failure.sentence.clone());
    line.hint = (!failure.hints.is_empty()).then(|| failure.hints.join("; "));
    line
}

fn line(finding: Finding, about: &str, sentence: String) -> Diagnosis {
    Diagnosis {
        finding,
        about: about.into(),
        sentence,
        hint: None,
        hook: None,
        last: false,
    }
}

impl Diagnosis {
    fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_promotion_is_said_with_what_names_it() {
        let environments =
            "[{name: dev, cluster: a}, {name: sandbox, cluster: a}, {name: prod, cluster: b}]";
        let mut config = Config {
            environments: serde_yaml::from_str(environments).unwrap(),
            ..Config::default()
        };
        let said = |config: &Config| way_line(config).map(|line| line.sentence);
        let by_order = "dev, then sandbox, then prod, by the order of environments:";
        assert_eq!(said(&config).as_deref(), Some(by_order));
        config.way = vec!["dev".into(), "prod".into()];
        let named = "dev, then prod, by promotion.way; sandbox is not on it";
        assert_eq!(said(&config).as_deref(), Some(named));
        config.environments.clear();
        assert_eq!(said(&config), None);
    }
}
