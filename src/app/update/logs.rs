//! Logs of one container, in bounded memory.

use crate::app::effect::Effect;
use crate::app::event::{JobId, LogNews};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{LogScreen, Model, Screen, Search};
use crate::domain::{Run, WorkloadId};

use super::find::{self, Way};
use super::{board, key, next_job, notice, service};

/// Lines and bytes that are kept.
const LINES: usize = 20_000;
const BYTES: usize = 8 * 1024 * 1024;

/// The logs of `pod`, else of the pod that shows the trouble, else of the first.
pub fn open(
    model: &mut Model,
    id: &WorkloadId,
    pod: Option<Box<str>>,
    previous: bool,
) -> Vec<Effect> {
    let pods = service::pods(&model.fleet, id);
    let standing = model.fleet.standing(id, model.clock_of(id));
    let named = pod.or_else(|| standing.and_then(|s| s.why).and_then(|why| why.pod));
    let Some(pod) = named.or_else(|| pods.first().map(|pod| pod.name.clone())) else {
        // Looking at the service is what opens the watch of its pods.
        if model.screens.is_empty()
            && let Some(workload) = model.fleet.workload(id)
        {
            let uid = workload.uid.clone();
            board::open(model, id.clone(), uid);
        }
        if let Some(Screen::Service(screen)) = model.screens.last_mut() {
            screen.awaits_logs = Some(previous);
        }
        let words = "its pods are not known yet: its logs open when they are";
        notice(model, words, false);
        return Vec::new();
    };
    let container = containers(model, id, &pod).into_iter().next();
    stream(model, id.clone(), pod, container, previous)
}

/// Opens what was asked for before a pod was known, unless another screen was opened since.
pub fn open_awaited(model: &mut Model) -> Vec<Effect> {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let Some(previous) = screen.awaits_logs else {
        return Vec::new();
    };
    let id = screen.workload.clone();
    if service::pods(&model.fleet, &id).is_empty() {
        return Vec::new();
    }
    if let Some(Screen::Service(screen)) = model.screens.last_mut() {
        screen.awaits_logs = None;
    }
    model.notice = None;
    open(model, &id, None, previous)
}

/// Containers of a pod, the one in trouble first.
fn containers(model: &Model, id: &WorkloadId, pod: &str) -> Vec<Box<str>> {
    let pods = service::pods(&model.fleet, id);
    let Some(pod) = pods.into_iter().find(|p| *p.name == *pod) else {
        return Vec::new();
    };
    let mut containers: Vec<_> = pod.containers.iter().collect();
    containers.sort_by_key(|c| {
        let over = c.init && !matches!(c.run, Run::Running { .. } | Run::Waiting { .. });
        (over, c.ready, c.init)
    });
    containers.into_iter().map(|c| c.name.clone()).collect()
}

fn stream(
    model: &mut Model,
    workload: WorkloadId,
    pod: Box<str>,
    container: Option<Box<str>>,
    previous: bool,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    let job = next_job(model);
    if let Some(Screen::Logs(old)) = model.screens.last() {
        effects.push(Effect::Cancel { job: old.job });
        model.screens.pop();
    }
    effects.push(Effect::StreamLogs {
        job,
        workload: workload.clone(),
        pod: pod.clone(),
        container: container.clone(),
        previous,
    });
    model.screens.push(Screen::Logs(LogScreen {
        job,
        workload,
        pod,
        container,
        previous,
        lines: std::collections::VecDeque::new(),
        bytes: 0,
        dropped: 0,
        at: None,
        ended: None,
        search: Search::default(),
    }));
    model.work.wishes = true;
    effects
}

pub fn logged(model: &mut Model, job: JobId, news: LogNews) -> Vec<Effect> {
    let on_top = model.screens.len();
    let screen = model
        .screens
        .iter_mut()
        .enumerate()
        .find_map(|(i, screen)| match screen {
            Screen::Logs(screen) if screen.job == job => Some((i + 1 == on_top, screen)),
            Screen::Logs(_)
            | Screen::Service(_)
            | Screen::Text(_)
            | Screen::Doctor(_)
            | Screen::Record(_) => None,
        });
    let Some((visible, screen)) = screen else {
        return Vec::new();
    };
    match news {
        LogNews::Lines(lines) => keep(screen, lines),
        LogNews::Ended { why } => screen.ended = Some(why),
    }
    model.dirty |= visible;
    Vec::new()
}

fn keep(screen: &mut LogScreen, lines: Vec<String>) {
    for line in lines {
        screen.bytes += line.len();
        screen.lines.push_back(line);
    }
    while screen.lines.len() > LINES || screen.bytes > BYTES {
        let Some(line) = screen.lines.pop_front() else {
            break;
        };
        screen.bytes -= line.len();
        screen.dropped += 1;
        // What one reads stays where it is, as long as it is kept.
        screen.at = screen.at.map(|at| at.saturating_sub(1));
    }
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let page = layout::page(model);
    let last = last_top(model);
    let Some(Screen::Logs(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    if let Some(to) = key::moved(intent, screen.at.unwrap_or(last), last + 1, page) {
        screen.at = (to < last).then_some(to);
        return Vec::new();
    }
    match intent {
        Intent::Back => {
            let job = screen.job;
            model.screens.pop();
            model.work.wishes = true;
            return vec![Effect::Cancel { job }];
        }
        Intent::FollowLogs => {
            screen.at = if screen.at.is_some() {
                None
            } else {
                Some(last)
            }
        }
        Intent::Find => screen.search.open = true,
        Intent::FindNext => find::go(model, Way::Next),
        Intent::FindPrevious => find::go(model, Way::Previous),
        Intent::PreviousLogs => {
            let (id, pod, container) = (
                screen.workload.clone(),
                screen.pod.clone(),
                screen.container.clone(),
            );
            let previous = !screen.previous;
            return stream(model, id, pod, container, previous);
        }
        Intent::NextPod => return next(model, true),
        Intent::NextContainer => return next(model, false),
        Intent::Copy => {
            let lines: Vec<&str> = screen.lines.iter().map(String::as_str).collect();
            return vec![Effect::Copy {
                text: lines.join("\n"),
            }];
        }
        Intent::Retry => {
            let (id, pod, container) = (
                screen.workload.clone(),
                screen.pod.clone(),
                screen.container.clone(),
            );
            let previous = screen.previous;
            return stream(model, id, pod, container, previous);
        }
        _ => {}
    }
    Vec::new()
}

/// The line at the top while the end is followed.
pub fn last_top(model: &Model) -> usize {
    match model.screens.last() {
        Some(Screen::Logs(screen)) => {
            layout::last_top(model, screen.lines.iter().map(String::as_str))
        }
        Some(Screen::Service(_) | Screen::Text(_) | Screen::Doctor(_) | Screen::Record(_))
        | None => 0,
    }
}

fn next(model: &mut Model, pod: bool) -> Vec<Effect> {
    let Some(Screen::Logs(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let (id, previous) = (screen.workload.clone(), screen.previous);
    let (now, names) = if pod {
        let pods = service::pods(&model.fleet, &id);
        (
            Some(screen.pod.clone()),
            pods.iter().map(|p| p.name.clone()).collect(),
        )
    } else {
        (
            screen.container.clone(),
            containers(model, &id, &screen.pod),
        )
    };
    let at = names.iter().position(|name| Some(name) == now.as_ref());
    let next = names
        .get(at.map_or(0, |at| (at + 1) % names.len().max(1)))
        .cloned();
    let Some(next) = next.filter(|next| Some(next) != now.as_ref()) else {
        notice(
            model,
            if pod {
                "there is no other pod"
            } else {
                "there is no other container"
            },
            false,
        );
        return Vec::new();
    };
    if pod {
        let container = containers(model, &id, &next).into_iter().next();
        stream(model, id, next, container, previous)
    } else {
        let pod = screen.pod.clone();
        stream(model, id, pod, Some(next), previous)
    }
}
