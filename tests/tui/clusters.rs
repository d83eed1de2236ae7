//! Two clusters on one board, one of them dead.

use rolldeck::app::settle;
use rolldeck::app::update::update;
use rolldeck::app::{Event, Model};
use rolldeck::config::{Config, Namespaces};
use rolldeck::domain::source::Feed;
use rolldeck::domain::{
    Color, Connection, Environment, Failure, FailureKind, Identity, Item, Kind, Level, PinnedBy,
};

use super::night::{
    CLUSTER, DAY, HOUR, NAMESPACE, Recipe, Service, ago, listing, news, night, now, press, source,
};
use super::snapshots::check;

const STAGING: &str = "staging-eu";

fn environments() -> Vec<Environment> {
    let environment = |name: &str, cluster: &str, protection, color| Environment {
        name: name.into(),
        cluster: cluster.into(),
        namespaces: vec![NAMESPACE.into()],
        protection,
        color: Some(color),
        pin: rolldeck::domain::Pin::Tag,
    };
    vec![
        environment("staging", STAGING, Level::Open, Color::Cyan),
        environment("prod", CLUSTER, Level::Protected, Color::Red),
    ]
}

fn in_staging() -> Vec<Service> {
    let services = [
        Recipe::steady("checkout", &["2.15.0", "2.16.0"], 2, HOUR).make(),
        Recipe::steady("auth", &["7.0.2", "7.1.0"], 2, DAY).make(),
    ];
    let moved = |mut service: Service| {
        service.workload.id.cluster = STAGING.into();
        service
    };
    services.into_iter().map(moved).collect()
}

fn two(width: u16, height: u16, environments: Vec<Environment>) -> Model {
    let config = Config {
        contexts: vec![STAGING.into(), CLUSTER.into()],
        namespaces: if environments.is_empty() {
            Namespaces::Named(vec![NAMESPACE.into()])
        } else {
            Namespaces::OfEnvironments
        },
        environments,
        ..Config::default()
    };
    let (mut model, _) = Model::new(&config, now(), width, height);
    for cluster in [STAGING, CLUSTER] {
        let identity = Identity {
            server: "https://10.0.0.1:6443".into(),
            version: "v1.36.3".into(),
            pinned: PinnedBy::KubeSystem(cluster.into()),
            user: Some("oncall".into()),
            namespace: Some(NAMESPACE.into()),
        };
        connection(&mut model, cluster, Connection::Connected(identity));
    }
    for (source, updates) in news(&night()) {
        fed(&mut model, source, updates);
    }
    let workloads = in_staging();
    for kind in Kind::ALL {
        let here = workloads.iter().filter(|s| s.workload.id.kind == kind);
        let items = here.map(|s| Item::Workload(Box::new(s.workload.clone())));
        let mut of = source(Feed::Workloads(kind));
        of.cluster = STAGING.into();
        let (of, updates) = listing(of, items.collect());
        fed(&mut model, of, updates);
    }
    settle(&mut model);
    model
}

fn fed(
    model: &mut Model,
    source: rolldeck::domain::SourceId,
    updates: Vec<rolldeck::domain::Update>,
) {
    let epoch = model.cluster(&source.cluster).unwrap().epoch;
    let event = Event::Fed {
        source,
        epoch,
        at: ago(48),
        updates,
    };
    update(model, event);
}

fn connection(model: &mut Model, cluster: &str, state: Connection) {
    let cluster = cluster.into();
    update(model, Event::Connection { cluster, state });
}

fn with_one_dead(width: u16, height: u16, environments: Vec<Environment>) -> Model {
    let mut model = two(width, height, environments);
    let state = Connection::Failed {
        failure: Failure::new(FailureKind::Unreachable, "connection reset"),
        since: ago(48),
        next: ago(-4),
    };
    connection(&mut model, STAGING, state);
    settle(&mut model);
    model
}

#[test]
fn one_of_two_environments_is_dead() {
    check("two_clusters", |w, h| with_one_dead(w, h, environments()));
}

#[test]
fn one_of_two_clusters_without_environments_is_dead() {
    check("two_contexts", |w, h| with_one_dead(w, h, Vec::new()));
}

#[test]
fn none_of_two_clusters_answers() {
    check("two_dead", |w, h| {
        let config = Config {
            contexts: vec![STAGING.into(), CLUSTER.into()],
            ..Config::default()
        };
        let (mut model, _) = Model::new(&config, now(), w, h);
        let state = Connection::Failed {
            failure: Failure::new(FailureKind::Unreachable, "connection refused")
                .hint("is a VPN needed?"),
            since: ago(7),
            next: ago(-2),
        };
        connection(&mut model, STAGING, state);
        model
    });
}

#[test]
fn contexts_to_choose_from() {
    check("contexts", |w, h| {
        let mut model = with_one_dead(w, h, environments());
        press(&mut model, &[":", "c", "t", "x", "enter"]);
        let job = rolldeck::app::event::JobId(model.next_job);
        let names = ["dev", CLUSTER, STAGING].map(ToOwned::to_owned).into();
        let listed = Event::NamesListed {
            job,
            outcome: Ok(names),
        };
        update(&mut model, listed);
        model
    });
}
