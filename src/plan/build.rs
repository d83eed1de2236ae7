//! A build to be started, stopped or taken out of the queue: what is asked of its server, in words and as data.

use jiff::Timestamp;

use crate::domain::build::{BuildId, Given, Job, JobHold, ParameterKind, Queued};
use crate::domain::{Failure, Level, Uid, WorkloadId};

use super::{Stamp, hold};
use crate::text;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlan {
    /// Identity of the action in the record.
    pub stamp: Stamp,
    pub wish: BuildWish,
}

/// Bound to the job as it was shown: one that asks for something else now is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildWish {
    /// The service that it was asked for at.
    pub workload: WorkloadId,
    pub uid: Uid,
    pub level: Level,
    pub job: Job,
    pub act: Act,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// With these parameters; the others have their defaults.
    Start(Vec<Given>),
    Stop(BuildId),
    Cancel(Queued),
    /// Switches the job off, with a word in its description.
    Hold(JobHold),
    /// Switches it on again, and takes the word away.
    Resume(JobHold),
}

/// How it goes, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildProgress {
    /// Nothing was done.
    Refused(Failure),
    /// The answer was lost: it may have been done, and is not sent again.
    Unknown(String),
    Accepted {
        at: Timestamp,
    },
    /// It is so, as a look afterwards shows.
    Done(String),
    /// Its build was found.
    Builds(BuildId),
    /// Accepted, and not found again.
    Lost(String),
}

/// The record's verbs.
const START: &str = "build";
const STOP: &str = "stop-build";
const CANCEL: &str = "cancel-build";
pub const RESUME: &str = "resume-job";
/// Its way back is to resume the job.
pub const HOLD: &str = "hold-job";

impl Act {
    /// In the record.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Start(_) => START,
            Self::Stop(_) => STOP,
            Self::Cancel(_) => CANCEL,
            Self::Hold(_) => HOLD,
            Self::Resume(_) => RESUME,
        }
    }

    /// It is one of the record's verbs for what is asked of a server that builds.
    pub fn is_verb(name: &str) -> bool {
        [START, STOP, CANCEL, HOLD, RESUME].contains(&name)
    }
}

impl BuildWish {
    /// `start shop/checkout/main on ci with TAG=2.15`. The value of a password is never in it.
    pub fn what(&self) -> String {
        let (path, server) = (&self.job.id.path, &self.job.id.server);
        match &self.act {
            Act::Start(given) if given.is_empty() => format!("start {path} on {server}"),
            Act::Start(given) => {
                let words: Vec<_> = given.iter().map(|given| self.shown(given)).collect();
                format!("start {path} on {server} with {}", words.join(" "))
            }
            Act::Stop(build) => format!("stop #{} of {path} on {server}", build.number),
            Act::Cancel(_) => format!("take {path} out of the queue of {server}"),
            Act::Hold(hold) => format!("hold {path} on {server} until {}", text::clock(hold.until)),
            Act::Resume(_) => format!("switch {path} on {server} on again"),
        }
    }

    /// Once it is done, for the record.
    pub fn became(&self) -> String {
        let path = &self.job.id.path;
        match &self.act {
            Act::Hold(hold) => format!("{path} is off until {}", text::clock(hold.until)),
            Act::Resume(_) => format!("{path} is on again"),
            Act::Start(_) | Act::Stop(_) | Act::Cancel(_) => self.what(),
        }
    }

    fn shown(&self, (name, value): &Given) -> String {
        let mut known = self.job.parameters.iter();
        let kind = known.find(|known| known.name == *name).map(|p| &p.kind);
        match kind {
            Some(ParameterKind::Password) => format!("{name}=(not shown)"),
            Some(_) | None => format!("{name}={value}"),
        }
    }

    /// What is wrong with it before anything is asked.
    pub fn mistake(&self) -> Option<String> {
        let given = match &self.act {
            Act::Start(given) => given,
            Act::Hold(_) => return hold::impossible(&self.job),
            Act::Resume(_) | Act::Stop(_) | Act::Cancel(_) => return None,
        };
        if !self.job.buildable {
            return Some(format!("{} is switched off", self.job.id.path));
        }
        given.iter().find_map(|(name, value)| {
            let mut known = self.job.parameters.iter();
            let asked = known.find(|known| known.name == *name)?;
            asked.check(value).err()
        })
    }

    /// The job is as it was shown, as far as it matters.
    pub fn fits(&self, now: &Job) -> bool {
        let same = now.buildable == self.job.buildable;
        match &self.act {
            Act::Start(_) => same && now.parameters == self.job.parameters,
            Act::Hold(_) | Act::Resume(_) => same && now.description == self.job.description,
            Act::Stop(_) | Act::Cancel(_) => true,
        }
    }

    /// Whether a later look at the job shows that it was done; `None` for what no such look can show.
    pub fn done(&self, now: &Job) -> Option<bool> {
        match &self.act {
            Act::Hold(hold) => Some(now.hold().as_ref() == Some(hold)),
            Act::Resume(_) => Some(now.buildable),
            Act::Start(_) | Act::Stop(_) | Act::Cancel(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;
    use crate::domain::build::{Parameter, sample};
    use crate::domain::fixture::id;

    fn wish(act: Act) -> BuildWish {
        let parameter = |name: &str, kind| Parameter {
            name: name.into(),
            kind,
            default: None,
            description: None,
        };
        let choice = ParameterKind::Choice(vec!["eu".into(), "us".into()]);
        let mut job = sample::job();
        job.parameters = vec![
            parameter("REGION", choice),
            parameter("TOKEN", ParameterKind::Password),
        ];
        BuildWish {
            workload: id(Kind::Deployment),
            uid: "u".into(),
            level: Level::Guarded,
            job,
            act,
        }
    }

    #[test]
    fn what_is_asked_is_said_and_no_password() {
        let given = |region: &str| {
            let pairs = [("REGION", region), ("TOKEN", "hunter2")];
            Act::Start(pairs.map(|(n, v)| (n.into(), v.into())).into())
        };
        let good = wish(given("eu"));
        assert_eq!(
            good.what(),
            "start shop/checkout/main on ci with REGION=eu TOKEN=(not shown)"
        );
        assert_eq!(good.mistake(), None);
        let bad = wish(given("moon")).mistake().unwrap();
        assert_eq!(bad, "REGION: moon is none of eu, us");
        let mut off = wish(Act::Start(Vec::new()));
        off.job.buildable = false;
        assert_eq!(off.mistake().unwrap(), "shop/checkout/main is switched off");
        assert!(!good.fits(&off.job));
        let stop = wish(Act::Stop(
            sample::build(7, crate::domain::build::State::Running).id,
        ));
        assert_eq!(stop.what(), "stop #7 of shop/checkout/main on ci");
        let cancel = wish(Act::Cancel(sample::queued()));
        assert_eq!(
            cancel.what(),
            "take shop/checkout/main out of the queue of ci"
        );
    }
}
