//! Another client is quicker, after the last read and before the write: the server refuses it by what it is bound to.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{Owned, steps, wait_row};
use crate::screen::wait_plan_to;
use crate::support::argo_rollouts::{self, Cart};
use crate::support::proxy::{Fate, Proxy};

/// What the other one writes right before a write that is meant, and until when it waits.
struct Other {
    status: Value,
    until: fn(&Value) -> bool,
}

#[test]
fn what_moves_in_the_last_moment_is_refused_by_the_server_and_told() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("last-moment");
    let cart = Arc::new(Cart::run(plane, &namespace, &steps()));
    let other = Arc::<Mutex<Option<Other>>>::default();
    let (his, its) = (Arc::clone(&other), Arc::clone(&cart));
    let proxy = Proxy::start(plane, move |seen| {
        if seen.real_patch()
            && seen.uri.contains("/rollouts/cart/status")
            && let Some(Other { status, until }) = his.lock().unwrap().take()
        {
            its.status(&status);
            its.wait("moved by another", until);
        }
        Fate::Forward
    });
    let owned = Owned {
        kubeconfig: proxy.kubeconfig(Some(&namespace)),
        home: tempfile::tempdir().unwrap(),
        namespace,
    };
    let is_quicker = |status: Value, until: fn(&Value) -> bool| {
        *other.lock().unwrap() = Some(Other { status, until });
    };
    let terminal = owned.open();
    wait_row(&terminal, "1.9.3");
    cart.set_image("1.10.0");
    wait_row(&terminal, "waits for you");

    is_quicker(json!({"pauseConditions": null}), |status| {
        status["currentStepIndex"] == 3 && status["phase"] == "Paused"
    });
    terminal.keys("P");
    wait_plan_to(&terminal, "PROMOTE");
    terminal.keys("y");
    terminal.wait_text("Nothing was written: rollout/cart went on to step 4");
    wait_row_after(&terminal, "60% step 4/5");
    assert_eq!(cart.read()["status"]["currentStepIndex"], 3);

    is_quicker(json!({"abort": true}), |status| {
        status["phase"] == "Degraded"
    });
    for verb in [
        &["promote", "cart", "--full", "--yes"][..],
        &["abort", "cart", "--yes"],
    ] {
        let (code, said) = owned.run(verb);
        assert_eq!(code, Some(3), "{said}");
        let want = if verb.len() == 4 {
            "Nothing was written: rollout/cart was aborted by somebody else."
        } else {
            "rollout/cart is aborted already"
        };
        assert!(said.contains(want), "{said}");
    }
    let status = cart.read()["status"].take();
    assert_ne!(status["stableRS"], status["currentPodHash"], "{status}");

    // So quick that its controller may not have answered yet.
    let (code, said) = owned.run(&["retry", "cart", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    is_quicker(json!({"pauseConditions": null}), |_| true);
    let (code, said) = owned.run(&["promote", "cart", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("Nothing was written: rollout/cart "),
        "{said}"
    );
    assert!(!said.contains("mistake"), "{said}");
    let record = owned.record();
    assert_eq!(
        record.matches(r#""outcome":"refused""#).count(),
        3,
        "{record}"
    );
}

/// The board again, once what was refused is put away.
fn wait_row_after(terminal: &crate::support::pty::Terminal, words: &str) {
    terminal.keys("q");
    wait_row(terminal, words);
}
