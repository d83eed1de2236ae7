//! What pods use: asked for now and then while the service is open, and no more once it is refused.

use super::logs::{pod, pods};
use super::service::opened;
use super::*;
use crate::app::event::JobId;
use crate::app::model::Measuring;
use crate::domain::usage::Amount;
use crate::domain::{Failure, FailureKind, Usage};

fn tick(model: &mut Model) -> Option<JobId> {
    let now = model.now + SignedDuration::from_secs(1);
    let effects = update(model, Event::Ticked(now));
    effects.iter().find_map(|effect| match effect {
        Effect::Measure { job, .. } => Some(*job),
        _ => None,
    })
}

fn measuring(model: &Model) -> &Measuring {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    &screen.usage
}

#[test]
fn it_is_asked_for_every_twenty_seconds_while_the_service_is_open() {
    let mut model = opened();
    assert_eq!(tick(&mut model), None, "no pod is known");
    pods(&mut model, &[pod("new", "a")]);
    let job = tick(&mut model).unwrap();
    let amount = Amount { cpu: 7, memory: 9 };
    let measured = Usage::from([("checkout-new-a".into(), [("web".into(), amount)].into())]);
    let outcome = Ok(measured.clone());
    update(&mut model, Event::Measured { job, outcome });
    assert_eq!(measuring(&model).known.value(), Some(&measured));
    let asked = (0..60).filter_map(|_| tick(&mut model)).count();
    assert_eq!(asked, 3);
    keys(&mut model, "l");
    assert_eq!(
        (0..60).filter_map(|_| tick(&mut model)).count(),
        0,
        "nobody looks"
    );
}

#[test]
fn nobody_asks_again_where_it_is_refused_and_what_fails_once_is_asked_again() {
    for (kind, asked) in [
        (FailureKind::NotFound, 0),
        (FailureKind::Denied, 0),
        (FailureKind::Unreachable, 3),
    ] {
        let mut model = opened();
        pods(&mut model, &[pod("new", "a")]);
        let job = tick(&mut model).unwrap();
        let outcome = Err(Failure::new(kind, "no"));
        update(&mut model, Event::Measured { job, outcome });
        let again = (0..60).filter_map(|_| tick(&mut model)).count();
        assert_eq!(again, asked, "{kind:?}");
    }
}
