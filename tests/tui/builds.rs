//! Builds: the column of the board, the screen of a job, the box that starts one, and the way of a revision.

use std::time::Duration;

use rolldeck::app::event::Event;
use rolldeck::app::model::Overlay;
use rolldeck::app::{Model, settle, update};
use rolldeck::config::{FolderRule, Jenkins};
use rolldeck::domain::build::{
    Build, BuildId, Checkout, Job, JobHold, JobId, Outcome, Parameter, ParameterKind, Stage,
    StageState, State, Tests, Trigger,
};
use rolldeck::domain::image_work::ImageWork;
use rolldeck::domain::{
    Arguments, Commit, Failure, FailureKind, Kind, Level, Presence, Recipe, WorkTree,
};
use rolldeck::plan::image::{FolderBuild, ImageAct, Made, of_source, of_target};
use rolldeck::plan::{
    BuildProgress, CheckId, Finding, ImagePlan, ImageProgress, Offer, OfferId, Stamp, Step,
};

use super::night::{MINUTE, ago, model, night, press};
use super::plans::{accepted, asked, may, says, with_plan};
use super::snapshots::check;

pub const COMMIT: &str = "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c";

fn servers() -> Vec<Jenkins> {
    let text =
        "[{name: ci, url: 'https://ci.example', jobs: {pattern: 'shop/{service}/{branch}'}}]";
    serde_yaml::from_str(text).unwrap()
}

pub fn id(service: &str) -> JobId {
    JobId::new("ci", &format!("shop/{service}/main"))
}

fn build(service: &str, number: u32, state: State, started: i64) -> Build {
    let done = state != State::Running;
    Build {
        id: BuildId {
            job: id(service),
            number,
        },
        state,
        url: format!("https://ci.example/job/shop/job/{service}/job/main/{number}/").into(),
        item: None,
        started: Some(ago(started)),
        duration: done.then_some(Duration::from_secs(62)),
        estimated: Some(Duration::from_secs(100)),
        description: None,
        parameters: vec![("REGION".into(), "eu".into())],
        causes: vec!["Started by an SCM change".into()],
        trigger: Trigger::Change,
        sources: vec![Checkout {
            revision: COMMIT.into(),
            remotes: Vec::new(),
        }],
        commits: vec![Commit {
            id: COMMIT.into(),
            author: "ana".into(),
            subject: "new checkout flow".into(),
            at: None,
            url: None,
        }],
        culprits: Vec::new(),
        tests: Some(Tests {
            total: 312,
            failed: 0,
            skipped: 2,
        }),
        artefacts: Vec::new(),
        stages: Vec::new(),
        image: None,
    }
}

fn job(service: &str, last: Build) -> Job {
    let parameter = |name: &str, kind, default: Option<&str>| Parameter {
        name: name.into(),
        kind,
        default: default.map(Into::into),
        description: None,
    };
    let regions = ParameterKind::Choice(vec!["us".into(), "eu".into()]);
    Job {
        id: id(service),
        url: last.url.clone(),
        buildable: true,
        managed: false,
        description: None,
        next_number: last.id.number + 1,
        queued: None,
        last: Some(last),
        last_good: Some(812),
        parameters: vec![
            parameter("REGION", regions, Some("us")),
            parameter("DEPLOY_TOKEN", ParameterKind::Password, None),
            parameter("SKIP_TESTS", ParameterKind::Flag, Some("false")),
        ],
    }
}

fn good() -> State {
    State::Done(Outcome::Success)
}

fn failed() -> State {
    State::Done(Outcome::Failure)
}

/// Checkout builds its next version, billing is red for two hours, the others are well.
fn jobs() -> Vec<Job> {
    vec![
        job("checkout", build("checkout", 813, State::Running, 40)),
        job("billing", build("billing", 101, failed(), 120 * MINUTE)),
        job("auth", build("auth", 219, good(), 72 * 60 * MINUTE)),
        job("search", build("search", 97, good(), 5 * MINUTE)),
    ]
}

pub fn recent() -> Vec<Build> {
    let mut running = build("checkout", 813, State::Running, 40);
    let stage = |name: &str, state, seconds| Stage {
        name: name.into(),
        state,
        duration: Duration::from_secs(seconds),
        error: None,
    };
    running.stages = vec![
        stage("compile", StageState::Success, 21),
        stage("test", StageState::Running, 19),
    ];
    let mut made = build("checkout", 812, good(), 6 * MINUTE);
    made.image = Some("registry.example/shop/checkout:2.15.0".into());
    let mut bad = build("checkout", 811, failed(), 50 * MINUTE);
    bad.tests = Some(Tests {
        total: 312,
        failed: 3,
        skipped: 0,
    });
    bad.culprits = vec!["bob".into()];
    let mut older = build("checkout", 806, good(), 14 * 24 * 60 * MINUTE);
    older.image = Some("registry.example/shop/checkout:2.14.1".into());
    older.commits[0].subject = "keep carts for a week".into();
    vec![running, made, bad, older]
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

pub fn with_builds(width: u16, height: u16) -> Model {
    let mut model = model(&night(), width, height);
    model.settings.jenkins = servers();
    let all: Vec<_> = model.fleet.workloads().map(|w| w.id.clone()).collect();
    model.work.touched.extend(all);
    settle(&mut model);
    told(&mut model, Ok(jobs()));
    let read = Event::BuildsRead {
        job: rolldeck::app::event::JobId(0),
        of: id("checkout"),
        outcome: Ok(recent()),
    };
    update(&mut model, read);
    settle(&mut model);
    model
}

#[test]
fn the_board_says_how_builds_stand() {
    check("builds_board", with_builds);
}

#[test]
fn a_server_that_is_away_is_said_and_its_builds_stay() {
    check("builds_silent", |w, h| {
        let mut model = with_builds(w, h);
        let why = "read the jobs: connection refused";
        told(&mut model, Err(Failure::new(FailureKind::Unreachable, why)));
        model
    });
}

#[test]
fn the_builds_of_a_service_say_which_revision_runs_them() {
    check("builds", |w, h| {
        let mut model = with_builds(w, h);
        press(&mut model, &["b"]);
        model
    });
}

#[test]
fn the_service_says_how_what_runs_came_here() {
    check("builds_service", |w, h| {
        let mut model = with_builds(w, h);
        press(&mut model, &["enter"]);
        model
    });
}

/// `B` on checkout, and what its job asks for.
fn box_of(width: u16, height: u16) -> Model {
    let mut model = with_builds(width, height);
    press(&mut model, &["B"]);
    let Some(Overlay::Build(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    let (job, outcome) = (shown.job, Ok(Box::new(jobs().remove(0))));
    update(&mut model, Event::JobRead { job, outcome });
    model
}

#[test]
fn a_build_is_asked_for_with_its_parameters() {
    check("build_box", box_of);
    check("build_ready", |w, h| {
        let mut model = box_of(w, h);
        press(&mut model, &["enter"]);
        model
    });
    check("build_found", |w, h| {
        let mut model = box_of(w, h);
        press(&mut model, &["enter", "!", "y"]);
        press(
            &mut model,
            &"checkout"
                .split("")
                .filter(|c| !c.is_empty())
                .collect::<Vec<_>>(),
        );
        press(&mut model, &["enter"]);
        let Overlay::Build(shown) = model.overlay.clone().unwrap() else {
            panic!("{:?}", model.overlay)
        };
        let build = build("checkout", 814, State::Running, 1).id;
        let progress = BuildProgress::Builds(build);
        update(
            &mut model,
            Event::BuildProgressed {
                job: shown.job,
                progress,
            },
        );
        model
    });
}

fn folders() -> Vec<FolderRule> {
    serde_yaml::from_str("[{folder: '/src/shop/{service}'}]").unwrap()
}

/// `B`, then the key of the other way, and a plan that is blocked, of a folder that is changed.
fn from_folder(width: u16, height: u16) -> Model {
    let mut model = with_builds(width, height);
    model.settings.builds = folders();
    press(&mut model, &["B", "ctrl-o"]);
    let Some(Overlay::Image(shown)) = model.overlay.clone() else {
        panic!("{:?}", model.overlay)
    };
    let tree = WorkTree {
        commit: COMMIT.into(),
        changed: 3,
        origin: Some("https://git.example/shop/checkout".into()),
    };
    let image = "registry.example/shop/checkout:2.15.1";
    let there = Presence::Present {
        digest: "sha256:9f2c41aa".into(),
        at: model.now,
    };
    let plan = ImagePlan {
        stamp: Stamp {
            id: "7".into(),
            by: "oncall@bastion".into(),
            at: model.now,
        },
        workload: shown.ask.workload.clone(),
        uid: shown.ask.uid.clone(),
        level: Level::Protected,
        checks: vec![
            of_target(image, &there, None),
            of_source(&Ok(Some(tree.clone()))),
        ],
        act: ImageAct::Build(Box::new(FolderBuild {
            recipe: Recipe {
                folder: "/src/shop/checkout".into(),
                dockerfile: "Dockerfile".into(),
                arguments: Arguments([("GO_VERSION".into(), "1.26".into())].into()),
                ..Recipe::default()
            },
            tree: Some(tree),
            engine: "Docker 20.10.24 at unix:///var/run/docker.sock".into(),
            image: image.into(),
            push: true,
        })),
    };
    assert_eq!(plan.workload.kind, Kind::Deployment);
    let (job, outcome) = (shown.job, Ok(Box::new(plan)));
    update(&mut model, Event::ImagePlanned { job, outcome });
    model
}

#[test]
fn a_build_from_a_folder_says_from_what_and_to_where() {
    check("build_box_with_a_folder", |w, h| {
        let mut model = with_builds(w, h);
        model.settings.builds = folders();
        press(&mut model, &["B"]);
        model
    });
    check("making_plan", |w, h| {
        let mut model = from_folder(w, h);
        press(&mut model, &["!"]);
        model
    });
}

#[test]
fn the_log_of_an_image_grows_to_its_end() {
    check("making_log", |w, h| {
        let mut model = from_folder(w, h);
        press(&mut model, &["!", "O", "r", "e", "d", "o", "enter", "y"]);
        press(
            &mut model,
            &["c", "h", "e", "c", "k", "o", "u", "t", "enter"],
        );
        let making = model.makings.values().next().unwrap();
        let (job, image) = (making.job, making.plan.image().to_owned());
        let step = |number, text: &str| ImageWork::Step {
            number,
            of: 2,
            text: text.into(),
        };
        let layer = |done| ImageWork::Layer {
            id: "".into(),
            doing: "Pushing".into(),
            bytes: Some((done, 48_000_000)),
        };
        let told = [
            step(1, "FROM golang:1.26"),
            step(2, "RUN go build ./..."),
            ImageWork::Output("ok  shop/checkout  0.4s \u{1b}[2J".into()),
            ImageWork::Done("sha256:0c1d".into()),
            layer(1_000_000),
            layer(48_000_000),
            ImageWork::Done("sha256:9f2c41aa".into()),
        ];
        let mut news: Vec<_> = told.into_iter().map(ImageProgress::Told).collect();
        news.push(ImageProgress::Made(Made {
            image,
            digest: "sha256:9f2c41aa".into(),
            pushed: true,
        }));
        update(&mut model, Event::ImageProgressed { job, news });
        settle(&mut model);
        model
    });
}

/// Checkout's job is held for half an hour more.
fn held(width: u16, height: u16) -> Model {
    let mut model = with_builds(width, height);
    let mut job = jobs().remove(0);
    job.buildable = false;
    let hold = JobHold {
        by: "oncall@bastion".into(),
        until: ago(-30 * MINUTE),
        why: "INC-812".into(),
    };
    job.description = Some(hold.described(None).into());
    told(&mut model, Ok(vec![job]));
    model
}

#[test]
fn a_held_job_is_said_with_who_and_until_when() {
    check("builds_held_board", held);
    check("builds_held", |w, h| {
        let mut model = held(w, h);
        press(&mut model, &["b"]);
        model
    });
    check("builds_held_ends", |w, h| {
        let mut model = held(w, h);
        press(&mut model, &["h"]);
        model
    });
}

#[test]
fn a_plan_holds_the_job_first() {
    for taken in [false, true] {
        let name = if taken {
            "builds_plan_held"
        } else {
            "builds_plan"
        };
        check(name, |w, h| {
            with_plan(w, h, |mut plan, shown| {
                let step = Step::Hold {
                    job: id("checkout"),
                    until: ago(-60 * MINUTE),
                    why: "rolled back".into(),
                    what: "hold shop/checkout/main on ci until 13:00".into(),
                };
                let words = "holds the job until 13:00, so that it builds nothing over this";
                plan.offers
                    .push(Offer::new(OfferId::HoldJob, 'h', words, vec![step]));
                plan.take(OfferId::HoldJob, taken);
                let running = "build #813 of main is running: what it makes may go out over this";
                let builds = says(CheckId::Builds, Finding::Warn, running);
                plan.checks.push(builds.into());
                shown.stage = asked(plan, vec![may(), accepted()]);
            })
        });
    }
}
