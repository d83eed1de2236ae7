//! What a person means. One registry gives keys, hints, help and palette their words.

use serde::{Deserialize, Serialize};

/// In the order of the registry. The serde name is the name in the config, the palette and the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    Down,
    Up,
    Top,
    Bottom,
    PageDown,
    PageUp,
    Left,
    Right,
    Open,
    Back,
    OtherPane,
    Mark,
    Filter,
    Find,
    FindNext,
    FindPrevious,
    Sort,
    OnlyTrouble,
    Wide,
    AllNamespaces,
    Favourite,
    #[serde(rename = "ns")]
    PickNamespace,
    #[serde(rename = "ctx")]
    PickContext,
    #[serde(rename = "env")]
    PickEnvironment,
    History,
    Describe,
    Yaml,
    Events,
    Changes,
    Matrix,
    #[serde(rename = "t0")]
    SetMoment,
    Releases,
    Builds,
    Logs,
    PreviousLogs,
    FollowLogs,
    NextPod,
    NextContainer,
    Since,
    #[serde(rename = "only")]
    OnlyLines,
    Wrap,
    Times,
    HandOver,
    Shell,
    #[serde(rename = "rollback")]
    RollBack,
    Promote,
    Abort,
    Weight,
    #[serde(rename = "pause-or-resume")]
    PauseOrResume,
    Restart,
    Scale,
    SetImage,
    ResumeSync,
    DeletePod,
    Build,
    StopBuild,
    OtherBuild,
    ResumeJob,
    Confirm,
    Accept,
    Override,
    Reason,
    Stop,
    Arm,
    #[serde(rename = "follow")]
    ShowFollow,
    Record,
    Undo,
    Finish,
    Copy,
    Doctor,
    #[serde(rename = "login")]
    LogIn,
    Retry,
    Redraw,
    Suspend,
    Palette,
    Help,
    Quit,
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    Board,
    Service,
    Logs,
    Text,
    Doctor,
    Record,
    Changes,
    Matrix,
    Builds,
    Table,
    Plan,
    Help,
}

impl Place {
    pub const ALL: [Self; 12] = [
        Self::Board,
        Self::Service,
        Self::Logs,
        Self::Text,
        Self::Doctor,
        Self::Record,
        Self::Changes,
        Self::Matrix,
        Self::Builds,
        Self::Table,
        Self::Plan,
        Self::Help,
    ];
}

/// The headings of the help, first what one came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Move,
    Look,
    Release,
    Narrow,
    Program,
}

impl Group {
    pub const ALL: [Self; 5] = [
        Self::Release,
        Self::Look,
        Self::Move,
        Self::Narrow,
        Self::Program,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Look => "Look",
            Self::Release => "Release",
            Self::Narrow => "Narrow and sort",
            Self::Program => "rolldeck itself",
        }
    }
}

/// One row of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub intent: Intent,
    pub name: &'static str,
    /// For the help and the palette.
    pub title: &'static str,
    /// For the last line of the screen.
    pub hint: &'static str,
    pub group: Group,
    pub places: &'static [Place],
    /// Its plan ends in a write: it dims without the permission.
    pub release: bool,
    /// What the palette asks for after the name: `NAME`.
    pub argument: Option<&'static str>,
}

impl Intent {
    pub fn entry(self) -> &'static Entry {
        // A test holds the table to the order of the enum.
        &REGISTRY[self as usize]
    }

    pub fn named(name: &str) -> Option<Self> {
        let entry = REGISTRY.iter().find(|entry| entry.name == name)?;
        Some(entry.intent)
    }
}

use Place::{
    Board, Builds, Changes, Doctor, Help, Logs, Matrix, Plan, Record, Service, Table, Text,
};

const MOVING: &[Place] = &[
    Board, Service, Logs, Text, Doctor, Record, Changes, Matrix, Builds, Table, Plan, Help,
];
const SCREENS: &[Place] = &[
    Board, Service, Logs, Text, Doctor, Record, Changes, Matrix, Builds, Table,
];
const EVERYWHERE: &[Place] = &[
    Board, Service, Logs, Text, Doctor, Record, Changes, Matrix, Builds, Table, Plan, Help,
];
const OBJECTS: &[Place] = &[Board, Service];
const PROMOTING: &[Place] = &[Board, Service, Matrix];
const LINES: &[Place] = &[Board, Service, Changes];
const READERS: &[Place] = &[Logs, Text];

const fn row(
    intent: Intent,
    words: (&'static str, &'static str, &'static str),
    group: Group,
    places: &'static [Place],
) -> Entry {
    Entry {
        intent,
        name: words.0,
        title: words.1,
        hint: words.2,
        group,
        places,
        release: false,
        argument: None,
    }
}

const fn release(entry: Entry) -> Entry {
    Entry {
        release: true,
        ..entry
    }
}

const fn with_argument(entry: Entry, argument: &'static str) -> Entry {
    Entry {
        argument: Some(argument),
        ..entry
    }
}

/// Everything that can be meant, in the order of [`Intent`].
#[rustfmt::skip]
pub const REGISTRY: &[Entry] = &[
    row(Intent::Down, ("down", "one line down", "down"), Group::Move, MOVING),
    row(Intent::Up, ("up", "one line up", "up"), Group::Move, MOVING),
    row(Intent::Top, ("top", "to the first line", "first"), Group::Move, MOVING),
    row(Intent::Bottom, ("bottom", "to the last line", "last"), Group::Move, MOVING),
    row(Intent::PageDown, ("page-down", "one page down", "page down"), Group::Move, MOVING),
    row(Intent::PageUp, ("page-up", "one page up", "page up"), Group::Move, MOVING),
    row(Intent::Left, ("left", "the environment to the left", "left"), Group::Move, &[Matrix]),
    row(Intent::Right, ("right", "the environment to the right", "right"), Group::Move, &[Matrix]),
    row(Intent::Open, ("open", "open what is marked: a service, a pod's logs, two revisions compared, an action, a build's log", "open"), Group::Move, &[Board, Service, Record, Changes, Matrix, Builds, Table]),
    row(Intent::Back, ("back", "close what is on top; never quits", "back"), Group::Move, EVERYWHERE),
    row(Intent::OtherPane, ("other-pane", "between history and pods", "history, pods"), Group::Move, &[Service]),
    row(Intent::Mark, ("mark", "mark the service for a verb on several; in their plan: leave the row out", "mark"), Group::Release, &[Board, Matrix, Plan]),
    row(Intent::Filter, ("filter", "narrow the rows: all words must fit, !word must not, -l key=value", "filter"), Group::Narrow, &[Board, Record, Changes, Matrix, Table]),
    row(Intent::Find, ("find", "search in the text", "search"), Group::Look, READERS),
    row(Intent::FindNext, ("find-next", "next place that was searched for", "next"), Group::Look, READERS),
    row(Intent::FindPrevious, ("find-previous", "previous place that was searched for", "previous"), Group::Look, READERS),
    row(Intent::Sort, ("sort", "sort by: t trouble, n name, c changed, v version, s namespace, e environment; the matrix: d drift", "sort"), Group::Narrow, &[Board, Matrix, Table]),
    row(Intent::OnlyTrouble, ("only-trouble", "only what is not steady", "only trouble"), Group::Narrow, &[Board]),
    row(Intent::Wide, ("wide", "all columns", "wide"), Group::Narrow, &[Board, Table]),
    row(Intent::AllNamespaces, ("all-namespaces", "all namespaces", "all namespaces"), Group::Narrow, &[Board]),
    row(Intent::Favourite, ("favourite", "a namespace that was on the board lately", "lately"), Group::Narrow, &[Board]),
    with_argument(row(Intent::PickNamespace, ("ns", "choose the namespace", "namespace"), Group::Narrow, SCREENS), "NAME"),
    with_argument(row(Intent::PickContext, ("ctx", "choose the clusters by kubeconfig context, several with commas", "clusters"), Group::Narrow, SCREENS), "NAME"),
    with_argument(row(Intent::PickEnvironment, ("env", "one environment of the config by name, or all of them", "environments"), Group::Narrow, SCREENS), "NAME"),
    row(Intent::History, ("history", "the revisions of the service", "history"), Group::Look, LINES),
    row(Intent::Describe, ("describe", "what is marked: its fields, how it fares, and its events", "describe"), Group::Look, &[Board, Service, Table]),
    row(Intent::Yaml, ("yaml", "what is marked, as yaml", "yaml"), Group::Look, &[Board, Service, Table]),
    row(Intent::Events, ("events", "the warnings about the service, its revisions and pods", "events"), Group::Look, OBJECTS),
    row(Intent::Changes, ("changes", "what changed: of all that is on the board, or of the service", "what changed"), Group::Look, OBJECTS),
    row(Intent::Matrix, ("matrix", "service by environment: which version runs where, what is the same, and how far the rest lies behind", "matrix"), Group::Look, OBJECTS),
    row(Intent::SetMoment, ("t0", "when it began: the changes before it, the likeliest first; nothing: the newest first", "began at"), Group::Look, &[Changes]),
    row(Intent::Releases, ("releases", "what Helm did: the history of the release", "releases"), Group::Look, OBJECTS),
    row(Intent::Builds, ("builds", "the builds of the service: queue, running, recent, each with its log", "builds"), Group::Look, OBJECTS),
    row(Intent::Logs, ("logs", "the logs of the service's pods together, or of the marked pod", "logs"), Group::Look, &[Board, Service, Table]),
    row(Intent::PreviousLogs, ("previous-logs", "the logs of the runs before the last restart", "previous logs"), Group::Look, &[Board, Service, Logs, Table]),
    row(Intent::FollowLogs, ("follow-logs", "keep to the newest line, or stand still", "follow"), Group::Look, &[Logs]),
    row(Intent::NextPod, ("next-pod", "the logs of each pod alone, then of all together", "next pod"), Group::Look, &[Logs]),
    row(Intent::NextContainer, ("next-container", "the logs of each other container, then of all, then of the main one", "next container"), Group::Look, &[Logs]),
    with_argument(row(Intent::Since, ("since", "how far back: the last lines, as many as are kept, 1m, 5m, 15m, 30m, 1h", "since"), Group::Look, &[Logs]), "5m"),
    row(Intent::OnlyLines, ("only", "only lines with these words: all must be in it, !word must not", "only"), Group::Look, &[Logs]),
    row(Intent::Wrap, ("wrap", "break long lines, or cut them", "wrap"), Group::Look, &[Logs]),
    row(Intent::Times, ("times", "the time of each line", "times"), Group::Look, &[Logs]),
    row(Intent::HandOver, ("hand-over", "hand the terminal to a shell, port-forward, edit, k9s or your own programs, at what is marked", "hand over"), Group::Look, &[Board, Service, Logs, Table]),
    row(Intent::Shell, ("shell", "a shell in the marked pod", "shell"), Group::Look, &[Service]),
    release(row(Intent::RollBack, ("rollback", "plan to roll back to what served, or to the marked revision", "roll back"), Group::Release, &[Board, Service, Changes, Text])),
    release(row(Intent::Promote, ("promote", "plan to let a canary go on from the pause it waits at, or to retry one that was aborted; in the matrix: its image to the next environment", "promote"), Group::Release, PROMOTING)),
    release(row(Intent::Abort, ("abort", "plan to take a canary back to what serves beside it", "abort"), Group::Release, OBJECTS)),
    with_argument(release(row(Intent::Weight, ("weight", "plan another share for a canary that a person moves: 20", "weight"), Group::Release, OBJECTS)), "20"),
    release(row(Intent::PauseOrResume, ("pause-or-resume", "plan to pause a Deployment or a Rollout, or to resume one that is paused", "pause, resume"), Group::Release, OBJECTS)),
    release(row(Intent::Restart, ("restart", "plan to make every pod anew, with the same template", "restart"), Group::Release, OBJECTS)),
    release(row(Intent::Scale, ("scale", "plan another number of replicas, or other bounds for the autoscaler; on a pod: a shell", "scale"), Group::Release, OBJECTS)),
    release(row(Intent::SetImage, ("set-image", "plan another image for a container: a tag, a digest or a whole reference", "set image"), Group::Release, OBJECTS)),
    release(row(Intent::ResumeSync, ("resume-sync", "plan to resume the sync that a rolldeck suspended", "resume sync"), Group::Release, OBJECTS)),
    release(row(Intent::DeletePod, ("delete-pod", "plan to evict or delete the marked pod", "take pod away"), Group::Release, &[Service])),
    release(row(Intent::Build, ("build", "build the service: by its server, with parameters, or from its folder", "build"), Group::Release, &[Board, Service, Builds])),
    release(row(Intent::StopBuild, ("stop-build", "stop the build that runs, or take the one that waits out of the queue", "stop"), Group::Release, &[Builds, Text])),
    row(Intent::OtherBuild, ("other-build", "build from the folder in place of the server, or by the server in place of the folder", "other way"), Group::Release, &[Plan]),
    release(row(Intent::ResumeJob, ("resume-job", "end the hold of the job: it builds again", "end the hold"), Group::Release, &[Board, Service, Builds])),
    row(Intent::Confirm, ("confirm", "do what the plan says", "do it"), Group::Release, &[Plan]),
    row(Intent::Accept, ("accept", "the button of a plan in an open environment", "do it"), Group::Release, &[Plan]),
    row(Intent::Override, ("override", "do it against a blocking check, with a reason", "override"), Group::Release, &[Plan]),
    row(Intent::Reason, ("reason", "say why, for the record", "reason"), Group::Release, &[Plan]),
    row(Intent::Stop, ("stop", "of several services begin no more; what is under way goes on", "begin no more"), Group::Release, &[Plan]),
    row(Intent::Arm, ("arm", "writes in protected environments on, until ten idle minutes, or off", "arm"), Group::Release, &[Board, Service, Logs, Text, Doctor, Record, Changes, Matrix, Builds, Plan]),
    row(Intent::ShowFollow, ("follow", "the action that is under way", "follow"), Group::Release, &[Board, Service, Text, Doctor, Record, Changes, Matrix, Builds]),
    row(Intent::Record, ("record", "what was done: who, when, why, and how it ended", "record"), Group::Release, &[Board, Service, Logs, Text, Doctor, Changes, Matrix, Builds]),
    release(row(Intent::Undo, ("undo", "plan the way back from the marked action", "undo"), Group::Release, &[Record])),
    release(row(Intent::Finish, ("finish", "plan what is left of an action that did not come to its end", "finish"), Group::Release, &[Record])),
    row(Intent::Copy, ("copy", "copy: the service, the revision's image, the text, the command of the plan, the action", "copy"), Group::Look, &[Board, Service, Logs, Text, Doctor, Record, Changes, Matrix, Builds, Table, Plan]),
    row(Intent::Doctor, ("doctor", "what works, what does not, and why", "doctor"), Group::Program, SCREENS),
    row(Intent::LogIn, ("login", "log in to the cluster that waits for it, with the kubeconfig's login command", "log in"), Group::Program, SCREENS),
    row(Intent::Retry, ("retry", "try again now what waits; read again what is shown", "again"), Group::Program, &[Board, Service, Logs, Text, Doctor, Record, Changes, Matrix, Builds, Table, Plan]),
    row(Intent::Redraw, ("redraw", "paint the whole screen again", "redraw"), Group::Program, EVERYWHERE),
    row(Intent::Suspend, ("suspend", "back to the shell; fg returns", "suspend"), Group::Program, SCREENS),
    row(Intent::Palette, ("palette", "commands by name", "command"), Group::Program, SCREENS),
    row(Intent::Help, ("help", "all keys", "help"), Group::Program, SCREENS),
    row(Intent::Quit, ("quit", "leave", "quit"), Group::Program, EVERYWHERE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_names_agree_with_serde() {
        for (i, entry) in REGISTRY.iter().enumerate() {
            assert_eq!(entry.intent as usize, i, "{}", entry.name);
            assert_eq!(entry.intent.entry().name, entry.name);
            let name = serde_json::to_string(&entry.intent).unwrap();
            assert_eq!(name.trim_matches('"'), entry.name);
        }
        assert_eq!(REGISTRY.len(), Intent::Quit as usize + 1);
    }
}
