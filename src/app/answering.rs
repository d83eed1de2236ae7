//! How a cluster answers, in words: for the header when it is the only one, else for a line of its own.

use jiff::Timestamp;

use super::clusters::ClusterState;
use super::model::{Model, SourceState};
use crate::domain::{Connection, FailureKind, Feed, Health, SourceId};
use crate::text;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    pub how: How,
    /// `no answer 48s`, or `live`.
    pub words: String,
    pub why: Option<String>,
    /// When it is tried again.
    pub next: Option<Timestamp>,
    /// Only a person who logs in helps.
    pub login: bool,
}

impl Answering {
    /// `no answer 48s: connection reset`.
    pub fn sentence(&self) -> String {
        match &self.why {
            Some(why) => format!("{}: {why}", self.words),
            None => self.words.clone(),
        }
    }
}

/// The better, the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    Live,
    /// Connecting or listing.
    Coming,
    /// Nothing came for longer than it should be silent.
    Quiet,
    Away,
}

/// Worst feed first.
pub fn answering(model: &Model, cluster: &ClusterState) -> Answering {
    let now = model.now;
    match &cluster.connection {
        Connection::Connecting { since, .. } => {
            let words = format!("connecting {}", text::age(*since, now));
            return answer(How::Coming, words);
        }
        Connection::Failed {
            failure,
            since,
            next,
        } => {
            let login = failure.kind == FailureKind::Denied;
            let what = if login { "no login" } else { "no answer" };
            return Answering {
                why: Some(failure.sentence.clone()),
                next: Some(*next),
                login,
                ..answer(How::Away, format!("{what} {}", text::age(*since, now)))
            };
        }
        Connection::Connected(_) => {}
    }
    // Of a kind that is not there nothing is heard, whatever becomes of the cluster.
    let of_cluster = || {
        let sources = model.sources.iter();
        let there = |state: &SourceState| state.health != Health::Absent;
        sources.filter(move |(source, state)| source.cluster == cluster.id && there(state))
    };
    let worst = of_cluster()
        .max_by_key(|(source, state)| (rank(source, state), std::cmp::Reverse(*source)));
    let Some((source, state)) = worst else {
        return answer(How::Coming, "listing");
    };
    // One feed that fails while others are heard is named: the cluster as a whole does answer.
    let alone = of_cluster().any(|(s, state)| rank(s, state) == 0);
    let who = if alone {
        format!("{}: ", source.feed.resource())
    } else {
        String::new()
    };
    match &state.health {
        Health::AuthExpired(why) => Answering {
            why: Some(why.clone()),
            login: true,
            ..answer(How::Away, "login expired")
        },
        Health::Retrying {
            since, why, next, ..
        } => {
            let age = text::age(*since, now);
            Answering {
                why: Some(why.clone()),
                next: Some(*next),
                ..answer(How::Away, format!("{who}no answer {age}"))
            }
        }
        Health::Quiet { since } => {
            answer(How::Quiet, format!("{who}quiet {}", text::age(*since, now)))
        }
        Health::Listing(_) if makes_rows(source) => {
            let (count, again) = listed(of_cluster());
            let word = if again { "relisting" } else { "listing" };
            answer(How::Coming, format!("{word} {}", text::thousands(count)))
        }
        Health::Listing(_)
        | Health::Live
        | Health::Absent
        | Health::Undecodable(_)
        | Health::Denied(_) => answer(How::Live, "live"),
    }
}

fn answer(how: How, words: impl Into<String>) -> Answering {
    Answering {
        how,
        words: words.into(),
        why: None,
        next: None,
        login: false,
    }
}

fn rank(source: &SourceId, state: &SourceState) -> u8 {
    match state.health {
        Health::AuthExpired(_) => 4,
        Health::Retrying { .. } => 3,
        Health::Quiet { .. } => 2,
        Health::Listing(_) if makes_rows(source) => 1,
        Health::Listing(_)
        | Health::Live
        | Health::Absent
        | Health::Denied(_)
        | Health::Undecodable(_) => 0,
    }
}

/// Revisions and pods only add to rows that stand: the board is whole while they are listed.
fn makes_rows(source: &SourceId) -> bool {
    match source.feed {
        Feed::Workloads(_) | Feed::Warnings => true,
        Feed::ReplicaSets
        | Feed::RevisionsOf { .. }
        | Feed::AnalysesOf { .. }
        | Feed::Canaries
        | Feed::Services
        | Feed::Routes(_)
        | Feed::EndpointsOf { .. }
        | Feed::PodsOf { .. }
        | Feed::SyncOf { .. }
        | Feed::Suspended(_) => false,
    }
}

/// How many items the feeds that list have so far, and whether they all had listed before.
fn listed<'a>(sources: impl Iterator<Item = (&'a SourceId, &'a SourceState)>) -> (usize, bool) {
    let listing = sources.filter_map(|(source, state)| match state.health {
        Health::Listing(count) if makes_rows(source) => Some((count, state.synced)),
        _ => None,
    });
    listing.fold((0, true), |(sum, again), (count, synced)| {
        (sum + count, again && synced)
    })
}

/// Whether what this feed brought is old by now, and since when nothing was heard of it.
pub fn stale_since(model: &Model, source: &SourceId) -> Option<Timestamp> {
    let state = model.sources.get(source)?;
    let cluster = model.cluster(&source.cluster)?;
    let since = match (&state.health, &cluster.connection) {
        (Health::Retrying { since, .. } | Health::Quiet { since }, _)
        | (_, Connection::Failed { since, .. }) => *since,
        (Health::AuthExpired(_) | Health::Denied(_), _) => state.contact.unwrap_or(model.now),
        (Health::Live | Health::Absent | Health::Listing(_) | Health::Undecodable(_), _) => {
            return None;
        }
    };
    Some(state.contact.unwrap_or(since))
}
