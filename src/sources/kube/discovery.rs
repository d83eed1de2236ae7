//! Which kinds an API server serves: all groups in two answers, or group by group where it does not know that form.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::client::Cluster;
use super::error::Error;
use super::path::{self, Resource as Wanted};
use crate::domain::ApiKind;

/// The aggregated form in both its versions, and else the plain lists.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
/// Feeds that are opened together wait for one answer and read it within this; somebody who installs a kind and asks again
/// does not.
const LATELY: SignedDuration = SignedDuration::from_millis(250);
/// Groups that are asked at a time.
const AT_A_TIME: usize = 4;

/// The kinds that can be listed, each in its preferred version, in the server's order. A group that does not answer,
/// like one of a metrics server that is down, is left out.
pub async fn kinds(cluster: &Cluster) -> Result<Vec<ApiKind>, Error> {
    let (core, groups) = tokio::try_join!(root(cluster, "/api"), root(cluster, "/apis"))?;
    let mut all = Vec::new();
    for root in [core, groups] {
        match root {
            Root::Aggregated(kinds) => all.extend(kinds),
            Root::Versions(versions) => all.extend(each(cluster, versions).await?),
        }
    }
    let mut kept: Vec<ApiKind> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for kind in all {
        if seen.insert((kind.group.clone(), kind.plural.clone())) {
            kept.push(kind);
        }
    }
    Ok(kept)
}

/// Whether the cluster has this very kind: others may share its group, as those of Argo CD do with Argo Rollouts. Where
/// that may not be asked, it is taken to be there.
pub async fn serves(cluster: &Cluster, resource: Wanted) -> Result<bool, Error> {
    serves_in(cluster, &resource.root(), resource.plural()).await
}

/// The same for the feeds of several namespaces, which ask at once: one asks for all of them.
pub async fn serves_lately(
    cluster: &Cluster,
    resource: Wanted,
    now: Timestamp,
) -> Result<bool, Error> {
    let told = cluster.inner.served.of(resource);
    let mut told = told.lock().await;
    if let Some((at, serves)) = *told
        && now.duration_since(at) < LATELY
    {
        return Ok(serves);
    }
    let serves = serves(cluster, resource).await?;
    *told = Some((now, serves));
    Ok(serves)
}

/// What was said does not hold: the next one asks again.
pub async fn forget(cluster: &Cluster, resource: Wanted) {
    *cluster.inner.served.of(resource).lock().await = None;
}

/// What a server said lately, by the list of a kind.
#[derive(Default)]
pub struct Served(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Told>>>>);

/// When it was asked, and whether it has the kind.
type Told = Option<(Timestamp, bool)>;

impl Served {
    fn of(&self, resource: Wanted) -> Arc<tokio::sync::Mutex<Told>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let list = path::collection(resource, None, &[]);
        Arc::clone(all.entry(list).or_default())
    }
}

/// [`serves`] by the path of an API and the name in it.
pub async fn serves_in(cluster: &Cluster, root: &str, plural: &str) -> Result<bool, Error> {
    match cluster.get(root).await {
        Ok(answer) => {
            let list: Resources = read(&answer.body)?;
            Ok(list.resources.iter().any(|found| found.name == plural))
        }
        Err(Error::NotFound { .. }) => Ok(false),
        Err(Error::Forbidden { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

enum Root {
    Aggregated(Vec<ApiKind>),
    /// Groups with their versions, the preferred one first.
    Versions(Vec<(String, String)>),
}

async fn root(cluster: &Cluster, path: &str) -> Result<Root, Error> {
    let answer = cluster.get_as(path, AGGREGATED).await?;
    let document: Document = read(&answer.body)?;
    if document.kind == "APIGroupDiscoveryList" {
        let kinds = document.items.into_iter().flat_map(Group::kinds);
        return Ok(Root::Aggregated(kinds.collect()));
    }
    let mut versions: Vec<_> = document
        .versions
        .into_iter()
        .map(|v| (String::new(), v))
        .collect();
    for group in document.groups {
        let preferred = group.preferred_version.version;
        let mut own: Vec<_> = group.versions.into_iter().map(|v| v.version).collect();
        own.sort_by_key(|version| *version != preferred);
        versions.extend(own.into_iter().map(|version| (group.name.clone(), version)));
    }
    Ok(Root::Versions(versions))
}

/// The plain form. Only the core has to answer.
async fn each(cluster: &Cluster, versions: Vec<(String, String)>) -> Result<Vec<ApiKind>, Error> {
    let ask = |(group, version): (String, String)| async move {
        let path = match group.as_str() {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        let listed = match cluster.get(&path).await {
            Ok(answer) => read::<Resources>(&answer.body),
            Err(error) => Err(error),
        };
        match listed {
            Ok(list) => Ok(list.kinds(&group, &version)),
            Err(error) if group.is_empty() => Err(error),
            Err(_) => Ok(Vec::new()),
        }
    };
    let mut answers = stream::iter(versions).map(ask).buffered(AT_A_TIME);
    let mut all = Vec::new();
    while let Some(kinds) = answers.next().await {
        all.extend(kinds?);
    }
    Ok(all)
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Unusable {
        about: "read the kinds of the cluster".to_owned(),
        status: 200,
        message: format!("the answer cannot be read: {error}"),
    })
}

/// Any of the three: `APIGroupDiscoveryList`, `APIVersions`, `APIGroupList`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Document {
    kind: String,
    items: Vec<Group>,
    versions: Vec<String>,
    groups: Vec<PlainGroup>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PlainGroup {
    name: String,
    versions: Vec<Version>,
    preferred_version: Version,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    metadata: Named,
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Version {
    version: String,
    resources: Vec<Resource>,
}

/// Both forms of a resource.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "resource")]
    plural: String,
    response_kind: Option<ResponseKind>,
    scope: String,
    #[serde(rename = "singularResource")]
    singular: String,
    name: String,
    kind: String,
    namespaced: bool,
    singular_name: String,
    short_names: Vec<String>,
    verbs: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseKind {
    kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resources {
    resources: Vec<Resource>,
}

impl Group {
    fn kinds(self) -> Vec<ApiKind> {
        let group = self.metadata.name;
        let versions = self.versions.into_iter();
        versions
            .flat_map(|version| {
                Resources {
                    resources: version.resources,
                }
                .kinds(&group, &version.version)
            })
            .collect()
    }
}

impl Resources {
    fn kinds(self, group: &str, version: &str) -> Vec<ApiKind> {
        let kinds = self
            .resources
            .into_iter()
            .filter_map(|found| found.kind(group, version));
        kinds.collect()
    }
}

impl Resource {
    /// `None` for parts of objects and for what cannot be listed.
    fn kind(self, group: &str, version: &str) -> Option<ApiKind> {
        let first = |one: String, other: String| if one.is_empty() { other } else { one };
        let plural = first(self.plural, self.name);
        if plural.contains('/') || !self.verbs.iter().any(|verb| verb == "list") {
            return None;
        }
        let kind = self
            .response_kind
            .map(|response| response.kind)
            .unwrap_or_default();
        Some(ApiKind {
            group: group.into(),
            version: version.into(),
            plural: plural.into(),
            singular: first(self.singular, self.singular_name).into(),
            kind: first(kind, self.kind).into(),
            short: self.short_names.into_iter().map(Into::into).collect(),
            namespaced: self.namespaced || self.scope == "Namespaced",
        })
    }
}
