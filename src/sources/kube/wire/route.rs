//! An `HTTPRoute` of the Gateway API and an Ingress, as far as they tell where the traffic of a pair goes.

use serde::Deserialize;

use super::{Meta, Text, or_default};

#[derive(Debug, Default, Deserialize)]
pub struct HttpRoute<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: HttpRouteSpec<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: HttpRouteStatus<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct HttpRouteSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub rules: Vec<HttpRule<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRule<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub backend_refs: Vec<BackendRef<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct BackendRef<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
    pub weight: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct HttpRouteStatus<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub parents: Vec<RouteParent<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct RouteParent<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub conditions: Vec<RouteCondition<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteCondition<'a> {
    #[serde(borrow, rename = "type", default, deserialize_with = "or_default")]
    pub kind: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub status: Text<'a>,
    pub observed_generation: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Ingress<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub metadata: Meta<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub spec: IngressSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct IngressSpec<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub rules: Vec<IngressRule<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct IngressRule<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub http: IngressHttp<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct IngressHttp<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub paths: Vec<IngressPath<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct IngressPath<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub backend: IngressBackend<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct IngressBackend<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub service: IngressService<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub struct IngressService<'a> {
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub name: Text<'a>,
}
