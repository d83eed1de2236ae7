//! A bad night in production, built from the domain's own types.

use jiff::{SignedDuration, Timestamp};

use rolldeck::app::settle;
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Key, Model};
use rolldeck::config::{Config, Namespaces};
use rolldeck::domain::pod::Ended;
use rolldeck::domain::source::Feed;
use rolldeck::domain::{
    Change, ClusterId, Condition, Connection, Container, ContainerState, Counts, Environment,
    Health, Identity, Item, Kind, Labels, Level, LogLine, PinnedBy, Pod, Revision, Run, SourceId,
    Strategy, TemplateHash, Truth, Uid, Update, Warning, Workload, WorkloadId,
};

pub const CLUSTER: &str = "prod-eu";
pub const NAMESPACE: &str = "shop";

/// The moment at which every fixture is looked at.
pub fn now() -> Timestamp {
    "2026-11-23T03:04:12Z".parse().unwrap()
}

pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// One service and everything the cluster says of it.
pub struct Service {
    pub workload: Workload,
    pub revisions: Vec<Revision>,
    pub pods: Vec<Pod>,
    pub warnings: Vec<Warning>,
}

/// What a fixture service is made from.
pub struct Recipe {
    pub name: &'static str,
    pub kind: Kind,
    /// Oldest first; the last is the current one.
    pub versions: &'static [&'static str],
    pub replicas: u32,
    /// Pods of the current revision that exist, and that are ready.
    pub updated: u32,
    pub updated_ready: u32,
    /// Pods of the one before that are ready.
    pub old_ready: u32,
    /// Seconds since the last change.
    pub changed: i64,
}

impl Recipe {
    pub fn steady(
        name: &'static str,
        versions: &'static [&'static str],
        replicas: u32,
        changed: i64,
    ) -> Self {
        Self {
            name,
            kind: Kind::Deployment,
            versions,
            replicas,
            updated: replicas,
            updated_ready: replicas,
            old_ready: 0,
            changed,
        }
    }

    pub fn rolling(
        name: &'static str,
        versions: &'static [&'static str],
        replicas: u32,
        (updated, ready, old): (u32, u32, u32),
        changed: i64,
    ) -> Self {
        Self {
            updated,
            updated_ready: ready,
            old_ready: old,
            ..Self::steady(name, versions, replicas, changed)
        }
    }

    pub fn make(&self) -> Service {
        let workload = self.workload();
        let revisions = self.revisions(&workload);
        Service {
            workload,
            revisions,
            pods: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn id(&self) -> WorkloadId {
        WorkloadId {
            cluster: ClusterId::from(CLUSTER),
            namespace: NAMESPACE.into(),
            kind: self.kind,
            name: self.name.into(),
        }
    }

    fn containers(&self, version: &str) -> Box<[Container]> {
        let image = format!("registry.example/shop/{}:{version}", self.name);
        [Container {
            name: self.name.into(),
            image: image.into(),
            init: false,
        }]
        .into()
    }

    fn moving(&self) -> bool {
        self.updated < self.replicas || self.updated_ready < self.replicas || self.old_ready > 0
    }

    fn workload(&self) -> Workload {
        let current = self.versions[self.versions.len() - 1];
        let condition = |kind: &str, reason: &str| Condition {
            kind: kind.into(),
            status: Truth::True,
            reason: reason.into(),
            message: "".into(),
            updated: Some(ago(self.changed)),
            changed: Some(ago(self.changed)),
        };
        let progressing = if self.moving() {
            "ReplicaSetUpdated"
        } else {
            "NewReplicaSetAvailable"
        };
        let ready = self.updated_ready + self.old_ready;
        Workload {
            id: self.id(),
            uid: Uid::from(format!("uid-{}", self.name).as_str()),
            created: ago(100 * DAY),
            deleting: false,
            generation: 7,
            observed_generation: 7,
            template: TemplateHash::of(current),
            labels: Labels::default(),
            containers: self.containers(current),
            version_label: None,
            selector: format!("app={}", self.name).into(),
            desired: self.replicas,
            counts: Counts {
                total: self.updated + self.old_ready,
                updated: self.updated,
                ready,
                available: ready,
                terminating: Some(0),
                misscheduled: 0,
            },
            conditions: [
                condition("Available", "MinimumReplicasAvailable"),
                condition("Progressing", progressing),
            ]
            .into(),
            paused: false,
            strategy: Strategy::Rolling {
                max_unavailable: Some("1".into()),
                max_surge: Some("2".into()),
                partition: 0,
                ordered: false,
            },
            deadline_seconds: Some(600),
            min_ready_seconds: 0,
            history_limit: Some(10),
            revision: Some(self.number(self.versions.len() - 1)),
            current_revision: None,
            update_revision: None,
            manager: None,
            written_by: Some(("kubectl-set".into(), ago(self.changed))),
            first_ordinal: 0,
            spec_written: Some(ago(self.changed)),
            action: None,
            turn: None,
            canary: None,
            job: None,
            repository: None,
        }
    }

    fn number(&self, index: usize) -> u64 {
        u64::try_from(40 - self.versions.len() + index).unwrap()
    }

    fn revisions(&self, workload: &Workload) -> Vec<Revision> {
        let last = self.versions.len() - 1;
        (0..=last)
            .map(|i| {
                let (desired, ready) = match last - i {
                    0 => (self.updated, self.updated_ready),
                    1 => (self.old_ready, self.old_ready),
                    _ => (0, 0),
                };
                let age = if i == last {
                    self.changed
                } else {
                    self.changed + i64::try_from(last - i).unwrap() * 9 * DAY
                };
                Revision {
                    workload: workload.id.clone(),
                    owner: workload.uid.clone(),
                    name: format!("{}-{}", self.name, hash(i)).into(),
                    uid: Uid::from(format!("rs-{}-{i}", self.name).as_str()),
                    number: self.number(i),
                    former: [].into(),
                    created: ago(age),
                    containers: self.containers(self.versions[i]),
                    version_label: None,
                    commit: None,
                    template: TemplateHash::of(self.versions[i]),
                    canonical: None,
                    restarted: None,
                    pod_hash: hash(i).into(),
                    desired,
                    ready,
                    available: ready,
                    failure: None,
                    change_cause: None,
                    action: None,
                }
            })
            .collect()
    }
}

fn hash(index: usize) -> &'static str {
    ["5c6b77f9d4", "59d8c7b6f5", "66f7f4c9bd", "7d9f8b6c5d"][index % 4]
}

impl Service {
    /// A pod of the current revision (`back` 0) or of one before it.
    pub fn pod(&mut self, suffix: &str, back: usize, node: &str, age: i64) -> &mut Pod {
        let revision = &self.revisions[self.revisions.len() - 1 - back];
        let image_id = format!("{}@sha256:{}", revision.containers[0].image, digest(back));
        let pod = Pod {
            workload: self.workload.id.clone(),
            owner: revision.uid.clone(),
            name: format!("{}-{suffix}", revision.name).into(),
            uid: Uid::from(format!("pod-{suffix}").as_str()),
            created: ago(age),
            revision: revision.pod_hash.clone(),
            node: Some(node.into()),
            phase: "Running".into(),
            reason: None,
            terminating: false,
            ready: true,
            ready_changed: Some(ago(age)),
            unscheduled: None,
            hold: None,
            containers: [ContainerState {
                name: revision.containers[0].name.clone(),
                init: false,
                image: revision.containers[0].image.clone(),
                image_id: image_id.into(),
                ready: true,
                restarts: 0,
                run: Run::Running {
                    since: Some(ago(age)),
                },
                bounds: rolldeck::domain::usage::Bounds::default(),
                last: None,
            }]
            .into(),
        };
        self.pods.push(pod);
        self.pods.last_mut().unwrap()
    }

    pub fn warn(
        &mut self,
        about: (&str, &str),
        reason: &str,
        message: &str,
        (count, age): (u32, i64),
    ) {
        let uid = self
            .pods
            .iter()
            .find(|pod| &*pod.name == about.1)
            .map_or_else(|| self.workload.uid.clone(), |pod| pod.uid.clone());
        self.warnings.push(Warning {
            cluster: self.workload.id.cluster.clone(),
            namespace: self.workload.id.namespace.clone(),
            name: format!("{}.{}", about.1, self.warnings.len()).into(),
            about_kind: about.0.into(),
            about: about.1.into(),
            about_uid: uid,
            reason: reason.into(),
            message: message.into(),
            count,
            last_seen: ago(age),
        });
    }
}

fn digest(back: usize) -> &'static str {
    ["9f2c41aa", "77c01dbb", "b80a19cc"][back.min(2)]
}

/// The pod cannot pull its image.
pub fn cannot_pull(pod: &mut Pod, message: &str) {
    pod.phase = "Pending".into();
    pod.ready = false;
    pod.containers[0].ready = false;
    pod.containers[0].image_id = "".into();
    pod.containers[0].run = Run::Waiting {
        reason: "ImagePullBackOff".into(),
        message: message.into(),
    };
}

/// The pod crashes over and over for want of memory.
pub fn out_of_memory(pod: &mut Pod, restarts: u32) {
    let ended = Ended {
        reason: "OOMKilled".into(),
        exit_code: 137,
        signal: None,
        message: "".into(),
        at: Some(ago(40)),
    };
    pod.ready = false;
    let container = &mut pod.containers[0];
    container.ready = false;
    container.restarts = restarts;
    container.run = Run::Waiting {
        reason: "CrashLoopBackOff".into(),
        message: "back-off 5m0s restarting failed container".into(),
    };
    container.last = Some(Box::new(ended));
}

/// Sixty lines, a second apart, of so many streams by turns.
pub fn log_lines(streams: i64, text: impl Fn(i64) -> String) -> Vec<LogLine> {
    let line = |n| LogLine {
        stream: u32::try_from(n % streams).unwrap(),
        at: Some(ago(60 - n)),
        text: text(n).into(),
        note: false,
    };
    (1..=60).map(line).collect()
}

/// The service whose new image does not exist.
pub fn checkout() -> Service {
    let versions = &["2.12.9", "2.13.0", "2.14.1", "2.15.0"];
    let mut service = Recipe::rolling("checkout", versions, 6, (2, 0, 5), 4 * MINUTE + 12).make();
    let message =
        "Back-off pulling image \"registry.example/shop/checkout:2.15.0\": manifest unknown";
    for (suffix, node) in [("x2x4k", "node-12"), ("p9s2c", "node-03")] {
        cannot_pull(service.pod(suffix, 0, node, 250), message);
    }
    for (suffix, node) in [
        ("4mzql", "node-01"),
        ("8kd2v", "node-04"),
        ("c7w9h", "node-07"),
        ("n5j6t", "node-09"),
        ("zr8xq", "node-12"),
    ] {
        service.pod(suffix, 1, node, 9 * DAY);
    }
    let pod = service.pods[0].name.to_string();
    service.warn(
        ("Pod", &pod),
        "Failed",
        "Failed to pull image \"registry.example/shop/checkout:2.15.0\": manifest unknown",
        (9, 40),
    );
    service.warn(
        ("Pod", &pod),
        "BackOff",
        "Back-off pulling image \"registry.example/shop/checkout:2.15.0\"",
        (14, 12),
    );
    let last = service.revisions.len() - 1;
    service.revisions[last - 1].former = [34].into();
    service.revisions[last - 1].change_cause = Some("release 2.14.1".into());
    service
}

/// Enough memory for a while, and then not.
pub fn recommend() -> Service {
    let mut service =
        Recipe::rolling("recommend", &["3.0.9", "3.1.0"], 4, (4, 3, 0), 2 * DAY).make();
    service.workload.conditions[1].reason = "NewReplicaSetAvailable".into();
    out_of_memory(service.pod("8tq2m", 0, "node-02", 2 * DAY), 14);
    for suffix in ["d4k8s", "jq7wp", "vv92x"] {
        service.pod(suffix, 0, "node-05", 2 * DAY);
    }
    service
}

/// Twelve services: one that stalls, one degraded, two rolling, one paused, one scaled to zero, the others steady.
pub fn night() -> Vec<Service> {
    let mut ledger =
        Recipe::rolling("ledger", &["2.2.0", "2.3.0"], 3, (1, 1, 2), 22 * MINUTE).make();
    ledger.workload.paused = true;
    ledger.workload.conditions[1].reason = "DeploymentPaused".into();
    ledger.workload.conditions[1].status = Truth::Unknown;
    let batch = Recipe {
        replicas: 0,
        updated: 0,
        updated_ready: 0,
        ..Recipe::steady("batch-import", &["1.0.4"], 0, 41 * DAY)
    };
    let mut sessions = Recipe {
        kind: Kind::StatefulSet,
        ..Recipe::steady("sessions", &["7.4.1"], 3, 12 * DAY)
    }
    .make();
    sessions.workload.revision = None;
    let mut services = vec![
        checkout(),
        recommend(),
        Recipe::rolling("search", &["4.4.0", "4.4.1"], 12, (7, 6, 6), 50).make(),
        Recipe::rolling("inventory", &["0.31.2", "0.31.3"], 9, (2, 1, 8), 20).make(),
        ledger,
        batch.make(),
        sessions,
        Recipe::steady("auth", &["7.0.1", "7.0.2"], 8, 3 * DAY).make(),
        Recipe::steady("billing", &["5.4.0", "5.5.0"], 6, 9 * DAY).make(),
        Recipe::steady("catalog", &["2.14.0", "2.15.0"], 3, 4 * MINUTE).make(),
        Recipe::steady("mailer", &["1.1.8"], 2, 60 * DAY).make(),
        Recipe::steady("storefront", &["2026.11.2", "2026.11.3"], 10, 6 * HOUR).make(),
    ];
    services.sort_by(|a, b| a.workload.id.name.cmp(&b.workload.id.name));
    services
}

pub fn source(feed: Feed) -> SourceId {
    let namespace = match &feed {
        Feed::Workloads(_)
        | Feed::Warnings
        | Feed::ReplicaSets
        | Feed::Canaries
        | Feed::Services
        | Feed::Routes(_) => NAMESPACE,
        Feed::RevisionsOf { workload, .. }
        | Feed::PodsOf { workload, .. }
        | Feed::AnalysesOf { workload, .. }
        | Feed::EndpointsOf { workload, .. } => &workload.namespace,
        Feed::SyncOf { sync, .. } => sync.namespace.as_deref().unwrap_or_default(),
        Feed::Suspended(_) => "",
    };
    SourceId {
        cluster: ClusterId::from(CLUSTER),
        namespace: Some(namespace)
            .filter(|name| !name.is_empty())
            .map(Into::into),
        feed,
    }
}

/// What the feeds bring of these services: every source once, with its end of the first listing.
pub fn news(services: &[Service]) -> Vec<(SourceId, Vec<Update>)> {
    let mut news = Vec::new();
    for kind in Kind::ALL {
        let items = services.iter().filter(|s| s.workload.id.kind == kind);
        let items = items.map(|s| Item::Workload(Box::new(s.workload.clone())));
        news.push(listing(source(Feed::Workloads(kind)), items.collect()));
    }
    let revisions = services.iter().flat_map(|s| s.revisions.iter().cloned());
    let revisions = revisions.map(|r| Item::Revision(Box::new(r)));
    news.push(listing(source(Feed::ReplicaSets), revisions.collect()));
    let warnings = services.iter().flat_map(|s| s.warnings.iter().cloned());
    let warnings = warnings.map(|w| Item::Warning(Box::new(w)));
    news.push(listing(source(Feed::Warnings), warnings.collect()));
    for service in services.iter().filter(|s| !s.pods.is_empty()) {
        let feed = Feed::PodsOf {
            workload: service.workload.id.clone(),
            selector: service.workload.selector.clone(),
        };
        let pods = service
            .pods
            .iter()
            .map(|pod| Item::Pod(Box::new(pod.clone())));
        news.push(listing(source(feed), pods.collect()));
    }
    news
}

pub fn listing(source: SourceId, items: Vec<Item>) -> (SourceId, Vec<Update>) {
    let mut updates: Vec<Update> = items
        .into_iter()
        .map(|item| Update::Change(Change::Put(item)))
        .collect();
    updates.push(Update::Change(Change::Synced(source.clone())));
    updates.push(Update::Health(Health::Live));
    (source, updates)
}

/// The model before anything is heard.
pub fn fresh(width: u16, height: u16) -> Model {
    let config = Config {
        contexts: vec![CLUSTER.into()],
        namespaces: Namespaces::Named(vec![NAMESPACE.into()]),
        state_dir: "/home/oncall/.local/state/rolldeck".into(),
        verify_seconds: 30,
        programs: rolldeck::config::handover::merged(&[], std::path::Path::new("")).unwrap(),
        environments: vec![Environment {
            name: "prod".into(),
            cluster: CLUSTER.into(),
            namespaces: vec![NAMESPACE.into()],
            protection: Level::Protected,
            color: None,
            pin: rolldeck::domain::Pin::Tag,
        }],
        ..Config::default()
    };
    Model::new(&config, now(), width, height).0
}

/// The model after the feeds brought these services, on a screen of this size.
pub fn model(services: &[Service], width: u16, height: u16) -> Model {
    let mut model = fresh(width, height);
    let identity = Identity {
        server: "https://10.0.0.1:6443".into(),
        version: "v1.36.3".into(),
        pinned: PinnedBy::KubeSystem("2f0b".into()),
        user: Some("oncall".into()),
        namespace: Some(NAMESPACE.into()),
    };
    let cluster = model.clusters[0].id.clone();
    update(
        &mut model,
        Event::Connection {
            cluster,
            state: Connection::Connected(identity),
        },
    );
    for (source, updates) in news(services) {
        feed(&mut model, source, updates);
    }
    settle(&mut model);
    model
}

pub fn feed(model: &mut Model, source: SourceId, updates: Vec<Update>) {
    let (epoch, at) = (model.epoch, model.now);
    update(
        model,
        Event::Fed {
            source,
            epoch,
            at,
            updates,
        },
    );
}

/// Presses keys, and settles as the loop does.
pub fn press(model: &mut Model, keys: &[&str]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys {
        effects.extend(update(model, Event::Key(Key::parse(key).unwrap())));
        settle(model);
    }
    effects
}
