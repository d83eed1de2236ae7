//! What every write goes through: defaults, what may not change, the generation, and who wrote which field.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::demo::random::Random;

use super::defaults;
use super::kind::{DEPLOYMENTS, Kind, PODS};
use super::managed_fields;
use super::object::{Key, int_at, set, text_at, unset};
use super::refusal::Refusal;
use super::validation;

/// Which part of an object a write may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything but the status.
    Main,
    /// The status and nothing else, but for the annotations of a Deployment.
    Status,
    /// `spec.replicas`; it is kept under its own name among the field managers.
    Scale,
    /// That it is being deleted, and until when.
    Deletion,
}

/// Who writes, what, and when.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    /// The field manager: `fieldManager`, else the first word of the user agent.
    pub manager: &'a str,
    pub part: Part,
    pub dry_run: bool,
    pub at: Timestamp,
}

impl<'a> Write<'a> {
    pub fn by(manager: &'a str, at: Timestamp) -> Self {
        Self {
            manager,
            part: Part::Main,
            dry_run: false,
            at,
        }
    }

    #[must_use]
    pub fn status(self) -> Self {
        Self {
            part: Part::Status,
            ..self
        }
    }
}

/// Names it, stamps it, fills in the defaults.
pub fn prepare_create(
    kind: &'static Kind,
    value: &mut Value,
    by: &Write<'_>,
    random: &mut Random,
) -> Result<(), Refusal> {
    if text_at(value, "/metadata/name").is_empty() {
        let prefix = text_at(value, "/metadata/generateName").to_owned();
        if prefix.is_empty() {
            let causes = vec![(
                "metadata.name".into(),
                "Required value: name or generateName is required".into(),
            )];
            return Err(Refusal::Invalid(Key::of(kind, value), causes));
        }
        let name = prefix + &random.suffix(5);
        set(value, &["metadata", "name"], name.into());
    }
    set(value, &["apiVersion"], kind.api_version().into());
    set(value, &["kind"], kind.name.into());
    set(value, &["metadata", "uid"], random.uid().into());
    set(
        value,
        &["metadata", "creationTimestamp"],
        stamp(by.at).into(),
    );
    for gone in [
        "resourceVersion",
        "managedFields",
        "selfLink",
        "deletionTimestamp",
    ] {
        unset(value, &["metadata", gone]);
    }
    if kind.generation {
        set(value, &["metadata", "generation"], 1.into());
    }
    validation::check_types(kind, value)?;
    forget_empty(value);
    defaults::begin(kind, value);
    defaults::count_templates(kind, None, value);
    defaults::fill(kind, value);
    validation::check(kind, None, value)?;
    managed_fields::record(&Value::Null, value, by);
    Ok(())
}

/// Puts back what this part of the object may not change, counts the generation, and notes the writer.
pub fn prepare_update(
    kind: &'static Kind,
    before: &Value,
    after: &mut Value,
    by: &Write<'_>,
) -> Result<(), Refusal> {
    match by.part {
        Part::Status => {
            let status = after.get("status").cloned().unwrap_or_default();
            let annotations = after["metadata"].get("annotations").cloned();
            let given = |field| Some((field, after["metadata"].get(field)?.clone()));
            let given: Vec<_> = ["uid", "resourceVersion"]
                .into_iter()
                .filter_map(given)
                .collect();
            *after = before.clone();
            set(after, &["status"], status);
            for (field, value) in given {
                set(after, &["metadata", field], value);
            }
            // The real one forgets to put them back for Deployments, and their controller relies on it.
            if let Some(annotations) = annotations.filter(|_| kind == &DEPLOYMENTS) {
                set(after, &["metadata", "annotations"], annotations);
            }
        }
        Part::Main | Part::Scale | Part::Deletion if kind.status => match before.get("status") {
            Some(status) => set(after, &["status"], status.clone()),
            None => unset(after, &["status"]),
        },
        Part::Main | Part::Scale | Part::Deletion => {}
    }
    keep_identity(kind, before, after, by.part)?;
    validation::check_types(kind, after)?;
    forget_empty(after);
    defaults::fill(kind, after);
    validation::check(kind, Some(before), after)?;
    defaults::count_templates(kind, Some(before), after);
    let annotated = kind == &DEPLOYMENTS
        && by.part != Part::Status
        && before["metadata"]["annotations"] != after["metadata"]["annotations"];
    let deleted = by.part == Part::Deletion && before != after;
    if kind.generation && (differ(kind, &before["spec"], &after["spec"]) || annotated || deleted) {
        let generation = int_at(before, "/metadata/generation").unwrap_or(0) + 1;
        set(after, &["metadata", "generation"], generation.into());
    }
    if before != after && by.part != Part::Deletion {
        managed_fields::record(before, after, by);
    }
    Ok(())
}

/// What a controller must see. That a pod is put on a node is not counted.
fn differ(kind: &'static Kind, before: &Value, after: &Value) -> bool {
    if kind != &PODS || before["nodeName"] == after["nodeName"] {
        return before != after;
    }
    let mut placed = before.clone();
    set(&mut placed, &["nodeName"], after["nodeName"].clone());
    placed != *after
}

/// Empty maps and lists of the metadata are not kept.
fn forget_empty(value: &mut Value) {
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.retain(|_, part| *part != json!({}) && *part != json!([]));
    }
}

/// Another uid or an older version is a conflict; the rest of the identity is put back silently, as the server does.
fn keep_identity(
    kind: &'static Kind,
    before: &Value,
    after: &mut Value,
    part: Part,
) -> Result<(), Refusal> {
    let key = Key::of(kind, before);
    let differs = |field: &str| {
        let given = text_at(after, field);
        !given.is_empty() && given != text_at(before, field)
    };
    if differs("/metadata/uid") {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {}, UID in object meta: {}",
            kind.plural,
            key.namespace,
            key.name,
            text_at(after, "/metadata/uid"),
            text_at(before, "/metadata/uid"),
        );
        return Err(Refusal::Conflict(key, why));
    }
    if differs("/metadata/resourceVersion") {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        return Err(Refusal::Conflict(key, why.into()));
    }
    let deletion = ["deletionTimestamp", "deletionGracePeriodSeconds"];
    let deletion = deletion.iter().filter(|_| part != Part::Deletion);
    for field in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "generation",
        "resourceVersion",
        "managedFields",
    ]
    .iter()
    .chain(deletion)
    {
        match before["metadata"].get(field) {
            Some(value) => set(after, &["metadata", field], value.clone()),
            None => unset(after, &["metadata", field]),
        }
    }
    Ok(())
}

/// A time as the server writes it: whole seconds.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
