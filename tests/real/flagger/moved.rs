//! A canary that goes on between the plan and the write: the write's own test refuses it.

use rolldeck::plan::{Progress, Target, Verb};

use crate::action::Way;
use crate::support::flagger::{self, Web};

#[test]
fn a_write_for_another_phase_is_refused_by_its_own_test() {
    let plane = flagger::plane();
    let namespace = plane.namespace("went-on");
    let web = Web::run(plane, &namespace, &["confirm-promotion"], 1);
    let way = Way::new(&plane.owner("went-on", Some(&namespace)), &web.service);
    web.set_image("2.15.0");
    web.wait_phase("WaitingPromotion");
    let shown = way.watched.id(&web.service);
    way.watched.wait("the new template", |fleet| {
        let workload = fleet.workload(&shown)?;
        let new = web.service.image("2.15.0");
        (*workload.containers[0].image == *new).then_some(())
    });
    let request = way.asks(Verb::Abort, Target::Proposed);
    let plan = way.plan(&request).unwrap();
    let verdicts = way.checks(&plan, false);
    // A phase that is over does not come back.
    web.open(true);
    web.wait("past its gate", |status| {
        status["phase"] != "WaitingPromotion"
    });
    let progress = way.execute(&plan, verdicts);
    let Some(Progress::Refused { why, moved, .. }) = progress.last() else {
        panic!("it was written: {progress:?}");
    };
    let begins = "Nothing was written: deploy/web went on: its Canary says ";
    assert!(why.sentence.starts_with(begins), "{}", why.sentence);
    assert!(moved);
    web.wait_phase("Succeeded");
    assert!(web.primary().ends_with("2.15.0"));
}
