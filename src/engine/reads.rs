//! Small reads for a screen: YAML, comparisons, namespaces, permissions.

use std::sync::Arc;

use base64::Engine as _;
use serde_json::Value;

use super::{Shared, clock};
use crate::actions;
use crate::app::effect::{Compared, YamlOf};
use crate::app::event::{DigestsTold, Document, Event, JobId, ReleaseHistory};
use crate::domain::measured::Sides;
use crate::domain::{ClusterId, Failure, FailureKind, Kind, WorkloadId};
use crate::plan::comparison::comparison;
use crate::sources::kube::access::{self, Permission, Right};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{self, Cluster, charts, metrics};
use crate::text;

pub async fn yaml(shared: Arc<Shared>, job: JobId, object: YamlOf) {
    let outcome = match shared.connected(cluster_of(&object)) {
        Ok(cluster) => read_yaml(&cluster, &object).await,
        Err(failure) => Err(failure),
    };
    shared.send(Event::Fetched { job, outcome }).await;
}

async fn read_yaml(cluster: &Cluster, object: &YamlOf) -> Result<Document, Failure> {
    let mut value = read(cluster, object).await?;
    strip(&mut value);
    let text = serde_yaml::to_string(&value).map_err(|why| unusable(&why))?;
    Ok(Document {
        lines: text.lines().map(str::to_owned).collect(),
        read_at: clock::now(),
    })
}

async fn read(cluster: &Cluster, object: &YamlOf) -> Result<Value, Failure> {
    let answer = cluster
        .get(&path_of(object))
        .await
        .map_err(|error| error.failure())?;
    serde_json::from_slice(&answer.body).map_err(|why| unusable(&why))
}

pub(super) fn unusable(why: &impl ToString) -> Failure {
    let why = why.to_string();
    let sentence = format!("the server's answer cannot be shown: {why}");
    Failure::new(FailureKind::Unreachable, sentence)
}

/// What Helm did.
pub async fn releases(shared: Arc<Shared>, job: JobId, (workload, name): (WorkloadId, Box<str>)) {
    let outcome = match shared.connected(&workload.cluster) {
        Ok(cluster) => charts::history(&cluster, &workload.namespace, &name)
            .await
            .map(|history| ReleaseHistory {
                releases: history.releases,
                unreadable: history.unreadable,
                read_at: clock::now(),
            })
            .map_err(|error| error.failure()),
        Err(failure) => Err(failure),
    };
    shared.send(Event::ReleasesRead { job, outcome }).await;
}

/// Each cluster alone.
pub async fn digests(shared: Arc<Shared>, job: JobId, of: Vec<(ClusterId, Vec<Box<str>>)>) {
    let each = of.into_iter().map(|(cluster, namespaces)| {
        let shared = &shared;
        async move {
            let outcome = match shared.connected(&cluster) {
                Ok(client) => actions::digests(&client, &namespaces)
                    .await
                    .map_err(|error| error.failure()),
                Err(failure) => Err(failure),
            };
            let told = DigestsTold {
                job,
                cluster,
                outcome,
            };
            shared.send(Event::DigestsTold(Box::new(told))).await;
        }
    });
    futures::future::join_all(each).await;
}

pub async fn compare(shared: Arc<Shared>, job: JobId, revisions: Compared) {
    let outcome = match shared.connected(&revisions.workload.cluster) {
        Ok(cluster) => read_comparison(&cluster, revisions).await,
        Err(failure) => Err(failure),
    };
    shared.send(Event::Fetched { job, outcome }).await;
}

async fn read_comparison(cluster: &Cluster, revisions: Compared) -> Result<Document, Failure> {
    let Compared { workload, from, to } = revisions;
    let kind = workload.kind;
    let of = |name| YamlOf::Revision {
        workload: workload.clone(),
        name,
    };
    let (from, to) = (of(from), of(to));
    let (before, after) = tokio::try_join!(read(cluster, &from), read(cluster, &to))?;
    let lines = comparison(template(kind, &before), template(kind, &after));
    Ok(Document {
        lines: lines.map_err(|why| unusable(&why))?,
        read_at: clock::now(),
    })
}

fn template(kind: Kind, revision: &Value) -> &Value {
    match kind {
        Kind::Deployment | Kind::Rollout => &revision["spec"]["template"],
        Kind::StatefulSet | Kind::DaemonSet => &revision["data"]["spec"]["template"],
    }
}

pub(super) fn cluster_of(object: &YamlOf) -> &ClusterId {
    match object {
        YamlOf::Object { cluster, .. } => cluster,
        YamlOf::Workload(id) => &id.cluster,
        YamlOf::Pod { workload, .. } | YamlOf::Revision { workload, .. } => &workload.cluster,
    }
}

pub(super) fn path_of(object: &YamlOf) -> String {
    match object {
        YamlOf::Object {
            kind,
            namespace,
            name,
            ..
        } => {
            let namespace = Some(&**namespace).filter(|name| !name.is_empty());
            path::member(&kind.path(namespace), name)
        }
        YamlOf::Workload(id) => path::object(id.kind, &id.namespace, &id.name),
        YamlOf::Pod { workload, pod } => path::object(Resource::Pods, &workload.namespace, pod),
        YamlOf::Revision { workload, name } => {
            let resource = match workload.kind {
                Kind::Deployment | Kind::Rollout => Resource::ReplicaSets,
                Kind::StatefulSet | Kind::DaemonSet => Resource::ControllerRevisions,
            };
            path::object(resource, &workload.namespace, name)
        }
    }
}

/// Without the bookkeeping of server-side apply, and without the values of a Secret, in whatever place they are.
fn strip(object: &mut Value) {
    let secret = object["kind"] == "Secret";
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if secret
            && let Some(notes) = metadata
                .get_mut("annotations")
                .and_then(Value::as_object_mut)
        {
            notes.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    for field in ["data", "stringData"] {
        if secret && let Some(values) = object.get_mut(field).and_then(Value::as_object_mut) {
            for value in values.values_mut() {
                *value = Value::from(hidden(field, value));
            }
        }
    }
}

/// How much there is, in place of what it is.
fn hidden(field: &str, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let bytes = match field {
        "data" => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map(|bytes| bytes.len()),
        _ => Ok(text.len()),
    };
    match bytes {
        Ok(bytes) => format!("(not shown, {})", text::count(bytes, "byte")),
        Err(_) => "(not shown)".into(),
    }
}

/// Those of all that answer; a failure when none does.
pub async fn measure(shared: Arc<Shared>, job: JobId, workload: WorkloadId, selector: Box<str>) {
    let outcome = match shared.connected(&workload.cluster) {
        Ok(cluster) => metrics::usage(&cluster, &workload.namespace, &selector)
            .await
            .map_err(|error| error.failure()),
        Err(failure) => Err(failure),
    };
    shared.send(Event::Measured { job, outcome }).await;
}

pub async fn measure_canary(shared: Arc<Shared>, job: JobId, of: WorkloadId, sides: Sides) {
    let outcome = match shared.connected(&of.cluster) {
        Ok(cluster) => {
            let told = shared.prometheus().measure(&cluster, &of, &sides).await;
            Ok(Box::new(told))
        }
        Err(failure) => Err(failure),
    };
    shared.send(Event::CanaryMeasured { job, outcome }).await;
}

pub async fn namespaces(shared: Arc<Shared>, job: JobId, clusters: Vec<ClusterId>) {
    let list = async |id: &ClusterId| {
        let cluster = shared.connected(id)?;
        let listed = access::namespaces(&cluster).await;
        listed.map_err(|error| error.failure())
    };
    let listed = futures::future::join_all(clusters.iter().map(list)).await;
    let (listed, failed): (Vec<_>, Vec<_>) = listed.into_iter().partition(Result::is_ok);
    let mut names: Vec<String> = listed.into_iter().flatten().flatten().collect();
    names.sort();
    names.dedup();
    let failure = failed.into_iter().find_map(Result::err);
    let outcome = match failure.filter(|_| names.is_empty()) {
        Some(failure) => Err(failure),
        None => Ok(names),
    };
    shared.send(Event::NamesListed { job, outcome }).await;
}

/// Of the kubeconfig, in its order; nothing is asked of a cluster.
pub async fn contexts(shared: Arc<Shared>, job: JobId) {
    let connection = shared.config().connection.clone();
    let listed = kube::contexts(connection).await;
    let outcome = listed.map_err(|error| error.failure());
    shared.send(Event::NamesListed { job, outcome }).await;
}

/// May one roll back here: the missing permission when not.
pub async fn permission(shared: Arc<Shared>, cluster: ClusterId, namespace: Box<str>, kind: Kind) {
    let outcome = match shared.connected(&cluster) {
        Ok(client) => may_patch(&client, &namespace, kind).await,
        Err(failure) => Err(failure),
    };
    let event = Event::PermissionTold {
        cluster,
        namespace,
        kind,
        outcome,
    };
    shared.send(event).await;
}

async fn may_patch(
    cluster: &Cluster,
    namespace: &str,
    kind: Kind,
) -> Result<Option<String>, Failure> {
    let resource = kind.plural();
    let right = Right {
        verb: "patch",
        group: "apps",
        resource,
        subresource: "",
        namespace: Some(namespace),
    };
    match access::permission(cluster, right).await {
        Ok(Permission::Allowed) => Ok(None),
        Ok(Permission::Denied(_)) => Ok(Some(format!("patch {resource}"))),
        Ok(Permission::Unknown(why)) => {
            let sentence = format!("the server cannot tell who may patch {resource}: {why}");
            Err(Failure::new(FailureKind::Denied, sentence))
        }
        Err(error) => Err(error.failure()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_secrets_and_bookkeeping_are_never_shown() {
        let applied = "kubectl.kubernetes.io/last-applied-configuration";
        let mut secret = json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="},
            "stringData": {"token": "hunter2"},
            "metadata": {"managedFields": [1], "annotations": {applied: "hunter2", "a": "b"}}});
        strip(&mut secret);
        let text = secret.to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("aHVudGVyMg=="),
            "{text}"
        );
        assert!(
            !text.contains("managedFields") && text.contains("password"),
            "{text}"
        );
        let mut config = json!({"kind": "ConfigMap", "data": {"a": "b"}, "metadata": {}});
        strip(&mut config);
        assert_eq!(config["data"]["a"], "b");
    }
}
