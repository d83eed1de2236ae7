//! A canary whose traffic is routed: the weight that is set, and the one that its controller gives to the router.

use serde_json::{Value, json};

use super::{Owned, steps, wait_row};
use crate::screen::wait_plan_to;
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::wait;

/// An Ingress to two Services. No nginx is there: its controller of canaries sets the weight all the same.
fn create(plane: &'static ControlPlane, namespace: &str) -> Cart {
    for service in ["cart-stable", "cart-canary"] {
        let object = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": service, "namespace": namespace},
            "spec": {"selector": {"app": "cart"}, "ports": [{"port": 80}]},
        });
        let collection = format!("/api/v1/namespaces/{namespace}/services");
        plane.admin().create(&collection, &object).unwrap();
    }
    let backend = json!({"service": {"name": "cart-stable", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "cart", "namespace": namespace},
        "spec": {"rules": [{"host": "cart.test", "http": {"paths": paths}}]},
    });
    let collection = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses");
    plane.admin().create(&collection, &ingress).unwrap();
    let canary = json!({
        "canaryService": "cart-canary", "stableService": "cart-stable", "steps": steps(),
        "trafficRouting": {"nginx": {"stableIngress": "cart"}},
    });
    let spec = json!({"progressDeadlineSeconds": 600, "strategy": {"canary": canary}});
    let cart = Cart::create(plane, namespace, "1.9.3", &spec);
    cart.wait("Healthy", |status| status["phase"] == "Healthy");
    cart
}

/// Until the status and the Ingress that the controller made both say this much.
fn wait_weight(plane: &ControlPlane, namespace: &str, cart: &Cart, weight: u32) {
    cart.wait(&format!("given {weight}%"), |status| {
        let weights = &status["canary"]["weights"];
        (&weights["canary"]["weight"], &weights["stable"]["weight"])
            == (&json!(weight), &json!(100 - weight))
    });
    let path =
        format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/cart-cart-canary");
    wait::until("the Ingress says so", || {
        let ingress = plane.admin().get(&path).ok()?;
        let told = &ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"];
        (*told == weight.to_string().as_str()).then_some(())
    });
}

#[test]
fn the_weight_that_is_set_and_the_one_that_is_given_are_told_beside_each_other() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "routed");
    let namespace = &owned.namespace;
    let cart = create(plane, namespace);
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");

    // Nothing is given to what does not serve.
    cart.set_image("1.10.0-unready");
    wait_row(&terminal, "20% (0% now) step 1/5");
    wait_weight(plane, namespace, &cart, 0);
    terminal.keys("\r");
    terminal.wait_text("weight 20% set, 0% by the traffic router");
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(said.contains("canary 20% (0% now) step 1/5"), "{said}");

    cart.set_image("1.10.0");
    terminal.wait_text("step 2 of 5: pause until promoted");
    terminal.wait_text("weight 20% set, 20% by the traffic router");
    wait_weight(plane, namespace, &cart, 20);
    // It comes beside the five that serve, and does not take the place of one.
    assert_eq!(cart.read()["status"]["replicas"], 6);
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    let plan = terminal.picture();
    assert!(plan.contains("the canary gets 20%, 20% are set"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 60% step 4/5, and waits there");
    wait_weight(plane, namespace, &cart, 60);
    terminal.keys("q");
    terminal.wait_text("weight 60% set, 60% by the traffic router");

    terminal.keys("A");
    wait_plan_to(&terminal, "ABORT");
    terminal.keys("y");
    terminal.wait_text("verified: 5 of 5 pods serve 1.9.3; the template still asks for 1.10.0");
    let told = cart.read()["status"].take();
    assert_eq!(told["canary"]["weights"]["canary"]["weight"], 0, "{told}");
    assert_ne!(told["abortedAt"], Value::Null, "{told}");
    wait_weight(plane, namespace, &cart, 0);
    let (_, said) = owned.run(&["status", "cart"]);
    assert!(
        said.contains("aborted: 1.9.3 serves, 1.10.0 is still asked for"),
        "{said}"
    );
}
