//! Collects what changed: every source at once, each told as soon as it has answered, each failing alone.

mod record;

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};

use super::{Shared, clock};
use crate::app::effect::Asked;
use crate::app::event::{Event, JobId};
use crate::domain::Occurrence;
use crate::domain::occurrence::{DAYS, Gathered, Origin, Reading, Report, assemble};
use crate::sources::kube::{Cluster, changes};

/// Requests at a time: an incident makes many people look at once, at a server that may be ill.
const AT_ONCE: usize = 4;

/// Each cluster alone.
pub(super) async fn tell(shared: Arc<Shared>, job: JobId, asked: Vec<Asked>) {
    let each = asked.into_iter().map(|asked| tell_one(&shared, job, asked));
    futures::future::join_all(each).await;
}

async fn tell_one(shared: &Shared, job: JobId, asked: Asked) {
    let id = asked.cluster.clone();
    let say = async |outcome| {
        let cluster = id.clone();
        let event = Event::ChangesTold {
            job,
            cluster,
            outcome,
        };
        shared.send(event).await;
    };
    let cluster = match shared.connected(&id) {
        Ok(cluster) => cluster,
        Err(failure) => return say(Err(failure)).await,
    };
    let state_dir = shared.config().state_dir.clone();
    let (reports, mut news) = tokio::sync::mpsc::unbounded_channel();
    let reading = collect(&cluster, &state_dir, asked, move |report| {
        drop(reports.send(report));
    });
    let telling = async {
        while let Some(report) = news.recv().await {
            say(Ok(Box::new(report))).await;
        }
    };
    tokio::join!(reading, telling);
}

/// Hands out a report whenever there is more to tell; the last one is complete.
pub async fn collect(
    cluster: &Cluster,
    state_dir: &Path,
    asked: Asked,
    mut tell: impl FnMut(Report),
) {
    let since = since(clock::now());
    let mut collection = Collection::new(asked.seen, since);
    let scopes = |origin| match (origin, asked.namespaces.as_slice()) {
        (Origin::Nodes | Origin::ArgoCd, _) | (_, []) => vec![None],
        (_, named) => named.to_vec(),
    };
    let wanted = Origin::READ.into_iter();
    let wanted = wanted.flat_map(|origin| scopes(origin).into_iter().map(move |ns| (origin, ns)));
    let wanted: Vec<(Origin, Option<Box<str>>)> = wanted.collect();
    // Before anything is told: a report that awaits nothing would say that nothing changed.
    for (origin, _) in &wanted {
        collection.await_one(*origin);
    }
    let record = record::read(cluster.id(), state_dir, (&asked.namespaces, since)).await;
    collection.add(Origin::Record, record);
    tell(collection.report());
    let mut reads = futures::stream::iter(wanted)
        .map(|(origin, namespace)| async move {
            let came = changes::read(cluster, origin, namespace.as_deref(), since).await;
            (origin, came)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((origin, came)) = reads.next().await {
        collection.add(origin, came);
        tell(collection.report());
    }
}

/// What is older is not asked for.
pub fn since(now: Timestamp) -> Timestamp {
    let days = SignedDuration::from_hours(DAYS * 24);
    now.saturating_sub(days).unwrap_or(Timestamp::MIN)
}

/// What came so far.
struct Collection {
    gathered: Gathered,
    readings: Vec<(Origin, Reading)>,
    /// Reads that have not answered.
    awaited: Vec<Origin>,
    since: Timestamp,
}

impl Collection {
    fn new(seen: Vec<Occurrence>, since: Timestamp) -> Self {
        let gathered = Gathered {
            others: seen,
            ..Gathered::default()
        };
        Self {
            gathered,
            readings: Vec::new(),
            awaited: Vec::new(),
            since,
        }
    }

    fn await_one(&mut self, origin: Origin) {
        self.awaited.push(origin);
    }

    fn add(&mut self, origin: Origin, (more, reading): (Gathered, Reading)) {
        self.gathered.add(more);
        if let Some(at) = self.awaited.iter().position(|one| *one == origin) {
            self.awaited.swap_remove(at);
        }
        self.readings.push((origin, reading));
    }

    fn report(&self) -> Report {
        let awaited = self.awaited.iter().map(|one| (*one, Reading::Asking));
        Report {
            occurrences: assemble(&self.gathered, self.since),
            readings: self.readings.iter().cloned().chain(awaited).collect(),
            troubled: self.gathered.troubled(clock::now()),
        }
    }
}
