//! Debian's Prometheus, and an exporter of ours that counts requests as a test says. `tests/prometheus/install` brings it
//! once; a missing one fails the tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use super::api::RUNTIME;
use super::built;
use super::control_plane::{ControlPlane, free_ports};
use super::hostile::{Hostile, reply};
use super::keeper::{Keeper, remove_at_the_end, write};
use super::wait;

/// Who may ask the one with a password.
pub const USER: (&str, &str) = ("robot", "word");
const HASH: &str = "$2b$04$xk1oX8qm17Odg0TdXGp.FuYhLIcEiegI2dQmewqv.CSX.stt5pqIa";
/// Bounds of the buckets, in seconds.
const BOUNDS: [f64; 5] = [0.05, 0.1, 0.25, 0.5, 1.0];

/// What the pods of one revision do from now on: requests a second, how many of a thousand fail, and how long each takes.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub rate: f64,
    pub failing: f64,
    pub seconds: f64,
}

/// Requests that were counted so far.
struct Counted {
    load: Load,
    at: Instant,
    good: f64,
    bad: f64,
    /// One for each bound, and all.
    buckets: [f64; 6],
}

type Pods = Arc<Mutex<BTreeMap<(String, String), Counted>>>;

pub struct Server {
    pub port: u16,
    pods: Pods,
    keeper: Keeper,
    _exporter: Hostile,
    _folder: PathBuf,
    _remover: Child,
}

/// Without a login.
pub fn open() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(false));
    &SERVER
}

/// For [`USER`] alone.
pub fn with_password() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(true));
    &SERVER
}

impl Server {
    fn start(password: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new()
            .prefix("rolldeck-prometheus-")
            .tempdir();
        let folder = folder.expect("a temporary folder").keep();
        let remover = remove_at_the_end(&folder);
        let pods = Pods::default();
        let counted = Arc::clone(&pods);
        let exporter = Hostile::start(move |_, socket| {
            let text = exposed(&mut counted.lock().expect("no panic"));
            let kind = "content-type: text/plain; version=0.0.4\r\n";
            let _ = socket.write_all(reply("200 OK", kind, &text).as_bytes());
        });
        let target = format!("127.0.0.1:{}", exporter.port);
        let config = json!({
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "tests", "static_configs": [{"targets": [target]}]}],
        });
        write(&folder.join("prometheus.yml"), &config.to_string());
        let mut web = json!({});
        if password {
            web["basic_auth_users"] = json!({USER.0: HASH});
        }
        write(&folder.join("web.yml"), &web.to_string());
        let [port] = free_ports();
        let at = |name: &str| folder.join(name).display().to_string();
        let arguments = [
            format!("--config.file={}", at("prometheus.yml")),
            format!("--web.config.file={}", at("web.yml")),
            format!("--storage.tsdb.path={}", at("data")),
            // An API server leads to no address of loopback.
            format!("--web.listen-address=0.0.0.0:{port}"),
        ];
        let program = built::folder("tests/prometheus/install").join("usr/bin/prometheus");
        let keeper = Keeper::start(&program, &arguments, &folder.join("log"));
        let server = Self {
            port,
            pods,
            keeper,
            _exporter: exporter,
            _folder: folder,
            _remover: remover,
        };
        let url = format!("http://127.0.0.1:{port}/-/ready");
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build();
        let client = client.expect("a client");
        wait::until("Prometheus is ready", || {
            let (user, word) = USER;
            let asked = client.get(&url).basic_auth(user, Some(word)).send();
            let ready = RUNTIME.block_on(asked).ok()?.status().is_success();
            assert!(
                server.keeper.process_id() > 0,
                "{}",
                server.keeper.last_words()
            );
            ready.then_some(())
        });
        server
    }

    /// From now on the pods with this name before their own letters do that.
    pub fn load(&self, namespace: &str, pods: &str, load: Load) {
        self.load_pod(namespace, &format!("{pods}-x2x4k"), load);
    }

    /// The same of one pod by its whole name.
    pub fn load_pod(&self, namespace: &str, pod: &str, load: Load) {
        let mut all = self.pods.lock().expect("no panic");
        let counted = all
            .entry((namespace.to_owned(), pod.to_owned()))
            .or_insert_with(|| Counted {
                load,
                at: Instant::now(),
                good: 0.0,
                bad: 0.0,
                buckets: [0.0; 6],
            });
        counted.go_on();
        counted.load = load;
    }

    /// What it says to a query, as it comes.
    pub fn answer(&self, query: &str) -> String {
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.port);
        let url = reqwest::Url::parse_with_params(&url, &[("query", query)]).expect("an address");
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build();
        let asked = client.expect("a client").get(url);
        let told = RUNTIME.block_on(async { asked.send().await?.text().await });
        told.expect("an answer")
    }

    /// A Service `name:9090` in this namespace that leads to it. An API server goes to no address of loopback, and to
    /// none that is not a pod's: there is one in name, which no scheduler and no node takes.
    pub fn serve(&self, plane: &ControlPlane, namespace: &str, name: &str) {
        let metadata = json!({"name": name, "namespace": namespace});
        let create = |plural: &str, object: &Value| {
            let collection = format!("/api/v1/namespaces/{namespace}/{plural}");
            plane
                .admin()
                .create(&collection, object)
                .expect("it is created");
        };
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"schedulerName": "nobody", "containers": [{"name": "prometheus", "image": "registry.test/prometheus:1"}]},
        });
        create("pods", &pod);
        let ip = own_address();
        let status = json!({"status": {"podIP": ip, "podIPs": [{"ip": ip}]}});
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/status");
        plane
            .admin()
            .merge(&path, &status)
            .expect("it has an address");
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"ports": [{"name": "web", "port": 9090}]},
        });
        create("services", &service);
        let target = json!({"kind": "Pod", "namespace": namespace, "name": name});
        let endpoints = json!({
            "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
            "subsets": [{
                "addresses": [{"ip": ip, "targetRef": target}],
                "ports": [{"name": "web", "port": self.port}],
            }],
        });
        create("endpoints", &endpoints);
    }
}

/// Not of loopback. Nothing is sent.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket
        .connect("192.0.2.1:9")
        .expect("a way out of loopback");
    socket.local_addr().expect("an address").ip().to_string()
}

impl Counted {
    fn go_on(&mut self) {
        let passed = self.at.elapsed().as_secs_f64();
        self.at = Instant::now();
        let all = passed * self.load.rate;
        let bad = all * self.load.failing / 1000.0;
        self.bad += bad;
        self.good += all - bad;
        for (at, bucket) in self.buckets.iter_mut().enumerate() {
            if BOUNDS
                .get(at)
                .is_none_or(|bound| self.load.seconds <= *bound)
            {
                *bucket += all;
            }
        }
    }
}

fn exposed(pods: &mut BTreeMap<(String, String), Counted>) -> String {
    let mut text = String::new();
    for ((namespace, pod), counted) in pods {
        counted.go_on();
        let labels = format!("namespace=\"{namespace}\",pod=\"{pod}\"");
        for (code, count) in [("200", counted.good), ("503", counted.bad)] {
            // One that never failed has never counted a failure.
            if count > 0.0 {
                let _ = writeln!(
                    text,
                    "http_requests_total{{{labels},code=\"{code}\"}} {count}"
                );
            }
        }
        for (at, count) in counted.buckets.iter().enumerate() {
            let bound = BOUNDS
                .get(at)
                .map_or("+Inf".to_owned(), ToString::to_string);
            let name = "http_request_duration_seconds_bucket";
            let _ = writeln!(text, "{name}{{{labels},le=\"{bound}\"}} {count}");
        }
    }
    text
}
