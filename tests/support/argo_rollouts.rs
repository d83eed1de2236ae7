//! Argo Rollouts on a control plane: the kinds and their controller, as `tests/argo_rollouts/build` made them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::built;
use super::control_plane::{ControlPlane, free_ports};
use super::fixtures::merge;
use super::keeper::Keeper;
use super::wait;

/// The control plane that all tests with Argo Rollouts share. It is one of its own: on the other one no test meets kinds that
/// most clusters do not have.
pub fn plane() -> &'static ControlPlane {
    static SHARED: LazyLock<(ControlPlane, Keeper)> = LazyLock::new(|| {
        let plane = ControlPlane::own();
        let controller = install(&plane);
        (plane, controller)
    });
    let (plane, _) = &*SHARED;
    plane.assert_version();
    plane
}

/// The kinds, and the controller for all namespaces, which ends with what is given back.
pub fn install(plane: &ControlPlane) -> Keeper {
    let programs = built::folder("tests/argo_rollouts/build");
    let kinds = [
        "rollout",
        "experiment",
        "analysis-run",
        "analysis-template",
        "cluster-analysis-template",
    ];
    for kind in kinds {
        let file = programs.join(format!("{kind}-crd.yaml"));
        // One is too long for the annotation of an apply.
        plane.kubectl(&["create", "-f", &file.to_string_lossy()]);
    }
    wait::until("the API server serves rollouts", || {
        plane
            .admin()
            .get("/apis/argoproj.io/v1alpha1/rollouts")
            .ok()
    });
    let [health, metrics] = free_ports();
    let kubeconfig = plane.admin_kubeconfig();
    let arguments = [
        format!("--kubeconfig={}", kubeconfig.display()),
        "--leader-elect=false".to_owned(),
        format!("--healthzPort={health}"),
        format!("--metricsPort={metrics}"),
    ];
    let log = plane.folder().join("rollouts-controller.log");
    Keeper::start(&programs.join("rollouts-controller"), &arguments, &log)
}

/// A Rollout of five pods named `cart`.
pub struct Cart {
    plane: &'static ControlPlane,
    namespace: String,
}

impl Cart {
    /// It runs `1.9.3` with these steps.
    pub fn run(plane: &'static ControlPlane, namespace: &str, steps: &Value) -> Self {
        let cart = Self::create(plane, namespace, "1.9.3", &by_steps(steps));
        cart.wait("Healthy", |status| status["phase"] == "Healthy");
        cart
    }

    /// It runs `1.9.3`, and another release waits beside it until its traffic is switched.
    pub fn run_blue_green(plane: &'static ControlPlane, namespace: &str) -> Self {
        for service in ["active", "preview"] {
            let object = json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": service, "namespace": namespace},
                "spec": {"selector": {"app": "cart"}, "ports": [{"port": 80}]},
            });
            let collection = format!("/api/v1/namespaces/{namespace}/services");
            plane
                .admin()
                .create(&collection, &object)
                .expect("a service is created");
        }
        let strategy = json!({"blueGreen": {
            "activeService": "active", "previewService": "preview", "autoPromotionEnabled": false,
        }});
        let spec = json!({"strategy": strategy});
        let cart = Self::create(plane, namespace, "1.9.3", &spec);
        cart.wait("Healthy", |status| status["phase"] == "Healthy");
        cart
    }

    /// It is to run this tag, with these fields in its spec as well. Nobody waits for it.
    pub fn create(plane: &'static ControlPlane, namespace: &str, tag: &str, spec: &Value) -> Self {
        let mut object = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "cart", "namespace": namespace},
            "spec": {
                "replicas": 5,
                "selector": {"matchLabels": {"app": "cart"}},
                "template": {
                    "metadata": {"labels": {"app": "cart"}},
                    "spec": {"containers": [container(tag)], "terminationGracePeriodSeconds": 0},
                },
            },
        });
        merge(&mut object["spec"], spec);
        let collection = format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts");
        plane
            .admin()
            .create(&collection, &object)
            .expect("a rollout is created");
        Self {
            plane,
            namespace: namespace.to_owned(),
        }
    }

    /// Their names, of all its revisions.
    pub fn pods(&self) -> Vec<String> {
        let path = format!(
            "/api/v1/namespaces/{}/pods?labelSelector=app%3Dcart",
            self.namespace
        );
        let pods = self.plane.admin().items(&path);
        let name = |pod: &Value| pod["metadata"]["name"].as_str().map(ToOwned::to_owned);
        pods.iter().filter_map(name).collect()
    }

    fn path(&self) -> String {
        let namespace = &self.namespace;
        format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts/cart")
    }

    pub fn read(&self) -> Value {
        self.plane.admin().get(&self.path()).expect("the rollout")
    }

    pub fn set_image(&self, tag: &str) {
        let change = json!({"spec": {"template": {"spec": {"containers": [container(tag)]}}}});
        self.patch("", &change);
    }

    /// What its own client writes into the status.
    pub fn status(&self, change: &Value) {
        self.patch("/status", &json!({"status": change}));
    }

    pub fn patch(&self, part: &str, change: &Value) {
        let path = format!("{}{part}", self.path());
        self.plane
            .admin()
            .merge(&path, change)
            .expect("it is patched");
    }

    /// Until the controller has seen the spec and says so.
    pub fn wait(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        wait::until(&format!("cart is {what}"), || {
            let cart = self.read();
            let generation = cart["metadata"]["generation"].to_string();
            let seen = cart["status"]["observedGeneration"] == generation.as_str();
            (seen && is(&cart["status"])).then_some(cart)
        })
    }
}

/// A canary that is moved by these steps.
pub fn by_steps(steps: &Value) -> Value {
    json!({"strategy": {"canary": {"steps": steps}}})
}

fn container(tag: &str) -> Value {
    json!({
        "name": "cart",
        "image": format!("registry.test/shop/cart:{tag}"),
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    })
}
