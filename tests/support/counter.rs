//! A server on loopback that answers as it is told and counts: requests by their first line, answers in bytes.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::api::RUNTIME;

pub struct Counter {
    /// `127.0.0.1:PORT`.
    pub host: String,
    lines: Arc<Mutex<Vec<String>>>,
    bytes: Arc<AtomicUsize>,
}

impl Counter {
    /// `answer` is given the method and the path with its query.
    pub fn serve(answer: impl Fn(&str, &str) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let counter = Self {
            host: listener.local_addr().unwrap().to_string(),
            lines: Arc::default(),
            bytes: Arc::default(),
        };
        let (lines, bytes) = (Arc::clone(&counter.lines), Arc::clone(&counter.bytes));
        let answer = Arc::new(move |request: Request<Incoming>| {
            let path = request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str());
            let method = request.method().as_str();
            lines.lock().unwrap().push(format!("{method} {path}"));
            let response = answer(method, path);
            bytes.fetch_add(response.body().len(), Ordering::Relaxed);
            response.map(Full::new)
        });
        RUNTIME.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let answer = Arc::clone(&answer);
                let service = hyper::service::service_fn(move |request| {
                    let response = answer(request);
                    async move { Ok::<_, Infallible>(response) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(socket), service));
            }
        });
        counter
    }

    /// What was asked so far, from here on counted anew.
    pub fn take(&self) -> (Vec<String>, usize) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        (lines, self.bytes.swap(0, Ordering::Relaxed))
    }
}
