//! What a canary measures: asked for now and then while its screen is open, where the settings say who measures it.

use super::*;
use crate::app::event::JobId;
use crate::app::model::CanaryMeasuring;
use crate::domain::canary;
use crate::domain::measured::{Measured, SideTold, Sides, Told, Verdict as Judged, side};

const SERVER: &str = "[{url: 'http://metrics.test'}]";

fn cart(change: impl FnOnce(&mut canary::Canary)) -> Workload {
    let mut cart = fixture::workload(Kind::Rollout);
    let mut canary = canary::sample();
    change(&mut canary);
    cart.canary = Some(Box::new(canary));
    cart
}

fn show(model: &mut Model, cart: Workload) {
    let put = Update::Change(Change::Put(Item::Workload(Box::new(cart))));
    news(model, source(Kind::Rollout, None), vec![put]);
}

fn opened(prometheus: &str) -> Model {
    let config = Config {
        prometheus: serde_yaml::from_str(prometheus).unwrap(),
        ..Config::default()
    };
    let mut model = model_with(&config, None).0;
    show(&mut model, cart(|_| {}));
    keys(&mut model, "\n");
    model
}

fn tick(model: &mut Model) -> Option<(JobId, Sides)> {
    let now = model.now + SignedDuration::from_secs(1);
    let effects = update(model, Event::Ticked(now));
    effects.into_iter().find_map(|effect| match effect {
        Effect::MeasureCanary { job, sides, .. } => Some((job, *sides)),
        _ => None,
    })
}

fn measuring(model: &Model) -> &CanaryMeasuring {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    &screen.canary
}

fn tell(model: &mut Model, job: JobId, errors: u64) {
    let outcome = Ok(Box::new(Told {
        canary: side(12_000, Ok(errors), Ok(1)),
        stable: side(12_000, Ok(0), Ok(1)),
    }));
    update(model, Event::CanaryMeasured { job, outcome });
}

#[test]
fn it_is_asked_every_fifteen_seconds_while_somebody_looks() {
    let mut model = opened(SERVER);
    let (job, sides) = tick(&mut model).unwrap();
    assert_eq!(
        [sides.canary.hash, sides.stable.hash].map(Option::unwrap),
        ["new".into(), "old".into()]
    );
    tell(&mut model, job, 41_000);
    let rule = model
        .measuring(&fixture::workload(Kind::Rollout).id)
        .unwrap();
    let judged = measuring(&model).measured.judge(&rule);
    assert!(matches!(judged, Judged::Worse(_)), "{judged:?}");
    assert_eq!((0..60).filter_map(|_| tick(&mut model)).count(), 4);
    tell(&mut model, job, 0);
    assert_eq!(
        measuring(&model).measured.judge(&rule),
        judged,
        "an old answer"
    );
    keys(&mut model, "l");
    let unseen = (0..60).filter_map(|_| tick(&mut model)).count();
    assert_eq!(unseen, 0, "nobody looks");
}

#[test]
fn nobody_is_asked_without_a_server_or_without_two_sides() {
    for elsewhere in ["[]", "[{url: 'http://metrics.test', environments: [prod]}]"] {
        let mut model = opened(elsewhere);
        assert_eq!((0..60).filter_map(|_| tick(&mut model)).count(), 0);
    }
    let mut model = opened(SERVER);
    show(
        &mut model,
        cart(|canary| canary.stable = canary.current.clone()),
    );
    assert_eq!((0..60).filter_map(|_| tick(&mut model)).count(), 0);
}

#[test]
fn another_canary_is_asked_at_once_and_has_none_of_the_values() {
    let mut model = opened(SERVER);
    let (job, _) = tick(&mut model).unwrap();
    tell(&mut model, job, 41_000);
    show(&mut model, cart(|canary| canary.current = "newer".into()));
    let (_, sides) = tick(&mut model).unwrap();
    assert_eq!(sides.canary.hash.as_deref(), Some("newer"));
    assert_eq!(measuring(&model).measured, Measured::default());
    tell(&mut model, job, 41_000);
    assert_eq!(
        measuring(&model).measured,
        Measured::default(),
        "of the other"
    );
}

#[test]
fn what_cannot_be_asked_says_why() {
    let mut model = opened(SERVER);
    let (job, _) = tick(&mut model).unwrap();
    let failure = crate::domain::Failure::new(crate::domain::FailureKind::Unreachable, "no way");
    let outcome = Err(failure);
    update(&mut model, Event::CanaryMeasured { job, outcome });
    let mut want = Measured::default();
    let nothing = || SideTold::nothing("no way");
    let told = Told {
        canary: nothing(),
        stable: nothing(),
    };
    want.learn(told, model.now);
    assert_eq!(measuring(&model).measured, want);
}
