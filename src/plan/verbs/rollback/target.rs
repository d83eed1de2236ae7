//! Which revision a rollback goes to, and the rule that says so in words.

use std::collections::BTreeMap;

use crate::domain::revision::withdrawn_by;
use crate::domain::template::{CanonicalHash, canonical_hash, restarted_hash};
use crate::domain::version::version;
use crate::domain::{ActionNote, Failure, FailureKind, Kind, Pod, Revision, Workload};
use crate::plan::evidence::FreshRevision;
use crate::plan::{Evidence, Refusal, Target};
use crate::text;

use super::pods::Left;
use crate::plan::verbs::canary::release;

/// The revisions of the workload, each with the hash of what its template means.
pub struct Candidates<'a> {
    all: Vec<(&'a FreshRevision, Option<CanonicalHash>)>,
    live: CanonicalHash,
    /// The revision whose template is the live one; none while the controller has not made it yet.
    pub current: Option<&'a FreshRevision>,
    withdrawn: BTreeMap<Box<str>, &'a ActionNote>,
}

pub struct Chosen<'a> {
    pub revision: &'a FreshRevision,
    pub rule: String,
    /// Our note that says it was rolled back from.
    pub withdrawn: Option<&'a ActionNote>,
    /// Its template is the live one: pods are left that do not follow it by themselves.
    pub live: bool,
}

impl<'a> Candidates<'a> {
    pub fn new(evidence: &'a Evidence, live: &CanonicalHash) -> Self {
        let mut all: Vec<_> = evidence
            .revisions
            .iter()
            .map(|fresh| (fresh, canonical_hash(&fresh.template.0).ok()))
            .collect();
        all.sort_by_key(|(fresh, _)| std::cmp::Reverse(fresh.revision.number));
        let mut equal = all
            .iter()
            .filter(|(_, hash)| hash.as_ref() == Some(live))
            .map(|(fresh, _)| *fresh);
        let current = match evidence.workload.id.kind {
            // Of several equal ones the controller uses the oldest.
            Kind::Deployment => equal.min_by_key(|fresh| fresh.revision.created),
            Kind::Rollout => release::current(evidence),
            // Here the newest, to which it gives the highest number.
            Kind::StatefulSet | Kind::DaemonSet => equal.next(),
        };
        let revisions: Vec<_> = all.iter().map(|(fresh, _)| &fresh.revision).collect();
        let withdrawn = withdrawn_by(&evidence.workload, &revisions);
        Self {
            all,
            live: live.clone(),
            current,
            withdrawn,
        }
    }

    /// The revision that a pod is of.
    pub fn of(&self, pod: &Pod) -> Option<&'a Revision> {
        let mut all = self.all.iter().map(|(fresh, _)| &fresh.revision);
        all.find(|revision| revision.pod_hash == pod.revision)
    }

    /// Those whose template differs from the live one, newest number first.
    fn others(&self) -> impl Iterator<Item = &'a FreshRevision> {
        self.all
            .iter()
            .filter(|(fresh, hash)| !self.is_live(fresh, hash.as_ref()))
            .map(|(fresh, _)| *fresh)
    }

    fn is_live(&self, fresh: &FreshRevision, hash: Option<&CanonicalHash>) -> bool {
        let current = self.current.map(|current| &current.revision.uid);
        hash == Some(&self.live) || current == Some(&fresh.revision.uid)
    }

    /// The note that says that this revision was rolled back from; the screens mark by the same rule.
    pub fn withdrawn(&self, revision: &Revision) -> Option<&'a ActionNote> {
        self.withdrawn.get(&revision.name).copied()
    }
}

/// # Errors
/// Why there is nothing to roll back to, or that what was asked for is not there.
pub fn choose<'a>(
    candidates: &Candidates<'a>,
    evidence: &'a Evidence,
) -> Result<Chosen<'a>, Refusal> {
    match &evidence.request.target {
        // The others are none of its own.
        Target::Proposed
        | Target::Replicas { .. }
        | Target::Weight(_)
        | Target::Image { .. }
        | Target::Promoted { .. }
        | Target::Pod { .. }
        | Target::Release { .. } => proposed(candidates, evidence),
        Target::Shown { name, template } => {
            let found = evidence
                .revisions
                .iter()
                .find(|fresh| fresh.revision.name == *name);
            let found = found.ok_or_else(|| {
                Refusal::say(format!(
                    "Revision {name} is gone: the cluster keeps it no longer."
                ))
            })?;
            if found.revision.template != *template {
                return Err(Refusal::say(format!(
                    "Revision {name} is not the one shown."
                )));
            }
            asked_for(candidates, evidence, found, "you chose it".into())
        }
        Target::Named(name) => {
            let found = evidence
                .revisions
                .iter()
                .find(|fresh| fresh.revision.name == *name);
            let found = found.ok_or_else(|| {
                Refusal::say(format!(
                    "Revision {name} is gone: the cluster keeps it no longer."
                ))
            })?;
            asked_for(candidates, evidence, found, "the record names it".into())
        }
        Target::Typed(text) => typed(candidates, evidence, text.trim()),
    }
}

/// Of the other revisions that were not withdrawn, each with how many of its pods serve: the one that serves most,
/// the newest of equals; when none serves, the newest that is older than the current one.
pub fn preferred<'a>(
    others: impl Iterator<Item = (&'a Revision, u32)> + Clone,
    current: Option<u64>,
) -> Option<(&'a Revision, u32)> {
    let serving = others.clone().filter(|(_, serving)| *serving > 0);
    serving
        .max_by_key(|(revision, serving)| (*serving, revision.number))
        .or_else(|| {
            let older = others.filter(|(r, _)| current.is_none_or(|number| r.number < number));
            older.max_by_key(|(revision, _)| revision.number)
        })
}

fn proposed<'a>(
    candidates: &Candidates<'a>,
    evidence: &'a Evidence,
) -> Result<Chosen<'a>, Refusal> {
    let live = restarted_hash(&evidence.template.0).ok();
    // The first thing many do at night is a restart, and going back to before it changes nothing.
    let restart =
        |fresh: &FreshRevision| live.is_some() && restarted_hash(&fresh.template.0).ok() == live;
    let mut skipped = Skipped::default();
    let mut kept = Vec::new();
    for fresh in candidates.others() {
        if candidates.withdrawn(&fresh.revision).is_some() {
            skipped.withdrawn.push(fresh.revision.label());
        } else if restart(fresh) {
            skipped.restarted.push(fresh.revision.label());
        } else {
            kept.push(fresh);
        }
    }
    let number = candidates.current.map(|current| current.revision.number);
    let rows = kept
        .iter()
        .map(|fresh| (&fresh.revision, fresh.revision.serving(&evidence.pods)));
    let best = preferred(rows, number);
    if let Some(chosen) = unfinished(candidates, evidence, best) {
        return Ok(chosen);
    }
    let found = best.and_then(|(best, serving)| {
        let fresh = kept.iter().find(|fresh| fresh.revision.uid == best.uid);
        Some((*fresh?, serving))
    });
    let (revision, serving) = found.ok_or_else(|| nothing(candidates, evidence, &skipped))?;
    let mut rule = match serving {
        0 => "the newest older revision that differs; none of its pods runs now".into(),
        available => serving_words(available),
    };
    if let Some(skipped) = skipped.words() {
        rule = format!("{rule}; skipped {skipped}");
    }
    Ok(Chosen {
        revision,
        rule,
        withdrawn: None,
        live: false,
    })
}

/// The pods that a rollback left behind, when the next one finishes it rather than going further back: the live
/// revision is one that came back, those pods are of what it came back from, and no other revision serves.
pub fn left_behind<'a>(
    workload: &Workload,
    pods: impl Iterator<Item = &'a Pod>,
    current: &Revision,
    best: Option<(&Revision, u32)>,
    came_from: impl Fn(&Pod) -> bool,
) -> Option<Left<'a>> {
    let left = Left::new(workload, pods, current);
    let serves = best.is_some_and(|(_, serving)| serving > 0);
    (!serves && left.all().any(came_from)).then_some(left)
}

/// Whether the live revision came back from that of the pod: it was withdrawn, or it is younger, and the pod is
/// what it failed with.
pub fn came_back_from(
    current: &Revision,
    of: Option<&Revision>,
    withdrawn: bool,
    pod: &Pod,
) -> bool {
    of.is_some_and(|of| withdrawn || (!pod.ready && of.created > current.created))
}

fn unfinished<'a>(
    candidates: &Candidates<'a>,
    evidence: &'a Evidence,
    best: Option<(&Revision, u32)>,
) -> Option<Chosen<'a>> {
    let current = &candidates.current?.revision;
    let came_from = |pod: &Pod| {
        let of = candidates.of(pod);
        let withdrawn = of.is_some_and(|of| candidates.withdrawn(of).is_some());
        came_back_from(current, of, withdrawn, pod)
    };
    let pods = evidence.pods.iter();
    left_behind(&evidence.workload, pods, current, best, came_from)?;
    finish(candidates, evidence, "it is live already")
}

/// A plan that only deletes what is left; `None` when nothing is.
fn finish<'a>(
    candidates: &Candidates<'a>,
    evidence: &'a Evidence,
    rule: &str,
) -> Option<Chosen<'a>> {
    let revision = candidates.current?;
    let left = Left::new(&evidence.workload, evidence.pods.iter(), &revision.revision);
    let count = left.all().count();
    (count > 0).then(|| Chosen {
        revision,
        rule: match count {
            1 => format!("{rule}, and 1 pod does not follow it by itself"),
            n => format!("{rule}, and {n} pods do not follow it by themselves"),
        },
        withdrawn: None,
        live: true,
    })
}

fn serving_words(available: u32) -> String {
    match available {
        1 => "1 of its pods serves now, most of all other revisions".into(),
        n => format!("{n} of its pods serve now, most of all other revisions"),
    }
}

/// What a rollback does not go to by itself.
#[derive(Default)]
struct Skipped {
    withdrawn: Vec<String>,
    restarted: Vec<String>,
}

impl Skipped {
    /// `rev 3 (withdrawn) and rev 2 (the same but for a restart)`; `None` when nothing was.
    fn words(&self) -> Option<String> {
        let why = [
            (&self.withdrawn, "withdrawn"),
            (&self.restarted, "the same but for a restart"),
        ];
        let some = why.into_iter().filter(|(labels, _)| !labels.is_empty());
        let words: Vec<_> = some
            .map(|(labels, why)| {
                let labels: Vec<_> = labels.iter().map(String::as_str).collect();
                format!("{} ({why})", text::list(&labels))
            })
            .collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }
}

fn nothing(candidates: &Candidates<'_>, evidence: &Evidence, skipped: &Skipped) -> Refusal {
    let id = &evidence.workload.id;
    if let Some(skipped) = skipped.words() {
        let failure = Failure::new(
            FailureKind::Refused,
            format!("{id} has nothing to roll back to but {skipped}."),
        );
        return Refusal::still(
            failure.hint("choose it by hand (a revision, or --to) to go there all the same"),
        );
    }
    if evidence.workload.history_limit == Some(0) {
        return Refusal::say(format!(
            "{id} keeps no old revisions (revisionHistoryLimit is 0), so there is nothing to roll back to."
        ));
    }
    match candidates.all.len() {
        0 => Refusal::say(format!("{id} has no revisions that can be read.")),
        1 => Refusal::say(format!(
            "{id} has only one revision, so there is nothing to roll back to."
        )),
        _ => Refusal::say(format!(
            "{id} has no older revision whose pod template differs from the live one."
        )),
    }
}

fn typed<'a>(
    candidates: &Candidates<'a>,
    evidence: &'a Evidence,
    text: &str,
) -> Result<Chosen<'a>, Refusal> {
    let number: Option<u64> = text.parse().ok();
    let all = || candidates.all.iter().map(|(fresh, _)| *fresh);
    let by_number = all().find(|fresh| number.is_some() && number == Some(fresh.revision.number));
    let by_former =
        || all().find(|fresh| number.is_some_and(|number| fresh.revision.former.contains(&number)));
    let by_version: Vec<_> = all()
        .filter(|fresh| version_of(fresh, evidence) == text)
        .collect();
    let numbered = by_number.or_else(by_former);
    let mut found: Vec<_> = numbered.into_iter().collect();
    for fresh in by_version {
        if !found.iter().any(|f| f.revision.uid == fresh.revision.uid) {
            found.push(fresh);
        }
    }
    // The live template's own version is not meant when another revision has it as well.
    if found.len() > 1 && numbered.is_none() {
        let live = candidates.current.map(|current| &current.revision.uid);
        found.retain(|fresh| Some(&fresh.revision.uid) != live);
    }
    match found[..] {
        [only] => asked_for(candidates, evidence, only, typed_rule(only, number)),
        [] => Err(unknown(candidates, evidence, text)),
        [..] => Err(ambiguous(&found, evidence, text)),
    }
}

fn typed_rule(fresh: &FreshRevision, number: Option<u64>) -> String {
    let revision = &fresh.revision;
    match number {
        Some(number) if revision.number != number && revision.former.contains(&number) => format!(
            "you asked for {number}, which has number {} since a rollback",
            revision.number
        ),
        _ => "you asked for it".into(),
    }
}

fn unknown(candidates: &Candidates<'_>, evidence: &Evidence, text: &str) -> Refusal {
    let words: Vec<_> = candidates
        .others()
        .map(|fresh| describe(fresh, evidence))
        .collect();
    let failure = Failure::new(
        FailureKind::Refused,
        format!(
            "{} has no revision or version {text}.",
            evidence.workload.id
        ),
    );
    let failure = if words.is_empty() {
        failure
    } else {
        failure.hint(format!("there are {}", words.join(", ")))
    };
    Refusal::still(match evidence.workload.id.kind {
        Kind::Deployment | Kind::Rollout => failure,
        Kind::StatefulSet | Kind::DaemonSet => failure.hint(
            "a revision that comes back gets a new number, and its former one is kept nowhere",
        ),
    })
}

fn ambiguous(found: &[&FreshRevision], evidence: &Evidence, text: &str) -> Refusal {
    let words: Vec<_> = found.iter().map(|f| describe(f, evidence)).collect();
    let failure = Failure::new(
        FailureKind::Refused,
        format!(
            "{text} fits {} revisions of {}: {}.",
            found.len(),
            evidence.workload.id,
            words.join(", ")
        ),
    );
    Refusal::still(failure.hint("give the revision's number"))
}

fn asked_for<'a>(
    candidates: &Candidates<'a>,
    evidence: &'a Evidence,
    revision: &'a FreshRevision,
    rule: String,
) -> Result<Chosen<'a>, Refusal> {
    let same = candidates.all.iter().any(|(fresh, hash)| {
        std::ptr::eq(*fresh, revision) && candidates.is_live(fresh, hash.as_ref())
    });
    if same {
        return finish(candidates, evidence, &format!("{rule}; it is live already")).ok_or_else(|| {
            Refusal::say(format!(
                "The pod template of {} is the live one already: it differs in nothing but the hash label.",
                revision.revision.label()
            ))
        });
    }
    Ok(Chosen {
        withdrawn: candidates.withdrawn(&revision.revision),
        revision,
        rule,
        live: false,
    })
}

fn describe(fresh: &FreshRevision, evidence: &Evidence) -> String {
    format!(
        "{} ({})",
        fresh.revision.label(),
        version_of(fresh, evidence)
    )
}

fn version_of(fresh: &FreshRevision, evidence: &Evidence) -> String {
    version(
        &fresh.revision.containers,
        fresh.revision.version_label.as_deref(),
        Some(&evidence.workload.containers),
    )
}
