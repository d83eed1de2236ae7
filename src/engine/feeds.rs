//! Opens and drops feeds so that they match the wish list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use tokio::task::AbortHandle;

use super::{Client, Shared, clock};
use crate::app::event::Event;
use crate::domain::{Health, SourceId, Update};
use crate::sources::kube::feed::{feed, reopen};

#[derive(Default)]
pub struct Feeds {
    open: BTreeMap<SourceId, Task>,
    epoch: u64,
}

impl Feeds {
    /// What is no longer wanted is dropped first, then the new ones are opened in the order of the list. A new
    /// epoch opens all anew: news that is on its way under the old one will be thrown away.
    pub fn wish(&mut self, shared: &Arc<Shared>, epoch: u64, wanted: Vec<SourceId>) {
        let renew = epoch != self.epoch;
        self.epoch = epoch;
        self.open.retain(|source, _| wanted.contains(source));
        for source in wanted {
            let shown = self.open.contains_key(&source);
            if shown && !renew {
                continue;
            }
            let feed = Feed {
                shared: Arc::clone(shared),
                source: source.clone(),
                epoch,
                shown,
            };
            let task = Task(tokio::spawn(feed.run()).abort_handle());
            self.open.insert(source, task);
        }
    }
}

/// Ends with its handle.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Feed {
    shared: Arc<Shared>,
    source: SourceId,
    epoch: u64,
    /// Its rows may be on the screen already.
    shown: bool,
}

impl Feed {
    /// One client after the other, for ever.
    async fn run(mut self) {
        let mut clients = self.shared.cluster.subscribe();
        loop {
            let client = clients.borrow_and_update().clone();
            match client {
                Some(client) => {
                    tokio::select! {
                        () = self.read(client) => {}
                        gone = clients.changed() => if gone.is_err() { return },
                    }
                }
                None => {
                    if clients.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Until it is worth opening again: the person asked for it while it waited.
    async fn read(&mut self, client: Client) {
        let open: fn(_, _, _) -> _ = if self.shown { reopen } else { feed };
        let mut news = open(client.cluster, self.source.clone(), clock::now);
        self.shown = true;
        let mut wishes = self.shared.feed_now.subscribe();
        let mut waits = false;
        loop {
            tokio::select! {
                batch = news.next() => {
                    let Some(updates) = batch else { return std::future::pending().await };
                    waits = self.waits(&updates, client.generation).unwrap_or(waits);
                    self.tell(updates).await;
                }
                wish = wishes.changed() => {
                    if wish.is_err() || waits {
                        return;
                    }
                }
            }
        }
    }

    /// Whether it waits before it asks again, as far as the last word on its health goes.
    fn waits(&self, updates: &[Update], generation: u64) -> Option<bool> {
        let health = updates.iter().rev().find_map(|update| match update {
            Update::Health(health) => Some(health),
            Update::Change(_) | Update::Skew(_) => None,
        })?;
        Some(match health {
            Health::Live | Health::Listing(_) | Health::Undecodable(_) => {
                let heard = &self.shared.heard;
                heard.fetch_max(generation, Ordering::Relaxed);
                false
            }
            Health::Quiet { .. } | Health::Retrying { .. } | Health::Denied(_) => true,
            Health::AuthExpired(_) => {
                let expired = |last: &mut u64| *last = generation.max(*last);
                self.shared.expired.send_modify(expired);
                true
            }
        })
    }

    async fn tell(&self, updates: Vec<Update>) {
        let event = Event::Fed {
            source: self.source.clone(),
            epoch: self.epoch,
            at: clock::now(),
            updates,
        };
        self.shared.send(event).await;
    }
}
