//! Marks on the board, and one plan of rows for them.

use super::*;
use crate::app::event::JobId;
use crate::app::model::BatchBox;
use crate::domain::Failure;
use crate::plan::batch::State;
use crate::plan::{Answers, Request};

const NAMES: [&str; 5] = ["auth", "billing", "cart", "search", "zebra"];

fn workload_named(name: &str) -> Workload {
    let mut workload = sample::workload("2.15.0");
    workload.id.name = name.into();
    workload.uid = format!("uid-{name}").as_str().into();
    workload
}

fn board(level: Level) -> Model {
    let environment = Environment {
        name: "prod".into(),
        cluster: "prod-eu".into(),
        namespaces: vec!["shop".into()],
        protection: level,
        color: None,
        pin: crate::domain::Pin::Tag,
    };
    let config = Config {
        environments: vec![environment],
        at_once: 2,
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    put(&mut model, &NAMES.map(workload_named));
    model
}

/// All five are marked.
fn marked(level: Level) -> Model {
    let mut model = board(level);
    keys(&mut model, "g j j j j ");
    assert_eq!(model.board.marks.len(), 5);
    model
}

fn batch(model: &Model) -> &BatchBox {
    model.batch.as_deref().unwrap()
}

fn gathers(effects: &[Effect]) -> Vec<(JobId, Request)> {
    let gather = |effect: &Effect| match effect {
        Effect::Gather { job, request } => Some((*job, request.clone())),
        _ => None,
    };
    effects.iter().filter_map(gather).collect()
}

fn executed(effects: &[Effect]) -> Vec<(JobId, String, Answers)> {
    let execute = |effect: &Effect| match effect {
        Effect::Execute {
            job, plan, answers, ..
        } => Some((*job, plan.workload.name.to_string(), answers.clone())),
        _ => None,
    };
    effects.iter().filter_map(execute).collect()
}

/// The reads of this request come in.
fn gathered(model: &mut Model, job: JobId, request: &Request) -> Vec<Effect> {
    let mut evidence = sample::evidence();
    evidence.workload = workload_named(&request.workload.name);
    evidence.request = request.clone();
    evidence.level = model.level(&request.workload);
    evidence.stamp.id = format!("id-{}", request.workload.name);
    let revisions = evidence.revisions.iter_mut();
    revisions.for_each(|fresh| fresh.revision.owner = evidence.workload.uid.clone());
    let outcome = Ok(Box::new(evidence));
    update(model, Event::Gathered { job, outcome })
}

/// Everything that is asked is answered, until nothing more is; `blocks` has a check that does.
fn answered(model: &mut Model, effects: &[Effect], blocks: &str) {
    let mut asked = gathers(effects);
    while let Some((job, request)) = asked.pop() {
        let effects = gathered(model, job, &request);
        let checks: Vec<_> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Preflight { job, plan } => Some((*job, plan.clone())),
                _ => None,
            })
            .collect();
        for (job, plan) in checks {
            for check in &plan.checks {
                let CheckState::Asking(_) = check.state else {
                    continue;
                };
                let blocked = check.id == CheckId::DryRun && *plan.workload.name == *blocks;
                let verdict = Verdict {
                    check: check.id,
                    finding: if blocked { Finding::Block } else { Finding::Ok },
                    sentence: "said".into(),
                };
                asked.extend(gathers(&update(model, Event::Checked { job, verdict })));
            }
        }
    }
}

/// All planned and checked.
fn planned(level: Level, blocks: &str) -> Model {
    let mut model = marked(level);
    let effects = keys(&mut model, "r");
    assert!(model.overlay == Some(Overlay::Batch));
    answered(&mut model, &effects, blocks);
    model
}

fn accept(model: &mut Model, job: JobId) {
    let at = model.now;
    let accepted = Progress::Accepted {
        step: 0,
        at,
        generation: Some(8),
    };
    update(
        model,
        Event::Progressed {
            job,
            progress: accepted,
        },
    );
    update(
        model,
        Event::Progressed {
            job,
            progress: Progress::Done { at },
        },
    );
}

/// Why those that were confirmed never began, as the record is told.
fn noted(effects: &[Effect]) -> Vec<String> {
    let note = |effect: &Effect| match effect {
        Effect::RecordNotBegun { why, answers, .. } => answers.confirmed.then(|| why.clone()),
        _ => None,
    };
    effects.iter().filter_map(note).collect()
}

/// The end of its action, as the feeds would tell it.
fn end(model: &mut Model, name: &str, good: bool) -> Vec<Effect> {
    super::super::batch::ended(model, &format!("id-{name}"), "words", good);
    model.follows.retain(|f| *f.goal.workload.name != *name);
    update(model, Event::Ticked(model.now))
}

fn states(model: &Model) -> Vec<State> {
    batch(model).run.as_ref().unwrap().rows().to_vec()
}

#[test]
fn space_marks_and_esc_clears() {
    let mut model = board(Level::Guarded);
    keys(&mut model, " j ");
    assert_eq!(model.board.marks.len(), 2);
    keys(&mut model, " ");
    assert_eq!(model.board.marks.len(), 1, "once more and it is not");
    keys(&mut model, "/auth\n\x1b");
    assert!(model.board.marks.is_empty());
    assert_eq!(model.board.filter.value(), "auth", "the marks go first");
}

#[test]
fn a_mark_goes_with_its_object_and_that_is_said() {
    let mut model = board(Level::Guarded);
    keys(&mut model, "g ");
    let mut again = workload_named("auth");
    again.uid = "another".into();
    put(&mut model, &[again]);
    assert!(model.board.marks.is_empty());
    let said = &model.notice.as_ref().unwrap().text;
    assert_eq!(said, "deploy/auth is gone: it is no longer marked");
}

#[test]
fn a_few_are_read_at_a_time() {
    let mut model = marked(Level::Guarded);
    let effects = keys(&mut model, "r");
    let asked = gathers(&effects);
    assert_eq!(asked.len(), 4);
    // The next is read once one of them has its plan and its answers.
    let failure = Failure::new(crate::domain::FailureKind::Failed, "no");
    let (job, outcome) = (asked[0].0, Err(failure));
    let effects = update(&mut model, Event::Gathered { job, outcome });
    assert_eq!(gathers(&effects).len(), 1);
}

#[test]
fn a_row_that_blocks_is_left_out_by_a_key_and_never_by_itself() {
    let mut model = planned(Level::Guarded, "cart");
    assert_eq!(executed(&keys(&mut model, "y")), []);
    let said = batch(&model).said.clone().unwrap();
    assert!(said.contains("cart") && said.contains("space"), "{said}");
    let at = batch(&model)
        .rows
        .iter()
        .position(|row| *row.shown.workload.name == *"cart");
    keys(&mut model, &"j".repeat(at.unwrap()));
    keys(&mut model, " ");
    let sent = executed(&keys(&mut model, "y"));
    assert_eq!(sent.len(), 2, "two at a time");
    assert_eq!(&*batch(&model).left_out[0].name, "cart");
    assert_eq!(states(&model).len(), 4);
}

#[test]
fn nothing_begins_after_a_failure_and_every_row_says_how_it_stands() {
    let mut model = planned(Level::Guarded, "");
    let sent = executed(&keys(&mut model, "y"));
    let names: Vec<_> = sent.iter().map(|(_, name, _)| name.clone()).collect();
    for (job, ..) in &sent {
        accept(&mut model, *job);
    }
    assert!(model.follows.iter().all(|f| !f.open), "one box for all");
    let next = executed(&end(&mut model, &names[0], true));
    assert_eq!(next.len(), 1);
    accept(&mut model, next[0].0);
    let effects = end(&mut model, &next[0].1, false);
    assert_eq!(executed(&effects), []);
    let why = format!("not begun, because {} failed", next[0].1);
    assert_eq!(noted(&effects), [why.clone(), why], "they are on record");
    let effects = end(&mut model, &names[1], true);
    assert_eq!((executed(&effects).len(), noted(&effects).len()), (0, 0));
    let states = states(&model);
    let count = |is: fn(&State) -> bool| states.iter().filter(|state| is(state)).count();
    assert_eq!(count(|s| matches!(s, State::Done(_))), 2);
    assert_eq!(count(|s| matches!(s, State::Failed(_))), 1);
    assert_eq!(count(|s| matches!(s, State::Untouched(_))), 2);
    keys(&mut model, "\x1b");
    assert!(model.batch.is_none() && model.board.marks.is_empty());
}

#[test]
fn a_refused_write_stops_the_others_too() {
    let mut model = planned(Level::Guarded, "");
    let sent = executed(&keys(&mut model, "y"));
    let why = Failure::new(crate::domain::FailureKind::Refused, "moved");
    let progress = Progress::Refused {
        step: 0,
        why,
        moved: true,
    };
    let job = sent[0].0;
    let effects = update(&mut model, Event::Progressed { job, progress });
    assert_eq!((executed(&effects).len(), gathers(&effects).len()), (0, 0));
    assert_eq!(states(&model)[0], State::Failed("moved".into()));
    accept(&mut model, sent[1].0);
    end(&mut model, &sent[1].1, true);
    assert!(batch(&model).run.as_ref().unwrap().is_over());
}

#[test]
fn closed_it_goes_on_and_a_key_brings_it_back_or_stops_it() {
    let mut model = planned(Level::Guarded, "");
    let sent = executed(&keys(&mut model, "y"));
    keys(&mut model, "\x1b");
    assert_eq!(model.overlay, None);
    for (job, ..) in &sent {
        accept(&mut model, *job);
    }
    assert_eq!(executed(&end(&mut model, &sent[0].1, true)).len(), 1);
    keys(&mut model, "f");
    assert_eq!(model.overlay, Some(Overlay::Batch));
    assert_eq!(noted(&keys(&mut model, "X")).len(), 2);
    assert_eq!(executed(&end(&mut model, &sent[1].1, true)), []);
    let untouched = State::Untouched("not begun, because you stopped it".into());
    assert_eq!(
        states(&model).iter().filter(|s| **s == untouched).count(),
        2
    );
}

#[test]
fn a_protected_environment_wants_the_number_typed() {
    let mut model = planned(Level::Protected, "");
    assert_eq!(executed(&keys(&mut model, "y")), []);
    assert!(batch(&model).said.as_deref().unwrap().contains("off"));
    assert_eq!(executed(&keys(&mut model, "!y4\n")), []);
    assert!(batch(&model).run.is_none());
    let sent = executed(&keys(&mut model, "\x1by5\n"));
    assert_eq!(sent.len(), 2);
    assert!(
        sent.iter()
            .all(|(_, _, answers)| answers.several == Some(5))
    );
}

#[test]
fn scaling_several_asks_once_and_binds_each_to_its_own_number() {
    let mut model = marked(Level::Guarded);
    assert_eq!(gathers(&keys(&mut model, "s")), []);
    let asked = gathers(&keys(&mut model, "9\n"));
    assert_eq!(asked.len(), 4);
    for (_, request) in asked {
        assert_eq!(request.target, Target::Replicas { shown: 6, to: 9 });
    }
}

#[test]
fn the_plan_of_a_row_opens_and_closes() {
    let mut model = planned(Level::Open, "");
    assert_eq!(executed(&keys(&mut model, "\n")), [], "enter looks");
    assert!(batch(&model).detail);
    keys(&mut model, "\x1b");
    assert!(!batch(&model).detail && model.overlay == Some(Overlay::Batch));
    keys(&mut model, "\x1b");
    assert!(model.batch.is_none() && model.overlay.is_none());
    assert_eq!(model.board.marks.len(), 5, "nothing was done: they stay");
}
