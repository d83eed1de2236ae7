//! Settings: the YAML file, then the environment, then flags, into one `Config`.

pub mod builds;
mod display;
mod error;
mod explain;
mod file;
pub mod handover;
pub mod jenkins;
mod k9s;
mod layers;
mod notify;
pub mod prometheus;
mod registries;
pub mod repositories;
mod resolve;
pub mod secret;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::domain::{ClusterId, Environment, Hold};

pub use builds::{DockerEngine, FolderRule};
pub use display::{Column, Display, Theme};
pub use error::Error;
pub use explain::{Setting, explain};
pub use handover::Program;
pub use jenkins::Jenkins;
pub use layers::{Env, Overrides};
pub use notify::{Notify, Terminal};
pub use prometheus::Prometheus;
pub use registries::{Registries, Registry};
pub use repositories::Repository;
pub use resolve::load;

/// What is in force. Made at the start, and again when the file is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// The kubeconfig contexts on the board, in order. Empty: the current one.
    pub contexts: Vec<String>,
    /// Without a context.
    pub connection: Connection,
    pub namespaces: Namespaces,
    /// Nothing is ever sent but reads and self-reviews.
    pub readonly: bool,
    /// `--write`: protected environments start armed.
    pub armed_at_start: bool,
    /// `-c`: a command of the palette that runs at the start.
    pub command: Option<String>,
    pub environments: Vec<Environment>,
    /// Through which of them a version goes, one after the other; empty: through all, in their order.
    pub way: Vec<String>,
    /// The label of workloads whose value is what a service is called.
    pub service_label: Option<String>,
    pub holds: Vec<Hold>,
    pub display: Display,
    pub notify: Notify,
    /// Where images come from.
    pub registries: Registries,
    pub jenkins: Vec<Jenkins>,
    /// What measures canaries; the first that is about an environment counts.
    pub prometheus: Vec<Prometheus>,
    /// The first that is about a service counts.
    pub repositories: Vec<Repository>,
    /// The first that is about a service counts.
    pub builds: Vec<FolderRule>,
    /// Absent: there is none, and that of the machine is none of ours.
    pub docker: Option<DockerEngine>,
    /// Keys that differ from the default: intent name -> keys, as text.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Other names for commands of the palette: alias -> command.
    pub aliases: BTreeMap<String, String>,
    /// Where these settings were read from, and what outranked them: to read them again.
    pub file: Option<PathBuf>,
    pub overrides: Overrides,
    /// What the terminal can be handed to.
    pub programs: Vec<Program>,
    /// `$XDG_STATE_HOME/rolldeck`: the release record and the log.
    pub state_dir: PathBuf,
    /// `$XDG_CACHE_HOME/rolldeck`: copies of source repositories.
    pub cache_dir: PathBuf,
    /// Seconds that every pod must be ready before an action counts as verified.
    pub verify_seconds: u32,
    /// Of several actions that were confirmed together so many are under way at a time.
    pub at_once: usize,
    /// Seconds that an image should have run where it is promoted from.
    pub soak: u32,
    /// Others are told who carries out a plan, and plans say who else does.
    pub presence: bool,
}

impl Config {
    /// By context; an empty name is the kubeconfig's current one.
    pub fn clusters(&self) -> Vec<ClusterId> {
        match self.contexts.as_slice() {
            [] => vec![ClusterId::from("")],
            named => named.iter().map(|name| name.as_str().into()).collect(),
        }
    }
}

/// Which API server, as far as flags and environment say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connection {
    /// `--kubeconfig`; then only this file counts.
    pub kubeconfig: Option<PathBuf>,
    /// Without that: the files of KUBECONFIG, else `~/.kube/config`. They may be missing.
    pub search: Vec<PathBuf>,
    /// Absent: the kubeconfig's current one.
    pub context: Option<String>,
    /// `KUBERNETES_SERVICE_HOST` is set: this may be a pod.
    pub in_cluster: bool,
    pub proxy: Proxy,
}

impl Connection {
    /// The same way, to this context; to the kubeconfig's current one when the name is empty.
    #[must_use]
    pub fn to(&self, context: &str) -> Self {
        Self {
            context: Some(context.to_owned()).filter(|name| !name.is_empty()),
            ..self.clone()
        }
    }

    /// The kubeconfig files that count, whether they are there or not.
    pub fn files(&self) -> &[PathBuf] {
        match &self.kubeconfig {
            Some(file) => std::slice::from_ref(file),
            None => &self.search,
        }
    }
}

/// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in capitals or not.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Proxy {
    pub https: Option<String>,
    pub http: Option<String>,
    pub exclude: Option<String>,
}

impl fmt::Debug for Proxy {
    /// An address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("https", &self.https.is_some())
            .field("http", &self.http.is_some())
            .field("exclude", &self.exclude)
            .finish()
    }
}

/// The namespaces on the board.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Namespaces {
    /// The one the kubeconfig context names, else all.
    #[default]
    OfContext,
    /// In each cluster those that its environments name.
    OfEnvironments,
    Named(Vec<String>),
    All,
}
