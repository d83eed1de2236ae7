//! The services that the tests run, and what the tests do to them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::wait;

/// A Deployment of one container named like itself.
#[derive(Debug, Clone)]
pub struct Service {
    pub namespace: String,
    pub name: String,
    pub replicas: u32,
    pub deadline_seconds: u32,
    /// Merged into the pod template's container.
    pub container: Value,
    pub annotations: Value,
}

impl Service {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            replicas: 2,
            deadline_seconds: 600,
            container: json!({}),
            annotations: json!({}),
        }
    }

    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    pub fn container(mut self, container: Value) -> Self {
        self.container = container;
        self
    }

    pub fn path(&self) -> String {
        format!(
            "/apis/apps/v1/namespaces/{}/deployments/{}",
            self.namespace, self.name
        )
    }

    pub fn image(&self, tag: &str) -> String {
        format!("registry.test/shop/{}:{tag}", self.name)
    }

    pub fn object(&self, tag: &str) -> Value {
        let mut container = json!({
            "name": self.name,
            "image": self.image(tag),
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        });
        merge(&mut container, &self.container);
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "namespace": self.namespace, "annotations": self.annotations},
            "spec": {
                "replicas": self.replicas,
                "progressDeadlineSeconds": self.deadline_seconds,
                "selector": {"matchLabels": {"app": self.name}},
                "template": {
                    "metadata": {"labels": {"app": self.name}},
                    "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
                },
            },
        })
    }

    pub fn create(&self, plane: &ControlPlane, tag: &str) {
        let collection = format!(
            "/apis/apps/v1/namespaces/{}/deployments?fieldManager=kubectl-create",
            self.namespace
        );
        plane
            .admin()
            .create(&collection, &self.object(tag))
            .expect("a deployment is created");
    }

    /// Created, and every pod of it serves.
    pub fn run(&self, plane: &ControlPlane, tag: &str) {
        self.create(plane, tag);
        self.wait_complete(plane, tag);
    }

    /// What `kubectl set image` does.
    pub fn set_image(&self, plane: &ControlPlane, tag: &str) {
        let change = json!({"spec": {"template": {"spec": {"containers": [
            {"name": self.name, "image": self.image(tag)}
        ]}}}});
        plane
            .admin()
            .patch(
                &format!("{}?fieldManager=kubectl-set", self.path()),
                &change,
            )
            .expect("the image is set");
    }

    pub fn read(&self, plane: &ControlPlane) -> Value {
        plane.admin().get(&self.path()).expect("the deployment")
    }

    pub fn live_image(&self, plane: &ControlPlane) -> String {
        let object = self.read(plane);
        let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap_or_default().to_owned()
    }

    pub fn wait_complete(&self, plane: &ControlPlane, tag: &str) {
        wait::until(&format!("{} runs {tag}", self.name), || {
            let object = self.read(plane);
            let status = &object["status"];
            let count = |field: &str| status[field].as_u64().unwrap_or_default();
            let wanted = u64::from(self.replicas);
            (object["metadata"]["generation"] == status["observedGeneration"]
                && object["spec"]["template"]["spec"]["containers"][0]["image"] == self.image(tag)
                && count("updatedReplicas") == wanted
                && count("availableReplicas") == wanted
                && count("replicas") == wanted)
                .then_some(())
        });
    }

    pub fn pods(&self, plane: &ControlPlane) -> Vec<Value> {
        let collection = format!(
            "/api/v1/namespaces/{}/pods?labelSelector=app%3D{}",
            self.namespace, self.name
        );
        plane.admin().items(&collection)
    }

    /// Until a pod's first container waits for `reason`.
    pub fn wait_waiting(&self, plane: &ControlPlane, reason: &str) {
        wait::until(&format!("a pod of {} in {reason}", self.name), || {
            self.pods(plane)
                .iter()
                .any(|pod| {
                    pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == reason
                })
                .then_some(())
        });
    }
}

/// Objects are merged, anything else replaces.
/// Another test may have a node that takes no pods of others.
pub fn takes_pods(node: &Value) -> bool {
    node["spec"]["taints"].is_null()
}

pub fn merge(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (&mut *into, from) {
        for (key, value) in from {
            merge(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    } else {
        *into = from.clone();
    }
}

/// What serialisers disagree about: the server stores `&`, `<`, `>` as escapes, and compares bytes.
pub fn odd(namespace: &str) -> Service {
    Service::new(namespace, "odd").container(json!({
        "command": ["sh", "-c", "a && b <c> \u{e4}\u{f6} \u{65e5}\u{672c} \u{1f600}", ""],
        "securityContext": {"runAsUser": 2_147_483_647_i64},
        "env": [
            {"name": "EMPTY", "value": ""},
            {"name": "NUMBER", "value": "9007199254740993"},
            {"name": "LINES", "value": "one\ntwo\t\"three\" \\ \u{2028}"},
        ],
        "livenessProbe": {"exec": {"command": ["true"]}, "periodSeconds": 2_147_483_647},
    }))
}

/// An odd one whose last rollout is stuck.
pub fn stuck(plane: &ControlPlane, namespace: &str) -> Service {
    let service = odd(namespace);
    service.run(plane, "1.0");
    break_it(plane, &service);
    service
}

/// A bad image for an odd one, and a number that not every reader of JSON keeps.
pub fn break_it(plane: &ControlPlane, service: &Service) {
    let change = json!({"spec": {"template": {"spec": {
        "tolerations": [{
            "key": "node", "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 9_007_199_254_740_993_i64,
        }],
        "containers": [{"name": "odd", "image": service.image("2.0-unpullable")}],
    }}}});
    plane
        .admin()
        .patch(&service.path(), &change)
        .expect("the change");
    service.wait_waiting(plane, "ImagePullBackOff");
}

/// Somebody else's change, under a name of its own, and in a second of its own: the server dates writes in
/// whole seconds, and of two in the same one nobody can say which came last.
pub fn meddle(plane: &ControlPlane, service: &Service) {
    let object = service.read(plane);
    let fields = object["metadata"]["managedFields"].as_array();
    let written: Option<Timestamp> = fields
        .into_iter()
        .flatten()
        .filter_map(|fields| fields["time"].as_str()?.parse().ok())
        .max();
    wait::until("the next second", || {
        (Timestamp::now().as_second() > written?.as_second()).then_some(())
    });
    let change = json!({"spec": {"template": {"spec": {"containers": [
        {"name": service.name, "env": [{"name": "MEDDLED", "value": "yes"}]}
    ]}}}});
    let path = format!("{}?fieldManager=meddler", service.path());
    plane.admin().patch(&path, &change).expect("the change");
}

/// rolldeck's annotation on the object; null without one.
pub fn note(plane: &ControlPlane, service: &Service) -> Value {
    let object = service.read(plane);
    let text = object["metadata"]["annotations"]["rolldeck.dev/action"].as_str();
    text.map_or(Value::Null, |text| {
        serde_json::from_str(text).expect("JSON")
    })
}
