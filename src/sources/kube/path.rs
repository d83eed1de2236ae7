//! Paths of the API, built in one place, and the same paths in words for messages.

use crate::domain::canary::flagger;
use crate::domain::pair::route::RouteKind;
use crate::domain::{Kind, SyncKind};

/// What can be listed and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    Workload(Kind),
    ReplicaSets,
    ControllerRevisions,
    Pods,
    Events,
    Namespaces,
    ConfigMaps,
    Secrets,
    ServiceAccounts,
    ResourceQuotas,
    Nodes,
    Autoscalers,
    Sync(SyncKind),
    /// Of Argo Rollouts.
    AnalysisRuns,
    /// Of Flagger.
    Canaries,
    Services,
    EndpointSlices,
    Routes(RouteKind),
}

impl From<Kind> for Resource {
    fn from(kind: Kind) -> Self {
        Self::Workload(kind)
    }
}

impl Resource {
    /// The name in paths and permissions.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Workload(kind) => kind.plural(),
            Self::ReplicaSets => "replicasets",
            Self::ControllerRevisions => "controllerrevisions",
            Self::Pods => "pods",
            Self::Events => "events",
            Self::Namespaces => "namespaces",
            Self::ConfigMaps => "configmaps",
            Self::Secrets => "secrets",
            Self::ServiceAccounts => "serviceaccounts",
            Self::ResourceQuotas => "resourcequotas",
            Self::Nodes => "nodes",
            Self::Autoscalers => "horizontalpodautoscalers",
            Self::Sync(kind) => kind.plural(),
            Self::AnalysisRuns => "analysisruns",
            Self::Canaries => flagger::PLURAL,
            Self::Routes(kind) => kind.plural(),
            Self::Services => "services",
            Self::EndpointSlices => "endpointslices",
        }
    }

    /// The API group, empty for the core.
    pub fn group(self) -> &'static str {
        match self {
            Self::Workload(Kind::Rollout) | Self::AnalysisRuns => "argoproj.io",
            Self::Workload(_) | Self::ReplicaSets | Self::ControllerRevisions => "apps",
            Self::Autoscalers => "autoscaling",
            Self::Pods
            | Self::Events
            | Self::Namespaces
            | Self::ConfigMaps
            | Self::Secrets
            | Self::ServiceAccounts
            | Self::ResourceQuotas
            | Self::Services
            | Self::Nodes => "",
            Self::Sync(kind) => kind.group(),
            Self::Canaries => "flagger.app",
            Self::EndpointSlices => "discovery.k8s.io",
            Self::Routes(kind) => kind.group(),
        }
    }

    /// Group and version as paths and objects have them.
    fn api(self) -> &'static str {
        match self {
            Self::Sync(kind) => kind.api(),
            Self::Workload(kind) => kind.api(),
            Self::AnalysisRuns => Kind::Rollout.api(),
            Self::Canaries => flagger::API,
            Self::EndpointSlices => "discovery.k8s.io/v1",
            Self::Routes(kind) => kind.api(),
            Self::Autoscalers => "autoscaling/v2",
            _ if self.group().is_empty() => "v1",
            _ => "apps/v1",
        }
    }

    /// The path of its API, which the server describes to everybody.
    pub fn root(self) -> String {
        root_of(self.api())
    }
}

/// A list or a watch; `None` is every namespace. Values of the query are encoded here.
pub fn collection(
    resource: impl Into<Resource>,
    namespace: Option<&str>,
    query: &[(&str, &str)],
) -> String {
    let resource = resource.into();
    collection_in(resource.api(), namespace, resource.plural(), query)
}

/// One object in a namespace.
pub fn object(resource: impl Into<Resource>, namespace: &str, name: &str) -> String {
    member(&collection(resource, Some(namespace), &[]), name)
}

/// A list by the words of its API (`apps/v1`) and resource (`deployments`); `None` is every namespace.
pub fn collection_in(
    api: &str,
    namespace: Option<&str>,
    resource: &str,
    query: &[(&str, &str)],
) -> String {
    let place = namespace.map(|name| format!("/namespaces/{}", encode(name)));
    let (root, place) = (root_of(api), place.unwrap_or_default());
    with_query(format!("{root}{place}/{resource}"), query)
}

/// One object by the words of its API (`apps/v1`) and resource (`deployments`), for writes.
pub fn object_in(api: &str, namespace: &str, resource: &str, name: &str) -> String {
    let collection = collection_in(api, Some(namespace), resource, &[]);
    member(&collection, name)
}

/// What the pods that a selector finds use.
pub fn pod_metrics(namespace: &str, selector: &str) -> String {
    let path = format!(
        "/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods",
        encode(namespace)
    );
    with_query(path, &[("labelSelector", selector)])
}

/// One object of a collection.
pub fn member(collection: &str, name: &str) -> String {
    format!("{collection}/{}", encode(name))
}

/// The log of a pod's container.
pub fn log(namespace: &str, pod: &str, query: &[(&str, &str)]) -> String {
    let path = format!("{}/log", object(Resource::Pods, namespace, pod));
    with_query(path, query)
}

/// What a service, `prometheus:9090`, says at a path of its own.
pub fn through((namespace, service): (&str, &str), path: &str, query: &[(&str, &str)]) -> String {
    let service = format!(
        "/api/v1/namespaces/{}/services/{service}",
        encode(namespace)
    );
    with_query(format!("{service}/proxy/{path}"), query)
}

/// Adds parameters to a path that may have some.
pub fn with_query(mut path: String, query: &[(&str, &str)]) -> String {
    for (key, value) in query {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(key);
        path.push('=');
        path.push_str(&encode(value));
    }
    path
}

/// A path in words: `deployments/web in shop`, `pods`, `log of pods/web-1 in shop`.
pub fn describe(path: &str) -> String {
    let bare = path.split('?').next().unwrap_or(path);
    let mut parts = bare.split('/').filter(|part| !part.is_empty());
    match parts.next() {
        Some("api") => drop(parts.next()),
        Some("apis") => drop((parts.next(), parts.next())),
        _ => return bare.trim_start_matches('/').to_owned(),
    }
    let rest: Vec<_> = parts.collect();
    match rest[..] {
        ["namespaces", namespace, resource] => format!("{resource} in {namespace}"),
        ["namespaces", namespace, resource, name] => format!("{resource}/{name} in {namespace}"),
        ["namespaces", namespace, resource, name, sub] => {
            format!("{sub} of {resource}/{name} in {namespace}")
        }
        ["namespaces", namespace, resource, name, "proxy", ..] => {
            format!("{resource}/{name} in {namespace}")
        }
        _ => rest.join("/"),
    }
}

/// The path of an API by its words.
pub fn root_of(api: &str) -> String {
    let root = if api.contains('/') { "apis" } else { "api" };
    format!("/{root}/{api}")
}

/// Everything but RFC 3986's unreserved characters becomes `%XX`.
fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_their_words() {
        for (path, want, words) in [
            (
                collection(Kind::Deployment, None, &[("limit", "500")]),
                "/apis/apps/v1/deployments?limit=500",
                "deployments",
            ),
            (
                collection(
                    Resource::Pods,
                    Some("shop"),
                    &[("labelSelector", "app in (a,b)"), ("watch", "1")],
                ),
                "/api/v1/namespaces/shop/pods?labelSelector=app%20in%20%28a%2Cb%29&watch=1",
                "pods in shop",
            ),
            (
                object(Resource::Sync(SyncKind::Application), "argocd", "shop"),
                "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop",
                "applications/shop in argocd",
            ),
            (
                object(Kind::StatefulSet, "shop", "db"),
                "/apis/apps/v1/namespaces/shop/statefulsets/db",
                "statefulsets/db in shop",
            ),
            (
                object_in("apps/v1", "shop", "deployments", "../x?y"),
                "/apis/apps/v1/namespaces/shop/deployments/..%2Fx%3Fy",
                "deployments/..%2Fx%3Fy in shop",
            ),
            (
                object_in("v1", "shop", "pods", "web-1"),
                "/api/v1/namespaces/shop/pods/web-1",
                "pods/web-1 in shop",
            ),
            (
                log("shop", "web-1", &[("follow", "true")]),
                "/api/v1/namespaces/shop/pods/web-1/log?follow=true",
                "log of pods/web-1 in shop",
            ),
            (
                through(
                    ("monitoring", "prometheus:9090"),
                    "api/v1/query",
                    &[("query", "a b")],
                ),
                "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query?query=a%20b",
                "services/prometheus:9090 in monitoring",
            ),
            (
                "/api/v1/namespaces/kube-system".into(),
                "/api/v1/namespaces/kube-system",
                "namespaces/kube-system",
            ),
            ("/version".into(), "/version", "version"),
        ] {
            assert_eq!(path, want);
            assert_eq!(describe(&path), words);
        }
    }
}
