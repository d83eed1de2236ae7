//! The matrix as a person sees it: three environments in two clusters, one of them dead, very many, and too few.

use rolldeck::app::event::DigestsTold;
use rolldeck::app::settle;
use rolldeck::app::update::update;
use rolldeck::app::{Event, Model};
use rolldeck::config::{Config, Namespaces};
use rolldeck::domain::matrix::Digests;
use rolldeck::domain::source::Feed;
use rolldeck::domain::{
    Color, Connection, Environment, Failure, FailureKind, Identity, Item, Level, PinnedBy,
    SourceId, Update,
};

use super::cells::{drawn, text};
use super::night::{
    CLUSTER, DAY, HOUR, MINUTE, Recipe, Service, ago, listing, model as board_of, night, now, press,
};
use super::snapshots::check;

const STAGING: &str = "staging-eu";

fn environment(name: &str, cluster: &str, namespace: &str) -> Environment {
    let (protection, color) = match name {
        "prod" => (Level::Protected, Some(Color::Red)),
        "staging" => (Level::Guarded, Some(Color::Cyan)),
        _ => (Level::Open, None),
    };
    Environment {
        name: name.into(),
        cluster: cluster.into(),
        namespaces: vec![namespace.into()],
        protection,
        color,
        pin: rolldeck::domain::Pin::Tag,
    }
}

fn three() -> Vec<Environment> {
    vec![
        environment("dev", STAGING, "dev"),
        environment("staging", STAGING, "shop"),
        environment("prod", CLUSTER, "shop"),
    ]
}

fn in_place(mut service: Service, place: &Environment) -> Service {
    let id = &mut service.workload.id;
    id.cluster = place.cluster.as_str().into();
    id.namespace = place.namespaces[0].as_str().into();
    service.workload.uid = format!("{}-{}", service.workload.uid.0, place.name)
        .as_str()
        .into();
    for revision in &mut service.revisions {
        revision.workload = service.workload.id.clone();
        revision.owner = service.workload.uid.clone();
        revision.uid = format!("{}-{}", revision.uid.0, place.name).as_str().into();
    }
    service
}

/// A service, what ran in each environment with the newest last, and how long ago that came.
type Ran = (&'static str, [(&'static [&'static str], i64); 3]);

#[rustfmt::skip]
const RAN: [Ran; 11] = [
    ("auth", [(&["7.0.2"], 3 * DAY), (&["7.0.2"], 2 * DAY), (&["7.0.2"], DAY)]),
    ("billing", [(&["5.5.0"], 9 * DAY), (&["5.5.0"], 9 * DAY), (&["5.5.0"], 8 * DAY)]),
    ("cart", [(&["1.9.3", "1.10.0"], HOUR), (&["1.9.3"], 12 * DAY), (&["1.9.3"], 11 * DAY)]),
    ("catalog", [(&["2.15.0"], 5 * HOUR), (&["2.15.0"], 4 * HOUR), (&["2.15.0"], 3 * HOUR)]),
    ("checkout", [(&["2.14.1", "2.15.0", "2.16.0"], 20 * MINUTE), (&["2.14.1", "2.15.0"], 2 * DAY), (&["2.13.0", "2.14.1"], 9 * DAY)]),
    ("inventory", [(&["0.31.2"], 6 * DAY), (&["0.31.2"], 5 * DAY), (&["0.31.2", "0.31.3"], 2 * HOUR)]),
    ("legacy-soap", [(&[], 0), (&[], 0), (&["1.0.4"], 41 * DAY)]),
    ("recommend", [(&["3.2.0"], DAY), (&["3.1.0"], 3 * DAY), (&["3.1.0"], 2 * DAY)]),
    ("search", [(&["4.4.0"], DAY), (&["4.4.0"], DAY), (&["4.4.0"], DAY)]),
    ("storefront", [(&["12.0.0"], 7 * DAY), (&[], 0), (&["12.0.0"], 6 * DAY)]),
    ("tax-and-duties-of-all-countries", [(&["1.4.0-rc.2+build.20261122"], DAY), (&["1.3.9"], 30 * DAY), (&["1.3.9"], 30 * DAY)]),
];

fn services(places: &[Environment]) -> Vec<Service> {
    let mut all = Vec::new();
    for (name, ran) in RAN {
        for (n, place) in places.iter().enumerate() {
            let (versions, changed) = ran[n.min(2)];
            if versions.is_empty() {
                continue;
            }
            let recipe = match (name, &*place.name) {
                ("checkout", "staging") => Recipe::rolling(name, versions, 4, (2, 1, 3), changed),
                _ => Recipe::steady(name, versions, 2, changed),
            };
            all.push(in_place(recipe.make(), place));
        }
    }
    all
}

fn fed(model: &mut Model, (source, updates): (SourceId, Vec<Update>)) {
    let epoch = model.cluster(&source.cluster).unwrap().epoch;
    let event = Event::Fed {
        source,
        epoch,
        at: ago(48),
        updates,
    };
    update(model, event);
}

fn connected(model: &mut Model, cluster: &str) {
    let identity = Identity {
        server: "https://10.0.0.1:6443".into(),
        version: "v1.36.3".into(),
        pinned: PinnedBy::KubeSystem(cluster.into()),
        user: Some("oncall".into()),
        namespace: None,
    };
    let (cluster, state) = (cluster.into(), Connection::Connected(identity));
    update(model, Event::Connection { cluster, state });
}

/// By name and version, but that search in prod is another build of the same tag.
fn digests(services: &[Service], cluster: &str) -> Digests {
    let its = services
        .iter()
        .filter(|s| *s.workload.id.cluster.0 == *cluster);
    let digest = |service: &Service| {
        let id = &service.workload.id;
        let image = &service.workload.containers[0].image;
        let odd = &*id.name == "search" && *id.cluster.0 == *CLUSTER;
        // The last letters tell images apart: they come first.
        let letters = image.bytes().rev();
        let hex: Vec<_> = letters
            .map(|letter| format!("{:02x}", letter ^ u8::from(odd)))
            .collect();
        let digest = format!("sha256:{}", hex.concat());
        (id.clone(), vec![(image.clone(), digest.into())])
    };
    its.map(digest).collect()
}

fn matrix(width: u16, height: u16, environments: &[Environment]) -> Model {
    let config = Config {
        contexts: vec![STAGING.into(), CLUSTER.into()],
        namespaces: Namespaces::OfEnvironments,
        environments: environments.to_vec(),
        ..Config::default()
    };
    let (mut model, _) = Model::new(&config, now(), width, height);
    let all = services(environments);
    for cluster in [STAGING, CLUSTER] {
        connected(&mut model, cluster);
    }
    // Revisions are asked for once everything else stands.
    for of_revisions in [false, true] {
        for source in model.watched.clone() {
            let its = all.iter().filter(|s| {
                let id = &s.workload.id;
                id.cluster == source.cluster && source.namespace.as_ref() == Some(&id.namespace)
            });
            let items: Vec<_> = match (&source.feed, of_revisions) {
                (Feed::Workloads(kind), false) => its
                    .filter(|s| s.workload.id.kind == *kind)
                    .map(|s| Item::Workload(Box::new(s.workload.clone())))
                    .collect(),
                (Feed::ReplicaSets, true) => its
                    .flat_map(|s| s.revisions.iter())
                    .map(|r| Item::Revision(Box::new(r.clone())))
                    .collect(),
                _ => continue,
            };
            fed(&mut model, listing(source, items));
        }
        settle(&mut model);
    }
    press(&mut model, &["m"]);
    let job = rolldeck::app::event::JobId(model.next_job);
    for cluster in [STAGING, CLUSTER] {
        let told = DigestsTold {
            job,
            cluster: cluster.into(),
            outcome: Ok(digests(&all, cluster)),
        };
        update(&mut model, Event::DigestsTold(Box::new(told)));
    }
    settle(&mut model);
    model
}

#[test]
fn three_environments() {
    check("matrix", |w, h| {
        let mut model = matrix(w, h, &three());
        press(&mut model, &["l", "l"]);
        model
    });
}

#[test]
fn one_of_two_clusters_is_dead_and_two_cells_are_marked() {
    check("matrix_one_dead", |w, h| {
        let mut model = matrix(w, h, &three());
        press(&mut model, &["l", "space", "j", "space"]);
        let state = Connection::Failed {
            failure: Failure::new(FailureKind::Unreachable, "connection reset"),
            since: ago(48),
            next: ago(-4),
        };
        let cluster = CLUSTER.into();
        update(&mut model, Event::Connection { cluster, state });
        settle(&mut model);
        model
    });
}

#[test]
fn very_many_environments_scroll_and_the_service_stays() {
    check("matrix_many", |w, h| {
        let mut places = three();
        for n in 1..=9 {
            places.push(environment(
                &format!("edge-{n}"),
                CLUSTER,
                &format!("edge-{n}"),
            ));
        }
        let mut model = matrix(w, h, &places);
        press(&mut model, &["l", "l", "l", "l", "l", "l"]);
        model
    });
}

#[test]
fn one_environment_says_what_to_configure() {
    let mut model = board_of(&night(), 80, 24);
    press(&mut model, &["m"]);
    let shown = text(&drawn(&model));
    assert!(
        shown.contains("There is one environment here: name what belongs together"),
        "{shown}"
    );
}
