//! The contract on the embedded cluster: one of its own for each test, in this process, and fast.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rolldeck::demo::cluster::Cluster;
use rolldeck::demo::controllers;
use rolldeck::demo::kube::kind::{NODES, SECRETS};
use rolldeck::demo::kube::write::Write;
use rolldeck::demo::kube::{Rights, User, serve};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::contract::http::Http;
use crate::contract::place::Forgotten;
use crate::support::api::RUNTIME;
use crate::support::keeper::write;

const TIMES_FASTER: u32 = 20;
/// More than any of these tests changes.
const WINDOW: usize = 2_000;

pub struct Side {
    cluster: Arc<Cluster>,
    folder: tempfile::TempDir,
    tasks: Vec<JoinHandle<()>>,
}

impl Side {
    pub fn new() -> Self {
        let cluster = Arc::new(Cluster::new(7, TIMES_FASTER, WINDOW));
        cluster.images.accept_any();
        for number in 1..=3 {
            let name = format!("node-{number}");
            let status = json!({
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
                "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110"},
                "addresses": [{"type": "InternalIP", "address": format!("10.0.0.{number}")}],
                "nodeInfo": {"kubeletVersion": "v1.36.3"},
            });
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name,
                "creationTimestamp": "2026-01-01T00:00:00Z"}, "status": status});
            cluster.store.plant(&NODES, node);
        }
        let mut side = Self {
            folder: tempfile::tempdir().expect("a folder"),
            tasks: vec![RUNTIME.spawn(controllers::run(Arc::clone(&cluster)))],
            cluster,
        };
        side.listen("admin", Rights::All);
        side.listen("reader", Rights::Read);
        side
    }

    /// The same: it knows Argo Rollouts.
    pub fn with_rollouts() -> Self {
        Self::new()
    }

    fn listen(&mut self, name: &str, rights: Rights) {
        let user = User {
            name: format!("demo-{name}"),
            rights,
        };
        let serving = serve(Arc::clone(&self.cluster), user);
        let (address, task) = RUNTIME.block_on(serving).expect("a free port");
        self.tasks.push(task);
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "demo",
            "clusters": [{"name": "demo", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "demo", "user": {}}],
            "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "demo"}}],
        });
        write(&self.folder.path().join(name), &text.to_string());
    }

    pub fn namespace(&self, prefix: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.admin().post("/api/v1/namespaces", &namespace).ok();
        name
    }

    pub fn admin(&self) -> Http {
        Http::new(&self.kubeconfig())
    }

    pub fn reader(&self) -> Http {
        Http::new(&self.reader_kubeconfig())
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("admin")
    }

    pub fn reader_kubeconfig(&self) -> PathBuf {
        self.folder.path().join("reader")
    }

    /// What a length in a spec must say so that it lasts so many seconds.
    #[allow(clippy::unused_self)] // the control plane's has the same shape
    pub fn lasting(&self, seconds: u32) -> u32 {
        seconds * TIMES_FASTER
    }

    /// A collection whose first versions are forgotten.
    pub fn forget(&self, collection: &str) -> Forgotten {
        let admin = self.admin();
        let list = admin.get(&format!("{collection}?limit=1")).ok();
        let version = list["metadata"]["resourceVersion"]
            .as_str()
            .expect("a version");
        let token = list["metadata"]["continue"]
            .as_str()
            .expect("a second page");
        let at = self.cluster.clock.now();
        let store = &self.cluster.store;
        let kept = store.list(&SECRETS, None).remove(0);
        for count in 0..=WINDOW {
            let by = Write::by("test", at);
            let changed = store.update(&kept.key, &by, |value| {
                value["data"]["count"] = format!("{count:04}").into();
                Ok(())
            });
            changed.expect("a change");
        }
        Forgotten {
            admin,
            version: version.parse().expect("a number"),
            token: token.to_owned(),
        }
    }

    /// The container `crier` of a pod writes a line.
    pub fn say(&self, pod: &Value, line: &str) {
        let uid = pod["metadata"]["uid"].as_str().expect("a uid");
        let at = self.cluster.clock.now();
        self.cluster.logs.append(uid, "crier", at, line);
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
