//! How little is asked of the API server: counts, from its own audit log.

use std::collections::BTreeSet;

use crate::screen::{open, row_of, rows};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;

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
