//! Two Deployments behind one Service, a stable one and its canary: a person moves it by their numbers of pods.

use super::canary::{Canary, Pair, PausedBy, Provider, Routed};
use super::labels::value;
use super::{ClusterId, Kind, Labels, Manager, Uid, Workload};

pub mod route;

use route::Route;

/// A label of the canary that names the Deployment beside it.
pub const LABEL: &str = "rolldeck.dev/canary-of";
/// What the canary's name adds to that of the stable one.
const SUFFIX: &str = "-canary";
/// Labels that say which of the two one is.
const ROLES: [&str; 2] = ["track", "role"];
const STABLE: [&str; 4] = ["stable", "primary", "main", "production"];

/// A Service, as far as it tells which pods it sends to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub uid: Uid,
    pub selector: Labels,
}

impl Service {
    /// The Deployment's own selector asks its pods for all that the Service wants of them. What its template has beside
    /// that is not looked at.
    pub fn sends_to(&self, workload: &Workload) -> bool {
        let mut pairs = self.selector.iter().peekable();
        self.cluster == workload.id.cluster
            && self.namespace == workload.id.namespace
            && pairs.peek().is_some()
            && pairs.all(|(key, wanted)| value(&workload.selector, key) == Some(wanted))
    }
}

/// It is called a canary: by our label, by its name, or by its role.
pub fn is_called(workload: &Workload) -> bool {
    let plain = workload.id.kind == Kind::Deployment
        && workload.controlled().is_none()
        && !matches!(workload.manager, Some(Manager::Flagger(_)));
    plain && (named(workload).is_some() || role(workload) == Some("canary"))
}

/// The one beside it that serves, as it is called: what it names, else the only one that differs in the role alone.
pub fn stable_of<'a>(
    canary: &Workload,
    others: impl Iterator<Item = &'a Workload>,
) -> Option<&'a Workload> {
    let mut found = others.filter(|other| is_beside(canary, other));
    found.next().filter(|_| found.next().is_none())
}

/// It is called the one that serves beside this canary.
pub fn is_beside(canary: &Workload, other: &Workload) -> bool {
    let (of, id) = (&canary.id, &other.id);
    let near = (&id.cluster, &id.namespace, id.kind) == (&of.cluster, &of.namespace, of.kind);
    // Of two with one selector each takes the other's pods for its own.
    if !near || id == of || other.selector == canary.selector {
        return false;
    }
    if let Some(name) = named(canary) {
        return *id.name == *name;
    }
    let stable = role(other).is_some_and(|role| STABLE.contains(&role));
    stable && without_role(&other.selector).eq(without_role(&canary.selector))
}

/// Behind one Service its weight is its share of the pods; behind one each, what routes to them tells it. `None` where
/// nothing joins the two, or there is no pod of it.
pub fn canary<'a>(
    (canary, stable): (&Workload, &Workload),
    services: impl Iterator<Item = &'a Service>,
    routes: impl Iterator<Item = &'a Route>,
) -> Option<Canary> {
    if canary.desired == 0 && canary.counts.total == 0 {
        return None;
    }
    let (mut of_canary, mut of_stable) = (None, None);
    for service in services {
        match (service.sends_to(canary), service.sends_to(stable)) {
            (true, true) => return Some(shared(canary, stable, &service.name)),
            (true, false) => of_canary = Some(&service.name),
            (false, true) => of_stable = Some(&service.name),
            (false, false) => {}
        }
    }
    let (of_canary, of_stable) = (of_canary?, of_stable?);
    let mut routes = routes.filter(|route| {
        let id = &canary.id;
        (&route.cluster, &route.namespace) == (&id.cluster, &id.namespace)
    });
    let found = routes.find_map(|route| Some((route, route.split(of_canary, of_stable)?)));
    let (route, (weight, whole)) = found?;
    Some(Canary {
        routed: route.accepted.then_some(weight),
        pair: Some(Box::new(Pair {
            service: of_canary.clone(),
            serve: None,
            by_endpoints: false,
            route: Some(Routed {
                route: Box::new(route.clone()),
                stable: of_stable.clone(),
            }),
        })),
        stable_in: Some(stable.id.name.clone()),
        ..Canary::by_pods(Provider::Pair, PausedBy::Step, (weight, whole))
    })
}

fn shared(canary: &Workload, stable: &Workload, service: &str) -> Canary {
    let (new, old) = (canary.desired, stable.desired);
    Canary {
        stable_in: Some(stable.id.name.clone()),
        pair: Some(Box::new(Pair {
            service: service.into(),
            serve: Some((canary.counts.available, stable.counts.available)),
            by_endpoints: false,
            route: None,
        })),
        ..Canary::by_pods(
            Provider::Pair,
            PausedBy::Step,
            (new, new.saturating_add(old)),
        )
    }
}

/// How many pods of the canary come nearest to this share of all, beside those of the stable one.
pub fn pods_for(percent: u32, stable: u32) -> Option<u32> {
    let rest = u64::from(100_u32.checked_sub(percent).filter(|rest| *rest > 0)?);
    let nearest = (u64::from(percent) * u64::from(stable) + rest / 2) / rest;
    let least = u64::from(percent > 0);
    u32::try_from(nearest.max(least)).ok()
}

fn named(workload: &Workload) -> Option<&str> {
    let label = workload.labels.get(LABEL);
    label.or_else(|| workload.id.name.strip_suffix(SUFFIX))
}

fn role(workload: &Workload) -> Option<&str> {
    let role = |key: &&str| {
        let own = workload.labels.get(key);
        own.or_else(|| value(&workload.selector, key))
    };
    ROLES.iter().find_map(role)
}

fn without_role(selector: &str) -> impl Iterator<Item = &str> {
    selector.split(',').filter(|pair| {
        let key = pair.split_once('=').map_or(*pair, |(key, _)| key);
        !ROLES.contains(&key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;

    fn one(name: &str, selector: &str) -> Workload {
        let mut one = workload(Kind::Deployment);
        (one.id.name, one.selector) = (name.into(), selector.into());
        one
    }

    fn service(selector: &[(&str, &str)]) -> Service {
        let id = workload(Kind::Deployment).id;
        Service {
            cluster: id.cluster,
            namespace: id.namespace,
            name: "checkout".into(),
            uid: "s".into(),
            selector: Labels::new(selector.iter().copied()),
        }
    }

    #[test]
    fn a_canary_is_told_by_its_label_its_name_or_its_role() {
        let stable = one("checkout", "app=checkout,track=stable");
        let others = [stable.clone(), one("cart", "app=cart,track=stable")];
        let of = |canary: &Workload| {
            assert!(is_called(canary), "{}", canary.id);
            stable_of(canary, others.iter()).map(|found| found.id.name.to_string())
        };
        let by_name = one("checkout-canary", "app=checkout,track=canary");
        assert_eq!(of(&by_name).as_deref(), Some("checkout"));
        let by_role = one("checkout-next", "app=checkout,track=canary");
        assert_eq!(of(&by_role).as_deref(), Some("checkout"));
        let mut by_label = one("next", "app=next");
        by_label.labels = Labels::new([(LABEL, "cart")]);
        assert_eq!(of(&by_label).as_deref(), Some("cart"));
        let alone = one("search-canary", "app=search");
        assert_eq!(of(&alone), None);
        let same = one("checkout-canary", "app=checkout,track=stable");
        assert_eq!(of(&same), None, "one selector for both");
        assert!(!is_called(&stable));
        let mut other = one("checkout-canary", "app=x");
        other.id.kind = Kind::StatefulSet;
        assert!(!is_called(&other));
    }

    #[test]
    fn a_service_sends_to_those_whose_selector_repeats_its_own() {
        let shared = service(&[("app", "checkout")]);
        assert!(shared.sends_to(&one("a", "app=checkout,track=canary")));
        assert!(!shared.sends_to(&one("a", "app=cart")));
        assert!(!service(&[]).sends_to(&one("a", "app=checkout")));
        assert!(
            !service(&[("app", "checkout"), ("track", "stable")])
                .sends_to(&one("a", "app=checkout,track=canary"))
        );
    }

    #[test]
    fn its_weight_is_its_share_of_the_pods() {
        let stable = one("checkout", "app=checkout,track=stable");
        let mut next = one("checkout-canary", "app=checkout,track=canary");
        (next.desired, next.counts.available) = (2, 1);
        let of = |next: &Workload| {
            let services = [service(&[("app", "checkout")])];
            canary((next, &stable), services.iter(), [].iter())
        };
        let found = of(&next).unwrap();
        assert_eq!((found.set, found.whole), (2, 8));
        assert!(found.is_partial() && !found.is_promoted() && !found.is_within());
        assert_eq!(found.pair.unwrap().serve, Some((1, 6)));
        (next.desired, next.counts.total) = (0, 0);
        assert_eq!(of(&next), None);
        for (percent, want) in [
            (20, Some(2)),
            (1, Some(1)),
            (50, Some(8)),
            (0, Some(0)),
            (100, None),
        ] {
            assert_eq!(pods_for(percent, 8), want, "{percent}");
        }
    }
}
