//! Requests as bytes, answers with their status and headers, and streams line by line: what a contract is written in.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::support::api::RUNTIME;
use crate::support::wait::DEADLINE;

pub const JSON_PATCH: &str = "application/json-patch+json";
pub const MERGE_PATCH: &str = "application/merge-patch+json";
pub const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";

/// One user of an API server. Nothing is retried, and bodies are as they came, compressed ones too.
#[derive(Clone)]
pub struct Http {
    client: kube::Client,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    asked: String,
}

/// The lines of an answer that goes on.
pub struct Lines {
    lines: Receiver<String>,
    task: JoinHandle<()>,
}

impl Http {
    pub fn new(kubeconfig: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = Kubeconfig::read_from(kubeconfig).expect("the test's kubeconfig");
        let client = RUNTIME.block_on(async {
            let mut config =
                kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                    .await
                    .expect("a usable kubeconfig");
            config.disable_compression = true;
            config.default_retry = false;
            kube::Client::try_from(config).expect("a client")
        });
        Self { client }
    }

    pub fn ask(&self, request: Request<Vec<u8>>) -> Answer {
        let asked = format!("{} {}", request.method(), request.uri());
        RUNTIME.block_on(async {
            let response = self.client.send(request.map(Body::from)).await;
            let (head, body) = response
                .unwrap_or_else(|e| panic!("{asked}: {e}"))
                .into_parts();
            let body = body
                .collect()
                .await
                .unwrap_or_else(|e| panic!("{asked}: {e}"));
            Answer {
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.to_bytes().to_vec(),
                asked,
            }
        })
    }

    /// The head alone, of an answer that may never end.
    #[allow(dead_code)] // only the side of the demo asks for it
    pub fn status(&self, request: Request<Vec<u8>>) -> u16 {
        let response = RUNTIME.block_on(self.client.send(request.map(Body::from)));
        response.expect("an answer").status().as_u16()
    }

    pub fn send(
        &self,
        method: &Method,
        path: &str,
        kind: &str,
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", "application/json");
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        self.ask(request.body(body.into()).expect("a request"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&Method::GET, path, "", "")
    }

    pub fn get_as(&self, path: &str, accept: &str) -> Answer {
        let request = Request::get(path).header("accept", accept);
        self.ask(request.body(Vec::new()).expect("a request"))
    }

    pub fn post(&self, path: &str, object: &Value) -> Answer {
        self.send(&Method::POST, path, "application/json", object.to_string())
    }

    pub fn patch(&self, path: &str, kind: &str, change: &Value) -> Answer {
        self.send(&Method::PATCH, path, kind, change.to_string())
    }

    /// Options in the body; a server that is sent some does not look into the query.
    pub fn delete(&self, path: &str, options: &Value) -> Answer {
        if options.is_null() {
            return self.send(&Method::DELETE, path, "", "");
        }
        self.send(
            &Method::DELETE,
            path,
            "application/json",
            options.to_string(),
        )
    }

    /// The items of a list, whatever its size.
    #[track_caller]
    pub fn items(&self, path: &str) -> Vec<Value> {
        let mut list = self.get(path).ok();
        serde_json::from_value(list["items"].take()).expect("items")
    }

    /// An answer whose lines are read as they come: a watch, a log that is followed.
    #[track_caller]
    pub fn lines(&self, path: &str) -> Lines {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = RUNTIME
            .block_on(self.client.send(request))
            .expect("an answer");
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let body = RUNTIME.block_on(body.collect()).expect("a body").to_bytes();
            panic!("GET {path}: {status} {}", String::from_utf8_lossy(&body));
        }
        let (sender, lines) = channel();
        let task = RUNTIME.spawn(async move {
            let mut rest = Vec::new();
            while let Some(Ok(frame)) = body.frame().await {
                rest.extend(frame.into_data().unwrap_or_default());
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    let line = String::from_utf8_lossy(&line[..end]).into_owned();
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            }
        });
        Lines { lines, task }
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|why| panic!("{}: {why}: {}", self.asked, self.text()))
    }

    /// Done, and this is the object.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{}: {} {}",
            self.asked,
            self.status,
            self.text()
        );
        self.json()
    }

    /// Refused with this code, and this is the Status object.
    #[track_caller]
    pub fn refused(&self, code: u16) -> Value {
        assert_eq!(self.status, code, "{}: {}", self.asked, self.text());
        let status = self.json();
        assert_eq!(status["kind"], "Status", "{status}");
        assert_eq!(status["apiVersion"], "v1", "{status}");
        assert_eq!(status["status"], "Failure", "{status}");
        assert_eq!(status["code"], code, "{status}");
        status
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .map(|value| value.to_str().expect("text"));
        value.unwrap_or_default()
    }
}

impl Lines {
    /// The next line; `None` when the server has ended the answer.
    #[track_caller]
    pub fn next(&self) -> Option<String> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing more came in {DEADLINE:?}"),
        }
    }

    /// The next event of a watch.
    #[track_caller]
    pub fn event(&self) -> Value {
        let line = self.next().expect("the watch goes on");
        serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.task.abort();
    }
}
