//! Reading and writing one object, the same way for every kind.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::delete;
use super::go_json;
use super::kind::{
    CREATE_OPTIONS, Kind, NAMESPACES, PATCH_OPTIONS, PATCHED, PODS, SCALES, SERVICE_ACCOUNTS,
    UPDATE_OPTIONS,
};
use super::object::{Kept, Key, int_at, set, text_at};
use super::patch::Patch;
use super::quota;
use super::refusal::Refusal;
use super::route::Sub;
use super::selector;
use super::server::Call;
use super::table;
use super::validation;
use super::write::{Part, Write};

pub fn get(call: &Call, key: &Key, sub: Sub) -> Result<Answer, Refusal> {
    let kept = call.api.cluster.store.get(key);
    let kept = kept.ok_or_else(|| Refusal::NotFound(key.clone()))?;
    Ok(shown(call, &kept, sub))
}

pub fn create(
    call: &Call,
    kind: &'static Kind,
    namespace: Option<&str>,
) -> Result<Answer, Refusal> {
    let store = &call.api.cluster.store;
    if kind.namespaced && namespace.is_none() {
        return Err(Refusal::MethodNotAllowed);
    }
    let by = call.write(&CREATE_OPTIONS, Part::Main)?;
    let mut value = body(call, kind)?;
    place(&mut value, namespace)?;
    if !text_at(&value, "/metadata/resourceVersion").is_empty() {
        let why = "resourceVersion should not be set on objects to be created";
        return Err(Refusal::Internal(why.into()));
    }
    if let Some(name) = namespace {
        let home = Key::new(&NAMESPACES, "", name);
        store.get(&home).ok_or(Refusal::NotFound(home))?;
    }
    let kept = if kind == &PODS {
        quota::create(store, value, &by)?
    } else {
        store.create(kind, value, &by)?
    };
    if kind == &NAMESPACES && !by.dry_run {
        settle(call, &kept.key.name, by.at);
    }
    Ok(match shown(call, &kept, Sub::None) {
        Answer::Json(_, text) => Answer::Json(StatusCode::CREATED, text),
        other => other,
    })
}

/// What the control plane puts into a new namespace.
fn settle(call: &Call, namespace: &str, at: jiff::Timestamp) {
    let account = json!({"metadata": {"name": "default", "namespace": namespace}});
    let by = Write::by("kube-controller-manager", at);
    // One that is there already is as good.
    let _ = call
        .api
        .cluster
        .store
        .create(&SERVICE_ACCOUNTS, account, &by);
}

pub fn replace(call: &Call, key: &Key, sub: Sub) -> Result<Answer, Refusal> {
    let by = call.write(&UPDATE_OPTIONS, part_of(sub))?;
    let kind = if sub == Sub::Scale { &SCALES } else { key.kind };
    let mut given = body(call, kind)?;
    check_name(&given, key)?;
    place(
        &mut given,
        Some(&*key.namespace).filter(|name| !name.is_empty()),
    )?;
    update(call, key, sub, &by, |now| {
        *now = given;
        Ok(())
    })
}

pub fn change(call: &Call, key: &Key, sub: Sub) -> Result<Answer, Refusal> {
    let by = call.write(&PATCH_OPTIONS, part_of(sub))?;
    if key.kind.custom && call.body_type().contains("strategic") {
        let why = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
        return Err(Refusal::UnsupportedMediaType(why.into()));
    }
    let patch = Patch::read(call.body_type(), &call.body)?;
    update(call, key, sub, &by, |now| {
        let uid = now["metadata"]["uid"].clone();
        patch.apply(now)?;
        check_name(now, key)?;
        readable(key.kind, sub, now)?;
        if !key.namespace.is_empty() {
            place(now, Some(&key.namespace))?;
        }
        let given = &now["metadata"]["uid"];
        if !given.is_null() && *given != uid {
            let why = format!("Invalid value: {given}: field is immutable");
            let causes = vec![("metadata.uid".into(), why)];
            return Err(Refusal::Invalid(key.clone(), causes));
        }
        Ok(())
    })
}

fn update(
    call: &Call,
    key: &Key,
    sub: Sub,
    by: &Write<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), Refusal>,
) -> Result<Answer, Refusal> {
    let store = &call.api.cluster.store;
    let kept = store.update(key, by, |now| {
        if sub == Sub::Scale {
            return rescale(key, now, change);
        }
        change(now)?;
        prune(now);
        Ok(())
    })?;
    if !by.dry_run {
        delete::finish(store, &kept);
    }
    Ok(shown(call, &kept, sub))
}

/// Changes an object by way of its Scale.
fn rescale(
    key: &Key,
    now: &mut Value,
    change: impl FnOnce(&mut Value) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut scale = scale_of(now);
    change(&mut scale)?;
    let replicas = int_at(&scale, "/spec/replicas").unwrap_or(0);
    if replicas < 0 {
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        let causes = vec![("spec.replicas".into(), why)];
        let key = Key::new(&SCALES, &key.namespace, &key.name);
        return Err(Refusal::Invalid(key, causes));
    }
    let version = scale["metadata"]["resourceVersion"].clone();
    set(now, &["metadata", "resourceVersion"], version);
    set(now, &["spec", "replicas"], replicas.into());
    Ok(())
}

fn scale_of(value: &Value) -> Value {
    let mut metadata = json!({});
    for field in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        if let Some(text) = value["metadata"].get(field) {
            metadata[field] = text.clone();
        }
    }
    let selector = match text_at(value, "/status/selector") {
        "" => selector::text(&value["spec"]["selector"]),
        said => said.to_owned(),
    };
    // A Rollout says how many count.
    let counted = int_at(value, "/status/HPAReplicas").or(int_at(value, "/status/replicas"));
    let spec = match int_at(value, "/spec/replicas") {
        None | Some(0) => json!({}),
        Some(replicas) => json!({"replicas": replicas}),
    };
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec,
        "status": {"replicas": counted.unwrap_or(0), "selector": selector},
    })
}

fn shown(call: &Call, kept: &Kept, sub: Sub) -> Answer {
    if sub == Sub::Scale {
        return Answer::value(&scale_of(&kept.value()));
    }
    if call.wants_table() {
        return Answer::value(&table::row(call, kept.key.kind, kept, true));
    }
    if call.wants_metadata() {
        let metadata = kept.value()["metadata"].take();
        return Answer::value(&json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        }));
    }
    Answer::ok(kept.whole())
}

fn part_of(sub: Sub) -> Part {
    match sub {
        Sub::Status => Part::Status,
        Sub::Scale => Part::Scale,
        Sub::None | Sub::Log | Sub::Eviction => Part::Main,
    }
}

/// The object in a body.
fn body(call: &Call, kind: &'static Kind) -> Result<Value, Refusal> {
    if !matches!(call.body_type(), "application/json" | "") {
        let why = "the body of the request was in an unknown format - accepted media types include: application/json";
        return Err(Refusal::UnsupportedMediaType(why.into()));
    }
    let what = kind.name;
    let mut value: Value = serde_json::from_slice(&call.body).map_err(|error| {
        Refusal::BadRequest(format!(
            "the object provided is unrecognized (must be of type {what}): couldn't get version/kind; json parse error: {error}"
        ))
    })?;
    let (api, name) = (text_at(&value, "/apiVersion"), text_at(&value, "/kind"));
    let ours = kind == &SCALES || api.is_empty() || api == kind.api_version();
    if !value.is_object() || !ours || !(name.is_empty() || name == what) {
        let version = api.rsplit('/').next().unwrap_or_default();
        let own = Some(kind.group).filter(|group| !group.is_empty());
        let own = own.unwrap_or("core");
        let why = format!(
            "{name} in version {version:?} cannot be handled as a {what}: converting ({version}.{name}) to ({own}.{what}): unknown conversion"
        );
        return Err(Refusal::BadRequest(why));
    }
    prune(&mut value);
    Ok(value)
}

fn check_name(given: &Value, key: &Key) -> Result<(), Refusal> {
    match text_at(given, "/metadata/name") {
        name if *name == *key.name => Ok(()),
        "" => Err(Refusal::BadRequest(format!(
            "the name of the object ({} based on URL) was undeterminable: name must be provided",
            key.name
        ))),
        name => Err(Refusal::BadRequest(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            key.name
        ))),
    }
}

/// A patched object is still one of its kind.
fn readable(kind: &'static Kind, sub: Sub, value: &Value) -> Result<(), Refusal> {
    let kind = if sub == Sub::Scale { &SCALES } else { kind };
    let (api, name) = (text_at(value, "/apiVersion"), text_at(value, "/kind"));
    let why = if api != kind.api_version() || name != kind.name {
        format!("no kind {name:?} is registered for version {api:?} here")
    } else if let Err(Refusal::BadRequest(why)) = validation::check_types(kind, value) {
        why.rsplit(": ").next().unwrap_or_default().to_owned()
    } else {
        return Ok(());
    };
    let text = go_json::text(value);
    let causes = vec![("patch".into(), format!("Invalid value: {text:?}: {why}"))];
    Err(Refusal::Invalid(Key::new(&PATCHED, "", ""), causes))
}

/// Into the namespace of the path.
fn place(value: &mut Value, namespace: Option<&str>) -> Result<(), Refusal> {
    let Some(namespace) = namespace else {
        return Ok(());
    };
    match text_at(value, "/metadata/namespace") {
        "" => set(value, &["metadata", "namespace"], namespace.into()),
        given if given == namespace => {}
        _ => {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Refusal::BadRequest(why.into()));
        }
    }
    Ok(())
}

/// A null in metadata or spec is as good as nothing, and the server keeps none.
fn prune(value: &mut Value) {
    fn all(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.retain(|_, value| !value.is_null());
                map.values_mut().for_each(all);
            }
            Value::Array(list) => list.iter_mut().for_each(all),
            _ => {}
        }
    }
    for part in ["metadata", "spec"] {
        if let Some(part) = value.get_mut(part) {
            all(part);
        }
    }
}
