//! Restarting a workload: the same pod template with a time in it, so that every pod is made anew.

use serde_json::{Value, json};

use crate::domain::template::{CanonicalHash, RESTARTED_AT, canonical_hash};
use crate::domain::{ActionNote, Failure, FailureKind, Kind, Pod, Strategy, Verbatim, Workload};
use crate::plan::check::{Check, history, strategy};
use crate::plan::difference::differences;
use crate::plan::meanwhile::meanwhile;
use crate::plan::patch::{self, Note};
use crate::plan::{Difference, Evidence, Goal, ObjectRef, Plan, Refusal, Side, Step, kubectl};
use crate::text;

use super::canary;
use super::live;
use super::rollback::pods::{Left, is_free};

/// # Errors
/// Why the write would do nothing.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let workload = &evidence.workload;
    if workload.id.kind == Kind::Rollout {
        return canary::restart::plan(evidence);
    }
    moves_something(workload)?;
    let restart = Restart::new(evidence)?;
    let side = live::side(evidence)?;
    let go = |pod: &&&Pod| is_free(workload, pod);
    let moving: Vec<_> = restart.pods.iter().filter(go).copied().collect();
    let goal = Goal {
        to: restart.to.clone(),
        template: None,
        // The revision is only made when the controller sees the write.
        revision_name: Box::default(),
        ..live::goal(evidence, &side)?
    };
    Ok(Plan {
        arrow: (side.label(), "the same, in new pods".into()),
        differences: differences(&restart.before, &restart.after),
        checks: checks(&restart),
        steps: steps(&restart, &side)?,
        meanwhile: replaced(workload, &moving),
        kubectl: command(&restart),
        ..live::draft(evidence, (side.clone(), side), goal)
    })
}

/// The write of the time alone, for what begins anew with another template.
pub(super) struct Again {
    pub step: Step,
    pub to: CanonicalHash,
    pub differences: Vec<Difference>,
}

/// # Errors
/// The template cannot be read, or has this very second in it.
pub(super) fn again(evidence: &Evidence) -> Result<Again, Refusal> {
    let restart = Restart::new(evidence)?;
    let side = live::side(evidence)?;
    Ok(Again {
        step: written(&restart, &side)?,
        differences: differences(&restart.before, &restart.after),
        to: restart.to,
    })
}

/// A write that would be accepted and do nothing is refused.
fn moves_something(workload: &Workload) -> Result<(), Refusal> {
    let id = &workload.id;
    let nothing = |why: &str, hint: &str| {
        let sentence = format!("{id} {why}: a restart would be accepted and replace no pod.");
        Err(Refusal::still(
            Failure::new(FailureKind::Refused, sentence).hint(hint),
        ))
    };
    if workload.paused {
        return nothing("is paused", "resume it first");
    }
    match (&workload.strategy, id.kind) {
        (Strategy::OnDelete, _) => nothing(
            "has the update strategy OnDelete",
            "each of its pods is made anew when somebody deletes it",
        ),
        (Strategy::Rolling { partition, .. }, Kind::StatefulSet)
            if workload.desired > 0 && *partition >= workload.desired =>
        {
            let why = format!("has the partition {partition}");
            nothing(&why, "a smaller partition lets its pods move")
        }
        _ if workload.desired == 0 => match id.kind {
            Kind::Deployment | Kind::Rollout | Kind::StatefulSet => {
                nothing("is scaled to zero", "scaled up, it starts new pods anyway")
            }
            Kind::DaemonSet => nothing("is wanted by no node", "its node selector decides"),
        },
        _ => Ok(()),
    }
}

/// Everything a plan is put together from.
struct Restart<'a> {
    evidence: &'a Evidence,
    /// Those that are there to be replaced.
    pods: Vec<&'a Pod>,
    left: Left<'a>,
    /// The time that is written.
    at: String,
    before: Value,
    after: Value,
    to: CanonicalHash,
}

impl<'a> Restart<'a> {
    fn new(evidence: &'a Evidence) -> Result<Self, Refusal> {
        let workload = &evidence.workload;
        let at = evidence.stamp.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let before: Value =
            serde_json::from_str(&evidence.template.0).map_err(Refusal::unreadable)?;
        let mut after = before.clone();
        let annotations = &mut after["metadata"]["annotations"];
        if annotations[RESTARTED_AT] == *at {
            return Err(Refusal::say(format!(
                "{} was restarted within this second.",
                workload.id
            )));
        }
        annotations[RESTARTED_AT] = json!(at);
        let there = |pod: &&Pod| !pod.terminating && !pod.ended();
        let pods: Vec<_> = evidence.pods.iter().filter(there).collect();
        Ok(Self {
            evidence,
            left: Left::among(workload, pods.clone(), |pod| is_free(workload, pod)),
            pods,
            to: canonical_hash(&after.to_string()).map_err(Refusal::unreadable)?,
            at,
            before,
            after,
        })
    }
}

fn checks(restart: &Restart<'_>) -> Vec<Check> {
    let evidence = restart.evidence;
    let workload = &evidence.workload;
    let mut checks = live::must_checks();
    checks.extend(live::images(&restart.after));
    checks.push(live::config(&restart.after));
    let (current, old) = live::revisions(evidence);
    let told = [
        strategy::verdict(workload, &restart.pods, &restart.left.blocking),
        history::after_same_version(workload, &old),
    ];
    checks.extend(told.into_iter().flatten().map(Check::from));
    // The pods that go have what was there when they were made.
    let oldest = restart.pods.iter().map(|pod| pod.created).min();
    let since = oldest.or(current.map(|revision| revision.created));
    let way = live::on_its_way(workload, &restart.after, workload.desired, since);
    checks.extend(way);
    checks.sort_by_key(|check| check.id);
    checks
}

/// The patch comes first: what its controller makes after it has the time in it.
fn steps(restart: &Restart<'_>, side: &Side) -> Result<Vec<Step>, Refusal> {
    let mut steps = vec![written(restart, side)?];
    steps.extend(restart.left.blocking_steps(restart.evidence));
    Ok(steps)
}

fn written(restart: &Restart<'_>, side: &Side) -> Result<Step, Refusal> {
    let evidence = restart.evidence;
    let workload = &evidence.workload;
    let note = ActionNote {
        to: restart.to.clone(),
        ..live::note(evidence, side)?
    };
    let body = patch::restart(
        &workload.uid,
        &evidence.template.0,
        (
            &restart.at,
            restart.before["metadata"]["annotations"].is_object(),
        ),
        &Note {
            note: &note,
            into_map: evidence.has_annotations,
        },
    )
    .map_err(Refusal::unreadable)?;
    Ok(Step::JsonPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(body.into()),
        what: format!("write the time into the pod template of {}", workload.id),
    })
}

/// How many pods, and whether anything is down meanwhile.
fn replaced(workload: &Workload, moving: &[&Pod]) -> String {
    let meanwhile = meanwhile(workload, moving);
    match workload.id.kind {
        // Its pods may not be listed by everybody.
        Kind::Deployment | Kind::Rollout => {
            let count = usize::try_from(workload.desired).unwrap_or(usize::MAX);
            let verb = if count == 1 { "is" } else { "are" };
            format!("{} {verb} replaced; {meanwhile}", text::count(count, "pod"))
        }
        Kind::StatefulSet | Kind::DaemonSet => meanwhile,
    }
}

fn command(restart: &Restart<'_>) -> String {
    let id = &restart.evidence.workload.id;
    let delete = kubectl::delete(id, &restart.left.blocking);
    let delete = delete.map(|command| format!(" && {command}"));
    kubectl::rollout(id, "restart") + &delete.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::domain::{Fleet, Kind, Strategy};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Evidence, Plan, Refusal, Step, Verb, plan as make};

    fn of(mut evidence: Evidence) -> Evidence {
        evidence.request.verb = Verb::Restart;
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    fn operations(plan: &Plan) -> Vec<Value> {
        let Step::JsonPatch { body, .. } = &plan.steps[0] else {
            panic!("{:?}", plan.steps);
        };
        serde_json::from_str(&body.0).unwrap()
    }

    #[test]
    fn the_time_is_written_beside_what_was_shown() {
        let evidence = of(sample::evidence());
        let plan = plan(&evidence).unwrap();
        assert_eq!(plan.meanwhile, "6 pods are replaced; 5 of 6 keep serving");
        assert_eq!(
            plan.kubectl,
            "kubectl --context prod-eu -n shop rollout restart deploy/checkout"
        );
        let [uid, template, write, note] = &operations(&plan)[..] else {
            panic!("four operations");
        };
        assert_eq!(uid["value"], "d1");
        assert_eq!(template["value"], sample::template("2.15.0"));
        let at = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T12:00:00Z"});
        assert_eq!(write["path"], "/spec/template/metadata/annotations");
        assert_eq!(write["value"], at);
        assert_eq!(note["path"], "/metadata/annotations/rolldeck.dev~1action");
        let note = note["value"].as_str().unwrap();
        assert!(note.contains(r#""verb":"restart""#), "{note}");
        let mut after = sample::template("2.15.0");
        after["metadata"]["annotations"] = at;
        let hash = crate::domain::template::canonical_hash(&after.to_string()).unwrap();
        assert_eq!(plan.goal.to, hash);
    }

    #[test]
    fn annotations_of_the_template_stay() {
        let mut evidence = of(sample::evidence());
        let mut template = sample::template("2.15.0");
        template["metadata"]["annotations"] = json!({"a": "b"});
        evidence.template.0 = template.to_string().into();
        let operations = operations(&plan(&evidence).unwrap());
        assert_eq!(
            operations[2],
            json!({"op": "add", "path": "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt", "value": sample::AT})
        );
        template["metadata"]["annotations"] =
            json!({"kubectl.kubernetes.io/restartedAt": sample::AT});
        evidence.template.0 = template.to_string().into();
        assert_eq!(
            plan(&evidence).unwrap_err().failure.sentence,
            "deploy/checkout was restarted within this second."
        );
    }

    #[test]
    fn a_pod_that_an_ordered_set_waits_for_is_deleted() {
        let plan = plan(&of(sample::of_kind(Kind::StatefulSet))).unwrap();
        let what: Vec<_> = plan.steps.iter().map(Step::what).collect();
        assert_eq!(
            what[0],
            "write the time into the pod template of sts/checkout"
        );
        assert!(what[1].starts_with("delete pod checkout-2 ("), "{what:?}");
        assert_eq!(what.len(), 2);
        assert!(
            plan.kubectl
                .ends_with("&& kubectl --context prod-eu -n shop delete pod checkout-2")
        );
        assert!(plan.checks.iter().any(|c| c.id == CheckId::Strategy));
        assert!(
            plan.meanwhile
                .starts_with("3 pods of 3 move, 1 at a time; ")
        );
    }

    #[test]
    fn a_write_that_would_do_nothing_is_refused() {
        let change = |kind, change: fn(&mut Evidence)| {
            let mut evidence = match kind {
                Kind::Deployment => sample::evidence(),
                Kind::StatefulSet | Kind::DaemonSet | Kind::Rollout => sample::of_kind(kind),
            };
            change(&mut evidence);
            of(evidence)
        };
        for (evidence, why) in [
            (
                change(Kind::Deployment, |e| e.workload.paused = true),
                "deploy/checkout is paused",
            ),
            (
                change(Kind::Deployment, |e| e.workload.desired = 0),
                "deploy/checkout is scaled to zero",
            ),
            (
                change(Kind::DaemonSet, |e| e.workload.desired = 0),
                "ds/checkout is wanted by no node",
            ),
            (
                change(Kind::DaemonSet, |e| {
                    e.workload.strategy = Strategy::OnDelete;
                }),
                "ds/checkout has the update strategy OnDelete",
            ),
            (
                change(Kind::StatefulSet, |e| {
                    e.workload.strategy = Strategy::Rolling {
                        max_unavailable: None,
                        max_surge: None,
                        partition: 3,
                        ordered: true,
                    };
                }),
                "sts/checkout has the partition 3",
            ),
        ] {
            assert_eq!(
                plan(&evidence).unwrap_err().failure.sentence,
                format!("{why}: a restart would be accepted and replace no pod.")
            );
        }
    }
}
