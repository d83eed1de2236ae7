//! Weights that Flagger writes into a route of the Gateway API: what stands there is shown against what it set.

use serde_json::json;

use super::{Owned, wait_row};
use crate::support::flagger::Web;
use crate::support::pty::picture;

#[test]
fn the_weights_of_a_route_are_shown_as_they_stand_in_it() {
    let owned = Owned::of("by-route", Web::routed_by_gateway);
    let (web, terminal) = (&owned.web, owned.open());
    wait_row(&terminal, "web-primary serves");
    web.set_image("2.15.0");
    wait_row(&terminal, "30% step 1/2");
    // It stands still, so that nobody else writes the route.
    web.patch("", &json!({"spec": {"suspend": true}}));
    terminal.keys("\r");
    let not_taken = ", which its gateway has not taken so far";
    terminal.wait_text(&format!("weight 30% set, 30% in httproute/web{not_taken}"));
    let route = web.route();
    let accepted = json!({"type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
        "observedGeneration": route["metadata"]["generation"], "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let parent = json!({"parentRef": route["spec"]["parentRefs"][0], "controllerName": "test.example/gateway",
        "conditions": [accepted]});
    web.patch_route("/status", &json!({"status": {"parents": [parent]}}));
    terminal.wait_for("a route that is taken", |screen| {
        let screen = picture(screen);
        screen.contains("30% in httproute/web") && !screen.contains("has not taken")
    });
    // A hand edit is no plan of ours, and is shown; Flagger builds on it.
    let mut rules = route["spec"]["rules"].clone();
    (
        rules[0]["backendRefs"][0]["weight"],
        rules[0]["backendRefs"][1]["weight"],
    ) = (json!(95), json!(5));
    web.patch_route("", &json!({"spec": {"rules": rules}}));
    terminal.wait_text("weight 30% set, 5% in httproute/web");
    terminal.keys("q");
    wait_row(&terminal, "30% (5% now) step 1/2");
    web.patch("", &json!({"spec": {"suspend": false}}));
    wait_row(&terminal, "35% step 1/2");
    // For a whole look its status says 0 while the route still has the rest.
    terminal.keys("\r");
    terminal.wait_text("weight 0% set, 65% in httproute/web");
    terminal.keys("q");
    wait_row(&terminal, "web-primary serves");
    assert!(web.primary().ends_with("2.15.0"));
}
