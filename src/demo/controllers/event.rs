//! Events, counted instead of repeated, and gone after an hour.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::demo::cluster::Cluster;
use crate::demo::kube::kind::EVENTS;
use crate::demo::kube::object::{Key, int_at, set, text_at};
use crate::demo::kube::write::{Write, stamp};

const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// By reason and message.
type Same = HashMap<(&'static str, Box<str>), Key>;

/// Those that may come again, by the uid of what they are about.
#[derive(Default)]
pub struct Events {
    known: HashMap<Box<str>, Same>,
    made: VecDeque<(Timestamp, Key)>,
}

/// What is told about an object, and by whom.
pub struct Told {
    pub by: &'static str,
    pub warning: bool,
    pub reason: &'static str,
    pub message: String,
    /// The container it is about, if it is about one.
    pub container: String,
}

impl Told {
    pub fn normal(by: &'static str, reason: &'static str, message: String) -> Self {
        Self {
            by,
            warning: false,
            reason,
            message,
            container: String::new(),
        }
    }

    pub fn warning(by: &'static str, reason: &'static str, message: String) -> Self {
        Self {
            warning: true,
            ..Self::normal(by, reason, message)
        }
    }

    #[must_use]
    pub fn of_container(self, name: &str) -> Self {
        Self {
            container: name.to_owned(),
            ..self
        }
    }
}

impl Events {
    pub fn tell(&mut self, cluster: &Cluster, about: &Value, told: &Told) {
        let now = cluster.clock.now();
        self.expire(cluster, now);
        let uid = text_at(about, "/metadata/uid");
        let same = self.known.entry(uid.into()).or_default();
        let key = (told.reason, told.message.as_str().into());
        if let Some(event) = same.get(&key) {
            let again = cluster
                .store
                .update(event, &Write::by(told.by, now), |value| {
                    let count = int_at(value, "/count").unwrap_or(1) + 1;
                    set(value, &["count"], count.into());
                    set(value, &["lastTimestamp"], stamp(now).into());
                    Ok(())
                });
            if again.is_ok() {
                return;
            }
        }
        let event = made(about, told, now, self.made.len());
        if let Ok(kept) = cluster
            .store
            .create(&EVENTS, event, &Write::by(told.by, now))
        {
            same.insert(key, kept.key.clone());
            self.made.push_back((now, kept.key.clone()));
        }
    }

    pub fn forget(&mut self, uid: &str) {
        self.known.remove(uid);
    }

    fn expire(&mut self, cluster: &Cluster, now: Timestamp) {
        while let Some((at, key)) = self.made.front() {
            if now.duration_since(*at) < KEPT {
                return;
            }
            cluster.store.remove(key);
            self.made.pop_front();
        }
    }
}

fn made(about: &Value, told: &Told, now: Timestamp, number: usize) -> Value {
    let metadata = &about["metadata"];
    let name = text_at(about, "/metadata/name");
    let unique = format!("{name}.{:x}{number:04x}", now.as_nanosecond());
    let mut object = json!({
        "apiVersion": about["apiVersion"], "kind": about["kind"], "name": name, "namespace": metadata["namespace"],
        "resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"],
    });
    if !told.container.is_empty() {
        let field = format!("spec.containers{{{}}}", told.container);
        set(&mut object, &["fieldPath"], field.into());
    }
    let mut source = json!({"component": told.by});
    let node = text_at(about, "/spec/nodeName");
    if told.by == "kubelet" {
        set(&mut source, &["host"], node.into());
    }
    json!({
        "metadata": {"name": unique, "namespace": metadata["namespace"]}, "involvedObject": object,
        "reason": told.reason, "message": told.message, "type": if told.warning { "Warning" } else { "Normal" },
        "count": 1, "firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "eventTime": null,
        "source": source, "reportingComponent": told.by, "reportingInstance": node,
    })
}
