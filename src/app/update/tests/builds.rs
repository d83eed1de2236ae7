//! Builds: which job is asked for, what the board and the screen say, and the way of a build to its server.

use super::*;
use crate::app::effect::JobsWish;
use crate::app::model::{BuildBox, BuildStage, TextKind};
use crate::config::Jenkins;
use crate::domain::build::{self, Job, JobHold, Outcome, Parameter, ParameterKind, State, sample};
use crate::domain::chain::Newest;
use crate::domain::{Failure, FailureKind};
use crate::plan::BuildProgress;
use crate::plan::build::Act;

fn jenkins() -> Jenkins {
    let text = "{name: ci, url: 'https://ci.example', jobs: {pattern: 'shop/{service}/{branch}'}}";
    serde_yaml::from_str(text).unwrap()
}

fn with_servers(environments: Vec<Environment>) -> (Model, Vec<Effect>) {
    let config = Config {
        jenkins: vec![jenkins()],
        environments,
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    let effects = put(&mut model, &[steady("auth"), stalled("checkout")]);
    (model, effects)
}

/// Two parameters; #7 runs, #6 was good with `eu`.
fn job() -> Job {
    let parameter = |name: &str, kind, default: Option<&str>| Parameter {
        name: name.into(),
        kind,
        default: default.map(Into::into),
        description: None,
    };
    let regions = ParameterKind::Choice(vec!["us".into(), "eu".into()]);
    Job {
        last: Some(sample::build(7, State::Running)),
        last_good: Some(6),
        parameters: vec![
            parameter("REGION", regions, Some("us")),
            parameter("TOKEN", ParameterKind::Password, None),
        ],
        ..sample::job()
    }
}

fn told(model: &mut Model, outcome: Result<Vec<Job>, Failure>) {
    let (server, at) = ("ci".into(), model.now);
    update(
        model,
        Event::JobsTold {
            server,
            at,
            outcome,
        },
    );
    settle(model);
}

fn id() -> build::JobId {
    build::JobId::new("ci", "shop/checkout/main")
}

pub fn with_job() -> Model {
    let (mut model, _) = with_servers(Vec::new());
    told(&mut model, Ok(vec![job()]));
    model
}

/// The builds of checkout, the second under the cursor.
pub fn opened() -> Model {
    let mut model = with_job();
    let effects = keys(&mut model, "b");
    let Some(Effect::ReadBuilds { job, of }) = effects.first().cloned() else {
        panic!("{effects:?}")
    };
    assert_eq!(of, id());
    let mut good = sample::build(6, State::Done(Outcome::Success));
    good.parameters = vec![("REGION".into(), "eu".into())];
    let failed = sample::build(5, State::Done(Outcome::Failure));
    let outcome = Ok(vec![sample::build(7, State::Running), good, failed]);
    update(&mut model, Event::BuildsRead { job, of, outcome });
    model
}

/// `B`, and what the job asks for.
fn asked(model: &mut Model, job: Job) {
    let effects = keys(model, "B");
    let [Effect::ReadJob { job: request, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    let (job, outcome) = (request, Ok(Box::new(job)));
    update(model, Event::JobRead { job, outcome });
}

fn shown(model: &Model) -> &BuildBox {
    let Some(Overlay::Build(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    shown
}

#[test]
fn the_builds_in_view_are_asked_once_which_image_they_made() {
    let numbers = |effects: &[Effect]| {
        let builds = effects.iter().filter_map(|effect| match effect {
            Effect::ReadBuildImages { service, builds } => {
                assert_eq!(**service, *"checkout");
                Some(builds.iter().map(|build| build.id.number))
            }
            _ => None,
        });
        builds.flatten().collect::<Vec<_>>()
    };
    let mut model = opened();
    let job = crate::app::event::JobId(99);
    let good = |number| sample::build(number, State::Done(Outcome::Success));
    let read = |model: &mut Model, builds: Vec<build::Build>| {
        let (of, outcome) = (id(), Ok(builds));
        update(model, Event::BuildsRead { job, of, outcome })
    };
    // Nothing says how an image is known.
    assert_eq!(numbers(&read(&mut model, vec![good(6)])), [0; 0]);
    model.settings.jenkins[0].image.artifact = Some("image.txt".into());
    assert_eq!(numbers(&read(&mut model, vec![good(6)])), [6, 5], "7 runs");
    assert_eq!(numbers(&read(&mut model, vec![good(6)])), [0; 0]);
    let image: Box<str> = "shop/checkout:2.15.0".into();
    let (build, made) = (good(6).id, image.clone());
    update(&mut model, Event::BuildMade { build, image: made });
    assert_eq!(model.chain.builds(&id())[1].image, Some(image));
    // What is below the end of the screen waits until it comes into view.
    let many: Vec<_> = (8..30).rev().map(good).collect();
    let first = numbers(&read(&mut model, many));
    assert!(first.len() < 20 && first[0] == 29, "{first:?}");
    let rest = numbers(&keys(&mut model, "G"));
    assert!(
        !rest.is_empty() && rest.iter().all(|n| !first.contains(n)),
        "{rest:?}"
    );
    // A poll alone asks for nothing.
    let (server, at, outcome) = ("ci".into(), model.now, Ok(vec![job_of_poll()]));
    let polled = update(
        &mut model,
        Event::JobsTold {
            server,
            at,
            outcome,
        },
    );
    assert_eq!(numbers(&polled), [0; 0]);
}

fn job_of_poll() -> Job {
    Job {
        last: Some(sample::build(30, State::Running)),
        ..job()
    }
}

#[test]
fn all_jobs_of_the_board_are_asked_for_at_once() {
    let (mut model, effects) = with_servers(Vec::new());
    let wish = |watched| JobsWish {
        server: "ci".into(),
        jobs: ["shop/auth/main".into(), "shop/checkout/main".into()].into(),
        watched,
    };
    let mut asked = effects;
    asked.extend(update(&mut model, Event::Ticked(fixture::now())));
    assert!(
        asked.contains(&Effect::WatchJobs(vec![wish(true)])),
        "{asked:?}"
    );
    let mut annotated = steady("auth");
    annotated.job = Some("other/auth".into());
    let mut effects = put(&mut model, &[annotated]);
    effects.extend(update(&mut model, Event::Ticked(fixture::now())));
    let jobs = effects.iter().find_map(|effect| match effect {
        Effect::WatchJobs(wishes) => Some(wishes[0].jobs.clone()),
        _ => None,
    });
    assert!(
        jobs.unwrap().contains("other/auth"),
        "the annotation comes first"
    );
}

#[test]
fn a_row_says_how_its_build_stands_and_a_silent_server_takes_nothing_away() {
    let mut model = with_job();
    let newest = |model: &Model, name: &str| {
        let mut rows = model.board.rows.iter();
        let row = rows.find(|row| &*row.id.name == name).unwrap();
        row.build.as_ref().unwrap().newest
    };
    let running = Newest::Running {
        number: 7,
        percent: None,
    };
    assert_eq!(newest(&model, "checkout"), Some(running));
    assert_eq!(newest(&model, "auth"), None, "nothing was told");
    let failure = Failure::new(FailureKind::Unreachable, "connection refused");
    told(&mut model, Err(failure));
    assert_eq!(newest(&model, "checkout"), Some(running));
    let said = crate::app::notes::notes(&model);
    assert!(
        said[0]
            .text
            .contains("ci: no answer for 0s: connection refused"),
        "{said:?}"
    );
}

#[test]
fn parameters_come_from_the_last_good_build_and_are_checked_before_they_are_asked() {
    let mut model = opened();
    asked(&mut model, job());
    let values: Vec<_> = shown(&model)
        .fields
        .iter()
        .map(|(_, f)| f.value())
        .collect();
    assert_eq!(
        values,
        ["eu", ""],
        "the last good one had eu, and no password is told"
    );
    keys(&mut model, "x\n");
    assert_eq!(
        shown(&model).said.as_deref(),
        Some("REGION: eux is none of us, eu")
    );
    keys(&mut model, "\t");
    assert_eq!(shown(&model).fields[0].1.value(), "us", "the next choice");
    keys(&mut model, "\n");
    assert_eq!(shown(&model).stage, BuildStage::Ready);
    assert!(
        keys(&mut model, "\n").is_empty(),
        "enter is not enough where one is guarded"
    );
    let effects = keys(&mut model, "y");
    let [Effect::Build { job, wish, answers }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(wish.act, Act::Start(vec![("REGION".into(), "us".into())]));
    assert!(answers.confirmed);
    let number = sample::build(8, State::Running).id;
    let progress = BuildProgress::Builds(number.clone());
    update(
        &mut model,
        Event::BuildProgressed {
            job: *job,
            progress,
        },
    );
    let effects = keys(&mut model, "\n");
    assert!(matches!(&effects[..], [Effect::ReadBuildLog { build, .. }] if *build == number));
}

#[test]
fn a_protected_environment_wants_arming_and_the_name() {
    let protected = Environment {
        name: "prod".into(),
        cluster: "prod-eu".into(),
        namespaces: Vec::new(),
        protection: Level::Protected,
        color: None,
        pin: crate::domain::Pin::Tag,
    };
    let (mut model, _) = with_servers(vec![protected]);
    told(&mut model, Ok(vec![job()]));
    let plain = || Job {
        parameters: Vec::new(),
        ..job()
    };
    asked(&mut model, plain());
    assert!(keys(&mut model, "y").is_empty());
    assert!(
        shown(&model)
            .said
            .as_deref()
            .unwrap()
            .contains("writes are off here")
    );
    assert!(keys(&mut model, "!y").is_empty(), "the name is asked for");
    assert!(keys(&mut model, "chec\n").is_empty());
    assert!(
        shown(&model)
            .said
            .as_deref()
            .unwrap()
            .contains("the name is not")
    );
    let effects = keys(&mut model, "kout\n");
    assert!(
        matches!(&effects[..], [Effect::Build { .. }]),
        "{effects:?}"
    );
    let (mut readonly, _) = with_servers(Vec::new());
    readonly.settings.readonly = true;
    told(&mut readonly, Ok(vec![job()]));
    asked(&mut readonly, plain());
    assert!(keys(&mut readonly, "y").is_empty());
}

#[test]
fn a_server_that_is_away_is_said_once() {
    let mut model = with_job();
    let away = || Failure::new(FailureKind::Unreachable, "connection refused");
    let read = |model: &mut Model| {
        let effects = keys(model, "b");
        let Some(Effect::ReadBuilds { job, of }) = effects.first().cloned() else {
            panic!("{effects:?}")
        };
        model.notice = None;
        let outcome = Err(away());
        update(model, Event::BuildsRead { job, of, outcome });
        model.notice.is_some()
    };
    assert!(read(&mut model), "its looks are good so far");
    told(&mut model, Err(away()));
    keys(&mut model, "q");
    assert!(!read(&mut model));
}

#[test]
fn what_runs_is_stopped_and_what_waits_is_taken_out() {
    let mut model = opened();
    keys(&mut model, "X");
    assert_eq!(
        shown(&model).wish.act,
        Act::Stop(sample::build(7, State::Running).id)
    );
    keys(&mut model, "qj");
    keys(&mut model, "X");
    assert_eq!(model.overlay, None);
    assert!(model.notice.as_ref().unwrap().text.contains("does not run"));
    let queued = Job {
        queued: Some(sample::queued()),
        ..job()
    };
    told(&mut model, Ok(vec![queued]));
    keys(&mut model, "X");
    assert_eq!(shown(&model).wish.act, Act::Cancel(sample::queued()));
}

#[test]
fn the_log_is_followed_from_its_end_and_stays_where_one_reads() {
    let mut model = opened();
    let effects = keys(&mut model, "\n");
    let [Effect::ReadBuildLog { job, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    let piece = |model: &mut Model, count: usize| {
        let lines = (0..count).map(|n| n.to_string()).collect();
        let read_at = model.now;
        let document = crate::app::event::Document { lines, read_at };
        let outcome = Ok((document, true));
        update(model, Event::BuildLogged { job, outcome });
    };
    let at = |model: &Model| match model.screens.last() {
        Some(Screen::Text(text)) => {
            assert!(matches!(text.kind, TextKind::BuildLog(..)));
            let lines = &text.document.value().unwrap().lines;
            (text.offset, lines.len())
        }
        other => panic!("{other:?}"),
    };
    piece(&mut model, 100);
    let (end, _) = at(&model);
    assert!(end > 50, "{end}");
    piece(&mut model, 100);
    assert_eq!(at(&model), (end + 100, 200));
    keys(&mut model, "g");
    piece(&mut model, 100);
    assert_eq!(at(&model), (0, 300));
    piece(&mut model, 50_000);
    assert_eq!(at(&model), (0, 20_000), "bounded");
}

/// Held by a colleague for an hour.
fn held(model: &Model) -> (Job, JobHold) {
    let hold = JobHold {
        by: "ana@bastion".into(),
        until: model.now + SignedDuration::from_hours(1),
        why: "INC-812".into(),
    };
    let mut job = job();
    job.description = Some(hold.described(Some("builds the shop")).into());
    job.buildable = false;
    (job, hold)
}

#[test]
fn a_job_that_is_held_is_told_until_one_key_ends_it() {
    let mut model = with_job();
    let (job, hold) = held(&model);
    told(&mut model, Ok(vec![job.clone()]));
    let said = |model: &Model| {
        let notes = crate::app::notes::notes(model).into_iter();
        let mut notes = notes.map(|note| note.text);
        notes.find(|words| words.contains("checkout's job"))
    };
    let words = said(&model).unwrap();
    assert!(words.starts_with("checkout's job held until"), "{words}");
    assert!(
        words.ends_with("by ana@bastion: INC-812 · h ends it"),
        "{words}"
    );
    let later = model.now + SignedDuration::from_hours(2);
    update(&mut model, Event::Ticked(later));
    let words = said(&model).unwrap();
    assert!(words.contains("still held, though only until"), "{words}");
    // The cursor is on another service, and the line tells of this one.
    keys(&mut model, "Gh");
    assert_eq!(shown(&model).wish.act, Act::Resume(hold));
    let effects = keys(&mut model, "y");
    let [Effect::Build { job: asked, .. }] = effects[..] else {
        panic!("{effects:?}")
    };
    let progress = BuildProgress::Done("it is on again".into());
    let effects = update(
        &mut model,
        Event::BuildProgressed {
            job: asked,
            progress,
        },
    );
    assert!(
        matches!(effects[..], [Effect::WatchJobs(_)]),
        "it is looked at again: {effects:?}"
    );
    keys(&mut model, "q");
    told(&mut model, Ok(vec![self::job()]));
    assert_eq!(said(&model), None);
    keys(&mut model, "h");
    assert_eq!(model.overlay, None);
    assert!(
        model
            .notice
            .as_ref()
            .unwrap()
            .text
            .contains("no job is held")
    );
}
