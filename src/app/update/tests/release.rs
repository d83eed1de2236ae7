//! From a shown plan to the end of what was sent: reasons, offers, answers that are lost or refused, following.

use super::plan::{answer, answer_all, planned, said};
use super::*;
use crate::app::event::JobId;
use crate::app::model::{Following, PlanBox};
use crate::app::words;
use crate::domain::template::canonical_hash;
use crate::domain::{ActionNote, Failure, FailureKind};
use crate::plan::{Answers, Goal};

fn shown(model: &Model) -> &PlanBox {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    shown
}

fn executed(effects: &[Effect]) -> Option<(JobId, &Answers)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Execute { job, answers, .. } => Some((*job, answers)),
        _ => None,
    })
}

/// A guarded plan that was confirmed.
fn sent() -> (Model, JobId) {
    let mut model = planned(Level::Guarded, false);
    answer_all(&mut model);
    let effects = keys(&mut model, "y");
    let job = executed(&effects).unwrap().0;
    (model, job)
}

fn progress(model: &mut Model, job: JobId, progress: Progress) -> Vec<Effect> {
    update(model, Event::Progressed { job, progress })
}

#[test]
fn a_reason_may_be_given_and_goes_with_the_answers() {
    for (level, typed, want) in [
        (Level::Guarded, "y", None),
        (Level::Guarded, "rINC-812 carts\ny", Some("INC-812 carts")),
        (Level::Guarded, "rINC-812\x1by", None),
        (Level::Guarded, "rINC-812\nr^u\ny", None),
        (Level::Guarded, "rINC-8\nr12\ny", Some("INC-812")),
        (Level::Protected, "!ycheck\tINC-812\tout\n", Some("INC-812")),
    ] {
        let mut model = planned(level, false);
        answer_all(&mut model);
        let effects = keys(&mut model, typed);
        let (_, answers) = executed(&effects).unwrap_or_else(|| panic!("{typed}"));
        assert_eq!(answers.reason.as_deref(), want, "{typed}");
        assert_eq!(answers.override_reason, None);
    }
}

#[test]
fn an_optional_reason_overrides_nothing() {
    let mut model = planned(Level::Guarded, false);
    answer(&mut model, CheckId::Permission, Finding::Ok);
    answer(&mut model, CheckId::Unchanged, Finding::Ok);
    answer(&mut model, CheckId::DryRun, Finding::Block);
    assert_eq!(executed(&keys(&mut model, "rit must go\ny")), None);
    assert!(said(&model).contains("overrides it"), "{}", said(&model));
}

#[test]
fn an_offer_asks_the_checks_again_and_keeps_the_reason() {
    let mut model = fleet();
    let mut paused = sample::workload("2.15.0");
    paused.paused = true;
    put(&mut model, &[paused.clone()]);
    let effects = keys(&mut model, "R");
    let gather = effects.iter().find_map(|effect| match effect {
        Effect::Gather { job, request } => Some((*job, request.clone())),
        _ => None,
    });
    let (job, request) = gather.unwrap();
    let mut evidence = sample::evidence();
    (evidence.workload, evidence.request) = (paused, request);
    let outcome = Ok(Box::new(evidence));
    update(&mut model, Event::Gathered { job, outcome });
    answer_all(&mut model);
    keys(&mut model, "rINC-812\n");
    let asked = shown(&model).job;
    let Stage::Shown { plan, .. } = &shown(&model).stage else {
        panic!("{:?}", shown(&model))
    };
    let (key, before) = (plan.offers[0].key, plan.all_steps().count());
    let effects = keys(&mut model, &key.to_string());
    let [Effect::Cancel { job }, Effect::Preflight { plan, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((*job, plan.all_steps().count()), (asked, before + 1));
    assert!(executed(&keys(&mut model, "y")).is_none(), "asked again");
    answer_all(&mut model);
    let effects = keys(&mut model, "y");
    let (_, answers) = executed(&effects).unwrap();
    assert_eq!(answers.reason.as_deref(), Some("INC-812"));
}

#[test]
fn a_lost_answer_is_said_and_never_sent_again() {
    let unknown = || Progress::Unknown {
        step: 0,
        why: "no answer within 30s".into(),
    };
    let (mut model, job) = sent();
    assert_eq!(progress(&mut model, job, unknown()), []);
    assert!(matches!(shown(&model).stage, Stage::Unknown { .. }));
    assert!(executed(&keys(&mut model, "y\n^r")).is_none());
    assert!(model.executions.is_empty());

    let (mut model, job) = sent();
    keys(&mut model, "\x1b");
    progress(&mut model, job, unknown());
    assert!(model.notice.unwrap().text.contains("is not known"));
}

#[test]
fn what_moved_under_the_write_is_shown_as_a_new_plan() {
    let refused = |moved| Progress::Refused {
        step: 0,
        why: Failure::new(FailureKind::Refused, "helm changed the template"),
        moved,
    };
    let (mut model, job) = sent();
    let effects = progress(&mut model, job, refused(true));
    assert!(effects.iter().any(|e| matches!(e, Effect::Gather { .. })));
    assert_eq!(
        shown(&model).moved.as_deref(),
        Some("helm changed the template")
    );
    assert!(matches!(shown(&model).stage, Stage::Gathering { .. }));

    let (mut model, job) = sent();
    assert_eq!(progress(&mut model, job, refused(false)), []);
    assert!(
        matches!(&shown(&model).stage, Stage::Refused { failure } if failure.sentence.contains("helm"))
    );

    let (mut model, job) = sent();
    keys(&mut model, "\x1b");
    assert_eq!(progress(&mut model, job, refused(true)), []);
    assert!(model.notice.unwrap().text.contains("nothing was written"));
}

/// checkout with a note of ours on it, and the revision it went back to.
pub fn noted(seconds_ago: i64) -> Model {
    let mut model = start();
    let mut workload = stalled("checkout");
    workload.uid = "w".into();
    put(&mut model, std::slice::from_ref(&workload));
    keys(&mut model, "\n");
    let of_revisions = |s: &&SourceId| matches!(s.feed, Feed::RevisionsOf { .. });
    let source = model.watched.iter().find(of_revisions).unwrap().clone();
    let revision = fixture::revision(Kind::Deployment, 42, "new", fixture::IMAGE);
    let revision = Change::Put(Item::Revision(Box::new(revision)));
    news(&mut model, source, vec![Update::Change(revision)]);
    workload.action = Some(Box::new(ActionNote {
        at: fixture::ago(seconds_ago),
        ..note()
    }));
    put(&mut model, &[workload]);
    model
}

fn note() -> ActionNote {
    ActionNote {
        id: "a1b2".into(),
        verb: "rollback".into(),
        from: "checkout-bad".into(),
        from_version: "2.16.0".into(),
        to: canonical_hash("{}").unwrap(),
        by: "oncall@bastion".into(),
        at: fixture::now(),
        replicas: None,
    }
}

#[test]
fn an_action_of_an_earlier_session_is_taken_up_with_its_box_closed() {
    let mut model = noted(60);
    let [following] = model.follows.as_slice() else {
        panic!("{:?}", model.follows)
    };
    assert!(following.resumed && !following.open);
    assert_eq!(following.goal.id, "a1b2");
    // Its end was said in this session: the same note begins nothing again.
    model.follows.clear();
    model.ended.insert("a1b2".into());
    let id = fixture::id(Kind::Deployment);
    super::super::follow::resume(&mut model, &id);
    assert_eq!(model.follows, []);
}

#[test]
fn the_box_of_what_is_under_way_opens_by_a_key_that_is_shown() {
    let mut model = noted(60);
    let hinted = |model: &Model| words::hints(model).iter().any(|h| h.key == "f");
    for screens in [1, 0] {
        assert_eq!(model.screens.len(), screens);
        assert!(hinted(&model));
        keys(&mut model, "f");
        assert!(model.follows[0].open && !hinted(&model));
        keys(&mut model, "\x1b");
        assert!(!model.follows[0].open && hinted(&model));
        keys(&mut model, "\x1b");
    }
    model.follows.clear();
    assert!(!hinted(&model));
    keys(&mut model, "f");
    assert_eq!(model.notice.unwrap().text, "nothing is under way");
}

#[test]
fn the_service_under_the_cursor_opens_its_own_box() {
    let mut model = noted(60);
    let mut other = model.follows[0].clone();
    other.goal.workload.name = "cart".into();
    model.follows.push(other);
    keys(&mut model, "f");
    assert!(model.follows[0].open && !model.follows[1].open);
}

#[test]
fn arming_lasts_ten_minutes_from_the_last_key() {
    let mut model = fleet();
    keys(&mut model, "!");
    let tick = |model: &mut Model, seconds| {
        let at = fixture::now() + SignedDuration::from_secs(seconds);
        update(model, Event::Ticked(at));
        model.arming.is_some()
    };
    assert!(tick(&mut model, 599));
    keys(&mut model, "j");
    assert!(tick(&mut model, 1198));
    assert!(!tick(&mut model, 1199));
    keys(&mut model, "j");
    assert!(model.arming.is_none(), "no key but its own arms");
}

#[test]
fn an_accepted_write_is_followed_and_its_end_recorded_once() {
    let mut model = planned(Level::Guarded, false);
    answer_all(&mut model);
    let effects = keys(&mut model, "y");
    let Some(Effect::Execute { job, .. }) =
        effects.iter().find(|e| matches!(e, Effect::Execute { .. }))
    else {
        panic!("{effects:?}")
    };
    let (job, at) = (*job, model.now);
    update(
        &mut model,
        Event::Progressed {
            job,
            progress: Progress::Sent { step: 0 },
        },
    );
    let accepted = Progress::Accepted {
        step: 0,
        at,
        generation: Some(8),
    };
    update(
        &mut model,
        Event::Progressed {
            job,
            progress: accepted,
        },
    );
    update(
        &mut model,
        Event::Progressed {
            job,
            progress: Progress::Done { at },
        },
    );
    assert!(model.overlay.is_none() && model.follows[0].open && model.executions.is_empty());
    keys(&mut model, "\x1b");
    assert!(!model.follows[0].open && matches!(model.follows[0].state, Follow::Pending(_)));
    let mut other = sample::workload("2.15.0");
    other.uid = "another".into();
    let effects = put(&mut model, &[other]);
    let records = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|e| matches!(e, Effect::RecordOutcome { .. }))
            .count()
    };
    let notified = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|e| matches!(e, Effect::Notify { .. }))
            .count()
    };
    assert_eq!((records(&effects), notified(&effects)), (1, 1), "once");
    let effects = update(&mut model, Event::Ticked(fixture::now()));
    assert_eq!((records(&effects), notified(&effects)), (0, 0));
}

#[test]
fn the_next_action_on_the_object_ends_the_one_before_also_when_its_news_comes_first() {
    let (mut model, job) = sent();
    let goal = model.executions[0].plan.goal.clone();
    let next = goal.id.clone();
    let mut workload = model.fleet.workload(&goal.workload).unwrap().clone();
    model.follows.push(Following {
        goal: Goal {
            id: "before".into(),
            ..goal
        },
        state: Follow::Pending(Vec::new()),
        open: false,
        resumed: false,
    });
    workload.action = Some(Box::new(ActionNote {
        id: next.clone(),
        ..note()
    }));
    let effects = put(&mut model, &[workload]);
    assert!(effects.is_empty(), "{effects:?}");
    assert!(matches!(model.follows[0].state, Follow::Pending(_)));
    let accepted = Progress::Accepted {
        step: 0,
        at: model.now,
        generation: Some(8),
    };
    progress(&mut model, job, accepted);
    let ids = model.follows.iter().map(|f| f.goal.id.clone());
    assert_eq!(ids.collect::<Vec<_>>(), [next]);
}

#[test]
fn a_later_step_says_what_it_waits_for_and_does_not_deny_the_steps_before_it() {
    let (mut model, job) = sent();
    let waits = Progress::Waiting {
        step: 1,
        why: "db-2, made anew, is not ready yet".into(),
    };
    progress(&mut model, job, waits);
    let waiting = |model: &Model| match &shown(model).stage {
        Stage::Executing { step, waiting, .. } => (*step, waiting.clone()),
        other => panic!("{other:?}"),
    };
    let (step, why) = waiting(&model);
    assert_eq!((step, why.is_some()), (1, true));
    progress(&mut model, job, Progress::Sent { step: 1 });
    assert_eq!(waiting(&model), (1, None));
    model.overlay = None;
    let refused = Progress::Refused {
        step: 1,
        why: Failure::new(FailureKind::Failed, "Pod db-1 was not deleted."),
        moved: false,
    };
    progress(&mut model, job, refused);
    let notice = model.notice.as_ref().map(|notice| notice.text.as_str());
    assert_eq!(notice, Some("Pod db-1 was not deleted."));
}
