//! Everything that was read, put together: each change once, with the services that it concerns.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::onset::onset;
use super::release::releases;
use super::scale::{self, Scaling};
use super::{MOST, Occurrence, Subject, Trace, UseKind, What, Who, newest_first};
use crate::domain::standing::Evidence;
use crate::domain::{Manager, Revision, Uid, WorkloadId, revision};

/// Two sources that tell of one change agree within this.
const SAME: SignedDuration = SignedDuration::from_secs(60);

/// What the reads brought, each as far as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gathered {
    pub traces: Vec<Trace>,
    pub revisions: Vec<Revision>,
    /// Of every other kind: they say themselves what they are about.
    pub others: Vec<Occurrence>,
    pub scalings: Vec<Scaling>,
}

impl Gathered {
    pub fn add(&mut self, more: Self) {
        self.traces.extend(more.traces);
        self.revisions.extend(more.revisions);
        self.others.extend(more.others);
        self.scalings.extend(more.scalings);
    }

    /// Those that stand badly by what they say of themselves, and since when.
    pub fn troubled(&self, now: Timestamp) -> Vec<(WorkloadId, Timestamp)> {
        let owned = self.owned();
        let found = self.traces.iter().filter_map(|trace| {
            let workload = &trace.workload;
            let revisions = owned.get(&(trace.id(), &workload.uid));
            let revisions: Vec<_> = revisions
                .into_iter()
                .flatten()
                .map(|r| (*r).clone())
                .collect();
            let evidence = Evidence {
                workload,
                serving: None,
                revisions: &revisions,
                pods: &[],
                warnings: &[],
            };
            Some((trace.id().clone(), onset(evidence, now)?))
        });
        found.collect()
    }

    /// The revisions by what they belong to.
    fn owned(&self) -> BTreeMap<(&WorkloadId, &Uid), Vec<&Revision>> {
        let mut owned: BTreeMap<_, Vec<&Revision>> = BTreeMap::new();
        for revision in &self.revisions {
            let key = (&revision.workload, &revision.owner);
            owned.entry(key).or_default().push(revision);
        }
        owned
    }
}

/// The newest first, none older than `since`, at most [`MOST`].
pub fn assemble(gathered: &Gathered, since: Timestamp) -> Vec<Occurrence> {
    let owned = gathered.owned();
    let mut found = Vec::new();
    for trace in &gathered.traces {
        let key = (trace.id(), &trace.workload.uid);
        let revisions = owned.get(&key).map_or(&[][..], Vec::as_slice);
        found.extend(releases(trace, revisions));
        let current = revision::current_among(&trace.workload, revisions.iter().copied());
        found.extend(scale::untimed(trace, current, &gathered.scalings));
    }
    let uses = Uses::of(&gathered.traces);
    let (ours, others): (Vec<_>, Vec<_>) = gathered
        .others
        .iter()
        .filter(|other| other.at >= since)
        .cloned()
        .partition(|other| matches!(other.who, Who::Person(_)) && other.subject_is_its_service());
    found.retain(|one| one.at >= since);
    found.extend(others.into_iter().map(|other| uses.attributed(other)));
    without_echoes(&mut found);
    folded(&mut found);
    scale::with_numbers(&mut found, &gathered.scalings);
    for one in ours {
        merge(&mut found, one);
    }
    found.sort_by(newest_first);
    found.dedup();
    found.truncate(MOST);
    found
}

/// What a release verb of ours brings about.
pub fn what_of_verb(verb: &str) -> What {
    match verb {
        "rollback" => What::Rollback,
        "restart" => What::Restart,
        "scale" => What::Scale,
        "set-image" | "promote-image" => What::Release,
        _ => What::Action,
    }
}

/// The record tells who; the cluster tells what came of it. One line says both.
fn merge(found: &mut Vec<Occurrence>, ours: Occurrence) {
    let apart = |one: &Occurrence| one.at.duration_since(ours.at).abs();
    let same = found
        .iter_mut()
        .filter(|one| apart(one) <= SAME && tells_of(one, &ours));
    match same.min_by_key(|one| (one.what != ours.what, apart(one))) {
        Some(one) => {
            one.who = ours.who;
            one.what = ours.what;
            one.known_from = ours.known_from;
            // The record keeps the very time.
            (one.at, one.inferred) = (ours.at, false);
        }
        None => found.push(ours),
    }
}

/// What the cluster tells may be what this action of ours did. What somebody else released right after it is not.
fn tells_of(one: &Occurrence, ours: &Occurrence) -> bool {
    let kind = one.what == ours.what
        || matches!(
            (one.what, ours.what),
            (What::Release, What::Rollback | What::Restart) | (What::Spec, What::Action)
        );
    let end = |of: &Occurrence| {
        let (_, to) = of.words.rsplit_once("→ ")?;
        to.split(" (").next().map(str::to_owned)
    };
    let elsewhere = matches!((end(one), end(ours)), (Some(one), Some(ours)) if one != ours);
    kind && one.services == ours.services && !elsewhere
}

/// The scale of a workload that its autoscaler moved is said by the autoscaler.
fn without_echoes(found: &mut Vec<Occurrence>) {
    let moves: Vec<_> = found
        .iter()
        .filter(|one| one.what == What::Autoscaler)
        .map(|one| (one.services.clone(), one.at))
        .collect();
    let echo = |one: &Occurrence| {
        one.what == What::Scale
            && one.who.name() == Some("kube-controller-manager")
            && moves.iter().any(|(services, at)| {
                *services == one.services && at.duration_since(one.at).abs() <= SAME
            })
    };
    found.retain(|one| !echo(one));
}

/// Of the warnings of one service with one reason the newest speaks for all.
fn folded(found: &mut Vec<Occurrence>) {
    found.sort_by(newest_first);
    let mut told = BTreeSet::new();
    found.retain(|one| {
        let reason = one.words.split(':').next().unwrap_or_default();
        let about = match one.services.first() {
            Some(id) => Subject::from(id),
            None => one.subject.clone(),
        };
        one.what != What::Warning || told.insert((about, reason.to_owned()))
    });
}

impl Occurrence {
    fn subject_is_its_service(&self) -> bool {
        let itself = |id: &WorkloadId| {
            *id.name == *self.subject.name && id.kind.short() == &*self.subject.kind
        };
        matches!(self.services.as_slice(), [one] if itself(one))
    }
}

/// Which workloads take their settings from what, and which release of Helm or Flux they are of.
struct Uses<'a> {
    known: BTreeSet<&'a WorkloadId>,
    by_name: BTreeMap<(&'a str, UseKind, &'a str), Vec<&'a WorkloadId>>,
    by_manager: BTreeMap<(&'static str, &'a str), Vec<&'a WorkloadId>>,
}

impl<'a> Uses<'a> {
    fn of(traces: &'a [Trace]) -> Self {
        let mut uses = Self {
            known: traces.iter().map(Trace::id).collect(),
            by_name: BTreeMap::new(),
            by_manager: BTreeMap::new(),
        };
        for trace in traces {
            let id = trace.id();
            for used in &trace.uses {
                let key = (&*id.namespace, used.kind, &*used.name);
                uses.by_name.entry(key).or_default().push(id);
            }
            let manager = match &trace.workload.manager {
                Some(Manager::Sync(by)) => (by.kind.word(), &*by.name),
                Some(Manager::Helm(name)) => ("helm", &**name),
                Some(Manager::LastApplied | Manager::Apply(_) | Manager::Flagger(_)) | None => {
                    continue;
                }
            };
            uses.by_manager.entry(manager).or_default().push(id);
        }
        uses
    }

    fn attributed(&self, mut one: Occurrence) -> Occurrence {
        if !one.services.is_empty() {
            if one.what == What::Warning {
                // By its name alone it may be of several.
                one.services.retain(|id| self.known.contains(id));
                if let [only] = one.services.as_slice() {
                    one.subject = Subject::from(only);
                }
            }
            return one;
        }
        let subject = &one.subject;
        let named = |kind| {
            let key = (&*subject.namespace, kind, &*subject.name);
            self.by_name.get(&key)
        };
        let found = match one.what {
            What::Config => named(UseKind::ConfigMap),
            What::Secret => named(UseKind::Secret),
            What::Helm | What::Sync => {
                let kinds = ["application", "helm", "kustomization", "helmrelease"];
                let kind = kinds.into_iter().find(|kind| **kind == *subject.kind);
                kind.and_then(|kind| self.by_manager.get(&(kind, &*subject.name)))
            }
            _ => None,
        };
        let of_cluster = |id: &&&WorkloadId| id.cluster == subject.cluster;
        let found = found.into_iter().flatten().filter(of_cluster);
        one.services = found.map(|id| (*id).clone()).collect();
        one
    }
}
