//! What the revisions of one workload tell: releases, rollbacks to a revision that is used again, and the writes
//! that made no revision.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Difference, Occurrence, Origin, Subject, Trace, What, Who, Written};
use crate::domain::version::version;
use crate::domain::{ActionNote, Kind, Revision, Workload, revision};

/// A controller makes the revision within this of the write of the template; times are whole seconds.
const SOON: SignedDuration = SignedDuration::from_secs(60);
/// A write within this of the creation is part of it.
const TOGETHER: SignedDuration = SignedDuration::from_secs(5);

/// In no order. `revisions` are those that this very workload owns.
pub fn releases(trace: &Trace, revisions: &[&Revision]) -> Vec<Occurrence> {
    let past = Past::new(trace, revisions);
    let mut found: Vec<_> = revisions.iter().map(|r| past.made(r)).collect();
    found.extend(past.used_again());
    found.extend(past.noted_again());
    found.extend(trace.writes.iter().filter_map(|write| past.other(write)));
    found
}

struct Past<'a> {
    trace: &'a Trace,
    workload: &'a Workload,
    revisions: &'a [&'a Revision],
    /// Every number that one has or had.
    numbers: BTreeMap<u64, &'a Revision>,
    current: Option<&'a Revision>,
}

impl<'a> Past<'a> {
    fn new(trace: &'a Trace, revisions: &'a [&'a Revision]) -> Self {
        let workload = &trace.workload;
        let mut numbers = BTreeMap::new();
        for revision in revisions {
            let former = revision.former.iter().copied();
            for number in former.chain([revision.number]).filter(|n| *n > 0) {
                numbers.insert(number, *revision);
            }
        }
        Self {
            trace,
            workload,
            revisions,
            numbers,
            current: revision::current_among(workload, revisions.iter().copied()),
        }
    }

    /// The revision that was the newest one before `revision` got `number`.
    fn before(&self, revision: &Revision, number: u64) -> Option<&'a Revision> {
        let before = self.numbers.get(&number.checked_sub(1)?)?;
        (before.uid != revision.uid).then_some(*before)
    }

    fn made(&self, revision: &'a Revision) -> Occurrence {
        let first = revision.former.iter().copied().min();
        // What became current again keeps no former number outside of a Deployment: what was before it is unknown.
        let renumbered = first.is_none() && self.is_current(revision) && self.again().is_some();
        let first = first.unwrap_or(revision.number);
        let from = self.before(revision, first).filter(|_| !renumbered);
        let to = version_of(revision, from);
        let from_version = from.map(|from| version_of(from, Some(revision)));
        let words = match &from_version {
            Some(from) if *from == to => format!("{to}: the pod template, not the image"),
            Some(from) => format!("{from} → {to}"),
            None if first == 1 && !renumbered => format!("{to}, the first"),
            None => format!("→ {to}"),
        };
        let note = self.note_of(revision);
        let what = note.map_or(What::Release, what_of);
        let who = note.map_or_else(
            || self.writer(revision),
            |note| Who::Person(note.by[..].into()),
        );
        Occurrence {
            at: revision.created,
            inferred: false,
            who,
            difference: self.difference(from, revision, &words),
            known_from: self.object(),
            ..self.line(what, words)
        }
    }

    /// The note of the action that this revision was made by: a later one carries a copy, and going back makes none.
    fn note_of(&self, revision: &Revision) -> Option<&'a ActionNote> {
        let notes = self.notes();
        let carried = |(note, of): &&(&ActionNote, &Revision)| {
            let makes = matches!(what_of(note), What::Release | What::Restart);
            of.uid == revision.uid && makes && near(note.at, of.created)
        };
        let (note, _) = notes.iter().find(carried)?;
        let earlier = notes
            .iter()
            .any(|(other, of)| other.id == note.id && of.created < revision.created);
        (!earlier).then_some(*note)
    }

    /// Who wrote the template that the current revision was made for; of older ones nothing tells.
    fn writer(&self, revision: &Revision) -> Who {
        let written = self.workload.written_by.as_ref();
        let written = written.filter(|(_, at)| near(*at, revision.created));
        match written {
            Some((manager, _)) if self.is_current(revision) => Who::Manager(manager.clone()),
            Some(_) | None => Who::Unknown,
        }
    }

    fn is_current(&self, revision: &Revision) -> bool {
        self.current.is_some_and(|c| c.uid == revision.uid)
    }

    /// When the current revision became current again, and whether that is inferred; `None` when it was made for
    /// this.
    fn again(&self) -> Option<(Timestamp, bool)> {
        let current = self.current?;
        let renumbered = match self.workload.id.kind {
            Kind::Deployment | Kind::Rollout => !current.former.is_empty(),
            // Those of the other kinds keep only the last number: that it is the highest and not the youngest.
            Kind::StatefulSet | Kind::DaemonSet => {
                let older = self.revisions.iter().filter(|r| r.uid != current.uid);
                older.clone().any(|r| r.created > current.created)
                    && older.clone().all(|r| r.number < current.number)
            }
        };
        if !renumbered {
            return None;
        }
        if let Some(note) = self.workload.action.as_deref().filter(|n| n.rolls_back()) {
            return Some((note.at, false));
        }
        let since = self.before(current, current.number).map(|r| r.created);
        let since = since.unwrap_or(current.created);
        let moved = self.workload.condition("Progressing");
        let moved = moved.and_then(|c| c.updated.max(c.changed));
        let written = self.workload.written_by.as_ref().map(|(_, at)| *at);
        match (written.filter(|at| *at + TOGETHER >= since), moved) {
            // A manager that owns more than the template moves on the time of its entry with anything it writes.
            (Some(at), moved) => {
                let alone = self.trace.writes.iter().any(|w| w.at == at && is_alone(w));
                let followed = moved.is_some_and(|moved| moved + TOGETHER >= at);
                Some((at, !(alone || followed)))
            }
            (None, Some(moved)) => Some((moved, true)),
            (None, None) => None,
        }
    }

    fn used_again(&self) -> Option<Occurrence> {
        let (current, (at, inferred)) = (self.current?, self.again()?);
        let from = self.before(current, current.number);
        let note = self.workload.action.as_deref().filter(|n| n.at == at);
        let who = match (note, &self.workload.written_by) {
            (Some(note), _) => Who::Person(note.by[..].into()),
            (None, Some((manager, written))) if *written == at => Who::Manager(manager.clone()),
            (None, _) => Who::Unknown,
        };
        let words = self.words_again(from, current);
        Some(Occurrence {
            at,
            inferred,
            who,
            difference: self.difference(from, current, &words),
            known_from: match (note, inferred) {
                (Some(_), _) => "annotation rolldeck.dev/action",
                (None, true) => "Progressing condition",
                (None, false) => "managedFields",
            },
            ..self.line(note.map_or(What::Rollback, what_of), words)
        })
    }

    /// Rollbacks of ours that are no longer the newest: the controller keeps our note on what they went back to.
    fn noted_again(&self) -> Vec<Occurrence> {
        let live = self.workload.action.as_deref().map(|note| &note.id);
        let notes = self.notes().into_iter();
        let old = notes.filter(|(note, of)| {
            let first = self
                .numbers
                .values()
                .filter(|r| r.action.as_deref().is_some_and(|n| n.id == note.id));
            Some(&note.id) != live
                && note.rolls_back()
                && !near(note.at, of.created)
                // A copy on a later revision speaks of the target.
                && first.min_by_key(|r| r.created).is_some_and(|r| r.uid == of.uid)
        });
        let told = |(note, of): (&ActionNote, &Revision)| {
            let from = self
                .revisions
                .iter()
                .copied()
                .find(|r| *r.name == *note.from);
            let words = self.words_again(from, of);
            Occurrence {
                at: note.at,
                who: Who::Person(note.by[..].into()),
                difference: self.difference(from, of, &words),
                known_from: "annotation rolldeck.dev/action",
                ..self.line(What::Rollback, words)
            }
        };
        old.map(told).collect()
    }

    /// Our notes, each with the revision that carries it.
    fn notes(&self) -> Vec<(&'a ActionNote, &'a Revision)> {
        let live = self.workload.action.as_deref();
        let live = live.and_then(|note| Some((note, self.current?)));
        let kept = self.revisions.iter().copied();
        let kept = kept.filter_map(|r| Some((r.action.as_deref()?, r)));
        kept.chain(live).collect()
    }

    fn words_again(&self, from: Option<&Revision>, to: &Revision) -> String {
        let version = version_of(to, from);
        let from = from.map(|from| version_of(from, Some(to)));
        let again = match self.workload.id.kind {
            Kind::Deployment | Kind::Rollout => format!(" ({})", to.label()),
            Kind::StatefulSet | Kind::DaemonSet => String::new(),
        };
        match from {
            Some(from) if from != version => format!("{from} → {version}{again}"),
            Some(_) | None => format!("→ {version}{again}"),
        }
    }

    /// A write that made no revision: a scale, or fields beside the template.
    fn other(&self, write: &Written) -> Option<Occurrence> {
        if write.at <= self.workload.created + TOGETHER || write.below("spec").next().is_none() {
            return None;
        }
        let template = write.has("spec.template");
        if template && (self.explained(write.at) || write.below("spec").nth(1).is_none()) {
            return None;
        }
        let scales = &*write.subresource == "scale" || (write.has("spec.replicas") && !template);
        let newest = |w: &&Written| w.has("spec.replicas") && w.at > write.at;
        let (what, words) = if scales {
            let words = if self.trace.writes.iter().any(|w| newest(&w)) {
                "scaled".to_owned()
            } else {
                format!("→ {} replicas", self.workload.desired)
            };
            (What::Scale, words)
        } else {
            let fields: Vec<_> = write.below("spec").filter(|f| *f != "template").collect();
            let words = if template {
                "written again, and the pod template stayed".to_owned()
            } else {
                format!("{} written", fields.join(", "))
            };
            (What::Spec, words)
        };
        let note = self.workload.action.as_deref();
        let note = note.filter(|note| &*write.manager == "rolldeck" && near(note.at, write.at));
        let who = note.map_or_else(
            || Who::Manager(write.manager.clone()),
            |note| Who::Person(note.by[..].into()),
        );
        Some(Occurrence {
            at: write.at,
            who,
            known_from: "managedFields",
            difference: Difference::Words(vec![
                format!(
                    "{} wrote {} at {}.",
                    write.manager, self.workload.id, write.at
                ),
                format!("It owns since then: {}.", write.fields.join(", ")),
                "Kubernetes keeps no former values.".into(),
            ]),
            ..self.line(what, words)
        })
    }

    /// A revision was made, or became current again, by a write of that time.
    fn explained(&self, at: Timestamp) -> bool {
        let made = self.revisions.iter().any(|r| near(at, r.created));
        made || self.again().is_some_and(|(again, _)| near(at, again))
    }

    fn difference(&self, from: Option<&Revision>, to: &Revision, words: &str) -> Difference {
        match from {
            Some(from) => Difference::Revisions {
                workload: self.workload.id.clone(),
                from: from.name.clone(),
                to: to.name.clone(),
            },
            None => Difference::Words(vec![
                format!("{}: {words}", self.workload.id),
                "The revision before it is not kept any more, or was never there.".into(),
            ]),
        }
    }

    fn object(&self) -> &'static str {
        match self.workload.id.kind {
            Kind::Deployment | Kind::Rollout => "ReplicaSet",
            Kind::StatefulSet | Kind::DaemonSet => "ControllerRevision",
        }
    }

    fn line(&self, what: What, words: String) -> Occurrence {
        let id = &self.workload.id;
        Occurrence {
            at: self.workload.created,
            inferred: false,
            what,
            subject: Subject::from(id),
            services: vec![id.clone()],
            words,
            who: Who::Unknown,
            known_from: "",
            origin: match what {
                What::Release | What::Rollback | What::Restart => match id.kind {
                    Kind::Deployment | Kind::Rollout => Origin::ReplicaSets,
                    Kind::StatefulSet | Kind::DaemonSet => Origin::ControllerRevisions,
                },
                _ => Origin::Workloads(id.kind),
            },
            difference: Difference::Words(Vec::new()),
        }
    }
}

fn what_of(note: &ActionNote) -> What {
    super::assemble::what_of_verb(&note.verb)
}

/// The write and what a controller made of it.
fn near(written: Timestamp, made: Timestamp) -> bool {
    made.duration_since(written).abs() <= SOON
}

/// Of the spec this manager owns nothing but the template.
fn is_alone(write: &Written) -> bool {
    write.below("spec").all(|field| field == "template")
}

fn version_of(revision: &Revision, other: Option<&Revision>) -> String {
    let label = revision.version_label.as_deref();
    version(&revision.containers, label, other.map(|o| &*o.containers))
}
