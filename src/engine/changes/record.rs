//! What the release record of this machine tells: who did what.

use std::path::Path;

use jiff::Timestamp;

use crate::actions::Recorder;
use crate::actions::record::Limit;
use crate::domain::occurrence::{
    Difference, Gathered, Origin, Reading, Subject, Who, what_of_verb,
};
use crate::domain::release_record::{Action, Became, Stands};
use crate::domain::{ClusterId, Occurrence};
use crate::text::action::{arrow, outcome, whole};

use super::super::clock;

/// So far back it is read.
const ACTIONS: usize = 1_000;
const BYTES: u64 = 8 << 20;

/// The actions on this cluster, in these namespaces (all when there are none), that were not refused.
pub async fn read(
    cluster: &ClusterId,
    state_dir: &Path,
    (namespaces, since): (&[Option<Box<str>>], Timestamp),
) -> (Gathered, Reading) {
    let limit = Limit {
        actions: ACTIONS,
        bytes: BYTES,
        since: Some(since),
    };
    let page = match Recorder::new(state_dir).read(limit).await {
        Ok(page) => page,
        Err(failure) => return (Gathered::default(), Reading::Failed(failure.sentence)),
    };
    let here = |action: &&Action| {
        let workload = &action.sending.workload;
        let named = |scope: &Option<Box<str>>| scope.as_deref() == Some(&*workload.namespace);
        workload.cluster == *cluster && (namespaces.is_empty() || namespaces.iter().any(named))
    };
    let under_way = |action: &Action| page.under_way.contains(&action.sending.id);
    let done = page.actions.iter().filter(here);
    let gathered = Gathered {
        others: done
            .filter_map(|action| occurrence(action, under_way(action)))
            .collect(),
        ..Gathered::default()
    };
    (gathered, Reading::Read)
}

fn occurrence(action: &Action, under_way: bool) -> Option<Occurrence> {
    let words = match action.stands() {
        Stands::Refused | Stands::NotBegun | Stands::Interrupted(Became::NotApplied) => {
            return None;
        }
        Stands::Unknown | Stands::Sent | Stands::Interrupted(Became::Unknown) => {
            format!("{}, {}", arrow(action), outcome(action, under_way))
        }
        Stands::Verified
        | Stands::NotVerified
        | Stands::Accepted
        | Stands::Interrupted(Became::Applied) => arrow(action),
    };
    let sending = &action.sending;
    Some(Occurrence {
        at: sending.at,
        inferred: false,
        what: what_of_verb(&sending.verb),
        subject: Subject::from(&sending.workload),
        services: vec![sending.workload.clone()],
        words,
        who: Who::Person(sending.by.as_str().into()),
        known_from: "release record",
        origin: Origin::Record,
        difference: Difference::Words(whole(action, under_way, clock::now())),
    })
}
