//! One pod template of a workload: a ReplicaSet or a ControllerRevision, as a slim row.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::template::CanonicalHash;
use super::{ActionNote, Condition, Container, Kind, Pod, TemplateHash, Uid, Workload, WorkloadId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The workload whose uid is the controller owner.
    pub workload: WorkloadId,
    pub owner: Uid,
    pub name: Box<str>,
    pub uid: Uid,
    /// The number it has now; 0 when the cluster gives none.
    pub number: u64,
    /// The numbers it had before a rollback gave it a new one, oldest first.
    pub former: Box<[u64]>,
    pub created: Timestamp,
    pub containers: Box<[Container]>,
    pub version_label: Option<Box<str>>,
    /// The commit it was built from, where its template names it.
    pub commit: Option<Box<str>>,
    /// The raw template, hash label included, as the revision holds it.
    pub template: TemplateHash,
    /// Of its template, by which a note of ours finds it; only of a ControllerRevision. The controllers copy notes
    /// to those when they are made, and not when they become current again.
    pub canonical: Option<CanonicalHash>,
    /// What the last restart wrote into its template, which later templates carry on.
    pub restarted: Option<Box<str>>,
    /// `pod-template-hash` or `controller-revision-hash`, as its pods carry it.
    pub pod_hash: Box<str>,
    pub desired: u32,
    pub ready: u32,
    /// Zero of a ControllerRevision: see [`Revision::serving`].
    pub available: u32,
    /// `ReplicaFailure`, when there is one.
    pub failure: Option<Box<Condition>>,
    pub change_cause: Option<Box<str>>,
    /// The note that was on the workload when this was its current revision.
    pub action: Option<Box<ActionNote>>,
}

impl Revision {
    /// `rev 7`, or `rev 7, was 3, 5` after renumbering.
    pub fn label(&self) -> String {
        if self.former.is_empty() {
            return format!("rev {}", self.number);
        }
        let former: Vec<_> = self.former.iter().map(u64::to_string).collect();
        format!("rev {}, was {}", self.number, former.join(", "))
    }

    /// As far as a row tells, the two differ in nothing but a restart between them.
    pub fn is_restart_of(&self, other: &Self) -> bool {
        self.restarted != other.restarted
            && self.containers == other.containers
            && self.version_label == other.version_label
    }

    /// Its pods that serve: as a ReplicaSet says itself; of a ControllerRevision only the pods tell.
    pub fn serving<'a>(&self, pods: impl IntoIterator<Item = &'a Pod>) -> u32 {
        match self.workload.kind {
            Kind::Deployment | Kind::Rollout => self.available,
            Kind::StatefulSet | Kind::DaemonSet => {
                let its =
                    |pod: &&Pod| pod.revision == self.pod_hash && pod.ready && !pod.terminating;
                u32::try_from(pods.into_iter().filter(its).count()).unwrap_or(u32::MAX)
            }
        }
    }
}

/// The revision that the workload's template is, when it is known. A number may be ahead of the revisions' feed
/// or behind it, so the images have to agree as well.
pub fn current<'a>(workload: &Workload, revisions: &'a [Revision]) -> Option<&'a Revision> {
    current_among(workload, revisions.iter())
}

/// The newest one before another.
pub fn before<'a>(revisions: &'a [Revision], newer: &Revision) -> Option<&'a Revision> {
    let older = revisions.iter().filter(|r| r.number < newer.number);
    older.max_by_key(|r| r.number)
}

pub(super) fn current_among<'a>(
    workload: &Workload,
    mut revisions: impl Iterator<Item = &'a Revision> + Clone,
) -> Option<&'a Revision> {
    // One that runs another's template shows none of its own.
    let borrowed = workload.containers.is_empty();
    let same = |r: &&Revision| borrowed || same_images(&r.containers, &workload.containers);
    let numbered = |r: &&Revision| match workload.id.kind {
        Kind::Deployment => Some(r.number) == workload.revision,
        Kind::StatefulSet => Some(&r.name) == workload.update_revision.as_ref(),
        Kind::DaemonSet => false,
        Kind::Rollout => workload
            .canary
            .as_ref()
            .is_some_and(|canary| canary.current == r.pod_hash),
    };
    let newest_same = revisions.clone().filter(same).max_by_key(|r| r.number);
    revisions.find(|r| numbered(r) && same(r)).or(newest_same)
}

/// The names of the revisions that are withdrawn: see [`withdrawn_by`].
pub fn withdrawn(workload: &Workload, revisions: &[Revision]) -> BTreeSet<Box<str>> {
    let revisions: Vec<_> = revisions.iter().collect();
    withdrawn_by(workload, &revisions).into_keys().collect()
}

/// The revisions that an action of ours rolled back from, and that nobody rolled out again since, by name and each
/// with the note that says so. The controller copies our note to each revision that becomes current, so a revision
/// that carries the note that withdrew it, or a later one, or a higher number than the target had, was current
/// again afterwards.
pub fn withdrawn_by<'a>(
    workload: &'a Workload,
    revisions: &[&'a Revision],
) -> BTreeMap<Box<str>, &'a ActionNote> {
    let current = current_among(workload, revisions.iter().copied()).map(|r| &r.uid);
    let carried = revisions
        .iter()
        .filter_map(|r| Some((r.action.as_deref()?, Some(r.number))));
    let live = workload.action.as_deref().map(|note| (note, None));
    let notes: Vec<_> = carried.chain(live).collect();
    let went_back = |r: &Revision, note: &ActionNote| {
        let carried = notes
            .iter()
            .filter(|(n, _)| n.id == note.id)
            .filter_map(|(_, number)| *number);
        let written = revisions
            .iter()
            .filter(|r| r.canonical.as_ref() == Some(&note.to))
            .map(|r| r.number);
        let target = carried.chain(written).min();
        note.rolls_back()
            && *note.from == *r.name
            && r.action.as_deref().is_none_or(|own| own.at < note.at)
            && target.is_none_or(|target| r.number < target)
    };
    let others = revisions.iter().filter(|r| Some(&r.uid) != current);
    let found = others.filter_map(|r| {
        let (note, _) = notes.iter().find(|(note, _)| went_back(r, note))?;
        Some((r.name.clone(), *note))
    });
    found.collect()
}

/// The same containers by name, with the same images.
pub fn same_images(a: &[Container], b: &[Container]) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|a| b.iter().any(|b| a.name == b.name && a.image == b.image))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, ago, revision, workload};
    use crate::domain::template::CanonicalHash;

    fn note(id: &str, from: &str, seconds_ago: i64) -> Box<ActionNote> {
        Box::new(ActionNote {
            id: id.into(),
            verb: "rollback".into(),
            from: from.into(),
            from_version: String::new(),
            to: CanonicalHash("h".into()),
            by: "oncall@bastion".into(),
            at: ago(seconds_ago),
            replicas: None,
        })
    }

    fn names(found: &BTreeSet<Box<str>>) -> Vec<&str> {
        found.iter().map(|name| &**name).collect()
    }

    /// Revisions newest first, as (number, hash); the first is current.
    fn world(numbers: &[(u64, &str)]) -> (Workload, Vec<Revision>) {
        let mut workload = workload(Kind::Deployment);
        workload.revision = Some(numbers[0].0);
        let revision =
            |&(number, hash): &(u64, &str)| revision(Kind::Deployment, number, hash, IMAGE);
        (workload, numbers.iter().map(revision).collect())
    }

    #[test]
    fn labels_keep_former_numbers() {
        let mut revision = revision(Kind::Deployment, 7, "a", IMAGE);
        assert_eq!(revision.label(), "rev 7");
        revision.former = [3, 5].into();
        assert_eq!(revision.label(), "rev 7, was 3, 5");
    }

    #[test]
    fn the_current_revision_needs_number_and_images_to_agree() {
        let (mut workload, mut revisions) = world(&[(42, "new"), (41, "old")]);
        assert_eq!(&*current(&workload, &revisions).unwrap().pod_hash, "new");
        // The Deployment's number is ahead of the feed of ReplicaSets.
        workload.revision = Some(43);
        revisions[0].containers = crate::domain::fixture::containers(OLD_IMAGE);
        assert_eq!(&*current(&workload, &revisions).unwrap().pod_hash, "old");
        revisions.remove(1);
        assert_eq!(current(&workload, &revisions), None);
    }

    #[test]
    fn what_was_rolled_back_from_is_withdrawn() {
        let (mut workload, mut revisions) = world(&[(43, "good"), (42, "bad"), (40, "older")]);
        workload.action = Some(note("1", "checkout-bad", 100));
        assert_eq!(names(&withdrawn(&workload, &revisions)), ["checkout-bad"]);
        revisions[0].action = Some(note("1", "checkout-bad", 100));
        assert_eq!(names(&withdrawn(&workload, &revisions)), ["checkout-bad"]);
        // A later release carries a copy of the note, and the live one no longer counts.
        let mut next = revision(Kind::Deployment, 44, "next", IMAGE);
        next.action = Some(note("1", "checkout-bad", 100));
        revisions.insert(0, next);
        (workload.action, workload.revision) = (None, Some(44));
        assert_eq!(names(&withdrawn(&workload, &revisions)), ["checkout-bad"]);
    }

    #[test]
    fn what_was_restarted_is_not() {
        let (mut workload, mut revisions) = world(&[(43, "new"), (42, "old")]);
        let mut restarted = note("1", "checkout-old", 100);
        restarted.verb = "restart".into();
        (workload.action, revisions[0].action) = (Some(restarted.clone()), Some(restarted));
        assert!(withdrawn(&workload, &revisions).is_empty());
    }

    #[test]
    fn what_was_rolled_out_again_is_not() {
        // It is current.
        let (mut workload, mut revisions) = world(&[(44, "bad"), (43, "good")]);
        revisions[1].action = Some(note("1", "checkout-bad", 100));
        assert!(withdrawn(&workload, &revisions).is_empty());
        // It was, by somebody else: its number is above the target's.
        workload.revision = Some(45);
        revisions.insert(0, revision(Kind::Deployment, 45, "next", IMAGE));
        assert!(withdrawn(&workload, &revisions).is_empty());
        // It was, and the target is no longer kept: it carries the copied note itself.
        revisions.pop();
        revisions[0].action = Some(note("1", "checkout-bad", 100));
        revisions[1].action = Some(note("1", "checkout-bad", 100));
        assert!(withdrawn(&workload, &revisions).is_empty());
        // By us: it carries a later note.
        revisions[1].action = Some(note("2", "checkout-good", 50));
        assert!(withdrawn(&workload, &revisions).is_empty());
        // And then withdrawn again.
        revisions[0].action = Some(note("3", "checkout-bad", 10));
        assert_eq!(names(&withdrawn(&workload, &revisions)), ["checkout-bad"]);
    }
}
