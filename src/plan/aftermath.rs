//! What became of an action that was interrupted, as far as a later look at the cluster tells.

use crate::domain::ActionNote;
use crate::domain::release_record::{Became, HelmRelease, Sending};
use crate::text;

use super::build::{self, Act};
use super::image::ImageAct;
use super::verbs::helm_rollback::{Release, became};
use super::{Autoscaling, Evidence, Releases, Verb, restore};

/// The server gives up a request after a minute: what is not applied by then never will be.
pub const SETTLED_SECONDS: i64 = 70;
/// What is left of the time that Helm gives its hooks and itself.
const HELM_SECONDS: i64 = 600;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aftermath {
    pub became: Became,
    pub sentence: String,
    /// No request of it can be on its way any more: it goes into the record.
    pub last: bool,
}

/// An action that was interrupted, and what a look at the cluster says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    pub sending: Sending,
    /// Why it could not be looked at; then a later look tells.
    pub outcome: Result<Aftermath, String>,
}

impl Interrupted {
    /// No later look would tell more.
    pub fn settled(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|after| after.last)
    }
}

/// Compares what was sent with what is there now.
pub fn aftermath(sending: &Sending, seen: &Evidence) -> Aftermath {
    let workload = &seen.workload;
    let id = &workload.id;
    if *workload.uid.0 != *sending.uid {
        return gone(format!("{id} was deleted and created again since"));
    }
    let (became, mut sentence) = by_verb(sending, seen);
    let left = left(sending, seen);
    if became == Became::Applied && !left.is_empty() {
        sentence = format!("{sentence}; {}", left.join("; "));
    }
    let age = seen.stamp.at.duration_since(sending.at).as_secs();
    // Helm goes on without us, for so long.
    let settled = match sending.release {
        Some(_) => HELM_SECONDS,
        None => SETTLED_SECONDS,
    };
    Aftermath {
        // Steps that were on their way when it was interrupted may still arrive.
        last: age >= settled || (became == Became::Applied && sending.steps.len() == 1),
        became,
        sentence,
    }
}

/// The object is not there, or not the same: nobody can tell any more.
pub fn gone(sentence: String) -> Aftermath {
    Aftermath {
        became: Became::Unknown,
        sentence,
        last: true,
    }
}

fn by_verb(sending: &Sending, seen: &Evidence) -> (Became, String) {
    let name = &*sending.verb;
    if [build::HOLD, build::RESUME].contains(&name) {
        let words = "only its server can say: the builds of the service show how it stands";
        return (Became::Unknown, words.into());
    }
    if Act::is_verb(name) || ImageAct::is_verb(name) {
        let words = "it is not in the cluster: the server that builds or the registry tells";
        return (Became::Unknown, words.into());
    }
    if name == restore::VERB {
        let words = "a second restore from the same file shows what is there";
        return (Became::Unknown, words.into());
    }
    let Some(verb) = Verb::named(name) else {
        let words = format!("this version of rolldeck does not know the verb {name}");
        return (Became::Unknown, words);
    };
    let (workload, id) = (&seen.workload, &seen.workload.id);
    if let Some(words) = carried(sending, seen) {
        return (Became::Applied, words);
    }
    if let Some(found) = by_switch(sending, verb, seen) {
        return found;
    }
    match (verb, &sending.release, &sending.autoscaler) {
        (Verb::HelmRollback, Some(release), _) => return by_release(release, seen),
        (Verb::DeletePod, ..) => return taken_away(sending, seen),
        (Verb::Promote | Verb::PromoteFull | Verb::Abort | Verb::Retry | Verb::SetWeight, ..) => {
            let words = "a canary keeps no note of who promoted, aborted or retried it";
            let left = unchecked(verb, seen).map(|left| format!("; {left}"));
            return (
                Became::Unknown,
                words.to_owned() + &left.unwrap_or_default(),
            );
        }
        (Verb::Scale, _, Some(name)) => return by_autoscaler(sending, name, seen),
        // An earlier version did not say which one it was.
        (Verb::Scale, ..) if sending.replicas.is_none() => {
            let words = "it was to change the bounds of an autoscaler, which is not named";
            return (Became::Unknown, words.into());
        }
        _ => {}
    }
    let later = sending.generation;
    if later.is_some_and(|generation| workload.generation < generation) {
        let words = format!("{id} was not written to since");
        return (Became::NotApplied, words);
    }
    // A later note of the same kind took its place.
    match notes(seen).into_iter().find(|other| other.at >= sending.at) {
        Some(other) => {
            let words = format!(
                "{id} carries the note of a later {}, by {}",
                other.verb, other.by
            );
            (Became::Unknown, words)
        }
        None => (Became::NotApplied, format!("{id} does not carry its note")),
    }
}

/// What its Canary says, of one that Flagger moves: that carries no note.
fn by_switch(sending: &Sending, verb: Verb, seen: &Evidence) -> Option<(Became, String)> {
    let flagger = seen.workload.canary.as_ref()?.flagger.as_ref()?;
    let (there, what) = match verb {
        Verb::Resume if sending.analysis => (!flagger.is_unchecked(), "skipAnalysis is off"),
        Verb::Resume => (!flagger.suspended(), "suspend is off"),
        Verb::Pause => (flagger.suspended(), "suspend is on"),
        _ => return None,
    };
    let name = &flagger.name;
    Some(if there {
        (Became::Applied, format!("{what} in the Canary {name}"))
    } else {
        (
            Became::NotApplied,
            format!("it is not so that {what} in the Canary {name}"),
        )
    })
}

/// Flagger was told to leave out its analysis, and nobody told it otherwise since.
fn unchecked(verb: Verb, seen: &Evidence) -> Option<String> {
    let flagger = seen.workload.canary.as_ref()?.flagger.as_ref()?;
    let left = verb == Verb::Promote && flagger.is_unchecked();
    left.then(|| {
        let name = &flagger.name;
        format!(
            "skipAnalysis of the Canary {name} is still on: a resume puts its analysis on again"
        )
    })
}

/// What Helm keeps of it.
fn by_release(release: &HelmRelease, seen: &Evidence) -> (Became, String) {
    let name = &release.name;
    let revisions = match &seen.helm.releases {
        Releases::Found { revisions, .. } => revisions,
        Releases::NotRead => {
            return (Became::Unknown, format!("release {name} was not read"));
        }
        Releases::Unknown(why) => {
            let words = format!("release {name} cannot be read: {why}");
            return (Became::Unknown, words);
        }
    };
    let all = revisions.iter().map(|(release, _)| release);
    match became(all, (release.from, release.to)) {
        Release::Same => (
            Became::NotApplied,
            format!("Helm made no revision of {name} after {}", release.from),
        ),
        Release::Another(next) => (
            Became::NotApplied,
            format!(
                "somebody else made revision {} of {name}: {}",
                next.revision, next.description
            ),
        ),
        Release::Made(next) if matches!(&*next.status, "deployed" | "superseded") => (
            Became::Applied,
            format!("Helm made revision {} of {name} of it", next.revision),
        ),
        Release::Made(next) => (
            Became::Unknown,
            format!(
                "revision {} of {name} is {}: part of it may be written, and going back once more frees it",
                next.revision, next.status
            ),
        ),
    }
}

/// The pods themselves tell: a note on what goes would go with it.
fn taken_away(sending: &Sending, seen: &Evidence) -> (Became, String) {
    let there = |deleted: &crate::domain::release_record::Deleted| {
        let mut pods = seen.pods.iter();
        pods.any(|pod| pod.uid == deleted.uid && !pod.terminating)
    };
    let names: Vec<&str> = sending.deletes.iter().map(|one| &*one.pod).collect();
    let names = text::list(&names);
    match sending.deletes.iter().any(there) {
        _ if sending.deletes.is_empty() => (
            Became::Unknown,
            "the record does not name the pod".to_owned(),
        ),
        true => (Became::NotApplied, format!("pod {names} is still there")),
        false => (Became::Applied, format!("pod {names} went away")),
    }
}

fn by_autoscaler(sending: &Sending, name: &str, seen: &Evidence) -> (Became, String) {
    let found = match &seen.autoscaling {
        Autoscaling::By(autoscaler) if *autoscaler.name == *name => autoscaler,
        Autoscaling::By(_) | Autoscaling::None => {
            return (Became::Unknown, format!("hpa/{name} is gone"));
        }
        Autoscaling::Unknown(why) => {
            return (Became::Unknown, format!("hpa/{name} cannot be read: {why}"));
        }
    };
    match found.turn.as_deref() {
        Some(note) if note.id == sending.id => {
            (Became::Applied, format!("hpa/{name} carries its note"))
        }
        Some(note) if note.at >= sending.at => (
            Became::Unknown,
            format!(
                "hpa/{name} carries the note of a later {}, by {}",
                note.verb, note.by
            ),
        ),
        Some(_) | None => (
            Became::NotApplied,
            format!("hpa/{name} does not carry its note"),
        ),
    }
}

/// Every write onto a workload leaves a note, which stays when somebody else changes it again, and which the
/// controller copies to the revisions that it makes meanwhile.
fn carried(sending: &Sending, seen: &Evidence) -> Option<String> {
    let workload = &seen.workload;
    let id = &workload.id;
    let ours = |note: &ActionNote| note.id == sending.id;
    if notes(seen).iter().any(ours) {
        if workload.is_noted(&sending.id) {
            return Some(format!("{id} carries its note"));
        }
        let who = workload.written_by.as_ref();
        let who = who.map_or("somebody unknown", |(manager, _)| manager);
        return Some(format!(
            "{id} carries its note; {who} changed it again since"
        ));
    }
    let mut revisions = seen.revisions.iter().map(|fresh| &fresh.revision);
    let revision = revisions.find(|r| r.action.as_deref().is_some_and(ours))?;
    Some(format!("{} carries its note", revision.label()))
}

/// Both notes that may be on it, whatever template they speak of.
fn notes(seen: &Evidence) -> Vec<ActionNote> {
    let read = |raw: &str| {
        let text: String = serde_json::from_str(raw).ok()?;
        serde_json::from_str(&text).ok()
    };
    let raw = [&seen.noted, &seen.turned];
    raw.into_iter()
        .flatten()
        .filter_map(|raw| read(raw))
        .collect()
}

/// What its other steps were to do, and is still to be done.
fn left(sending: &Sending, seen: &Evidence) -> Vec<String> {
    let mut left = Vec::new();
    let patches = sending.steps.len() - sending.deletes.len().min(sending.steps.len());
    if patches > 1 && seen.workload.paused {
        left.push(format!("{} is still paused", seen.workload.id));
    }
    let there = sending.deletes.iter().filter(|deleted| {
        let mut pods = seen.pods.iter();
        pods.any(|pod| pod.uid == deleted.uid && !pod.terminating)
    });
    let there: Vec<&str> = there.map(|deleted| &*deleted.pod).collect();
    let all = sending.deletes.len();
    match (there.len(), all) {
        (0, _) => {}
        (1, 1) => left.push(format!(
            "the pod that it was to delete is still there: {}",
            there[0]
        )),
        (n, _) => left.push(format!(
            "{n} of the {all} pods that it was to delete are still there: {}",
            text::list(&there)
        )),
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::release_record::{Deleted, Replicas, Side};
    use crate::plan::verbs::rollback::sample;
    use jiff::SignedDuration;

    fn sending(verb: Verb) -> Sending {
        let plan = sample::plan();
        let side = |side: &crate::plan::Side| Side {
            number: side.revision,
            name: side.name.to_string(),
            version: side.version.clone(),
        };
        Sending {
            id: "a1".into(),
            at: sample::AT.parse().unwrap(),
            verb: verb.name().into(),
            workload: plan.workload.clone(),
            uid: plan.uid.to_string(),
            from: side(&plan.from),
            to: side(&plan.to),
            by: "oncall@bastion".into(),
            server_user: None,
            reason: None,
            override_reason: None,
            checks: Vec::new(),
            steps: vec!["patch".into()],
            template: None,
            generation: Some(10),
            replicas: None,
            deletes: Vec::new(),
            release: None,
            image: None,
            autoscaler: None,
            analysis: false,
        }
    }

    /// So many seconds after it was sent, with this note on the object.
    fn seen(after: i64, id: Option<&str>) -> Evidence {
        let mut seen = sample::evidence();
        seen.workload.generation = 9;
        seen.stamp.at = sample::AT.parse().unwrap();
        seen.stamp.at += SignedDuration::from_secs(after);
        seen.noted = id.map(|id| {
            let mut note = sample::note(42, "2.14.1");
            note.id = id.into();
            note.at = sample::AT.parse().unwrap();
            let text = serde_json::to_string(&note).unwrap();
            serde_json::to_string(&text).unwrap().into()
        });
        seen
    }

    fn told(sending: &Sending, seen: &Evidence) -> (Became, bool, String) {
        let after = aftermath(sending, seen);
        (after.became, after.last, after.sentence)
    }

    #[test]
    fn what_flagger_was_told_its_canary_says() {
        use crate::domain::canary::flagger::{Phase, sample};
        let with = |change: fn(&mut crate::domain::canary::Flagger)| {
            let mut found = seen(100, None);
            let mut canary = sample(Phase::Progressing);
            change(canary.flagger.as_mut().unwrap());
            found.workload.canary = Some(Box::new(canary));
            found
        };
        let unchecked = with(|f| f.skip_analysis = Some(true));
        let (became, _, words) = told(&sending(Verb::Promote), &unchecked);
        assert_eq!(became, Became::Unknown);
        assert!(
            words.ends_with("a resume puts its analysis on again"),
            "{words}"
        );
        let became = |verb, seen: &Evidence| told(&sending(verb), seen).0;
        let suspended = with(|f| f.suspend = Some(true));
        assert_eq!(became(Verb::Pause, &suspended), Became::Applied);
        assert_eq!(became(Verb::Resume, &suspended), Became::NotApplied);
        let mut resume = sending(Verb::Resume);
        resume.analysis = true;
        assert_eq!(told(&resume, &unchecked).0, Became::NotApplied);
        assert_eq!(told(&resume, &with(|_| {})).0, Became::Applied);
    }

    #[test]
    fn a_write_is_told_by_its_note() {
        let sent = sending(Verb::Rollback);
        let (became, last, words) = told(&sent, &seen(5, Some("a1")));
        assert_eq!((became, last), (Became::Applied, true));
        assert!(words.ends_with("changed it again since"), "{words}");
        let mut carried = seen(5, None);
        let mut note = sample::note(42, "2.14.1");
        note.id = "a1".into();
        carried.revisions[1].revision.action = Some(note);
        assert_eq!(told(&sent, &carried).0, Became::Applied);
        // Not so far: a request may still be on its way.
        assert_eq!(
            told(&sent, &seen(5, None)),
            (
                Became::NotApplied,
                false,
                "deploy/checkout was not written to since".into()
            )
        );
        assert_eq!(told(&sent, &seen(70, None)).0, Became::NotApplied);
        assert!(told(&sent, &seen(70, None)).1);
        let mut written = seen(70, Some("other"));
        written.workload.generation = 12;
        let (became, _, words) = told(&sent, &written);
        assert_eq!(became, Became::Unknown);
        assert!(words.contains("a later rollback"), "{words}");
        written.noted = None;
        assert_eq!(
            told(&sent, &written).2,
            "deploy/checkout does not carry its note"
        );
        let mut anew = seen(0, Some("a1"));
        anew.workload.uid = "d2".into();
        assert_eq!(told(&sent, &anew).0, Became::Unknown);
    }

    #[test]
    fn a_release_is_told_by_its_next_revision() {
        use crate::plan::verbs::helm_rollback::tests::kept;
        let mut sent = sending(Verb::HelmRollback);
        sent.steps = vec!["helm".into(), "note".into()];
        sent.release = Some(HelmRelease {
            name: "web".into(),
            from: 3,
            to: 2,
        });
        for (next, want) in [
            (None, Became::NotApplied),
            (Some((4, "deployed", "Rollback to 2")), Became::Applied),
            (
                Some((4, "pending-rollback", "Rollback to 2")),
                Became::Unknown,
            ),
            (
                Some((4, "deployed", "Upgrade complete")),
                Became::NotApplied,
            ),
        ] {
            let old = (3, "superseded", "Upgrade complete");
            let mut seen = seen(70, None);
            seen.helm.releases = Releases::Found {
                revisions: next
                    .into_iter()
                    .chain([old])
                    .map(|one| kept(one, "1"))
                    .collect(),
                unreadable: 0,
                kept_in: "secrets",
            };
            let (became, last, words) = told(&sent, &seen);
            assert_eq!((became, last), (want, false), "{words}");
        }
        let mut late = seen(601, None);
        late.helm.releases = Releases::Unknown("needs list secrets".into());
        assert_eq!(
            told(&sent, &late),
            (
                Became::Unknown,
                true,
                "release web cannot be read: needs list secrets".into()
            )
        );
    }

    #[test]
    fn a_pod_and_an_autoscaler_tell_for_themselves() {
        let mut sent = sending(Verb::DeletePod);
        let mut look = seen(5, None);
        look.pods = sample::of_kind(crate::domain::Kind::StatefulSet).pods;
        let pod = &look.pods[0];
        sent.deletes = vec![Deleted {
            pod: pod.name.clone(),
            uid: pod.uid.clone(),
        }];
        assert_eq!(told(&sent, &look).0, Became::NotApplied);
        look.pods[0].terminating = true;
        let (became, last, words) = told(&sent, &look);
        assert_eq!((became, last), (Became::Applied, true));
        assert_eq!(words, "pod checkout-0 went away");

        let mut sent = sending(Verb::Scale);
        sent.autoscaler = Some("web".into());
        let mut scaler = crate::domain::Autoscaler {
            name: "web".into(),
            uid: "u1".into(),
            target: None,
            min: None,
            max: 9,
            wants: None,
            blind: None,
            has_annotations: true,
            turn: None,
        };
        let became = |scaler: &crate::domain::Autoscaler| {
            let mut look = seen(5, None);
            look.autoscaling = Autoscaling::By(scaler.clone());
            told(&sent, &look).0
        };
        assert_eq!(became(&scaler), Became::NotApplied);
        let mut note = sample::note(42, "2.14.1");
        note.id = "a1".into();
        scaler.turn = Some(note.clone());
        assert_eq!(became(&scaler), Became::Applied);
        (note.id, note.at) = ("b2".into(), sent.at);
        scaler.turn = Some(note);
        assert_eq!(became(&scaler), Became::Unknown);
    }

    #[test]
    fn what_is_written_elsewhere_is_unknown() {
        let mut sent = sending(Verb::Scale);
        assert_eq!(told(&sent, &seen(70, None)).0, Became::Unknown);
        sent.replicas = Some(Replicas { from: 3, to: 5 });
        assert_eq!(told(&sent, &seen(70, None)).0, Became::NotApplied);
        sent.verb = "explode".into();
        assert_eq!(told(&sent, &seen(70, Some("a1"))).0, Became::Unknown);
    }

    #[test]
    fn what_is_left_is_named() {
        let mut sent = sending(Verb::Rollback);
        let mut seen = seen(70, Some("a1"));
        seen.pods = sample::of_kind(crate::domain::Kind::StatefulSet).pods;
        let pods: Vec<_> = seen.pods.iter().take(2).cloned().collect();
        sent.deletes = pods
            .iter()
            .map(|pod| Deleted {
                pod: pod.name.clone(),
                uid: pod.uid.clone(),
            })
            .collect();
        sent.deletes.push(Deleted {
            pod: "gone".into(),
            uid: "gone".into(),
        });
        sent.steps = vec![
            "patch".into(),
            "resume".into(),
            "1".into(),
            "2".into(),
            "3".into(),
        ];
        seen.workload.paused = true;
        let (_, _, words) = told(&sent, &seen);
        let want = format!(
            "deploy/checkout is still paused; 2 of the 3 pods that it was to delete are still there: {} and {}",
            pods[0].name, pods[1].name
        );
        assert!(words.ends_with(&want), "{words}");
        seen.workload.paused = false;
        seen.pods.clear();
        assert!(!told(&sent, &seen).2.contains("still"));
    }
}
