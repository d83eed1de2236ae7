//! The settings file is written while this runs.

use super::*;
use crate::app::keymap::Key;
use crate::app::notes::notes;
use crate::domain::{Failure, FailureKind};

fn configured(model: &mut Model, config: Config) {
    let outcome = Ok(Box::new(config));
    update(model, Event::Configured { outcome });
}

fn with_keys(intent: &str, key: &str) -> Config {
    Config {
        keys: BTreeMap::from([(intent.to_owned(), vec![key.to_owned()])]),
        ..Config::default()
    }
}

fn said(model: &Model) -> Vec<String> {
    notes(model).into_iter().map(|note| note.text).collect()
}

#[test]
fn what_is_wrong_is_said_until_it_is_mended_and_the_last_good_ones_stay() {
    let (mut model, _) = model_with(&with_keys("wide", "Z"), None);
    let broken = "config.yaml, line 2, column 1: unknown key kyes";
    let failure = Failure::new(FailureKind::Config, broken).hint("did you mean keys?");
    let outcome = Err(failure);
    update(&mut model, Event::Configured { outcome });
    let line = format!("{broken} (did you mean keys?); what was in force stays");
    assert_eq!(said(&model), [line]);
    keys(&mut model, "Z");
    assert!(model.board.wide);
    // Keys that clash are wrong as well, and nothing else of them is taken.
    let clash = Config {
        readonly: true,
        ..with_keys("yaml", "l")
    };
    configured(&mut model, clash);
    assert!(said(&model)[0].contains("cannot mean both"));
    assert!(!model.settings.readonly);

    configured(&mut model, with_keys("wide", "V"));
    assert_eq!(said(&model), ["settings read again"]);
    let meant = |key| {
        model
            .settings
            .keymap
            .intent(crate::app::intent::Place::Board, key)
    };
    assert_eq!(meant(Key::char('Z')), None);
    assert_eq!(
        meant(Key::char('V')),
        Some(crate::app::intent::Intent::Wide)
    );
}

#[test]
fn rows_follow_the_new_environments_and_another_cluster_waits_for_the_next_start() {
    let mut model = start();
    put(&mut model, &[steady("checkout")]);
    settle(&mut model);
    let prod = "{name: prod, cluster: prod-eu, protection: protected}";
    let environment: Environment = serde_yaml::from_str(prod).unwrap();
    configured(
        &mut model,
        Config {
            environments: vec![environment],
            ..Config::default()
        },
    );
    settle(&mut model);
    assert_eq!(model.board.rows[0].environment.as_deref(), Some("prod"));
    assert_eq!(model.level(&model.board.rows[0].id), Level::Protected);

    configured(
        &mut model,
        Config {
            namespaces: Namespaces::Named(vec!["other".into()]),
            ..Config::default()
        },
    );
    assert!(said(&model)[0].contains("next start"));
}
