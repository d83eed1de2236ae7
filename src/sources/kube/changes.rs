//! Reads for "what changed": whole lists, once, page by page, of metadata alone where what they hold is nobody's
//! business. Each source fails alone.

use jiff::Timestamp;

use super::list::{PAGE, unusable};
use super::path::{self, Resource};
use super::{Cluster, Error, convert, discovery, wire};
use crate::domain::occurrence::{Gathered, Origin, Reading};
use crate::domain::{ClusterId, SyncKind};

/// Pages of one list, at most: twenty thousand objects.
const PAGES: usize = 40;
/// Of events: what is older than these hardly matters in a storm.
const EVENT_PAGES: usize = 6;

/// Everything that one source tells of one namespace, or of all. What came before a failure is not lost.
pub async fn read(
    cluster: &Cluster,
    origin: Origin,
    namespace: Option<&str>,
    since: Timestamp,
) -> (Gathered, Reading) {
    let mut gathered = Gathered::default();
    let reading = match lists(cluster, origin, namespace, since, &mut gathered).await {
        Ok(None) => Reading::Read,
        Ok(Some(cut)) => Reading::Cut(cut),
        Err(error) if is_absent(cluster, origin, &error).await => Reading::Absent,
        Err(error) => Reading::Failed(match error.missing_permission() {
            Some(permission) => format!("no right to {permission}"),
            None => error.failure().sentence,
        }),
    };
    (gathered, reading)
}

async fn lists(
    cluster: &Cluster,
    origin: Origin,
    namespace: Option<&str>,
    since: Timestamp,
    into: &mut Gathered,
) -> Result<Option<String>, Error> {
    let mut cut = None;
    for list in of(origin) {
        cut = cut.or(pages(cluster, (origin, &list), namespace, since, into).await?);
    }
    Ok(cut)
}

/// One list to be read.
struct List {
    resource: Resource,
    /// The `fieldSelector`.
    only: Option<&'static str>,
    /// Content stays on the server.
    metadata: bool,
    pages: usize,
}

fn of(origin: Origin) -> Vec<List> {
    let list = |resource| List {
        resource,
        only: None,
        metadata: false,
        pages: PAGES,
    };
    let bare = |resource| List {
        metadata: true,
        ..list(resource)
    };
    let events = |only| List {
        only: Some(only),
        pages: EVENT_PAGES,
        ..list(Resource::Events)
    };
    match origin {
        Origin::Workloads(kind) => vec![list(Resource::Workload(kind))],
        Origin::ReplicaSets => vec![list(Resource::ReplicaSets)],
        Origin::ControllerRevisions => vec![list(Resource::ControllerRevisions)],
        Origin::ConfigMaps => vec![bare(Resource::ConfigMaps)],
        Origin::Secrets => vec![bare(Resource::Secrets)],
        Origin::Autoscalers => vec![list(Resource::Autoscalers)],
        Origin::Nodes => vec![list(Resource::Nodes)],
        Origin::Events => vec![events("type=Warning"), events("reason=ScalingReplicaSet")],
        Origin::ArgoCd => vec![list(Resource::Sync(SyncKind::Application))],
        Origin::Kustomizations => vec![list(Resource::Sync(SyncKind::Kustomization))],
        Origin::HelmReleases => vec![list(Resource::Sync(SyncKind::HelmRelease))],
        Origin::Record | Origin::Session => Vec::new(),
    }
}

/// Says when the list was longer than what was read of it.
async fn pages(
    cluster: &Cluster,
    (origin, list): (Origin, &List),
    namespace: Option<&str>,
    since: Timestamp,
    into: &mut Gathered,
) -> Result<Option<String>, Error> {
    // What is of the whole cluster is in no namespace; Argo CD's objects are in one of their own.
    let namespace = namespace.filter(|_| !matches!(origin, Origin::Nodes | Origin::ArgoCd));
    let limit = PAGE.to_string();
    let (mut next, mut unreadable) = (String::new(), 0);
    for _ in 0..list.pages {
        let mut query = vec![("limit", limit.as_str())];
        query.extend(list.only.map(|only| ("fieldSelector", only)));
        if !next.is_empty() {
            query.push(("continue", &next));
        }
        let path = path::collection(list.resource, namespace, &query);
        let answer = if list.metadata {
            cluster.list_metadata(&path).await
        } else {
            cluster.list(&path).await
        };
        let body = match answer {
            Ok(answer) => answer.body,
            Err(Error::Gone { .. }) if !next.is_empty() => {
                return Ok(Some(cut(origin, "ended early")));
            }
            Err(error) => return Err(error),
        };
        let id = cluster.id().clone();
        // On a thread of its own: a worker that decodes for long would keep timers and sockets waiting.
        let decoded = tokio::task::spawn_blocking(move || decode((&id, origin), &body, since));
        let decoded = decoded
            .await
            .map_err(|panic| unusable(origin.word(), &panic))?;
        let page = decoded.map_err(|error| unusable(origin.word(), &error))?;
        into.add(page.gathered);
        unreadable += page.unreadable;
        next = page.next;
        if next.is_empty() {
            return Ok((unreadable > 0).then(|| {
                format!(
                    "{unreadable} objects of {} could not be understood",
                    origin.word()
                )
            }));
        }
    }
    Ok(Some(cut(origin, "is longer than what was read")))
}

fn cut(origin: Origin, why: &str) -> String {
    format!(
        "the list of {} {why}: some lines are missing here",
        origin.word()
    )
}

struct Page {
    gathered: Gathered,
    next: String,
    unreadable: usize,
}

fn decode(
    (cluster, origin): (&ClusterId, Origin),
    body: &[u8],
    since: Timestamp,
) -> Result<Page, serde_json::Error> {
    let list: wire::List<'_> = serde_json::from_slice(body)?;
    let (mut gathered, mut unreadable) = (Gathered::default(), 0);
    for raw in &list.items {
        if let Err(error) = convert::occurrences((cluster, origin), raw.get(), since, &mut gathered)
        {
            tracing::warn!(resource = origin.word(), %error, "unreadable object");
            unreadable += 1;
        }
    }
    Ok(Page {
        gathered,
        next: list.metadata.next.to_string(),
        unreadable,
    })
}

/// The server has no such API. Who may not list it is told 403 whether it is there or not, so the API's own
/// description is asked, which everybody may read.
async fn is_absent(cluster: &Cluster, origin: Origin, error: &Error) -> bool {
    match error {
        Error::NotFound { .. } => true,
        Error::Forbidden { .. } => match of(origin).first() {
            Some(list) if list.resource.root().contains('.') => {
                matches!(discovery::serves(cluster, list.resource).await, Ok(false))
            }
            Some(_) | None => false,
        },
        _ => false,
    }
}
