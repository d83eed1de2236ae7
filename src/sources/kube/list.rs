//! One page of a list: its path, its way here, and its items decoded one by one.

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use super::canary::pair;
use super::path::{self, Resource};
use super::{Cluster, Error, convert, wire};
use crate::domain::{Feed, Item, Kind, SourceId, sync};

/// So few that rows stand while the rest is still on its way.
pub const FIRST_PAGE: usize = 100;
pub const PAGE: usize = 500;
/// After a continue token grew too old in the middle of a listing: fewer pages are sooner at their end.
pub const WIDE_PAGE: usize = 5_000;
/// In so many bytes the metadata of a list has come, if it comes before the items.
const HEAD: usize = 8 << 10;

/// What one page holds. A bad object costs its own row.
#[derive(Debug, Default)]
pub struct Page {
    pub items: Vec<Item>,
    /// The objects that could not be read, by uid where that could.
    pub unreadable: Vec<Box<str>>,
    /// Empty on the last page.
    pub next: String,
    /// Where a watch goes on from.
    pub version: String,
}

/// A page on its way, in a task of its own: the next can be asked for while this one comes and is decoded.
pub struct Coming {
    next: oneshot::Receiver<String>,
    page: AbortOnDropHandle<Result<(Page, Option<Timestamp>), Error>>,
}

impl Coming {
    /// Asks for a page; see [`page_path`]. Dropping it ends the request.
    pub fn ask(cluster: &Cluster, source: &SourceId, limit: usize, next: &str) -> Self {
        let path = page_path(source, limit, next);
        let (cluster, source) = (cluster.clone(), source.clone());
        let (tell, next) = oneshot::channel();
        let page = tokio::spawn(read(cluster, source, path, tell));
        Self {
            next,
            page: AbortOnDropHandle::new(page),
        }
    }

    /// Where the next page begins, as soon as that is known; `None` when it is not before the page is whole.
    pub async fn next(&mut self) -> Option<String> {
        (&mut self.next).await.ok()
    }

    /// The whole page, and the server's clock.
    ///
    /// # Errors
    /// The request failed, or what came is no list.
    pub async fn page(self) -> Result<(Page, Option<Timestamp>), Error> {
        self.page
            .await
            .unwrap_or_else(|panic| Err(unusable("page", &panic)))
    }
}

/// The items of a source, page by page, until there are so many.
///
/// # Errors
/// A request failed, or what came is no list.
pub async fn all(cluster: &Cluster, source: &SourceId, most: usize) -> Result<Vec<Item>, Error> {
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let (page, _) = Coming::ask(cluster, source, PAGE, &next).page().await?;
        items.extend(page.items);
        next = page.next;
        if next.is_empty() || items.len() >= most {
            return Ok(items);
        }
    }
}

async fn read(
    cluster: Cluster,
    source: SourceId,
    path: String,
    tell: oneshot::Sender<String>,
) -> Result<(Page, Option<Timestamp>), Error> {
    let mut tell = Some(tell);
    let answer = cluster.list_seen(&path, |body| {
        if let Some(next) = next_page(body)
            && let Some(tell) = tell.take()
        {
            let _ = tell.send(next);
        }
        if body.len() >= HEAD {
            tell = None;
        }
    });
    let answer = answer.await?;
    // On a thread of its own: a worker that decodes for long would keep timers and sockets waiting.
    let decoded = tokio::task::spawn_blocking(move || {
        page(&source, &answer.body).map_err(|e| unusable(source.feed.resource(), &e))
    });
    let page = decoded.await.map_err(|panic| unusable("page", &panic))??;
    Ok((page, answer.server_date))
}

/// Where the next page begins, from the beginning of this one: API servers send the metadata before the items.
fn next_page(body: &[u8]) -> Option<String> {
    const ITEMS: &[u8] = b"\"items\":[";
    let head = &body[..body.len().min(HEAD)];
    let at = head.windows(ITEMS.len()).position(|part| part == ITEMS)?;
    let head = [&head[..at], b"\"items\":[]}"].concat();
    let list: wire::List<'_> = serde_json::from_slice(&head).ok()?;
    let next = list.metadata.next.to_string();
    (!next.is_empty()).then_some(next)
}

/// An answer that says yes and cannot be used.
pub fn unusable(resource: &str, why: &impl ToString) -> Error {
    Error::Unusable {
        about: format!("list {resource}"),
        status: 200,
        message: why.to_string(),
    }
}

/// Asks for `limit` items from where `next` points, from the start when it is empty.
pub fn page_path(source: &SourceId, limit: usize, next: &str) -> String {
    let limit = limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    if !next.is_empty() {
        query.push(("continue", next));
    }
    collection(source, &query)
}

/// What a source lists and watches.
pub fn collection(source: &SourceId, query: &[(&str, &str)]) -> String {
    let name;
    let (resource, filter) = match &source.feed {
        Feed::Workloads(kind) => (Resource::Workload(*kind), None),
        Feed::Warnings => (Resource::Events, Some(("fieldSelector", "type=Warning"))),
        Feed::ReplicaSets => (Resource::ReplicaSets, None),
        Feed::RevisionsOf { workload, selector } => {
            let resource = match workload.kind {
                Kind::Deployment | Kind::Rollout => Resource::ReplicaSets,
                Kind::StatefulSet | Kind::DaemonSet => Resource::ControllerRevisions,
            };
            (resource, Some(("labelSelector", &**selector)))
        }
        Feed::PodsOf { selector, .. } => (Resource::Pods, Some(("labelSelector", &**selector))),
        Feed::AnalysesOf { hash, .. } => {
            name = format!("rollouts-pod-template-hash={hash}");
            let filter = ("labelSelector", name.as_str());
            (Resource::AnalysisRuns, Some(filter))
        }
        Feed::Canaries => (Resource::Canaries, None),
        Feed::Services => (Resource::Services, None),
        Feed::Routes(kind) => (Resource::Routes(*kind), None),
        Feed::EndpointsOf { service, .. } => {
            name = pair::of_service(service);
            let filter = ("labelSelector", name.as_str());
            (Resource::EndpointSlices, Some(filter))
        }
        Feed::SyncOf { sync, .. } => {
            name = format!("metadata.name={}", sync.name);
            let filter = ("fieldSelector", name.as_str());
            (Resource::Sync(sync.kind), Some(filter))
        }
        Feed::Suspended(kind) => (Resource::Sync(*kind), Some(("labelSelector", sync::LABEL))),
    };
    let mut query = query.to_vec();
    query.extend(filter);
    path::collection(resource, source.namespace.as_deref(), &query)
}

/// # Errors
/// When the page itself is no list; never for one of its items.
pub fn page(source: &SourceId, body: &[u8]) -> Result<Page, serde_json::Error> {
    let list: wire::List<'_> = serde_json::from_slice(body)?;
    let mut page = Page {
        items: Vec::with_capacity(list.items.len()),
        unreadable: Vec::new(),
        next: list.metadata.next.to_string(),
        version: list.metadata.resource_version.to_string(),
    };
    for (index, raw) in list.items.iter().enumerate() {
        match convert::item(source, raw.get()) {
            Ok(item) => page.items.extend(item),
            Err(error) => {
                tracing::warn!(resource = source.feed.resource(), %error, "unreadable object");
                page.unreadable.push(unreadable_name(raw.get(), index));
            }
        }
    }
    Ok(page)
}

/// The uid, so that the object can be told again; without one its place in the page.
fn unreadable_name(raw: &str, index: usize) -> Box<str> {
    let object: wire::Object<'_> = serde_json::from_str(raw).unwrap_or_default();
    if object.metadata.uid.is_empty() {
        return format!("item {index}").into();
    }
    object.metadata.uid[..].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::WorkloadId;

    fn source(namespace: Option<&str>, feed: Feed) -> SourceId {
        SourceId {
            cluster: "c".into(),
            namespace: namespace.map(Into::into),
            feed,
        }
    }

    #[test]
    fn each_feed_asks_for_its_own() {
        let workload = |kind| WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind,
            name: "db".into(),
        };
        let revisions = |kind| Feed::RevisionsOf {
            workload: workload(kind),
            selector: "app=db".into(),
        };
        for (source, want) in [
            (
                source(None, Feed::Workloads(Kind::Deployment)),
                "/apis/apps/v1/deployments?limit=100",
            ),
            (
                source(Some("shop"), Feed::Warnings),
                "/api/v1/namespaces/shop/events?limit=100&fieldSelector=type%3DWarning",
            ),
            (
                source(Some("shop"), revisions(Kind::Deployment)),
                "/apis/apps/v1/namespaces/shop/replicasets?limit=100&labelSelector=app%3Ddb",
            ),
            (
                source(Some("shop"), revisions(Kind::StatefulSet)),
                "/apis/apps/v1/namespaces/shop/controllerrevisions?limit=100&labelSelector=app%3Ddb",
            ),
            (
                source(
                    Some("shop"),
                    Feed::PodsOf {
                        workload: workload(Kind::DaemonSet),
                        selector: "a in (b)".into(),
                    },
                ),
                "/api/v1/namespaces/shop/pods?limit=100&labelSelector=a%20in%20%28b%29",
            ),
        ] {
            assert_eq!(page_path(&source, FIRST_PAGE, ""), want);
        }
        let sets = source(None, Feed::ReplicaSets);
        let want = "/apis/apps/v1/replicasets?limit=500&continue=a%2Bb";
        assert_eq!(page_path(&sets, PAGE, "a+b"), want);
    }

    #[test]
    fn the_head_tells_where_the_next_page_begins() {
        let whole = r#"{"kind":"List","metadata":{"resourceVersion":"7","continue":"a\u003db"},"items":[{"metadata":{"continue":"no"}}"#;
        let head = whole.find("[{").unwrap();
        for length in 0..=head {
            assert_eq!(next_page(&whole.as_bytes()[..length]), None, "{length}");
        }
        for length in head + 1..=whole.len() {
            let next = next_page(&whole.as_bytes()[..length]);
            assert_eq!(next.as_deref(), Some("a=b"), "{length}");
        }
        for other in [
            r#"{"metadata":{"resourceVersion":"7"},"items":[{}"#,
            r#"{"items":[{}],"metadata":{"continue":"late"}}"#,
            r#"nonsense "items":["#,
        ] {
            assert_eq!(next_page(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn one_bad_object_costs_one_row() {
        let good = r#"{"metadata":{"name":"web","namespace":"shop","uid":"u1","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"template":{}}}"#;
        let body = format!(
            r#"{{"kind":"List","metadata":{{"resourceVersion":"7","continue":"on"}},"items":[{good},{{"metadata":{{"uid":"u2"}},"spec":3}},null,{good}]}}"#
        );
        let deployments = source(None, Feed::Workloads(Kind::Deployment));
        let page = page(&deployments, body.as_bytes()).unwrap();
        assert_eq!(page.items.len(), 2);
        assert_eq!(page.unreadable, ["u2".into(), "item 2".into()]);
        assert_eq!((&*page.next, &*page.version), ("on", "7"));
        for body in ["", "7", r#"{"items":{}}"#, r#"{"metadata":{},"items":[{"#] {
            assert!(
                super::page(&deployments, body.as_bytes()).is_err(),
                "{body}"
            );
        }
    }
}
