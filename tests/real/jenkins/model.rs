//! The embedded Jenkins: it does what the real Hudson does in all that they share, and three clients that others
//! wrote for Jenkins find in it what they expect.

use std::process::Command;
use std::sync::LazyLock;

use futures::StreamExt as _;
use rolldeck::actions::{self, BuildOrder, Recorder};
use rolldeck::config::{Jenkins, Proxy};
use rolldeck::demo::scenario::Scenario;
use rolldeck::demo::{self, Options, Running, jenkins};
use rolldeck::domain::build::{JobHold, Outcome, StageState, State};
use rolldeck::domain::{ClusterId, Kind, Level, WorkloadId};
use rolldeck::plan::build::Act;
use rolldeck::plan::{Answers, BuildPlan, BuildProgress, BuildWish};
use rolldeck::sources::jenkins::{Client, Error, Flavour, LogReader, Stop, connect};

use super::{Hudson, RUNTIME, built, client, done, given, queued, settings, start, wait};

/// A service of the tour that nothing happens to.
const JOB: &str = "shop/checkout/main";

/// A build takes 24 seconds here: what is to be seen in the middle of one is not missed.
fn slow() -> &'static Running {
    static WORLD: LazyLock<Running> = LazyLock::new(|| world(1));
    &WORLD
}

/// And 6 here.
fn quick() -> &'static Running {
    static WORLD: LazyLock<Running> = LazyLock::new(|| world(4));
    &WORLD
}

fn world(speed: u32) -> Running {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = Options {
        scenario: Scenario::find("tour").unwrap(),
        seed: 1,
        speed,
        services: None,
    };
    RUNTIME.block_on(demo::start(options)).unwrap()
}

fn embedded(world: &Running, secret: &str) -> Result<Client, Error> {
    let settings = Jenkins {
        url: world.endpoints.jenkins.clone(),
        user: Some(jenkins::USER.into()),
        ..settings(0, secret)
    };
    RUNTIME.block_on(connect(&settings, &Proxy::default()))
}

/// One server, a job that runs until it is stopped, and the parameter that tells its builds apart.
struct Side {
    client: Client,
    job: &'static str,
    parameter: &'static str,
}

fn both(hudson: &'static str, world: &Running, demo: &'static str) -> [Side; 2] {
    let hudson = Side {
        client: client(),
        job: hudson,
        parameter: "N",
    };
    let demo = Side {
        client: embedded(world, jenkins::TOKEN).unwrap(),
        job: demo,
        parameter: "VERSION",
    };
    [hudson, demo]
}

#[test]
fn both_coalesce_stop_and_take_out_of_the_queue() {
    for side in both("contract-stop", slow(), "shop/cart/main") {
        let Side {
            client,
            job,
            parameter,
        } = &side;
        let first = start(client, job, &[(parameter, "11")]);
        let first = built(client, &first, |build| !done(build));
        let two = start(client, job, &[(parameter, "12")]);
        let again = start(client, job, &[(parameter, "12")]);
        assert_eq!(two.item, again.item);
        assert_eq!(
            again.joined,
            again.item.is_some(),
            "only a modern one says so"
        );
        // For a moment it waits for nothing but its turn to be looked at.
        let queued = queued(client, &two, "already in progress");
        assert_eq!(
            queued.parameters.iter().find(|p| &*p.0 == *parameter),
            given(&[(parameter, "12")]).first()
        );
        RUNTIME.block_on(client.cancel_queued(&queued)).unwrap();
        assert_eq!(RUNTIME.block_on(client.queue(job)).unwrap(), []);
        RUNTIME
            .block_on(client.stop_build(&first.id, Stop::Ask))
            .unwrap();
        let looked = wait::until("its end", || {
            let build = RUNTIME.block_on(client.build(&first.id)).unwrap();
            done(&build).then_some(build)
        });
        assert_eq!(looked.state, State::Done(Outcome::Aborted), "{job}");
        assert_eq!(looked.parameter(parameter), Some("11"));
    }
}

#[test]
fn both_follow_a_log_to_its_end() {
    Hudson::shared().open("contract-gate");
    for side in both("contract-log", quick(), JOB) {
        let Side {
            client,
            job,
            parameter,
        } = &side;
        let ticket = start(client, job, &[(parameter, "2.99.0")]);
        let build = built(client, &ticket, |_| true);
        let mut reader = LogReader::new(build.id);
        let mut lines = Vec::new();
        wait::until("the end of the log", || {
            let piece = RUNTIME.block_on(reader.read(client, 1 << 20)).unwrap();
            lines.extend(piece.lines);
            (!piece.more).then_some(())
        });
        assert_eq!(lines.last().unwrap(), "Finished: SUCCESS", "{job}");
        assert!(
            lines.iter().all(|line| !line.contains(['\r', '\u{1b}'])),
            "{lines:?}"
        );
        let ended = lines.iter().filter(|line| line.starts_with("Finished"));
        assert_eq!(ended.count(), 1);
    }
}

#[test]
fn both_refuse_what_is_wrong_in_the_same_way() {
    for side in both("contract-off", quick(), "shop/search/main") {
        let Side { client, job, .. } = &side;
        RUNTIME.block_on(async {
            client.set_enabled(job, false).await.unwrap();
            client.describe_job(job, "frozen").await.unwrap();
            let read = client.job(job).await.unwrap();
            assert!(!read.buildable);
            assert_eq!(read.description.as_deref(), Some("frozen"));
            client.set_enabled(job, true).await.unwrap();
            let error = client.job("nowhere").await.unwrap_err();
            assert!(matches!(error, Error::NotFound { .. }), "{error}");
        });
    }
    let error = embedded(quick(), "wrong").unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

/// What is asked of a server, through the gate and into a record.
fn ask(side: &Side, act: Act) -> Vec<BuildProgress> {
    let folder = tempfile::tempdir().unwrap();
    RUNTIME.block_on(async {
        let wish = BuildWish {
            workload: WorkloadId {
                cluster: ClusterId("c".into()),
                namespace: "shop".into(),
                kind: Kind::Deployment,
                name: "web".into(),
            },
            uid: "u".into(),
            level: Level::Guarded,
            job: side.client.job(side.job).await.unwrap(),
            act,
        };
        let order = BuildOrder {
            plan: BuildPlan {
                stamp: actions::stamp(jiff::Timestamp::now()).unwrap(),
                wish,
            },
            answers: Answers {
                confirmed: true,
                ..Answers::default()
            },
            recorder: Recorder::new(folder.path()),
            clock: jiff::Timestamp::now,
        };
        actions::build(side.client.clone(), order).collect().await
    })
}

#[test]
fn both_are_held_and_resumed() {
    for side in both("contract-held", quick(), "shop/auth/main") {
        let job = || RUNTIME.block_on(side.client.job(side.job)).unwrap();
        let before = job();
        RUNTIME
            .block_on(side.client.may_configure(side.job))
            .unwrap();
        let hold = JobHold {
            by: "oncall@bastion".into(),
            until: JobHold::end(jiff::Timestamp::now(), 3600),
            why: "a \"test\" & more: <b>ä</b>".into(),
        };
        let went = ask(&side, Act::Hold(hold.clone()));
        assert!(
            matches!(went.last(), Some(BuildProgress::Done(_))),
            "{went:?}"
        );
        assert_eq!(job().hold(), Some(hold.clone()));
        let again = ask(&side, Act::Hold(hold.clone()));
        assert!(
            matches!(&again[..], [BuildProgress::Refused(_)]),
            "{again:?}"
        );
        let error = RUNTIME.block_on(side.client.trigger_build(&job(), &[]));
        assert!(error.is_err(), "it is off");
        let went = ask(&side, Act::Resume(hold));
        assert!(
            matches!(went.last(), Some(BuildProgress::Done(_))),
            "{went:?}"
        );
        let after = job();
        assert!(after.buildable);
        assert_eq!(after.description, before.description);
    }
}

#[test]
fn a_branch_of_a_multibranch_project_is_held_by_nobody() {
    let side = Side {
        client: embedded(quick(), jenkins::TOKEN).unwrap(),
        job: "shop/media/main",
        parameter: "VERSION",
    };
    RUNTIME.block_on(async {
        assert!(side.client.job(side.job).await.unwrap().managed);
        assert!(!side.client.job(JOB).await.unwrap().managed);
        let error = side.client.set_enabled(side.job, false).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    });
    let hold = JobHold {
        by: "oncall@bastion".into(),
        until: jiff::Timestamp::now(),
        why: "why".into(),
    };
    let went = ask(&side, Act::Hold(hold));
    let [BuildProgress::Refused(why)] = &went[..] else {
        panic!("{went:?}")
    };
    assert!(
        why.sentence.contains("a branch of a multibranch project"),
        "{why:?}"
    );
}

#[test]
fn the_embedded_one_is_modern_and_its_image_reaches_the_registry() {
    // With the password: crumb and session.
    let client = embedded(slow(), jenkins::USER).unwrap();
    assert_eq!(client.flavour(), &Flavour::Jenkins(jenkins::VERSION.into()));
    let path = "shop/payments/main";
    let job = RUNTIME.block_on(client.job(path)).unwrap();
    let last = job.last.unwrap();
    assert_eq!(last.state, State::Done(Outcome::Success));
    let ticket = start(&client, path, &[("VERSION", "77.0.0"), ("SUITE", "full")]);
    assert!(ticket.item.is_some());
    let running = built(&client, &ticket, |build| build.stages.len() == 2);
    assert_eq!(running.stages[1].state, StageState::Running);
    let build = built(&client, &ticket, done);
    let stages: Vec<_> = build.stages.iter().map(|stage| &*stage.name).collect();
    assert_eq!(stages, ["Checkout", "Test", "Image", "Push"]);
    assert_eq!(build.tests.unwrap().total, 128);
    assert_eq!(build.item, ticket.item);
    let rule = rolldeck::config::jenkins::ImageRule {
        artifact: Some("image.txt".into()),
        ..Default::default()
    };
    let image = RUNTIME
        .block_on(client.image(&build, &rule, "payments"))
        .unwrap();
    assert!(slow().cluster.images.find(&image.unwrap()).is_some());
    let broken = start(&client, path, &[("VERSION", "77.0.1-broken")]);
    let broken = built(&client, &broken, done);
    assert_eq!(broken.state, State::Done(Outcome::Failure));
    assert_eq!(broken.stages.last().unwrap().state, StageState::Failed);
    assert_eq!(broken.tests.unwrap().failed, 2);
}

#[test]
fn three_clients_that_others_wrote_work_with_the_embedded_one() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/jenkins_clients");
    let installed = Command::new(format!("{root}/install")).output().unwrap();
    let said = String::from_utf8_lossy(&installed.stderr).into_owned();
    assert!(installed.status.success(), "{said}");
    let folder = String::from_utf8(installed.stdout).unwrap();
    let url = &*quick().endpoints.jenkins;
    let output = Command::new(format!("{}/bin/python", folder.trim()))
        .args([
            &*format!("{root}/drive.py"),
            url,
            jenkins::USER,
            jenkins::TOKEN,
            jenkins::USER,
            "catalog",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        told,
        "python-jenkins: ok\napi4jenkins: ok\njenkinsapi: ok\n"
    );
}
