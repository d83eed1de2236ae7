//! Images that are made from here: from the key to the work, its log, and what came of it.

use super::*;
use crate::app::event::JobId;
use crate::app::model::{About, ImageBox, ImageStage, TextKind};
use crate::config::FolderRule;
use crate::domain::image_work::ImageWork;
use crate::domain::{Failure, FailureKind};
use crate::plan::image::{Asked, Made, sample};
use crate::plan::{CheckId, Finding, ImagePlan, ImageProgress, Offer, OfferId, Verdict};

fn rules() -> Vec<FolderRule> {
    serde_yaml::from_str("[{folder: '/src/{service}'}]").unwrap()
}

fn with_folders(readonly: bool) -> Model {
    let config = Config {
        builds: rules(),
        readonly,
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    put(&mut model, &[steady("checkout")]);
    model
}

/// `B`, and the plan that is read.
fn planned(model: &mut Model, plan: ImagePlan) {
    let effects = keys(model, "B");
    let [Effect::PlanImage { job, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    let id = model.board.cursor.clone().unwrap().0;
    let outcome = Ok(Box::new(ImagePlan {
        workload: id,
        ..plan
    }));
    update(model, Event::ImagePlanned { job, outcome });
}

fn shown(model: &Model) -> &ImageBox {
    let Some(Overlay::Image(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    shown
}

/// Confirmed, and its job.
fn made(model: &mut Model) -> JobId {
    planned(model, sample::plan());
    let effects = keys(model, "y");
    let [Effect::MakeImage { job, answers, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(answers.confirmed);
    *job
}

fn log(model: &Model) -> Vec<String> {
    let Some(Screen::Text(text)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    assert!(matches!(text.kind, TextKind::Making(_)));
    text.document.value().unwrap().lines.clone()
}

fn progress(model: &mut Model, job: JobId, news: Vec<ImageProgress>) {
    update(model, Event::ImageProgressed { job, news });
}

#[test]
fn a_build_goes_on_behind_the_screen_and_ends_in_a_note() {
    let mut model = with_folders(false);
    let job = made(&mut model);
    assert_eq!(model.overlay, None);
    let said = |line: &str| ImageProgress::Told(ImageWork::Output(line.into()));
    progress(&mut model, job, vec![said("one"), said("two")]);
    assert_eq!(log(&model)[1..], ["  one", "  two"]);
    keys(&mut model, "q");
    assert!(model.screens.is_empty());
    progress(&mut model, job, vec![said("three")]);
    // The same key shows it again.
    assert_eq!(keys(&mut model, "B"), []);
    assert_eq!(log(&model)[3], "  three");
    assert_eq!(keys(&mut model, "X"), [Effect::StopImage { job }]);
    let end = ImageProgress::Made(Made {
        image: "r.example/shop/checkout:2.15".into(),
        digest: "sha256:ff".into(),
        pushed: true,
    });
    progress(&mut model, job, vec![end]);
    let words = "r.example/shop/checkout:2.15 is in its registry as sha256:ff; i sets it";
    assert_eq!(model.notice.as_ref().unwrap().text, words);
    assert_eq!(log(&model)[4], words);
    assert_eq!(keys(&mut model, "X"), [], "it has ended");
    keys(&mut model, "qi");
    let Some(Overlay::Plan(asked)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    let Stage::Asking(question) = &asked.stage else {
        panic!("{:?}", asked.stage)
    };
    let About::Image(picker) = &question.about else {
        panic!("{:?}", question.about)
    };
    assert_eq!(&*picker.rows[0], "r.example/shop/checkout:2.15@sha256:ff");
}

#[test]
fn what_is_not_known_is_said_and_not_sent_again() {
    let mut model = with_folders(false);
    let job = made(&mut model);
    let why = "no answer; its registry does not have it so far".into();
    progress(&mut model, job, vec![ImageProgress::Unknown(why)]);
    let notice = model.notice.clone().unwrap();
    assert!(
        notice.bad
            && notice
                .text
                .starts_with("nobody knows whether it was pushed")
    );
    keys(&mut model, "q");
    let effects = keys(&mut model, "B");
    assert!(
        matches!(effects[..], [Effect::PlanImage { .. }]),
        "a new plan: {effects:?}"
    );
}

#[test]
fn a_tag_that_is_there_wants_a_reason_and_read_only_sends_nothing() {
    let mut model = with_folders(false);
    let mut plan = sample::plan();
    plan.checks = vec![Verdict {
        check: CheckId::Image,
        finding: Finding::Block,
        sentence: "it is there already".into(),
    }];
    planned(&mut model, plan.clone());
    assert_eq!(keys(&mut model, "y"), []);
    let said = shown(&model).said.clone().unwrap();
    assert!(said.contains("O overrides it with a reason"), "{said}");
    keys(&mut model, "O");
    keys(&mut model, "\n");
    assert!(
        shown(&model)
            .said
            .as_ref()
            .unwrap()
            .contains("needs a reason")
    );
    keys(&mut model, "old\n");
    let effects = keys(&mut model, "y");
    let [Effect::MakeImage { answers, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(answers.override_reason.as_deref(), Some("old"));
    let mut model = with_folders(true);
    planned(&mut model, sample::plan());
    assert_eq!(keys(&mut model, "y"), []);
    assert!(
        shown(&model)
            .said
            .as_ref()
            .unwrap()
            .starts_with("read-only")
    );
}

#[test]
fn a_key_before_the_plan_is_dropped_and_a_refusal_is_shown() {
    let mut model = with_folders(false);
    let effects = keys(&mut model, "B");
    let [Effect::PlanImage { job, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(keys(&mut model, "y"), []);
    assert!(shown(&model).said.as_ref().unwrap().starts_with("not yet"));
    let why = Failure::new(FailureKind::Unreachable, "no Docker engine answers");
    let outcome = Err(why.clone());
    update(&mut model, Event::ImagePlanned { job, outcome });
    assert_eq!(shown(&model).stage, ImageStage::Refused(why));
    let began = model.now;
    assert_eq!(model.chain.engine().since(), Some(began));
    assert_eq!(keys(&mut model, "q"), [Effect::Cancel { job }]);
    assert_eq!(model.overlay, None);
    planned(&mut model, sample::plan());
    assert_eq!(model.chain.engine().since(), None, "it answers again");
}

#[test]
fn a_key_turns_from_the_server_to_the_folder_and_back() {
    let mut model = builds::with_job();
    model.settings.builds = rules();
    let effects = keys(&mut model, "B");
    let [Effect::ReadJob { job, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    let effects = keys(&mut model, "^o");
    let [Effect::Cancel { job: former }, Effect::PlanImage { .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(former, job);
    let effects = keys(&mut model, "^o");
    assert!(
        matches!(effects[..], [Effect::ReadJob { .. }]),
        "{effects:?}"
    );
}

#[test]
fn where_nothing_builds_it_one_sentence_says_what_to_write() {
    let (mut model, _) = model_with(&Config::default(), None);
    put(&mut model, &[steady("checkout")]);
    assert_eq!(keys(&mut model, "B"), []);
    let words = model.notice.unwrap().text;
    assert!(
        words.contains("jenkins:") && words.contains("builds:"),
        "{words}"
    );
}

/// The plan of a promotion whose image has to be copied first, as an offer says.
fn copying() -> Model {
    let mut model = with_folders(false);
    let effects = keys(&mut model, "r");
    let Some(Effect::Gather { job, request }) = effects.last() else {
        panic!("{effects:?}")
    };
    let mut evidence = crate::plan::verbs::rollback::sample::evidence();
    evidence.workload = model.fleet.workload(&request.workload).unwrap().clone();
    evidence.request = request.clone();
    let (job, outcome) = (*job, Ok(Box::new(evidence)));
    update(&mut model, Event::Gathered { job, outcome });
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        panic!("{:?}", model.overlay)
    };
    let Stage::Shown { plan, .. } = &mut shown.stage else {
        panic!("{:?}", shown.stage)
    };
    let mut offer = Offer::new(OfferId::CopyImage, 'i', "copies it", Vec::new());
    offer.copies = Some(Box::new(Asked::Copy {
        from: "staging.example/web@sha256:9f2c".into(),
        to: "prod.example/web:2.0".into(),
    }));
    plan.offers.push(offer);
    model
}

fn is_plan_again(model: &Model, effects: &[Effect]) -> bool {
    let gathers = |effect: &Effect| matches!(effect, Effect::Gather { .. });
    matches!(model.overlay, Some(Overlay::Plan(_))) && effects.iter().any(gathers)
}

#[test]
fn a_plan_leads_to_the_copy_that_it_needs_and_back_whatever_became_of_it() {
    let mut model = copying();
    let ask = |effects: &[Effect]| match effects.last() {
        Some(Effect::PlanImage { job, ask }) => (*job, ask.clone()),
        other => panic!("{other:?}"),
    };
    let (job, asked) = ask(&keys(&mut model, "i"));
    assert!(matches!(&asked.what, Asked::Copy { to, .. } if to == "prod.example/web:2.0"));
    assert_eq!(shown(&model).job, job);
    // Called off.
    let effects = keys(&mut model, "q");
    assert!(is_plan_again(&model, &effects), "{effects:?}");

    let mut model = copying();
    let (_, asked) = ask(&keys(&mut model, "i"));
    let (job, again) = ask(&keys(&mut model, "^r"));
    assert_eq!(asked, again, "read again it is the same that is asked for");
    keys(&mut model, "^o");
    assert!(
        shown(&model).back.is_some(),
        "there is no other way to copy it"
    );
    let outcome = Ok(Box::new(ImagePlan {
        workload: asked.workload.clone(),
        ..sample::plan()
    }));
    update(&mut model, Event::ImagePlanned { job, outcome });
    let effects = keys(&mut model, "y");
    let [Effect::MakeImage { job, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    let made = ImageProgress::Made(Made {
        image: "prod.example/web:2.0".into(),
        digest: "sha256:9f2c".into(),
        pushed: true,
    });
    progress(&mut model, *job, vec![made]);
    let last = log(&model).pop().unwrap();
    assert!(
        last.ends_with("goes back to the plan that needs it"),
        "{last}"
    );
    let effects = keys(&mut model, "q");
    assert!(is_plan_again(&model, &effects), "{effects:?}");
    // Once: later it is a log like any other.
    keys(&mut model, "q");
    assert_eq!(model.overlay, None);
}
