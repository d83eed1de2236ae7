//! The feeds on a real API server, folded into a fleet: what is there, what moves, and what comes back.

use std::path::Path;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use rolldeck::domain::standing::Reason;
use rolldeck::domain::{
    ClusterId, Feed, Fleet, Health, Kind, Phase, SourceId, Standing, Update, WorkloadId,
};
use rolldeck::sources::kube::feed::feed;

use crate::connection::cluster;
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::wait;

/// Feeds that run by themselves, and what they brought.
pub struct Watched {
    fleet: Arc<Mutex<(Fleet, Vec<Health>)>>,
    pub cluster: rolldeck::sources::kube::Cluster,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Watched {
    pub fn new(kubeconfig: &Path) -> Self {
        Self {
            fleet: Arc::default(),
            cluster: cluster(kubeconfig),
            tasks: Vec::new(),
        }
    }

    pub fn add(&mut self, namespace: Option<&str>, feed_of: Feed) -> SourceId {
        let source = SourceId {
            cluster: self.cluster.id().clone(),
            namespace: namespace.map(Into::into),
            feed: feed_of,
        };
        let (fleet, of) = (Arc::clone(&self.fleet), source.clone());
        let mut news = feed(self.cluster.clone(), source.clone(), jiff::Timestamp::now);
        self.tasks.push(RUNTIME.spawn(async move {
            while let Some(updates) = news.next().await {
                let mut fleet = fleet.lock().unwrap();
                for update in updates {
                    match update {
                        Update::Change(change) => drop(fleet.0.apply(&of, change)),
                        Update::Health(health) => fleet.1.push(health),
                        Update::Skew(_) => {}
                    }
                }
            }
        }));
        source
    }

    pub fn with<T>(&self, read: impl FnOnce(&Fleet) -> T) -> T {
        read(&self.fleet.lock().unwrap().0)
    }

    pub fn wait<T>(&self, what: &str, read: impl Fn(&Fleet) -> Option<T>) -> T {
        wait::until(what, || self.with(&read))
    }

    fn health(&self) -> Vec<Health> {
        self.fleet.lock().unwrap().1.clone()
    }

    pub fn id(&self, service: &Service) -> WorkloadId {
        WorkloadId {
            cluster: ClusterId::clone(self.cluster.id()),
            namespace: service.namespace.as_str().into(),
            kind: Kind::Deployment,
            name: service.name.as_str().into(),
        }
    }

    fn standing(&self, service: &Service) -> Option<Standing> {
        let id = self.id(service);
        self.with(|fleet| fleet.standing(&id, jiff::Timestamp::now()))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[test]
fn every_way_in_which_pods_fail_is_named() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("reasons");
    let cases = [
        ("pull", "2-unpullable", &[Reason::ImagePull][..]),
        ("crash", "2-crash", &[Reason::CrashLoop]),
        ("oom", "2-oom", &[Reason::OutOfMemory]),
        ("config", "2-noconfig", &[Reason::Config]),
        ("unready", "2-unready", &[Reason::NotReady]),
    ];
    let services = cases.map(|(name, tag, _)| {
        let service = Service::new(&namespace, name);
        service.run(plane, "1.0");
        service.set_image(plane, tag);
        service
    });
    let mut watched = Watched::new(&plane.admin_kubeconfig());
    watched.add(Some(&namespace), Feed::Workloads(Kind::Deployment));
    watched.add(Some(&namespace), Feed::Warnings);
    watched.add(Some(&namespace), Feed::ReplicaSets);
    for service in &services {
        let pods = Feed::PodsOf {
            workload: watched.id(service),
            selector: format!("app={}", service.name).into(),
        };
        watched.add(Some(&namespace), pods);
    }
    for (service, (name, tag, reasons)) in services.iter().zip(cases) {
        wait::until(&format!("{name} says why {tag} does not run"), || {
            let why = watched.standing(service)?.why?;
            reasons.contains(&why.reason).then_some(())
        });
        let standing = watched.standing(service).unwrap();
        assert!(
            [Phase::Stalled, Phase::Rolling].contains(&standing.phase),
            "{name}: {standing:?}"
        );
    }
}

#[test]
fn a_fleet_of_three_kinds_is_steady_and_moves() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("kinds");
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    for (kind, plural) in [("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")] {
        let mut object = service.object("1.0");
        object["kind"] = kind.into();
        object["metadata"]["name"] = plural.into();
        let spec = object["spec"].as_object_mut().unwrap();
        spec.remove("progressDeadlineSeconds");
        let labels = serde_json::json!({"app": plural});
        spec["selector"]["matchLabels"] = labels.clone();
        spec["template"]["metadata"]["labels"] = labels;
        if kind == "DaemonSet" {
            spec.remove("replicas");
        }
        let collection = format!("/apis/apps/v1/namespaces/{namespace}/{plural}");
        plane.admin().create(&collection, &object).unwrap();
    }
    let mut watched = Watched::new(&plane.admin_kubeconfig());
    for kind in Kind::ALL {
        let source = watched.add(Some(&namespace), Feed::Workloads(kind));
        watched.wait("the first listing", |fleet| {
            fleet.synced(&source).then_some(())
        });
    }
    watched.wait("all three are steady", |fleet| {
        let now = jiff::Timestamp::now();
        let phases: Vec<_> = fleet
            .workloads()
            .filter_map(|workload| Some(fleet.standing(&workload.id, now)?.phase))
            .collect();
        (phases == [Phase::Steady; 3]).then_some(())
    });
    service.set_image(plane, "2.0");
    let image = service.image("2.0");
    let id = watched.id(&service);
    watched.wait("the new image", |fleet| {
        (*fleet.workload(&id)?.containers[0].image == *image).then_some(())
    });
    plane.admin().delete(&service.path()).unwrap();
    watched.wait("it is gone", |fleet| {
        fleet.workload(&id).is_none().then_some(())
    });
}

#[test]
fn a_namespaced_right_is_enough_and_a_missing_one_is_named() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("denied");
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let mut watched = Watched::new(&plane.editor("feed-editor", &namespace));
    watched.add(None, Feed::Workloads(Kind::Deployment));
    wait::until("the denial names the right", || {
        watched.health().iter().find_map(|health| match health {
            Health::Denied(why) if why.contains("list") && why.contains("deployments") => Some(()),
            _ => None,
        })
    });
    assert_eq!(watched.with(|fleet| fleet.workloads().count()), 0);
    watched.add(Some(&namespace), Feed::Workloads(Kind::Deployment));
    watched.wait("its own namespace", |fleet| {
        (fleet.workloads().count() == 1).then_some(())
    });
}

#[test]
fn what_changed_while_the_server_was_away_is_seen_after_it() {
    let plane = ControlPlane::own();
    let namespace = plane.namespace("away");
    let (stays, goes) = (
        Service::new(&namespace, "stays"),
        Service::new(&namespace, "goes"),
    );
    stays.run(&plane, "1.0");
    goes.run(&plane, "1.0");
    let mut watched = Watched::new(&plane.admin_kubeconfig());
    let source = watched.add(Some(&namespace), Feed::Workloads(Kind::Deployment));
    watched.wait("the first listing", |fleet| {
        fleet.synced(&source).then_some(())
    });
    plane.stop();
    wait::until("it says that it tries again", || {
        watched
            .health()
            .iter()
            .any(|health| matches!(health, Health::Retrying { .. }))
            .then_some(())
    });
    assert_eq!(
        watched.with(|fleet| fleet.workloads().count()),
        2,
        "the rows stay"
    );
    plane.start();
    plane.admin().delete(&goes.path()).unwrap();
    stays.set_image(&plane, "2.0");
    let (id, gone, image) = (watched.id(&stays), watched.id(&goes), stays.image("2.0"));
    watched.wait("both changes", |fleet| {
        let moved = *fleet.workload(&id)?.containers[0].image == *image;
        (moved && fleet.workload(&gone).is_none()).then_some(())
    });
    assert!(
        matches!(watched.health().last(), Some(Health::Live)),
        "{:?}",
        watched.health()
    );
}
