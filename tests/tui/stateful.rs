//! A StatefulSet whose last pod cannot start: its service, and the plan with the pods that have to go.

use rolldeck::app::model::{Overlay, Stage};
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model, settle};
use rolldeck::domain::{Kind, Level, Phase, Strategy, Verbatim};
use rolldeck::plan::{
    Autoscaling, CheckId, Evidence, Finding, FreshRevision, Keeper, Request, Stamp,
};
use serde_json::{Value, json};

use super::night::{MINUTE, Recipe, Service, cannot_pull, model, now, press};
use super::plans::says;
use super::snapshots::check;

const NAME: &str = "ledger-db";

fn database(strategy: Strategy, pods: u32) -> Service {
    let recipe = Recipe {
        kind: Kind::StatefulSet,
        ..Recipe::rolling(
            NAME,
            &["3.0.9", "3.1.0", "3.2.0"],
            pods,
            (1, 0, pods - 1),
            6 * MINUTE,
        )
    };
    let mut service = recipe.make();
    let workload = &mut service.workload;
    (workload.conditions, workload.deadline_seconds) = ([].into(), None);
    (workload.revision, workload.strategy) = (None, strategy);
    let name = |back: usize| service.revisions[2 - back].name.clone();
    workload.update_revision = Some(name(0));
    workload.current_revision = Some(name(1));
    for revision in &mut service.revisions {
        revision.pod_hash = revision.name.clone();
        (revision.desired, revision.ready, revision.available) = (0, 0, 0);
    }
    for ordinal in 0..pods {
        let back = usize::from(ordinal + 1 < pods);
        let node = format!("node-0{}", ordinal % 9 + 1);
        let owner = service.workload.uid.clone();
        let pod = service.pod(&ordinal.to_string(), back, &node, 5 * MINUTE);
        (pod.name, pod.owner) = (format!("{NAME}-{ordinal}").into(), owner);
        if back == 0 {
            cannot_pull(pod, "manifest unknown");
        }
    }
    service
}

fn ordered() -> Strategy {
    Strategy::Rolling {
        max_unavailable: None,
        max_surge: None,
        partition: 0,
        ordered: true,
    }
}

fn template(version: &str) -> Value {
    let image = format!("registry.example/shop/{NAME}:{version}");
    json!({"metadata": {"labels": {"app": NAME}}, "spec": {"containers": [{"name": NAME, "image": image}]}})
}

/// What would be read afresh: the same as is shown.
fn evidence(service: Service, request: Request) -> Evidence {
    let versions = ["3.0.9", "3.1.0", "3.2.0"];
    let fresh = |(revision, version): (_, &str)| FreshRevision {
        revision,
        template: Verbatim(template(version).to_string().into()),
    };
    Evidence {
        holds: Vec::new(),
        request,
        stamp: Stamp {
            id: "r1".into(),
            by: "oncall@bastion".into(),
            at: now(),
        },
        level: Level::Guarded,
        template: Verbatim(template("3.2.0").to_string().into()),
        has_annotations: true,
        helm: rolldeck::plan::Helm::default(),
        presence: None,
        unjudged: None,
        measured: None,
        noted: None,
        turned: None,
        revisions: service
            .revisions
            .into_iter()
            .zip(versions)
            .map(fresh)
            .collect(),
        pods: service.pods,
        autoscaling: Autoscaling::None,
        pinned: rolldeck::plan::Pinned::No,
        origin: None,
        phase: Phase::Stalled,
        repository: None,
        job: None,
        hold_for: 3600,
        keeper: Keeper::None,
        serving: None,
        stable_of: None,
        beside: None,
        has_beside: None,
        past: Vec::new(),
        ready_for: 30,
        read_at: now(),
        workload: service.workload,
    }
}

/// After `R` and the reads; `keys` are pressed before the checks answer.
fn planned(make: impl Fn() -> Service, (width, height): (u16, u16), keys: &[&str]) -> Model {
    let mut model = model(&[make()], width, height);
    let asked = press(&mut model, &["R"]);
    let Some(Effect::Gather { job, request }) = asked.into_iter().find(is_gather) else {
        panic!("R reads");
    };
    let outcome = Ok(Box::new(evidence(make(), request)));
    update(&mut model, Event::Gathered { job, outcome });
    press(&mut model, keys);
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("a plan is open");
    };
    let job = shown.job;
    for (check, sentence) in [
        (
            CheckId::Permission,
            "you may patch statefulsets in shop and delete pods in shop",
        ),
        (CheckId::Unchanged, "unchanged since you looked"),
        (
            CheckId::DryRun,
            "the server accepts the patch and the deletion (dry runs)",
        ),
    ] {
        let verdict = says(check, Finding::Ok, sentence);
        update(&mut model, Event::Checked { job, verdict });
    }
    settle(&mut model);
    model
}

fn is_gather(effect: &Effect) -> bool {
    matches!(effect, Effect::Gather { .. })
}

#[test]
fn service_of_controller_revisions() {
    check("service_stateful", |w, h| {
        let mut model = model(&[database(ordered(), 3)], w, h);
        press(&mut model, &["enter", "j"]);
        model
    });
}

#[test]
fn plan_that_deletes_the_pod_in_the_way() {
    check("plan_ordered", |w, h| {
        planned(|| database(ordered(), 3), (w, h), &[])
    });
}

#[test]
fn plan_that_deletes_pods_one_after_another() {
    check("plan_on_delete", |w, h| {
        let all_new = || {
            let mut service = database(Strategy::OnDelete, 7);
            let new = service.revisions[2].clone();
            for pod in &mut service.pods {
                pod.revision = new.pod_hash.clone();
                pod.containers[0].image = new.containers[0].image.clone();
            }
            service
        };
        planned(all_new, (w, h), &["d"])
    });
}

#[test]
fn plan_that_waits_for_its_controller() {
    check("plan_waiting", |w, h| {
        let mut model = planned(|| database(ordered(), 3), (w, h), &[]);
        let Some(Overlay::Plan(shown)) = &mut model.overlay else {
            panic!("a plan is open");
        };
        let Stage::Shown { plan, verdicts, .. } = &shown.stage else {
            panic!("it is shown");
        };
        shown.stage = Stage::Executing {
            plan: plan.clone(),
            verdicts: verdicts.clone(),
            step: 1,
            waiting: Some("the controller has not seen the new template yet".into()),
        };
        model
    });
}
