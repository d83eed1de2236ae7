//! kubectl on `rolldeck demo --serve`, as somebody looks around there and repairs it.

use super::serve::Served;
use crate::contract::kubectl::Kubectl;

/// The words of the line that begins with this one.
fn line<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let mut lines = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .find(|words| words.first() == Some(&first))
        .unwrap_or_else(|| panic!("no line of {first}:\n{text}"))
}

#[test]
fn the_stuck_release_is_seen_and_undone() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start(home.path(), &["--scenario", "bad-image", "--speed", "20"]);
    let Some(kubectl) = Kubectl::new(&served.kubeconfig, "shop") else {
        return;
    };
    let deployments = kubectl.says("get deploy");
    assert_eq!(line(&deployments, "catalog")[1..4], ["3/4", "2", "3"]);
    assert_eq!(line(&deployments, "web")[1..4], ["3/3", "3", "3"]);
    assert!(kubectl.says("get pods").contains(" ImagePullBackOff "));
    assert_eq!(line(&kubectl.says("get nodes"), "node-01")[1], "Ready");
    let stuck = kubectl.run("rollout status deploy/catalog --timeout 1s");
    assert_eq!(stuck.code, Some(1), "{}{}", stuck.out, stuck.err);
    let history = kubectl.says("rollout history deploy/catalog");
    assert_eq!(
        history
            .lines()
            .filter(|line| line.ends_with("<none>"))
            .count(),
        3
    );
    let told = kubectl.says("describe pods -l app=catalog");
    assert!(told.contains("/shop/catalog:2.15.0\n"), "{told}");
    assert!(told.contains("Reason:       ImagePullBackOff\n"), "{told}");
    let reader = kubectl.run("--context demo-reader rollout undo deploy/catalog");
    assert_eq!(reader.code, Some(1));
    let refusal = "deployments.apps \"catalog\" is forbidden: User \"demo-reader\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"shop\"";
    assert!(reader.err.contains(refusal), "{}", reader.err);
    let can = kubectl.run("--context demo-reader auth can-i patch deployments");
    assert_eq!(can.out, "no\n");
    assert_eq!(kubectl.says("auth can-i patch deployments"), "yes\n");
    assert_eq!(
        kubectl.says("rollout undo deploy/catalog"),
        "deployment.apps/catalog rolled back\n"
    );
    let done = kubectl.says("rollout status deploy/catalog");
    assert!(
        done.ends_with("deployment \"catalog\" successfully rolled out\n"),
        "{done}"
    );
    let image =
        kubectl.says("get deploy catalog -o jsonpath={.spec.template.spec.containers[0].image}");
    assert!(image.ends_with("/shop/catalog:2.14.0"), "{image}");
    assert_eq!(
        line(&kubectl.says("get deploy"), "catalog")[1..4],
        ["4/4", "4", "4"]
    );
    let logs = kubectl.run("logs deploy/catalog --tail 3");
    assert_eq!(logs.code, Some(0), "{}", logs.err);
    served.end("TERM");
}
