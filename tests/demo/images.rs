//! What the embedded registry tells of images: the digest that a plan pins, and the commit that a label names.

use bytes::Bytes;
use futures::StreamExt;
use http::Response;
use rolldeck::actions::{self, GatherContext, Sources, gather};
use rolldeck::config::{self, Config, Connection};
use rolldeck::demo::scenario::Scenario;
use rolldeck::demo::{self, Options, Running};
use rolldeck::domain::{Container, Fleet, Kind, Level, TemplateHash, WorkloadId};
use rolldeck::plan::check::commits::{self, Named, Sought};
use rolldeck::plan::{Ask, CheckState, Finding, Pinned, Plan, Request, Step, Target, Verb, plan};
use rolldeck::sources::jenkins::Servers;
use rolldeck::sources::kube::{Cluster, connect};
use rolldeck::sources::prometheus::Prometheus;
use rolldeck::sources::registry::Registries;
use rolldeck::sources::source_repo::Repositories;

use crate::support::api::RUNTIME;
use crate::support::counter::Counter;
use crate::support::pty::{Launch, picture};

struct World {
    running: Running,
    cluster: Cluster,
    state: tempfile::TempDir,
}

impl World {
    fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = Options {
            scenario: Scenario::find("tour").unwrap(),
            seed: 1,
            speed: 1,
            services: None,
        };
        RUNTIME.block_on(async {
            let running = demo::start(options).await.unwrap();
            let connection = Connection {
                kubeconfig: Some(running.kubeconfig()),
                ..Connection::default()
            };
            let cluster = connect(&connection, jiff::Timestamp::now, |_| {}).await;
            Self {
                running,
                cluster: cluster.unwrap(),
                state: tempfile::tempdir().unwrap(),
            }
        })
    }

    fn host(&self) -> &str {
        self.running
            .endpoints
            .registry
            .strip_prefix("http://")
            .unwrap()
    }

    fn set_image(&self, tag: &str) -> Result<Plan, String> {
        let request = Request {
            verb: Verb::SetImage,
            workload: WorkloadId {
                cluster: self.cluster.id().clone(),
                namespace: "shop-prod".into(),
                kind: Kind::Deployment,
                name: "auth".into(),
            },
            uid: "".into(),
            shown: TemplateHash::default(),
            target: Target::Image {
                container: None,
                image: tag.into(),
            },
        };
        let settings = config::Registries::default();
        let context = GatherContext {
            level: Level::Guarded,
            holds: Vec::new(),
            service_label: None,
            repositories: Repositories::default(),
            state_dir: self.state.path().to_owned(),
            ready_for: 30,
            kubeconfig: None,
            presence: false,
            measured: None,
            servers: Servers::default(),
            hold_for: 0,
            pinned_by: Some(Registries::new(&settings, jiff::Timestamp::now)),
            origin: None,
            clock: jiff::Timestamp::now,
        };
        let mut evidence = RUNTIME
            .block_on(gather(&self.cluster, &request, context))
            .unwrap();
        evidence.request.of(&evidence.workload);
        assert_ne!(evidence.pinned, Pinned::No);
        let made = plan(&Fleet::default(), &evidence, jiff::Timestamp::now());
        made.map_err(|refusal| refusal.failure.sentence)
    }
}

#[test]
fn a_plan_writes_the_digest_that_the_registry_has_right_before_it() {
    let world = World::start();
    let image = format!("{}/shop/auth:7.0.1", world.host());
    let digest = world
        .running
        .cluster
        .images
        .find(&image)
        .unwrap()
        .digest
        .clone();
    let made = world.set_image("7.0.1").unwrap();
    let Step::JsonPatch { body, .. } = &made.steps[0] else {
        panic!("{:?}", made.steps)
    };
    assert!(body.0.contains(&format!("{image}@{digest}")), "{}", body.0);
    let containers: &[Container] = &made.goal.containers;
    assert_eq!(*containers[0].image, *format!("{image}@{digest}"));
    let why = world.set_image("9.9.9").unwrap_err();
    let nine = format!("{}/shop/auth:9.9.9", world.host());
    assert!(
        why.starts_with(&format!("The digest of {nine} cannot be had: ")),
        "{why}"
    );
}

#[test]
fn the_labels_of_images_name_the_commits_of_a_plan() {
    let world = World::start();
    let mut made = world.set_image("7.0.1").unwrap();
    let image = |tag: &str| format!("{}/shop/auth:{tag}", world.host());
    let label_of = |tag: &str| Named::LabelOf(image(tag).into());
    let commit_of = |tag: &str| {
        world
            .running
            .cluster
            .images
            .find(&image(tag))
            .unwrap()
            .commit
            .clone()
    };
    let live =
        serde_json::json!({"spec": {"containers": [{"name": "auth", "image": image("7.0.2")}]}});
    let target =
        serde_json::json!({"spec": {"containers": [{"name": "auth", "image": image("7.0.1")}]}});
    let forge = Counter::serve(|_, _| Response::builder().status(404).body(Bytes::new()).unwrap());
    let rule = format!(
        "[{{url: 'https://github.com/shop/{{service}}', api: 'http://{}/api/v3', token: {{command: [echo, t]}}}}]",
        forge.host
    );
    let config = Config {
        repositories: serde_yaml::from_str(&rule).unwrap(),
        ..Config::default()
    };
    let repositories = Repositories::new(&config);
    let repository = repositories.of("auth", None).unwrap();
    let check = commits::question(Some(&repository), &live, &target).unwrap();
    let CheckState::Asking(Ask::Commits(sought)) = &check.state else {
        panic!("{check:?}")
    };
    let Sought { from, to, .. } = &**sought;
    assert_eq!((from, to), (&label_of("7.0.1"), &label_of("7.0.2")));
    made.checks = vec![check];
    let sources = Sources {
        cluster: world.cluster.clone(),
        registries: Registries::new(&config::Registries::default(), jiff::Timestamp::now),
        repositories,
        servers: Servers::default(),
        prometheus: Prometheus::new(&Config::default(), jiff::Timestamp::now),
        origin: None,
    };
    let answered = actions::preflight(sources, made, true).collect::<Vec<_>>();
    let verdicts = RUNTIME.block_on(answered);
    assert_eq!(verdicts[0].finding, Finding::Unverified, "{verdicts:?}");
    let (lines, _) = forge.take();
    let (from, to) = (commit_of("7.0.1"), commit_of("7.0.2"));
    let compared = |line: &String| line.contains(&from) && line.contains(&to);
    assert!(lines.iter().any(compared), "{lines:?}");
}

#[test]
fn the_picker_shows_when_each_tag_was_made_from_which_commit_and_by_which_build() {
    let home = tempfile::tempdir().unwrap();
    let launch = Launch::new(home.path())
        .variable("TMPDIR", &home.path().to_string_lossy())
        .with(&["demo"])
        .size(130, 40);
    let terminal = launch.open();
    terminal.wait_text("checkout");
    terminal.wait_text("stalled");
    terminal.keys("\r");
    terminal.wait_text("image verified");
    terminal.wait_text("verified back");
    terminal.keys("i");
    terminal.wait_text("4 tags, by date");
    terminal.wait_for("a build", |screen| {
        let text = picture(screen);
        let told = |line: &str| {
            ["2.14.1", "#4", "rev 4"]
                .iter()
                .all(|word| line.contains(word))
        };
        text.lines().any(told)
    });
}
