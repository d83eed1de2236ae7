//! Who a cluster is and who we are there. Each answer may be denied alone.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::time::timeout;

use super::client::{Answer, Cluster, Review};
use super::error::Error;
use crate::domain::{Identity, PinnedBy};

/// What has not answered by then is unknown: nothing waits for a name.
const BUDGET: Duration = Duration::from_secs(3);
const UNKNOWN: &str = "unknown";

/// What is known before the cluster was asked anything.
pub fn at_first(cluster: &Cluster) -> Identity {
    Identity {
        server: cluster.server().into(),
        version: UNKNOWN.into(),
        pinned: PinnedBy::AddressAndCa(address_and_ca(cluster).into()),
        user: None,
        namespace: cluster.default_namespace().map(Into::into),
    }
}

/// Asks version, kube-system and user name at the same time, 3 s each. What is denied or late is left out, and
/// the pin then rests on address and certificate authority.
///
/// # Errors
/// Only when the server answered none of the three: the first reason why.
pub async fn identify(cluster: &Cluster) -> Result<Identity, Error> {
    // Boxed: three requests at a time are a future of 47 kB.
    let asking = Box::pin(async {
        futures::join!(
            within(cluster.get("/version")),
            within(cluster.get("/api/v1/namespaces/kube-system")),
            within(cluster.review(Review::User, USER_REVIEW)),
        )
    });
    let (version, system, user) = asking.await;
    if let (Err(why), Err(_), Err(_)) = (&version, &system, &user)
        && !matches!(why, Error::Forbidden { .. } | Error::NotFound { .. })
    {
        return Err(why.clone());
    }
    let version = version.ok().and_then(|body| read::<Version>(&body));
    let uid = system.ok().and_then(|body| read::<Object>(&body));
    let user = user.ok().and_then(|body| read::<UserReview>(&body));
    let first = at_first(cluster);
    Ok(Identity {
        version: version.map_or(first.version, |version| version.git_version),
        pinned: uid.map_or(first.pinned, |object| {
            PinnedBy::KubeSystem(object.metadata.uid)
        }),
        user: user.map(|review| review.status.user_info.username),
        ..first
    })
}

async fn within(ask: impl Future<Output = Result<Answer, Error>>) -> Result<Bytes, Error> {
    match timeout(BUDGET, ask).await {
        Ok(answer) => answer.map(|answer| answer.body),
        Err(_) => Err(Error::Timeout {
            about: "ask who the cluster is".into(),
            after_send: true,
            limit: BUDGET,
        }),
    }
}

/// `https://10.0.0.1:6443 1f2e3d4c`; without a certificate authority of its own the address alone.
fn address_and_ca(cluster: &Cluster) -> String {
    let ca = &cluster.inner.ca;
    if ca.is_empty() {
        return cluster.server().to_owned();
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, ca);
    let short = digest.as_ref()[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"));
    format!("{} {}", cluster.server(), short.collect::<String>())
}

fn read<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Option<T> {
    serde_json::from_slice(body).ok()
}

const USER_REVIEW: &str = r#"{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}"#;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: Box<str>,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    uid: Box<str>,
}

#[derive(Deserialize)]
struct UserReview {
    status: ReviewStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewStatus {
    user_info: UserInfo,
}

#[derive(Deserialize)]
struct UserInfo {
    username: Box<str>,
}
