//! Reads what keeps a workload as git has it: the Application, Kustomization or HelmRelease that its marks name.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::fresh;
use crate::domain::{Manager, SyncKind, SyncRef, Workload, WorkloadId};
use crate::plan::{FreshSync, Keeper, ObjectRef};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};

/// Where Argo CD is installed nearly everywhere: tried when not all namespaces may be looked at.
const ARGO_CD: &str = "argocd";

/// Never fails: what cannot be read is said with its reason.
pub async fn keeper(cluster: &Cluster, workload: &Workload) -> Keeper {
    match workload.kept_by() {
        None => Keeper::None,
        Some(named) => named_one(cluster, (&workload.id, true), named).await,
    }
}

/// The same of what is beside a workload and has these marks: whether it is listed there, nobody looks.
pub async fn of_manager(cluster: &Cluster, near: &WorkloadId, manager: Option<&Manager>) -> Keeper {
    match manager {
        Some(Manager::Sync(named)) => named_one(cluster, (near, false), named).await,
        _ => Keeper::None,
    }
}

/// For a workload, or only near to one.
type About<'a> = (&'a WorkloadId, bool);

async fn named_one(cluster: &Cluster, about: About<'_>, named: &SyncRef) -> Keeper {
    let unknown = |why: String| Keeper::Unknown {
        named: named.clone(),
        why,
    };
    match find(cluster, about, named).await {
        Ok(Some(fresh)) => Keeper::Found(Box::new(fresh)),
        Ok(None) => unknown("it is not on this cluster".into()),
        Err(Error::NotFound { .. }) => unknown(match &named.namespace {
            Some(namespace) => format!("it is not in {namespace}"),
            None => format!("this cluster knows no {}", named.kind.plural()),
        }),
        Err(error) => unknown(match error.missing_permission() {
            Some(missing) => format!("needs {missing}"),
            None => error.to_string(),
        }),
    }
}

async fn find(
    cluster: &Cluster,
    about: About<'_>,
    named: &SyncRef,
) -> Result<Option<FreshSync>, Error> {
    if let Some(namespace) = &named.namespace {
        return get(cluster, about, named, namespace).await.map(Some);
    }
    match list(cluster, about, named).await {
        Err(denied @ Error::Forbidden { .. }) if named.kind == SyncKind::Application => {
            let there = get(cluster, about, named, ARGO_CD).await;
            there.map(Some).map_err(|_| denied)
        }
        other => other,
    }
}

async fn get(
    cluster: &Cluster,
    about: About<'_>,
    named: &SyncRef,
    namespace: &str,
) -> Result<FreshSync, Error> {
    let place = path::object(Resource::Sync(named.kind), namespace, &named.name);
    let answer = cluster.get(&place).await?;
    read(
        cluster,
        about,
        named.kind,
        fresh::text(&answer.body, about.0)?,
    )
}

/// Those of the name in all namespaces; the one that lists the workload goes first.
async fn list(
    cluster: &Cluster,
    about: About<'_>,
    named: &SyncRef,
) -> Result<Option<FreshSync>, Error> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        items: Option<Vec<&'a RawValue>>,
    }
    let name = format!("metadata.name={}", named.name);
    let query = [("fieldSelector", name.as_str()), ("limit", "100")];
    let place = path::collection(Resource::Sync(named.kind), None, &query);
    let answer = cluster.list(&place).await?;
    let list: List<'_> =
        serde_json::from_slice(&answer.body).map_err(|error| fresh::unusable(about.0, &error))?;
    let items = list.items.unwrap_or_default();
    let found = items
        .iter()
        .map(|raw| read(cluster, about, named.kind, raw.get()));
    let found: Vec<_> = found.collect::<Result<_, _>>()?;
    Ok(found.into_iter().max_by_key(|fresh| fresh.sync.keeps))
}

fn read(
    cluster: &Cluster,
    (id, is_its): About<'_>,
    kind: SyncKind,
    raw: &str,
) -> Result<FreshSync, Error> {
    let unusable = |error: serde_json::Error| fresh::unusable(id, &error);
    Ok(FreshSync {
        sync: convert::sync(cluster.id(), kind, Some(id).filter(|_| is_its), raw)
            .map_err(unusable)?,
        parts: convert::sync_parts(kind, raw).map_err(unusable)?,
    })
}

/// Whether an object, read again, has what the action wrote: its note, or none of the note any more.
pub async fn applied(cluster: &Cluster, object: &ObjectRef, id: &str) -> Result<Applied, Error> {
    #[derive(Deserialize)]
    struct Object {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    struct Meta {
        #[serde(default)]
        annotations: std::collections::HashMap<String, String>,
    }
    let place = path::object_in(object.api, &object.namespace, object.resource, &object.name);
    let answer = cluster.get(&place).await?;
    let read: Object = serde_json::from_slice(&answer.body).map_err(|error| Error::Unusable {
        about: format!("read {}", path::describe(&place)),
        status: 200,
        message: error.to_string(),
    })?;
    let note = read
        .metadata
        .annotations
        .get(crate::domain::sync::ANNOTATION);
    let note = note.map(|text| serde_json::from_str::<crate::domain::Suspension>(text));
    Ok(match note {
        None => Applied::NoNote,
        Some(Ok(note)) if note.id == id => Applied::Ours,
        Some(_) => Applied::Another,
    })
}

/// Whose note is on the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    NoNote,
    Ours,
    Another,
}
