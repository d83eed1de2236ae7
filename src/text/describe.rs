//! What one object is and how it fares, for reading: what `kubectl describe` tells, in lines that are not escaped yet.

mod container;
mod events;
mod generic;
mod page;
mod pod;
mod secret;
mod volume;
mod workload;

use jiff::Timestamp;
use serde_json::Value;

use page::{Page, text};

/// It repeats the whole object, values of a Secret too.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// `events` are those about the object, or why they are not known. Of a Secret its metadata is enough.
pub fn describe(object: &Value, events: Result<&[Value], &str>, now: Timestamp) -> Vec<String> {
    let mut page = Page::new(now);
    identity(&mut page, object);
    let group = text(&object["apiVersion"])
        .split_once('/')
        .map_or("", |(group, _)| group)
        .to_owned();
    match (&*group, &*text(&object["kind"])) {
        ("", "Pod") => pod::pod(&mut page, object),
        ("", "Secret") => secret::secret(&mut page, object),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            workload::workload(&mut page, object);
        }
        _ => generic::generic(&mut page, object),
    }
    events::events(&mut page, events);
    page.lines
}

fn identity(page: &mut Page, object: &Value) {
    let meta = &object["metadata"];
    let kind = format!(
        "{} ({})",
        text(&object["kind"]),
        text(&object["apiVersion"])
    );
    page.field("name", &text(&meta["name"]));
    page.field("namespace", &text(&meta["namespace"]));
    page.field("kind", &kind);
    page.field("created", &page.moment(&meta["creationTimestamp"]));
    page.field("deleting", &page.moment(&meta["deletionTimestamp"]));
    page.fields(
        "finalizers",
        page::array(&meta["finalizers"]).iter().map(text),
    );
    let owner = |owner: &Value| format!("{}/{}", text(&owner["kind"]), text(&owner["name"]));
    page.fields(
        "owner",
        page::array(&meta["ownerReferences"]).iter().map(owner),
    );
    page.map("labels", &meta["labels"], |_| true);
    page.map("annotations", &meta["annotations"], |key| key != APPLIED);
}

#[cfg(test)]
mod tests;
