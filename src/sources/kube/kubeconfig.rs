//! The kubeconfig: which files count, which context, and what kube needs to connect with it.

use std::io;
use std::path::{Path, PathBuf};

use futures::FutureExt;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError, LoadDataError};

use super::credential;
use super::error::Error;
use super::proxy;
use crate::config::Connection;

/// The id of the cluster that a pod runs in.
const IN_CLUSTER: &str = "in-cluster";

/// All that is needed to log in and connect.
pub struct Access {
    pub context: String,
    pub in_cluster: bool,
    /// The namespace that the context names.
    pub namespace: Option<String>,
    /// The name of the kubeconfig's user entry.
    pub user: String,
    pub config: kube::Config,
}

impl Access {
    /// What a person does to log in again.
    pub fn login_hint(&self) -> String {
        credential::hint(&self.config, &self.context, &self.user)
    }
}

/// Reads the files that are there, in their order, the first to say something wins. Without any, the service
/// account of the pod. Blocks on files.
pub fn load(connection: &Connection) -> Result<Access, Error> {
    let (merged, files) = read(connection)?;
    match merged {
        Some(kubeconfig) => choose(&kubeconfig, connection, &files),
        None => in_cluster(connection),
    }
}

/// The names of the contexts, in the order of the files, and the current one.
pub fn contexts(connection: &Connection) -> Result<(Vec<String>, Option<String>), Error> {
    let kubeconfig = read(connection)?.0.unwrap_or_default();
    Ok((names(&kubeconfig), kubeconfig.current_context))
}

/// A client that could not be built: certificates and keys that are none.
pub fn unusable(error: &kube::Error) -> Error {
    plain(format!(
        "the kubeconfig cannot be used: {}",
        super::status::innermost(error)
    ))
}

/// The merged files, `None` when none has a context, and the names of those read.
fn read(connection: &Connection) -> Result<(Option<Kubeconfig>, String), Error> {
    let files: &[PathBuf] = match &connection.kubeconfig {
        Some(file) => std::slice::from_ref(file),
        None => &connection.search,
    };
    let mut merged = Kubeconfig::default();
    let mut read = Vec::new();
    for file in files {
        let next = match Kubeconfig::read_from(file) {
            // Like kubectl: files of a list may be missing, one that was named may not.
            Err(KubeconfigError::ReadConfig(why, _))
                if why.kind() == io::ErrorKind::NotFound && connection.kubeconfig.is_none() =>
            {
                continue;
            }
            other => other.map_err(|error| in_file(file, &error))?,
        };
        merged = merged.merge(next).map_err(|error| in_file(file, &error))?;
        read.push(file.display().to_string());
    }
    let named = connection.kubeconfig.is_some() || connection.context.is_some();
    let usable = !merged.contexts.is_empty() || (named && !read.is_empty());
    Ok((usable.then_some(merged), read.join(", ")))
}

fn choose(kubeconfig: &Kubeconfig, connection: &Connection, files: &str) -> Result<Access, Error> {
    let names = names(kubeconfig);
    let name = connection
        .context
        .as_ref()
        .or(kubeconfig.current_context.as_ref())
        .filter(|name| !name.is_empty());
    let Some(name) = name else {
        let sentence = format!("{files}: there is no current context");
        return Err(pick_one(sentence, &names));
    };
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| &context.name == name);
    let Some(context) = context.and_then(|context| context.context.as_ref()) else {
        let sentence = format!("{files}: there is no context named {name}");
        return Err(pick_one(sentence, &names));
    };
    let options = KubeConfigOptions {
        context: Some(name.clone()),
        ..KubeConfigOptions::default()
    };
    // It awaits nothing, so it is ready at once.
    let config = kube::Config::from_custom_kubeconfig(kubeconfig.clone(), &options)
        .now_or_never()
        .ok_or_else(|| plain("the kubeconfig was not read".into()))?
        .map_err(|error| in_context(files, name, &error))?;
    let explicit = kubeconfig
        .clusters
        .iter()
        .find(|cluster| cluster.name == context.cluster)
        .and_then(|named| named.cluster.as_ref()?.proxy_url.clone());
    Ok(Access {
        context: name.clone(),
        in_cluster: false,
        namespace: context.namespace.clone().filter(|name| !name.is_empty()),
        user: context.user.clone().unwrap_or_default(),
        config: through_proxy(config, explicit.as_deref(), connection)?,
    })
}

/// kube 5.0 compares `NO_PROXY` with the proxy instead of the cluster, so its choice is replaced by ours.
fn through_proxy(
    mut config: kube::Config,
    explicit: Option<&str>,
    connection: &Connection,
) -> Result<kube::Config, Error> {
    let chosen = proxy::choose(&config.cluster_url, explicit, &connection.proxy);
    // A proxy's address may hold a password, so it is not repeated.
    let refused = || {
        plain("the proxy for this cluster (proxy-url, HTTPS_PROXY) is not an http, https or socks5 address".into())
    };
    config.proxy_url = match chosen {
        None => None,
        Some(text) => {
            let uri: http::Uri = text.parse().map_err(|_| refused())?;
            let known = ["http", "https", "socks5"];
            if !uri
                .scheme_str()
                .is_some_and(|scheme| known.contains(&scheme))
            {
                return Err(refused());
            }
            Some(uri)
        }
    };
    Ok(config)
}

fn in_cluster(connection: &Connection) -> Result<Access, Error> {
    let mut looked: Vec<_> = connection
        .kubeconfig
        .iter()
        .chain(&connection.search)
        .map(|file| {
            let what = if file.exists() {
                "has no context"
            } else {
                "not found"
            };
            format!("kubeconfig  {}  {what}", file.display())
        })
        .collect();
    if !connection.in_cluster {
        looked.push("in-cluster  no service account here".into());
        return Err(Error::NoCluster { looked });
    }
    let config = kube::Config::incluster_env().map_err(|error| {
        looked.push(format!("in-cluster  {error}"));
        Error::NoCluster { looked }
    })?;
    Ok(Access {
        context: IN_CLUSTER.into(),
        in_cluster: true,
        namespace: Some(config.default_namespace.clone()),
        user: "service account".into(),
        config,
    })
}

fn names(kubeconfig: &Kubeconfig) -> Vec<String> {
    let contexts = kubeconfig.contexts.iter();
    contexts.map(|context| context.name.clone()).collect()
}

fn pick_one(sentence: String, names: &[String]) -> Error {
    let hint = if names.is_empty() {
        "it holds no context".to_owned()
    } else {
        format!("choose one with --context: {}", names.join(", "))
    };
    Error::Kubeconfig {
        sentence,
        hints: vec![hint],
    }
}

fn plain(sentence: String) -> Error {
    Error::Kubeconfig {
        sentence,
        hints: Vec::new(),
    }
}

/// The parser's own text shows a piece of the file, in which there may be a secret; only the place is kept.
fn in_file(file: &Path, error: &KubeconfigError) -> Error {
    let file = file.display();
    plain(match error {
        KubeconfigError::ReadConfig(why, _) => {
            format!("kubeconfig {file} cannot be read: {}", reason(why))
        }
        KubeconfigError::Parse(why) => match why.location() {
            Some(at) => {
                let (line, column) = (at.line(), at.column());
                format!("kubeconfig {file}, line {line}, column {column}: this is not a kubeconfig")
            }
            None => format!("kubeconfig {file}: this is not a kubeconfig"),
        },
        other => format!("kubeconfig {file}: {other}"),
    })
}

fn in_context(files: &str, context: &str, error: &KubeconfigError) -> Error {
    let what = match error {
        KubeconfigError::LoadClusterOfContext(cluster) => {
            format!("its cluster {cluster} is not in the file")
        }
        KubeconfigError::MissingClusterUrl => "its cluster has no server".into(),
        KubeconfigError::ParseClusterUrl(why) => format!("the server's address is none: {why}"),
        KubeconfigError::LoadCertificateAuthority(LoadDataError::ReadFile(why, file)) => {
            let file = file.display();
            format!(
                "the certificate authority {file} cannot be read: {}",
                reason(why)
            )
        }
        KubeconfigError::LoadCertificateAuthority(_) | KubeconfigError::ParseCertificates(_) => {
            "its certificate authority is not a certificate".into()
        }
        KubeconfigError::ParseProxyUrl(_) => "the proxy's address is none".into(),
        KubeconfigError::ParseNoProxy(_) => "NO_PROXY cannot be read".into(),
        other => other.to_string(),
    };
    plain(format!("{files}, context {context}: {what}"))
}

fn reason(why: &io::Error) -> String {
    let text = why.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}
