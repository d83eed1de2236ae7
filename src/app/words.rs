//! What the registry and the keys in force say of themselves: hints, help.

use super::answering::answering;
use super::clusters::ClusterState;
use super::intent::{Entry, Group, Intent, Place, REGISTRY};
use super::model::{
    BuildBox, BuildStage, ImageBox, ImageStage, Model, Overlay, Pane, PlanBox, Screen, Stage,
    TextKind,
};
use super::update::{batch, build, image, missing_permission, place};
use crate::domain::{ApiKind, Environment, Health, Level, WorkloadId};
use crate::plan::verbs::canary::can;
use crate::plan::{BuildProgress, Missing, Verb};
use crate::text;

pub use super::update::{Choice, choices, missing};

/// One key of the last line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub key: String,
    pub what: &'static str,
    /// Why the key does nothing now.
    pub dimmed: Option<String>,
}

/// The key to name in a sentence: the one in force, else the command that does the same.
pub fn key(model: &Model, intent: Intent) -> String {
    let keymap = &model.settings.keymap;
    keymap
        .shown(intent)
        .unwrap_or_else(|| format!(":{}", intent.entry().name))
}

/// `prod-eu, shop and payments, protected`.
pub fn environment(environment: &Environment) -> String {
    let names: Vec<_> = environment.namespaces.iter().map(String::as_str).collect();
    let namespaces = match names.as_slice() {
        [] => "all namespaces".to_owned(),
        names => text::list(names),
    };
    let level = match environment.protection {
        Level::Open => "open",
        Level::Guarded => "guarded",
        Level::Protected => "protected",
    };
    format!("{}, {namespaces}, {level}", environment.cluster)
}

/// The keys that matter most here, most useful first, the help last.
pub fn hints(model: &Model) -> Vec<Hint> {
    if let Some(hints) = of_field(model) {
        return hints;
    }
    let wanted = wanted(place(model));
    let last = if matches!(place(model), Place::Plan | Place::Help) {
        None
    } else {
        Some(Intent::Help)
    };
    follow_hint(model)
        .into_iter()
        .chain(wanted.iter().copied())
        .chain(last)
        .filter(|intent| useful(model, *intent))
        .filter_map(|intent| hint(model, intent))
        .collect()
}

/// What a field that is open takes.
fn of_field(model: &Model) -> Option<Vec<Hint>> {
    match &model.overlay {
        Some(Overlay::SortKey) if place(model) == Place::Table => Some(fixed_hints(&[
            ("1 to 9", "that column"),
            (
                "a letter",
                "the column that begins with it; again turns it round",
            ),
            ("esc", "leave it"),
        ])),
        Some(Overlay::SortKey) if place(model) == Place::Matrix => Some(fixed_hints(&[
            ("d", "drift"),
            ("n", "name"),
            ("t", "trouble"),
            ("esc", "leave it"),
        ])),
        Some(Overlay::SortKey) => Some(sort_hints()),
        Some(Overlay::Build(shown)) => Some(of_build(model, shown)),
        Some(Overlay::Image(shown)) => Some(of_image(model, shown)),
        Some(Overlay::HandOver(menu)) => {
            let esc = match menu.asking {
                Some(_) => "leaves the field",
                None => "closes",
            };
            Some(fixed_hints(&[("enter", "starts it"), ("esc", esc)]))
        }
        Some(Overlay::Batch) => Some(batch_hints(model)),
        Some(Overlay::Palette { .. } | Overlay::Picker { .. }) => Some(Vec::new()),
        Some(Overlay::Plan(shown)) if matches!(shown.stage, Stage::Asking(_)) => {
            Some(fixed_hints(&[
                ("enter", "shows the plan"),
                ("esc", "cancels"),
            ]))
        }
        Some(Overlay::Plan(shown)) if shown.typing() => Some(fixed_hints(&[
            ("enter", "takes it"),
            ("esc", "leaves the field"),
        ])),
        Some(Overlay::Plan(_) | Overlay::Help { .. }) | None => None,
    }
}

// In each place, most useful first.
const BOARD: &[Intent] = &[
    Intent::LogIn,
    Intent::Retry,
    Intent::Open,
    Intent::RollBack,
    Intent::Promote,
    Intent::Abort,
    Intent::Changes,
    Intent::Matrix,
    Intent::Filter,
    Intent::Palette,
    Intent::Logs,
    Intent::Events,
    Intent::Yaml,
    Intent::Restart,
    Intent::PauseOrResume,
    Intent::Scale,
    Intent::SetImage,
    Intent::Describe,
    Intent::HandOver,
    Intent::Mark,
    Intent::OnlyTrouble,
    Intent::AllNamespaces,
];

const SERVICE: &[Intent] = &[
    Intent::RollBack,
    Intent::Promote,
    Intent::Abort,
    Intent::Weight,
    Intent::Open,
    Intent::Logs,
    Intent::OtherPane,
    Intent::Changes,
    Intent::PreviousLogs,
    Intent::Yaml,
    Intent::Events,
    Intent::Describe,
    Intent::HandOver,
    Intent::Back,
    Intent::Restart,
    Intent::PauseOrResume,
    Intent::Scale,
    Intent::SetImage,
    Intent::DeletePod,
];

const LOGS: &[Intent] = &[
    Intent::Back,
    Intent::FollowLogs,
    Intent::Find,
    Intent::FindNext,
    Intent::OnlyLines,
    Intent::Since,
    Intent::PreviousLogs,
    Intent::NextPod,
    Intent::NextContainer,
    Intent::HandOver,
    Intent::Copy,
];

const TABLE: &[Intent] = &[
    Intent::Open,
    Intent::Back,
    Intent::Filter,
    Intent::Retry,
    Intent::Sort,
    Intent::Wide,
    Intent::Logs,
    Intent::Describe,
    Intent::Yaml,
    Intent::HandOver,
];

fn wanted(place: Place) -> &'static [Intent] {
    match place {
        Place::Board => BOARD,
        Place::Service => SERVICE,
        Place::Logs => LOGS,
        Place::Text => &[
            Intent::RollBack,
            Intent::StopBuild,
            Intent::Back,
            Intent::Find,
            Intent::FindNext,
            Intent::Copy,
            Intent::Retry,
        ],
        Place::Doctor => &[Intent::Back, Intent::Retry],
        Place::Changes => &[
            Intent::Open,
            Intent::RollBack,
            Intent::SetMoment,
            Intent::Filter,
            Intent::Copy,
            Intent::Retry,
            Intent::History,
            Intent::Back,
        ],
        Place::Matrix => &[
            Intent::Promote,
            Intent::Open,
            Intent::Mark,
            Intent::Filter,
            Intent::Sort,
            Intent::Retry,
            Intent::Back,
        ],
        Place::Table => TABLE,
        Place::Builds => &[
            Intent::Open,
            Intent::Build,
            Intent::StopBuild,
            Intent::Copy,
            Intent::Retry,
            Intent::Back,
        ],
        Place::Record => &[
            Intent::Open,
            Intent::Undo,
            Intent::Finish,
            Intent::Filter,
            Intent::Copy,
            Intent::Back,
            Intent::Retry,
        ],
        Place::Plan => &[
            Intent::Confirm,
            Intent::Accept,
            Intent::Override,
            Intent::Reason,
            Intent::Arm,
            Intent::Copy,
            Intent::Retry,
            Intent::Back,
        ],
        Place::Help => &[Intent::Back],
    }
}

fn of_build(model: &Model, shown: &BuildBox) -> Vec<Hint> {
    let confirm = key(model, Intent::Confirm);
    let wanted: &[(&str, &'static str)] = match &shown.stage {
        _ if shown.name.is_some() => &[("enter", "starts it"), ("esc", "leaves the field")],
        BuildStage::Filling => &[
            ("enter", "that is all"),
            ("tab", "next choice"),
            ("↑ ↓", "other field"),
            ("esc", "cancel"),
        ],
        BuildStage::Ready if shown.wish.level == Level::Open => {
            &[("enter", "do it"), ("esc", "back")]
        }
        BuildStage::Ready => &[(&confirm, "do it"), ("esc", "back")],
        BuildStage::Went(BuildProgress::Builds(_)) => &[("enter", "its log"), ("esc", "close")],
        BuildStage::Reading | BuildStage::Asked | BuildStage::Went(_) => &[("esc", "close")],
    };
    let mut hints = fixed_hints(wanted);
    if build::has_other_way(model, shown) {
        hints.extend(fixed_hints(&[(
            &key(model, Intent::OtherBuild),
            "from its folder",
        )]));
    }
    hints
}

fn of_image(model: &Model, shown: &ImageBox) -> Vec<Hint> {
    if shown.typing() {
        return fixed_hints(&[("enter", "takes it"), ("esc", "leaves the field")]);
    }
    let mut wanted: Vec<(Intent, &'static str)> = Vec::new();
    if let ImageStage::Shown(plan) = &shown.stage {
        wanted.push(match plan.level {
            Level::Open => (Intent::Accept, "do it"),
            Level::Guarded | Level::Protected => (Intent::Confirm, "do it"),
        });
        let missing = image::missing(model, shown);
        if missing.iter().any(|m| matches!(m, Missing::Override(_))) {
            wanted.push((Intent::Override, "override"));
        }
        if missing.contains(&Missing::Arming) {
            wanted.push((Intent::Arm, "arm"));
        }
        wanted.push((Intent::Reason, "reason"));
    }
    if image::has_other_way(model, shown) {
        wanted.push((Intent::OtherBuild, "by its server"));
    }
    wanted.extend([(Intent::Retry, "again"), (Intent::Back, "cancel")]);
    let keys: Vec<_> = wanted
        .iter()
        .map(|(intent, what)| (key(model, *intent), *what))
        .collect();
    let keys: Vec<_> = keys
        .iter()
        .map(|(key, what)| (key.as_str(), *what))
        .collect();
    fixed_hints(&keys)
}

fn batch_hints(model: &Model) -> Vec<Hint> {
    let Some(batch) = &model.batch else {
        return Vec::new();
    };
    if batch.question.is_some() {
        return fixed_hints(&[("enter", "shows the plans"), ("esc", "cancels")]);
    }
    if batch::typing(batch) {
        return fixed_hints(&[("enter", "takes it"), ("esc", "leaves the field")]);
    }
    let wanted: &[(Intent, &'static str)] = if batch.detail {
        &[(Intent::Back, "the list")]
    } else if batch.run.is_none() {
        &[
            (Intent::Confirm, "do it"),
            (Intent::Mark, "leave out"),
            (Intent::Accept, "its plan"),
            (Intent::Reason, "reason"),
            (Intent::Arm, "arm"),
            (Intent::Retry, "again"),
            (Intent::Copy, "copy"),
            (Intent::Back, "cancel"),
        ]
    } else {
        &[
            (Intent::Stop, "begin no more"),
            (Intent::Accept, "its plan"),
            (Intent::Copy, "copy"),
            (Intent::Back, "close"),
        ]
    };
    let hint = |&(intent, what): &(Intent, &'static str)| {
        let key = model.settings.keymap.shown(intent)?;
        Some(Hint {
            key,
            what,
            dimmed: None,
        })
    };
    wanted.iter().filter_map(hint).collect()
}

/// Without a row there is nothing that most keys of the board could act on.
fn useful(model: &Model, intent: Intent) -> bool {
    let needs_row = matches!(
        intent,
        Intent::Open
            | Intent::RollBack
            | Intent::Restart
            | Intent::PauseOrResume
            | Intent::Scale
            | Intent::SetImage
            | Intent::Mark
            | Intent::Filter
            | Intent::Logs
            | Intent::Events
            | Intent::Describe
            | Intent::Yaml
            | Intent::HandOver
            | Intent::OnlyTrouble
    );
    let hidden = matches!(intent, Intent::Filter | Intent::OnlyTrouble) && model.board.hidden > 0;
    let all_connected = model.clusters.iter().all(ClusterState::connected);
    if let Some(Overlay::Plan(shown)) = &model.overlay {
        return in_plan(model, shown, intent);
    }
    if let (Intent::DeletePod, Some(Screen::Service(screen))) = (intent, model.screens.last()) {
        return screen.pane == Pane::Pods;
    }
    if let (Intent::RollBack, Some(Screen::Text(screen))) = (intent, model.screens.last()) {
        return matches!(&screen.kind, TextKind::Releases(of) if of.marked.is_some());
    }
    if let (Intent::StopBuild, Some(Screen::Text(_))) = (intent, model.screens.last()) {
        return image::under_way(model).is_some();
    }
    if let (Intent::Logs, Some(Screen::Table(screen))) = (intent, model.screens.last()) {
        return screen.kind().is_some_and(ApiKind::is_pod);
    }
    match intent {
        Intent::Promote => place(model) == Place::Matrix || works(model, promotes(model)),
        Intent::Abort => works(model, Verb::Abort),
        Intent::Weight => works(model, Verb::SetWeight),
        Intent::RollBack | Intent::SetImage if borrows(model) => false,
        Intent::LogIn => waits_for_login(model),
        Intent::AllNamespaces => place(model) != Place::Board || model.connected(),
        Intent::Retry => place(model) != Place::Board || !all_connected || waits(model),
        _ => !needs_row || hidden || place(model) != Place::Board || model.board.cursor.is_some(),
    }
}

/// What the cursor is on, or what has a screen of its own.
pub fn looked_at(model: &Model) -> Option<&WorkloadId> {
    match model.screens.last() {
        Some(Screen::Service(screen)) => Some(&screen.workload),
        Some(_) => None,
        None => model.board.cursor.as_ref().map(|(id, _)| id),
    }
}

/// It runs the template of another workload, where that is changed.
fn borrows(model: &Model) -> bool {
    let workload = looked_at(model).and_then(|id| model.fleet.workload(id));
    let canary = workload.and_then(|workload| workload.canary.as_deref());
    canary.is_some_and(|canary| canary.template_of.is_some())
}

/// The canary there would do what it is told.
fn works(model: &Model, verb: Verb) -> bool {
    let workload = looked_at(model).and_then(|id| model.fleet.workload(id));
    workload.is_some_and(|workload| can::works(workload, verb).is_ok())
}

/// The verb of [`Intent::Promote`] where one looks.
fn promotes(model: &Model) -> Verb {
    let workload = looked_at(model).and_then(|id| model.fleet.workload(id));
    workload.map_or(Verb::Promote, can::lets_on)
}

fn waits_for_login(model: &Model) -> bool {
    let mut clusters = model.clusters.iter();
    clusters.any(|cluster| answering(model, cluster).login)
}

/// Some source waits before it tries again.
fn waits(model: &Model) -> bool {
    let mut sources = model.sources.values();
    sources.any(|source| matches!(source.health, Health::Retrying { .. }))
}

/// What a plan takes in the state that it is in.
fn in_plan(model: &Model, shown: &PlanBox, intent: Intent) -> bool {
    let Stage::Shown { plan, .. } = &shown.stage else {
        return match &shown.stage {
            Stage::Asking(_) | Stage::Gathering { .. } | Stage::Shown { .. } => {
                intent == Intent::Back
            }
            Stage::Refused { .. } => matches!(intent, Intent::Retry | Intent::Back),
            Stage::Executing { .. } | Stage::Unknown { .. } => {
                matches!(intent, Intent::Copy | Intent::Back)
            }
        };
    };
    let overridable = |m: &Missing| matches!(m, Missing::Override(_));
    match intent {
        Intent::Confirm => plan.level != Level::Open,
        Intent::Accept => plan.level == Level::Open,
        Intent::Arm => plan.level == Level::Protected,
        Intent::Override => missing(model, shown).iter().any(overridable),
        // Of several.
        Intent::Mark | Intent::Stop => false,
        _ => true,
    }
}

fn hint(model: &Model, intent: Intent) -> Option<Hint> {
    let entry = intent.entry();
    let release = entry.release && entry.intent == Intent::RollBack;
    Some(Hint {
        key: model.settings.keymap.shown(intent)?,
        what: what(model, entry),
        dimmed: if release { why_dimmed(model) } else { None },
    })
}

/// While the box of something under way is closed.
fn follow_hint(model: &Model) -> Option<Intent> {
    let here = Intent::ShowFollow.entry().places.contains(&place(model));
    let closed = model.follows.iter().any(|following| !following.open) || model.batch.is_some();
    (here && closed).then_some(Intent::ShowFollow)
}

fn what(model: &Model, entry: &Entry) -> &'static str {
    if let (Intent::Open, Some(Screen::Service(screen))) = (entry.intent, model.screens.last()) {
        return match screen.pane {
            Pane::History => "compare",
            Pane::Pods => "logs",
        };
    }
    if entry.intent == Intent::Promote && promotes(model) == Verb::Retry {
        return "retry";
    }
    entry.hint
}

fn why_dimmed(model: &Model) -> Option<String> {
    if model.settings.readonly {
        return Some("read-only".into());
    }
    let (id, _) = model.board.cursor.as_ref()?;
    missing_permission(model, id)
}

fn sort_hints() -> Vec<Hint> {
    let keys = [
        ("t", "trouble"),
        ("n", "name"),
        ("c", "changed"),
        ("v", "version"),
        ("s", "namespace"),
        ("e", "environment"),
        ("esc", "leave it"),
    ];
    fixed_hints(&keys)
}

/// Keys that no keymap changes.
fn fixed_hints(keys: &[(&str, &'static str)]) -> Vec<Hint> {
    let hint = |&(key, what): &(&str, &'static str)| Hint {
        key: key.into(),
        what,
        dimmed: None,
    };
    keys.iter().map(hint).collect()
}

/// Keys under a title: `(keys, what they do)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub title: &'static str,
    pub keys: Vec<(String, String)>,
}

/// The help: under each heading, the keys and what they do where one is now.
pub fn help(model: &Model) -> Vec<Section> {
    let here = match &model.overlay {
        Some(Overlay::Help { .. }) => under_help(model),
        Some(_) | None => place(model),
    };
    let section = |group: Group| {
        let entries = REGISTRY
            .iter()
            .filter(|e| e.group == group && e.places.contains(&here));
        let line = |e: &Entry| {
            let keys: Vec<_> = model
                .settings
                .keymap
                .keys(e.intent)
                .iter()
                .map(ToString::to_string)
                .collect();
            let keys = match (keys.as_slice(), e.intent) {
                ([], _) => format!(":{}", e.name),
                ([first, .., last], Intent::Favourite | Intent::Since) => {
                    format!("{first} to {last}")
                }
                (keys, _) => keys.join(" "),
            };
            (keys, e.title.to_owned())
        };
        Section {
            title: group.title(),
            keys: entries.map(line).collect(),
        }
    };
    Group::ALL
        .into_iter()
        .map(section)
        .filter(|section| !section.keys.is_empty())
        .collect()
}

/// The screen that the help lies over.
fn under_help(model: &Model) -> Place {
    match model.screens.last() {
        None => Place::Board,
        Some(Screen::Service(_)) => Place::Service,
        Some(Screen::Logs(_)) => Place::Logs,
        Some(Screen::Text(_)) => Place::Text,
        Some(Screen::Doctor(_)) => Place::Doctor,
        Some(Screen::Record(_)) => Place::Record,
        Some(Screen::Changes(_)) => Place::Changes,
        Some(Screen::Matrix(_)) => Place::Matrix,
        Some(Screen::Builds(_)) => Place::Builds,
        Some(Screen::Table(_)) => Place::Table,
    }
}
