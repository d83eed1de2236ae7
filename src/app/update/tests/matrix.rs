//! The matrix: cells and keys, digests that are read once, and what is promoted where.

use super::*;
use crate::app::event::DigestsTold;
use crate::app::update::matrix::keep;
use crate::domain::matrix::{Beside, Digests};
use crate::domain::{Pin, WorkloadId};
use crate::plan::Verb;

const PLACES: [&str; 3] = ["dev", "staging", "prod"];

fn environments() -> Vec<Environment> {
    let environment = |name: &&str| Environment {
        name: (*name).into(),
        cluster: "prod-eu".into(),
        namespaces: vec![(*name).into()],
        protection: Level::Guarded,
        color: None,
        pin: Pin::Tag,
    };
    PLACES.iter().map(environment).collect()
}

fn running(name: &str, place: &str, tag: &str) -> Workload {
    let mut workload = steady(name);
    workload.id.namespace = place.into();
    workload.uid = format!("{name}-{place}").as_str().into();
    workload.containers[0].image = format!("r/{name}:{tag}").into();
    workload
}

/// Of three services in three environments the second differs.
pub fn opened() -> Model {
    let config = Config {
        environments: environments(),
        namespaces: Namespaces::All,
        contexts: vec!["prod-eu".into()],
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    let mut workloads = Vec::new();
    for name in ["auth", "cart", "search"] {
        for place in PLACES {
            let tag = if (name, place) == ("cart", "dev") {
                "2"
            } else {
                "1"
            };
            workloads.push(running(name, place, tag));
        }
    }
    put(&mut model, &workloads);
    keys(&mut model, "ml");
    model
}

fn screen(model: &Model) -> &crate::app::model::MatrixScreen {
    match model.screens.last() {
        Some(Screen::Matrix(screen)) => screen,
        other => panic!("{other:?}"),
    }
}

fn cursor(model: &Model) -> (String, String) {
    screen(model).cursor.clone().unwrap()
}

fn at(service: &str, place: &str) -> (String, String) {
    (service.into(), place.into())
}

#[test]
fn keys_move_over_cells_and_what_differs_is_on_top() {
    let mut model = opened();
    assert_eq!(
        cursor(&model),
        at("cart", "staging"),
        "it differs: it is the first row"
    );
    keys(&mut model, "lll");
    assert_eq!(cursor(&model), at("cart", "prod"));
    keys(&mut model, "jjjj");
    assert_eq!(cursor(&model), at("search", "prod"));
    keys(&mut model, "Sn");
    assert_eq!(
        cursor(&model),
        at("search", "prod"),
        "the cell stays, wherever its row goes"
    );
    keys(&mut model, "g");
    assert_eq!(cursor(&model).0, "auth");
    keys(&mut model, "/cart\n");
    let table = &screen(&model).table;
    assert_eq!((table.rows.len(), table.hidden.len()), (1, 2));
    // First the filter goes, then the screen.
    keys(&mut model, "q");
    assert_eq!(screen(&model).table.rows.len(), 3);
    keys(&mut model, "q");
    assert!(model.screens.is_empty());
}

fn told(model: &mut Model, digests: &[(&Workload, &str)]) {
    let (job, _) = screen(model).asked.unwrap();
    let mut found = Digests::new();
    for (workload, digest) in digests {
        let image = workload.containers[0].image.clone();
        let list = found.entry(workload.id.clone()).or_default();
        list.push((image, format!("sha256:{digest}").into()));
    }
    let told = DigestsTold {
        job,
        cluster: "prod-eu".into(),
        outcome: Ok(found),
    };
    update(model, Event::DigestsTold(Box::new(told)));
    settle(model);
}

fn beside(model: &Model, service: &str, column: usize) -> Beside {
    let mut rows = screen(model).table.all();
    let row = rows.find(|row| *row.service == *service).unwrap();
    row.cell(column).unwrap().beside.unwrap().1
}

#[test]
fn digests_are_read_once_and_again_when_something_came_to_rest() {
    let mut model = start();
    put(&mut model, &[steady("auth")]);
    let effects = keys(&mut model, "m");
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::ReadDigests { .. }))
    };
    assert!(asked(&effects), "{effects:?}");
    told(&mut model, &[]);
    let later = |model: &mut Model, seconds: i64| {
        let now = model.now + SignedDuration::from_secs(seconds);
        update(model, Event::Ticked(now))
    };
    assert!(!asked(&later(&mut model, 60)), "nothing changed since");
    let mut changed = steady("auth");
    changed.written_by = Some(("ci".into(), model.now));
    let now = model.now - SignedDuration::from_secs(1);
    if let Some(Screen::Matrix(screen)) = model.screens.last_mut() {
        for known in screen.digests.values_mut() {
            known.learn(Digests::new(), now);
        }
    }
    put(&mut model, &[changed]);
    assert!(asked(&later(&mut model, 60)));
    assert!(!asked(&later(&mut model, 1)), "it is being read");
}

#[test]
fn a_digest_tells_what_a_tag_does_not() {
    let mut model = opened();
    assert_eq!(beside(&model, "auth", 1), Beside::SameName);
    let [dev, staging, prod] = PLACES.map(|place| running("auth", place, "1"));
    told(&mut model, &[(&dev, "a"), (&staging, "a"), (&prod, "b")]);
    assert_eq!(beside(&model, "auth", 1), Beside::Same);
    assert_eq!(beside(&model, "auth", 2), Beside::OtherDigest);
    assert_eq!(beside(&model, "cart", 1), Beside::Apart);
    // Another image: what was read before says nothing of it.
    put(&mut model, &[running("auth", "staging", "3")]);
    assert_eq!(beside(&model, "auth", 1), Beside::Apart);
}

fn asked_for(effects: &[Effect]) -> (Verb, WorkloadId, Target) {
    let mut requests = effects.iter().filter_map(|effect| match effect {
        Effect::Gather { request, .. } => Some(request),
        _ => None,
    });
    let request = requests.next().unwrap();
    (
        request.verb,
        request.workload.clone(),
        request.target.clone(),
    )
}

#[test]
fn a_cell_is_promoted_to_the_next_environment_that_runs_the_service() {
    let mut model = opened();
    keys(&mut model, "h");
    let effects = keys(&mut model, "P");
    let (verb, workload, target) = asked_for(&effects);
    assert_eq!(
        (verb, &*workload.namespace),
        (Verb::PromoteImage, "staging")
    );
    let Target::Promoted { from, environments } = target else {
        panic!("{target:?}")
    };
    assert_eq!(
        (&*from.namespace, environments),
        ("dev", ("dev".into(), "staging".into()))
    );
    keys(&mut model, "q");
    keys(&mut model, "ll");
    assert!(
        keys(&mut model, "P").is_empty(),
        "there is nothing after prod"
    );
    let words = &model.notice.as_ref().unwrap().text;
    assert!(
        words.starts_with("no environment after prod runs cart"),
        "{words}"
    );
}

#[test]
fn several_cells_are_one_plan_one_after_another() {
    let mut model = opened();
    model.settings.at_once = 4;
    // That of cart and that of auth in staging.
    keys(&mut model, " j ");
    assert_eq!(screen(&model).marks.len(), 2);
    keys(&mut model, "P");
    let batch = model.batch.as_deref().unwrap();
    assert_eq!(
        (batch.verb, batch.at_once, batch.rows.len()),
        (Verb::PromoteImage, 1, 2)
    );
    let rows = batch.rows.iter().map(|row| &row.shown.workload);
    assert!(rows.clone().all(|id| *id.namespace == *"prod"), "{rows:?}");
    // A mark at the end of the line: nothing is opened without it.
    keys(&mut model, "q");
    keys(&mut model, "l ");
    assert!(keys(&mut model, "P").is_empty());
    assert!(model.overlay.is_none());
}

/// How many services are worked out after these workloads were touched.
fn worked(model: &mut Model, touched: &[&Workload]) -> usize {
    let touched = touched.iter().map(|workload| workload.id.clone());
    keep(model, &touched.collect())
}

#[test]
fn only_what_was_touched_is_worked_out_and_a_key_costs_nothing() {
    let mut model = opened();
    let auth = running("auth", "prod", "1");
    assert_eq!(worked(&mut model, &[]), 0, "nothing happened");
    keys(&mut model, "jjh/cart");
    assert_eq!(
        worked(&mut model, &[]),
        0,
        "a key shows other rows, and works none out"
    );
    assert_eq!(
        worked(&mut model, &[&auth]),
        1,
        "hidden by the filter or not"
    );
    keys(&mut model, "\n");
    told(&mut model, &[(&auth, "a")]);
    if let Some(Screen::Matrix(screen)) = model.screens.last_mut() {
        screen.stale = true;
    }
    assert_eq!(worked(&mut model, &[]), 3);
    // What was touched while another screen lay over it is made good when that is gone.
    keys(&mut model, "q\n");
    assert!(matches!(model.screens.last(), Some(Screen::Service(_))));
    put(&mut model, &[running("search", "prod", "7")]);
    keys(&mut model, "q");
    assert_eq!(beside(&model, "search", 2), Beside::Apart);
}

#[test]
fn what_is_gone_goes_and_what_is_new_comes() {
    let mut model = opened();
    put(&mut model, &[running("web", "dev", "1")]);
    let services = |model: &Model| -> Vec<String> {
        let all = screen(model).table.all();
        let mut names: Vec<_> = all.map(|row| row.service.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(services(&model), ["auth", "cart", "search", "web"]);
    let web = running("web", "dev", "1");
    let gone = Change::Gone(ItemId::Workload(web.id, web.uid));
    news(
        &mut model,
        source(Kind::Deployment, None),
        vec![Update::Change(gone)],
    );
    assert_eq!(services(&model), ["auth", "cart", "search"]);
}

/// Of one service that dev and staging run twice, by two kinds, and prod once.
fn twice() -> Model {
    let config = Config {
        environments: environments(),
        namespaces: Namespaces::All,
        contexts: vec!["prod-eu".into()],
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    let set = |place, tag| {
        let mut workload = running("web", place, tag);
        workload.id.kind = Kind::StatefulSet;
        workload.uid = format!("set-{place}").as_str().into();
        workload
    };
    let all = [
        running("web", "dev", "2"),
        set("dev", "2"),
        running("web", "staging", "1"),
        set("staging", "1"),
        running("web", "prod", "1"),
    ];
    put(&mut model, &all);
    keys(&mut model, "m");
    model
}

#[test]
fn a_service_that_runs_twice_is_promoted_twice_each_to_its_own() {
    let mut model = twice();
    keys(&mut model, " ");
    assert_eq!(screen(&model).marks.len(), 2, "a mark is of the whole cell");
    keys(&mut model, " P");
    let batch = model.batch.as_deref().unwrap();
    assert_eq!(batch.rows.len(), 2);
    for row in &batch.rows {
        let request = &row.shown.request;
        let from = request.origin().unwrap();
        assert_eq!(from.kind, request.workload.kind);
        let ends = (&*from.namespace, &*request.workload.namespace);
        assert_eq!(ends, ("dev", "staging"));
    }
}

#[test]
fn what_would_go_twice_to_the_same_or_to_nobody_knows_which_is_said() {
    let mut model = twice();
    keys(&mut model, "l");
    assert!(keys(&mut model, "P").is_empty());
    let words = &model.notice.as_ref().unwrap().text;
    assert!(
        words.starts_with("two of them would go to deploy/web in prod"),
        "{words}"
    );
    let mut model = opened();
    let mut other = running("cart", "staging", "1");
    other.id.namespace = "other".into();
    model.settings.environments[1]
        .namespaces
        .push("other".into());
    put(&mut model, &[other]);
    keys(&mut model, "h");
    assert!(keys(&mut model, "P").is_empty());
    let words = &model.notice.as_ref().unwrap().text;
    assert!(
        words.ends_with("deploy/cart in other and deploy/cart in staging"),
        "{words}"
    );
}

#[test]
fn a_way_of_its_own_leads_past_what_is_not_on_it() {
    let mut model = opened();
    model.settings.way = vec!["prod".into(), "dev".into()];
    settle(&mut model);
    keys(&mut model, "hh");
    let places: Vec<_> = screen(&model)
        .table
        .environments
        .iter()
        .map(|e| &*e.name)
        .collect();
    assert_eq!(places, ["prod", "dev", "staging"]);
    let effects = keys(&mut model, "P");
    assert_eq!(&*asked_for(&effects).1.namespace, "dev");
    keys(&mut model, "q");
    keys(&mut model, "ll");
    assert!(keys(&mut model, "P").is_empty());
    let words = &model.notice.as_ref().unwrap().text;
    assert!(
        words.starts_with("staging is not on the way of promotion, which is prod, dev"),
        "{words}"
    );
}
