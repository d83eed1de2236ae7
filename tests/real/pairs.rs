//! Two Deployments behind one Service on a real control plane: the canary is given a weight, promoted and aborted.

use serde_json::{Value, json};

use crate::held::{Owned, wait_row};
use crate::screen::wait_plan_to;
use crate::support::control_plane::ControlPlane;
use crate::support::wait;

/// Four pods of 1.0 and one of the canary's, behind the Service `checkout`.
struct Pair {
    plane: &'static ControlPlane,
    namespace: String,
}

impl Pair {
    fn run(namespace: &str, canary: &str) -> Self {
        let pair = Self {
            plane: ControlPlane::shared(),
            namespace: namespace.into(),
        };
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "checkout", "namespace": namespace},
            "spec": {"selector": {"app": "checkout"}, "ports": [{"port": 80}]},
        });
        let api = pair.plane.admin();
        let services = format!("/api/v1/namespaces/{namespace}/services");
        api.create(&services, &service).unwrap();
        let deployments = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        for (name, track, tag, replicas) in [
            ("checkout", "stable", "1.0", 4),
            ("checkout-canary", "canary", canary, 1),
        ] {
            let labels = json!({"app": "checkout", "track": track});
            let object = json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": name, "namespace": namespace},
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
            api.create(&deployments, &object).unwrap();
        }
        pair.wait_serving("checkout", 4);
        pair
    }

    fn path(&self, name: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    }

    fn read(&self, name: &str) -> Value {
        self.plane.admin().get(&self.path(name)).unwrap()
    }

    fn patch(&self, name: &str, change: &Value) {
        self.plane.admin().patch(&self.path(name), change).unwrap();
    }

    fn image(&self, name: &str) -> String {
        let image = &self.read(name)["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap_or_default().to_owned()
    }

    fn wait_serving(&self, name: &str, count: u64) {
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
        "1.0 of deploy/checkout → 2.0, and no deploy/checkout-canary",
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
