//! A canary that waits for a person, one that was aborted by its analysis, and both on the board.

use jiff::SignedDuration;
use rolldeck::app::effect::Effect;
use rolldeck::app::event::Event;
use rolldeck::app::{Model, settle, update};
use rolldeck::domain::canary::{
    Analysis, Canary, Metric, Pair, Pause, PausedBy, Provider, Reported, Step, Verdict,
};
use rolldeck::domain::measured::{Curve, SideTold, Told};
use rolldeck::domain::{Change, Feed, Item, Kind, Update};

use super::cells::{drawn, text};
use super::night::{
    DAY, HOUR, MINUTE, Recipe, Service, ago, feed, model, night, now, press, source,
};
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
        stable_in: None,
        flagger: None,
        pair: None,
        restart: None,
        rollback_window: 0,
    };
    service.workload.canary = Some(Box::new(canary));
    service
}

/// One pod of the canary beside four of another Deployment.
fn pair() -> [Service; 2] {
    let mut canary = Recipe::steady("checkout-next", &["2.15.0"], 1, 22 * MINUTE).make();
    canary.workload.canary = Some(Box::new(Canary {
        stable_in: Some("checkout".into()),
        pair: Some(Box::new(Pair {
            service: "checkout".into(),
            serve: Some((1, 4)),
            by_endpoints: true,
            route: None,
        })),
        ..Canary::by_pods(Provider::Pair, PausedBy::Step, (1, 5))
    }));
    let stable = Recipe::steady("checkout", &["2.14.0", "2.14.1"], 4, DAY).make();
    [canary, stable]
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

/// Where the settings name a server, its answers about the first of these in this order, the last one now.
fn measured(services: &[Service], (width, height): (u16, u16), answers: &[Told]) -> Model {
    let mut model = model(services, width, height);
    let server = "[{url: 'https://metrics.example/prometheus'}]";
    model.settings.prometheus = serde_yaml::from_str(server).unwrap();
    press(&mut model, &["enter"]);
    for (at, told) in answers.iter().enumerate() {
        let before = i64::try_from(answers.len() - 1 - at).unwrap();
        let effects = update(&mut model, Event::Ticked(ago(before * MINUTE)));
        let job = effects.iter().find_map(|effect| match effect {
            Effect::MeasureCanary { job, .. } => Some(*job),
            _ => None,
        });
        let (job, outcome) = (job.unwrap(), Ok(Box::new(told.clone())));
        update(&mut model, Event::CanaryMeasured { job, outcome });
    }
    update(&mut model, Event::Ticked(now()));
    settle(&mut model);
    model
}

/// A side of so many requests a second; errors in millionths and p99 in milliseconds, the newest last.
fn side(rate: u64, errors: [u64; 8], p99: [u64; 8]) -> SideTold {
    let curve = |points: [u64; 8], unit: u64| Curve {
        now: points[7] * unit,
        points: points.map(|point| Some(point * unit)).into(),
    };
    SideTold {
        requests: Ok(rate * 1000),
        errors: Ok(curve(errors, 1)),
        p99: Ok(curve(p99, 1000)),
    }
}

fn stable() -> SideTold {
    let errors = [2_000, 1_800, 2_100, 1_900, 2_000, 2_200, 1_900, 2_000];
    side(48, errors, [200, 210, 205, 215, 208, 212, 209, 210])
}

fn bad() -> Told {
    let errors = [0, 0, 1_000, 6_000, 15_000, 28_000, 36_000, 41_000];
    Told {
        canary: side(12, errors, [190, 210, 230, 240, 245, 250, 255, 260]),
        stable: stable(),
    }
}

#[test]
fn service_measured_as_worse() {
    check("service_measured", |w, h| {
        measured(&[cart()], (w, h), &[bad()])
    });
}

#[test]
fn service_measured_in_ascii() {
    let mut model = measured(&[cart()], (80, 24), &[bad()]);
    model.settings.display.ascii = true;
    let shown = text(&drawn(&model));
    assert!(shown.is_ascii(), "{shown}");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("service_measured_ascii", shown);
    });
}

/// Its stable side is another Deployment.
#[test]
fn service_of_a_pair_measured_as_worse() {
    check("service_measured_pair", |w, h| {
        measured(&pair(), (w, h), &[bad()])
    });
}

/// Pods of two old revisions are beside the new one.
#[test]
fn service_whose_sides_nothing_tells_apart() {
    check("service_not_compared", |w, h| {
        let mut web =
            Recipe::rolling("web", &["3.0.9", "3.1.0", "3.2.0"], 6, (2, 2, 3), HOUR).make();
        web.workload.paused = true;
        let oldest = &mut web.revisions[0];
        (oldest.desired, oldest.ready, oldest.available) = (1, 1, 1);
        web.workload.counts.total += 1;
        let half_way = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (2, 6));
        web.workload.canary = Some(Box::new(half_way));
        measured(&[web], (w, h), &[])
    });
}

#[test]
fn service_with_too_little_traffic() {
    let few = SideTold {
        requests: Ok(200),
        errors: Ok(Curve {
            now: 0,
            points: [None, None, None, None, None, None, Some(0), Some(0)].into(),
        }),
        p99: Err("the query gives NaN".into()),
    };
    check("service_few_requests", |w, h| {
        let told = Told {
            canary: few.clone(),
            stable: stable(),
        };
        measured(&[cart()], (w, h), &[told])
    });
}

/// What it measured before stays, and is called old.
#[test]
fn service_whose_metrics_went_away() {
    check("service_unmeasured", |w, h| {
        let nothing = || SideTold::nothing("metrics.example: no answer within 10s");
        let away = Told {
            canary: nothing(),
            stable: nothing(),
        };
        measured(&[cart()], (w, h), &[bad(), away.clone(), away])
    });
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
