//! The release record as plain data: its lines, and the actions that they add up to.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::template::CanonicalHash;
use super::{Uid, WorkloadId};

/// The file in the state folder.
pub const FILE: &str = "release-record.jsonl";

/// One line of the record. Values of secrets and of environment variables are never in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Line {
    /// On the disk before anything is sent.
    Sending(Box<Sending>),
    /// What the server said to it.
    Answered(Answered),
    /// What a later look at the cluster says of one that was interrupted.
    Found(Found),
    /// How following it ended.
    Ended(Ended),
    /// It was confirmed with others, and its turn never came: nothing was sent.
    NotBegun(Box<NotBegun>),
    /// Another program had the terminal; written when it ended.
    HandedOver(Box<HandedOver>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sending {
    pub id: String,
    pub at: Timestamp,
    pub verb: String,
    pub workload: WorkloadId,
    pub uid: String,
    pub from: Side,
    pub to: Side,
    /// `user@host` of the operating system.
    pub by: String,
    /// The API server's own name for the user; unknown when absent.
    pub server_user: Option<String>,
    /// Why it was done, when that was said.
    pub reason: Option<String>,
    /// The reason that was given for an override.
    pub override_reason: Option<String>,
    pub checks: Vec<Checked>,
    pub steps: Vec<String>,
    /// What the template means that it writes or leaves; earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<CanonicalHash>,
    /// The first generation of the object that has the write in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// Of one that writes another number of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Replicas>,
    /// The pods that its steps delete, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deletes: Vec<Deleted>,
    /// Of one that goes back by a Helm release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<HelmRelease>,
    /// Of one that sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<SetImage>,
    /// Of one that writes its bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<Box<str>>,
    /// It puts the analysis of a canary on again, and resumes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub analysis: bool,
}

/// What would have been sent, and why it was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotBegun {
    #[serde(flatten)]
    pub sending: Sending,
    /// `not begun, because checkout failed`.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub number: u64,
    /// Of the revision's object.
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replicas {
    pub from: u32,
    pub to: u32,
}

/// From the newest revision of a release to an older one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelmRelease {
    pub name: Box<str>,
    pub from: u32,
    pub to: u32,
}

/// The image that was asked for, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetImage {
    pub container: Box<str>,
    pub image: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub check: String,
    pub finding: String,
    pub sentence: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub pod: Box<str>,
    pub uid: Uid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub id: String,
    pub at: Timestamp,
    pub outcome: Outcome,
    /// So many steps the server accepted; earlier versions did not say.
    #[serde(default)]
    pub accepted: usize,
    pub sentence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Accepted,
    Refused,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub id: String,
    pub at: Timestamp,
    pub became: Became,
    pub sentence: String,
}

/// What became of an action that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    Applied,
    NotApplied,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub id: String,
    pub at: Timestamp,
    pub workload: WorkloadId,
    pub verified: bool,
    pub sentence: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedOver {
    pub at: Timestamp,
    /// `user@host` of the operating system.
    pub by: String,
    pub server_user: Option<String>,
    pub cluster: String,
    pub namespace: Option<String>,
    pub object: String,
    pub command: Vec<String>,
    /// `exit 1`, `killed by SIGKILL`.
    pub outcome: String,
}

impl HandedOver {
    /// In words, as one would type it but for the quotes.
    pub fn line(&self) -> String {
        self.command.join(" ")
    }

    /// `oncall@bastion (sso:oncall)`.
    pub fn who(&self) -> String {
        who(&self.by, self.server_user.as_deref())
    }
}

fn who(by: &str, server_user: Option<&str>) -> String {
    match server_user {
        Some(user) => format!("{by} ({user})"),
        None => by.to_owned(),
    }
}

impl Line {
    /// Of the action that it speaks of.
    pub fn id(&self) -> &str {
        match self {
            Self::Sending(line) => &line.id,
            Self::NotBegun(line) => &line.sending.id,
            Self::Answered(line) => &line.id,
            Self::Found(line) => &line.id,
            Self::Ended(line) => &line.id,
            // It belongs to none.
            Self::HandedOver(_) => "",
        }
    }
}

/// All that the record says of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    pub sending: Sending,
    pub answered: Option<Answered>,
    pub found: Option<Found>,
    pub ended: Option<Ended>,
    /// Why its turn never came, of one that was confirmed with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_begun: Option<String>,
}

/// How an action stands, as far as the record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stands {
    Verified,
    NotVerified,
    /// The server accepted it, and nobody followed it to its end.
    Accepted,
    Refused,
    /// Nothing was sent: what was confirmed before it failed, or somebody stopped it.
    NotBegun,
    /// It was interrupted, and a later look says what became of it.
    Interrupted(Became),
    /// Its answer was lost.
    Unknown,
    /// It was sent, or was about to be: nothing says what became of it.
    Sent,
}

impl Action {
    pub fn stands(&self) -> Stands {
        if self.not_begun.is_some() {
            return Stands::NotBegun;
        }
        match (&self.ended, &self.found, &self.answered) {
            (Some(ended), ..) if ended.verified => Stands::Verified,
            (Some(_), ..) => Stands::NotVerified,
            (None, Some(found), _) => Stands::Interrupted(found.became),
            (None, None, Some(answered)) => match answered.outcome {
                Outcome::Accepted => Stands::Accepted,
                Outcome::Refused => Stands::Refused,
                Outcome::Unknown => Stands::Unknown,
            },
            (None, None, None) => Stands::Sent,
        }
    }

    /// The last thing that was said of it; `None` while nothing was.
    pub fn sentence(&self) -> Option<&str> {
        let ended = self.ended.as_ref().map(|line| &line.sentence);
        let found = self.found.as_ref().map(|line| &line.sentence);
        let answered = self.answered.as_ref().map(|line| &line.sentence);
        let said = ended.or(found).or(answered).or(self.not_begun.as_ref());
        said.map(String::as_str)
    }

    /// From when it was sent until the server had answered.
    pub fn answered_after(&self) -> Option<SignedDuration> {
        self.after(self.answered.as_ref().map(|line| line.at))
    }

    /// From when it was sent until its end.
    pub fn ended_after(&self) -> Option<SignedDuration> {
        self.after(self.ended.as_ref().map(|line| line.at))
    }

    fn after(&self, at: Option<Timestamp>) -> Option<SignedDuration> {
        Some(
            at?.duration_since(self.sending.at)
                .max(SignedDuration::ZERO),
        )
    }

    /// The checks that did not say ok.
    pub fn raised(&self) -> impl Iterator<Item = &Checked> {
        let checks = self.sending.checks.iter();
        checks.filter(|checked| checked.finding != "ok")
    }

    /// `oncall@bastion`, and the API server's own name when it is another: `oncall@bastion (sso:oncall)`.
    pub fn who(&self) -> String {
        who(&self.sending.by, self.sending.server_user.as_deref())
    }
}

/// A place in the file that is no line of a record, like one that a crash cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Torn {
    /// Its first byte, counted from 0.
    pub at: u64,
    pub bytes: usize,
}

/// Actions from the end of the record, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    pub actions: Vec<Action>,
    /// When another program had the terminal, newest first as well.
    pub handed: Vec<HandedOver>,
    pub torn: Vec<Torn>,
    /// Lines of actions whose first line is not there, though the record was read to its beginning.
    pub orphans: usize,
    /// Bytes before it that were not read.
    pub unread: u64,
    /// Actions that a process which lives carries out now.
    pub under_way: Vec<String>,
}

/// Puts lines together that come newest first.
#[derive(Debug, Default)]
pub struct Gathering {
    pub page: Page,
    open: std::collections::HashMap<String, Rest>,
}

/// What came of an action whose first line has not come yet.
#[derive(Debug, Default)]
struct Rest {
    answered: Option<Answered>,
    found: Option<Found>,
    ended: Option<Ended>,
    lines: usize,
}

impl Gathering {
    pub fn take(&mut self, line: Line) {
        if let Line::Sending(sending) = line {
            let rest = self.open.remove(&sending.id).unwrap_or_default();
            self.page.actions.push(Action {
                sending: *sending,
                answered: rest.answered,
                found: rest.found,
                ended: rest.ended,
                not_begun: None,
            });
            return;
        }
        if let Line::NotBegun(line) = line {
            self.page.actions.push(Action {
                sending: line.sending,
                answered: None,
                found: None,
                ended: None,
                not_begun: Some(line.why),
            });
            return;
        }
        if let Line::HandedOver(handed) = line {
            self.page.handed.push(*handed);
            return;
        }
        let rest = self.open.entry(line.id().to_owned()).or_default();
        rest.lines += 1;
        // What was written first counts: lines come from the end.
        match line {
            Line::Answered(line) => rest.answered = Some(line),
            Line::Found(line) => rest.found = Some(line),
            Line::Ended(line) => rest.ended = Some(line),
            Line::Sending(_) | Line::NotBegun(_) | Line::HandedOver(_) => {}
        }
    }

    /// `unread`: bytes before the last line that was taken.
    pub fn end(mut self, unread: u64) -> Page {
        if unread == 0 {
            self.page.orphans = self.open.values().map(|rest| rest.lines).sum();
        }
        self.page.unread = unread;
        self.page
    }
}
