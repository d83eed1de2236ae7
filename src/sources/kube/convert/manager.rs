//! Who owns the pod template, and who wrote it last.

use jiff::Timestamp;

use super::{REASON, capped, created};
use crate::domain::{Manager, SyncKind, SyncRef};
use crate::sources::kube::wire::{ManagedFields, Meta, Object};

/// The controller of Argo Rollouts, which writes empty `resources` into a template right after somebody wrote it.
const FILLS_IN: &str = "rollouts-controller";

/// The tool that would put its own template back, the most eager first.
pub fn manager(meta: &Meta<'_>) -> Option<Manager> {
    // What the promotion copies has the marks of its original.
    flagger(meta)
        .map(Manager::Flagger)
        .or_else(|| argo_cd(meta).or_else(|| flux(meta)).map(Manager::Sync))
        .or_else(|| helm(meta).map(Manager::Helm))
        .or_else(|| meta.annotations.last_applied.map(|_| Manager::LastApplied))
        .or_else(|| applied_by(meta).map(Manager::Apply))
}

/// The manager and time of the newest write of the pod template.
pub fn written_by(meta: &Meta<'_>) -> Option<(Box<str>, Timestamp)> {
    let others = |fields: &&ManagedFields<'_>| &*fields.manager != FILLS_IN;
    let writes = meta.managed_fields.iter().filter(others);
    let writes = writes.filter(|fields| fields.touches_template());
    writes
        .filter_map(|fields| Some((capped(&fields.manager, REASON), fields.time?)))
        .max_by_key(|(_, time)| *time)
}

/// When anything but the status was last written.
pub fn spec_written(meta: &Meta<'_>) -> Option<Timestamp> {
    let writes = meta.managed_fields.iter();
    let writes = writes.filter(|fields| &*fields.subresource != "status");
    writes.filter_map(|fields| fields.time).max()
}

/// What the metadata of a ConfigMap or Secret tells of its past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataWritten {
    pub created: Timestamp,
    /// The manager and time of the newest write of what it holds. One that only took keys away leaves no trace.
    pub newest: Option<(Box<str>, Timestamp)>,
    /// Field managers are kept on it at all: somebody may have taken them off.
    pub tracked: bool,
}

/// # Errors
/// When the metadata cannot be read.
pub fn data_written(body: &[u8]) -> Result<DataWritten, serde_json::Error> {
    let object: Object<'_> = serde_json::from_slice(body)?;
    let writes = object.metadata.managed_fields.iter();
    let writes = writes.filter(|fields| fields.touches_data());
    let newest = writes
        .filter_map(|fields| Some((capped(&fields.manager, REASON), fields.time?)))
        .max_by_key(|(_, time)| *time);
    Ok(DataWritten {
        created: created(&object.metadata)?,
        newest,
        tracked: !object.metadata.managed_fields.is_empty(),
    })
}

/// Argo CD marks by annotation, by its own label, or by the common instance label, which others use too: that
/// one counts only beside a field manager of Argo CD.
fn argo_cd(meta: &Meta<'_>) -> Option<SyncRef> {
    if let Some(tracking) = &meta.annotations.argo_tracking_id {
        return Some(tracked(tracking));
    }
    let managed = || {
        meta.managed_fields
            .iter()
            .any(|f| f.manager.starts_with("argocd"))
    };
    let common = meta.labels.get("app.kubernetes.io/instance");
    let label = meta.labels.get("argocd.argoproj.io/instance");
    let label = label.or(common.filter(|_| managed()))?;
    Some(tracked(label))
}

/// `APP:GROUP/KIND:NAMESPACE/NAME`, or `APP` alone; `NAMESPACE_APP` for one outside the namespace of Argo CD.
fn tracked(mark: &str) -> SyncRef {
    let application = mark.split(':').next().unwrap_or(mark);
    let (namespace, name) = match application.split_once('_') {
        Some((namespace, name)) => (Some(capped(namespace, REASON)), name),
        None => (None, application),
    };
    SyncRef {
        kind: SyncKind::Application,
        namespace,
        name: capped(name, REASON),
    }
}

/// A chart that Flux installs has the marks of both.
fn flux(meta: &Meta<'_>) -> Option<SyncRef> {
    let marked = |kind: SyncKind| {
        let label = |what| meta.labels.get(&format!("{}/{what}", kind.group()));
        Some(SyncRef {
            kind,
            name: capped(label("name")?, REASON),
            namespace: label("namespace").map(|namespace| capped(namespace, REASON)),
        })
    };
    marked(SyncKind::Kustomization).or_else(|| marked(SyncKind::HelmRelease))
}

fn flagger(meta: &Meta<'_>) -> Option<Box<str>> {
    let owner = meta.controller()?;
    let is_canary = &*owner.kind == "Canary" && owner.api_version.starts_with("flagger.app/");
    is_canary.then(|| capped(&owner.name, REASON))
}

fn helm(meta: &Meta<'_>) -> Option<Box<str>> {
    let by_helm = meta
        .labels
        .get("app.kubernetes.io/managed-by")
        .is_some_and(|by| &**by == "Helm");
    let release = meta
        .annotations
        .helm_release
        .as_deref()
        .filter(|_| by_helm)?;
    Some(capped(release, REASON))
}

fn applied_by(meta: &Meta<'_>) -> Option<Box<str>> {
    let applied = |f: &&ManagedFields<'_>| &*f.operation == "Apply" && f.touches_template();
    let fields = meta.managed_fields.iter().find(applied)?;
    Some(capped(&fields.manager, REASON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers() {
        let sync = |kind, namespace: Option<&str>, name: &str| {
            Some(Manager::Sync(SyncRef {
                kind,
                namespace: namespace.map(Into::into),
                name: name.into(),
            }))
        };
        let app = |namespace, name| sync(SyncKind::Application, namespace, name);
        let template = r#""fieldsV1":{"f:spec":{"f:template":{"f:spec":{}}}}"#;
        let status = r#""fieldsV1":{"f:status":{"f:template":{}}}"#;
        for (meta, want) in [
            ("{}".to_owned(), None),
            (
                r#"{"annotations":{"argocd.argoproj.io/tracking-id":"shop:apps/Deployment:shop/web"}}"#.into(),
                app(None, "shop"),
            ),
            (
                r#"{"annotations":{"argocd.argoproj.io/tracking-id":"team-a_shop:apps/Deployment:shop/web"}}"#.into(),
                app(Some("team-a"), "shop"),
            ),
            (
                r#"{"labels":{"argocd.argoproj.io/instance":"shop"}}"#.into(),
                app(None, "shop"),
            ),
            (
                r#"{"labels":{"app.kubernetes.io/instance":"shop"},
                "managedFields":[{"manager":"argocd-controller","operation":"Apply"}]}"#
                    .into(),
                app(None, "shop"),
            ),
            (
                r#"{"labels":{"app.kubernetes.io/instance":"shop"},"managedFields":[{"manager":"helm"}]}"#.into(),
                None,
            ),
            (
                r#"{"labels":{"kustomize.toolkit.fluxcd.io/name":"apps"}}"#.into(),
                sync(SyncKind::Kustomization, None, "apps"),
            ),
            (
                r#"{"labels":{"helm.toolkit.fluxcd.io/name":"web","helm.toolkit.fluxcd.io/namespace":"flux-system","app.kubernetes.io/managed-by":"Helm"},
                "annotations":{"meta.helm.sh/release-name":"web"}}"#
                    .into(),
                sync(SyncKind::HelmRelease, Some("flux-system"), "web"),
            ),
            (
                r#"{"labels":{"app.kubernetes.io/managed-by":"Helm"},
                "annotations":{"meta.helm.sh/release-name":"web"}}"#
                    .into(),
                Some(Manager::Helm("web".into())),
            ),
            (r#"{"annotations":{"meta.helm.sh/release-name":"web"}}"#.into(), None),
            (
                r#"{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}"#.into(),
                Some(Manager::LastApplied),
            ),
            (
                format!(r#"{{"managedFields":[{{"manager":"ci","operation":"Apply",{template}}}]}}"#),
                Some(Manager::Apply("ci".into())),
            ),
            (
                format!(r#"{{"managedFields":[{{"manager":"ci","operation":"Apply",{status}}}]}}"#),
                None,
            ),
            (
                format!(r#"{{"managedFields":[{{"manager":"ci","operation":"Update",{template}}}]}}"#),
                None,
            ),
        ] {
            let parsed: Meta<'_> = serde_json::from_str(&meta).unwrap();
            assert_eq!(manager(&parsed), want, "{meta}");
        }
    }

    #[test]
    fn the_newest_write_of_the_template_counts() {
        let fields = r#""fieldsV1":{"f:spec":{"f:template":{}}}"#;
        let meta = format!(
            r#"{{"managedFields":[
            {{"manager":"helm","time":"2026-01-01T00:00:00Z",{fields}}},
            {{"manager":"kubectl-set","time":"2026-01-03T00:00:00Z",{fields}}},
            {{"manager":"kubectl-create","time":"2026-01-02T00:00:00Z",{fields}}},
            {{"manager":"kube-controller-manager","subresource":"status","time":"2026-01-09T00:00:00Z",
              "fieldsV1":{{"f:status":{{}}}}}},
            {{"manager":"hpa","time":"2026-01-08T00:00:00Z","fieldsV1":{{"f:spec":{{"f:replicas":{{}}}}}}}}]}}"#
        );
        let parsed: Meta<'_> = serde_json::from_str(&meta).unwrap();
        let want = (
            "kubectl-set".into(),
            "2026-01-03T00:00:00Z".parse().unwrap(),
        );
        assert_eq!(written_by(&parsed), Some(want));
    }

    #[test]
    fn the_newest_write_of_the_data_counts() {
        let body = |fields: &str| {
            format!(
                r#"{{"metadata":{{"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":[{fields}]}}}}"#
            )
        };
        let entry = |by: &str, day: u8, fields: &str| {
            format!(
                r#"{{"manager":"{by}","time":"2026-01-{day:02}T00:00:00Z","fieldsV1":{{{fields}}}}}"#
            )
        };
        let made: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (fields, want) in [
            (String::new(), None),
            (
                entry("labeller", 9, r#""f:metadata":{"f:labels":{}}"#),
                None,
            ),
            (
                [
                    entry("helm", 2, r#""f:data":{".":{},"f:URL":{}}"#),
                    entry("kubectl-edit", 5, r#""f:data":{"f:URL":{}}"#),
                    entry("labeller", 9, r#""f:metadata":{"f:labels":{}}"#),
                ]
                .join(","),
                Some(("kubectl-edit", "2026-01-05T00:00:00Z")),
            ),
            (
                entry("robot", 3, r#""f:binaryData":{"f:x":{}}"#),
                Some(("robot", "2026-01-03T00:00:00Z")),
            ),
        ] {
            let found = data_written(body(&fields).as_bytes()).unwrap();
            let newest = want.map(|(by, at)| (Box::from(by), at.parse().unwrap()));
            assert_eq!((found.created, found.newest), (made, newest), "{fields}");
            assert_eq!(found.tracked, !fields.is_empty(), "{fields}");
        }
        assert!(data_written(b"{}").is_err());
    }
}
