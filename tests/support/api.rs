//! What the tests themselves ask of the API server, as its administrator: small, blocking, JSON in and out.

use std::path::Path;
use std::sync::LazyLock;

use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tokio::runtime::Runtime;

/// One runtime for all tests of a binary; the tests themselves are ordinary threads.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
});

#[derive(Clone)]
pub struct Api {
    client: kube::Client,
}

/// An answer that is no success: its HTTP status, and what the server said.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub message: String,
}

impl Api {
    pub fn new(kubeconfig: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = Kubeconfig::read_from(kubeconfig).expect("the test's kubeconfig");
        let client = RUNTIME.block_on(async {
            let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                .await
                .expect("a usable kubeconfig");
            kube::Client::try_from(config).expect("a client")
        });
        Self { client }
    }

    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    pub fn get(&self, path: &str) -> Result<Value, Refused> {
        self.send(Method::GET, path, "", None)
    }

    pub fn create(&self, collection: &str, object: &Value) -> Result<Value, Refused> {
        self.send(Method::POST, collection, "application/json", Some(object))
    }

    /// A strategic merge patch, as kubectl sends it.
    pub fn patch(&self, path: &str, change: &Value) -> Result<Value, Refused> {
        let kind = "application/strategic-merge-patch+json";
        self.send(Method::PATCH, path, kind, Some(change))
    }

    /// For kinds that know no strategic one.
    pub fn merge(&self, path: &str, change: &Value) -> Result<Value, Refused> {
        self.send(
            Method::PATCH,
            path,
            "application/merge-patch+json",
            Some(change),
        )
    }

    pub fn delete(&self, path: &str) -> Result<Value, Refused> {
        self.send(Method::DELETE, path, "", None)
    }

    /// The exact bytes of an answer.
    pub fn text(&self, path: &str) -> Result<String, Refused> {
        let request = Request::get(path).body(Vec::new()).expect("a request");
        RUNTIME
            .block_on(self.client.request_text(request))
            .map_err(|error| refused(&error))
    }

    pub fn items(&self, collection: &str) -> Vec<Value> {
        let mut list = self.get(collection).expect("a list");
        match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        }
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: Option<&Value>,
    ) -> Result<Value, Refused> {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", kind);
        }
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let request = request.body(body).expect("a request");
        RUNTIME
            .block_on(self.client.request::<Value>(request))
            .map_err(|error| refused(&error))
    }
}

fn refused(error: &kube::Error) -> Refused {
    match error {
        kube::Error::Api(status) => Refused {
            status: status.code,
            message: status.message.clone(),
        },
        other => Refused {
            status: 0,
            message: other.to_string(),
        },
    }
}
