//! Whether the registries have the images. The workload's own logins are read only when a registry wants one.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::{LIMIT, unread};
use crate::domain::Presence;
use crate::plan::check::image::{self, Pulled};
use crate::plan::{Plan, Verdict};
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error};
use crate::sources::registry::{PullSecret, Registries};

/// Of one service account.
const MOST_SECRETS: usize = 10;

/// Each image alone; what is late stays unverified.
pub async fn ask(
    cluster: Cluster,
    plan: Arc<Plan>,
    registries: Registries,
    pulled: Pulled,
) -> Verdict {
    let namespace = &plan.workload.namespace;
    let logins = Logins {
        cluster: &cluster,
        namespace,
        pulled: &pulled,
        read: OnceCell::new(),
    };
    let (registries, logins) = (&registries, &logins);
    let looks = pulled.images.iter().map(|image| async move {
        let found = timeout(LIMIT, look(registries, image, logins)).await;
        let late = || Presence::Unverified(format!("{image}: no answer within 10s"));
        (image.clone(), found.unwrap_or_else(|_| late()))
    });
    image::verdict(&join_all(looks).await)
}

async fn look(registries: &Registries, image: &str, logins: &Logins<'_>) -> Presence {
    let refused = match registries.look(image, &[]).await {
        Ok(presence) => return presence,
        Err(error) if error.needs_login() => error,
        Err(error) => return Presence::Unverified(error.to_string()),
    };
    let (secrets, unread) = logins.read.get_or_init(|| logins.secrets()).await;
    if secrets.is_empty() {
        let words = unread.iter().map(|why| format!("; {why}"));
        return Presence::Unverified(format!("{refused}{}", words.collect::<String>()));
    }
    registries.presence(image, secrets).await
}

/// The logins of the workload: read once for all its images, and only when they are needed.
struct Logins<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    pulled: &'a Pulled,
    read: OnceCell<(Vec<PullSecret>, Option<String>)>,
}

impl Logins<'_> {
    /// Those that may be read, and why another may not.
    async fn secrets(&self) -> (Vec<PullSecret>, Option<String>) {
        let mut names = self.pulled.secrets.clone();
        let mut unknown = None;
        if names.is_empty() {
            match self.of_account().await {
                Ok(found) => names = found,
                Err(why) => unknown = Some(why),
            }
        }
        names.truncate(MOST_SECRETS);
        let read = join_all(names.iter().map(|name| self.secret(name))).await;
        let mut secrets = Vec::new();
        for one in read {
            match one {
                Ok(secret) => secrets.extend(secret),
                Err(why) => unknown = Some(why),
            }
        }
        (secrets, unknown)
    }

    async fn of_account(&self) -> Result<Vec<Box<str>>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Account {
            #[serde(default)]
            image_pull_secrets: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: Box<str>,
        }
        let account = &self.pulled.account;
        let label = format!("ServiceAccount {account}");
        let account: Option<Account> = self
            .object((Resource::ServiceAccounts, account), &label)
            .await?;
        let named = account.into_iter().flat_map(|a| a.image_pull_secrets);
        Ok(named.map(|secret| secret.name).collect())
    }

    async fn secret(&self, name: &str) -> Result<Option<PullSecret>, String> {
        #[derive(Deserialize)]
        struct Secret {
            data: Option<HashMap<Box<str>, Box<str>>>,
        }
        let label = format!("pull secret {name}");
        let secret: Option<Secret> = self.object((Resource::Secrets, name), &label).await?;
        let data = secret.and_then(|secret| secret.data).unwrap_or_default();
        let bytes = |key: &str| STANDARD.decode(data.get(key)?.as_bytes()).ok();
        let json = bytes(".dockerconfigjson").map(|b| PullSecret::DockerConfigJson(b.into()));
        let old = || bytes(".dockercfg").map(|b| PullSecret::DockerCfg(b.into()));
        Ok(json.or_else(old))
    }

    /// `None` when it is not there. No word of what it holds comes into an error.
    async fn object<T: DeserializeOwned>(
        &self,
        (resource, name): (Resource, &str),
        label: &str,
    ) -> Result<Option<T>, String> {
        let place = path::object(resource, self.namespace, name);
        match self.cluster.get(&place).await {
            Ok(answer) => {
                let read = serde_json::from_slice(&answer.body);
                read.map(Some)
                    .map_err(|_| format!("{label} cannot be read"))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unread(label, &error)),
        }
    }
}
