//! Resuming what keeps a workload as git has it, after a rolldeck suspended it: what stood there is put back.

use crate::domain::{Automatic, Failure, FailureKind, Suspension, Sync, SyncKind, Verbatim};
use crate::plan::check::{Check, CheckState};
use crate::plan::git::switch;
use crate::plan::kubectl;
use crate::plan::{
    CheckId, Difference, Evidence, Finding, FreshSync, Goal, Keeper, ObjectRef, Plan, Refusal,
    Step, Verdict,
};
use crate::text;

use super::live;

/// # Errors
/// Why there is nothing to resume.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let (fresh, note) = suspended(evidence)?;
    let sync = &fresh.sync;
    let body = switch::on(sync, &fresh.parts).ok_or_else(|| {
        let sentence = format!(
            "What stood on {} before cannot be read from its note.",
            sync.id
        );
        let failure = Failure::new(FailureKind::Refused, sentence);
        Refusal::still(failure.hint(by_hand(sync, note)))
    })?;
    let side = live::side(evidence)?;
    let mut checks = live::must_checks();
    checks.push(Check {
        id: CheckId::Owner,
        state: CheckState::Answered(returns(sync)),
    });
    let goal = Goal {
        // No write of ours moves the workload itself.
        generation: 0,
        ..live::goal(evidence, &side)?
    };
    Ok(Plan {
        arrow: (side.label(), "what git says".into()),
        differences: vec![Difference {
            what: "sync".into(),
            text: format!(
                "suspended by {}, {} ago → {}",
                note.by,
                text::age(note.at, evidence.read_at),
                before(sync, note)
            ),
        }],
        checks,
        steps: vec![Step::SyncPatch {
            object: ObjectRef::of_sync(&sync.id),
            body: Verbatim(body.into()),
            what: format!("resume the sync of {}", sync.id),
        }],
        meanwhile: format!("all that {} keeps is made as git has it", sync.id),
        kubectl: by_hand(sync, note),
        ..live::draft(evidence, (side.clone(), side), goal)
    })
}

fn suspended(evidence: &Evidence) -> Result<(&FreshSync, &Suspension), Refusal> {
    let id = &evidence.workload.id;
    let fresh = match &evidence.keeper {
        Keeper::Found(fresh) => fresh,
        Keeper::None => {
            let sentence = format!("Nothing on {id} says that Argo CD or Flux keep it.");
            return Err(Refusal::say(sentence));
        }
        Keeper::Unknown { named, why } => {
            return Err(Refusal::say(format!("{named} cannot be read: {why}.")));
        }
    };
    let sync = &fresh.sync;
    let note = sync.suspension.as_deref().ok_or_else(|| {
        let sentence = format!("{} is not suspended by rolldeck: {}.", sync.id, sync.how());
        Refusal::say(sentence)
    })?;
    Ok((fresh, note))
}

/// What was switched off, in words.
fn before(sync: &Sync, note: &Suspension) -> String {
    if sync.reverts().is_some() {
        return format!("{}, by somebody else; only the note goes", sync.how());
    }
    match sync.id.kind {
        SyncKind::Application => format!("automated {}", note.was),
        SyncKind::Kustomization | SyncKind::HelmRelease => "not suspended".into(),
    }
}

/// What comes back with it.
fn returns(sync: &Sync) -> Verdict {
    use crate::domain::SyncState::{Failing, InSync, OutOfSync, Unknown};
    let (finding, sentence) = match (sync.state, sync.id.kind) {
        (InSync, SyncKind::Application) => (
            Finding::Ok,
            "git has what runs, as Argo CD saw it last: nothing moves".to_owned(),
        ),
        (OutOfSync, _) => (
            Finding::Warn,
            format!(
                "{} is out of sync: what git has comes back at once",
                sync.id
            ),
        ),
        (Failing, _) => (
            Finding::Warn,
            format!("its last sync failed: {}", sync.message),
        ),
        (InSync | Unknown, _) => (
            Finding::Warn,
            "whether git has what runs is not known: what it has comes back at once".to_owned(),
        ),
    };
    Verdict {
        check: CheckId::Owner,
        finding,
        sentence,
    }
}

/// What one would type in its place.
fn by_hand(sync: &Sync, note: &Suspension) -> String {
    let id = &sync.id;
    let (place, name) = (kubectl::place(&id.cluster, &id.namespace), &id.name);
    match id.kind {
        SyncKind::Application => {
            let resource = format!("{}.{}", id.kind.plural(), id.kind.group());
            let was = match &*note.was {
                "" => "{}",
                was => was,
            };
            let body = format!(r#"{{"spec":{{"syncPolicy":{{"automated":{was}}}}}}}"#);
            format!("kubectl{place} patch {resource} {name} --type merge -p '{body}'")
        }
        SyncKind::Kustomization => format!("flux{place} resume kustomization {name}"),
        SyncKind::HelmRelease => format!("flux{place} resume helmrelease {name}"),
    }
}

/// Whether it keeps its workload again.
pub fn is_on(sync: &Sync) -> bool {
    sync.suspension.is_none() && sync.automatic != Automatic::Off
}

#[cfg(test)]
mod tests {
    use crate::domain::sync::sample as sync_sample;
    use crate::domain::{Automatic, Fleet, Suspension, SyncParts};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Evidence, FreshSync, Keeper, Plan, Refusal, Verb, plan as make};

    const WAS: &str = r#"{"prune":true}"#;

    fn evidence() -> Evidence {
        let mut sync = sync_sample(Automatic::Off);
        sync.suspension = Some(Box::new(Suspension {
            id: "i1".into(),
            by: "me@here".into(),
            at: "2026-01-01T11:00:00Z".parse().unwrap(),
            was: WAS.into(),
        }));
        let mut evidence = sample::evidence();
        evidence.request.verb = Verb::ResumeSync;
        evidence.keeper = Keeper::Found(Box::new(FreshSync {
            sync,
            parts: SyncParts {
                sync_policy: true,
                annotations: true,
                note: Some(r#""n""#.into()),
                ..SyncParts::default()
            },
        }));
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    #[test]
    fn what_stood_there_comes_back_and_that_is_said() {
        let plan = plan(&evidence()).unwrap();
        assert!(plan.meanwhile.contains("Argo CD application shop"));
        assert_eq!(
            plan.differences[0].text,
            format!("suspended by me@here, 1h ago → automated {WAS}")
        );
        assert_eq!(plan.arrow.1, "what git says");
        assert!(plan.checks.iter().any(|check| check.id == CheckId::Owner));
        assert_eq!(
            plan.kubectl,
            r#"kubectl --context prod-eu -n argocd patch applications.argoproj.io shop --type merge -p '{"spec":{"syncPolicy":{"automated":{"prune":true}}}}'"#
        );
        assert_eq!(plan.goal.generation, 0);
        assert!(plan.begins_at(&plan.steps[0]));
    }

    #[test]
    fn what_is_not_suspended_by_us_is_refused() {
        let change = |change: fn(&mut Evidence)| {
            let mut evidence = evidence();
            change(&mut evidence);
            evidence
        };
        let sync = |evidence: &mut Evidence, with: fn(&mut FreshSync)| {
            if let Keeper::Found(fresh) = &mut evidence.keeper {
                with(fresh);
            }
        };
        let mut free = evidence();
        sync(&mut free, |fresh| fresh.sync.suspension = None);
        let mut broken = evidence();
        sync(&mut broken, |fresh| {
            fresh.sync.suspension.as_mut().unwrap().was = "}".into();
        });
        for (evidence, words) in [
            (
                change(|e| e.keeper = Keeper::None),
                "Nothing on deploy/checkout says",
            ),
            (free, "is not suspended by rolldeck: synced by hand."),
            (broken, "cannot be read from its note"),
        ] {
            let said = plan(&evidence).unwrap_err().failure.sentence;
            assert!(said.contains(words), "{said}");
        }
    }
}
