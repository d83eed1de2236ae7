//! When the ConfigMaps and Secrets of the target were last written, and by whom. What they hold never leaves the server.

use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::timeout;

use super::config::resource;
use super::{LIMIT, unread};
use crate::plan::check::ReferenceKind;
use crate::plan::check::changed::{self, Setting, Written};
use crate::plan::{Plan, Verdict};
use crate::sources::kube::{Cluster, Error, convert, path};

/// Each by its metadata alone; what may not be read, or is late, stays unverified.
pub async fn ask(
    cluster: Cluster,
    plan: Arc<Plan>,
    names: Vec<(ReferenceKind, Box<str>)>,
    since: Timestamp,
) -> Verdict {
    let namespace = &plan.workload.namespace;
    let asked = names.into_iter().map(|(kind, name)| {
        let cluster = &cluster;
        async move {
            let label = format!("{} {name}", kind.word());
            let place = path::object(resource(kind), namespace, &name);
            let written = match timeout(LIMIT, cluster.get_metadata(&place)).await {
                Err(_) => Written::Unknown(format!("{label} had no answer within 10s")),
                Ok(Err(Error::NotFound { .. })) => Written::Gone,
                Ok(Err(error)) => Written::Unknown(unread(&label, &error)),
                Ok(Ok(answer)) => written(&label, &answer.body, since),
            };
            Setting {
                kind,
                name,
                written,
            }
        }
    });
    changed::verdict(&join_all(asked).await, since, plan.read_at)
}

fn written(label: &str, body: &[u8], since: Timestamp) -> Written {
    let Ok(data) = convert::data_written(body) else {
        return Written::Unknown(format!("when {label} changed cannot be read"));
    };
    match data.newest {
        Some((by, at)) => Written::At(at, by),
        None if data.tracked || data.created > since => Written::Made(data.created),
        None => Written::Unknown(format!("when {label} changed is not kept on it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_not_known() {
        let body = |fields: &str| {
            format!(r#"{{"metadata":{{"creationTimestamp":"2026-01-02T00:00:00Z"{fields}}}}}"#)
        };
        let at = |text: &str| text.parse().unwrap();
        let labels = r#","managedFields":[{"manager":"a","time":"2026-01-05T00:00:00Z","fieldsV1":{"f:metadata":{}}}]"#;
        let data = labels.replace("f:metadata", "f:data");
        let (before, after) = (at("2026-01-01T00:00:00Z"), at("2026-01-03T00:00:00Z"));
        let made = Written::Made(at("2026-01-02T00:00:00Z"));
        let unknown = Written::Unknown("when Secret db changed is not kept on it".into());
        for (body, since, want) in [
            (body(""), before, made.clone()),
            (body(""), after, unknown),
            (body(labels), after, made),
            (
                body(&data),
                after,
                Written::At(at("2026-01-05T00:00:00Z"), "a".into()),
            ),
        ] {
            assert_eq!(written("Secret db", body.as_bytes(), since), want, "{body}");
        }
    }
}
