//! Weights of a pair in what routes to it: an `HTTPRoute` with both Services, or an Ingress that nginx takes as a canary.

use crate::domain::{ClusterId, Manager, Uid};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub uid: Uid,
    pub kind: RouteKind,
    /// The controller that owns it and writes its weights, in words.
    pub owner: Option<Box<str>>,
    /// Who keeps it as git or a chart has it.
    pub manager: Option<Manager>,
    /// Where each of its rules sends, in the order of the object.
    pub rules: Box<[Box<[Backend]>]>,
    /// Its router has taken it as it stands. Of an Ingress nobody says that.
    pub accepted: bool,
    /// Of an Ingress for a canary.
    pub annotated: Option<Annotated>,
}

/// What an Ingress for a canary says of its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotated {
    /// The weight as it is written; without one it gets none of the rest.
    pub weight: Option<Box<str>>,
    pub whole: u32,
    /// The header or cookie that sends to it whatever the weight is: `header x-canary`.
    pub also: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteKind {
    /// Of the Gateway API.
    HttpRoute,
    Ingress,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    pub service: Box<str>,
    /// As it is written; without one it counts as 1.
    pub weight: Option<u32>,
}

impl RouteKind {
    pub const ALL: [Self; 2] = [Self::HttpRoute, Self::Ingress];

    pub fn api(self) -> &'static str {
        match self {
            Self::HttpRoute => "gateway.networking.k8s.io/v1",
            Self::Ingress => "networking.k8s.io/v1",
        }
    }

    pub fn group(self) -> &'static str {
        let api = self.api();
        api.split_once('/').map_or(api, |(group, _)| group)
    }

    pub fn plural(self) -> &'static str {
        match self {
            Self::HttpRoute => "httproutes",
            Self::Ingress => "ingresses",
        }
    }

    /// `httproute/checkout`.
    pub fn short(self) -> &'static str {
        match self {
            Self::HttpRoute => "httproute",
            Self::Ingress => "ingress",
        }
    }
}

impl Route {
    /// What the canary's Service gets, and of how much, where the route tells them apart; of several rules the most.
    pub fn split(&self, canary: &str, stable: &str) -> Option<(u32, u32)> {
        match self.kind {
            RouteKind::HttpRoute => {
                let part =
                    |(new, all): &(u32, u32)| u64::from(*new) * 1_000_000 / u64::from(*all).max(1);
                self.shares(canary, stable).max_by_key(part)
            }
            RouteKind::Ingress => {
                let Annotated { weight, whole, .. } = self.annotated.as_ref()?;
                let mut all = self.rules.iter().flatten();
                let sends = all.any(|backend| *backend.service == *canary);
                let weight = weight.as_ref().map_or(Some(0), |text| text.parse().ok());
                Some((weight.filter(|_| sends)?, *whole))
            }
        }
    }

    /// The same of each rule that sends to both. What a third one gets of it is of the whole.
    pub fn shares(&self, canary: &str, stable: &str) -> impl Iterator<Item = (u32, u32)> {
        self.places(canary, stable).map(|(rule, at, _)| {
            let backends = &self.rules[rule];
            let all = backends.iter().map(Backend::share);
            (backends[at].share(), all.fold(0, u32::saturating_add))
        })
    }

    /// A third Service that gets something of a rule which sends to both.
    pub fn third(&self, canary: &str, stable: &str) -> Option<&str> {
        let rules = self.places(canary, stable).map(|(rule, ..)| rule);
        let mut backends = rules.flat_map(|rule| &self.rules[rule]);
        let third = backends
            .find(|one| one.share() > 0 && *one.service != *canary && *one.service != *stable);
        third.map(|one| &*one.service)
    }

    /// What comes to the canary whatever its weight is: `header x-canary`, `rule 2`.
    pub fn also(&self, canary: &str, stable: &str) -> Option<String> {
        if let Some(annotated) = &self.annotated {
            return annotated.also.as_deref().map(ToOwned::to_owned);
        }
        let mut rules = self.rules.iter().enumerate();
        let alone = rules.find(|(_, backends)| {
            let sends = |name: &str| {
                let mut backends = backends.iter();
                backends.any(|one| *one.service == *name && one.share() > 0)
            };
            let both = backends.iter().any(|one| *one.service == *stable);
            sends(canary) && !both
        });
        alone.map(|(rule, _)| format!("rule {}", rule + 1))
    }

    /// The rules that send to both by weight: the number of the rule, and of each of the two in it.
    pub fn places(
        &self,
        canary: &str,
        stable: &str,
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let weighs = self.kind == RouteKind::HttpRoute;
        let rules = self.rules.iter().enumerate().filter(move |_| weighs);
        rules.filter_map(move |(rule, backends)| {
            let of = |name: &str| backends.iter().position(|one| *one.service == *name);
            Some((rule, of(canary)?, of(stable)?))
        })
    }

    /// `httproute/checkout`.
    pub fn called(&self) -> String {
        format!("{}/{}", self.kind.short(), self.name)
    }
}

impl Backend {
    fn share(&self) -> u32 {
        self.weight.unwrap_or(1)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ClusterId;

    /// Of each rule the Services and their weights.
    pub fn http(rules: &[&[(&str, u32)]]) -> Route {
        let backend = |(name, weight): &(&str, u32)| Backend {
            service: (*name).into(),
            weight: Some(*weight),
        };
        let rules = rules.iter().map(|rule| rule.iter().map(backend).collect());
        Route {
            cluster: ClusterId::from("prod-eu"),
            namespace: "shop".into(),
            name: "checkout".into(),
            uid: "r1".into(),
            kind: RouteKind::HttpRoute,
            owner: None,
            manager: None,
            rules: rules.collect(),
            accepted: false,
            annotated: None,
        }
    }

    const NEW: &str = "checkout-canary";
    const OLD: &str = "checkout";

    #[test]
    fn a_third_one_is_of_the_whole_and_of_several_rules_the_most_counts() {
        let route = http(&[&[(OLD, 60), (NEW, 20), ("other", 20)]]);
        assert_eq!(route.split(NEW, OLD), Some((20, 100)));
        assert_eq!(route.third(NEW, OLD), Some("other"));
        let parked = http(&[&[(OLD, 80), (NEW, 20), ("other", 0)]]);
        assert_eq!(parked.third(NEW, OLD), None, "it gets nothing");
        let two = http(&[
            &[("cart", 1)],
            &[(OLD, 9), (NEW, 1)],
            &[(OLD, 1), (NEW, 1)],
            &[(NEW, 1)],
        ]);
        assert_eq!(two.split(NEW, OLD), Some((1, 2)));
        assert_eq!(two.shares(NEW, OLD).collect::<Vec<_>>(), [(1, 10), (1, 2)]);
        assert_eq!(two.also(NEW, OLD).as_deref(), Some("rule 4"));
        assert_eq!(two.split("cart-canary", "cart"), None);
        assert_eq!(http(&[&[(OLD, 0), (NEW, 0)]]).split(NEW, OLD), Some((0, 0)));
    }

    #[test]
    fn an_ingress_may_send_by_more_than_its_weight() {
        let mut route = http(&[&[(NEW, 1)]]);
        route.kind = RouteKind::Ingress;
        assert_eq!(route.split(NEW, OLD), None, "none for a canary");
        let mut annotated = |weight: Option<&str>| {
            route.annotated = Some(Annotated {
                weight: weight.map(Into::into),
                whole: 100,
                also: Some("header x-canary".into()),
            });
            (route.split(NEW, OLD), route.also(NEW, OLD))
        };
        let also = || Some("header x-canary".to_owned());
        assert_eq!(annotated(Some("20")), (Some((20, 100)), also()));
        assert_eq!(annotated(None), (Some((0, 100)), also()));
        assert_eq!(annotated(Some("a fifth")), (None, also()));
    }
}
