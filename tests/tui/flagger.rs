//! Targets of Flagger on the board beside what serves in their place: at rest, at a gate, failed; and one on its screen.

use rolldeck::app::{Model, settle};
use rolldeck::domain::canary::flagger::{Flagger, Gate, Holds, Phase};
use rolldeck::domain::canary::{
    Analysis, Canary, Metric, Pause, PausedBy, Provider, Reported, Step, Verdict,
};
use rolldeck::domain::{Counts, Feed, Manager};

use super::night::{DAY, MINUTE, Recipe, Service, ago, feed, model, news, press};
use super::snapshots::check;

/// What serves in place of a target.
fn primary(name: &'static str, of: &str, versions: &'static [&'static str]) -> Service {
    let mut service = Recipe::steady(name, versions, 3, DAY).make();
    service.workload.manager = Some(Manager::Flagger(of.into()));
    service
}

fn target(name: &'static str, phase: Phase, versions: &'static [&'static str]) -> Service {
    let mut service = Recipe::steady(name, versions, 3, 4 * MINUTE).make();
    let runs = phase.is_under_way();
    if !runs {
        (service.workload.desired, service.workload.counts) = (0, Counts::default());
        for revision in &mut service.revisions {
            (revision.desired, revision.ready, revision.available) = (0, 0, 0);
        }
    }
    service.workload.canary = Some(Box::new(canary(name, phase)));
    service
}

/// At the last of three checks, one of which failed.
fn canary(name: &str, phase: Phase) -> Canary {
    let gate = phase == Phase::WaitingPromotion;
    let (failed, verdict, value) = match phase {
        Phase::Failed => (0, Verdict::Failed, "94.20"),
        _ => (1, Verdict::Running, ""),
    };
    let metric = Metric {
        name: "success-rate".into(),
        verdict,
        value: value.into(),
        limit: ">= 99".into(),
        samples: 0,
        failed: 0,
    };
    let judged = (phase != Phase::Succeeded).then(|| Analysis {
        name: name.into(),
        verdict,
        message: "".into(),
        created: None,
        metrics: [metric].into(),
    });
    Canary {
        provider: Provider::Flagger,
        reported: Reported::Paused,
        message: "".into(),
        stable: "5d8f9c".into(),
        current: "77c01d".into(),
        set: 0,
        routed: None,
        whole: 100,
        step: 2,
        steps: [Step::Check, Step::Check, Step::Check].into(),
        pause: gate.then_some(Pause {
            by: PausedBy::Gate,
            since: Some(ago(2 * MINUTE)),
            until: None,
        }),
        aborted: phase == Phase::Failed,
        aborted_at: (phase == Phase::Failed).then(|| ago(3 * MINUTE)),
        abort_is_written: false,
        promoted_fully: false,
        analyses: judged.into_iter().collect(),
        template_of: None,
        restart: None,
        rollback_window: 0,
        stable_in: Some(format!("{name}-primary").into()),
        pair: None,
        flagger: Some(Box::new(Flagger {
            name: name.into(),
            uid: "c1".into(),
            phase,
            failed,
            threshold: 5,
            began: phase.is_under_way().then(|| ago(4 * MINUTE)),
            interval: 30,
            weighted: false,
            matched: false,
            weighed: None,
            gates: [Gate {
                holds: Holds::Promotion,
                name: "release-manager".into(),
                url: "https://gate.shop.example/web".into(),
            }]
            .into(),
            suspend: None,
            skip_analysis: None,
        })),
    }
}

fn services() -> Vec<Service> {
    vec![
        target("mailer", Phase::Succeeded, &["1.1.7", "1.1.8"]),
        primary("mailer-primary", "mailer", &["1.1.7", "1.1.8"]),
        target("pay", Phase::Failed, &["4.0.2", "4.1.0"]),
        primary("pay-primary", "pay", &["4.0.2"]),
        target("web", Phase::WaitingPromotion, &["2.14.1", "2.15.0"]),
        primary("web-primary", "web", &["2.14.0", "2.14.1"]),
    ]
}

fn on_its_screen(phase: Phase, width: u16, height: u16) -> Model {
    let served: &'static [&'static str] = match phase {
        Phase::Succeeded => &["2.14.1", "2.15.0"],
        _ => &["2.14.0", "2.14.1"],
    };
    let mut primary = primary("web-primary", "web", served);
    for (tag, node) in [
        ("8xk2p", "node-03"),
        ("m4c7d", "node-07"),
        ("t9q5w", "node-12"),
    ] {
        primary.pod(tag, 0, node, DAY);
    }
    let one = [target("web", phase, &["2.14.1", "2.15.0"]), primary];
    let mut model = model(&one, width, height);
    press(&mut model, &["g", "enter"]);
    // Pods are watched once somebody looks.
    for (source, updates) in news(&one) {
        if matches!(source.feed, Feed::PodsOf { .. }) {
            feed(&mut model, source, updates);
        }
    }
    settle(&mut model);
    model
}

#[test]
fn board() {
    check("board_flagger", |w, h| model(&services(), w, h));
}

#[test]
fn service_at_its_gate() {
    check("service_flagger", |w, h| {
        on_its_screen(Phase::WaitingPromotion, w, h)
    });
}

#[test]
fn service_that_failed() {
    check("service_flagger_failed", |w, h| {
        on_its_screen(Phase::Failed, w, h)
    });
}

#[test]
fn service_at_rest() {
    check("service_flagger_at_rest", |w, h| {
        on_its_screen(Phase::Succeeded, w, h)
    });
}
