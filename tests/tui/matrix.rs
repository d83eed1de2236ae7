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

use rolldeck::app::model::Overlay;
use rolldeck::domain::Presence;
use rolldeck::plan::image::{Asked, ImageAct, ImageCopy, of_target};
use rolldeck::plan::{CheckId, Finding, ImagePlan, Offer, OfferId, Plan, Stamp, Verb};

use super::cells::{drawn, text};
use super::night::{
    CLUSTER, DAY, HOUR, MINUTE, Recipe, Service, ago, listing, model as board_of, night, now, press,
};
use super::plans::{asked, says, with_plan};
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
    matrix_of(width, height, environments, |_| {})
}

/// With more services.
fn matrix_of(
    width: u16,
    height: u16,
    environments: &[Environment],
    add: impl Fn(&mut Vec<Service>),
) -> Model {
    let config = Config {
        contexts: vec![STAGING.into(), CLUSTER.into()],
        namespaces: Namespaces::OfEnvironments,
        environments: environments.to_vec(),
        ..Config::default()
    };
    let (mut model, _) = Model::new(&config, now(), width, height);
    let mut all = services(environments);
    add(&mut all);
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

/// In two namespaces of one environment, of which one has another version and is in trouble.
#[test]
fn a_service_that_runs_twice_in_one_environment() {
    check("matrix_twice", |w, h| {
        let mut places = three();
        places[2].namespaces.push("shop-us".into());
        let mut model = matrix_of(w, h, &places, |all| {
            let mut again = |name: &'static str, version: &'static [&'static str]| {
                let place = environment("prod-us", CLUSTER, "shop-us");
                let recipe = Recipe::steady(name, version, 2, DAY);
                all.push(in_place(recipe.make(), &place));
            };
            again("auth", &["7.0.2"]);
            again("catalog", &["2.14.0"]);
        });
        press(&mut model, &["l", "l", "j", "j", "j"]);
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

/// Of 2.15.0, which runs in staging; `more` changes it before it is shown.
fn promotion(width: u16, height: u16, more: impl Fn(&mut Plan)) -> Model {
    with_plan(width, height, |mut plan, shown| {
        plan.request.verb = Verb::PromoteImage;
        shown.request.verb = Verb::PromoteImage;
        plan.arrow = (
            "2.14.1 (rev 38, 77c01d)".into(),
            "2.15.0, a new revision".into(),
        );
        plan.rule = String::new();
        plan.differences.truncate(1);
        plan.differences[0].text = "registry.example/shop/checkout  2.14.1 → 2.15.0@9f2c41".into();
        let told = [
            (
                CheckId::Origin,
                Finding::Ok,
                "9f2c41 (checkout) is what staging runs",
            ),
            (
                CheckId::Soak,
                Finding::Warn,
                "staging runs it for 12m: 30m are asked for, 4 of 4 pods ready, no restarts",
            ),
            (
                CheckId::Settings,
                Finding::Warn,
                "prod does not set PAYMENT_URL, as staging does; staging has what prod has not: key timeout of ConfigMap checkout-settings",
            ),
            (
                CheckId::Commits,
                Finding::Ok,
                "brings 2 commits: a1b9e3c new checkout flow and 03fe21d round prices",
            ),
            (
                CheckId::Owner,
                Finding::Ok,
                "nothing on the object says that anybody else owns the template",
            ),
        ];
        let told = told.map(|(check, finding, words)| says(check, finding, words).into());
        plan.checks = told.into();
        more(&mut plan);
        shown.stage = asked(plan, Vec::new());
    })
}

#[test]
fn a_promotion_and_what_is_known_of_where_it_comes_from() {
    check("matrix_promotion", |w, h| promotion(w, h, |_| {}));
}

/// From another registry, which has it; the one that is pulled from has not.
fn lacking(width: u16, height: u16) -> Model {
    promotion(width, height, |plan| {
        let words = "prod pulls from registry.example/shop/checkout and staging from staging.example/shop/checkout: where it is not there yet, rolldeck copy-image deploy/checkout registry.example/shop/checkout --context staging-eu -n shop comes first";
        plan.checks
            .retain(|check| ![CheckId::Settings, CheckId::Origin].contains(&check.id));
        plan.checks
            .push(says(CheckId::Origin, Finding::Warn, words).into());
        let words = "registry.example/shop/checkout:2.15.0@sha256:9f2c41 is not in its registry, which has other tags of it";
        plan.checks
            .push(says(CheckId::Image, Finding::Block, words).into());
        let words = "copies 9f2c41 to registry.example/shop/checkout";
        let mut offer = Offer::new(OfferId::CopyImage, 'i', words, Vec::new());
        offer.copies = Some(Box::new(Asked::Copy {
            from: format!("staging.example/shop/checkout@{DIGEST}"),
            to: "registry.example/shop/checkout:2.15.0".into(),
        }));
        plan.offers.push(offer);
    })
}

const DIGEST: &str = "sha256:9f2c41aa07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0";

#[test]
fn what_the_next_registry_lacks_is_offered_to_be_copied() {
    check("promotion_lacks_image", lacking);
    check("promotion_copy", |w, h| {
        let mut model = lacking(w, h);
        press(&mut model, &["i"]);
        let Some(Overlay::Image(shown)) = model.overlay.clone() else {
            panic!("{:?}", model.overlay)
        };
        let found = Presence::Missing;
        let to = "registry.example/shop/checkout:2.15.0";
        let plan = ImagePlan {
            stamp: Stamp {
                id: "r2".into(),
                by: "oncall@bastion".into(),
                at: now(),
            },
            workload: shown.ask.workload.clone(),
            uid: shown.ask.uid.clone(),
            level: shown.ask.level,
            act: ImageAct::Copy(ImageCopy {
                from: format!("staging.example/shop/checkout@{DIGEST}"),
                digest: DIGEST.into(),
                to: to.into(),
            }),
            checks: vec![of_target(to, &found, Some(DIGEST))],
        };
        let (job, outcome) = (shown.job, Ok(Box::new(plan)));
        update(&mut model, Event::ImagePlanned { job, outcome });
        model
    });
}
