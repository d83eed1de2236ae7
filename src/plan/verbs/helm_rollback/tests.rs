//! A release of three revisions, whose newest runs.

use super::target::Kept;
use super::*;
use crate::domain::{ChartManifest, ChartRelease, Fleet, Manager, Verbatim};
use crate::plan::verbs::rollback::sample;
use crate::plan::{CheckState, Target, plan as make};

/// With the image of this tag.
pub fn kept((revision, status, description): (u32, &str, &str), tag: &str) -> Kept {
    let release = ChartRelease {
        revision,
        status: status.into(),
        updated: sample::AT.parse().ok(),
        chart: format!("web-0.{revision}.0").into(),
        app_version: tag.into(),
        description: description.into(),
    };
    let template = sample::template(tag).to_string();
    let named = |name: &str, text: &str| (name.into(), TemplateHash::of(text));
    let manifest = ChartManifest {
        objects: [
            named("Deployment/checkout", &template),
            named("ConfigMap/web", if revision < 3 { "old" } else { "new" }),
            named(&format!("Secret/of-{revision}"), ""),
        ]
        .into(),
        template: Some(Verbatim(template.into())),
        hooks: vec!["Job/migrate (pre-rollback)".into()],
    };
    (release, manifest)
}

fn evidence() -> Evidence {
    let mut evidence = sample::evidence();
    evidence.workload.manager = Some(Manager::Helm("web".into()));
    evidence.request.verb = Verb::HelmRollback;
    evidence.helm.program = Some("/usr/bin/helm".into());
    evidence.helm.releases = Releases::Found {
        revisions: vec![
            kept((3, "deployed", "Upgrade complete"), "2.15.0"),
            kept((2, "superseded", "Upgrade complete"), "2.14.1"),
            kept((1, "superseded", "Install complete"), "2.13.0"),
        ],
        unreadable: 0,
        kept_in: "secrets",
    };
    evidence
}

fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
}

fn said(plan: &Plan, id: CheckId) -> Option<(Finding, String)> {
    let check = plan.checks.iter().find(|check| check.id == id)?;
    match &check.state {
        CheckState::Answered(verdict) => Some((verdict.finding, verdict.sentence.clone())),
        CheckState::Asking(_) => None,
    }
}

#[test]
fn the_plan_says_what_helm_is_to_do() {
    let plan = plan(&evidence()).unwrap();
    assert_eq!(
        plan.arrow,
        (
            "revision 3, web-0.3.0, app 2.15.0".into(),
            "revision 2, web-0.2.0, app 2.14.1".into()
        )
    );
    let lines: Vec<_> = plan
        .differences
        .iter()
        .map(|d| format!("{} {}", d.what, d.text))
        .collect();
    assert_eq!(
        lines,
        [
            "image shop/checkout  2.15.0 → 2.14.1",
            "release changes ConfigMap/web",
            "release creates Secret/of-2",
            "release deletes Secret/of-3",
            "release runs Job/migrate (pre-rollback)",
        ]
    );
    assert_eq!(
        plan.kubectl,
        "helm rollback web 2 --timeout=4m --kube-context=prod-eu --namespace=shop"
    );
    let [Step::Helm { object, call, .. }, Step::Note { note, .. }] = &*plan.steps else {
        panic!("{:?}", plan.steps);
    };
    assert_eq!(&*object.name, "sh.helm.release.v1.web.v4");
    assert_eq!((call.newest, call.to), (3, 2));
    assert_eq!(
        (&*note.verb, &*note.from),
        ("helm-rollback", "checkout-h42")
    );
    assert!(!plan.begins_at(&plan.steps[0]) && plan.begins_at(&plan.steps[1]));
    assert_eq!(plan.goal.containers[0].image, "shop/checkout:2.14.1".into());
    assert_eq!(plan.goal.to_version, "2.14.1");
    for must in [CheckId::Permission, CheckId::Unchanged, CheckId::DryRun] {
        assert!(plan.checks.iter().any(|check| check.id == must));
    }
}

#[test]
fn what_is_risked_is_said() {
    let mut with = evidence();
    let Releases::Found { revisions, .. } = &mut with.helm.releases else {
        panic!();
    };
    revisions[0].0.status = "pending-upgrade".into();
    revisions[1].1.objects.remove("Deployment/checkout");
    revisions[1].1.template = None;
    let deletes = plan(&with).unwrap();
    let (finding, words) = said(&deletes, CheckId::Differs).unwrap();
    assert_eq!(finding, Finding::Block);
    assert_eq!(
        words,
        "revision 2 does not have deploy/checkout: Helm deletes it"
    );
    let (finding, words) = said(&deletes, CheckId::Hold).unwrap();
    assert_eq!(finding, Finding::Block);
    assert!(
        words.starts_with("revision 3 is pending-upgrade"),
        "{words}"
    );
    let mut same = evidence();
    let Releases::Found { revisions, .. } = &mut same.helm.releases else {
        panic!();
    };
    revisions[1].1.template = revisions[0].1.template.clone();
    let (_, words) = said(&plan(&same).unwrap(), CheckId::Differs).unwrap();
    assert!(words.contains("its pods stay"), "{words}");
}

#[test]
fn without_helm_or_its_history_there_is_no_plan() {
    let change = |change: fn(&mut Evidence)| {
        let mut evidence = evidence();
        change(&mut evidence);
        plan(&evidence).unwrap_err()
    };
    for (refusal, words) in [
        (
            change(|e| e.workload.manager = None),
            "says that Helm installed it",
        ),
        (
            change(|e| e.workload.manager = Some(Manager::Helm("--kubeconfig=/x".into()))),
            "which is no such name",
        ),
        (change(|e| e.helm.program = None), "helm is not on the PATH"),
        (
            change(|e| e.helm.releases = Releases::Unknown("needs list secrets".into())),
            "cannot be read: needs list secrets.",
        ),
    ] {
        let said = refusal.failure.sentence;
        assert!(said.contains(words), "{said}");
    }
    let moved = change(|e| {
        e.request.target = Target::Release {
            newest: Some(2),
            to: Some(1),
        };
    });
    assert!(moved.moved);
}

#[test]
fn the_plan_of_the_workload_alone_offers_it() {
    let mut one = evidence();
    one.request.verb = Verb::Rollback;
    let offered = |evidence: &Evidence| {
        let plan = plan(evidence).unwrap();
        plan.offers
            .iter()
            .find(|offer| offer.id == OfferId::Helm)
            .map(|offer| offer.opens)
    };
    assert_eq!(offered(&one), Some(Some(Verb::HelmRollback)));
    one.helm.program = None;
    assert_eq!(offered(&one), None);
}

#[test]
fn what_became_of_a_release_is_told_by_the_next_revision() {
    let release = |revision, status, words| kept((revision, status, words), "1").0;
    let old = release(3, "superseded", "Upgrade complete");
    let after = |next: Option<ChartRelease>| {
        let all: Vec<_> = next.into_iter().chain([old.clone()]).collect();
        match became(all.iter(), (3, 2)) {
            Release::Same => "same".to_owned(),
            Release::Made(next) => format!("made {}", next.status),
            Release::Another(next) => format!("another {}", next.description),
        }
    };
    assert_eq!(after(None), "same");
    for (next, want) in [
        (release(4, "deployed", "Rollback to 2"), "made deployed"),
        (
            release(4, "pending-rollback", "Rollback to 2"),
            "made pending-rollback",
        ),
        (
            release(4, "failed", "Rollback \"web\" failed: x"),
            "made failed",
        ),
        (
            release(4, "deployed", "Rollback to 1"),
            "another Rollback to 1",
        ),
        (
            release(4, "deployed", "Upgrade complete"),
            "another Upgrade complete",
        ),
    ] {
        assert_eq!(after(Some(next)), want);
    }
}
