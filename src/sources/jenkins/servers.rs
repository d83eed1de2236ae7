//! The servers of the settings, each connected when it is first asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::client::{Client, connect};
use super::error::Error;
use crate::config::{Config, Jenkins, Proxy, jenkins};
use crate::domain::build::JobId;

/// Cheap to clone; all clones share the connections.
#[derive(Clone, Default)]
pub struct Servers {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    settings: Vec<Jenkins>,
    proxy: Proxy,
    /// By their names; one that could not be had is tried again by who asks next.
    connected: BTreeMap<String, OnceCell<Client>>,
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.inner.connected.keys()).finish()
    }
}

impl Servers {
    pub fn new(config: &Config) -> Self {
        let names = config.jenkins.iter().map(|server| server.name().to_owned());
        let inner = Inner {
            settings: config.jenkins.clone(),
            proxy: config.connection.proxy.clone(),
            connected: names.map(|name| (name, OnceCell::new())).collect(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// They were made from these settings.
    pub fn are_of(&self, config: &Config) -> bool {
        self.inner.settings == config.jenkins && self.inner.proxy == config.connection.proxy
    }

    /// The job that builds a service.
    pub fn job_of(&self, annotated: Option<&str>, of: (&str, &str)) -> Option<JobId> {
        jenkins::job_of(&self.inner.settings, annotated, of)
    }

    /// # Errors
    /// It is none of the settings, or cannot be connected to now.
    pub async fn client(&self, name: &str) -> Result<Client, Error> {
        let mut settings = self.inner.settings.iter();
        let settings = settings.find(|server| server.name() == name);
        let connected = self.inner.connected.get(name);
        let (Some(settings), Some(connected)) = (settings, connected) else {
            return Err(Error::Setup {
                server: name.to_owned(),
                message: "the settings do not name it".into(),
            });
        };
        let connecting = || connect(settings, &self.inner.proxy);
        connected.get_or_try_init(connecting).await.cloned()
    }
}
