//! The terminal handed to another program: the menu at the marked object, what stands against it, and its end.

use crate::app::effect::{Effect, HandOver};
use crate::app::event::{Ended, JobId};
use crate::app::field::Field;
use crate::app::handover::{Offer, Subject, offers};
use crate::app::intent::{Intent, Place};
use crate::app::keymap::{Code, Key};
use crate::app::model::{HandOverMenu, Model, Overlay, Pane, Screen};
use crate::app::words;
use crate::config::handover::On;
use crate::domain::{Level, WorkloadId};

use super::key::{self, Typed};
use super::{arm, logs, next_job, notice};

pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(subject) = subject(model) else {
        notice(model, "there is nothing marked to hand over at", false);
        return Vec::new();
    };
    let offers = offers_for(model, &subject);
    let mut programs: Vec<String> = offers
        .iter()
        .filter_map(|o| o.arguments.first().cloned())
        .collect();
    programs.sort();
    programs.dedup();
    let job = next_job(model);
    model.overlay = Some(Overlay::HandOver(Box::new(HandOverMenu {
        subject,
        offers,
        selected: 0,
        asking: None,
        job,
        missing: Vec::new(),
    })));
    vec![Effect::FindPrograms { job, programs }]
}

/// The first program that is called a shell, at once.
pub fn shell(model: &mut Model) -> Vec<Effect> {
    let subject = subject(model).filter(|subject| subject.on == On::Pod);
    let Some(subject) = subject else {
        notice(model, "there is no pod marked for a shell", false);
        return Vec::new();
    };
    let found = offers_for(model, &subject)
        .into_iter()
        .find(|offer| offer.name.starts_with("shell"));
    let Some(offer) = found else {
        notice(
            model,
            "no program on a pod is called shell: see handover: in the configuration",
            true,
        );
        return Vec::new();
    };
    start(model, &subject, &offer, "")
}

fn offers_for(model: &Model, subject: &Subject) -> Vec<Offer> {
    let settings = &model.settings;
    offers(&settings.programs, settings.kubeconfig.as_deref(), subject)
}

/// What is marked on the screen.
fn subject(model: &Model) -> Option<Subject> {
    match model.screens.last() {
        None => model.board.cursor.as_ref().map(|(id, _)| of_service(id)),
        Some(Screen::Table(screen)) => {
            let (kind, row) = (screen.kind()?, screen.row()?);
            Some(Subject {
                on: if kind.is_pod() { On::Pod } else { On::Any },
                cluster: screen.cluster.clone(),
                namespace: Some(row.namespace.clone()).filter(|name| !name.is_empty()),
                kind: kind.word().into(),
                name: row.name.clone(),
                containers: Vec::new(),
            })
        }
        Some(Screen::Service(screen)) => Some(match (screen.pane, &screen.pod) {
            (Pane::Pods, Some(pod)) => of_pod(model, &screen.workload, pod),
            (Pane::Pods | Pane::History, _) => of_service(&screen.workload),
        }),
        Some(Screen::Logs(screen)) => Some(match &screen.choice.pod {
            Some(pod) => of_pod(model, &screen.workload, pod),
            None => of_service(&screen.workload),
        }),
        Some(
            Screen::Text(_)
            | Screen::Doctor(_)
            | Screen::Record(_)
            | Screen::Builds(_)
            | Screen::Changes(_)
            | Screen::Matrix(_),
        ) => None,
    }
}

fn of_service(id: &WorkloadId) -> Subject {
    Subject {
        on: On::Service,
        cluster: id.cluster.clone(),
        namespace: Some(id.namespace.clone()),
        kind: id.kind.short().into(),
        name: id.name.clone(),
        containers: Vec::new(),
    }
}

fn of_pod(model: &Model, id: &WorkloadId, pod: &str) -> Subject {
    Subject {
        on: On::Pod,
        kind: "pod".into(),
        name: pod.into(),
        containers: logs::containers(model, id, pod),
        ..of_service(id)
    }
}

pub fn programs_missing(model: &mut Model, job: JobId, missing: Vec<String>) -> Vec<Effect> {
    if let Some(Overlay::HandOver(menu)) = &mut model.overlay
        && menu.job == job
    {
        menu.missing = missing;
        model.dirty = true;
    }
    Vec::new()
}

/// Why a program may not be called now; `None` when it may.
pub fn refusal(model: &Model, subject: &Subject, offer: &Offer) -> Option<String> {
    if let Some(refused) = &offer.refused {
        return Some(refused.clone());
    }
    let title = offer.title();
    if !offer.writes {
        return None;
    }
    if model.settings.readonly {
        return Some(format!(
            "this session is read-only, and {title} can change something"
        ));
    }
    let armed = model.arming.is_some_and(|armed| armed.until > model.now);
    (level(model, subject) == Level::Protected && !armed).then(|| {
        let arm = words::key(model, Intent::Arm);
        format!("protected, and {title} can change something: {arm} arms it")
    })
}

/// What lies in no namespace is as protected as the most protected environment of its cluster.
fn level(model: &Model, subject: &Subject) -> Level {
    let environments = model.settings.environments.iter();
    let here = environments.filter(|e| match &subject.namespace {
        Some(namespace) => e.covers(&subject.cluster, namespace),
        None => *e.cluster == *subject.cluster.0,
    });
    let levels = here.map(|e| e.protection);
    match subject.namespace {
        Some(_) => levels.into_iter().next().unwrap_or(Level::Guarded),
        None => levels.max().unwrap_or(Level::Guarded),
    }
}

/// Something is being typed into the menu.
pub fn typing(menu: &HandOverMenu) -> bool {
    menu.asking.is_some()
}

pub fn key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let intent = model.settings.keymap.intent(Place::Help, pressed);
    let arms = model.settings.keymap.keys(Intent::Arm).contains(&pressed);
    let Some(Overlay::HandOver(menu)) = &mut model.overlay else {
        return Vec::new();
    };
    if let Some(field) = &mut menu.asking {
        return match key::typed(field, pressed) {
            Typed::Taken => choose(model),
            Typed::Left => {
                menu.asking = None;
                Vec::new()
            }
            Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => Vec::new(),
        };
    }
    let named = |offer: &Offer| offer.key.is_some_and(|key| pressed == Key::char(key));
    if let Some(at) = menu.offers.iter().position(named) {
        menu.selected = at;
        return choose(model);
    }
    if let Some(to) =
        intent.and_then(|i| key::moved(i, menu.selected, menu.offers.len(), menu.offers.len()))
    {
        menu.selected = to;
    } else if pressed.code == Code::Enter {
        return choose(model);
    } else if arms {
        return arm::turn(model);
    } else if intent == Some(Intent::Back) {
        model.overlay = None;
    }
    Vec::new()
}

/// Starts what is selected, or asks first for what it needs.
fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::HandOver(menu)) = &mut model.overlay else {
        return Vec::new();
    };
    let Some(offer) = menu.offers.get(menu.selected).cloned() else {
        return Vec::new();
    };
    let answer = menu
        .asking
        .as_ref()
        .map(|field| field.value().trim().to_owned());
    let (subject, missing) = (menu.subject.clone(), menu.missing.clone());
    if let Some(refused) = refusal(model, &subject, &offer) {
        notice(model, refused, true);
        return Vec::new();
    }
    if let Some(program) = offer
        .arguments
        .first()
        .filter(|program| missing.contains(program))
    {
        notice(model, format!("{program} is not on the PATH"), true);
        return Vec::new();
    }
    match (&offer.asks, answer) {
        (Some(_), None) => {
            if let Some(Overlay::HandOver(menu)) = &mut model.overlay {
                menu.asking = Some(Field::default());
            }
            Vec::new()
        }
        (Some(_), Some(answer)) if answer.is_empty() => Vec::new(),
        (_, answer) => start(model, &subject, &offer, &answer.unwrap_or_default()),
    }
}

fn start(model: &mut Model, subject: &Subject, offer: &Offer, answer: &str) -> Vec<Effect> {
    if let Some(refused) = refusal(model, subject, offer) {
        notice(model, refused, true);
        return Vec::new();
    }
    model.overlay = None;
    vec![Effect::HandOver(Box::new(HandOver {
        title: offer.title(),
        arguments: offer.answered(answer),
        wait: offer.wait,
        cluster: subject.cluster.clone(),
        namespace: subject.namespace.clone(),
        object: subject.object(),
    }))]
}

/// The terminal is back: how it went is said, and goes into the record.
pub fn handed_back(model: &mut Model, handed: HandOver, ended: Ended) -> Vec<Effect> {
    let (words, bad) = (sentence(&handed.title, &ended), ended != Ended::Exit(0));
    notice(model, words, bad);
    vec![Effect::RecordHandOver {
        handed: Box::new(handed),
        ended,
    }]
}

/// `kubectl exec ended with 1`.
pub fn sentence(title: &str, ended: &Ended) -> String {
    match ended {
        Ended::Exit(0) => format!("{title} ended"),
        Ended::Exit(code) => format!("{title} ended with {code}"),
        Ended::Killed(signal) => format!("{title} was killed by {signal}"),
        Ended::Failed(why) => format!("{title} {why}"),
    }
}
