//! The command of the command line: what it waits for, and what takes its place.

use super::*;

fn with_command(line: &str) -> Model {
    let config = Config {
        command: Some(line.into()),
        ..Config::default()
    };
    model_with(&config, None).0
}

/// Every kind is listed, with these services.
fn listed(model: &mut Model, workloads: &[Workload]) -> Vec<Effect> {
    put(model, workloads);
    let mut effects = Vec::new();
    for kind in Kind::ALL {
        let source = source(kind, None);
        let synced = vec![Update::Change(Change::Synced(source.clone()))];
        effects.extend(news(model, source, synced));
    }
    effects
}

#[test]
fn a_service_is_opened_when_the_services_are_listed() {
    for line in ["svc checkout", " svc deploy/checkout "] {
        let mut model = with_command(line);
        put(&mut model, &[steady("checkout")]);
        assert!(model.screens.is_empty(), "another of that name may come");
        listed(&mut model, &[steady("cart")]);
        assert!(matches!(model.screens.as_slice(), [Screen::Service(_)]));
        assert_eq!(model.command, None);
    }
}

#[test]
fn what_is_about_no_service_waits_for_no_cluster() {
    let config = Config {
        command: Some("doctor".into()),
        ..Config::default()
    };
    let (mut model, _) = Model::new(&config, fixture::now(), 120, 24);
    let effects = update(&mut model, Event::Ticked(fixture::now()));
    assert!(matches!(effects.as_slice(), [Effect::Diagnose { .. }]));
    assert!(matches!(model.screens.as_slice(), [Screen::Doctor(_)]));
}

#[test]
fn a_key_takes_its_place() {
    let mut model = with_command("svc checkout");
    keys(&mut model, "j");
    listed(&mut model, &[steady("checkout")]);
    assert!(model.screens.is_empty());
}

#[test]
fn one_that_does_not_exist_is_named() {
    let mut model = with_command("frobnicate");
    listed(&mut model, &[steady("checkout")]);
    // It might have been a kind.
    let (cluster, outcome) = ("prod-eu".into(), Ok(Vec::new()));
    update(&mut model, Event::Discovered { cluster, outcome });
    let notice = model.notice.as_ref().unwrap();
    assert!(notice.bad && notice.text.contains("frobnicate"));
}

#[test]
fn a_service_is_called_what_its_label_says() {
    let config = Config {
        service_label: Some("app".into()),
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    let mut labelled = steady("payments-v2");
    labelled.labels = crate::domain::Labels::new([("app", "payments")]);
    let mut blank = steady("cart");
    blank.labels = crate::domain::Labels::new([("app", "")]);
    listed(&mut model, &[labelled, blank, steady("auth")]);
    settle(&mut model);
    let names: Vec<_> = model
        .board
        .rows
        .iter()
        .map(crate::app::model::Row::name)
        .collect();
    assert_eq!(names, ["auth", "cart", "payments"]);
    keys(&mut model, "/payments");
    settle(&mut model);
    assert_eq!(model.board.rows.len(), 1);
}

#[test]
fn an_alias_is_the_command_it_stands_for_and_never_hides_one_of_ours() {
    let aliases = [
        ("co", "svc checkout"),
        ("c", "co"),
        ("doctor", "quit"),
        ("round", "about"),
        ("about", "round"),
    ];
    let own = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
    let config = |line: &str| Config {
        command: Some(line.into()),
        aliases: aliases.map(own).into(),
        ..Config::default()
    };
    for (line, opened) in [("co", true), ("c", true), ("round", false)] {
        let (mut model, _) = model_with(&config(line), None);
        listed(&mut model, &[steady("checkout")]);
        let service = matches!(model.screens.last(), Some(Screen::Service(_)));
        assert_eq!(service, opened, "{line}");
    }
    let (mut model, _) = Model::new(&config("doctor"), fixture::now(), 120, 24);
    let effects = update(&mut model, Event::Ticked(fixture::now()));
    assert!(matches!(effects.as_slice(), [Effect::Diagnose { .. }]));
}
