//! Whose pods are compared where the two sides are not two revisions of a Rollout, by Debian's Prometheus.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{STABLE, WORSE, launch};
use crate::held::half_way;
use crate::kinds::{Set, spoken};
use crate::pairs::Pair;
use crate::screen::{findings, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::flagger::{self, Web};
use crate::support::prometheus::{self, Load, Server};
use crate::support::pty::{Launch, Terminal};

/// What is told where exactly the pods of each side are counted.
const TOLD: &str = "worse: errors 10.0 % against 0.2 %";
/// What is counted on no side.
const OTHER: Load = Load {
    rate: 500.0,
    failing: 700.0,
    seconds: 0.9,
};

struct World {
    plane: &'static ControlPlane,
    server: &'static Server,
    namespace: String,
    home: tempfile::TempDir,
    owner: PathBuf,
}

impl World {
    fn new(plane: &'static ControlPlane, prefix: &str) -> Self {
        let namespace = plane.namespace(prefix);
        Self {
            owner: plane.owner(&namespace, Some(&namespace)),
            plane,
            server: prometheus::open(),
            home: tempfile::tempdir().unwrap(),
            namespace,
        }
    }

    fn launch(&self, more: &str) -> Launch {
        let port = self.server.port;
        let server = format!("url: 'http://127.0.0.1:{port}', floor: 60, {more}");
        launch(self.home.path(), &self.owner, &server)
    }

    fn run(&self, more: &str, arguments: &[&str]) -> (Option<i32>, String) {
        spoken(&self.launch(more).with(arguments))
    }

    /// Each pod that this selector finds, as the API server has them, does that.
    fn load(&self, selector: &str, load: Load) {
        for pod in self.pods(selector) {
            let name = pod["metadata"]["name"].as_str().unwrap();
            self.server.load_pod(&self.namespace, name, load);
        }
    }

    fn pods(&self, selector: &str) -> Vec<Value> {
        let namespace = &self.namespace;
        let selector = selector.replace('=', "%3D").replace(',', "%2C");
        let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}");
        let pods = self.plane.admin().items(&path);
        assert!(!pods.is_empty(), "{selector}");
        pods
    }

    /// The same of those that run this tag.
    fn load_tag(&self, selector: &str, tag: &str, load: Load) {
        let runs = |pod: &Value| {
            let image = pod["spec"]["containers"][0]["image"].as_str().unwrap();
            image.ends_with(&format!(":{tag}"))
        };
        let pods = self.pods(selector);
        let mut pods = pods.iter().filter(|pod| runs(pod)).peekable();
        assert!(pods.peek().is_some(), "none of {selector} runs {tag}");
        for pod in pods {
            let name = pod["metadata"]["name"].as_str().unwrap();
            self.server.load_pod(&self.namespace, name, load);
        }
    }

    /// On the screen of this service, and in the plan that promotes it.
    fn told(&self, service: &str, versions: [&str; 2]) -> Terminal {
        let terminal = self.launch("window: 6s").open();
        terminal.wait_text(service);
        terminal.keys(&format!(":svc {service}\r"));
        terminal.wait_text(&format!("last 6s: {TOLD}"));
        let [new, old] = versions;
        terminal.wait_text(&format!("canary {new} "));
        terminal.wait_text(&format!("stable {old} "));
        terminal.keys("P");
        wait_plan_to(&terminal, "PROMOTE");
        let blocks = findings(&terminal, "BLOCK").concat();
        assert!(
            blocks.contains(&format!("the canary is {TOLD}")),
            "{blocks}"
        );
        terminal
    }
}

#[test]
fn of_a_pair_the_other_workload_is_the_stable_side() {
    let world = World::new(ControlPlane::shared(), "pair-metrics");
    let pair = Pair::run(&world.namespace, "2.0");
    pair.wait_serving("checkout-canary", 1);
    world.load("app=checkout,track=canary", WORSE);
    world.load("app=checkout,track=stable", STABLE);
    // Another revision of the canary, and others whose names begin like those of the sides.
    for pod in [
        "checkout-canary-bcdfgh-x2x4k",
        "checkout-db-0",
        "checkout-api-bcdfgh-x2x4k",
        "my-checkout-bcdfgh-x2x4k",
    ] {
        world.server.load_pod(&world.namespace, pod, OTHER);
    }
    drop(world.told("checkout-canary", ["2.0", "1.0"]));
    let of = |arguments: &[&str]| world.run("window: 6s", arguments);
    let (code, said) = of(&["weight", "checkout-canary", "60", "--yes"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("the canary is worse"), "{said}");
    // Who gives it less is asked for no reason.
    let (code, said) = of(&["abort", "checkout-canary", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("the canary is"), "{said}");
    let own = "window: 6s, queries: {p99: 'sum(up{rs=\"{hash}\"})'}";
    let (_, said) = world.run(own, &["promote", "checkout-canary", "--dry-run"]);
    let why = "queries.p99: {hash} stands for nothing where pods of checkout are a side";
    assert!(said.contains(why), "{said}");
}

#[test]
fn half_way_the_two_revisions_are_the_sides() {
    let plane = ControlPlane::shared();
    let world = World::new(plane, "half-way-metrics");
    let service = Service::new(&world.namespace, "checkout").replicas(4);
    service.run(plane, "1.0");
    half_way(plane, &service);
    world.load_tag("app=checkout", "2.0", WORSE);
    world.load_tag("app=checkout", "1.0", STABLE);
    drop(world.told("checkout", ["2.0", "1.0"]));
}

#[test]
fn of_a_partition_the_numbers_are_the_sides_once_they_ran_it_all_the_time() {
    let plane = ControlPlane::shared();
    let world = World::new(plane, "partition-metrics");
    let spec = json!({
        "replicas": 3,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}},
    });
    let db = Set::run(plane, &world.namespace, "statefulsets", &spec);
    db.set_image(plane, "2.0");
    db.wait_tags(plane, &["1.0", "1.0", "2.0"]);
    world.load_tag("app=db", "2.0", WORSE);
    world.load_tag("app=db", "1.0", STABLE);
    let (code, said) = world.run("window: 1h", &["promote", "db", "--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    let why = "not compared: db-2 ran the old template for a part of that time";
    let line = said.lines().find(|line| line.contains(why));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    assert!(line.trim_start().starts_with("unverified"), "{line}");
    drop(world.told("db", ["2.0", "1.0"]));
}

#[test]
fn of_flagger_the_primary_is_the_stable_side() {
    let plane = flagger::plane();
    let world = World::new(plane, "flagger-metrics");
    let web = Web::run(plane, &world.namespace, &[], 1000);
    web.set_image("2.15.0");
    web.wait_phase("Progressing");
    web.wait("judged once", |status| {
        status["iterations"].as_u64().unwrap_or_default() > 0
    });
    world.load_tag("app=web", "2.15.0", WORSE);
    world.load("app=web-primary", STABLE);
    drop(world.told("web", ["2.15.0", "2.14.1"]));
}
