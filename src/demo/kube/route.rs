//! From a path to what it names, and whether the user may do that with it.

use http::Method;

use super::kind::{Kind, PODS};
use super::object::Key;
use super::query::decode;
use super::refusal::Refusal;

/// One of the users that the server knows: each has a port of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub rights: Rights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    All,
    /// Gets, lists, watches, and asks for its own rights.
    Read,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A kind, in one namespace or in all.
    Collection(&'static Kind, Option<String>),
    Object(Key, Sub),
    /// Anything else, to be looked up as a whole.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sub {
    None,
    Status,
    Scale,
    Log,
    Eviction,
}

impl Sub {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Log => "log",
            Self::Eviction => "eviction",
        }
    }
}

/// `None` when the path names a resource that there is not.
pub fn route(path: &str) -> Option<Route> {
    let parts: Vec<_> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| decode(part, false))
        .collect();
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    match &*parts {
        ["api", version, rest @ ..] if !rest.is_empty() => resource("", version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() && !is_review(group) => {
            resource(group, version, rest)
        }
        _ => Some(Route::Other),
    }
}

fn is_review(group: &str) -> bool {
    matches!(group, "authorization.k8s.io" | "authentication.k8s.io")
}

fn resource(group: &str, version: &str, rest: &[&str]) -> Option<Route> {
    let find = |plural: &str| Kind::find(group, version, plural);
    if let ["namespaces", namespace, plural, rest @ ..] = rest
        && let Some(kind) = find(plural).filter(|kind| kind.namespaced)
    {
        return within(kind, Some(namespace), rest);
    }
    let (plural, rest) = rest.split_first()?;
    let kind = find(plural)?;
    if kind.namespaced && !rest.is_empty() {
        return None;
    }
    within(kind, None, rest)
}

fn within(kind: &'static Kind, namespace: Option<&str>, rest: &[&str]) -> Option<Route> {
    match rest {
        [] => Some(Route::Collection(kind, namespace.map(str::to_owned))),
        [name, sub @ ..] => {
            let sub = match sub {
                [] => Sub::None,
                ["status"] if kind.status => Sub::Status,
                ["scale"] if kind.scale => Sub::Scale,
                ["log"] if kind == &PODS => Sub::Log,
                ["eviction"] if kind == &PODS => Sub::Eviction,
                _ => return None,
            };
            let key = Key::new(kind, namespace.unwrap_or_default(), name);
            Some(Route::Object(key, sub))
        }
    }
}

/// What the rights of roles call it.
pub fn verb(method: &Method, route: &Route, watch: bool) -> &'static str {
    let collection = matches!(route, Route::Collection(..));
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if collection => "deletecollection",
        Method::DELETE => "delete",
        _ if collection && watch => "watch",
        _ if collection => "list",
        _ => "get",
    }
}

pub fn may(user: &User, verb: &str) -> bool {
    user.rights == Rights::All || matches!(verb, "get" | "list" | "watch")
}

/// Refuses what the user may not do, in the server's words.
pub fn authorize(user: &User, verb: &str, route: &Route) -> Result<(), Refusal> {
    if may(user, verb) {
        return Ok(());
    }
    let (key, sub) = match route {
        Route::Collection(kind, namespace) => {
            let namespace = namespace.as_deref().unwrap_or_default();
            (Key::new(kind, namespace, ""), Sub::None)
        }
        Route::Object(key, sub) => (key.clone(), *sub),
        Route::Other => return Ok(()),
    };
    let (kind, name) = (key.kind, &user.name);
    let resource = match sub {
        Sub::None => kind.plural.to_owned(),
        sub => format!("{}/{}", kind.plural, sub.name()),
    };
    let place = match &*key.namespace {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let group = kind.group;
    let why = format!(
        "User \"{name}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {place}"
    );
    Err(Refusal::Forbidden(key, why))
}

#[cfg(test)]
mod tests {
    use super::super::kind::{DEPLOYMENTS, NAMESPACES};
    use super::*;

    #[test]
    fn paths_name_collections_and_objects() {
        let collection = |kind, namespace: Option<&str>| {
            Some(Route::Collection(kind, namespace.map(str::to_owned)))
        };
        let object = |kind, namespace: &str, name: &str, sub| {
            Some(Route::Object(Key::new(kind, namespace, name), sub))
        };
        for (path, want) in [
            ("/api/v1/pods", collection(&PODS, None)),
            ("/api/v1/namespaces", collection(&NAMESPACES, None)),
            (
                "/api/v1/namespaces/shop/pods",
                collection(&PODS, Some("shop")),
            ),
            (
                "/api/v1/namespaces/shop",
                object(&NAMESPACES, "", "shop", Sub::None),
            ),
            (
                "/api/v1/namespaces/shop/status",
                object(&NAMESPACES, "", "shop", Sub::Status),
            ),
            (
                "/api/v1/namespaces/shop/pods/web-1/log",
                object(&PODS, "shop", "web-1", Sub::Log),
            ),
            (
                "/apis/apps/v1/namespaces/shop/deployments/a%2Fb/scale",
                object(&DEPLOYMENTS, "shop", "a/b", Sub::Scale),
            ),
            ("/apis/apps/v1/deployments/web", None),
            ("/apis/apps/v2/deployments", None),
            ("/api/v1/namespaces/shop/nopes", None),
            ("/api/v1/namespaces/shop/configmaps/a/scale", None),
            ("/version", Some(Route::Other)),
            ("/apis/apps/v1", Some(Route::Other)),
        ] {
            assert_eq!(route(path), want, "{path}");
        }
    }

    #[test]
    fn a_reader_only_reads() {
        let user = User {
            name: "reader".into(),
            rights: Rights::Read,
        };
        let asked = |method, path: &str| {
            let route = route(path).unwrap();
            authorize(&user, verb(&method, &route, false), &route)
        };
        assert_eq!(asked(Method::GET, "/api/v1/pods"), Ok(()));
        for (method, path, want) in [
            (
                Method::POST,
                "/api/v1/namespaces/shop/pods",
                r#"pods is forbidden: User "reader" cannot create resource "pods" in API group "" in the namespace "shop""#,
            ),
            (
                Method::PATCH,
                "/apis/apps/v1/namespaces/shop/deployments/web/scale",
                r#"deployments.apps "web" is forbidden: User "reader" cannot patch resource "deployments/scale" in API group "apps" in the namespace "shop""#,
            ),
            (
                Method::DELETE,
                "/api/v1/nodes/x",
                r#"nodes "x" is forbidden: User "reader" cannot delete resource "nodes" in API group "" at the cluster scope"#,
            ),
        ] {
            let refusal = asked(method, path).unwrap_err();
            assert_eq!(refusal.status()["message"], want);
        }
    }
}
