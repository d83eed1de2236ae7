//! What becomes of a container: its image may be missing, or what its environment names.

use std::sync::Arc;

use serde_json::Value;

use crate::demo::cluster::Cluster;
use crate::demo::images::Image;
use crate::demo::kube::kind::{CONFIG_MAPS, Kind, SECRETS};
use crate::demo::kube::object::{Key, items_at, text_at};

pub enum Fate {
    /// Why it cannot be pulled, in the runtime's words.
    Unpullable(String),
    /// The image, and what it cannot start without.
    NoConfig(Arc<Image>, String),
    Runs(Arc<Image>),
}

pub fn of(cluster: &Cluster, namespace: &str, spec: &Value) -> Fate {
    let name = text_at(spec, "/image");
    let Some(image) = cluster.images.pull(name) else {
        return Fate::Unpullable(format!(
            "failed to pull and unpack image \"{name}\": failed to resolve reference \"{name}\": {name}: not found"
        ));
    };
    let missing = missing_config(cluster, namespace, spec).or_else(|| {
        (cluster.images.any() && name.ends_with("noconfig"))
            .then(|| "configmap \"settings\" not found".to_owned())
    });
    match missing {
        Some(why) => Fate::NoConfig(image, why),
        None => Fate::Runs(image),
    }
}

fn missing_config(cluster: &Cluster, namespace: &str, spec: &Value) -> Option<String> {
    let whole = items_at(spec, "/envFrom").iter().flat_map(|from| {
        [
            ("configmap", &CONFIG_MAPS, &from["configMapRef"]),
            ("secret", &SECRETS, &from["secretRef"]),
        ]
    });
    let keys = items_at(spec, "/env").iter().flat_map(|variable| {
        let from = &variable["valueFrom"];
        [
            ("configmap", &CONFIG_MAPS, &from["configMapKeyRef"]),
            ("secret", &SECRETS, &from["secretKeyRef"]),
        ]
    });
    let mut all = whole.chain(keys).filter(|(_, _, named)| named.is_object());
    all.find_map(|(word, kind, named)| missing(cluster, (namespace, word, kind), named))
}

fn missing(
    cluster: &Cluster,
    (namespace, word, kind): (&str, &str, &'static Kind),
    named: &Value,
) -> Option<String> {
    if named["optional"] == true {
        return None;
    }
    let name = text_at(named, "/name");
    let Some(kept) = cluster.store.get(&Key::new(kind, namespace, name)) else {
        return Some(format!("{word} \"{name}\" not found"));
    };
    let key = named.get("key").and_then(Value::as_str)?;
    let there = kept.value()["data"].get(key).is_some();
    let what = if word == "secret" {
        "Secret"
    } else {
        "ConfigMap"
    };
    (!there).then(|| format!("couldn't find key {key} in {what} {namespace}/{name}"))
}

/// The first volume whose ConfigMap or Secret is not there.
pub fn missing_volume(cluster: &Cluster, pod: &Value) -> Option<String> {
    let namespace = text_at(pod, "/metadata/namespace");
    items_at(pod, "/spec/volumes").iter().find_map(|volume| {
        let sources = [
            ("configmap", &CONFIG_MAPS, &volume["configMap"], "/name"),
            ("secret", &SECRETS, &volume["secret"], "/secretName"),
        ];
        let mut sources = sources.into_iter().filter(|(_, _, of, _)| of.is_object());
        let (word, kind, of, field) = sources.next()?;
        let name = text_at(of, field);
        let gone = of["optional"] != true
            && cluster
                .store
                .get(&Key::new(kind, namespace, name))
                .is_none();
        gone.then(|| {
            format!(
                "\"{}\" : {word} \"{name}\" not found",
                text_at(volume, "/name")
            )
        })
    })
}
