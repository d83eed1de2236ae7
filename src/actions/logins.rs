//! The logins that a workload pulls its images with, read only when a registry wants one.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::preflight::unread;
use crate::plan::check::image::Pulled;
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error};
use crate::sources::registry::{self, PullSecret};

/// Of one service account.
const MOST_SECRETS: usize = 10;

/// Read once for all its images.
pub struct Logins<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    pulled: &'a Pulled,
    read: OnceCell<(Vec<PullSecret>, Option<String>)>,
}

impl<'a> Logins<'a> {
    pub fn new(cluster: &'a Cluster, namespace: &'a str, pulled: &'a Pulled) -> Self {
        Self {
            cluster,
            namespace,
            pulled,
            read: OnceCell::new(),
        }
    }

    /// With docker's own login, and again with these when the registry said no to that.
    ///
    /// # Errors
    /// Why there is no answer, with the registry's own words.
    pub async fn ask<'s, T, F>(&'s self, ask: impl Fn(&'s [PullSecret]) -> F) -> Result<T, String>
    where
        F: Future<Output = Result<T, registry::Error>>,
    {
        let refused = match ask(&[]).await {
            Ok(answer) => return Ok(answer),
            Err(refused) => refused,
        };
        let secrets = self.after(&refused).await?;
        ask(secrets).await.map_err(|error| error.to_string())
    }

    /// What to ask again with.
    ///
    /// # Errors
    /// Another login would not help, or there is none.
    async fn after(&self, refused: &registry::Error) -> Result<&[PullSecret], String> {
        if !refused.needs_login() {
            return Err(refused.to_string());
        }
        let (secrets, unread) = self.read.get_or_init(|| self.secrets()).await;
        if secrets.is_empty() {
            let words = unread.iter().map(|why| format!("; {why}"));
            return Err(format!("{refused}{}", words.collect::<String>()));
        }
        Ok(secrets)
    }

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
