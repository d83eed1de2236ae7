//! Opens and drops feeds so that they match the wish list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;

use super::clock;
use super::links::{Client, Link, Links, Task};
use crate::app::event::Event;
use crate::domain::{ClusterId, Health, SourceId, Update};
use crate::sources::kube::feed::{feed, reopen};

#[derive(Default)]
pub struct Feeds {
    /// With the epoch that each was opened in.
    open: BTreeMap<SourceId, (u64, Task)>,
}

impl Feeds {
    /// What is no longer wanted is dropped first, then the new ones are opened in the order of the list. A new
    /// epoch opens all of its cluster anew: news that is on its way under the old one will be thrown away.
    pub fn wish(
        &mut self,
        links: &Links,
        epochs: &BTreeMap<ClusterId, u64>,
        wanted: Vec<SourceId>,
    ) {
        self.open.retain(|source, _| wanted.contains(source));
        for source in wanted {
            let epoch = epochs.get(&source.cluster).copied().unwrap_or_default();
            let known = self.open.get(&source).map(|(opened, _)| *opened);
            let Some(link) = links.find(&source.cluster).filter(|_| known != Some(epoch)) else {
                continue;
            };
            let feed = Feed {
                link,
                source: source.clone(),
                epoch,
                shown: known.is_some(),
            };
            let task = Task(tokio::spawn(feed.run()).abort_handle());
            self.open.insert(source, (epoch, task));
        }
    }
}

struct Feed {
    link: Arc<Link>,
    source: SourceId,
    epoch: u64,
    /// Its rows may be on the screen already.
    shown: bool,
}

impl Feed {
    /// One client after the other, for ever.
    async fn run(mut self) {
        let mut clients = self.link.cluster.subscribe();
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
        let mut wishes = self.link.feed_now.subscribe();
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
                let heard = &self.link.heard;
                heard.fetch_max(generation, Ordering::Relaxed);
                false
            }
            Health::Quiet { .. } | Health::Retrying { .. } | Health::Denied(_) | Health::Absent => {
                true
            }
            Health::AuthExpired(_) => {
                let expired = |last: &mut u64| *last = generation.max(*last);
                self.link.expired.send_modify(expired);
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
        self.link.send(event).await;
    }
}
