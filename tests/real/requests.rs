//! How little is asked of the API server: counts, from its own audit log.

use std::collections::BTreeSet;

use crate::screen::{launch, open, row_of, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::wait;

/// More stuck services than pods may be watched of.
const STUCK: usize = 12;

#[test]
fn a_steady_board_only_watches_and_the_pods_of_eight_at_most() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("counted");
    let calm = Service::new(&namespace, "calm");
    calm.run(plane, "1.0");
    for number in 0..STUCK {
        let service = Service::new(&namespace, &format!("stuck-{number:02}")).replicas(1);
        service.run(plane, "1.0");
        service.set_image(plane, "2.0-unpullable");
        service.wait_waiting(plane, "ImagePullBackOff");
    }
    let home = tempfile::tempdir().unwrap();
    let mut terminal = open(&plane.owner("counted", Some(&namespace)), home.path());
    terminal.wait_for("live, and the stuck ones stalled", |screen| {
        let rows = rows(screen);
        rows.len() == STUCK + 1 && rows.iter().filter(|row| row.contains("stalled")).count() >= 8
    });
    // Each change is answered from the watches, and none makes a list.
    calm.set_image(plane, "2.0");
    terminal.wait_for("the change", |screen| {
        row_of(screen, "calm").is_some_and(|row| row.contains("2.0") && !row.contains("rolling"))
    });
    let lists = || {
        let asked = plane.asked_by("counted");
        asked.iter().filter(|asked| asked.verb == "list").count()
    };
    let before = lists();
    for tag in ["3.0", "4.0", "5.0"] {
        calm.set_image(plane, tag);
        terminal.wait_for("the change", |screen| {
            row_of(screen, "calm").is_some_and(|row| row.contains(tag) && !row.contains("rolling"))
        });
    }
    terminal.keys("\x03");
    terminal.wait_exit();
    let asked = plane.asked_by("counted");
    let watched = |resource: &str| {
        let of = |uri: &str| {
            let selector = uri.split('&').find(|part| part.contains("labelSelector="));
            selector.unwrap_or_default().to_owned()
        };
        let watches = asked
            .iter()
            .filter(|asked| asked.verb == "watch" && asked.what == resource);
        watches.map(|asked| of(&asked.uri)).collect::<BTreeSet<_>>()
    };
    for resource in ["deployments", "statefulsets", "daemonsets", "events"] {
        assert_eq!(watched(resource).len(), 1, "{resource}");
    }
    // Of kinds that are not there it is asked once, and of what routes to canaries not at all while there is none.
    let asked_for = |path: &str| {
        asked
            .iter()
            .filter(|asked| asked.uri.contains(path))
            .count()
    };
    for absent in ["/argoproj.io/", "/flagger.app/"] {
        assert_eq!(asked_for(absent), 1, "{absent}");
    }
    for beside in ["/services", "networking.k8s.io", "/analysisruns"] {
        assert_eq!(asked_for(beside), 0, "{beside}");
    }
    let pods = watched("pods");
    assert!(
        (1..=9).contains(&pods.len()),
        "eight, and one more after a change of mind: {pods:?}"
    );
    // What newly rolls may take the place of one whose pods were watched: that is a list each time, and no more.
    assert!(
        lists() - before <= 6,
        "{} lists for three rollouts",
        lists() - before
    );
}

#[test]
fn a_kind_that_is_not_there_costs_one_request_whatever_the_number_of_namespaces() {
    let plane = ControlPlane::shared();
    let namespaces = ["pair-a", "pair-b", "pair-c"].map(|prefix| plane.namespace(prefix));
    for namespace in &namespaces {
        for name in ["web", "web-canary"] {
            Service::new(namespace, name).replicas(1).run(plane, "1.0");
        }
    }
    let home = tempfile::tempdir().unwrap();
    let scope = namespaces.iter().flat_map(|name| ["-n", name]);
    let scope: Vec<_> = scope.collect();
    let kubeconfig = plane.reader("counted-pairs", None);
    let mut terminal = launch(&kubeconfig, home.path()).with(&scope).open();
    terminal.wait_for("the rows", |screen| rows(screen).len() == 6);
    let count = |is: &dyn Fn(&str) -> bool| {
        let asked = plane.asked_by("counted-pairs");
        asked.iter().filter(|asked| is(&asked.uri)).count()
    };
    wait::until("their Services are watched", || {
        let watches = |uri: &str| uri.contains("/services?") && uri.contains("watch=");
        (count(&watches) >= namespaces.len()).then_some(())
    });
    for group in [
        "argoproj.io/v1alpha1",
        "flagger.app/v1beta1",
        "gateway.networking.k8s.io/v1",
        "networking.k8s.io/v1",
    ] {
        let root = format!("/apis/{group}");
        wait::until("it is asked for", || {
            (count(&|uri| uri == root) > 0).then_some(())
        });
        assert_eq!(count(&|uri| uri == root), 1, "{group}");
        let lists =
            count(&|uri| uri.starts_with(&format!("{root}/")) && !uri.contains("ingresses"));
        assert_eq!(lists, 0, "{group}");
    }
    terminal.keys("\x03");
    terminal.wait_exit();
}
