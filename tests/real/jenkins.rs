//! The Jenkins source on a real Hudson: the part of the remote API that both have, with all its traps.

mod model;

use std::collections::BTreeSet;
use std::time::Duration;

use rolldeck::config::jenkins::ImageRule;
use rolldeck::config::secret::Place;
use rolldeck::config::{Jenkins, Proxy};
use rolldeck::domain::build::{
    Build, Given, Outcome, ParameterKind, Queued, State, Tests, Ticket, Whereabouts,
};
use rolldeck::sources::jenkins::{Client, Error, Flavour, LogReader, Look, Poller, Stop, connect};

use crate::support::api::RUNTIME;
use crate::support::hudson::{CROWD, Hudson, PASSWORD, USER};
use crate::support::relay::Relay;
use crate::support::wait;

fn settings(port: u16, password: &str) -> Jenkins {
    let command = vec!["echo".to_owned(), password.to_owned()];
    Jenkins {
        name: Some("ci".into()),
        url: format!("http://127.0.0.1:{port}"),
        user: Some(USER.into()),
        token: Some(Place::Command { command }.into()),
        ca: None,
        jobs: rolldeck::config::jenkins::Jobs::default(),
        image: ImageRule::default(),
    }
}

fn to(port: u16, password: &str) -> Result<Client, Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    RUNTIME.block_on(connect(&settings(port, password), &Proxy::default()))
}

pub fn client() -> Client {
    to(Hudson::shared().port(), PASSWORD).unwrap()
}

fn given(pairs: &[(&str, &str)]) -> Vec<Given> {
    let owned = pairs.iter().map(|(n, v)| ((*n).into(), (*v).into()));
    owned.collect()
}

pub fn start(client: &Client, path: &str, pairs: &[(&str, &str)]) -> Ticket {
    RUNTIME.block_on(async {
        let job = client.job(path).await.unwrap();
        client.trigger_build(&job, &given(pairs)).await.unwrap()
    })
}

/// Its build, once it has one that is as wanted.
fn built(client: &Client, ticket: &Ticket, wanted: impl Fn(&Build) -> bool) -> Build {
    wait::until("a build of the ticket", || {
        RUNTIME.block_on(async {
            let found = unless_torn(client.whereabouts(ticket).await)?;
            let Whereabouts::Build(id) = found else {
                return None;
            };
            let build = unless_torn(client.build(&id).await)?;
            wanted(&build).then_some(build)
        })
    })
}

/// Its item, once the server says that it waits for this.
fn queued(client: &Client, ticket: &Ticket, why: &str) -> Queued {
    wait::until("an item in the queue", || {
        let found = unless_torn(RUNTIME.block_on(client.whereabouts(ticket)))?;
        let Whereabouts::Queued(queued) = found else {
            return None;
        };
        let said = queued.why.as_deref().unwrap_or("");
        said.contains(why).then_some(queued)
    })
}

/// Hudson now and then sends an answer that is no gzip although it says so: who waits asks again.
fn unless_torn<T>(read: Result<T, Error>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(Error::NoAnswer { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn done(build: &Build) -> bool {
    build.state != State::Running
}

#[test]
fn a_wrong_password_is_said_and_the_flavour_is_found() {
    let error = to(Hudson::shared().port(), "wrong").unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
    assert_eq!(client().flavour(), &Flavour::Hudson("1.395".into()));
}

#[test]
fn a_build_tells_parameters_tests_artefacts_and_its_image() {
    let client = client();
    let job = RUNTIME.block_on(client.job("report")).unwrap();
    let kinds: Vec<_> = job.parameters.iter().map(|p| (&*p.name, &p.kind)).collect();
    let places = ParameterKind::Choice(vec!["dev".into(), "prod".into()]);
    let want = [
        ("TAG", &ParameterKind::Text),
        ("PLACE", &places),
        ("FAST", &ParameterKind::Flag),
        ("PASS", &ParameterKind::Password),
    ];
    assert_eq!(kinds, want);
    assert_eq!(job.parameters[0].default.as_deref(), Some("1.0"));
    let ticket = start(&client, "report", &[("TAG", "2.0"), ("PLACE", "prod")]);
    assert_eq!((ticket.item, ticket.next_number), (None, 1));
    let build = built(&client, &ticket, done);
    assert_eq!(build.state, State::Done(Outcome::Unstable));
    assert_eq!(build.parameter("PLACE"), Some("prod"));
    assert_eq!(build.parameter("FAST"), Some("true"), "the default");
    let tests = Tests {
        total: 2,
        failed: 1,
        skipped: 0,
    };
    assert_eq!(build.tests, Some(tests));
    assert_eq!(&*build.artefacts[0].path, "image.txt");
    assert_eq!(build.causes, ["Started by user admin".into()]);
    let rule = ImageRule {
        artifact: Some("image.txt".into()),
        ..ImageRule::default()
    };
    let image = RUNTIME
        .block_on(client.image(&build, &rule, "web"))
        .unwrap();
    assert_eq!(image.as_deref(), Some("r:5000/shop/web:2.0"));
    let looked = RUNTIME.block_on(client.job("report")).unwrap();
    assert_eq!(
        looked.last_good,
        Some(1),
        "unstable counts as good to Hudson"
    );
}

#[test]
fn a_value_that_is_none_is_refused_here_and_there() {
    let client = client();
    let mut job = RUNTIME.block_on(client.job("choosy")).unwrap();
    let moon = given(&[("PLACE", "moon")]);
    let error = RUNTIME
        .block_on(client.trigger_build(&job, &moon))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "start choosy on ci: PLACE: moon is none of dev, prod"
    );
    // The server's own words, when its choices changed in the meantime.
    job.parameters[1].kind = ParameterKind::Text;
    let error = RUNTIME
        .block_on(client.trigger_build(&job, &moon))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "start choosy on ci: Illegal choice: moon (500)"
    );
}

#[test]
fn equal_triggers_become_one_build_and_others_their_own() {
    let client = client();
    let first = start(&client, "twins", &[("N", "1")]);
    built(&client, &first, |build| !done(build));
    let (two, again) = (
        start(&client, "twins", &[("N", "2")]),
        start(&client, "twins", &[("N", "2")]),
    );
    let other = start(&client, "twins", &[("N", "3")]);
    let found = RUNTIME.block_on(client.whereabouts(&two)).unwrap();
    let Whereabouts::Queued(queued) = found else {
        panic!("{found:?}")
    };
    let why = queued.why.unwrap();
    assert!(why.contains("already in progress"), "{why}");
    assert_eq!(RUNTIME.block_on(client.queue("twins")).unwrap().len(), 2);
    Hudson::shared().open("twins-gate");
    let number = |ticket| built(&client, ticket, done).id.number;
    assert_eq!(number(&two), number(&again));
    assert_ne!(number(&two), number(&other));
    assert_eq!(built(&client, &two, done).causes.len(), 2);
}

#[test]
fn a_log_is_followed_to_its_end_line_by_line() {
    let client = client();
    let ticket = start(&client, "talks", &[("N", "1")]);
    let build = built(&client, &ticket, |_| true);
    let mut reader = LogReader::new(build.id.clone());
    let mut lines = Vec::new();
    let mut read = |lines: &mut Vec<String>| {
        let piece = RUNTIME.block_on(reader.read(&client, 1 << 20)).unwrap();
        assert_eq!(piece.skipped, 0);
        lines.extend(piece.lines);
        piece.more
    };
    wait::until("the first line", || {
        assert!(read(&mut lines), "it waits at the gate");
        lines.iter().any(|line| line == "first").then_some(())
    });
    Hudson::shared().open("talk-gate");
    wait::until("the end of the log", || (!read(&mut lines)).then_some(()));
    let told: Vec<_> = lines.iter().filter(|line| !line.starts_with('+')).collect();
    assert_eq!(
        told.iter().filter(|l| ***l == "first").count(),
        1,
        "{lines:?}"
    );
    let end = &told[told.len() - 4..];
    assert_eq!(end, ["line 1", "line 2", "line 3", "Finished: SUCCESS"]);
    // Only the end of it.
    let mut tail = LogReader::new(build.id);
    let piece = RUNTIME.block_on(tail.read(&client, 40)).unwrap();
    assert!(piece.skipped > 0);
    assert_eq!(piece.lines.last().unwrap(), "Finished: SUCCESS");
}

#[test]
fn a_build_is_stopped_and_a_waiting_one_taken_out() {
    let client = client();
    let ticket = start(&client, "endless", &[]);
    let build = built(&client, &ticket, |build| !done(build));
    RUNTIME
        .block_on(client.stop_build(&build.id, Stop::Ask))
        .unwrap();
    let build = built(&client, &ticket, done);
    assert_eq!(build.state, State::Done(Outcome::Aborted));

    let running = start(&client, "waits", &[("N", "1")]);
    let running = built(&client, &running, |build| !done(build));
    let waiting = start(&client, "waits", &[("N", "2")]);
    let queued = queued(&client, &waiting, "");
    start(&client, "waits", &[("N", "3")]);
    let error = RUNTIME.block_on(client.cancel_queued(&queued)).unwrap_err();
    assert!(
        error.to_string().contains("only take out the first"),
        "{error}"
    );
    RUNTIME
        .block_on(client.stop_build(&running.id, Stop::Ask))
        .unwrap();
    let second = built(&client, &waiting, |build| !done(build));
    let rest = RUNTIME.block_on(client.queue("waits")).unwrap();
    RUNTIME.block_on(client.cancel_queued(&rest[0])).unwrap();
    assert_eq!(RUNTIME.block_on(client.queue("waits")).unwrap(), []);
    RUNTIME
        .block_on(client.stop_build(&second.id, Stop::Ask))
        .unwrap();
}

#[test]
fn commits_come_from_the_repository() {
    let client = client();
    let first = built(&client, &start(&client, "source", &[]), done);
    assert_eq!(first.state, State::Done(Outcome::Success));
    assert_eq!(first.commits, []);
    Hudson::shared().commit("cart", "Empty the cart\n\nwith more words");
    let second = built(&client, &start(&client, "source", &[]), done);
    let commit = &second.commits[0];
    assert_eq!(
        (&*commit.author, &*commit.subject),
        ("alice", "Empty the cart")
    );
    assert_eq!((&*commit.id, commit.at.is_some()), ("r2", true));
    assert_eq!(&*second.sources[0].revision, "2");
    assert_eq!(second.culprits, ["alice".into()]);
}

#[test]
fn a_job_is_switched_off_with_a_word_and_on_again() {
    let client = client();
    RUNTIME.block_on(async {
        client.set_enabled("off", false).await.unwrap();
        client
            .describe_job("off", "frozen until monday")
            .await
            .unwrap();
        let job = client.job("off").await.unwrap();
        assert!(!job.buildable);
        assert_eq!(job.description.as_deref(), Some("frozen until monday"));
        let error = client.trigger_build(&job, &[]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "start off on ci: the job is switched off"
        );
        client.set_enabled("off", true).await.unwrap();
        assert!(client.job("off").await.unwrap().buildable);
        let error = client.job("nowhere").await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    });
}

#[test]
fn a_thousand_jobs_are_one_request() {
    let relay = Relay::to(Hudson::shared().port());
    let client = to(relay.port(), PASSWORD).unwrap();
    let before = (relay.lines().len(), relay.bytes());
    let jobs = (0..CROWD).map(|number| format!("crowd-{number:04}").into());
    let look = Look {
        jobs: jobs.collect::<BTreeSet<Box<str>>>(),
        watched: true,
    };
    let mut poller = Poller::new(client, 1, jiff::Timestamp::now);
    let (found, wait) = RUNTIME.block_on(poller.look(&look));
    assert_eq!(found.unwrap().len(), CROWD);
    assert!(wait >= Duration::from_secs(15), "nothing moves: {wait:?}");
    let lines = &relay.lines()[before.0..];
    assert_eq!(lines.len(), 1, "{lines:?}");
    let bytes = relay.bytes() - before.1;
    println!("1,000 jobs: 1 request, {bytes} bytes");
    assert!(bytes < 400 << 10, "{bytes} bytes");
}
