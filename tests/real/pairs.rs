//! Two Deployments behind one Service on a real control plane: the canary is given a weight, promoted and aborted.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::git::{KUSTOMIZATIONS, plant};
use crate::held::{Owned, wait_row};
use crate::screen::{rows, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::gateway_api;
use crate::support::pty::Terminal;
use crate::support::wait;

/// Four pods of 1.0 and one of the canary's.
pub struct Pair {
    plane: &'static ControlPlane,
    namespace: String,
}

impl Pair {
    /// Behind the Service `checkout`.
    pub fn run(namespace: &str, canary: &str) -> Self {
        let pair = Self::deployed(ControlPlane::shared(), namespace, canary);
        pair.serve("checkout", &json!({"app": "checkout"}));
        pair
    }

    /// Each behind a Service of its own.
    pub fn apart(plane: &'static ControlPlane, namespace: &str) -> Self {
        let pair = Self::deployed(plane, namespace, "2.0");
        for (name, track) in [("checkout", "stable"), ("checkout-canary", "canary")] {
            pair.serve(name, &json!({"app": "checkout", "track": track}));
        }
        pair
    }

    fn serve(&self, name: &str, selector: &Value) {
        self.create(
            "v1",
            "services",
            &json!({
                "kind": "Service", "metadata": {"name": name},
                "spec": {"selector": selector, "ports": [{"port": 80}]},
            }),
        );
    }

    pub fn create(&self, api: &str, plural: &str, object: &Value) {
        let mut object = object.clone();
        object["apiVersion"] = api.into();
        object["metadata"]["namespace"] = self.namespace.as_str().into();
        let root = if api == "v1" { "api" } else { "apis" };
        let namespace = &self.namespace;
        let collection = format!("/{root}/{api}/namespaces/{namespace}/{plural}");
        self.plane.admin().create(&collection, &object).unwrap();
    }

    fn deployed(plane: &'static ControlPlane, namespace: &str, canary: &str) -> Self {
        let pair = Self {
            plane,
            namespace: namespace.into(),
        };
        pair.deploy("checkout", "stable", ("1.0", 4));
        pair.deploy("checkout-canary", "canary", (canary, 1));
        pair.wait_serving("checkout", 4);
        pair
    }

    fn deploy(&self, name: &str, track: &str, (tag, replicas): (&str, u32)) {
        let labels = json!({"app": "checkout", "track": track});
        let object = json!({
            "kind": "Deployment", "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "containers": [{"name": "checkout", "image": image(tag)}],
                        "terminationGracePeriodSeconds": 0,
                    },
                },
            },
        });
        self.create("apps/v1", "deployments", &object);
    }

    fn path(&self, name: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    }

    pub fn read(&self, name: &str) -> Value {
        self.plane.admin().get(&self.path(name)).unwrap()
    }

    pub fn patch(&self, name: &str, change: &Value) {
        self.plane.admin().patch(&self.path(name), change).unwrap();
    }

    fn image(&self, name: &str) -> String {
        let image = &self.read(name)["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap_or_default().to_owned()
    }

    pub fn wait_serving(&self, name: &str, count: u64) {
        wait::until(&format!("{count} pods of {name} serve"), || {
            let available = self.read(name)["status"]["availableReplicas"].as_u64();
            (available.unwrap_or_default() == count).then_some(())
        });
    }
}

fn image(tag: &str) -> String {
    format!("registry.test/shop/checkout:{tag}")
}

#[test]
fn the_canary_of_a_pair_is_given_a_weight_and_promoted_in_two_steps() {
    let owned = Owned::new(ControlPlane::shared(), "pair");
    let pair = Pair::run(&owned.namespace, "2.0");
    pair.wait_serving("checkout-canary", 1);
    let terminal = owned.open();
    wait_row(&terminal, "checkout-canary", "20% 1 of 5 pods");
    wait_row(&terminal, "checkout-canary", "1.0 → 2.0");
    wait_row(&terminal, "checkout-canary", "P A");
    wait_first(&terminal);
    terminal.keys("\r");
    terminal.wait_text("20% set, 20% of the Service's ready endpoints");
    terminal.keys("q");
    wait_row(&terminal, "checkout-canary", "20% 1 of 5 pods");
    let (code, said) = owned.run(&["promote", "checkout", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    let hint = "its canary deploy/checkout-canary is what is promoted";
    assert!(said.contains(hint), "{said}");
    terminal.keys(":weight 33\r");
    wait_plan_to(&terminal, "WEIGHT");
    let plan = terminal.picture();
    assert!(plan.contains("20% 1 of 5 pods → 2 of 6 pods"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 2/2 pods run 2.0");
    terminal.keys("q");
    wait_row(&terminal, "checkout-canary", "33% 2 of 6 pods");
    let (code, said) = owned.run(&["weight", "checkout-canary", "33", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("which it has"), "{said}");
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    let plan = terminal.picture();
    for part in [
        "1.0 of deploy/checkout  →  2.0, and no deploy/checkout-canary",
        "33% 2 of 6 pods, then 2 → 0 pods",
        "the canary gets 33%, 33% are set",
        "the two differ in nothing but their images",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert_eq!(pair.image("checkout"), image("1.0"));
    terminal.keys("y");
    terminal.wait_text("verified: scaled to zero");
    let given = pair.image("checkout");
    assert!(given.starts_with(&image("2.0")), "{given}");
    assert_eq!(pair.read("checkout-canary")["spec"]["replicas"], 0);
    pair.wait_serving("checkout", 4);
    let record = owned.record();
    assert!(record.contains(r#""verb":"weight""#), "{record}");
    assert!(
        record.contains("give deploy/checkout the images"),
        "{record}"
    );
    assert_eq!(record.matches(r#""verified":true"#).count(), 2, "{record}");
    terminal.keys("q");
    // It comes again, and is given up.
    pair.patch(
        "checkout-canary",
        &json!({"spec": {"replicas": 1, "template": {"spec": {
        "containers": [{"name": "checkout", "image": image("3.0")}]}}}}),
    );
    wait_row(&terminal, "checkout-canary", "20% 1 of 5 pods");
    let (code, said) = owned.run(&["abort", "checkout-canary", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("4 of 4 of deploy/checkout serve all"),
        "{said}"
    );
    assert_eq!(pair.read("checkout-canary")["spec"]["replicas"], 0);
    assert_eq!(pair.image("checkout"), given);
}

#[test]
fn what_else_is_behind_its_service_counts() {
    let owned = Owned::new(ControlPlane::shared(), "pair-third");
    let pair = Pair::run(&owned.namespace, "2.0");
    let terminal = owned.open();
    wait_row(&terminal, "checkout-canary", "20% 1 of 5 pods");
    pair.deploy("batch", "batch", ("1.0", 1));
    wait_row(&terminal, "checkout-canary", "20% (16% now) 1 of 5 pods");
}

#[test]
fn a_canary_whose_images_fail_beside_it_stays_and_its_reason_is_told() {
    let owned = Owned::new(ControlPlane::shared(), "pair-broken");
    let pair = Pair::run(&owned.namespace, "2.0-unpullable");
    let promote = ["promote", "checkout-canary", "--yes"];
    let (code, said) = owned.run(&promote);
    assert_eq!(code, Some(1), "{said}");
    for part in [
        "Not done (scale deploy/checkout-canary",
        "fails: image",
        "What was sent before it is done",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(pair.read("checkout-canary")["spec"]["replicas"], 1);
    assert_eq!(pair.image("checkout"), image("2.0-unpullable"));
}

/// Rows are put in order from time to time, and the cursor goes with the first one until a key is pressed.
fn wait_first(terminal: &Terminal) {
    terminal.wait_for("the canary as the first row", |screen| {
        rows(screen)
            .first()
            .is_some_and(|row| row.contains("checkout-canary") && row.starts_with('❯'))
    });
}

/// The control plane that knows `HTTPRoute`s, which most clusters do not, and what Argo CD and Flux keep things by.
pub fn gateway() -> &'static ControlPlane {
    static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| {
        let plane = ControlPlane::own();
        gateway_api::install(&plane);
        plant(&plane, KUSTOMIZATIONS);
        plane
    });
    SHARED.assert_version();
    &SHARED
}

#[test]
fn the_weights_of_an_http_route_and_of_a_canary_ingress_are_read_and_set() {
    let plane = gateway();
    let owned = Owned::new(plane, "routed");
    let pair = Pair::apart(plane, &owned.namespace);
    pair.wait_serving("checkout-canary", 1);
    let (code, said) = owned.run(&["weight", "checkout-canary", "40", "--yes"]);
    assert_eq!(code, Some(3), "nothing joins them: {said}");
    let (api, namespace) = ("gateway.networking.k8s.io/v1", &owned.namespace);
    pair.create(
        api,
        "httproutes",
        &json!({
            "kind": "HTTPRoute", "metadata": {"name": "checkout"},
            "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": [
                {"name": "checkout", "port": 80, "weight": 80},
                {"name": "checkout-canary", "port": 80, "weight": 20},
            ]}]},
        }),
    );
    let terminal = owned.open();
    wait_row(&terminal, "checkout-canary", "20% by its route");
    wait_first(&terminal);
    terminal.keys("W");
    terminal.wait_text("weight: 20");
    terminal.keys("\u{7f}\u{7f}40\r");
    wait_plan_to(&terminal, "WEIGHT");
    let plan = terminal.picture();
    assert!(
        plan.contains("httproute/checkout: 20% by its route → 40%"),
        "{plan}"
    );
    terminal.keys("y");
    terminal.wait_text("verified: httproute/checkout gives it 40%");
    let path = format!("/apis/{api}/namespaces/{namespace}/httproutes/checkout");
    let weights = || {
        let route = plane.admin().get(&path).unwrap();
        let refs = &route["spec"]["rules"][0]["backendRefs"];
        (refs[0]["weight"].clone(), refs[1]["weight"].clone())
    };
    assert_eq!(weights(), (json!(60), json!(40)));
    let (code, said) = owned.run(&["abort", "checkout-canary", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(weights(), (json!(100), json!(0)));
    assert_eq!(
        pair.read("checkout-canary")["spec"]["replicas"],
        1,
        "its pods stay"
    );
    plane.admin().delete(&path).unwrap();
    pair.create(
        "networking.k8s.io/v1",
        "ingresses",
        &json!({
            "kind": "Ingress",
            "metadata": {"name": "checkout-canary", "annotations": {
                "nginx.ingress.kubernetes.io/canary": "true",
                "nginx.ingress.kubernetes.io/canary-weight": "20",
            }},
            "spec": {"rules": [{"host": "shop.test", "http": {"paths": [{
                "path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": "checkout-canary", "port": {"number": 80}}},
            }]}}]},
        }),
    );
    wait_row(&terminal, "checkout-canary", "20% by its route");
    let (code, said) = owned.run(&["weight", "checkout-canary", "50", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let path =
        format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/checkout-canary");
    let notes = plane.admin().get(&path).unwrap()["metadata"]["annotations"].clone();
    assert_eq!(notes["nginx.ingress.kubernetes.io/canary-weight"], "50");
    // Its images go out, it gets nothing more, and its pods stop.
    let (code, said) = owned.run(&["promote", "checkout-canary", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let notes = plane.admin().get(&path).unwrap()["metadata"]["annotations"].clone();
    assert_eq!(notes["nginx.ingress.kubernetes.io/canary-weight"], "0");
    assert_eq!(pair.read("checkout-canary")["spec"]["replicas"], 0);
    let given = pair.image("checkout");
    assert!(given.starts_with(&image("2.0")), "{given}");
}
