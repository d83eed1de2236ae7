//! The own list+watch loop: one stream of news that outlives every failure of the API server and says how it
//! is doing.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use futures::channel::mpsc;
use futures::stream::{self, BoxStream};
use futures::{SinkExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{sleep, timeout};

use super::path::Resource;
use super::watch::{Lines, News, What};
use super::{Cluster, Error, discovery, list, watch};
use crate::domain::{Change, Feed, Health, Item, SourceId, Update};
use crate::sources::{Clock, backoff};

/// A watch should have ended by now; the server may be slow.
const SILENT: Duration = Duration::from_secs(watch::SECONDS + 2);
/// After that the connection counts as dead.
const PATIENCE: Duration = Duration::from_secs(3);
/// A watch that stood this long was progress, even if it said nothing.
const STOOD: SignedDuration = SignedDuration::from_secs(5);
const POLL: Duration = Duration::from_secs(15);
const DENIED: Duration = Duration::from_secs(30);
/// A kind that is not there may be installed at any time, and hardly ever is.
const ABSENT: Duration = Duration::from_secs(300);
/// However long a server asks us to stay away.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A listing is made again after so many watches, half an hour: an etcd restored from a backup counts its
/// versions from an older number, and a watch of a newer one is silent for ever.
const WATCHES_PER_LISTING: usize = 60;
/// The fleet's ReplicaSets are read in the background: others go first.
const BACKGROUND_PAUSE: Duration = Duration::from_millis(50);

/// The news of one source: batches of updates, one batch a page of a list or a piece of a watch.
///
/// The first listing comes as `Put`s and ends in `Synced`; each later one as one `Reset` and a `Synced`, and
/// until then the old rows stand. The stream never ends. After `AuthExpired` nothing more comes: it waits to be
/// dropped. To try again at once, drop it and take [`reopen`]: dropping ends every request.
///
/// Pages are fetched and decoded in tasks of their own, all else is done while the stream is polled: do that in a
/// task of its own too.
pub fn feed(cluster: Cluster, source: SourceId, clock: Clock) -> BoxStream<'static, Vec<Update>> {
    start(cluster, source, clock, false)
}

/// As [`feed`], for a source whose rows may already be on the board: its first listing is held back and comes
/// as one `Reset`, so that what vanished in between goes.
pub fn reopen(cluster: Cluster, source: SourceId, clock: Clock) -> BoxStream<'static, Vec<Update>> {
    start(cluster, source, clock, true)
}

fn start(
    cluster: Cluster,
    source: SourceId,
    clock: Clock,
    shown: bool,
) -> BoxStream<'static, Vec<Update>> {
    let (out, news) = mpsc::channel(0);
    let now = clock();
    let mut hasher = DefaultHasher::new();
    (&source, now.as_nanosecond()).hash(&mut hasher);
    let reader = Reader {
        cluster,
        source,
        clock,
        out,
        batch: Vec::new(),
        seed: hasher.finish(),
        failures: 0,
        shown,
        synced: false,
        page: list::PAGE,
        silent: false,
        contact: now,
        skew: 0,
        unreadable: BTreeSet::new(),
        unreadable_told: 0,
    };
    let work = stream::once(reader.read()).map(|never| match never {});
    stream::select(news, work).boxed()
}

struct Reader {
    cluster: Cluster,
    source: SourceId,
    clock: Clock,
    out: mpsc::Sender<Vec<Update>>,
    batch: Vec<Update>,
    seed: u64,
    /// In a row, without progress in between.
    failures: u32,
    /// Rows of this source may be on the board.
    shown: bool,
    /// One listing is complete.
    synced: bool,
    page: usize,
    /// The last that was said is that nothing comes.
    silent: bool,
    /// The last good answer; before the first, the start.
    contact: Timestamp,
    /// As told last, in milliseconds.
    skew: i64,
    /// By uid, or by place.
    unreadable: BTreeSet<Box<str>>,
    unreadable_told: usize,
}

/// Why a listing and its watches are over.
enum Over {
    /// A new listing is due, or the version is too old.
    ListAgain,
    /// It may be listed but not watched.
    Unwatchable(Error),
    Failed(Error),
}

impl Reader {
    async fn read(mut self) -> Infallible {
        loop {
            let over = match self.list_what_is_there().await {
                Ok(Some(version)) => self.follow(version).await,
                Ok(None) => {
                    sleep(ABSENT).await;
                    continue;
                }
                Err(Error::Gone { .. }) => {
                    self.page = list::WIDE_PAGE;
                    Over::ListAgain
                }
                Err(error) => Over::Failed(error),
            };
            match over {
                Over::ListAgain => self.pause_before_listing().await,
                Over::Unwatchable(error) => self.pause_before_poll(&error).await,
                Over::Failed(error) => {
                    if let (Error::NotFound { .. }, Some(resource)) = (&error, self.optional()) {
                        discovery::forget(&self.cluster, resource).await;
                    }
                    self.pause_after(&error).await;
                }
            }
        }
    }

    /// `None` when the cluster has no such kind. Who may not list a kind is denied it even where nobody has it, so the
    /// server is asked for the kind first, which everybody may.
    async fn list_what_is_there(&mut self) -> Result<Option<String>, Error> {
        if let Some(resource) = self.optional()
            && !discovery::serves_lately(&self.cluster, resource, (self.clock)()).await?
        {
            self.failures = 0;
            self.heard(None);
            let held = self.shown.then(Vec::new);
            self.listed(held, BTreeSet::new()).await;
            self.batch.push(Update::Health(Health::Absent));
            self.flush().await;
            return Ok(None);
        }
        self.list().await.map(Some)
    }

    /// The kind, where not every cluster has it.
    fn optional(&self) -> Option<Resource> {
        match self.source.feed {
            Feed::Workloads(kind) if kind.is_optional() => Some(Resource::Workload(kind)),
            Feed::Canaries => Some(Resource::Canaries),
            Feed::Routes(kind) => Some(Resource::Routes(kind)),
            _ => None,
        }
    }

    /// One whole listing, page by page, the next one asked for as soon as one says where it begins. Returns the version that a watch goes on from.
    async fn list(&mut self) -> Result<String, Error> {
        let mut held: Option<Vec<Item>> = self.shown.then(Vec::new);
        let mut unreadable = BTreeSet::new();
        let mut count = 0;
        let background = self.source.feed == Feed::ReplicaSets;
        let mut coming = self.ask(list::FIRST_PAGE, "");
        let version = loop {
            let early = if background {
                None
            } else {
                coming.next().await
            };
            let ahead = early.map(|next| self.ask(self.page, &next));
            let (page, date) = coming.page().await?;
            self.heard(date);
            unreadable.extend(page.unreadable);
            count += page.items.len();
            if !self.synced {
                self.batch.push(Update::Health(Health::Listing(count)));
            }
            if let Some(held) = &mut held {
                held.extend(page.items);
            } else {
                self.shown = true;
                let puts = page.items.into_iter().map(Change::Put);
                self.batch.extend(puts.map(Update::Change));
            }
            if page.next.is_empty() {
                break page.version;
            }
            self.flush().await;
            if background {
                sleep(BACKGROUND_PAUSE).await;
            }
            coming = ahead.unwrap_or_else(|| self.ask(self.page, &page.next));
        };
        if version.is_empty() {
            let resource = self.source.feed.resource();
            return Err(list::unusable(resource, &"there is no resourceVersion"));
        }
        self.listed(held, unreadable).await;
        Ok(version)
    }

    fn ask(&self, limit: usize, next: &str) -> list::Coming {
        list::Coming::ask(&self.cluster, &self.source, limit, next)
    }

    async fn listed(&mut self, held: Option<Vec<Item>>, unreadable: BTreeSet<Box<str>>) {
        if let Some(items) = held {
            let reset = Change::Reset(self.source.clone(), items);
            self.batch.push(Update::Change(reset));
        }
        let synced = Change::Synced(self.source.clone());
        self.batch.push(Update::Change(synced));
        self.unreadable = unreadable;
        self.tell_unreadable();
        if !self.synced {
            self.batch.push(Update::Health(Health::Live));
        }
        self.synced = true;
        self.page = list::PAGE;
        self.flush().await;
    }

    /// Watches from `version` on, one watch after the other, until a new listing is needed.
    async fn follow(&mut self, mut version: String) -> Over {
        for _ in 0..WATCHES_PER_LISTING {
            let opened = (self.clock)();
            let ended = self.watch(&mut version).await;
            let stood = (self.clock)().duration_since(opened) >= STOOD;
            if stood {
                self.failures = 0;
            }
            match ended {
                Ok(()) if stood => {}
                Ok(()) => self.pause_between_watches().await,
                Err(Error::Gone { .. }) => return Over::ListAgain,
                Err(error @ Error::Forbidden { .. }) => return Over::Unwatchable(error),
                Err(
                    error @ (Error::Timeout { .. }
                    | Error::Transport { .. }
                    | Error::Throttled { .. }),
                ) => self.pause_after(&error).await,
                Err(error) => return Over::Failed(error),
            }
        }
        Over::ListAgain
    }

    /// One watch, until the server ends it in good order.
    async fn watch(&mut self, version: &mut String) -> Result<(), Error> {
        let path = watch::path(&self.source, version);
        let (date, mut body) = self.cluster.open(&path).await?;
        self.heard(date);
        self.batch.push(Update::Health(Health::Live));
        self.flush().await;
        let mut lines = Lines::default();
        while let Some(piece) = self.patiently(body.next()).await? {
            self.heard(None);
            let (block, dropped) = lines.push(&piece?);
            let ended = self.take_block(&block, version);
            if dropped {
                self.take(watch::unreadable_line(), version)?;
            }
            self.tell_unreadable();
            self.flush().await;
            ended?;
        }
        Ok(())
    }

    /// Waits as long as a healthy watch may be silent, then says that it is, then gives up.
    async fn patiently<T>(&mut self, piece: impl Future<Output = T>) -> Result<T, Error> {
        let mut piece = std::pin::pin!(piece);
        if let Ok(piece) = timeout(SILENT, &mut piece).await {
            return Ok(piece);
        }
        self.silent = true;
        let quiet = Health::Quiet {
            since: self.contact,
        };
        self.batch.push(Update::Health(quiet));
        self.flush().await;
        let about = format!("watch {}", self.source.feed.resource());
        timeout(PATIENCE, piece).await.map_err(|_| Error::Timeout {
            about,
            after_send: true,
            limit: SILENT + PATIENCE,
        })
    }

    fn take_block(&mut self, block: &[u8], version: &mut String) -> Result<(), Error> {
        let lines = block.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            self.take(watch::news(&self.source, line), version)?;
        }
        Ok(())
    }

    fn take(&mut self, news: News, version: &mut String) -> Result<(), Error> {
        let (uid, what, newer) = match news {
            News::Ended { code, message } => return Err(self.ended(code, message)),
            News::Bookmark { version: newer } => (Box::default(), What::Nothing, newer),
            News::Changed { uid, what, version } => (uid, what, version),
        };
        if !newer.is_empty() {
            *version = newer;
            self.failures = 0;
        }
        if matches!(what, What::Unreadable(_)) {
            let name = if uid.is_empty() {
                format!("line {}", self.unreadable.len()).into()
            } else {
                uid
            };
            self.unreadable.insert(name);
        } else {
            self.unreadable.remove(&uid);
        }
        let change = match what {
            What::Put(item) => Some(Change::Put(item)),
            What::Gone(id) => Some(Change::Gone(id)),
            What::Unreadable(row) => row.map(Change::Gone),
            What::Nothing => None,
        };
        self.batch.extend(change.map(Update::Change));
        Ok(())
    }

    /// The server's last line of a watch, as the error that a request would have met.
    fn ended(&self, status: u16, message: String) -> Error {
        let about = format!("watch {}", self.source.feed.resource());
        match status {
            410 => Error::Gone { about, message },
            403 => Error::Forbidden { about, message },
            429 | 503 => Error::Throttled {
                about,
                status,
                message,
                retry_after: None,
            },
            _ => Error::Unusable {
                about,
                status,
                message,
            },
        }
    }

    /// A good answer: ends a silence, and tells how the server's clock stands.
    fn heard(&mut self, date: Option<Timestamp>) {
        self.contact = (self.clock)();
        if let Some(date) = date {
            // The header is cut to whole seconds, so half of one is its middle.
            let ahead = date.duration_since(self.contact) + SignedDuration::from_millis(500);
            let millis = i64::try_from(ahead.as_millis()).unwrap_or(0);
            if (millis - self.skew).abs() >= 1000 {
                self.skew = millis;
                self.batch.push(Update::Skew(millis / 1000));
            }
        }
        if std::mem::take(&mut self.silent) {
            self.batch.push(Update::Health(Health::Live));
        }
    }

    fn tell_unreadable(&mut self) {
        let count = self.unreadable.len();
        if count != self.unreadable_told {
            self.unreadable_told = count;
            self.batch.push(Update::Health(Health::Undecodable(count)));
        }
    }

    /// At once the first time; a version that is always too old must not make a loop of listings.
    async fn pause_before_listing(&mut self) {
        if self.failures > 0 {
            sleep(backoff::wait(self.failures, self.seed)).await;
        }
        self.failures += 1;
    }

    /// A server that ends watches as soon as they are opened is not asked all the time.
    async fn pause_between_watches(&mut self) {
        sleep(backoff::wait(self.failures, self.seed)).await;
        self.failures += 1;
    }

    async fn pause_before_poll(&mut self, error: &Error) {
        let resource = self.source.feed.resource();
        let why = missing(error);
        let said = format!("{resource} cannot be watched, read every 15s instead: {why}");
        self.batch.push(Update::Health(Health::Denied(said)));
        self.flush().await;
        sleep(POLL).await;
    }

    async fn pause_after(&mut self, error: &Error) {
        self.silent = true;
        if error.needs_login() {
            let failure = error.failure();
            let said: Vec<_> = std::iter::once(failure.sentence)
                .chain(failure.hints)
                .collect();
            let expired = Health::AuthExpired(said.join("; "));
            self.batch.push(Update::Health(expired));
            self.flush().await;
            return std::future::pending().await;
        }
        if let (Error::NotFound { .. }, Feed::SyncOf { .. } | Feed::Suspended(_)) =
            (error, &self.source.feed)
        {
            // A kind that is not installed is asked for once; who installs it can have it asked for again.
            let resource = self.source.feed.resource();
            let absent = Health::Denied(format!("this cluster knows no {resource}"));
            self.batch.push(Update::Health(absent));
            self.flush().await;
            return std::future::pending().await;
        }
        if matches!(error, Error::Forbidden { .. }) {
            let denied = Health::Denied(missing(error));
            self.batch.push(Update::Health(denied));
            self.flush().await;
            return sleep(DENIED).await;
        }
        let asked = match error {
            Error::Throttled { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let wait = backoff::wait(self.failures, self.seed).max(asked.min(LONGEST_WAIT));
        self.failures += 1;
        let now = (self.clock)();
        let retrying = Health::Retrying {
            since: self.contact,
            why: error.to_string(),
            next: now.checked_add(wait).unwrap_or(now),
            unreached: error.unreached(),
        };
        self.batch.push(Update::Health(retrying));
        self.flush().await;
        sleep(wait).await;
    }

    /// Waits until the last batch was taken.
    async fn flush(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            // Nobody listens any more only when this is about to be dropped as well.
            let _ = self.out.send(batch).await;
        }
    }
}

fn missing(error: &Error) -> String {
    error
        .missing_permission()
        .map_or_else(|| error.to_string(), |missing| format!("needs {missing}"))
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
