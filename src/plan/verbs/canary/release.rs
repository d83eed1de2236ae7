//! Another template for a Rollout: what its controller makes of it, and what of its canary the write is bound to.

use serde_json::{Value, json};

use crate::domain::canary::{Canary, PausedBy};
use crate::domain::{Kind, Revision};
use crate::plan::check::controller;
use crate::plan::follow::Turned;
use crate::plan::{Evidence, FreshRevision, Refusal, patch};
use crate::text;

use super::{of_hash, refused, side, turned, unseen};

/// # Errors
/// Its template is another's, or its controller has yet to say which one it runs.
pub fn takes_template(evidence: &Evidence) -> Result<(), Refusal> {
    let Some(canary) = of_rollout(evidence) else {
        return Ok(());
    };
    let (id, verb) = (&evidence.workload.id, evidence.request.verb.words());
    if let Some(of) = &canary.template_of {
        let sentence = format!("{id} runs the template of {of}: one of its own is ignored.");
        let place = of.replacen("Deployment ", "deploy/", 1);
        return Err(refused(
            sentence,
            &format!("{} {place} in its place", verb.plain),
        ));
    }
    // One that is away keeps nobody from going back.
    if controller::unseen(evidence).is_some() {
        return Ok(());
    }
    unseen(evidence)
}

/// # Errors
/// Its controller scales nothing while it is paused like that.
pub fn takes_replicas(evidence: &Evidence) -> Result<(), Refusal> {
    let by = of_rollout(evidence)
        .and_then(|canary| canary.pause)
        .map(|pause| pause.by);
    let (how, hint) = match by {
        Some(PausedBy::Hand) => ("is paused by hand", "resume it first"),
        Some(PausedBy::Inconclusive) => (
            "waits for a person to judge its analysis",
            "promote or abort it first",
        ),
        _ => return Ok(()),
    };
    let id = &evidence.workload.id;
    let sentence = format!("{id} {how}: its controller scales nothing meanwhile.");
    Err(refused(sentence, hint))
}

/// What a scale leaves as it is.
pub fn keeps(evidence: &Evidence) -> &'static str {
    let partial = of_rollout(evidence).is_some_and(Canary::is_partial);
    if partial {
        "; the canary keeps its share"
    } else {
        ""
    }
}

/// The revision of its template, which its controller names: a server fills nothing in there, so that no revision's
/// template equals it.
pub fn current(evidence: &Evidence) -> Option<&FreshRevision> {
    let canary = of_rollout(evidence)?;
    let seen = evidence.workload.generation <= evidence.workload.observed_generation;
    let mut revisions = evidence.revisions.iter();
    let named = |fresh: &&FreshRevision| fresh.revision.pod_hash == canary.current;
    revisions
        .find(named)
        .filter(|_| seen && !canary.current.is_empty())
}

/// A revision's template as it was before a server filled in what nobody wrote: with that in it, the controller takes
/// it for another revision.
///
/// # Errors
/// The live template, or this one, is not JSON.
pub fn unfilled(
    evidence: &Evidence,
    template: String,
    copy: &Value,
) -> Result<String, serde_json::Error> {
    if current(evidence).is_none() {
        return Ok(template);
    }
    let own = serde_json::from_str(&evidence.template.0)?;
    patch::unfilled(&template, copy, &own)
}

/// The tests that bind it to the two revisions that were shown.
pub fn bound(evidence: &Evidence) -> Vec<Value> {
    let Some(canary) = of_rollout(evidence) else {
        return Vec::new();
    };
    let hashes = [
        ("/status/currentPodHash", &*canary.current),
        ("/status/stableRS", &*canary.stable),
    ];
    let known = hashes.into_iter().filter(|(_, hash)| !hash.is_empty());
    let test = |(path, hash): (&str, &str)| json!({"op": "test", "path": path, "value": hash});
    known.map(test).collect()
}

/// The same for what tells who moved it meanwhile.
pub fn shown(evidence: &Evidence) -> Option<Turned> {
    of_rollout(evidence).map(turned)
}

/// What becomes of it, with a template that is `target`'s or new; `None` of one that is moved like a Deployment.
pub fn outlook(evidence: &Evidence, target: Option<&Revision>) -> Option<String> {
    let canary = of_rollout(evidence)?;
    let (have, want) = (
        evidence.workload.counts.available,
        evidence.workload.desired,
    );
    let back = target.filter(|target| canary.is_partial() && target.pod_hash == canary.stable);
    let goes = if let Some(stable) = back {
        let version = side(evidence, &stable.pod_hash).version;
        format!("no step is taken: all of it goes back to {version} at once")
    } else if target.is_some_and(|target| in_window(evidence, canary, target)) {
        let window = canary.rollback_window;
        format!("no step is taken: it is within its rollback window of {window}")
    } else if is_blue_green(evidence) {
        "it starts beside what serves, and its traffic is switched when that is due".into()
    } else if canary.steps.is_empty() {
        return None;
    } else {
        format!(
            "its steps begin at the first: {}",
            text::canary::all(canary)
        )
    };
    let ends = if canary.is_partial() && back.is_none() {
        let version = side(evidence, &canary.current).version;
        format!("; the release of {version} ends")
    } else {
        String::new()
    };
    Some(format!("{goes}{ends}; {have} of {want} serve now"))
}

/// As its controller counts: so few revisions lie between.
fn in_window(evidence: &Evidence, canary: &Canary, target: &Revision) -> bool {
    let Some(stable) = of_hash(evidence, &canary.stable) else {
        return false;
    };
    let between = |r: &&FreshRevision| {
        target.created < r.revision.created && r.revision.created < stable.created
    };
    let count = evidence.revisions.iter().filter(between).count();
    target.created < stable.created
        && u32::try_from(count).is_ok_and(|count| count < canary.rollback_window)
}

fn is_blue_green(evidence: &Evidence) -> bool {
    use crate::domain::Strategy;
    matches!(&evidence.workload.strategy, Strategy::Other(name) if **name == *"blue-green")
}

/// Other kinds have other controllers.
fn of_rollout(evidence: &Evidence) -> Option<&Canary> {
    let workload = &evidence.workload;
    let canary = workload.canary.as_deref();
    canary.filter(|_| workload.id.kind == Kind::Rollout)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{evidence, plan_of};
    use super::*;
    use crate::domain::Strategy;
    use crate::plan::{Plan, Step, Target, Verb};

    fn body(plan: &Plan) -> Value {
        let [Step::JsonPatch { body, .. }] = &plan.steps[..] else {
            panic!("one step: {:?}", plan.steps);
        };
        serde_json::from_str(&body.0).unwrap()
    }

    /// Its revisions have what a server fills in, and its own template has not.
    fn filled(verb: Verb, change: impl FnOnce(&mut Canary)) -> Evidence {
        let mut evidence = evidence(verb, change);
        for fresh in &mut evidence.revisions {
            let mut template: Value = serde_json::from_str(&fresh.template.0).unwrap();
            template["spec"]["dnsPolicy"] = json!("ClusterFirst");
            let labels = template["metadata"]["labels"].as_object_mut().unwrap();
            let hash = labels.remove("pod-template-hash").unwrap();
            labels.insert("rollouts-pod-template-hash".into(), hash);
            fresh.template = crate::domain::Verbatim(template.to_string().into());
        }
        evidence
    }

    #[test]
    fn back_to_what_serves_beside_it_takes_no_step() {
        let evidence = filled(Verb::Rollback, |_| {});
        let canary = evidence.workload.canary.clone().unwrap();
        let plan = plan_of(&evidence).unwrap();
        assert_eq!(plan.differences.len(), 1, "{:?}", plan.differences);
        let operations = body(&plan);
        let test = |n: usize| (&operations[n]["path"], &operations[n]["value"]);
        assert_eq!(
            test(0),
            (&json!("/status/currentPodHash"), &json!(canary.current))
        );
        assert_eq!(test(1), (&json!("/status/stableRS"), &json!(canary.stable)));
        assert_eq!(operations[2]["path"], "/metadata/uid");
        assert_eq!(operations[3]["path"], "/spec/template");
        assert_eq!(operations[4]["op"], "replace");
        assert_eq!(operations[4]["value"]["spec"]["dnsPolicy"], Value::Null);
        let labels = &operations[4]["value"]["metadata"]["labels"];
        assert_eq!(labels, &json!({"app": "checkout"}));
        let words = "no step is taken: all of it goes back to 2.14.1 at once; 5 of 6 serve now";
        assert_eq!(plan.meanwhile, words);
        let kubectl =
            "kubectl argo rollouts undo checkout --context prod-eu -n shop --to-revision=41";
        assert_eq!(plan.kubectl, kubectl);
    }

    #[test]
    fn what_is_left_is_what_its_controller_says() {
        let mut evidence = filled(Verb::Rollback, |_| {});
        let newest = evidence.revisions[0].revision.number;
        evidence.request.target = Target::Typed(newest.to_string());
        let said = plan_of(&evidence).unwrap_err().failure.sentence;
        assert!(said.contains("is the live one already"), "{said}");
    }

    #[test]
    fn an_older_one_takes_the_steps_again_unless_it_is_in_the_window() {
        let promoted = |window| {
            let mut evidence = filled(Verb::Rollback, |canary| {
                canary.stable = canary.current.clone();
                canary.rollback_window = window;
            });
            let newest = &mut evidence.revisions[0].revision;
            newest.created += jiff::SignedDuration::from_secs(60);
            plan_of(&evidence).unwrap().meanwhile
        };
        let steps = "its steps begin at the first: 20%, pause until promoted, 60%, pause 30s, 100%; 5 of 6 serve now";
        assert_eq!(promoted(0), steps);
        assert!(promoted(1).starts_with("no step is taken: it is within its rollback window of 1"));
    }

    #[test]
    fn a_new_image_ends_the_release_and_an_old_one_is_known() {
        let image = |tag: &str, blue_green: bool| {
            let mut evidence = filled(Verb::SetImage, |_| {});
            evidence.request.target = Target::Image {
                container: None,
                image: tag.into(),
            };
            if blue_green {
                evidence.workload.strategy = Strategy::Other("blue-green".into());
            }
            plan_of(&evidence).unwrap()
        };
        let new = image("2.16.0", false);
        assert!(
            new.meanwhile.contains("100%; the release of 2.15.0 ends; "),
            "{}",
            new.meanwhile
        );
        assert_eq!(body(&new)[1]["path"], "/status/stableRS");
        assert!(
            new.kubectl
                .starts_with("kubectl argo rollouts set image checkout "),
            "{}",
            new.kubectl
        );
        let back = image("2.14.1", false);
        assert!(
            back.meanwhile.starts_with("no step is taken"),
            "{}",
            back.meanwhile
        );
        assert_eq!(back.arrow.1, "2.14.1 (rev 41)");
        let beside = image("2.16.0", true);
        assert!(
            beside.meanwhile.starts_with("it starts beside what serves"),
            "{}",
            beside.meanwhile
        );
    }

    #[test]
    fn what_would_be_ignored_is_refused_with_the_place() {
        let borrowed = |canary: &mut Canary| canary.template_of = Some("Deployment shelf".into());
        let why = plan_of(&evidence(Verb::Rollback, borrowed))
            .unwrap_err()
            .failure;
        let sentence =
            "rollout/checkout runs the template of Deployment shelf: one of its own is ignored.";
        assert_eq!(why.sentence, sentence);
        assert_eq!(why.hints, ["roll back deploy/shelf in its place"]);
        let scaled = |by| {
            let mut evidence = evidence(Verb::Scale, |c| c.pause.as_mut().unwrap().by = by);
            evidence.request.target = Target::Replicas { shown: 6, to: 8 };
            plan_of(&evidence)
        };
        assert!(scaled(PausedBy::Step).is_ok());
        for by in [PausedBy::Hand, PausedBy::Inconclusive] {
            let said = scaled(by).unwrap_err().failure.sentence;
            assert!(
                said.contains("its controller scales nothing meanwhile"),
                "{said}"
            );
        }
        let mut fresh = evidence(Verb::Rollback, |_| {});
        fresh.workload.generation += 1;
        let said = plan_of(&fresh).unwrap_err().failure.sentence;
        assert!(said.contains("has not seen the last change"), "{said}");
        // Away for long: the way back stays open, and the plan says that nothing acts on it.
        fresh.workload.spec_written = Some(fresh.read_at - jiff::SignedDuration::from_secs(300));
        assert!(plan_of(&fresh).is_ok());
    }
}
