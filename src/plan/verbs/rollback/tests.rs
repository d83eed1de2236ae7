//! Which target, which refusals, which write.

use serde_json::json;

use super::sample::{AT, evidence, note, revision, template, workload};
use crate::domain::template::RESTARTED_AT;
use crate::domain::{Fleet, Strategy, TemplateHash, Verbatim};
use crate::plan::{CheckId, Evidence, Plan, Refusal, Step, Target, plan as make};

mod kinds;

fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    make(&Fleet::default(), evidence, AT.parse().unwrap())
}

fn refused(evidence: &Evidence) -> String {
    let refusal = plan(evidence).unwrap_err();
    assert!(!refusal.moved);
    refusal.failure.sentence
}

#[test]
fn the_revision_that_serves_most_is_proposed() {
    let plan = plan(&evidence()).unwrap();
    assert_eq!((plan.from.revision, plan.to.revision), (42, 41));
    assert_eq!(plan.from.version, "2.15.0");
    assert_eq!(plan.to.version, "2.14.1");
    assert_eq!(
        plan.rule,
        "5 of its pods serve now, most of all other revisions"
    );
    assert_eq!(plan.meanwhile, "5 of 6 keep serving");
    assert_eq!(
        plan.kubectl,
        "kubectl --context prod-eu -n shop rollout undo deploy/checkout --to-revision=41"
    );
    assert_eq!(plan.differences.len(), 1);
    assert_eq!(plan.differences[0].text, "shop/checkout  2.15.0 → 2.14.1");
    assert_eq!(plan.goal.generation, 8);
}

#[test]
fn else_the_newest_older_one_that_differs() {
    let mut e = evidence();
    e.revisions = vec![
        revision(44, "2.16.0", 0),
        revision(42, "2.15.0", 0),
        revision(41, "2.15.0", 0),
        revision(38, "2.13.0", 0),
    ];
    let plan = plan(&e).unwrap();
    assert_eq!(plan.to.revision, 38);
    assert!(
        plan.rule.starts_with("the newest older revision"),
        "{}",
        plan.rule
    );
}

#[test]
fn before_the_controller_made_the_new_revision_the_newest_is_proposed() {
    let mut e = evidence();
    e.revisions.remove(0);
    e.revisions[0].revision.available = 0;
    let plan = plan(&e).unwrap();
    assert_eq!((plan.from.revision, plan.to.revision), (0, 41));
}

#[test]
fn what_differs_only_by_a_restart_is_no_way_back_even_while_its_pods_serve() {
    let mut e = evidence();
    let mut restarted = template("2.15.0");
    restarted["metadata"]["annotations"] = json!({RESTARTED_AT: "2026-01-01T11:58:00Z"});
    let raw = restarted.to_string();
    e.workload.template = TemplateHash::of(&raw);
    e.template = Verbatim(raw.clone().into());
    e.request.shown = e.workload.template;
    let mut newest = revision(43, "2.15.0", 1);
    newest.template = Verbatim(raw.into());
    e.revisions = vec![newest, revision(42, "2.15.0", 5), revision(41, "2.14.1", 0)];
    let plan_of = plan(&e).unwrap();
    assert_eq!(plan_of.to.version, "2.14.1");
    assert!(
        plan_of
            .rule
            .ends_with("; skipped rev 42 (the same but for a restart)"),
        "{}",
        plan_of.rule
    );
    e.revisions.pop();
    let refusal = plan(&e).unwrap_err();
    assert!(
        refusal
            .failure
            .sentence
            .ends_with("nothing to roll back to but rev 42 (the same but for a restart)."),
        "{}",
        refusal.failure.sentence
    );
    e.request.target = Target::Typed("42".into());
    assert_eq!(plan(&e).unwrap().to.revision, 42, "but by hand it is one");
}

#[test]
fn withdrawn_ones_are_skipped_and_said() {
    let mut e = evidence();
    e.revisions[1].revision.number = 40;
    // 41 was rolled back from, to 38, which is 43 since.
    e.revisions[2].revision.number = 41;
    e.revisions[2].revision.action = Some(note(41, "2.13.0"));
    e.revisions[1].revision.name = "checkout-h41".into();
    let plan_of = plan(&e).unwrap();
    assert_eq!(plan_of.to.version, "2.13.0");
    assert!(
        plan_of.rule.ends_with("; skipped rev 40 (withdrawn)"),
        "{}",
        plan_of.rule
    );
    e.request.target = Target::Typed("40".into());
    let chosen = plan(&e).unwrap();
    let withdrawn = chosen.checks.iter().find(|c| c.id == CheckId::Withdrawn);
    assert!(format!("{withdrawn:?}").contains("it was rolled back from 2h ago by me@here"));
    // It went out again on purpose since.
    e.request.target = Target::Proposed;
    e.revisions[1].revision.number = 42;
    assert_eq!(plan(&e).unwrap().to.version, "2.14.1");
}

#[test]
fn what_the_screens_mark_is_what_the_plan_skips() {
    // The target of that rollback is kept no longer; 41 ran again since when it carries the note itself.
    for (ran_again, to) in [(false, "2.13.0"), (true, "2.14.1")] {
        let mut e = evidence();
        e.revisions[0].revision.action = Some(note(41, "1.0.0"));
        e.revisions[1].revision.action = ran_again.then(|| note(41, "1.0.0"));
        let revisions: Vec<_> = e.revisions.iter().map(|f| f.revision.clone()).collect();
        let marked = crate::domain::revision::withdrawn(&e.workload, &revisions);
        assert_eq!(marked.contains("checkout-h41"), !ran_again);
        assert_eq!(plan(&e).unwrap().to.version, to);
    }
}

#[test]
fn typed_targets() {
    for (typed, want) in [
        ("38", Ok(38)),
        ("2.13.0", Ok(38)),
        (" 41 ", Ok(41)),
        ("3", Ok(41)),
    ] {
        let mut e = evidence();
        e.revisions[1].revision.former = [3, 5].into();
        e.request.target = Target::Typed(typed.into());
        let got = plan(&e).map(|plan| plan.to.revision);
        assert_eq!(got, want, "{typed}");
    }
    let mut e = evidence();
    e.revisions[1].revision.former = [3, 5].into();
    e.request.target = Target::Typed("5".into());
    assert_eq!(
        plan(&e).unwrap().rule,
        "you asked for 5, which has number 41 since a rollback"
    );
    e.revisions.push(revision(37, "2.13.0", 0));
    e.request.target = Target::Typed("2.13.0".into());
    assert_eq!(
        refused(&e),
        "2.13.0 fits 2 revisions of deploy/checkout: rev 38 (2.13.0), rev 37 (2.13.0)."
    );
    e.request.target = Target::Typed("9".into());
    assert_eq!(refused(&e), "deploy/checkout has no revision or version 9.");
    e.request.target = Target::Typed("2.15.0".into());
    assert!(refused(&e).contains("nothing but the hash label"));
}

#[test]
fn shown_targets_are_bound_to_what_was_shown() {
    let mut e = evidence();
    let shown = |e: &Evidence, n: usize| Target::Shown {
        name: e.revisions[n].revision.name.clone(),
        template: e.revisions[n].revision.template,
    };
    e.request.target = shown(&e, 2);
    assert_eq!(plan(&e).unwrap().to.revision, 38);
    e.request.target = shown(&e, 0);
    assert!(refused(&e).contains("nothing but the hash label"));
    e.request.target = Target::Shown {
        name: "checkout-h38".into(),
        template: TemplateHash::of("x"),
    };
    assert_eq!(refused(&e), "Revision checkout-h38 is not the one shown.");
    e.request.target = Target::Shown {
        name: "gone".into(),
        template: TemplateHash::of("x"),
    };
    assert!(refused(&e).contains("is gone"));
}

#[test]
fn refusals() {
    let only = |n: usize| {
        let mut e = evidence();
        e.revisions.truncate(n);
        e
    };
    assert!(refused(&only(1)).contains("has only one revision"));
    assert!(refused(&only(0)).contains("no revisions"));
    let mut limited = only(1);
    limited.workload.history_limit = Some(0);
    assert!(refused(&limited).contains("revisionHistoryLimit is 0"));
    let mut same = evidence();
    same.revisions = vec![revision(42, "2.15.0", 0), revision(41, "2.15.0", 3)];
    assert!(refused(&same).contains("no older revision whose pod template differs"));
    let mut deleted = evidence();
    deleted.workload.deleting = true;
    assert_eq!(refused(&deleted), "deploy/checkout is being deleted.");
}

#[test]
fn an_object_that_moved_is_refused_with_who_and_what() {
    let mut e = evidence();
    e.workload.uid = "d2".into();
    let refusal = plan(&e).unwrap_err();
    assert!(refusal.moved);
    assert!(refusal.failure.sentence.contains("created again"));
    let mut e = evidence();
    e.request.shown = TemplateHash::of(&template("2.14.1").to_string());
    let refusal = plan(&e).unwrap_err();
    assert!(refusal.moved);
    assert_eq!(
        refusal.failure.sentence,
        "kubectl-set moved deploy/checkout from 2.14.1 to 2.15.0, 4m ago, after it was shown."
    );
}

#[test]
fn the_write_tests_what_was_read_and_marks_itself() {
    let plan = plan(&evidence()).unwrap();
    let [Step::JsonPatch { object, body, .. }] = &plan.steps[..] else {
        panic!("one step");
    };
    assert_eq!(
        (object.resource, &*object.name),
        ("deployments", "checkout")
    );
    let tested = format!(
        r#"{{"op":"test","path":"/spec/template","value":{}}}"#,
        template("2.15.0")
    );
    assert!(body.0.contains(&tested));
    let written = format!(
        r#"{{"op":"replace","path":"/spec/template","value":{}}}"#,
        template("2.14.1")
    );
    assert!(body.0.contains(&written));
    assert!(body.0.contains("rolldeck.dev~1action"));
    assert!(body.0.contains(r#"\"from\":\"checkout-h42\""#));
}

#[test]
fn a_paused_one_offers_to_resume() {
    let mut e = evidence();
    e.workload.paused = true;
    let mut plan = plan(&e).unwrap();
    assert!(plan.checks.iter().any(|c| c.id == CheckId::Paused));
    assert_eq!(
        plan.meanwhile,
        "5 of 6 serve; no new pod starts until it is resumed"
    );
    assert_eq!(plan.all_steps().count(), 1);
    plan.offers[0].taken = true;
    let steps: Vec<_> = plan.all_steps().collect();
    let Step::JsonPatch { body, .. } = steps[1] else {
        panic!("{steps:?}");
    };
    assert_eq!(
        &*body.0,
        r#"[{"op":"test","path":"/metadata/uid","value":"d1"},{"op":"replace","path":"/spec/paused","value":false}]"#
    );
}

#[test]
fn what_keeps_serving() {
    let rolling = |unavailable: &str, surge: &str| Strategy::Rolling {
        max_unavailable: Some(unavailable.into()),
        max_surge: Some(surge.into()),
        partition: 0,
        ordered: false,
    };
    for (strategy, available, want) in [
        (rolling("1", "1"), 6, "at least 5 of 6 keep serving"),
        (rolling("25%", "25%"), 6, "at least 5 of 6 keep serving"),
        (rolling("0", "0"), 6, "at least 5 of 6 keep serving"),
        (rolling("0", "1"), 6, "6 of 6 keep serving"),
        (rolling("100%", "0"), 6, "at least 0 of 6 keep serving"),
        (rolling("1", "1"), 2, "2 of 6 keep serving"),
        (
            Strategy::Recreate,
            6,
            "all pods stop before the first new one starts (Recreate)",
        ),
    ] {
        let mut web = workload("1");
        web.strategy = strategy;
        web.counts.available = available;
        assert_eq!(crate::plan::meanwhile::meanwhile(&web, &[]), want);
    }
}
