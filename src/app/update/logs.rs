//! Logs of a service's pods read together, or of one: what is read follows the pods that come and go.

use crate::app::effect::Effect;
use crate::app::event::{JobId, LogNews};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::logs::{Choice, Containers, LogScreen, Span};
use crate::app::model::{Model, Screen};
use crate::domain::{Feed, LogLine, Run, WorkloadId};
use crate::text;

use super::find::{self, Way};
use super::{key, next_job, notice, service};

/// How far back the keys of [`Intent::Since`] look, in their order, which is k9s's.
const SPANS: [Span; 7] = [
    Span::Tail,
    Span::Kept,
    Span::Seconds(60),
    Span::Seconds(300),
    Span::Seconds(900),
    Span::Seconds(1_800),
    Span::Seconds(3_600),
];
/// Bytes of the longest log that is copied: terminals refuse more, and some hang.
const COPY: usize = 1 << 20;

/// The logs of `pod`, else of all pods that serve. What there is to read is read as soon as it is known.
pub fn open(
    model: &mut Model,
    id: &WorkloadId,
    pod: Option<Box<str>>,
    previous: bool,
) -> Vec<Effect> {
    let id = &match pod {
        Some(_) => id.clone(),
        None => service::of_pods(&model.fleet, id),
    };
    let choice = Choice {
        containers: match &pod {
            None => Containers::Main,
            // Of a pod one wants to see what is wrong with it.
            Some(pod) => containers(model, id, pod)
                .into_iter()
                .next()
                .map_or(Containers::Main, Containers::One),
        },
        pod,
        previous,
    };
    let job = next_job(model);
    let screen = LogScreen::new(job, id.clone(), choice, Span::Tail);
    start(model, screen)
}

/// Containers of a pod, the one in trouble first.
pub fn containers(model: &Model, id: &WorkloadId, pod: &str) -> Vec<Box<str>> {
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

fn start(model: &mut Model, screen: LogScreen) -> Vec<Effect> {
    model.screens.push(Screen::Logs(Box::new(screen)));
    model.work.wishes = true;
    refresh(model)
}

/// The same screen, with another choice or span: all is read anew.
fn again(model: &mut Model, choice: Choice, span: Span) -> Vec<Effect> {
    let job = next_job(model);
    let Some(Screen::Logs(old)) = model.screens.pop() else {
        return Vec::new();
    };
    let mut screen = LogScreen::new(job, old.workload, choice, span);
    (screen.wrap, screen.times) = (old.wrap, old.times);
    screen.kept.only(old.only.field.value());
    (screen.only, screen.search) = (old.only, old.search);
    let mut effects = vec![Effect::Cancel { job: old.job }];
    effects.extend(start(model, screen));
    effects
}

/// What is read is made to fit what is known of the pods, and what became of them is said in the log.
pub fn refresh(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let known = model.screens.iter().map(|screen| match screen {
        Screen::Logs(screen) => Some((
            pods_known(model, &screen.workload),
            model.clock_of(&screen.workload),
        )),
        _ => None,
    });
    let known: Vec<_> = known.collect();
    for (screen, known) in model.screens.iter_mut().zip(known) {
        let (Screen::Logs(screen), Some((complete, now))) = (screen, known) else {
            continue;
        };
        let of = (&model.fleet, &screen.workload);
        let news = screen.sources.know(of, &screen.choice, complete);
        let note = |(id, words): (u32, String)| LogLine::note(id, Some(now), words);
        screen.kept.push(news.notes.into_iter().map(note).collect());
        screen.sources.forget(|id| screen.kept.holds(id));
        if news.changed {
            effects.push(Effect::StreamLogs {
                job: screen.job,
                wish: screen.wish(),
            });
        }
    }
    effects
}

/// The first listing of its pods is complete: one that is not there is no more.
fn pods_known(model: &Model, id: &WorkloadId) -> bool {
    let of = |feed: &Feed| matches!(feed, Feed::PodsOf { workload, .. } if workload == id);
    let mut sources = model.watched.iter().filter(|source| of(&source.feed));
    let whole = |id| {
        model
            .fleet
            .workload(id)
            .is_none_or(|w| !model.fleet.revisions(w).is_empty())
    };
    sources.any(|source| model.fleet.synced(source)) && whole(id)
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
            | Screen::Table(_)
            | Screen::Record(_)
            | Screen::Builds(_)
            | Screen::Changes(_)
            | Screen::Matrix(_) => None,
        });
    let Some((visible, screen)) = screen else {
        return Vec::new();
    };
    match news {
        LogNews::Lines { lines, unseen } => {
            screen.kept.push(lines);
            screen.kept.unseen += unseen;
        }
        LogNews::Ended { why } => screen.ended = Some(why),
    }
    model.dirty |= visible;
    Vec::new()
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let page = layout::page(model);
    let last = last_top(model);
    let Some(Screen::Logs(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    let at = screen.at.map_or(last, |at| screen.kept.place(at));
    if let Some(to) = key::moved(intent, at, last + 1, page) {
        screen.at = (to < last).then(|| screen.kept.number(to));
        return Vec::new();
    }
    let (mut choice, span) = (screen.choice.clone(), screen.span);
    match intent {
        Intent::Back => {
            let job = screen.job;
            model.screens.pop();
            model.work.wishes = true;
            return vec![Effect::Cancel { job }];
        }
        Intent::FollowLogs => {
            screen.at = match screen.at {
                Some(_) => None,
                None => Some(screen.kept.number(last)),
            }
        }
        Intent::Find => screen.search.open = true,
        Intent::FindNext => find::go(model, Way::Next),
        Intent::FindPrevious => find::go(model, Way::Previous),
        Intent::OnlyLines => screen.only.open = true,
        Intent::Wrap => screen.wrap = !screen.wrap,
        Intent::Times => screen.times = !screen.times,
        Intent::Since => notice(model, "since when: 5m, 1h30m, or a key from 0 to 6", false),
        Intent::PreviousLogs => {
            choice.previous = !choice.previous;
            return again(model, choice, span);
        }
        Intent::Retry => return again(model, choice, span),
        Intent::NextPod => return next_pod(model, choice),
        Intent::NextContainer => return next_container(model, choice),
        Intent::Copy => {
            return vec![Effect::Copy {
                text: copied(screen),
            }];
        }
        _ => {}
    }
    Vec::new()
}

/// One of the keys that say how far back.
pub fn since_key(model: &mut Model, at: usize) -> Vec<Effect> {
    let span = SPANS.get(at).copied().unwrap_or_default();
    since(model, span)
}

/// `5m`, as it was typed.
pub fn since_typed(model: &mut Model, typed: &str) -> Vec<Effect> {
    let Some(seconds) = text::seconds(typed) else {
        let words = format!("{typed} is no duration: 90s, 5m and 1h30m are");
        notice(model, words, true);
        return Vec::new();
    };
    since(model, Span::Seconds(seconds))
}

fn since(model: &mut Model, span: Span) -> Vec<Effect> {
    let Some(Screen::Logs(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let choice = screen.choice.clone();
    again(model, choice, span)
}

/// The line at the top while the end is followed, by its place.
pub fn last_top(model: &Model) -> usize {
    match model.screens.last() {
        Some(Screen::Logs(screen)) => screen.last_top(model),
        Some(_) | None => 0,
    }
}

/// The newest lines that are shown, with what stands before them.
fn copied(screen: &LogScreen) -> String {
    let several = screen.sources.several();
    let mut bytes = 0;
    let mut lines: Vec<String> = Vec::new();
    for line in screen.kept.lines().rev() {
        let tag = screen.sources.get(line.stream).filter(|_| several);
        let line = match tag {
            Some(source) => format!("{}  {}", source.tag, line.text),
            None => line.text.to_string(),
        };
        bytes += line.len() + 1;
        if bytes > COPY {
            break;
        }
        lines.push(line);
    }
    lines.reverse();
    lines.join("\n")
}

/// All pods, then each alone, then all again.
fn next_pod(model: &mut Model, mut choice: Choice) -> Vec<Effect> {
    let Some((id, span)) = shown(model) else {
        return Vec::new();
    };
    let pods = service::pods(&model.fleet, &id);
    let names: Vec<_> = pods.iter().map(|pod| pod.name.clone()).collect();
    if names.len() < 2 && choice.pod.is_some() {
        notice(model, "there is no other pod", false);
        return Vec::new();
    }
    let at = names
        .iter()
        .position(|name| Some(name) == choice.pod.as_ref());
    choice.pod = match (at, &choice.pod) {
        (Some(at), _) => names.get(at + 1).cloned(),
        (None, None) => names.first().cloned(),
        (None, Some(_)) => None,
    };
    again(model, choice, span)
}

/// The main one, then each other, then all.
fn next_container(model: &mut Model, mut choice: Choice) -> Vec<Effect> {
    let Some((id, span)) = shown(model) else {
        return Vec::new();
    };
    let mut names: Vec<Box<str>> = Vec::new();
    for pod in service::pods(&model.fleet, &id) {
        if choice.pod.as_ref().is_none_or(|name| *name == pod.name) {
            names.extend(pod.containers.iter().map(|c| c.name.clone()));
        }
    }
    names.sort_unstable();
    names.dedup();
    if names.len() < 2 {
        notice(model, "there is no other container", false);
        return Vec::new();
    }
    choice.containers = match &choice.containers {
        Containers::All => Containers::Main,
        Containers::Main => Containers::One(names[0].clone()),
        Containers::One(name) => match names.iter().position(|other| other == name) {
            Some(at) if at + 1 < names.len() => Containers::One(names[at + 1].clone()),
            Some(_) | None => Containers::All,
        },
    };
    again(model, choice, span)
}

fn shown(model: &Model) -> Option<(WorkloadId, Span)> {
    match model.screens.last() {
        Some(Screen::Logs(screen)) => Some((screen.workload.clone(), screen.span)),
        Some(_) | None => None,
    }
}
