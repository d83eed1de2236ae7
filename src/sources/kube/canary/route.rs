//! What routes to a pair by weight: each `HTTPRoute` of the Gateway API, and each Ingress that nginx takes as a canary.

use serde_json::Error;

use super::super::convert::{REASON, capped, count, manager, required};
use super::super::wire;
use crate::domain::ClusterId;
use crate::domain::pair::route::{Annotated, Backend, Route, RouteKind};

/// An Ingress for a canary whose total is not written is of a hundred.
const WHOLE: u32 = 100;

/// # Errors
/// When it cannot be read, or has no name.
pub fn route(cluster: &ClusterId, kind: RouteKind, raw: &str) -> Result<Route, Error> {
    match kind {
        RouteKind::HttpRoute => http_route(cluster, raw),
        RouteKind::Ingress => ingress(cluster, raw),
    }
}

fn http_route(cluster: &ClusterId, raw: &str) -> Result<Route, Error> {
    let object: wire::HttpRoute<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    let rules = object.spec.rules.iter().map(|rule| {
        let refs = rule.backend_refs.iter();
        let backends = refs.map(|of| Backend {
            service: of.name[..].into(),
            weight: of.weight.map(|weight| count(Some(weight))),
        });
        backends.collect()
    });
    let generation = meta.generation.unwrap_or(0);
    let taken = |parent: &wire::RouteParent<'_>| {
        parent.conditions.iter().any(|condition| {
            let seen = condition.observed_generation.unwrap_or(0) >= generation;
            &*condition.kind == "Accepted" && &*condition.status == "True" && seen
        })
    };
    let parents = &object.status.parents;
    Ok(Route {
        rules: rules.collect(),
        accepted: !parents.is_empty() && parents.iter().all(taken),
        ..bare(cluster, RouteKind::HttpRoute, meta)?
    })
}

fn ingress(cluster: &ClusterId, raw: &str) -> Result<Route, Error> {
    let object: wire::Ingress<'_> = serde_json::from_str(raw)?;
    let meta = &object.metadata;
    let rules = object.spec.rules.iter().map(|rule| {
        let paths = rule.http.paths.iter();
        let backends = paths.map(|path| Backend {
            service: path.backend.service.name[..].into(),
            weight: None,
        });
        backends.collect()
    });
    Ok(Route {
        rules: rules.collect(),
        annotated: annotated(&meta.annotations),
        ..bare(cluster, RouteKind::Ingress, meta)?
    })
}

/// `None` of one that is not for a canary, and of one that says nothing of what goes to it.
fn annotated(notes: &wire::Annotations<'_>) -> Option<Annotated> {
    let is_canary = notes.nginx_canary.as_deref() == Some("true");
    let named = |kind: &str, text: &Option<wire::Text<'_>>| {
        let name = text.as_deref()?;
        Some(capped(&format!("{kind} {name}"), REASON))
    };
    let also = named("header", &notes.nginx_header);
    let also = also.or_else(|| named("cookie", &notes.nginx_cookie));
    let weight = notes.nginx_weight.as_deref();
    let whole = notes.nginx_total.as_ref();
    let whole = whole.and_then(|text| text.parse().ok());
    let says = is_canary && (weight.is_some() || also.is_some());
    says.then(|| Annotated {
        weight: weight.map(|text| capped(text, REASON)),
        whole: whole.filter(|whole| *whole > 0).unwrap_or(WHOLE),
        also,
    })
}

fn bare(cluster: &ClusterId, kind: RouteKind, meta: &wire::Meta<'_>) -> Result<Route, Error> {
    let owner = meta.owner_references.iter().find(|owner| {
        let kinds = ["Canary", "Rollout"];
        kinds.contains(&&*owner.kind)
    });
    let plugin = meta.labels.get("rollouts.argoproj.io/gatewayapi-canary");
    let words = owner.map(|owner| format!("{} {}", &*owner.kind, &*owner.name));
    let words = words.or_else(|| plugin.map(|_| "a Rollout of Argo".to_owned()));
    Ok(Route {
        cluster: cluster.clone(),
        namespace: required(&meta.namespace, "namespace")?.into(),
        name: required(&meta.name, "name")?.into(),
        uid: meta.uid[..].into(),
        kind,
        owner: words.map(Into::into),
        manager: manager(meta),
        rules: Box::default(),
        accepted: false,
        annotated: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Manager;

    const META: &str = r#""name":"checkout","namespace":"shop","uid":"r1","generation":3"#;

    #[test]
    fn the_weights_of_an_http_route() {
        let raw = |status: &str| {
            format!(
                r#"{{"metadata":{{{META}}},"spec":{{"rules":[
                {{"backendRefs":[{{"name":"other"}}]}},
                {{"backendRefs":[{{"name":"checkout","weight":80}},{{"name":"checkout-canary","weight":20}}]}}]}},
                "status":{status}}}"#
            )
        };
        let read = |status: &str| route(&"c".into(), RouteKind::HttpRoute, &raw(status)).unwrap();
        let found = read("{}");
        assert_eq!(found.split("checkout-canary", "checkout"), Some((20, 100)));
        assert_eq!(found.split("cart-canary", "cart"), None);
        let places: Vec<_> = found.places("checkout-canary", "checkout").collect();
        assert_eq!((places, found.accepted), (vec![(1, 1, 0)], false));
        let accepted = |seen| {
            format!(
                r#"{{"parents":[{{"conditions":[{{"type":"Accepted","status":"True","observedGeneration":{seen}}}]}}]}}"#
            )
        };
        assert!(read(&accepted(3)).accepted);
        assert!(!read(&accepted(2)).accepted);
    }

    #[test]
    fn an_ingress_for_a_canary() {
        let raw = |notes: &str| {
            format!(
                r#"{{"metadata":{{{META},"annotations":{{{notes}}}}},"spec":{{"rules":[{{"http":{{"paths":[
                {{"backend":{{"service":{{"name":"checkout-canary"}}}}}}]}}}}]}}}}"#
            )
        };
        let key = "nginx.ingress.kubernetes.io/canary";
        let read = |notes: String| route(&"c".into(), RouteKind::Ingress, &raw(&notes)).unwrap();
        let found = read(format!(r#""{key}":"true","{key}-weight":"20""#));
        assert_eq!(found.split("checkout-canary", "checkout"), Some((20, 100)));
        let fine = read(format!(
            r#""{key}":"true","{key}-weight":"20","{key}-weight-total":"1000""#
        ));
        assert_eq!(fine.split("checkout-canary", "checkout"), Some((20, 1000)));
        let none = read(format!(r#""{key}-weight":"20""#));
        assert_eq!(none.split("checkout-canary", "checkout"), None);
        let header = read(format!(
            r#""{key}":"true","{key}-by-header":"x-canary","{key}-weight-total":"0""#
        ));
        assert_eq!(header.split("checkout-canary", "checkout"), Some((0, 100)));
        let also = header.also("checkout-canary", "checkout");
        assert_eq!(also.as_deref(), Some("header x-canary"));
        assert!(!header.accepted, "nobody says so");
    }

    #[test]
    fn what_a_controller_owns_is_said() {
        let raw = format!(
            r#"{{"metadata":{{{META},"ownerReferences":[{{"kind":"Canary","name":"checkout"}}]}},"spec":{{}}}}"#
        );
        let found = route(&"c".into(), RouteKind::HttpRoute, &raw).unwrap();
        assert_eq!(found.owner.as_deref(), Some("Canary checkout"));
        let kept = raw.replace(
            r#""ownerReferences""#,
            r#""annotations":{"argocd.argoproj.io/tracking-id":"shop:x"},"ownerReferences""#,
        );
        let found = route(&"c".into(), RouteKind::HttpRoute, &kept).unwrap();
        assert!(matches!(found.manager, Some(Manager::Sync(_))));
    }
}
