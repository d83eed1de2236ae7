//! The commits between two revisions, on the service's screen and below a comparison.

use std::collections::HashMap;

use rolldeck::app::event::{Diagnosis, Document, Event, JobId};
use rolldeck::app::{Effect, Model, settle, update};
use rolldeck::domain::Commit;
use rolldeck::domain::Remote;
use rolldeck::domain::commit::{Between, CheckState, CommitFacts, Commits, PullRequest, Told};
use rolldeck::plan::Finding;
use rolldeck::plan::push::hook::{Wanted, hook};

use super::builds::{COMMIT, id, recent, with_builds};
use super::cells::{drawn, text};
use super::night::{ago, model, night, press};
use super::snapshots::check;

const OLD: &str = "03fe21d9911c0a77aa4102d1f0e9c8b7a6f5e4d3";

fn commit(id: &str, subject: &str, author: &str, age: i64) -> Commit {
    Commit {
        id: id.into(),
        subject: subject.into(),
        author: author.into(),
        at: Some(ago(age)),
        url: Some(format!("https://github.com/shop/checkout/commit/{id}").into()),
    }
}

fn told(between: &Between) -> Told {
    let second = "5d2f00aa11bb22cc33dd44ee55ff66007788990a";
    let third = "6e3f00aa11bb22cc33dd44ee55ff66007788990b";
    let pull = |number, title: &str| {
        Some(PullRequest {
            number,
            title: title.into(),
            author: "ana".into(),
            url: format!("https://github.com/shop/checkout/pull/{number}").into(),
        })
    };
    let facts = |pull, state| CommitFacts { pull, state };
    Told {
        commits: Commits {
            between: (between.from.clone(), between.to.clone()),
            list: vec![
                commit(COMMIT, "new checkout flow", "ana", 900),
                commit(second, "fix: rounding \u{1b}[31mof prices", "bob", 4000),
                commit(third, "Read the limits from the settings", "", 90_000),
            ],
            ..Commits::default()
        },
        facts: HashMap::from([
            (
                COMMIT.into(),
                facts(pull(41, "New flow"), Some(CheckState::Passed)),
            ),
            (second.into(), facts(None, Some(CheckState::Failed))),
            (
                third.into(),
                facts(pull(39, "Limits"), Some(CheckState::Pending)),
            ),
        ]),
        gap: None,
    }
}

/// The service's screen, and what it asks of the repository.
fn opened(width: u16, height: u16) -> (Model, Box<Between>) {
    let mut model = with_builds(width, height);
    let rules = "[{url: 'git@github.com:shop/{service}.git', token: {env: TOKEN}}]";
    model.settings.repositories = serde_yaml::from_str(rules).unwrap();
    let mut older = recent().pop().unwrap();
    older.sources[0].revision = OLD.into();
    let read = Event::BuildsRead {
        job: JobId(0),
        of: id("checkout"),
        outcome: Ok(vec![older]),
    };
    update(&mut model, read);
    settle(&mut model);
    let asked = asked_for(press(&mut model, &["enter"]));
    (model, asked.unwrap())
}

fn asked_for(effects: Vec<Effect>) -> Option<Box<Between>> {
    effects.into_iter().find_map(|effect| match effect {
        Effect::ReadCommits { between, .. } => Some(between),
        _ => None,
    })
}

fn tell(model: &mut Model, between: Box<Between>, outcome: Result<Told, String>) {
    let outcome = outcome.map(Box::new);
    update(model, Event::CommitsTold { between, outcome });
    settle(model);
}

#[test]
fn the_service_says_which_commits_came_with_a_revision() {
    check("service_commits", |w, h| {
        let (mut model, between) = opened(w, h);
        assert_eq!((&*between.from, &*between.to), (OLD, COMMIT));
        let answer = told(&between);
        tell(&mut model, between, Ok(answer));
        model
    });
}

#[test]
fn a_comparison_lists_them_all_whenever_they_come() {
    let compared = |w, h, early: bool| {
        let (mut model, between) = opened(w, h);
        let answer = Ok(told(&between));
        if early {
            tell(&mut model, between.clone(), answer.clone());
        }
        let effects = press(&mut model, &["enter"]);
        let job = effects.into_iter().find_map(|effect| match effect {
            Effect::Compare { job, .. } => Some(job),
            _ => None,
        });
        let document = Document {
            lines: vec![
                "-     image: checkout:2.14.1".into(),
                "+     image: checkout:2.15.0".into(),
            ],
            read_at: model.now,
        };
        let fetched = Event::Fetched {
            job: job.unwrap(),
            outcome: Ok(document),
        };
        update(&mut model, fetched);
        if !early {
            let shown = text(&drawn(&model));
            assert!(
                shown.contains("COMMITS being read from github.com/shop/checkout"),
                "{shown}"
            );
            tell(&mut model, between, answer);
        }
        model
    };
    assert_eq!(
        text(&drawn(&compared(120, 40, true))),
        text(&drawn(&compared(120, 40, false)))
    );
    check("comparison_commits", |w, h| compared(w, h, true));
}

#[test]
fn it_is_said_while_they_are_read_and_why_they_are_not_known() {
    let (mut model, between) = opened(120, 40);
    let shown = text(&drawn(&model));
    assert!(
        shown.contains("commits  being read from github.com/shop/"),
        "{shown}"
    );
    tell(&mut model, between, Err("git is not installed here".into()));
    let shown = text(&drawn(&model));
    assert!(
        shown.contains("commits  unknown for 0s: git is not installed here"),
        "{shown}"
    );
    let ticked = update(&mut model, Event::Ticked(ago(-30)));
    assert!(asked_for(ticked).is_none(), "not by itself");
    let asked = asked_for(press(&mut model, &["ctrl-r"]));
    tell(&mut model, asked.unwrap(), Err("still not".into()));
    let shown = text(&drawn(&model));
    assert!(
        shown.contains("commits  unknown for 30s: still not"),
        "{shown}"
    );
}

/// What the doctor says of two services, one of which has a hook to be installed.
fn diagnosed(width: u16, height: u16) -> Model {
    let mut model = model(&night(), width, height);
    let effects = press(&mut model, &[":", "d", "o", "c", "t", "o", "r", "enter"]);
    let Some(Effect::Diagnose { job, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    let remote = Remote::parse("/srv/git/cart.git").unwrap();
    let script = hook(&Wanted {
        remote: &remote,
        branch: "main",
        server: "https://ci.example",
        job_url: "https://ci.example/job/cart",
        job: "cart",
        hudson: false,
        checks_out: None,
        parameters: vec!["GIT_COMMIT"],
    });
    let proven = "checkout: reaches: #812, started by a push 4m ago, built the newest commit of main, a1b9e3c";
    let unproven = "cart: unproven: the job was never built";
    for (finding, sentence, hook) in [
        (Finding::Ok, proven, None),
        (Finding::Unverified, unproven, Some(Box::new(script))),
    ] {
        let finding = Diagnosis {
            finding,
            about: "push".into(),
            sentence: sentence.into(),
            hint: None,
            last: hook.is_some(),
            hook,
        };
        update(&mut model, Event::Diagnosed { job: *job, finding });
    }
    model
}

#[test]
fn the_doctor_prints_the_hook_that_is_missing() {
    check("doctor_push", diagnosed);
    let mut model = diagnosed(80, 24);
    let effects = press(&mut model, &["c"]);
    let [Effect::Copy { text: copied }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert!(copied.contains("\n#!/bin/sh\n"), "{copied}");
    press(&mut model, &["G"]);
    let shown = text(&drawn(&model));
    assert!(shown.contains("the log is in"), "{shown}");
    press(&mut model, &["k"]);
    assert_ne!(shown, text(&drawn(&model)), "one line up");
}
