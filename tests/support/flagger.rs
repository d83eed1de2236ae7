//! Flagger on a control plane: its kinds and its controller, as `tests/flagger/build` made them, and what it asks.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};

use super::control_plane::{ControlPlane, free_ports};
use super::fixtures::{Service, merge};
use super::hostile::{Hostile, reply};
use super::keeper::Keeper;
use super::wait;
use super::{built, gateway_api};

/// The control plane that all tests with Flagger share.
pub fn plane() -> &'static ControlPlane {
    static SHARED: LazyLock<(ControlPlane, Keeper)> = LazyLock::new(|| {
        let plane = ControlPlane::own();
        gateway_api::install(&plane);
        let controller = install(&plane);
        (plane, controller)
    });
    let (plane, _) = &*SHARED;
    plane.assert_version();
    plane
}

/// The kinds, and the controller for all namespaces, which ends with what is given back.
pub fn install(plane: &ControlPlane) -> Keeper {
    let programs = built::folder("tests/flagger/build");
    let kinds = programs.join("crd.yaml");
    plane.kubectl(&["create", "-f", &kinds.to_string_lossy()]);
    wait::until("the API server serves canaries", || {
        plane.admin().get("/apis/flagger.app/v1beta1/canaries").ok()
    });
    let [port] = free_ports();
    let kubeconfig = plane.admin_kubeconfig();
    let arguments = [
        format!("-kubeconfig={}", kubeconfig.display()),
        "-mesh-provider=kubernetes".to_owned(),
        format!("-port={port}"),
        "-metrics-server=http://127.0.0.1:9".to_owned(),
    ];
    let log = plane.folder().join("flagger.log");
    Keeper::start(&programs.join("flagger"), &arguments, &log)
}

/// A Deployment of two pods named `web` that Flagger moves, judged by one metric, `share`, which has to be 99 at least.
pub struct Web {
    pub service: Service,
    plane: &'static ControlPlane,
    share: Arc<Mutex<String>>,
    open: Arc<AtomicBool>,
}

impl Web {
    /// It runs `2.14.1`. `gates` are types of webhooks, which ask at one door; it is judged `iterations` times.
    pub fn run(
        plane: &'static ControlPlane,
        namespace: &str,
        gates: &[&str],
        iterations: u32,
    ) -> Self {
        let open = Arc::default();
        let door = door(Arc::clone(&open));
        let url = format!("http://127.0.0.1:{door}/open");
        let hook = |kind: &&str| json!({"type": kind, "name": "door", "url": url});
        let hooks: Vec<_> = gates.iter().map(hook).collect();
        let analysis = json!({"analysis": {"iterations": iterations, "webhooks": hooks}});
        Self {
            open,
            ..Self::of(plane, namespace, &analysis)
        }
    }

    /// The same by weights of an Ingress, 30 and 60 of 100, which no controller of ingresses has to be there for.
    pub fn weighted(plane: &'static ControlPlane, namespace: &str) -> Self {
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let ingress = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": {"rules": [{"host": "web.test", "http": {
                "paths": [{"path": "/", "pathType": "Prefix", "backend": backend}],
            }}]},
        });
        let collection = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
        plane
            .admin()
            .create(&collection, &ingress)
            .expect("an ingress is created");
        let spec = json!({
            "provider": "nginx",
            "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"},
            "analysis": {"stepWeight": 30, "maxWeight": 60},
        });
        Self::of(plane, namespace, &spec)
    }

    /// The same by a route of the Gateway API, without a gateway.
    pub fn routed_by_gateway(plane: &'static ControlPlane, namespace: &str) -> Self {
        let gateway = json!({
            "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway",
        });
        let spec = json!({
            "provider": "gatewayapi:v1",
            "service": {"hosts": ["web.test"], "gatewayRefs": [gateway]},
            "analysis": {"stepWeight": 30, "maxWeight": 60},
        });
        Self::of(plane, namespace, &spec)
    }

    fn of(plane: &'static ControlPlane, namespace: &str, more: &Value) -> Self {
        let web = Self {
            service: Service::new(namespace, "web"),
            plane,
            share: Arc::new(Mutex::new("99.5".to_owned())),
            open: Arc::default(),
        };
        web.service.run(plane, "2.14.1");
        let prometheus = metrics(Arc::clone(&web.share));
        let template = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate",
            "metadata": {"name": "share", "namespace": namespace},
            "spec": {
                "provider": {"type": "prometheus", "address": format!("http://127.0.0.1:{prometheus}")},
                "query": "share",
            },
        });
        let mut spec = json!({
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "service": {"port": 80},
            "analysis": {
                "interval": "10s", "threshold": 2,
                "metrics": [{
                    "name": "share", "interval": "1m",
                    "templateRef": {"name": "share"}, "thresholdRange": {"min": 99},
                }],
            },
        });
        merge(&mut spec, more);
        let canary = json!({
            "apiVersion": "flagger.app/v1beta1", "kind": "Canary",
            "metadata": {"name": "web", "namespace": namespace},
            "spec": spec,
        });
        for (kind, object) in [("metrictemplates", template), ("canaries", canary)] {
            let collection = format!("/apis/flagger.app/v1beta1/namespaces/{namespace}/{kind}");
            plane
                .admin()
                .create(&collection, &object)
                .expect("it is created");
        }
        web.wait("Initialized", |status| status["phase"] == "Initialized");
        web
    }

    /// What its metric says from now on.
    pub fn measures(&self, share: &str) {
        share.clone_into(&mut self.share.lock().expect("no panic"));
    }

    pub fn open(&self, open: bool) {
        self.open.store(open, Ordering::SeqCst);
    }

    pub fn set_image(&self, tag: &str) {
        self.service.set_image(self.plane, tag);
    }

    fn path(&self) -> String {
        let namespace = &self.service.namespace;
        format!("/apis/flagger.app/v1beta1/namespaces/{namespace}/canaries/web")
    }

    pub fn read(&self) -> Value {
        self.plane.admin().get(&self.path()).expect("the canary")
    }

    /// A merge patch of the Canary, or of its status.
    pub fn patch(&self, part: &str, change: &Value) {
        let path = format!("{}{part}", self.path());
        self.plane
            .admin()
            .merge(&path, change)
            .expect("it is patched");
    }

    pub fn wait(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        wait::until(&format!("the canary is {what}"), || {
            let status = self.read()["status"].clone();
            is(&status).then_some(status)
        })
    }

    pub fn wait_phase(&self, phase: &str) -> Value {
        self.wait(phase, |status| status["phase"] == phase)
    }

    /// What the Ingress of its canary says.
    pub fn routed(&self) -> Value {
        let namespace = &self.service.namespace;
        let path =
            format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/web-canary");
        let ingress = self.plane.admin().get(&path).expect("the ingress");
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"].clone()
    }

    fn route_path(&self) -> String {
        let namespace = &self.service.namespace;
        format!("/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/web")
    }

    pub fn route(&self) -> Value {
        self.plane
            .admin()
            .get(&self.route_path())
            .expect("its route")
    }

    /// A merge patch of the route, or of its status.
    pub fn patch_route(&self, part: &str, change: &Value) {
        let path = format!("{}{part}", self.route_path());
        self.plane
            .admin()
            .merge(&path, change)
            .expect("it is patched");
    }

    /// The target or what serves in its place, by its name.
    pub fn deployment(&self, name: &str) -> Value {
        let named = Service {
            name: name.into(),
            ..self.service.clone()
        };
        named.read(self.plane)
    }

    /// What serves in its place runs this.
    pub fn primary(&self) -> String {
        let primary = Service {
            name: "web-primary".into(),
            ..self.service.clone()
        };
        primary.live_image(self.plane)
    }
}

/// As much of Prometheus as Flagger asks: whether it is there, and the one metric. Gives the port.
fn metrics(share: Arc<Mutex<String>>) -> u16 {
    Hostile::start(move |head, socket| {
        let share = share.lock().expect("no panic").clone();
        let value = if head.contains("vector") { "1" } else { &share };
        let body = json!({"status": "success", "data": {
            "resultType": "vector", "result": [{"metric": {}, "value": [1, value]}],
        }});
        let json = "content-type: application/json\r\n";
        let answer = reply("200 OK", json, &body.to_string());
        let _ = socket.write_all(answer.as_bytes());
    })
    .port
}

/// A hook that says yes while it is open. Gives the port.
fn door(open: Arc<AtomicBool>) -> u16 {
    Hostile::start(move |_, socket| {
        let status = if open.load(Ordering::SeqCst) {
            "200 OK"
        } else {
            "403 Forbidden"
        };
        let _ = socket.write_all(reply(status, "", "").as_bytes());
    })
    .port
}
