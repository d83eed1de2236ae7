//! Streams against an API server in memory: read on, refused, gone, restarted.

use std::sync::Mutex;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;

use super::*;
use crate::sources::kube::in_memory::{Body, Client};

type Piece = Result<Frame<Bytes>, std::io::Error>;
type Asked = Arc<Mutex<Vec<String>>>;

/// What the server does with one request for a log.
#[derive(Clone, Copy)]
enum Answer {
    /// The lines, and then the connection breaks.
    Breaks(&'static str),
    /// The lines, and then the end.
    Ends(&'static str),
    /// The lines, and then nothing any more.
    Stays(&'static str),
    Refuses(u16),
}

/// Each request takes the next answer; after the last one nothing comes any more.
fn server(answers: Vec<Answer>) -> (Connect, Asked) {
    let asked = Asked::default();
    let (log, answers) = (Arc::clone(&asked), Arc::new(Mutex::new(answers)));
    let service = tower::service_fn(move |request: Request<Body>| {
        log.lock().unwrap().push(request.uri().to_string());
        let mut answers = answers.lock().unwrap();
        let answer = if answers.is_empty() {
            Answer::Stays("")
        } else {
            answers.remove(0)
        };
        async move { Ok::<_, std::io::Error>(respond(answer)) }
    });
    let clock = || "2026-11-27T10:00:00Z".parse().unwrap();
    let cluster = Cluster::over("c", Client::new(service, "default"), clock);
    (Arc::new(move || Ok(cluster.clone())), asked)
}

fn respond(answer: Answer) -> Response<StreamBody<stream::BoxStream<'static, Piece>>> {
    use futures::StreamExt;
    let (status, text) = match answer {
        Answer::Breaks(text) | Answer::Ends(text) | Answer::Stays(text) => (200, text),
        Answer::Refuses(status) => (status, r#"{"message": "no"}"#),
    };
    let first = stream::iter([Ok(Frame::data(Bytes::from(text)))]);
    let body = match answer {
        Answer::Breaks(_) => {
            let broken = std::io::Error::other("reset");
            first.chain(stream::iter([Err(broken)])).boxed()
        }
        Answer::Stays(_) => first.chain(stream::pending()).boxed(),
        Answer::Ends(_) | Answer::Refuses(_) => first.boxed(),
    };
    let response = Response::builder().status(status);
    response.body(StreamBody::new(body)).unwrap()
}

fn wish(restarts: u32, runs: bool) -> LogWish {
    LogWish {
        workload: crate::domain::fixture::id(crate::domain::Kind::Deployment),
        previous: false,
        tail: 50,
        since: None,
        streams: vec![LogStream {
            id: 7,
            pod: "web-1".into(),
            container: "web".into(),
            restarts,
            runs,
        }],
    }
}

/// The next lines, notes in brackets.
async fn next(pieces: &mut mpsc::Receiver<Vec<LogLine>>, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    while words.len() < count {
        let lines = pieces.recv().await.unwrap();
        words.extend(lines.into_iter().map(|line| {
            assert_eq!(line.stream, 7);
            if line.note {
                format!("({})", line.text)
            } else {
                line.text.into()
            }
        }));
    }
    words
}

const LINES: &str =
    "2026-11-27T10:00:00.5Z a\n2026-11-27T10:00:01.1Z b\n2026-11-27T10:00:01.1Z c\n";
const AGAIN: &str = "2026-11-27T10:00:01.1Z b\n2026-11-27T10:00:01.1Z c\n2026-11-27T10:00:01.1Z d\n2026-11-27T10:00:02Z e\n";

#[tokio::test(start_paused = true)]
async fn a_log_that_breaks_off_says_so_and_goes_on_without_a_line_twice() {
    let (connect, asked) = server(vec![
        Answer::Breaks(LINES),
        Answer::Refuses(503),
        Answer::Refuses(503),
        Answer::Ends(AGAIN),
    ]);
    let (mut streams, mut pieces) = Streams::new(connect);
    streams.wish(&wish(0, true));
    let said = next(&mut pieces, 7).await;
    assert_eq!(said[..3], ["a", "b", "c"]);
    assert!(
        said[3].ends_with("it is read on when that works)"),
        "{said:?}"
    );
    assert!(
        said[4].contains("503"),
        "once for two of the same: {said:?}"
    );
    assert_eq!(said[5..], ["d", "e"]);
    // It still runs as far as the cluster told, so what ended is asked for once more.
    while asked.lock().unwrap().len() < 5 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].contains("tailLines=50") && !asked[0].contains("since"),
        "{asked:?}"
    );
    assert!(
        asked[3].contains("sinceTime=2026-11-27T10%3A00%3A01Z"),
        "{asked:?}"
    );
    assert!(!asked[3].contains("tailLines"), "{asked:?}");
    assert!(
        asked[4].contains("sinceTime=2026-11-27T10%3A00%3A02Z"),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_stopped_is_left_alone_until_it_runs_again_and_what_is_gone_for_ever() {
    let (connect, asked) = server(vec![
        Answer::Ends(LINES),
        Answer::Stays("2026-11-27T10:00:09Z next run\n"),
    ]);
    let (mut streams, mut pieces) = Streams::new(connect);
    streams.wish(&wish(0, false));
    assert_eq!(next(&mut pieces, 3).await, ["a", "b", "c"]);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(asked.lock().unwrap().len(), 1, "nobody polls");
    streams.wish(&wish(1, false));
    assert_eq!(next(&mut pieces, 1).await, ["next run"]);
    let gone = LogWish {
        streams: Vec::new(),
        ..wish(1, false)
    };
    streams.wish(&gone);
    while !streams.ended() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    streams.wish(&gone);
    assert!(streams.open.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_said_once_and_not_asked_for_again() {
    let (connect, asked) = server(vec![Answer::Refuses(403)]);
    let (mut streams, mut pieces) = Streams::new(connect);
    streams.wish(&wish(0, true));
    let said = next(&mut pieces, 1).await;
    assert!(said[0].contains("no"), "{said:?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(streams.ended());
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_run_before_is_read_to_its_end() {
    let (connect, asked) = server(vec![Answer::Ends(LINES)]);
    let (mut streams, mut pieces) = Streams::new(connect);
    let mut wish = wish(1, true);
    wish.previous = true;
    streams.wish(&wish);
    assert_eq!(next(&mut pieces, 3).await, ["a", "b", "c"]);
    while !streams.ended() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let asked = asked.lock().unwrap();
    assert!(
        asked.len() == 1 && asked[0].contains("previous=true"),
        "{asked:?}"
    );
}
