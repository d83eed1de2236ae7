//! The objects through which Argo CD and Flux keep a workload as git has it: how they stand, and who suspended them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ClusterId, Uid};

/// The key of the annotation that a suspension of ours leaves, with a [`Suspension`] as JSON in it.
pub const ANNOTATION: &str = "rolldeck.dev/suspended";
/// The key of the label beside it: what is suspended can be asked for without all the rest.
pub const LABEL: &str = "rolldeck.dev/suspended";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncKind {
    /// Of Argo CD.
    Application,
    /// Of Flux.
    Kustomization,
    /// Of Flux.
    HelmRelease,
}

impl SyncKind {
    pub const ALL: [Self; 3] = [Self::Application, Self::Kustomization, Self::HelmRelease];

    pub fn api(self) -> &'static str {
        match self {
            Self::Application => "argoproj.io/v1alpha1",
            Self::Kustomization => "kustomize.toolkit.fluxcd.io/v1",
            Self::HelmRelease => "helm.toolkit.fluxcd.io/v2",
        }
    }

    pub fn group(self) -> &'static str {
        self.api().split_once('/').map_or("", |(group, _)| group)
    }

    pub fn plural(self) -> &'static str {
        match self {
            Self::Application => "applications",
            Self::Kustomization => "kustomizations",
            Self::HelmRelease => "helmreleases",
        }
    }

    /// Whose it is.
    pub fn tool(self) -> &'static str {
        match self {
            Self::Application => "Argo CD",
            Self::Kustomization | Self::HelmRelease => "Flux",
        }
    }

    /// `application`, as it stands in a sentence.
    pub fn word(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Kustomization => "kustomization",
            Self::HelmRelease => "helmrelease",
        }
    }
}

/// What the marks on a workload name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncRef {
    pub kind: SyncKind,
    /// An Application in the namespace of Argo CD itself is named without it.
    pub namespace: Option<Box<str>>,
    pub name: Box<str>,
}

impl fmt::Display for SyncRef {
    /// `Argo CD application shop`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tool, word) = (self.kind.tool(), self.kind.word());
        write!(f, "{tool} {word} {}", self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId {
    pub cluster: ClusterId,
    pub kind: SyncKind,
    pub namespace: Box<str>,
    pub name: Box<str>,
}

impl fmt::Display for SyncId {
    /// `Argo CD application shop`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tool, word) = (self.kind.tool(), self.kind.word());
        write!(f, "{tool} {word} {}", self.name)
    }
}

impl SyncId {
    /// Whether the marks on a workload of the same cluster name it.
    pub fn is(&self, named: &SyncRef) -> bool {
        let same_place = named
            .namespace
            .as_ref()
            .is_none_or(|n| *n == self.namespace);
        self.kind == named.kind && self.name == named.name && same_place
    }
}

/// One such object, reduced to what a person has to know before a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    pub id: SyncId,
    pub uid: Uid,
    pub automatic: Automatic,
    /// What goes out of git is deleted.
    pub prunes: bool,
    pub state: SyncState,
    /// `Healthy`, `Degraded`, …, as Argo CD says; empty for Flux.
    pub health: Box<str>,
    /// Why it fails, in its controller's words; empty when it does not.
    pub message: Box<str>,
    /// Where it comes from: `https://git.example/shop deploy/prod`, `chart redis of bitnami`.
    pub source: Box<str>,
    /// The revision that is wanted: `main`, `1.2.x`; empty when none is named.
    pub target: Box<str>,
    /// The revision that was applied last; empty when none was.
    pub applied: Box<str>,
    pub suspension: Option<Box<Suspension>>,
    /// What would put the suspension itself back: `ApplicationSet shop`.
    pub parent: Option<Box<str>>,
    /// Whether the workload that it was looked for is among what it keeps; `None`: it does not say, or nobody looked.
    pub keeps: Option<bool>,
}

/// What happens to a change that is not in git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Automatic {
    /// Nothing, until somebody syncs by hand.
    Off,
    /// It is overwritten with the next commit, or the next version of a chart.
    NextChange,
    /// It is put back without a commit: within so long (`10m`), or at once.
    Heals { within: Option<Box<str>> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    InSync,
    OutOfSync,
    /// The last attempt failed.
    Failing,
    Unknown,
}

impl SyncState {
    pub fn word(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::OutOfSync => "out of sync",
            Self::Failing => "sync fails",
            Self::Unknown => "sync unknown",
        }
    }
}

/// What a suspension of ours leaves on the object, so that any rolldeck can undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    /// The id of the release record.
    pub id: String,
    /// `user@host` of the operating system that rolldeck ran on.
    pub by: String,
    pub at: Timestamp,
    /// What stood there before, as JSON: `spec.syncPolicy.automated` of an Application, else `spec.suspend`; empty when
    /// nothing did.
    pub was: String,
}

/// The exact bytes of what a suspension changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a place of its own
pub struct SyncParts {
    /// `spec.syncPolicy` is there to add to.
    pub sync_policy: bool,
    /// `spec.syncPolicy.automated` of an Application, else `spec.suspend`.
    pub switch: Option<String>,
    pub labels: bool,
    pub annotations: bool,
    /// The annotation of a suspension, as a JSON string.
    pub note: Option<String>,
    pub label: bool,
}

impl Sync {
    /// When a change that is not in git is undone, as the end of a sentence; `None` when nobody does that.
    pub fn reverts(&self) -> Option<String> {
        match (&self.automatic, self.id.kind) {
            (Automatic::Off, _) => None,
            (Automatic::NextChange, SyncKind::Application) => {
                Some("its next sync, with the next commit, puts back what git says".into())
            }
            (Automatic::NextChange, _) => Some("its next upgrade puts its own version back".into()),
            (Automatic::Heals { within: None }, _) => {
                Some("it heals itself: what git says is back within seconds".into())
            }
            (Automatic::Heals { within: Some(time) }, _) => {
                Some(format!("what git says is back within {time}"))
            }
        }
    }

    /// `automatic, heals itself`.
    pub fn how(&self) -> String {
        let application = self.id.kind == SyncKind::Application;
        let when = match &self.automatic {
            Automatic::Off if self.suspension.is_some() => return "suspended by rolldeck".into(),
            Automatic::Off if application => return "synced by hand".into(),
            Automatic::Off => return "suspended".into(),
            Automatic::NextChange if application => "with each commit".into(),
            Automatic::NextChange => "with each new chart or value".into(),
            Automatic::Heals { within: None } => "heals itself".into(),
            Automatic::Heals { within: Some(time) } => format!("every {time}"),
        };
        let prunes = if self.prunes { ", prunes" } else { "" };
        format!("automatic, {when}{prunes}")
    }
}

#[cfg(test)]
pub(crate) fn sample(automatic: Automatic) -> Sync {
    Sync {
        id: SyncId {
            cluster: "prod-eu".into(),
            kind: SyncKind::Application,
            namespace: "argocd".into(),
            name: "shop".into(),
        },
        uid: "a1".into(),
        automatic,
        prunes: true,
        state: SyncState::InSync,
        health: "Healthy".into(),
        message: "".into(),
        source: "https://git.example/shop deploy/prod".into(),
        target: "main".into(),
        applied: "a1b9e3c".into(),
        suspension: None,
        parent: None,
        keeps: Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_undoes_a_change_is_said_with_its_time() {
        let heals = |within: Option<&str>| Automatic::Heals {
            within: within.map(Into::into),
        };
        for (kind, automatic, want) in [
            (SyncKind::Application, Automatic::Off, None),
            (SyncKind::Application, heals(None), Some("within seconds")),
            (
                SyncKind::Application,
                Automatic::NextChange,
                Some("next commit"),
            ),
            (
                SyncKind::Kustomization,
                heals(Some("10m")),
                Some("within 10m"),
            ),
            (
                SyncKind::HelmRelease,
                Automatic::NextChange,
                Some("next upgrade"),
            ),
        ] {
            let mut sync = sample(automatic);
            sync.id.kind = kind;
            let said = sync.reverts();
            assert_eq!(said.is_some(), want.is_some());
            assert!(said.is_none_or(|said| said.contains(want.unwrap())));
        }
    }

    #[test]
    fn a_name_without_a_namespace_fits_any() {
        let id = sample(Automatic::Off).id;
        let named = |namespace: Option<&str>, name: &str| SyncRef {
            kind: SyncKind::Application,
            namespace: namespace.map(Into::into),
            name: name.into(),
        };
        assert!(id.is(&named(None, "shop")));
        assert!(id.is(&named(Some("argocd"), "shop")));
        assert!(!id.is(&named(Some("team"), "shop")));
        assert!(!id.is(&named(None, "other")));
        assert_eq!(named(None, "shop").to_string(), "Argo CD application shop");
    }
}
