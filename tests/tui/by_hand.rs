//! Canaries that a person moves, on the board, on their screens and in plans: a pair by its pods and by its route, a partition, and a Deployment paused half-way.

use rolldeck::app::model::Overlay;
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model, settle};
use rolldeck::domain::canary::{Canary, PausedBy, Provider};
use rolldeck::domain::pair::Service as Sends;
use rolldeck::domain::pair::route::{Annotated, Backend, Route, RouteKind};
use rolldeck::domain::{
    Change, Container, Feed, Item, Kind, Labels, Level, Phase, Strategy, Update, Verbatim,
};
use rolldeck::plan::{
    Autoscaling, Beside, CheckId, Evidence, Finding, FreshRevision, Keeper, Request, Stamp,
};
use serde_json::{Value, json};

use super::night::{
    CLUSTER, HOUR, MINUTE, NAMESPACE, Recipe, Service, feed, model, night, now, press, source,
};
use super::plans::says;
use super::snapshots::check;

const STABLE: &str = "search";
const CANARY: &str = "search-canary";
const OLD: &str = "7.3.0";
const NEW: &str = "7.4.0";

/// What tells the two apart beside their names.
fn track(mut service: Service, track: &str) -> Service {
    service.workload.selector = format!("app={STABLE},track={track}").into();
    let of = |containers: &mut Box<[Container]>| {
        for container in containers {
            container.name = STABLE.into();
            container.image = container.image.replace(CANARY, STABLE).into();
        }
    };
    of(&mut service.workload.containers);
    for revision in &mut service.revisions {
        of(&mut revision.containers);
    }
    service
}

/// Eight pods of the stable one, two of the canary.
fn pair() -> Vec<Service> {
    let stable = Recipe::steady(STABLE, &["7.2.1", OLD], 8, 9 * HOUR).make();
    let canary = Recipe::steady(CANARY, &[OLD, NEW], 2, 22 * MINUTE).make();
    vec![track(stable, "stable"), track(canary, "canary")]
}

fn sends(name: &str, selector: &[(&str, &str)]) -> Item {
    Item::Service(Box::new(Sends {
        cluster: CLUSTER.into(),
        namespace: NAMESPACE.into(),
        name: name.into(),
        uid: format!("s-{name}").as_str().into(),
        selector: Labels::new(selector.iter().copied()),
    }))
}

fn put(model: &mut Model, of: Feed, items: Vec<Item>) {
    let source = source(of);
    let puts = items
        .into_iter()
        .map(|item| Update::Change(Change::Put(item)));
    let mut updates: Vec<_> = puts.collect();
    updates.push(Update::Change(Change::Synced(source.clone())));
    feed(model, source, updates);
    settle(model);
}

/// Both behind one Service, of which one pod of the canary is no endpoint yet.
fn shared(model: &mut Model) {
    put(
        model,
        Feed::Services,
        vec![sends(STABLE, &[("app", STABLE)])],
    );
    let workload = model
        .fleet
        .workloads()
        .find(|one| *one.id.name == *CANARY)
        .map(|one| one.id.clone());
    let workload = workload.unwrap();
    let slice = Item::Endpoints {
        of: workload.clone(),
        uid: "e1".into(),
        ready: (1, 8),
    };
    let service = STABLE.into();
    put(model, Feed::EndpointsOf { workload, service }, vec![slice]);
}

fn backend(service: &str, weight: u32) -> Backend {
    Backend {
        service: service.into(),
        weight: Some(weight),
    }
}

fn http_route() -> Route {
    let rule = |weight| [backend(STABLE, 100 - weight), backend(CANARY, weight)].into();
    Route {
        cluster: CLUSTER.into(),
        namespace: NAMESPACE.into(),
        name: STABLE.into(),
        uid: "r1".into(),
        kind: RouteKind::HttpRoute,
        owner: None,
        manager: None,
        rules: [rule(20)].into(),
        accepted: true,
        annotated: None,
    }
}

/// One that nginx takes, with a header beside its weight.
fn ingress() -> Route {
    Route {
        name: CANARY.into(),
        kind: RouteKind::Ingress,
        rules: [[backend(CANARY, 1)].into()].into(),
        accepted: false,
        annotated: Some(Annotated {
            weight: Some("20".into()),
            whole: 100,
            also: Some("header x-canary".into()),
        }),
        ..http_route()
    }
}

/// Each behind a Service of its own, and this before both.
fn routed(model: &mut Model, route: Route) {
    let of = |name, track| sends(name, &[("app", STABLE), ("track", track)]);
    let services = vec![of(STABLE, "stable"), of(CANARY, "canary")];
    put(model, Feed::Services, services);
    let kind = route.kind;
    put(
        model,
        Feed::Routes(kind),
        vec![Item::Route(Box::new(route))],
    );
}

/// The last two of six pods are new.
fn database() -> Service {
    let recipe = Recipe {
        kind: Kind::StatefulSet,
        ..Recipe::rolling("ledger-db", &["3.1.0", "3.2.0"], 6, (2, 2, 4), 3 * HOUR)
    };
    let mut service = recipe.make();
    let workload = &mut service.workload;
    (workload.conditions, workload.deadline_seconds) = ([].into(), None);
    workload.revision = None;
    workload.strategy = Strategy::Rolling {
        max_unavailable: None,
        max_surge: None,
        partition: 4,
        ordered: true,
    };
    let names: Vec<_> = service.revisions.iter().map(|r| r.name.clone()).collect();
    workload.current_revision = Some(names[0].clone());
    workload.update_revision = Some(names[1].clone());
    let by_pods = Canary::by_pods(Provider::Partition, PausedBy::Step, (2, 6));
    workload.canary = Some(Box::new(Canary {
        stable: names[0].clone(),
        current: names[1].clone(),
        ..by_pods
    }));
    for revision in &mut service.revisions {
        revision.pod_hash = revision.name.clone();
        (revision.desired, revision.ready, revision.available) = (0, 0, 0);
    }
    for ordinal in 0..6 {
        let back = usize::from(ordinal < 4);
        let owner = service.workload.uid.clone();
        let node = format!("node-0{}", ordinal + 1);
        let pod = service.pod(&ordinal.to_string(), back, &node, 3 * HOUR);
        (pod.name, pod.owner) = (format!("ledger-db-{ordinal}").into(), owner);
    }
    service
}

/// Three of its seven pods are new, one of them not ready.
fn half_way() -> Service {
    let versions = &["5.0.1", "5.1.0"];
    let mut service = Recipe::rolling("quotes", versions, 6, (3, 2, 4), 40 * MINUTE).make();
    let workload = &mut service.workload;
    workload.paused = true;
    let by_pods = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (3, 7));
    workload.canary = Some(Box::new(by_pods));
    service
}

fn template(name: &str, version: &str) -> Value {
    let image = format!("registry.example/shop/{name}:{version}");
    json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": image}]}})
}

fn verbatim(name: &str, version: &str) -> Verbatim {
    Verbatim(template(name, version).to_string().into())
}

/// What would be read afresh: the same as is shown.
fn evidence(model: &Model, request: Request) -> Evidence {
    let workload = model.fleet.workload(&request.workload).unwrap().clone();
    let serving = workload.canary.as_ref().and_then(|canary| canary.beside());
    let mut all = model.fleet.workloads();
    let serving = serving
        .and_then(|name| all.find(|one| *one.id.name == *name))
        .cloned();
    let name = workload.containers[0].name.to_string();
    let tag = |containers: &[Container]| {
        let image = &containers[0].image;
        image.rsplit(':').next().unwrap_or_default().to_owned()
    };
    let fresh = |revision: &rolldeck::domain::Revision| FreshRevision {
        template: verbatim(&name, &tag(&revision.containers)),
        revision: revision.clone(),
    };
    let pods = model.fleet.pods(&workload).into_iter().cloned();
    Evidence {
        holds: Vec::new(),
        request,
        stamp: Stamp {
            id: "r1".into(),
            by: "oncall@bastion".into(),
            at: now(),
        },
        level: Level::Guarded,
        template: verbatim(&name, &tag(&workload.containers)),
        has_annotations: true,
        helm: rolldeck::plan::Helm::default(),
        presence: None,
        unjudged: None,
        stable_of: None,
        measured: None,
        noted: None,
        turned: None,
        revisions: model.fleet.revisions(&workload).iter().map(fresh).collect(),
        pods: pods.collect(),
        autoscaling: Autoscaling::None,
        pinned: rolldeck::plan::Pinned::No,
        origin: None,
        phase: Phase::Canary,
        repository: None,
        job: None,
        hold_for: 3600,
        keeper: Keeper::None,
        beside: serving.as_ref().map(|_| Beside {
            template: verbatim(STABLE, OLD),
            has_annotations: true,
            keeper: Keeper::None,
            route_keeper: Keeper::None,
            autoscaling: Autoscaling::None,
        }),
        serving,
        has_beside: None,
        past: Vec::new(),
        ready_for: 30,
        read_at: now(),
        workload,
    }
}

/// After these keys and the reads that they ask for.
fn planned(mut model: Model, keys: &[&str]) -> Model {
    let asked = press(&mut model, keys);
    let gather = asked.into_iter().find_map(|effect| match effect {
        Effect::Gather { job, request } => Some((job, request)),
        _ => None,
    });
    let (job, request) = gather.expect("it reads");
    let outcome = Ok(Box::new(evidence(&model, request)));
    update(&mut model, Event::Gathered { job, outcome });
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("a plan is open");
    };
    let job = shown.job;
    for (check, sentence) in [
        (CheckId::Permission, "you may patch what is written"),
        (CheckId::Unchanged, "unchanged since you looked"),
        (CheckId::DryRun, "the server accepts it (dry run)"),
    ] {
        let verdict = says(check, Finding::Ok, sentence);
        update(&mut model, Event::Checked { job, verdict });
    }
    settle(&mut model);
    model
}

fn by_pods(width: u16, height: u16) -> Model {
    let mut model = model(&pair(), width, height);
    shared(&mut model);
    model
}

fn by_route(width: u16, height: u16, route: Route) -> Model {
    let mut model = model(&pair(), width, height);
    routed(&mut model, route);
    model
}

fn opened(mut model: Model) -> Model {
    press(&mut model, &["g", "enter"]);
    settle(&mut model);
    model
}

#[test]
fn board_of_those_that_a_person_moves() {
    check("by_hand_board", |w, h| {
        let mut services = night();
        services.retain(|service| *service.workload.id.name != *STABLE);
        services.extend(pair());
        services.extend([database(), half_way()]);
        let mut model = model(&services, w, h);
        shared(&mut model);
        model
    });
}

#[test]
fn service_of_a_pair() {
    check("by_hand_pair", |w, h| opened(by_pods(w, h)));
}

#[test]
fn service_of_a_pair_with_a_route() {
    check("by_hand_route", |w, h| opened(by_route(w, h, http_route())));
}

#[test]
fn service_of_a_pair_with_an_ingress() {
    check("by_hand_ingress", |w, h| opened(by_route(w, h, ingress())));
}

#[test]
fn service_with_a_partition() {
    check("by_hand_partition", |w, h| {
        opened(model(&[database()], w, h))
    });
}

#[test]
fn service_paused_half_way() {
    check("by_hand_paused", |w, h| opened(model(&[half_way()], w, h)));
}

#[test]
fn plan_that_promotes_a_pair() {
    check("by_hand_plan_pair", |w, h| {
        planned(by_pods(w, h), &["g", "P"])
    });
}

#[test]
fn plan_that_sets_the_weight_of_a_route() {
    check("by_hand_plan_route", |w, h| {
        let keys = [
            "g", ":", "w", "e", "i", "g", "h", "t", "space", "4", "0", "enter",
        ];
        planned(by_route(w, h, http_route()), &keys)
    });
}

#[test]
fn plan_that_promotes_past_a_header() {
    check("by_hand_plan_ingress", |w, h| {
        planned(by_route(w, h, ingress()), &["g", "P"])
    });
}

#[test]
fn plan_that_lowers_a_partition() {
    check("by_hand_plan_partition", |w, h| {
        planned(model(&[database()], w, h), &["P"])
    });
}

#[test]
fn plan_that_goes_back_from_half_way() {
    check("by_hand_plan_paused", |w, h| {
        planned(model(&[half_way()], w, h), &["A"])
    });
}
