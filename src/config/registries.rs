//! Image registries that need more than their name: an authority of their own, or another address from here.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Proxy;

/// One registry as it is written in the file. Logins are those of docker and of the workloads' pull secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Registry {
    /// As images name it: `registry.example:5000`.
    pub host: String,
    /// Where it is reached from here, when that is not its name.
    #[serde(default)]
    pub address: Option<String>,
    /// PEM file of an authority that is trusted beside those of the system.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl Registry {
    /// # Errors
    /// What is wrong with it, and the fix.
    pub fn check(&self) -> Result<(), String> {
        named("host", &self.host)?;
        self.address
            .as_deref()
            .map_or(Ok(()), |a| named("address", a))
    }
}

fn named(key: &str, name: &str) -> Result<(), String> {
    if name.contains("://") {
        return Err(format!("{key}: write it without {}://", scheme(name)));
    }
    if name.contains('@') {
        return Err(format!(
            "{key}: a login has no place in it: docker login keeps it"
        ));
    }
    let strange = |c: char| !c.is_ascii_alphanumeric() && !"._-:[]".contains(c);
    if name.is_empty() || name.contains(strange) {
        return Err(format!(
            "{key}: {name:?} is no host, or host:port, without a path"
        ));
    }
    Ok(())
}

fn scheme(name: &str) -> &str {
    name.split_once("://").map_or("", |(scheme, _)| scheme)
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registries {
    pub known: Vec<Registry>,
    /// `$DOCKER_CONFIG`, else `~/.docker`: where docker keeps its logins.
    pub docker_config: Option<PathBuf>,
    pub proxy: Proxy,
    /// The images of past revisions are looked for while nobody asks.
    pub verify: bool,
}
