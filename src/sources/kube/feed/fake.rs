//! An API server in memory that follows a script, so that a feed can be watched in paused time.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, timeout};

use super::{feed, reopen};
use crate::domain::{SourceId, Update};
use crate::sources::kube::Cluster;

/// One answer.
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<Piece>,
}

pub enum Piece {
    Says(String),
    Waits(Duration),
    /// Nothing more, and no end: a black hole.
    Hangs,
    /// The connection is reset.
    Breaks,
}

pub fn ok(body: impl Into<String>) -> Reply {
    status(200, body)
}

pub fn status(status: u16, body: impl Into<String>) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: vec![Piece::Says(body.into())],
    }
}

pub fn pieces(body: Vec<Piece>) -> Reply {
    Reply {
        status: 200,
        headers: Vec::new(),
        body,
    }
}

/// A watch that says these lines and then nothing for ever.
pub fn watch(lines: &[String]) -> Reply {
    let text = lines.join("\n") + "\n";
    pieces(vec![Piece::Says(text), Piece::Hangs])
}

impl Reply {
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn response(self) -> Response<Answer> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = stream::unfold(VecDeque::from(self.body), |mut rest| async {
            loop {
                match rest.pop_front()? {
                    Piece::Says(text) => return Some((Ok(Frame::data(Bytes::from(text))), rest)),
                    Piece::Waits(time) => sleep(time).await,
                    Piece::Hangs => return std::future::pending().await,
                    Piece::Breaks => {
                        let kind = std::io::ErrorKind::ConnectionReset;
                        return Some((Err(std::io::Error::from(kind)), rest));
                    }
                }
            }
        });
        response.body(StreamBody::new(body.boxed())).unwrap()
    }
}

type Answer = StreamBody<BoxStream<'static, std::io::Result<Frame<Bytes>>>>;

/// A feed against a script, and what was asked: seconds since the start, path and query.
pub struct Scene {
    news: BoxStream<'static, Vec<Update>>,
    pub asked: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Scene {
    pub fn first(source: SourceId, script: Vec<Reply>) -> Self {
        Self::new(script, |cluster| feed(cluster, source, clock))
    }

    pub fn again(source: SourceId, script: Vec<Reply>) -> Self {
        Self::new(script, |cluster| reopen(cluster, source, clock))
    }

    fn new(
        script: Vec<Reply>,
        open: impl FnOnce(Cluster) -> BoxStream<'static, Vec<Update>>,
    ) -> Self {
        let start = Instant::now();
        clock();
        let script = Arc::new(Mutex::new(VecDeque::from(script)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let at = start.elapsed().as_secs();
            record.lock().unwrap().push((at, request.uri().to_string()));
            let reply = script.lock().unwrap().pop_front();
            async move {
                match reply {
                    Some(reply) => Ok::<_, Infallible>(reply.response()),
                    None => std::future::pending().await,
                }
            }
        });
        let client = kube::Client::new(service, "default");
        Self {
            news: open(Cluster::over("c", client, clock)),
            asked,
        }
    }

    /// All updates of the next `seconds` of paused time.
    pub async fn hear(&mut self, seconds: u64) -> Vec<Update> {
        let mut heard = Vec::new();
        let listening = async {
            while let Some(batch) = self.news.next().await {
                assert!(!batch.is_empty(), "an empty batch is noise");
                heard.extend(batch);
            }
        };
        let ended = timeout(Duration::from_secs(seconds), listening).await;
        assert!(ended.is_err(), "the feed never ends");
        heard
    }

    pub fn asked(&self) -> Vec<(u64, String)> {
        self.asked.lock().unwrap().clone()
    }
}

/// Follows the paused time of tokio.
pub fn clock() -> Timestamp {
    thread_local! {
        static START: OnceCell<Instant> = const { OnceCell::new() };
    }
    let passed = START.with(|start| start.get_or_init(Instant::now).elapsed());
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    start + SignedDuration::try_from(passed).unwrap()
}
