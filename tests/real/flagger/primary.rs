//! What serves in a target's place, restarted and scaled: what Flagger leaves, and what it writes over.

use serde_json::{Value, json};

use super::Owned;

const RESTARTED: &str = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";

#[test]
fn what_serves_keeps_its_restart_and_scale_until_the_next_promotion() {
    let owned = Owned::new("primary", &[], 9);
    let web = &owned.web;
    owned.does(
        &["restart", "web-primary", "--dry-run"],
        "Flagger leaves it: the next promotion of deploy/web makes these pods anew anyway",
    );
    owned.does(&["restart", "web-primary", "--yes"], "verified");
    owned.does(
        &["scale", "web-primary", "3", "--yes"],
        "the next release of deploy/web begins with this number",
    );
    web.set_image("2.15.0");
    web.wait("judged", |status| status["iterations"] == 1);
    let (target, primary) = (web.deployment("web"), web.deployment("web-primary"));
    let replicas = |deployment: &Value| deployment["spec"]["replicas"].clone();
    assert_eq!(
        [replicas(&target), replicas(&primary)],
        [json!(3), json!(3)]
    );
    assert!(primary.pointer(RESTARTED).is_some(), "{primary}");
    // While it is judged, both come to nothing or hold it up.
    owned.does(
        &["restart", "web-primary", "--dry-run"],
        "it stands still until these pods are ready",
    );
    owned.does(
        &["scale", "web-primary", "5", "--yes"],
        "when it is promoted, its own number is written over this",
    );
    assert_eq!(replicas(&web.deployment("web-primary")), 5);
    owned.does(
        &["promote", "web", "--yes", "--override", "seen enough"],
        "verified: promoted, 3 of 3 of web-primary serve 2.15.0",
    );
    let primary = web.deployment("web-primary");
    assert_eq!(replicas(&primary), 3, "the number of its target");
    assert_eq!(primary.pointer(RESTARTED), None);
}

#[test]
fn what_serves_nothing_begins_its_next_release_with_one_pod() {
    let owned = Owned::new("emptied", &[], 9);
    let web = &owned.web;
    owned.does(
        &["scale", "web-primary", "0", "--yes"],
        "nothing serves deploy/web then, and its next release begins with 1 pod",
    );
    web.set_image("2.15.0");
    web.wait_phase("Progressing");
    assert_eq!(web.deployment("web")["spec"]["replicas"], 1);
}
