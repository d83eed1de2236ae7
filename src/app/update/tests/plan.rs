//! A plan from the key to the gate: the answers, the levels, and what moves meanwhile.

use super::*;

/// `R` on checkout at a level, with the reads answered.
pub fn planned(level: Level, readonly: bool) -> Model {
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
        readonly,
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    put(&mut model, &[sample::workload("2.15.0")]);
    let effects = keys(&mut model, "R");
    let Some(Effect::Gather { job, request }) =
        effects.iter().find(|e| matches!(e, Effect::Gather { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(request.target, Target::Proposed);
    let mut evidence = sample::evidence();
    (evidence.level, evidence.request) = (level, request.clone());
    let outcome = Ok(Box::new(evidence));
    let effects = update(&mut model, Event::Gathered { job: *job, outcome });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::Preflight { .. })),
        "{effects:?}"
    );
    model
}

pub fn answer(model: &mut Model, check: CheckId, finding: Finding) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("no plan")
    };
    let verdict = Verdict {
        check,
        finding,
        sentence: "it moved".into(),
    };
    let job = shown.job;
    update(model, Event::Checked { job, verdict })
}

pub fn answer_all(model: &mut Model) {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("no plan")
    };
    let Stage::Shown { plan, .. } = &shown.stage else {
        panic!("{shown:?}")
    };
    let asking = plan
        .checks
        .iter()
        .filter(|c| matches!(c.state, CheckState::Asking(_)));
    for check in asking.map(|c| c.id).collect::<Vec<_>>() {
        answer(model, check, Finding::Ok);
    }
}

fn executes(effects: &[Effect]) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Execute { .. }))
}

pub fn said(model: &Model) -> String {
    match &model.overlay {
        Some(Overlay::Plan(shown)) => shown.said.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

#[test]
fn a_guarded_plan_takes_y_after_the_must_checks_and_drops_an_early_one() {
    let mut model = planned(Level::Guarded, false);
    assert!(!executes(&keys(&mut model, "y")));
    assert!(said(&model).contains("dropped"), "{}", said(&model));
    answer_all(&mut model);
    assert!(
        !executes(&keys(&mut model, "\n")),
        "enter is not the key of a guarded plan"
    );
    assert!(executes(&keys(&mut model, "y")));
    assert!(!executes(&keys(&mut model, "y")), "once");
}

#[test]
fn an_open_plan_takes_enter_and_a_protected_one_arming_and_the_name() {
    let mut model = planned(Level::Open, false);
    answer_all(&mut model);
    assert!(executes(&keys(&mut model, "\n")));

    let mut model = planned(Level::Protected, false);
    answer_all(&mut model);
    assert!(!executes(&keys(&mut model, "y")));
    assert!(said(&model).contains("writes are off"));
    assert!(!executes(&keys(&mut model, "!ycheckou\n")));
    assert!(said(&model).contains("name"));
    assert!(executes(&keys(&mut model, "t\n")));
}

#[test]
fn arming_ends_by_itself() {
    let mut model = fleet();
    keys(&mut model, "!");
    assert!(model.arming.is_some());
    let later = fixture::now() + SignedDuration::from_secs(601);
    update(&mut model, Event::Ticked(later));
    assert_eq!(model.arming, None);
}

#[test]
fn a_block_needs_a_reason_and_a_final_one_takes_none() {
    let mut model = planned(Level::Guarded, false);
    answer(&mut model, CheckId::Permission, Finding::Ok);
    answer(&mut model, CheckId::Unchanged, Finding::Ok);
    answer(&mut model, CheckId::DryRun, Finding::Block);
    assert!(!executes(&keys(&mut model, "y")));
    assert!(executes(&keys(
        &mut model,
        "Othe quota is full of stuck pods\ny"
    )));

    let mut model = planned(Level::Guarded, false);
    answer(&mut model, CheckId::Permission, Finding::Block);
    assert!(!executes(&keys(&mut model, "Oy")));
}

#[test]
fn readonly_shows_the_plan_and_sends_nothing() {
    let mut model = planned(Level::Open, true);
    answer_all(&mut model);
    assert!(!executes(&keys(&mut model, "\ny!y")));
}

#[test]
fn what_moved_is_read_again_and_shown_once_by_itself() {
    let mut model = planned(Level::Guarded, false);
    let effects = answer(&mut model, CheckId::Unchanged, Finding::Block);
    assert!(
        effects.iter().any(|e| matches!(e, Effect::Gather { .. })),
        "{effects:?}"
    );
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!()
    };
    assert_eq!(shown.moved.as_deref(), Some("it moved"));
    let effects = keys(&mut model, "\x1b");
    assert!(matches!(effects.as_slice(), [Effect::Cancel { .. }]) && model.overlay.is_none());
}
