//! A pair of Deployments behind one Service: the Service, and how many of each side its endpoints have ready.

use serde_json::Error;

use super::super::convert::required;
use super::super::wire;
use crate::domain::pair::Service;
use crate::domain::{ClusterId, Item, Labels, WorkloadId, generated_name};

/// `None` of one that selects no pods by itself.
///
/// # Errors
/// When it cannot be read, or has no name.
pub fn service(cluster: &ClusterId, raw: &str) -> Result<Option<Service>, Error> {
    let object: wire::Service<'_> = serde_json::from_str(raw)?;
    let (meta, selector) = (&object.metadata, &object.spec.selector);
    if selector.iter().next().is_none() {
        return Ok(None);
    }
    Ok(Some(Service {
        cluster: cluster.clone(),
        namespace: required(&meta.namespace, "namespace")?.into(),
        name: required(&meta.name, "name")?.into(),
        uid: meta.uid[..].into(),
        selector: Labels::new(selector.iter()),
    }))
}

/// Selects the slices of a Service.
pub fn of_service(name: &str) -> String {
    format!("kubernetes.io/service-name={name}")
}

/// Of one slice, by its uid.
///
/// # Errors
/// When it cannot be read.
pub fn endpoints(canary: &WorkloadId, raw: &str) -> Result<Item, Error> {
    let object: wire::Object<'_> = serde_json::from_str(raw)?;
    Ok(Item::Endpoints {
        of: canary.clone(),
        uid: object.metadata.uid[..].into(),
        ready: ready(canary, raw)?,
    })
}

/// The endpoints of a slice that are ready: those of the canary, and all others.
///
/// # Errors
/// When it cannot be read.
pub fn ready(canary: &WorkloadId, raw: &str) -> Result<(u32, u32), Error> {
    let slice: wire::EndpointSlice<'_> = serde_json::from_str(raw)?;
    let (mut new, mut old) = (0, 0);
    let ready = slice.endpoints.iter();
    for endpoint in ready.filter(|endpoint| endpoint.conditions.ready != Some(false)) {
        let of = &endpoint.target_ref;
        if generated_name::belongs(canary, &of.kind, &of.name) {
            new += 1;
        } else {
            old += 1;
        }
    }
    Ok((new, old))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;

    #[test]
    fn only_what_selects_pods_is_a_service_here() {
        let raw = r#"{"metadata":{"name":"checkout","namespace":"shop","uid":"s1"},"spec":{"selector":{"app":"checkout"},"ports":[]}}"#;
        let found = service(&"c".into(), raw).unwrap().unwrap();
        assert_eq!(
            (&*found.name, found.selector.get("app")),
            ("checkout", Some("checkout"))
        );
        let none =
            r#"{"metadata":{"name":"checkout","namespace":"shop"},"spec":{"selector":null}}"#;
        assert_eq!(service(&"c".into(), none).unwrap(), None);
        assert!(service(&"c".into(), "{}").unwrap().is_none());
    }

    #[test]
    fn an_endpoint_counts_while_it_is_ready() {
        let id = WorkloadId {
            cluster: "c".into(),
            namespace: "shop".into(),
            kind: Kind::Deployment,
            name: "checkout-canary".into(),
        };
        let of = |name: &str, ready: &str| {
            format!(
                r#"{{"conditions":{{"ready":{ready}}},"targetRef":{{"kind":"Pod","name":"{name}"}}}}"#
            )
        };
        let raw = format!(
            r#"{{"endpoints":[{},{},{},{}]}}"#,
            of("checkout-canary-7d9f-x2x4k", "true"),
            of("checkout-canary-7d9f-x2x4z", "false"),
            of("checkout-5b6c-aaaaa", "null"),
            of("checkout-5b6c-bbbbb", "true"),
        );
        assert_eq!(ready(&id, &raw).unwrap(), (1, 2));
        assert_eq!(ready(&id, r#"{"endpoints":null}"#).unwrap(), (0, 0));
    }
}
