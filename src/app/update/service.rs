//! One service: its revisions and its pods, marked by name.

use crate::app::effect::{Compared, Effect, YamlOf};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{Model, Pane, Screen, ServiceScreen};
use crate::domain::{Fleet, Pod, Revision, Workload, WorkloadId, revision};
use crate::plan::{Target, Verb};

use super::{
    ask, board, build, builds, changes, commits, handover, key, logs, matrix, notice, plan,
    releases, sync, text,
};

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let lines = layout::page(model);
    let Some(Screen::Service(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    if mark(&model.fleet, screen, intent, lines) {
        return Vec::new();
    }
    let id = screen.workload.clone();
    let (pane, pod, revision) = (screen.pane, screen.pod.clone(), screen.revision.clone());
    let of_pods = of_pods(&model.fleet, &id);
    match intent {
        Intent::Back => {
            model.screens.pop();
            model.work.wishes = true;
        }
        Intent::OtherPane => other_pane(model),
        Intent::History => set_pane(model, Pane::History),
        Intent::Open if pane == Pane::Pods => return logs::open(model, &of_pods, pod, false),
        Intent::Open => return compare(model),
        Intent::Describe | Intent::Yaml => {
            let other = target(model).and(revision);
            let of = match (pane, other, pod) {
                (Pane::History, Some(name), _) => YamlOf::Revision { workload: id, name },
                (Pane::Pods, _, Some(pod)) => YamlOf::Pod {
                    workload: of_pods,
                    pod,
                },
                (Pane::History | Pane::Pods, _, _) => YamlOf::Workload(id),
            };
            return match intent {
                Intent::Describe => text::open_description(model, of),
                _ => text::open_yaml(model, of),
            };
        }
        Intent::Changes => return changes::open(model, Some(id)),
        Intent::Matrix => return matrix::open(model, Some(&id)),
        Intent::Events => return text::open_events(model, id),
        Intent::Releases => return releases::open(model, id),
        Intent::Builds => return builds::open(model, &id),
        Intent::Build => return build::open(model, &id),
        Intent::ResumeJob => return build::resume(model, &id),
        Intent::Logs | Intent::PreviousLogs => {
            let pod = pod.filter(|_| pane == Pane::Pods);
            return logs::open(model, &of_pods, pod, intent == Intent::PreviousLogs);
        }
        Intent::RollBack => {
            let target = target(model).unwrap_or(Target::Proposed);
            return plan::open(model, &id, Verb::Rollback, target);
        }
        Intent::Restart => return plan::open(model, &id, Verb::Restart, Target::Proposed),
        Intent::Promote => return plan::promote_or_retry(model, &id),
        Intent::Abort => return plan::open(model, &id, Verb::Abort, Target::Proposed),
        Intent::Weight => return ask::weight(model, &id),
        Intent::PauseOrResume => return plan::pause_or_resume(model, &id),
        // On a pod the same key is its shell.
        Intent::Scale if pane == Pane::Pods && pod.is_some() => return handover::shell(model),
        Intent::Scale => return ask::scale(model, &id),
        Intent::SetImage => return ask::set_image(model, &id),
        Intent::ResumeSync => return sync::resume(model, &id),
        Intent::DeletePod => return delete_pod(model),
        Intent::Copy => return copy(model),
        Intent::Retry => {
            let mut effects = commits::again(model);
            effects.extend(board::retry(model));
            return effects;
        }
        _ => {}
    }
    Vec::new()
}

/// The pod that is marked, and no other: its uid goes along.
fn delete_pod(model: &mut Model) -> Vec<Effect> {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let (id, pane) = (of_pods(&model.fleet, &screen.workload), screen.pane);
    let marked = screen.pod.as_ref().filter(|_| pane == Pane::Pods);
    let shown = pods(&model.fleet, &id);
    let pod = shown.iter().find(|pod| Some(&pod.name) == marked);
    let Some(target) = pod.map(|pod| Target::Pod {
        name: pod.name.clone(),
        uid: pod.uid.clone(),
    }) else {
        let pane = model.settings.keymap.shown(Intent::OtherPane);
        let words = format!(
            "mark a pod first: {} goes to the pods",
            pane.unwrap_or_default()
        );
        notice(model, words, false);
        return Vec::new();
    };
    plan::open(model, &id, Verb::DeletePod, target)
}

/// Marks the revision that runs, so that `j` goes to the one before it.
pub fn mark_current(fleet: &Fleet, screen: &mut ServiceScreen) {
    if let Some(workload) = fleet.workload(&screen.workload) {
        let current = revision::current(workload, fleet.revisions(workload));
        screen.revision = current.map(|r| r.name.clone());
    }
}

/// The one whose pods its screen shows.
pub fn of_pods(fleet: &Fleet, id: &WorkloadId) -> WorkloadId {
    let workload = fleet.workload(id);
    workload.map_or_else(
        || id.clone(),
        |workload| fleet.stand_in(workload).id.clone(),
    )
}

/// Pods in the order of the screen: the newest revision first, then what is in trouble, then by name.
pub fn pods<'a>(fleet: &'a Fleet, id: &WorkloadId) -> Vec<&'a Pod> {
    let Some(workload) = fleet.workload(id) else {
        return Vec::new();
    };
    let mut pods = fleet.pods(fleet.stand_in(workload));
    pods.sort_by(|a, b| (a.ready, &a.name).cmp(&(b.ready, &b.name)));
    pods
}

fn mark(fleet: &Fleet, screen: &mut ServiceScreen, intent: Intent, page: usize) -> bool {
    let names: Vec<Box<str>> = match (screen.pane, fleet.workload(&screen.workload)) {
        (_, None) => Vec::new(),
        (Pane::History, Some(workload)) => fleet
            .revisions(workload)
            .iter()
            .map(|r| r.name.clone())
            .collect(),
        (Pane::Pods, Some(_)) => pods(fleet, &screen.workload)
            .iter()
            .map(|p| p.name.clone())
            .collect(),
    };
    let marked = match screen.pane {
        Pane::History => &mut screen.revision,
        Pane::Pods => &mut screen.pod,
    };
    let at = names.iter().position(|name| Some(name) == marked.as_ref());
    let to = match at {
        Some(at) => key::moved(intent, at, names.len(), page),
        // Nothing is marked yet: any movement marks an end.
        None => key::moved(intent, 0, names.len(), page)
            .map(|to| if intent == Intent::Bottom { to } else { 0 }),
    };
    let Some(to) = to else { return false };
    *marked = names.get(to).cloned();
    screen.offset = layout::scrolled(screen.offset, to, page + 1);
    true
}

fn other_pane(model: &mut Model) {
    let pane = match model.screens.last() {
        Some(Screen::Service(screen)) if screen.pane == Pane::History => Pane::Pods,
        Some(_) | None => Pane::History,
    };
    set_pane(model, pane);
}

fn set_pane(model: &mut Model, pane: Pane) {
    if let Some(Screen::Service(screen)) = model.screens.last_mut() {
        screen.pane = pane;
        screen.offset = 0;
        if pane == Pane::Pods && screen.pod.is_none() {
            screen.pod = pods(&model.fleet, &screen.workload)
                .first()
                .map(|p| p.name.clone());
        }
    }
}

/// The marked revision when it is another than the one that runs; else the verb proposes one.
fn target(model: &Model) -> Option<Target> {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return None;
    };
    let workload = model.fleet.workload(&screen.workload)?;
    let name = screen.revision.as_ref()?;
    let revisions = model.fleet.revisions(workload);
    let revision = revisions.iter().find(|r| r.name == *name)?;
    let runs = revision::current(workload, revisions).is_some_and(|r| r.uid == revision.uid);
    (!runs).then(|| Target::Shown {
        name: revision.name.clone(),
        template: revision.template,
    })
}

/// The marked revision against the one that runs; that one itself against the newest before it.
fn compare(model: &mut Model) -> Vec<Effect> {
    let Some((title, revisions)) = compared(model) else {
        notice(model, "there are no two revisions to compare yet", false);
        return Vec::new();
    };
    let mut effects = commits::ask(model);
    effects.extend(text::open_comparison(model, title, revisions));
    effects
}

fn compared(model: &Model) -> Option<(String, Compared)> {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return None;
    };
    let (workload, (from, to)) = pair(model, screen)?;
    let title = format!(
        "{}: from {} to {}, which runs",
        workload.id.name,
        from.label(),
        to.label()
    );
    let revisions = Compared {
        workload: workload.id.clone(),
        from: from.name.clone(),
        to: to.name.clone(),
    };
    Some((title, revisions))
}

/// What is compared: another revision, and the one that runs.
type Pair<'a> = (&'a Workload, (&'a Revision, &'a Revision));

/// The marked revision or the newest before the one that runs, and that one.
pub fn pair<'a>(model: &'a Model, screen: &ServiceScreen) -> Option<Pair<'a>> {
    let workload = model.fleet.workload(&screen.workload)?;
    let revisions = model.fleet.revisions(workload);
    let to = revision::current(workload, revisions)?;
    let marked = revisions
        .iter()
        .find(|r| Some(&r.name) == screen.revision.as_ref() && r.uid != to.uid);
    let from = marked.or_else(|| revision::before(revisions, to))?;
    Some((workload, (from, to)))
}

/// The same, of a comparison that is open.
pub fn named_pair<'a>(model: &'a Model, compared: &Compared) -> Option<Pair<'a>> {
    let workload = model.fleet.workload(&compared.workload)?;
    let revisions = model.fleet.revisions(workload);
    let named = |name: &str| revisions.iter().find(|r| *r.name == *name);
    Some((workload, (named(&compared.from)?, named(&compared.to)?)))
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let images = || {
        let Some(Screen::Service(screen)) = model.screens.last() else {
            return None;
        };
        let workload = model.fleet.workload(&screen.workload)?;
        let revisions = model.fleet.revisions(workload);
        let marked = revisions
            .iter()
            .find(|r| Some(&r.name) == screen.revision.as_ref());
        let containers = marked.map_or(&workload.containers, |r| &r.containers);
        let images: Vec<&str> = containers.iter().map(|c| &*c.image).collect();
        Some(images.join("\n"))
    };
    let Some(text) = images() else {
        notice(model, "there is nothing to copy yet", false);
        return Vec::new();
    };
    vec![Effect::Copy { text }]
}
