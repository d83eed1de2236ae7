//! A canary that waits for a person, one that was aborted by its analysis, and both on the board.

use jiff::SignedDuration;
use rolldeck::app::{Model, settle};
use rolldeck::domain::canary::{
    Analysis, Canary, Metric, Pause, PausedBy, Provider, Reported, Step, Verdict,
};
use rolldeck::domain::{Change, Feed, Item, Kind, Update};

use super::night::{MINUTE, Recipe, Service, ago, feed, model, night, press, source};
use super::snapshots::check;

/// Two of ten pods run 1.10.0.
fn cart() -> Service {
    let recipe = Recipe {
        kind: Kind::Rollout,
        ..Recipe::rolling(
            "cart",
            &["1.9.2", "1.9.3", "1.10.0"],
            10,
            (2, 2, 8),
            22 * MINUTE,
        )
    };
    let mut service = recipe.make();
    let hash = |back: usize| service.revisions[2 - back].pod_hash.clone();
    let canary = Canary {
        provider: Provider::ArgoRollouts,
        reported: Reported::Paused,
        message: "CanaryPauseStep".into(),
        stable: hash(1),
        current: hash(0),
        set: 20,
        routed: None,
        whole: 100,
        step: 1,
        steps: [
            Step::Weight(20),
            Step::Pause(None),
            Step::Weight(60),
            Step::Pause(Some(SignedDuration::from_mins(10))),
            Step::Weight(100),
        ]
        .into(),
        pause: Some(Pause {
            by: PausedBy::Step,
            since: Some(ago(21 * MINUTE)),
            until: None,
        }),
        aborted: false,
        aborted_at: None,
        abort_is_written: false,
        promoted_fully: false,
        analyses: [].into(),
        template_of: None,
        restart: None,
        rollback_window: 0,
    };
    service.workload.canary = Some(Box::new(canary));
    service
}

fn aborted() -> Service {
    let mut service = cart();
    (service.revisions[2].desired, service.revisions[2].ready) = (0, 0);
    service.revisions[2].available = 0;
    let old = &mut service.revisions[1];
    (old.desired, old.ready, old.available) = (10, 10, 10);
    let canary = service.workload.canary.as_mut().unwrap();
    canary.aborted = true;
    canary.reported = Reported::Degraded;
    (canary.set, canary.step, canary.pause) = (0, 0, None);
    canary.message = "RolloutAborted: Rollout aborted update to revision 40: Step-based analysis phase error/failed: \
        Metric \"success-rate\" assessed Failed due to failed (2) > failureLimit (1)"
        .into();
    service
}

fn on_its_screen(service: &Service, width: u16, height: u16) -> Model {
    let mut model = model(std::slice::from_ref(service), width, height);
    press(&mut model, &["enter"]);
    settle(&mut model);
    model
}

fn judged(model: &mut Model, service: &Service) {
    let metric = Metric {
        name: "success-rate".into(),
        verdict: Verdict::Failed,
        value: "0.93".into(),
        limit: "result >= 0.95".into(),
        samples: 3,
        failed: 2,
    };
    let run = Analysis {
        name: "cart-66f7f4c9bd-40-2".into(),
        verdict: Verdict::Failed,
        message: "Metric \"success-rate\" assessed Failed due to failed (2) > failureLimit (1)"
            .into(),
        created: Some(ago(2 * MINUTE)),
        metrics: [metric].into(),
    };
    let of = service.workload.id.clone();
    let hash = service.workload.canary.as_ref().unwrap().current.clone();
    let run = Item::Analysis {
        of: of.clone(),
        uid: "a1".into(),
        run: Box::new(run),
    };
    let source = source(Feed::AnalysesOf { workload: of, hash });
    feed(model, source, vec![Update::Change(Change::Put(run))]);
    settle(model);
}

#[test]
fn board() {
    check("board_canary", |w, h| {
        let mut services = night();
        services.push(cart());
        model(&services, w, h)
    });
}

#[test]
fn service() {
    check("service_canary", |w, h| on_its_screen(&cart(), w, h));
}

#[test]
fn service_of_an_aborted_one() {
    check("service_aborted", |w, h| {
        let service = aborted();
        let mut model = on_its_screen(&service, w, h);
        judged(&mut model, &service);
        model
    });
}
