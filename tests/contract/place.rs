//! Where a behaviour is shown: a namespace of its own on a server, an administrator, and a user who may only read.

use serde_json::{Value, json};

use super::http::Http;
use crate::side::Side;
use crate::support::fixtures::merge;
use crate::support::wait;

pub struct Place {
    pub side: Side,
    pub namespace: String,
    /// May do everything.
    pub admin: Http,
    /// May get, list and watch everything, ask about itself, and nothing else.
    pub reader: Http,
}

/// What is older than a server's memory.
pub struct Forgotten {
    /// The administrator, on the server that has forgotten it.
    pub admin: Http,
    pub version: u64,
    /// Of a second page of that version.
    pub token: String,
}

impl Place {
    pub fn new(prefix: &str) -> Self {
        Self::on(Side::new(), prefix)
    }

    /// On a server that knows Argo Rollouts, with their controller.
    pub fn with_rollouts(prefix: &str) -> Self {
        Self::on(Side::with_rollouts(), prefix)
    }

    fn on(side: Side, prefix: &str) -> Self {
        let namespace = side.namespace(prefix);
        Self {
            admin: side.admin(),
            reader: side.reader(),
            side,
            namespace,
        }
    }

    pub fn core(&self, plural: &str) -> String {
        format!("/api/v1/namespaces/{}/{plural}", self.namespace)
    }

    pub fn apps(&self, plural: &str) -> String {
        format!("/apis/apps/v1/namespaces/{}/{plural}", self.namespace)
    }

    fn argo(&self, plural: &str) -> String {
        self.of_group("argoproj.io/v1alpha1", plural)
    }

    fn of_group(&self, api: &str, plural: &str) -> String {
        let namespace = &self.namespace;
        format!("/apis/{api}/namespaces/{namespace}/{plural}")
    }

    /// Kinds that none of these is are of the group `apps`.
    pub fn collection(&self, plural: &str) -> String {
        match plural {
            "pods" | "secrets" | "configmaps" | "events" | "resourcequotas" | "services" => {
                self.core(plural)
            }
            "rollouts" => self.argo(plural),
            "ingresses" => self.of_group("networking.k8s.io/v1", plural),
            "endpointslices" => self.of_group("discovery.k8s.io/v1", plural),
            _ => self.apps(plural),
        }
    }

    #[track_caller]
    pub fn read(&self, plural: &str, name: &str) -> Value {
        self.admin
            .get(&format!("{}/{name}", self.collection(plural)))
            .ok()
    }

    #[track_caller]
    pub fn create(&self, plural: &str, object: &Value) -> Value {
        self.admin.post(&self.collection(plural), object).ok()
    }

    /// A merge patch that is accepted.
    #[track_caller]
    pub fn change(&self, plural: &str, name: &str, change: &Value) -> Value {
        let path = format!("{}/{name}", self.collection(plural));
        self.admin
            .patch(&path, super::http::MERGE_PATCH, change)
            .ok()
    }

    #[track_caller]
    pub fn set_image(&self, plural: &str, name: &str, tag: &str) -> Value {
        let path = format!("{}/{name}", self.collection(plural));
        let change = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": image(name, tag)}]}}}});
        self.admin
            .patch(&path, super::http::STRATEGIC_PATCH, &change)
            .ok()
    }

    /// A Secret that holds one word: an object that nobody else in the cluster touches.
    #[track_caller]
    pub fn secret(&self, name: &str, labels: &Value) -> Value {
        let object = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "labels": labels}, "data": {"word": "b2xk"}});
        self.create("secrets", &object)
    }

    pub fn pods_of(&self, name: &str) -> Vec<Value> {
        self.admin
            .items(&format!("{}?labelSelector=app%3D{name}", self.core("pods")))
    }

    /// Those of a Deployment, by ascending revision.
    pub fn replica_sets_of(&self, name: &str) -> Vec<Value> {
        let path = format!("{}?labelSelector=app%3D{name}", self.apps("replicasets"));
        let mut sets = self.admin.items(&path);
        sets.sort_by_key(revision);
        sets
    }

    pub fn events_of(&self, name: &str) -> Vec<Value> {
        let path = format!(
            "{}?fieldSelector=involvedObject.name%3D{name}",
            self.core("events")
        );
        self.admin.items(&path)
    }

    /// Until the object is as `fits` says.
    #[track_caller]
    pub fn wait(
        &self,
        plural: &str,
        name: &str,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut last = Value::Null;
        let path = format!("{}/{name}", self.collection(plural));
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until(&format!("{plural}/{name}: {what}"), || {
                last = self.admin.get(&path).json();
                fits(&last).then(|| last.clone())
            })
        }));
        seen.unwrap_or_else(|_| {
            panic!("{plural}/{name} never was: {what}; its last state is {last}")
        })
    }

    /// Until the workload serves this tag with every pod that it wants.
    #[track_caller]
    pub fn wait_complete(&self, plural: &str, name: &str, tag: &str) -> Value {
        self.wait(plural, name, &format!("all on {tag}"), |object| {
            let wanted = image(name, tag);
            object["spec"]["template"]["spec"]["containers"][0]["image"] == *wanted
                && complete(object)
        })
    }

    /// Until a pod of the workload waits for this reason; the pod.
    #[track_caller]
    pub fn wait_waiting(&self, name: &str, reason: &str) -> Value {
        wait::until(&format!("a pod of {name} in {reason}"), || {
            self.pods_of(name).into_iter().find(|pod| {
                pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == reason
            })
        })
    }
}

/// Every pod that is wanted is of the newest template and serves.
pub fn complete(object: &Value) -> bool {
    let status = &object["status"];
    let same = |field: &str, wanted: &Value| status[field] == *wanted;
    let (spec, metadata) = (&object["spec"], &object["metadata"]);
    if !same("observedGeneration", &metadata["generation"]) {
        return false;
    }
    if object["kind"] == "DaemonSet" {
        let wanted = &status["desiredNumberScheduled"];
        return wanted.as_u64() > Some(0)
            && same("updatedNumberScheduled", wanted)
            && same("numberAvailable", wanted);
    }
    let wanted = &spec["replicas"];
    let revisions =
        object["kind"] != "StatefulSet" || status["currentRevision"] == status["updateRevision"];
    revisions
        && same("replicas", wanted)
        && same("updatedReplicas", wanted)
        && same("readyReplicas", wanted)
        && same("availableReplicas", wanted)
}

/// The number that the controller gave to this state of the Deployment.
pub fn revision(object: &Value) -> u64 {
    let text = object["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str();
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

pub fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == kind));
    found.unwrap_or(&Value::Null)
}

pub fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

pub fn version_of(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str();
    text.and_then(|text| text.parse().ok()).expect("a version")
}

/// How its pods fare is in the end of the tag, see `tests/control_plane/stages.yaml`.
pub fn image(name: &str, tag: &str) -> String {
    format!("registry.test/shop/{name}:{tag}")
}

fn workload(kind: &str, name: &str, tag: &str, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{"name": "app", "image": image(name, tag)}],
                    "terminationGracePeriodSeconds": 0,
                },
            },
        },
    });
    merge(&mut object["spec"], spec);
    object
}

/// `spec` is merged into the Deployment's.
pub fn deployment(name: &str, tag: &str, spec: &Value) -> Value {
    workload("Deployment", name, tag, spec)
}

pub fn stateful_set(name: &str, tag: &str, spec: &Value) -> Value {
    workload("StatefulSet", name, tag, spec)
}

pub fn daemon_set(name: &str, tag: &str, spec: &Value) -> Value {
    workload("DaemonSet", name, tag, spec)
}
