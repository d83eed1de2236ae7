//! Several clusters on one board: each alone in its failures, its scope, its clock and its rights.

use super::*;
use crate::app::answering::stale_since;
use crate::app::notes::notes;
use crate::domain::{ClusterId, Failure, FailureKind, WorkloadId};

fn environment(name: &str, cluster: &str, namespaces: &[&str], protection: Level) -> Environment {
    Environment {
        name: name.into(),
        cluster: cluster.into(),
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
        protection,
        color: None,
        pin: crate::domain::Pin::Tag,
    }
}

fn two() -> Config {
    Config {
        contexts: vec!["prod-eu".into(), "staging-eu".into()],
        namespaces: Namespaces::All,
        ..Config::default()
    }
}

fn tell(model: &mut Model, cluster: &str, state: Connection) -> Vec<Effect> {
    let cluster = ClusterId::from(cluster);
    update(model, Event::Connection { cluster, state })
}

fn connect(model: &mut Model, cluster: &str) -> Vec<Effect> {
    tell(model, cluster, Connection::Connected(identity(None)))
}

fn of(cluster: &str, mut workload: Workload) -> Workload {
    workload.id.cluster = cluster.into();
    workload
}

/// What the listing of Deployments of a cluster brings.
fn list(model: &mut Model, cluster: &str, workloads: &[Workload]) -> Vec<Effect> {
    let source = SourceId {
        cluster: cluster.into(),
        ..source(Kind::Deployment, None)
    };
    let put = |w: &Workload| Update::Change(Change::Put(Item::Workload(Box::new(w.clone()))));
    let mut updates: Vec<_> = workloads.iter().map(put).collect();
    updates.push(Update::Change(Change::Synced(source.clone())));
    updates.push(Update::Health(Health::Live));
    fed(model, source, updates)
}

fn fed(model: &mut Model, source: SourceId, updates: Vec<Update>) -> Vec<Effect> {
    let epoch = model.cluster(&source.cluster).map_or(0, |c| c.epoch);
    let at = model.now;
    let event = Event::Fed {
        source,
        epoch,
        at,
        updates,
    };
    let effects = update(model, event);
    settle(model);
    effects
}

/// `auth` in both, prod-eu and staging-eu.
fn both(config: &Config) -> Model {
    let (mut model, _) = Model::new(config, fixture::now(), 120, 24);
    for cluster in ["prod-eu", "staging-eu"] {
        connect(&mut model, cluster);
        list(&mut model, cluster, &[of(cluster, steady("auth"))]);
    }
    model
}

fn clusters(model: &Model) -> Vec<String> {
    model
        .cluster_ids()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn rows(model: &Model) -> Vec<(String, String)> {
    let rows = model.board.rows.iter();
    rows.map(|row| (row.id.cluster.to_string(), row.id.name.to_string()))
        .collect()
}

fn said(model: &Model) -> Vec<String> {
    notes(model).into_iter().map(|note| note.text).collect()
}

fn connects_to(effects: &[Effect]) -> Option<Vec<String>> {
    effects.iter().find_map(|effect| match effect {
        Effect::Connect { clusters } => Some(clusters.iter().map(ToString::to_string).collect()),
        _ => None,
    })
}

#[test]
fn each_cluster_is_watched_once_and_all_are_connected_at_the_start() {
    let (mut model, effects) = Model::new(&two(), fixture::now(), 120, 24);
    assert_eq!(
        connects_to(&effects),
        Some(vec!["prod-eu".into(), "staging-eu".into()])
    );
    connect(&mut model, "staging-eu");
    let of_cluster = |model: &Model, cluster: &str| {
        let watched = model.watched.iter();
        watched.filter(|s| *s.cluster.0 == *cluster).count()
    };
    // Four kinds, canaries, and the warnings.
    assert_eq!(of_cluster(&model, "staging-eu"), 6);
    assert_eq!(of_cluster(&model, "prod-eu"), 0);
    connect(&mut model, "prod-eu");
    assert_eq!(of_cluster(&model, "prod-eu"), 6);
}

#[test]
fn at_most_eight_pods_are_watched_in_all_clusters_together() {
    let (mut model, _) = Model::new(&two(), fixture::now(), 120, 24);
    for cluster in ["prod-eu", "staging-eu"] {
        connect(&mut model, cluster);
        let many: Vec<_> = (0..20)
            .map(|i| of(cluster, stalled(&format!("s{i:02}"))))
            .collect();
        list(&mut model, cluster, &many);
    }
    update(&mut model, Event::Ticked(fixture::now()));
    let pods = model.watched.iter();
    let pods = pods.filter(|s| matches!(s.feed, Feed::PodsOf { .. }));
    assert_eq!(pods.count(), 8);
}

#[test]
fn a_dead_cluster_keeps_its_rows_and_the_other_stays_live() {
    let mut model = both(&two());
    let state = Connection::Failed {
        failure: Failure::new(FailureKind::Unreachable, "connection reset"),
        since: fixture::ago(48),
        next: fixture::now() + SignedDuration::from_secs(4),
    };
    tell(&mut model, "staging-eu", state);
    assert_eq!(rows(&model).len(), 2);
    let old_since = |cluster: &str| {
        let source = SourceId {
            cluster: cluster.into(),
            ..source(Kind::Deployment, None)
        };
        stale_since(&model, &source)
    };
    assert_eq!(old_since("prod-eu"), None);
    assert!(old_since("staging-eu").is_some());
    assert_eq!(
        said(&model),
        ["staging-eu no answer 48s: connection reset, again in 4s"]
    );
    // The other goes on.
    list(&mut model, "prod-eu", &[of("prod-eu", stalled("auth"))]);
    assert_eq!(model.board.rows[0].standing.phase, Phase::Stalled);
    assert_eq!(&*model.board.rows[0].id.cluster.0, "prod-eu");
}

#[test]
fn one_that_may_not_be_listed_narrows_its_own_scope_alone() {
    let mut config = two();
    config.environments = vec![environment("staging", "staging-eu", &["shop"], Level::Open)];
    let mut model = both(&config);
    let source = SourceId {
        cluster: "staging-eu".into(),
        ..source(Kind::Deployment, None)
    };
    let denied = Update::Health(Health::Denied("list deployments".into()));
    let effects = fed(&mut model, source, vec![denied]);
    let scope = |model: &Model, id: &str| model.cluster(&id.into()).unwrap().scope.clone();
    assert_eq!(scope(&model, "staging-eu").namespaces, ["shop".into()]);
    assert!(scope(&model, "prod-eu").namespaces.is_empty());
    let Some(Effect::Watch { epochs, wanted }) = effects.first() else {
        panic!("{effects:?}")
    };
    // The feeds of the other are not opened again.
    assert_eq!(epochs[&"prod-eu".into()], 0);
    assert_eq!(epochs[&"staging-eu".into()], 1);
    assert!(
        wanted
            .iter()
            .any(|s| *s.cluster.0 == *"prod-eu" && s.namespace.is_none())
    );
    assert!(said(&model)[0].starts_with("staging-eu: no right to list deployments"));
}

#[test]
fn ages_go_by_the_clock_of_their_own_cluster() {
    let mut model = both(&two());
    let source = SourceId {
        cluster: "staging-eu".into(),
        ..source(Kind::Deployment, None)
    };
    fed(&mut model, source, vec![Update::Skew(90)]);
    update(&mut model, Event::Ticked(fixture::now()));
    let clock = |cluster: &str| {
        let id = WorkloadId {
            cluster: cluster.into(),
            ..steady("auth").id
        };
        model.clock_of(&id)
    };
    assert_eq!(clock("prod-eu"), fixture::now());
    assert_eq!(
        clock("staging-eu"),
        fixture::now() + SignedDuration::from_secs(90)
    );
    assert!(said(&model)[0].starts_with("staging-eu: the server's clock is 90s ahead"));
}

#[test]
fn a_right_and_a_level_are_those_of_the_row_s_own_cluster() {
    let mut config = two();
    config.environments = vec![
        environment("prod", "prod-eu", &["shop"], Level::Protected),
        environment("staging", "staging-eu", &["shop"], Level::Open),
    ];
    let mut model = both(&config);
    let told = |cluster: &str, missing: Option<String>| Event::PermissionTold {
        cluster: cluster.into(),
        namespace: "shop".into(),
        kind: Kind::Deployment,
        outcome: Ok(missing),
    };
    update(
        &mut model,
        told("prod-eu", Some("patch deployments".into())),
    );
    update(&mut model, told("staging-eu", None));
    for (cluster, level, opens) in [
        ("prod-eu", Level::Protected, false),
        ("staging-eu", Level::Open, true),
    ] {
        let at = model
            .board
            .rows
            .iter()
            .position(|r| *r.id.cluster.0 == *cluster);
        let id = model.board.rows[at.unwrap()].id.clone();
        assert_eq!(model.level(&id), level);
        keys(&mut model, "g");
        keys(&mut model, &"j".repeat(at.unwrap()));
        let effects = keys(&mut model, "R");
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::Gather { request, .. } => Some(request.workload.cluster.to_string()),
            _ => None,
        });
        assert_eq!(asked, opens.then(|| cluster.to_owned()));
        keys(&mut model, "\x1b");
    }
}

#[test]
fn another_context_is_chosen_also_when_the_only_cluster_is_dead() {
    let (mut model, _) = Model::new(&Config::default(), fixture::now(), 120, 24);
    let state = Connection::Failed {
        failure: Failure::new(FailureKind::Config, "there is no current context"),
        since: fixture::now(),
        next: fixture::now(),
    };
    tell(&mut model, "", state);
    let effects = keys(&mut model, ":ctx\n");
    let Some(Effect::ListContexts { job }) = effects.last() else {
        panic!("{effects:?}")
    };
    let (job, names) = (*job, vec!["prod-eu".to_owned(), "staging-eu".to_owned()]);
    let listed = Event::NamesListed {
        job,
        outcome: Ok(names),
    };
    update(&mut model, listed);
    let effects = keys(&mut model, "stag\n");
    assert_eq!(connects_to(&effects), Some(vec!["staging-eu".into()]));
    assert_eq!(clusters(&model), ["staging-eu"]);
    // What the one that was left says comes too late.
    connect(&mut model, "prod-eu");
    assert_eq!(clusters(&model), ["staging-eu"]);
    assert!(!model.connected());
    connect(&mut model, "staging-eu");
    assert!(model.watched.iter().all(|s| *s.cluster.0 == *"staging-eu"));
}

#[test]
fn a_cluster_that_stays_keeps_its_rows_and_feeds_when_another_comes_or_goes() {
    let mut model = both(&two());
    let effects = keys(&mut model, ":ctx staging-eu\n");
    assert_eq!(connects_to(&effects), Some(vec!["staging-eu".into()]));
    assert_eq!(rows(&model), [("staging-eu".into(), "auth".into())]);
    assert!(model.sources.keys().all(|s| *s.cluster.0 == *"staging-eu"));
    let epoch = model.clusters[0].epoch;
    keys(&mut model, ":ctx prod-eu, staging-eu\n");
    assert_eq!(clusters(&model), ["prod-eu", "staging-eu"]);
    assert_eq!(model.clusters[1].epoch, epoch);
    assert_eq!(rows(&model), [("staging-eu".into(), "auth".into())]);
    // News from before it left is not taken for news of now.
    let late = SourceId {
        cluster: "prod-eu".into(),
        ..source(Kind::Deployment, None)
    };
    let put = Update::Change(Change::Put(Item::Workload(Box::new(steady("late")))));
    connect(&mut model, "prod-eu");
    let at = model.now;
    let event = Event::Fed {
        source: late,
        epoch: 0,
        at,
        updates: vec![put],
    };
    update(&mut model, event);
    settle(&mut model);
    assert_eq!(rows(&model).len(), 1);
}

#[test]
fn environments_in_two_clusters_are_shown_together_one_alone_and_in_their_order() {
    let config = Config {
        contexts: vec!["staging-eu".into(), "prod-eu".into()],
        namespaces: Namespaces::OfEnvironments,
        environments: vec![
            environment("staging", "staging-eu", &["shop"], Level::Open),
            environment("prod", "prod-eu", &["shop", "pay"], Level::Protected),
        ],
        ..Config::default()
    };
    let (mut model, _) = Model::new(&config, fixture::now(), 120, 24);
    for cluster in ["prod-eu", "staging-eu"] {
        connect(&mut model, cluster);
        let source = SourceId {
            cluster: cluster.into(),
            ..source(Kind::Deployment, Some("shop"))
        };
        let item = Item::Workload(Box::new(of(cluster, steady("auth"))));
        fed(&mut model, source, vec![Update::Change(Change::Put(item))]);
    }
    let namespaces = |model: &Model, at: usize| model.clusters[at].scope.namespaces.clone();
    assert_eq!(namespaces(&model, 0), ["shop".into()]);
    assert_eq!(namespaces(&model, 1), ["pay".into(), "shop".into()]);
    keys(&mut model, "Se");
    let shown = |model: &Model| {
        let rows = model.board.rows.iter();
        rows.map(|row| row.environment.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(shown(&model), ["staging", "prod"]);
    keys(&mut model, "/staging\n");
    assert_eq!(shown(&model), ["staging"]);
    keys(&mut model, "\x1b");
    let effects = keys(&mut model, ":env prod\n");
    assert_eq!(connects_to(&effects), Some(vec!["prod-eu".into()]));
    assert_eq!(shown(&model), ["prod"]);
    let effects = keys(&mut model, ":env\n");
    let all = connects_to(&effects).unwrap();
    assert_eq!(all, ["staging-eu", "prod-eu"]);
    keys(&mut model, ":env nowhere\n");
    let words = model.notice.clone().unwrap().text;
    assert_eq!(words, "there is no environment nowhere: staging, prod");
    assert_eq!(clusters(&model), ["staging-eu", "prod-eu"]);
}

#[test]
fn what_is_followed_is_not_called_deleted_because_one_looks_elsewhere() {
    let mut model = release::noted(5);
    assert_eq!(model.follows.len(), 1);
    let effects = keys(&mut model, "\x1b:ctx staging-eu\n");
    let tick = update(
        &mut model,
        Event::Ticked(fixture::now() + SignedDuration::from_secs(5)),
    );
    let recorded = |effects: &[Effect]| {
        let mut effects = effects.iter();
        effects.any(|e| matches!(e, Effect::RecordOutcome { .. }))
    };
    assert!(!recorded(&effects) && !recorded(&tick));
    assert!(matches!(model.follows[0].state, Follow::Pending(_)));
}
