//! Keeps the cluster connected: in the background, again after every failure, and again when a login ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::clock;
use super::links::{Client, Link};
use crate::app::event::Event;
use crate::domain::{ClusterId, Connection, Failure, Identity};
use crate::sources::kube::{self, Cluster};

/// How often the kubeconfig files are looked at while the connection fails.
const LOOK: Duration = Duration::from_secs(2);
const LONGEST: i64 = 30;
/// How long a cluster that brings rows is left alone before it is asked again who it is.
const AGAIN: Duration = Duration::from_secs(30);

/// Never ends.
pub async fn keep(link: Arc<Link>) {
    let mut trouble = Trouble::default();
    let mut generation = 0;
    loop {
        let files = stamps(&link);
        generation += 1;
        // Boxed: what asks three things at a time is large.
        match Box::pin(attempt(&link, trouble.since, generation)).await {
            Ok(()) => {
                trouble = Trouble::default();
                until_expired(&link, generation).await;
            }
            Err(failure) => {
                let next = trouble.again(clock::now());
                let state = Connection::Failed {
                    failure,
                    since: trouble.since.unwrap_or(next),
                    next,
                };
                say(&link, link.id(), state).await;
                tokio::select! {
                    () = sleep(until(next)) => {}
                    () = link.connect_now.notified() => {}
                    () = changed(&link, files) => {}
                }
            }
        }
    }
}

/// The feeds get the client before the cluster has said who it is. After a failure they do not: the reason stands
/// on the screen until something answers.
async fn attempt(link: &Link, failing: Option<Timestamp>, generation: u64) -> Result<(), Failure> {
    let cluster = match link.take() {
        Some(given) => given,
        None => connect(link, failing).await?,
    };
    if failing.is_none() {
        hand_out(link, &cluster, generation);
        let state = Connection::Connected(kube::at_first(&cluster));
        say(link, cluster.id().clone(), state).await;
    }
    let identity = identify(link, &cluster, generation).await?;
    let user = identity.user.clone();
    if failing.is_some() {
        hand_out(link, &cluster, generation);
    }
    // In place: a feed must not be opened again for a name.
    link.cluster.send_if_modified(|client| {
        if let Some(client) = client {
            client.user = user;
        }
        false
    });
    let state = Connection::Connected(identity);
    say(link, cluster.id().clone(), state).await;
    Ok(())
}

async fn connect(link: &Link, failing: Option<Timestamp>) -> Result<Cluster, Failure> {
    let (doing, report) = tokio::sync::mpsc::unbounded_channel();
    let connecting = async {
        kube::connect(&link.connection(), clock::now, move |words| {
            let _ = doing.send(words);
        })
        .await
    };
    let connected = tokio::join!(connecting, tell(link, report, failing)).0;
    connected.map_err(|error| error.failure())
}

fn hand_out(link: &Link, cluster: &Cluster, generation: u64) {
    link.cluster.send_replace(Some(Client {
        cluster: cluster.clone(),
        user: None,
        generation,
    }));
}

/// A cluster that brings rows is connected, whether it says who it is or not: then it is asked again, later.
async fn identify(link: &Link, cluster: &Cluster, generation: u64) -> Result<Identity, Failure> {
    loop {
        let why = match kube::identify(cluster).await {
            Ok(identity) => return Ok(identity),
            Err(why) => why.failure(),
        };
        if link.heard.load(Ordering::Relaxed) < generation {
            return Err(why);
        }
        tokio::select! {
            () = sleep(AGAIN) => {}
            () = until_expired(link, generation) => return Err(why),
        }
    }
}

/// Failures in a row.
#[derive(Default)]
struct Trouble {
    since: Option<Timestamp>,
    times: u32,
}

impl Trouble {
    /// When to try again: after 1, 2, 4 … 30 s.
    fn again(&mut self, now: Timestamp) -> Timestamp {
        self.since.get_or_insert(now);
        let wait = (1_i64 << self.times.min(5)).min(LONGEST);
        self.times += 1;
        now.saturating_add(SignedDuration::from_secs(wait))
            .unwrap_or(now)
    }
}

/// What it is doing goes to the screen, unless a failure stands there: that says more.
async fn tell(
    link: &Link,
    mut report: tokio::sync::mpsc::UnboundedReceiver<String>,
    failing: Option<Timestamp>,
) {
    while let Some(doing) = report.recv().await {
        if failing.is_none() {
            let since = clock::now();
            say(link, link.id(), Connection::Connecting { doing, since }).await;
        }
    }
}

async fn say(link: &Link, cluster: ClusterId, state: Connection) {
    tracing::info!(%cluster, state = word(&state), "connection");
    link.send(Event::Connection { cluster, state }).await;
}

fn word(state: &Connection) -> &str {
    match state {
        Connection::Connecting { doing, .. } => doing,
        Connection::Connected(_) => "connected",
        Connection::Failed { failure, .. } => &failure.sentence,
    }
}

async fn until_expired(link: &Link, generation: u64) {
    let mut expired = link.expired.subscribe();
    let _ = expired.wait_for(|last| *last >= generation).await;
}

fn until(next: Timestamp) -> Duration {
    Duration::try_from(next.duration_since(clock::now())).unwrap_or_default()
}

async fn changed(link: &Link, before: Vec<Option<SystemTime>>) {
    loop {
        sleep(LOOK).await;
        if stamps(link) != before {
            return;
        }
    }
}

/// When each kubeconfig file was written; `None` where there is none.
fn stamps(link: &Link) -> Vec<Option<SystemTime>> {
    let modified = |file: &PathBuf| std::fs::metadata(file).and_then(|m| m.modified()).ok();
    link.connection().files().iter().map(modified).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_minute_and_remember_the_first_failure() {
        let mut trouble = Trouble::default();
        let start = Timestamp::UNIX_EPOCH;
        let waits: Vec<_> = (0..7)
            .map(|_| trouble.again(start).duration_since(start).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(trouble.since, Some(start));
    }
}
