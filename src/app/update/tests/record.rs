//! The record on the screen: what it tells, and what opens from a row.

use super::*;
use crate::app::effect::Effect;
use crate::app::event::JobId;
use crate::app::model::RecordScreen;
use crate::domain::Failure;
use crate::domain::release_record::{Gathering, Line, Page};
use crate::plan::Verb;

/// Newest first; `end` is how the newest ended.
pub fn page(end: &[&str], verb: &str) -> Page {
    let sent = |id: &str, service: &str, verb: &str| {
        format!(
            r#"{{"event":"sending","id":"{id}","at":"2026-11-14T03:00:00Z","verb":"{verb}","workload":{{"cluster":"prod-eu","namespace":"shop","kind":"Deployment","name":"{service}"}},"uid":"uid-{service}","from":{{"number":42,"name":"{service}-bad","version":"2.15.0"}},"to":{{"number":41,"name":"{service}-good","version":"2.14.1"}},"by":"oncall@bastion","serverUser":null,"reason":null,"overrideReason":null,"checks":[],"steps":["patch"]}}"#
        )
    };
    let mut lines: Vec<String> = end.iter().rev().map(|line| (*line).to_owned()).collect();
    lines.push(sent("n", "checkout", verb));
    lines.push(sent("o1", "auth", "pause"));
    lines.extend((2..60).map(|n| sent(&format!("o{n}"), "search", "restart")));
    let mut gathering = Gathering::default();
    for line in lines {
        let line: Line = serde_json::from_str(&line).unwrap();
        gathering.take(line);
    }
    gathering.end(0)
}

const VERIFIED: &str = r#"{"event":"ended","id":"n","at":"2026-11-14T03:00:52Z","workload":{"cluster":"prod-eu","namespace":"shop","kind":"Deployment","name":"checkout"},"verified":true,"sentence":"verified: all run"}"#;
const NOT_APPLIED: &str = r#"{"event":"found","id":"n","at":"2026-11-14T03:00:52Z","became":"not-applied","sentence":"as before"}"#;

fn asked(effects: &[Effect]) -> JobId {
    let job = effects.iter().find_map(|effect| match effect {
        Effect::ReadRecord { job } => Some(*job),
        _ => None,
    });
    job.unwrap_or_else(|| panic!("{effects:?}"))
}

pub fn opened(page: Page) -> Model {
    let mut model = fleet();
    let job = asked(&keys(&mut model, "a"));
    let outcome = Ok(page);
    update(&mut model, Event::RecordRead { job, outcome });
    model
}

fn screen(model: &Model) -> &RecordScreen {
    let Some(Screen::Record(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

fn marked(model: &Model) -> &str {
    screen(model).marked.as_deref().unwrap()
}

#[test]
fn the_newest_is_marked_and_the_mark_stays_on_its_action() {
    let mut model = opened(page(&[], "rollback"));
    assert_eq!((marked(&model), screen(&model).rows.len()), ("n", 60));
    keys(&mut model, "j");
    assert_eq!(marked(&model), "o1");
    // One more is done meanwhile, here or elsewhere.
    let effects = update(&mut model, Event::Recorded);
    let job = asked(&effects);
    let mut more = page(&[], "rollback");
    let mut newest = more.actions[0].clone();
    newest.sending.id = "newest".into();
    more.actions.insert(0, newest);
    let outcome = Ok(more);
    update(&mut model, Event::RecordRead { job, outcome });
    assert_eq!((marked(&model), screen(&model).at()), ("o1", 2));
    keys(&mut model, "G");
    assert_eq!((marked(&model), screen(&model).at()), ("o59", 60));
    assert!(screen(&model).offset > 0);
    keys(&mut model, "\x1b");
    assert!(model.screens.is_empty());
    assert!(
        update(&mut model, Event::Recorded).is_empty(),
        "nobody looks"
    );
}

#[test]
fn a_reading_that_fails_keeps_what_was_read() {
    let mut model = opened(page(&[], "rollback"));
    let job = asked(&keys(&mut model, "^r"));
    let failure = Failure::new(crate::domain::FailureKind::Config, "no such device");
    let outcome = Err(failure);
    update(&mut model, Event::RecordRead { job, outcome });
    assert_eq!(screen(&model).rows.len(), 60);
    assert!(matches!(
        screen(&model).page.state,
        crate::domain::known::State::Failed { .. }
    ));
}

#[test]
fn words_narrow_it() {
    let mut model = opened(page(&[VERIFIED], "rollback"));
    for (typed, rows) in [
        ("/checkout", 1),
        ("^upause auth", 1),
        ("^u!restart", 2),
        ("^uverified", 1),
        ("^ubastion 2.15.0", 60),
        ("^unobody", 0),
    ] {
        keys(&mut model, typed);
        assert_eq!(screen(&model).rows.len(), rows, "{typed}");
    }
    keys(&mut model, "\n\n");
    let notice = model.notice.as_ref().map(|n| n.text.clone());
    assert_eq!(
        notice.as_deref(),
        Some("there is no action under the cursor")
    );
    keys(&mut model, "\x1b");
    assert_eq!(screen(&model).rows.len(), 60);
}

#[test]
fn the_whole_action_is_told_and_told_again() {
    let mut model = opened(page(&[], "rollback"));
    keys(&mut model, "\n");
    let told = |model: &Model| {
        let Some(Screen::Text(text)) = model.screens.last() else {
            panic!("{:?}", model.screens)
        };
        text.document.value().unwrap().lines.join("\n")
    };
    assert!(told(&model).contains("oncall@bastion"));
    assert!(told(&model).contains("nothing says what became of it"));
    let job = asked(&keys(&mut model, "^r"));
    let outcome = Ok(page(&[VERIFIED], "rollback"));
    update(&mut model, Event::RecordRead { job, outcome });
    assert!(told(&model).contains("verified: all run"));
}

/// What the key asks for, or what it says.
fn planned(key: &str, end: &[&str], verb: &str) -> Result<(Verb, Target), String> {
    let mut model = opened(page(end, verb));
    let effects = keys(&mut model, key);
    let gather = effects.iter().find_map(|effect| match effect {
        Effect::Gather { request, .. } => {
            assert_eq!(&*request.workload.name, "checkout");
            Some((request.verb, request.target.clone()))
        }
        _ => None,
    });
    gather.ok_or_else(|| model.notice.map(|n| n.text).unwrap_or_default())
}

#[test]
fn one_key_leads_to_the_plan_back() {
    let refused = |accepted: usize| {
        format!(
            r#"{{"event":"answered","id":"n","at":"2026-11-14T03:00:01Z","outcome":"refused","accepted":{accepted},"sentence":"no"}}"#
        )
    };
    let back = Ok((Verb::Rollback, Target::Named("checkout-bad".into())));
    let none = Err("There is nothing to undo: this rollback was not applied.".to_owned());
    for (end, verb, want) in [
        (&[VERIFIED][..], "rollback", back.clone()),
        (&[], "rollback", back.clone()),
        (&[VERIFIED], "pause", Ok((Verb::Resume, Target::Proposed))),
        (&[VERIFIED], "resume", Ok((Verb::Pause, Target::Proposed))),
        (&[VERIFIED], "set-image", back.clone()),
        (
            &[VERIFIED],
            "scale",
            Err("The record keeps no number of replicas: an autoscaler sets it.".into()),
        ),
        (
            &[VERIFIED],
            "restart",
            Err(
                "A restart cannot be undone: its pods were made anew from the same template."
                    .into(),
            ),
        ),
        (
            &[VERIFIED],
            "explode",
            Err("This version of rolldeck does not know the verb explode.".into()),
        ),
        (&[NOT_APPLIED], "rollback", none.clone()),
        (&[&refused(0)], "rollback", none),
        (&[&refused(1)], "rollback", back),
    ] {
        assert_eq!(planned("U", end, verb), want, "{verb} {end:?}");
    }
}

#[test]
fn another_leads_to_the_plan_of_what_is_left() {
    let again = Ok((Verb::Rollback, Target::Named("checkout-good".into())));
    for (end, verb, want) in [
        (&[][..], "rollback", again.clone()),
        (&[NOT_APPLIED], "rollback", again),
        (&[], "pause", Ok((Verb::Pause, Target::Proposed))),
        (
            &[VERIFIED],
            "rollback",
            Err("There is nothing left to do: it came to its end, verified.".to_owned()),
        ),
    ] {
        assert_eq!(planned("F", end, verb), want, "{verb} {end:?}");
    }
    let mut page = page(&[], "rollback");
    page.under_way = vec!["n".into()];
    let mut model = opened(page);
    assert!(keys(&mut model, "F").is_empty());
    assert!(model.notice.unwrap().text.contains("under way"));
}

#[test]
fn no_plan_is_made_for_another_object() {
    let mut page = page(&[VERIFIED], "rollback");
    page.actions[0].sending.uid = "before".into();
    let mut model = opened(page.clone());
    assert!(keys(&mut model, "U").is_empty());
    assert!(model.notice.take().unwrap().text.contains("created again"));
    page.actions[0].sending.workload.cluster = "prod-us".into();
    let mut model = opened(page);
    assert!(keys(&mut model, "U").is_empty());
    assert!(model.notice.unwrap().text.contains("not on the board"));
}

#[test]
fn what_was_interrupted_is_asked_once_and_said_until_the_record_is_opened() {
    use crate::app::notes::notes;
    use crate::domain::release_record::Became;
    use crate::plan::aftermath::{Aftermath, Interrupted};
    let looks = |effects: &[Effect]| {
        let look = |effect: &&Effect| matches!(effect, Effect::LookBack { .. });
        effects.iter().filter(look).count()
    };
    let (mut model, effects) = model_with(&Config::default(), None);
    assert_eq!(looks(&effects), 1);
    let state = Connection::Connected(identity(None));
    let cluster: crate::domain::ClusterId = "prod-eu".into();
    let again = Event::Connection {
        cluster: cluster.clone(),
        state,
    };
    assert_eq!(looks(&update(&mut model, again)), 0);
    let one = |became, last| Interrupted {
        sending: page(&[], "rollback").actions[0].sending.clone(),
        outcome: Ok(Aftermath {
            became,
            sentence: "its note is there".into(),
            last,
        }),
    };
    let told = |model: &mut Model, interrupted: Vec<Interrupted>| {
        let event = Event::LookedBack {
            cluster: cluster.clone(),
            interrupted,
        };
        update(model, event);
        notes(model)
            .into_iter()
            .map(|note| note.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(&mut model, vec![one(Became::Applied, true)]),
        [
            "rollback of deploy/checkout was interrupted at 03:00, applied: its note is there; a shows it"
        ]
    );
    assert!(
        told(&mut model, vec![one(Became::NotApplied, false)])[0].contains("not applied so far")
    );
    let two = vec![one(Became::Unknown, true), one(Became::Unknown, true)];
    assert!(told(&mut model, two)[0].starts_with("2 actions were interrupted, the last at 03:00"));
    keys(&mut model, "a\x1b");
    assert!(notes(&model).is_empty());
}

#[test]
fn a_scale_is_undone_by_the_number_that_was_left() {
    use crate::domain::release_record::Replicas;
    let mut page = page(&[VERIFIED], "scale");
    page.actions[0].sending.replicas = Some(Replicas { from: 6, to: 9 });
    let mut model = opened(page);
    let effects = keys(&mut model, "U");
    let [Effect::Gather { request, .. }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(request.verb, Verb::Scale);
    assert_eq!(request.target, Target::Replicas { shown: 9, to: 6 });
}
