//! What one may do here: permissions and namespaces.

use serde::Deserialize;

use super::client::{Cluster, Review};
use super::error::Error;
use super::path::{self, Resource};

/// One right, in the words of RBAC. `None` is every namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right<'a> {
    pub verb: &'a str,
    pub group: &'a str,
    pub resource: &'a str,
    /// Empty: the resource itself.
    pub subresource: &'a str,
    pub namespace: Option<&'a str>,
}

/// The server's own view, by `SelfSubjectAccessReview`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    Allowed,
    /// With the authorizer's reason, which is often empty.
    Denied(String),
    /// An authorizer could not tell: why.
    Unknown(String),
}

/// Asks for one right. A server that does not let one ask is an `Err`, which is not a denial.
pub async fn permission(cluster: &Cluster, right: Right<'_>) -> Result<Permission, Error> {
    permission_on(cluster, right, "").await
}

/// The same for one object: a role may name the objects that it speaks of.
pub async fn permission_on(
    cluster: &Cluster,
    right: Right<'_>,
    name: &str,
) -> Result<Permission, Error> {
    let body = serde_json::json!({
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"resourceAttributes": {
            "verb": right.verb,
            "group": right.group,
            "resource": right.resource,
            "subresource": right.subresource,
            "namespace": right.namespace.unwrap_or(""),
            "name": name,
        }},
    });
    let answer = cluster.review(Review::Access, &body.to_string()).await?;
    let review: AccessReview = read(&answer.body, "ask for a permission")?;
    Ok(review.status.into())
}

/// The names of all namespaces, sorted. Who may not list them gets the 403.
pub async fn namespaces(cluster: &Cluster) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let query = [("limit", "500"), ("continue", token.as_str())];
        let asked = if token.is_empty() {
            &query[..1]
        } else {
            &query
        };
        let answer = cluster
            .list(&path::collection(Resource::Namespaces, None, asked))
            .await?;
        let page: List = read(&answer.body, "list namespaces")?;
        names.extend(page.items.into_iter().map(|item| item.metadata.name));
        token = page.metadata.token;
        if token.is_empty() {
            names.sort_unstable();
            return Ok(names);
        }
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], about: &str) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Unusable {
        about: about.to_owned(),
        status: 200,
        message: format!("the answer cannot be read: {error}"),
    })
}

#[derive(Deserialize)]
struct AccessReview {
    status: AccessStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct AccessStatus {
    allowed: bool,
    denied: bool,
    reason: String,
    evaluation_error: String,
}

impl From<AccessStatus> for Permission {
    fn from(status: AccessStatus) -> Self {
        if status.allowed {
            Self::Allowed
        } else if !status.denied && !status.evaluation_error.is_empty() {
            Self::Unknown(status.evaluation_error)
        } else {
            Self::Denied(status.reason)
        }
    }
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    metadata: ListMetadata,
    items: Vec<Item>,
}

#[derive(Deserialize, Default)]
struct ListMetadata {
    #[serde(rename = "continue", default)]
    token: String,
}

#[derive(Deserialize)]
struct Item {
    metadata: ItemMetadata,
}

#[derive(Deserialize)]
struct ItemMetadata {
    name: String,
}
