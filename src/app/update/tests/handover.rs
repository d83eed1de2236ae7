//! Who may hand the terminal to what, and where.

use super::*;
use crate::app::event::Ended;
use crate::config::handover::merged;
use std::path::Path;

fn at(protection: Level, readonly: bool) -> Model {
    let config = Config {
        readonly,
        programs: merged(&[], Path::new("")).unwrap(),
        environments: vec![Environment {
            name: "prod".into(),
            cluster: "prod-eu".into(),
            namespaces: Vec::new(),
            protection,
            color: None,
            pin: crate::domain::Pin::Tag,
        }],
        ..Config::default()
    };
    let mut model = model_with(&config, None).0;
    put(&mut model, &[steady("checkout")]);
    model
}

/// What the keys hand over to, as one would type it.
fn handed(model: &mut Model, text: &str) -> Option<String> {
    let effects = keys(model, text);
    effects.into_iter().find_map(|effect| match effect {
        Effect::HandOver(order) => Some(order.line()),
        _ => None,
    })
}

fn said(model: &Model) -> &str {
    model.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn what_can_write_is_refused_read_only_and_has_to_be_armed_where_writes_have_to_be() {
    let (edit, describe) = (
        "kubectl --context prod-eu -n shop edit -- deploy/checkout",
        "kubectl --context prod-eu -n shop describe -- deploy/checkout",
    );
    for (level, readonly, may) in [
        (Level::Open, false, true),
        (Level::Guarded, false, true),
        (Level::Protected, false, false),
        (Level::Open, true, false),
    ] {
        let mut model = at(level, readonly);
        let started = handed(&mut model, "xe");
        assert_eq!(started.as_deref(), may.then_some(edit), "{level:?}");
        if !may {
            let reason = if readonly { "read-only" } else { "! arms it" };
            assert!(said(&model).contains(reason), "{}", said(&model));
            keys(&mut model, "\x1b");
        }
        assert_eq!(handed(&mut model, "xd").as_deref(), Some(describe));
    }
    let mut model = at(Level::Protected, false);
    assert_eq!(handed(&mut model, "x!e").as_deref(), Some(edit));
}

#[test]
fn what_it_needs_is_asked_for_and_nothing_starts_without_it() {
    let mut model = at(Level::Open, false);
    assert_eq!(handed(&mut model, "xp\n"), None);
    let started = handed(&mut model, "8080:80\n");
    let line = "kubectl --context prod-eu -n shop port-forward -- deploy/checkout 8080:80";
    assert_eq!(started.as_deref(), Some(line));
    assert_eq!(model.overlay, None);
    assert_eq!(handed(&mut model, "xpqq\x1b\x1b"), None);
    assert_eq!(model.overlay, None, "esc leaves the field, then the menu");
}

#[test]
fn a_program_that_is_missing_is_named_and_not_started() {
    let mut model = at(Level::Open, false);
    let effects = keys(&mut model, "x");
    let [Effect::FindPrograms { job, programs }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(programs, &["k9s", "kubectl"]);
    let (job, missing) = (*job, vec!["k9s".to_owned()]);
    update(&mut model, Event::ProgramsMissing { job, missing });
    assert_eq!(handed(&mut model, "9"), None);
    assert_eq!(said(&model), "k9s is not on the PATH");
    assert!(handed(&mut model, "e").is_some());
}

#[test]
fn its_end_is_said_and_recorded() {
    for (ended, want) in [
        (Ended::Exit(0), "kubectl edit ended"),
        (Ended::Exit(1), "kubectl edit ended with 1"),
        (
            Ended::Killed("SIGKILL".into()),
            "kubectl edit was killed by SIGKILL",
        ),
        (
            Ended::Failed("could not be started: why".into()),
            "kubectl edit could not be started: why",
        ),
    ] {
        let mut model = at(Level::Open, false);
        let effects = keys(&mut model, "xe");
        let Some(Effect::HandOver(handed)) = effects.last().cloned() else {
            panic!("{effects:?}");
        };
        let event = Event::HandedBack {
            handed,
            ended: ended.clone(),
        };
        let effects = update(&mut model, event);
        assert_eq!(said(&model), want);
        assert!(
            matches!(effects.as_slice(), [Effect::RecordHandOver { ended: kept, .. }] if *kept == ended)
        );
    }
}

#[test]
fn a_log_is_handed_over_at_the_pod_or_the_service_that_it_is_of() {
    let mut model = at(Level::Open, false);
    keys(&mut model, "l");
    let describe = "kubectl --context prod-eu -n shop describe -- ";
    let want = format!("{describe}deploy/checkout");
    assert_eq!(handed(&mut model, "xd"), Some(want));
    let Some(Screen::Logs(screen)) = model.screens.last_mut() else {
        panic!("{:?}", model.screens)
    };
    screen.choice.pod = Some("checkout-a".into());
    let want = format!("{describe}pod/checkout-a");
    assert_eq!(handed(&mut model, "xd"), Some(want));
}
