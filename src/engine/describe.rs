//! Reads one object and the events about it, and tells them in words.

use std::sync::Arc;

use serde_json::Value;

use super::reads::{cluster_of, path_of, unusable};
use super::{Shared, clock};
use crate::app::effect::YamlOf;
use crate::app::event::{Document, Event, JobId};
use crate::domain::Failure;
use crate::sources::kube::Cluster;
use crate::sources::kube::path::{self, Resource};
use crate::text;

/// One page of events: of one object there are hardly more.
const EVENTS: &str = "500";

pub async fn describe(shared: Arc<Shared>, job: JobId, object: YamlOf) {
    let outcome = match shared.connected(cluster_of(&object)) {
        Ok(cluster) => read(&cluster, &object).await,
        Err(failure) => Err(failure),
    };
    shared.send(Event::Fetched { job, outcome }).await;
}

async fn read(cluster: &Cluster, of: &YamlOf) -> Result<Document, Failure> {
    let object = object(cluster, of).await?;
    let events = events(cluster, &object).await;
    let read_at = clock::now();
    let events = events.as_ref().map(Vec::as_slice).map_err(|why| &**why);
    Ok(Document {
        lines: text::describe(&object, events, read_at),
        read_at,
    })
}

/// What a Secret holds stays on the server.
async fn object(cluster: &Cluster, of: &YamlOf) -> Result<Value, Failure> {
    let (path, secret) = (path_of(of), is_secret(of));
    let answer = if secret {
        cluster.get_metadata(&path).await
    } else {
        cluster.get(&path).await
    };
    let answer = answer.map_err(|error| error.failure())?;
    let read: Result<Value, _> = serde_json::from_slice(&answer.body);
    if !secret {
        return read.map_err(|why| unusable(&why));
    }
    // Only the place: the words of a parser may hold a piece of the text.
    let mut object =
        read.map_err(|why| unusable(&format!("unreadable at column {}", why.column())))?;
    object["kind"] = "Secret".into();
    object["apiVersion"] = "v1".into();
    Ok(object)
}

fn is_secret(of: &YamlOf) -> bool {
    match of {
        YamlOf::Object { kind, .. } => kind.group.is_empty() && &*kind.plural == "secrets",
        YamlOf::Workload(_) | YamlOf::Pod { .. } | YamlOf::Revision { .. } => false,
    }
}

/// Those of this very object; of what is in no namespace by its name, because who writes them there often knows no
/// more.
async fn events(cluster: &Cluster, object: &Value) -> Result<Vec<Value>, String> {
    let field = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let namespace = field("/metadata/namespace");
    let selector = match (namespace, field("/metadata/uid")) {
        (Some(_), Some(uid)) => format!("involvedObject.uid={uid}"),
        _ => format!(
            "involvedObject.kind={},involvedObject.name={}",
            field("/kind").unwrap_or_default(),
            field("/metadata/name").unwrap_or_default()
        ),
    };
    let query = [("fieldSelector", &*selector), ("limit", EVENTS)];
    let path = path::collection(Resource::Events, namespace, &query);
    let answer = cluster.list(&path).await;
    let answer = answer.map_err(|error| match error.missing_permission() {
        Some(permission) => format!("not known: no right to {permission}"),
        None => format!("not known: {}", error.failure().sentence),
    })?;
    let mut list: Value = serde_json::from_slice(&answer.body)
        .map_err(|why| format!("not known: {}", unusable(&why).sentence))?;
    match list["items"].take() {
        Value::Array(items) => Ok(items),
        _ => Ok(Vec::new()),
    }
}
