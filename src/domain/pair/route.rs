//! Weights of a pair in what routes to it: an `HTTPRoute` with both Services, or an Ingress that nginx takes as a canary.

use crate::domain::{ClusterId, Uid};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub uid: Uid,
    pub kind: RouteKind,
    /// The controller that owns it and writes its weights, in words.
    pub owner: Option<Box<str>>,
    /// Where each of its rules sends, in the order of the object.
    pub rules: Box<[Box<[Backend]>]>,
    /// Its router has taken it as it stands. Of an Ingress nobody says that.
    pub accepted: bool,
    /// What an Ingress for a canary gets, as it is written, and of how much.
    pub annotated: Option<(Box<str>, u32)>,
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
    /// What the canary's Service gets, and of how much, where the route tells them apart.
    pub fn split(&self, canary: &str, stable: &str) -> Option<(u32, u32)> {
        match self.kind {
            RouteKind::HttpRoute => {
                let (rule, at, beside) = self.places(canary, stable).next()?;
                let weight = |at: usize| self.rules[rule][at].weight.unwrap_or(1);
                let rest = weight(beside);
                Some((weight(at), weight(at).saturating_add(rest)))
            }
            RouteKind::Ingress => {
                let (written, whole) = self.annotated.as_ref()?;
                let mut all = self.rules.iter().flatten();
                all.any(|backend| *backend.service == *canary)
                    .then(|| Some((written.parse().ok()?, *whole)))?
            }
        }
    }

    /// The rules that send to both: the number of the rule, and of each of the two in it.
    pub fn places(
        &self,
        canary: &str,
        stable: &str,
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let rules = self.rules.iter().enumerate();
        rules.filter_map(move |(rule, backends)| {
            let of = |name: &str| backends.iter().position(|one| *one.service == *name);
            Some((rule, of(canary)?, of(stable)?))
        })
    }
}
