//! Fleets of Deployments in the sizes that the budgets name.

use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::wait;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub name: &'static str,
    pub deployments: usize,
    pub namespaces: usize,
    pub replicas: u32,
}

pub const SIZES: [Size; 3] = [
    Size {
        name: "S",
        deployments: 60,
        namespaces: 2,
        replicas: 3,
    },
    Size {
        name: "M",
        deployments: 1_200,
        namespaces: 40,
        replicas: 2,
    },
    Size {
        name: "L",
        deployments: 5_010,
        namespaces: 167,
        replicas: 2,
    },
];

/// The services, sorted as a list of all namespaces shows them.
pub fn make(plane: &ControlPlane, size: Size) -> Vec<Service> {
    let namespaces: Vec<_> = (0..size.namespaces)
        .map(|_| plane.namespace("fleet"))
        .collect();
    let services: Vec<_> = (0..size.deployments)
        .map(|number| {
            let namespace = &namespaces[number % size.namespaces];
            Service::new(namespace, &format!("service-{number:04}")).replicas(size.replicas)
        })
        .collect();
    let client = plane.admin().client();
    RUNTIME.block_on(
        futures::stream::iter(&services)
            .map(|service| {
                let collection =
                    format!("/apis/apps/v1/namespaces/{}/deployments", service.namespace);
                let body = service.object("1.0.0").to_string().into_bytes();
                let request = http::Request::post(collection)
                    .header("content-type", "application/json")
                    .body(body)
                    .expect("a request");
                let client = client.clone();
                async move { client.request::<Value>(request).await.expect("created") }
            })
            .buffer_unordered(16)
            .for_each(|_| async {}),
    );
    let pods = size.deployments * size.replicas as usize;
    wait_pods(plane, pods);
    let mut services = services;
    services.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    services
}

/// A big fleet takes minutes: each step forward gets the whole patience again.
fn wait_pods(plane: &ControlPlane, wanted: usize) {
    let mut running = 0;
    while running < wanted {
        let before = running;
        wait::until("more pods run", || {
            let list = plane
                .admin()
                .get("/api/v1/pods?limit=1&fieldSelector=status.phase%3DPending");
            let pending = list.is_ok_and(|list| {
                list["items"]
                    .as_array()
                    .is_some_and(|items| !items.is_empty())
            });
            running = count(plane);
            (running > before || (running >= wanted && !pending)).then_some(())
        });
        eprintln!("{running} of {wanted} pods");
    }
    wait::until("every pod runs", || {
        let list = plane
            .admin()
            .get("/api/v1/pods?limit=1&fieldSelector=status.phase%3DPending")
            .ok()?;
        list["items"].as_array()?.is_empty().then_some(())
    });
}

fn count(plane: &ControlPlane) -> usize {
    let list = plane.admin().get("/api/v1/pods?limit=1").expect("a page");
    let first = list["items"].as_array().map_or(0, Vec::len);
    let more = list["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
    first + usize::try_from(more).expect("a count")
}

/// Sets an image that takes its pods some seconds to get ready, as real ones do.
pub fn roll(plane: &ControlPlane, service: &Service, tag: &str, seconds: u32) {
    let change = json!({"spec": {"template": {
        "metadata": {"annotations": {"pod-ready.stage.kwok.x-k8s.io/delay": format!("{seconds}s")}},
        "spec": {"containers": [{"name": service.name, "image": service.image(tag)}]},
    }}});
    plane
        .admin()
        .patch(&service.path(), &change)
        .expect("the image is set");
}
