//! The service screen and the text that opens from it: revisions compared, yaml.

use super::*;
use crate::app::effect::{Compared, YamlOf};
use crate::app::event::Document;
use crate::app::model::{TextKind, TextScreen};
use crate::app::words;
use crate::domain::Revision;
use crate::domain::known::State;

/// checkout at revision 42, with 41 and 38 before it, opened.
pub fn opened() -> Model {
    let mut model = start();
    put(&mut model, &[fixture::workload(Kind::Deployment)]);
    keys(&mut model, "\n");
    let of_revisions = |s: &&SourceId| matches!(s.feed, Feed::RevisionsOf { .. });
    let source = model.watched.iter().find(of_revisions).unwrap().clone();
    let revision = |(number, hash): (u64, &str)| {
        let image = if number == 42 {
            fixture::IMAGE
        } else {
            fixture::OLD_IMAGE
        };
        fixture::revision(Kind::Deployment, number, hash, image)
    };
    let revisions = [(42, "new"), (41, "old"), (38, "older")].map(revision);
    let put = |r: Revision| Update::Change(Change::Put(Item::Revision(Box::new(r))));
    news(&mut model, source, revisions.map(put).into());
    model
}

fn text(model: &Model) -> &TextScreen {
    let Some(Screen::Text(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

fn compared(effects: &[Effect]) -> Option<(&str, &str)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Compare { revisions, .. } => Some((&*revisions.from, &*revisions.to)),
        _ => None,
    })
}

#[test]
fn enter_compares_the_marked_revision_with_the_one_that_runs() {
    let mut model = opened();
    let hint = |model: &Model| words::hints(model).into_iter().find(|h| h.key == "enter");
    assert_eq!(hint(&model).unwrap().what, "compare");
    for (typed, want) in [
        ("g\n", ("checkout-old", "checkout-new")),
        ("j\n", ("checkout-old", "checkout-new")),
        ("G\n", ("checkout-older", "checkout-new")),
    ] {
        let effects = keys(&mut model, typed);
        assert_eq!(compared(&effects), Some(want), "{typed}");
        assert!(text(&model).title.contains("to rev 42, which runs"));
        keys(&mut model, "q");
    }
}

#[test]
fn what_differs_is_shown_and_asked_for_again_or_called_off() {
    let mut model = opened();
    keys(&mut model, "\n");
    let job = text(&model).job;
    let document = Document {
        lines: vec!["- image: a".into(), "+ image: b".into()],
        read_at: model.now,
    };
    let outcome = Ok(document);
    update(&mut model, Event::Fetched { job, outcome });
    assert_eq!(text(&model).document.value().unwrap().lines.len(), 2);
    let effects = keys(&mut model, "^r");
    assert!(
        effects.contains(&Effect::Cancel { job }) && compared(&effects).is_some(),
        "{effects:?}"
    );
    let job = text(&model).job;
    assert_eq!(keys(&mut model, "q"), [Effect::Cancel { job }]);
}

#[test]
fn one_revision_alone_has_nothing_to_be_compared_with() {
    let mut model = start();
    put(&mut model, &[fixture::workload(Kind::Deployment)]);
    assert_eq!(compared(&keys(&mut model, "\n\n")), None);
    assert!(model.notice.unwrap().text.contains("no two revisions"));
}

#[test]
fn yaml_and_description_are_of_what_is_marked() {
    let mut model = opened();
    let id = fixture::id(Kind::Deployment);
    let old = YamlOf::Revision {
        workload: id.clone(),
        name: "checkout-old".into(),
    };
    for (typed, want) in [("g", YamlOf::Workload(id.clone())), ("gj", old)] {
        let effects = keys(&mut model, &format!("{typed}y"));
        let Some(Effect::FetchYaml { object, .. }) = effects.first() else {
            panic!("{effects:?}")
        };
        assert_eq!(*object, want);
        keys(&mut model, "q");
        let effects = keys(&mut model, "d");
        let Some(Effect::Describe { object, .. }) = effects.first() else {
            panic!("{effects:?}")
        };
        assert_eq!(*object, want);
        keys(&mut model, "q");
    }
}

#[test]
fn a_read_that_fails_says_so_and_keeps_what_was_there() {
    let mut model = opened();
    keys(&mut model, "y");
    let job = text(&model).job;
    let document = Document {
        lines: (0..100).map(|i| format!("line {i}")).collect(),
        read_at: model.now,
    };
    let outcome = Ok(document);
    update(&mut model, Event::Fetched { job, outcome });
    keys(&mut model, "^r");
    let again = text(&model).job;
    let failure = crate::domain::Failure::new(crate::domain::FailureKind::Unreachable, "gone");
    let outcome = Err(failure);
    // An answer to the first question is nobody's any more.
    let stale = Event::Fetched {
        job,
        outcome: outcome.clone(),
    };
    update(&mut model, stale);
    assert!(!matches!(text(&model).document.state, State::Failed { .. }));
    update(
        &mut model,
        Event::Fetched {
            job: again,
            outcome,
        },
    );
    let known = &text(&model).document;
    assert!(matches!(&known.state, State::Failed { why, .. } if why == "gone"));
    assert_eq!(known.value().unwrap().lines.len(), 100);
}

#[test]
fn n_and_shift_n_go_from_place_to_place_in_a_text() {
    let mut model = opened();
    keys(&mut model, "y");
    let lines = (0..100).map(|i| if i % 30 == 10 { "Image: x" } else { "-" }.to_owned());
    let (job, lines) = (text(&model).job, lines.collect());
    let read_at = model.now;
    let outcome = Ok(Document { lines, read_at });
    update(&mut model, Event::Fetched { job, outcome });
    for (typed, at) in [
        ("/image\n", 10),
        ("n", 40),
        ("n", 70),
        ("n", 70),
        ("N", 40),
        ("N", 10),
        ("N", 10),
        // The line at the top is one of those that are searched.
        ("g/-\n", 0),
    ] {
        keys(&mut model, typed);
        assert_eq!(text(&model).offset, at, "{typed:?}");
    }
    model.notice = None;
    keys(&mut model, "/nowhere\n");
    assert_eq!(model.notice.as_ref().unwrap().text, "not found");
    assert!(matches!(text(&model).kind, TextKind::Yaml(_)));
}

#[test]
fn the_comparison_knows_its_service() {
    let mut model = opened();
    keys(&mut model, "\n");
    let want = Compared {
        workload: fixture::id(Kind::Deployment),
        from: "checkout-old".into(),
        to: "checkout-new".into(),
    };
    assert_eq!(
        text(&model).kind,
        TextKind::Comparison {
            revisions: want,
            whole: 0
        }
    );
}
