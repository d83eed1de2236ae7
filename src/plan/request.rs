//! What somebody asked for, before anything was read.

use serde::{Deserialize, Serialize};

use crate::domain::{Failure, FailureKind, Kind, TemplateHash, Uid, Workload, WorkloadId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Rollback,
    Pause,
    Resume,
    Restart,
    Scale,
    SetImage,
    /// What keeps it as git has it, and was suspended by a rolldeck, goes on.
    ResumeSync,
    DeletePod,
    /// By the Helm release that it is a part of.
    HelmRollback,
    /// A canary goes on from the pause it waits at.
    Promote,
    /// The same to its end, without the steps and analyses that are left.
    PromoteFull,
    /// A canary goes back to what serves beside it.
    Abort,
    /// One that was aborted begins at its first step again.
    Retry,
    /// A canary gets another share, where a person sets it.
    #[serde(rename = "weight")]
    SetWeight,
    /// What another environment runs, by its digest.
    PromoteImage,
}

/// A verb in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// `roll back`.
    pub plain: &'static str,
    /// `rolls back`.
    pub does: &'static str,
    /// `rolling back`.
    pub doing: &'static str,
    /// `rolled back`.
    pub done: &'static str,
}

impl Verb {
    pub const ALL: [Self; 15] = [
        Self::Rollback,
        Self::Pause,
        Self::Resume,
        Self::Restart,
        Self::Scale,
        Self::SetImage,
        Self::ResumeSync,
        Self::DeletePod,
        Self::HelmRollback,
        Self::Promote,
        Self::PromoteFull,
        Self::Abort,
        Self::Retry,
        Self::SetWeight,
        Self::PromoteImage,
    ];

    /// In the record and in our note, which a test holds to the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Restart => "restart",
            Self::Scale => "scale",
            Self::SetImage => "set-image",
            Self::ResumeSync => "resume-sync",
            Self::DeletePod => "delete-pod",
            Self::HelmRollback => "helm-rollback",
            Self::Promote => "promote",
            Self::PromoteFull => "promote-full",
            Self::Abort => "abort",
            Self::Retry => "retry",
            Self::SetWeight => "weight",
            Self::PromoteImage => "promote-image",
        }
    }

    /// Of a name that this version does not know there is none.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }

    pub fn words(self) -> Words {
        let (plain, does, doing, done) = match self {
            Self::Rollback => ("roll back", "rolls back", "rolling back", "rolled back"),
            Self::Pause => ("pause", "pauses", "pausing", "paused"),
            Self::Resume => ("resume", "resumes", "resuming", "resumed"),
            Self::Restart => ("restart", "restarts", "restarting", "restarted"),
            Self::Scale => ("scale", "scales", "scaling", "scaled"),
            Self::SetImage => ("set image", "sets it", "setting the image", "image set"),
            Self::ResumeSync => (
                "resume the sync of",
                "resumes the sync",
                "resuming the sync of",
                "sync resumed",
            ),
            Self::DeletePod => ("take a pod away", "does it", "taking away", "taken away"),
            Self::Promote | Self::PromoteImage => ("promote", "promotes", "promoting", "promoted"),
            Self::PromoteFull => (
                "promote fully",
                "promotes fully",
                "promoting fully",
                "promoted fully",
            ),
            Self::Abort => ("abort", "aborts", "aborting", "aborted"),
            Self::Retry => ("retry", "retries", "retrying", "retried"),
            Self::SetWeight => (
                "set the weight of",
                "sets the weight",
                "setting the weight of",
                "given a weight",
            ),
            Self::HelmRollback => (
                "roll back by Helm",
                "rolls back",
                "rolling back by Helm",
                "rolled back by Helm",
            ),
        };
        Words {
            plain,
            does,
            doing,
            done,
        }
    }

    /// Whether something may go out by it that was not running before: that waits while there is a hold.
    pub fn brings_new(self) -> bool {
        match self {
            Self::Rollback
            | Self::Pause
            | Self::Restart
            | Self::Scale
            | Self::DeletePod
            | Self::HelmRollback
            | Self::Abort => false,
            Self::Resume
            | Self::SetImage
            | Self::ResumeSync
            | Self::Promote
            | Self::PromoteFull
            | Self::SetWeight
            | Self::Retry
            | Self::PromoteImage => true,
        }
    }

    /// The pod template stays as it is.
    pub fn keeps_template(self) -> bool {
        match self {
            Self::Rollback
            | Self::Restart
            | Self::SetImage
            | Self::HelmRollback
            | Self::PromoteImage => false,
            Self::Pause
            | Self::Resume
            | Self::Scale
            | Self::DeletePod
            | Self::ResumeSync
            | Self::Promote
            | Self::PromoteFull
            | Self::SetWeight
            | Self::Abort
            | Self::Retry => true,
        }
    }

    /// Whether the workload is paused before it, for those that turn just that.
    pub fn from_paused(self) -> Option<bool> {
        match self {
            Self::Rollback
            | Self::Restart
            | Self::Scale
            | Self::SetImage
            | Self::ResumeSync
            | Self::DeletePod
            | Self::HelmRollback
            | Self::Promote
            | Self::PromoteFull
            | Self::SetWeight
            | Self::Abort
            | Self::Retry
            | Self::PromoteImage => None,
            Self::Pause => Some(false),
            Self::Resume => Some(true),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub verb: Verb,
    pub workload: WorkloadId,
    /// What the screen showed when the key was pressed. Headless verbs read first and ask with what they read.
    pub uid: Uid,
    pub shown: TemplateHash,
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The rule of the verb chooses.
    Proposed,
    /// A revision that was on the screen, by the name and template of its object.
    Shown {
        name: Box<str>,
        template: TemplateHash,
    },
    /// A revision that the record names, by the name of its object.
    Named(Box<str>),
    /// `--to 41` or `--to 2.14.1`, as typed.
    Typed(String),
    /// So many replicas, where `shown` were asked for.
    Replicas { shown: u32, to: u32 },
    /// So much of a hundred for the canary.
    Weight(u32),
    /// A tag, a digest or a whole reference, for this container or the first one.
    Image {
        container: Option<Box<str>>,
        image: String,
    },
    /// What this workload runs, from the first of these environments to the second.
    Promoted {
        from: WorkloadId,
        environments: (String, String),
    },
    /// The very pod that was shown.
    Pod { name: Box<str>, uid: Uid },
    /// A revision of the Helm release, or what its history proposes, while `newest` is the newest one, which was shown.
    Release {
        newest: Option<u32>,
        to: Option<u32>,
    },
}

impl Request {
    /// Where its image is promoted from.
    pub fn origin(&self) -> Option<&WorkloadId> {
        match &self.target {
            Target::Promoted { from, .. } => Some(from),
            _ => None,
        }
    }

    /// Why this verb is not for this kind of workload.
    pub fn not_for_its_kind(&self) -> Option<Failure> {
        let id = &self.workload;
        let is_built = self.verb != Verb::HelmRollback || id.kind != Kind::Rollout;
        let sentence =
            format!("rolldeck cannot roll back an Argo Rollout by Helm yet, as {id} is one.");
        let hint = "a rollback of its own puts its former template back";
        (!is_built).then(|| Failure::new(FailureKind::Refused, sentence).hint(hint))
    }

    /// The same of the workload as it is now, once that is what is shown.
    pub fn of(&mut self, now: &Workload) {
        self.uid = now.uid.clone();
        self.shown = now.template;
        match &mut self.target {
            Target::Replicas { shown, .. } => *shown = now.desired,
            Target::Release { newest, .. } => *newest = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_named_as_in_the_json() {
        for verb in Verb::ALL {
            assert_eq!(serde_json::to_value(verb).unwrap(), verb.name());
            assert_eq!(Verb::named(verb.name()), Some(verb));
        }
        assert_eq!(Verb::named("explode"), None);
    }

    #[test]
    fn what_is_not_built_for_rollouts_is_refused() {
        use crate::domain::fixture::id;
        let request = |verb, kind| Request {
            verb,
            workload: id(kind),
            uid: "w".into(),
            shown: TemplateHash::of("t"),
            target: Target::Proposed,
        };
        for verb in Verb::ALL {
            assert_eq!(request(verb, Kind::Deployment).not_for_its_kind(), None);
            let why = request(verb, Kind::Rollout).not_for_its_kind();
            assert_eq!(why.is_some(), verb == Verb::HelmRollback, "{verb:?}");
        }
    }
}
