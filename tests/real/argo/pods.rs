//! What gives a Rollout other pods: a rollback, another image, a restart, a scale, and one pod less.

use serde_json::{Value, json};

use super::{Owned, borrowing, steps, wait_row, waiting};
use crate::screen::wait_plan_to;
use crate::support::argo_rollouts::{self, Cart, by_steps};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, merge};
use crate::support::wait;

/// As many pods run it as are wanted, and its controller says that all is well.
fn healthy(status: &Value) -> bool {
    status["phase"] == "Healthy" && status["stableRS"] == status["currentPodHash"]
}

fn image(cart: &Cart) -> String {
    let live = cart.read();
    let image = live["spec"]["template"]["spec"]["containers"][0]["image"].as_str();
    image.unwrap().rsplit(':').next().unwrap().to_owned()
}

#[test]
fn a_release_is_taken_back_in_its_middle_without_a_step() {
    let (owned, cart, terminal) = waiting("undone");
    terminal.keys("R");
    wait_plan_to(&terminal, "ROLL BACK");
    let plan = terminal.picture();
    for part in [
        "no step is taken: all of it goes back to 1.9.3 at once",
        "kubectl argo rollouts undo cart",
        "you may patch rollouts in",
        "the server accepts the patch (dry run)",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    // What a server fills in is no difference.
    assert!(!plan.contains("dnsPolicy"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 5/5 pods run 1.9.3");
    let live = cart.wait("Healthy", healthy);
    assert_eq!(image(&cart), "1.9.3");
    let labels = &live["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels, &json!({"app": "cart"}), "{live}");
    let record = owned.record();
    assert!(record.contains(r#""verb":"rollback""#), "{record}");
    // What was gone back from is not proposed.
    let (code, said) = owned.run(&["rollback", "rollout/cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("(withdrawn)"), "{said}");
}

#[test]
fn what_was_aborted_is_rolled_back_and_asks_for_the_other_no_more() {
    let (owned, cart, terminal) = waiting("undone-aborted");
    cart.status(&json!({"abort": true}));
    wait_row(&terminal, "aborted");
    let (code, said) = owned.run(&["rollback", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: 5/5 pods run 1.9.3"), "{said}");
    let live = cart.wait("Healthy", healthy);
    assert_eq!(live["status"]["abort"], Value::Null, "{live}");
}

#[test]
fn who_promotes_it_meanwhile_has_the_rollback_refused() {
    let (_owned, cart, terminal) = waiting("undone-late");
    terminal.keys("R");
    wait_plan_to(&terminal, "ROLL BACK");
    cart.status(&json!({"promoteFull": true}));
    cart.wait("Healthy", healthy);
    terminal.keys("y");
    terminal.wait_text("rollout/cart was promoted to its");
    assert_eq!(image(&cart), "1.10.0");
}

/// By the server's clock: which of two revisions is older its controller knows by the second.
pub(super) fn next_second(plane: &ControlPlane, namespace: &str) {
    let collection = format!("/api/v1/namespaces/{namespace}/configmaps");
    let tick =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "tick-"}});
    let made = || {
        let made = plane.admin().create(&collection, &tick).unwrap();
        made["metadata"]["creationTimestamp"].to_string()
    };
    let now = made();
    wait::until("the next second", || (made() > now).then_some(()));
}

#[test]
fn an_older_revision_takes_the_steps_again_unless_it_is_in_the_window() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "older");
    let cart = Cart::run(plane, &owned.namespace, &steps());
    let image_of = |tag: &str, want: &str| {
        let (code, said) = owned.run(&["set-image", "cart", tag, "--yes"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(want), "{said}");
    };
    image_of(
        "1.10.0",
        "its steps begin at the first: 20%, pause until promoted, 60%, pause 1h, 100%",
    );
    assert_eq!(image(&cart), "1.10.0");
    next_second(plane, &owned.namespace);
    // Another one in its middle ends it.
    image_of("1.11.0", "the release of 1.10.0 ends");
    cart.wait("at its first pause", |status| {
        status["currentStepIndex"] == 1
    });
    // The image of what serves takes it back, and no step.
    image_of(
        "1.9.3",
        "no step is taken: all of it goes back to 1.9.3 at once",
    );
    cart.wait("Healthy", healthy);
    image_of("1.10.0", "verified: 20% step 2/5, and waits there");
    let (code, said) = owned.run(&["promote", "cart", "--full", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    cart.wait("Healthy", healthy);
    let back = ["rollback", "cart", "--to", "1.9.3", "--yes"];
    let (code, said) = owned.run(&back);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("its steps begin at the first"), "{said}");
    assert!(
        said.contains("verified: 20% step 2/5, and waits there"),
        "{said}"
    );
    // Where it was told how far back it may go at once, it does.
    image_of("1.11.0", "verified: 20% step 2/5, and waits there");
    let (code, said) = owned.run(&["promote", "cart", "--full", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    cart.wait("Healthy", healthy);
    cart.patch("", &json!({"spec": {"rollbackWindow": {"revisions": 3}}}));
    cart.wait("Healthy", healthy);
    let (code, said) = owned.run(&back);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("it is within its rollback window of 3"),
        "{said}"
    );
    assert!(said.contains("verified: 5/5 pods run 1.9.3"), "{said}");
    cart.wait("Healthy", healthy);
}

#[test]
fn a_restart_makes_all_pods_anew_and_leaves_the_template_alone() {
    let (owned, cart, terminal) = waiting("anew");
    let (before, template) = (cart.pods(), cart.read()["spec"]["template"].clone());
    terminal.keys("r");
    wait_plan_to(&terminal, "RESTART");
    let plan = terminal.picture();
    for part in [
        "5 pods are evicted, 1 at a time",
        "at least 4 of 5 keep",
        "kubectl argo rollouts restart cart",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: 5 of 5 pods are made anew");
    let live = cart.read();
    assert_eq!(
        live["status"]["restartedAt"], live["spec"]["restartAt"],
        "{live}"
    );
    assert_eq!(live["spec"]["template"], template);
    assert_eq!(
        live["status"]["currentStepIndex"], 1,
        "it stays at its step"
    );
    assert!(cart.pods().iter().all(|pod| !before.contains(pod)));
    // With a pod that does not serve its controller evicts none.
    cart.set_image("1.11.0-unready");
    wait_row(&terminal, "(0% now)");
    let (code, said) = owned.run(&["restart", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("would be accepted and replace no pod"),
        "{said}"
    );
    assert_eq!(cart.read()["spec"]["restartAt"], live["spec"]["restartAt"]);
}

#[test]
fn a_scale_keeps_the_share_of_the_canary_and_is_refused_while_it_would_do_nothing() {
    let (owned, cart, terminal) = waiting("wider");
    terminal.keys("s");
    terminal.wait_text("how many: 5");
    terminal.keys("\x1510\r");
    wait_plan_to(&terminal, "SCALE");
    let plan = terminal.picture();
    assert!(plan.contains("the canary keeps its share"), "{plan}");
    terminal.keys("y");
    terminal.wait_text("verified: 10 of 10 serve, 20% step 2/5");
    let status = cart.wait("of ten", |status| status["availableReplicas"] == 10);
    assert_eq!(status["status"]["updatedReplicas"], 2, "{status}");
    terminal.keys("q");
    cart.patch("", &json!({"spec": {"paused": true}}));
    cart.wait("paused", |status| status["message"] == "manually paused");
    let (code, said) = owned.run(&["scale", "cart", "6", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("its controller scales nothing meanwhile"),
        "{said}"
    );
    cart.patch("", &json!({"spec": {"paused": false}}));
    cart.wait("at its step again", |status| {
        status["message"] == "CanaryPauseStep"
    });
    let autoscaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "cart"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "cart"},
            "minReplicas": 2, "maxReplicas": 12,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        },
    });
    let collection = format!(
        "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
        owned.namespace
    );
    argo_rollouts::plane()
        .admin()
        .create(&collection, &autoscaler)
        .unwrap();
    let (code, said) = owned.run(&["scale", "cart", "8", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("hpa/cart 2 to 12 -> hpa/cart 2 to 8"),
        "{said}"
    );
}

#[test]
fn one_pod_is_taken_away_and_another_takes_its_place() {
    let (owned, cart, terminal) = waiting("one-less");
    let gone = cart.pods()[0].clone();
    terminal.keys("\r");
    terminal.wait_text("HISTORY");
    let (code, said) = owned.run(&["delete-pod", &gone, "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("verified: "), "{said}");
    assert!(!cart.pods().contains(&gone));
    assert_eq!(cart.read()["status"]["currentStepIndex"], 1);
    terminal.wait_text(&cart.pods()[0][..16]);
    terminal.keys("\t\x04");
    wait_plan_to(&terminal, "TAKE A POD AWAY");
}

#[test]
fn what_runs_anothers_template_is_changed_there() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "elsewhere");
    let shelf = Service::new(&owned.namespace, "shelf").replicas(1);
    shelf.run(plane, "1.9.3");
    borrowing(plane, &owned.namespace);
    let (code, said) = owned.run(&["status", "basket"]);
    assert_eq!(code, Some(0), "{said}");
    for verb in [
        &["rollback", "basket", "--yes"][..],
        &["set-image", "basket", "1.10.0", "--yes"],
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            said.contains("runs the template of Deployment shelf"),
            "{said}"
        );
        assert!(said.contains("deploy/shelf in its place"), "{said}");
    }
    let (code, said) = owned.run(&["set-image", "deploy/shelf", "1.10.0", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let at = |words: &str| {
        wait::until(&format!("basket {words}"), || {
            let (_, said) = owned.run(&["status", "basket"]);
            said.contains(words).then_some(())
        });
    };
    at("canary 20% step 2/5");
    for (verb, want) in [
        (
            &["restart", "basket", "--yes"][..],
            "5 of 5 pods are made anew",
        ),
        (
            &["scale", "basket", "10", "--yes"],
            "verified: 10 of 10 serve, 20% step 2/5",
        ),
        (&["rollback", "deploy/shelf", "--yes"], "verified: "),
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(want), "{said}");
    }
    at("steady");
}

#[test]
fn a_rollout_among_several_services_goes_the_same_way() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "among");
    let shelf = Service::new(&owned.namespace, "shelf").replicas(1);
    shelf.run(plane, "1.9.3");
    let cart = Cart::run(
        plane,
        &owned.namespace,
        &json!([{"setWeight": 20}, {"setWeight": 100}]),
    );
    for verb in [
        &["set-image", "cart", "shelf", "1.10.0", "--yes"][..],
        &["restart", "cart", "shelf", "--yes"],
        &["rollback", "cart", "shelf", "--yes"],
        &["scale", "cart", "shelf", "2", "--yes"],
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(0), "{verb:?}: {said}");
    }
    assert_eq!(image(&cart), "1.9.3");
    assert!(shelf.live_image(plane).ends_with(":1.9.3"));
    assert_eq!(cart.wait("of two", healthy)["spec"]["replicas"], 2);
    assert_eq!(owned.record().matches(r#""verified":true"#).count(), 8);
}

#[test]
fn a_template_without_resources_is_followed_although_its_controller_rewrites_it() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "bare");
    let mut spec = by_steps(&steps());
    let bare = json!({"template": {"spec": {"containers": [
        {"name": "cart", "image": "registry.test/shop/cart:1.9.3"},
    ]}}});
    merge(&mut spec, &bare);
    let cart = Cart::create(plane, &owned.namespace, "1.9.3", &spec);
    cart.wait("Healthy", healthy);
    for (verb, want) in [
        (
            &["set-image", "cart", "1.10.0", "--yes"][..],
            "verified: 20% step 2/5",
        ),
        (&["pause", "cart", "--yes"], "verified: "),
        (&["resume", "cart", "--yes"], "verified: "),
        (
            &["rollback", "cart", "--yes"],
            "verified: 5/5 pods run 1.9.3",
        ),
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(want), "{said}");
    }
}

#[test]
fn what_its_controller_adds_for_a_time_is_not_put_back() {
    let plane = argo_rollouts::plane();
    let owned = Owned::new(plane, "added");
    let mut spec = by_steps(&steps());
    let added = |side: &str| json!({"labels": {"side": side}, "annotations": {"team/side": side}});
    let adds = json!({"strategy": {"canary": {
        "canaryMetadata": added("canary"), "stableMetadata": added("stable"),
        "antiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 1}},
    }}});
    merge(&mut spec, &adds);
    let cart = Cart::create(plane, &owned.namespace, "1.9.3", &spec);
    cart.wait("Healthy", healthy);
    let hash = |cart: &Cart| cart.read()["status"]["currentPodHash"].clone();
    let released = |tag: &str| {
        cart.set_image(tag);
        cart.wait("at its first pause", |status| {
            status["currentStepIndex"] == 1
        });
    };
    let back = |stable: &Value| {
        let (code, said) = owned.run(&["rollback", "cart", "--yes"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("no step is taken"), "{said}");
        assert!(
            !said.contains("side"),
            "what it adds is no difference: {said}"
        );
        assert!(!said.contains("affinity"), "{said}");
        cart.wait("Healthy", healthy);
        assert_eq!(hash(&cart), *stable, "it is the revision that it was");
        let template = cart.read()["spec"]["template"].take();
        assert_eq!(template["metadata"], json!({"labels": {"app": "cart"}}));
        assert_eq!(template["spec"]["affinity"], Value::Null);
    };
    let first = hash(&cart);
    released("1.10.0");
    back(&first);
    // What was promoted keeps in its copy the rule that kept it apart from what was stable then.
    released("1.10.0");
    let (code, said) = owned.run(&["promote", "cart", "--full", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    cart.wait("Healthy", healthy);
    let second = hash(&cart);
    released("1.11.0");
    let copies = format!("/apis/apps/v1/namespaces/{}/replicasets", owned.namespace);
    let copies = plane.admin().items(&copies);
    let copy = copies
        .iter()
        .find(|copy| copy["metadata"]["labels"]["rollouts-pod-template-hash"] == second);
    let copy = &copy.unwrap()["spec"]["template"];
    assert_eq!(copy["metadata"]["labels"]["side"], "stable", "{copy}");
    assert!(copy["spec"]["affinity"].is_object(), "{copy}");
    back(&second);
}
