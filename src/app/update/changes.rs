//! What changed: the list, the moment that it is ranked by, and what is known of one line.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::app::effect::{Asked, Compared, Effect};
use crate::app::event::{Document, JobId};
use crate::app::field::Field;
use crate::app::intent::Intent;
use crate::app::keymap::Key;
use crate::app::layout;
use crate::app::model::{Began, ChangesScreen, Model, Screen, Telling, TextKind};
use crate::domain::occurrence::{
    Difference, Origin, Report, Subject, Suspicion, What, Who, onset, ordered,
};
use crate::domain::standing::Evidence;
use crate::domain::{
    Change, ClusterId, Failure, Feed, ItemId, Known, Occurrence, Phase, SourceId, WorkloadId,
};
use crate::plan::{Target, Verb};
use crate::text::changes::{markdown, told};
use crate::text::{clock, typed_moment};

use super::key::{self, Typed};
use super::{board, next_job, notice, plan, text};

/// So many deletions are remembered.
const DELETIONS: usize = 200;
/// A trouble that is younger is what somebody looks for.
const LATELY: SignedDuration = SignedDuration::from_hours(4);

/// Of one service, or of all that is on the board. In trouble it looks before the trouble began by itself.
pub fn open(model: &mut Model, service: Option<WorkloadId>) -> Vec<Effect> {
    let troubled = service.clone().or_else(|| first_in_trouble(model));
    let began = troubled.and_then(|id| {
        let at = began(model, &id)?;
        let service = Some(id);
        Some(Began { at, service })
    });
    let job = next_job(model);
    model.screens.push(Screen::Changes(Box::new(ChangesScreen {
        job,
        service,
        tellings: BTreeMap::new(),
        read_at: None,
        began,
        moment: None,
        filter: Field::default(),
        filtering: false,
        marked: None,
        offset: 0,
    })));
    let asked = asked(model);
    if let Some(screen) = top_mut(model) {
        let ids = asked.iter().map(|one| one.cluster.clone());
        screen.tellings = ids.map(|id| (id, Telling::default())).collect();
    }
    vec![Effect::ReadChanges { job, asked }]
}

/// The clusters and namespaces of the board, or of the service alone.
fn asked(model: &Model) -> Vec<Asked> {
    let seen = |id: &ClusterId| {
        let here = model
            .deletions
            .iter()
            .filter(|one| one.subject.cluster == *id);
        here.cloned().collect()
    };
    if let Some(id) = top(model).and_then(|screen| screen.service.as_ref()) {
        return vec![Asked {
            cluster: id.cluster.clone(),
            namespaces: vec![Some(id.namespace.clone())],
            seen: seen(&id.cluster),
        }];
    }
    let asked = model.clusters.iter().map(|cluster| Asked {
        cluster: cluster.id.clone(),
        namespaces: cluster.scope.namespaces.iter().cloned().map(Some).collect(),
        seen: seen(&cluster.id),
    });
    asked.collect()
}

/// The row that somebody marked when it is in trouble; else the worst one of late, because what has been bad for days
/// is nobody's incident; else the worst one.
fn first_in_trouble(model: &Model) -> Option<WorkloadId> {
    let marked = model.board.cursor.as_ref().map(|(id, _)| id);
    let marked = marked.filter(|id| model.board.at > 0 && began(model, id).is_some());
    let of_late = |id: &&WorkloadId| {
        began(model, id).is_some_and(|at| model.clock_of(id).duration_since(at) < LATELY)
    };
    let found = marked.or_else(|| in_trouble(model).find(of_late));
    found.or_else(|| in_trouble(model).next()).cloned()
}

fn in_trouble(model: &Model) -> impl Iterator<Item = &WorkloadId> {
    let rows = model.board.rows.iter();
    let rows = rows.chain(model.board.hidden_rows.values());
    let bad = rows.filter(|r| matches!(r.standing.phase, Phase::Stalled | Phase::Degraded));
    bad.map(|row| &row.id)
}

/// When the trouble of a service began; `None` when it has none.
fn began(model: &Model, id: &WorkloadId) -> Option<Timestamp> {
    let workload = model.fleet.workload(id)?;
    let evidence = Evidence {
        workload,
        serving: model.fleet.served_by(workload),
        revisions: model.fleet.revisions(workload),
        pods: &model.fleet.pods(workload),
        warnings: &model.fleet.warnings(workload),
    };
    onset(evidence, model.clock_of(id))
}

fn top(model: &Model) -> Option<&ChangesScreen> {
    match model.screens.last() {
        Some(Screen::Changes(screen)) => Some(screen),
        Some(_) | None => None,
    }
}

fn top_mut(model: &mut Model) -> Option<&mut ChangesScreen> {
    match model.screens.last_mut() {
        Some(Screen::Changes(screen)) => Some(screen),
        Some(_) | None => None,
    }
}

pub fn told_changes(
    model: &mut Model,
    (job, cluster): (JobId, &ClusterId),
    outcome: Result<Box<Report>, Failure>,
) -> Vec<Effect> {
    let now = model.now;
    let mut screens = model.screens.iter_mut().filter_map(|screen| match screen {
        Screen::Changes(screen) => Some(screen),
        _ => None,
    });
    let Some(screen) = screens.find(|screen| screen.job == job) else {
        return Vec::new();
    };
    let Some(telling) = screen.tellings.get_mut(cluster) else {
        return Vec::new();
    };
    match outcome {
        Ok(mut report) => {
            telling.failed = None;
            telling.done = report.complete();
            if let Some(last) = &telling.last {
                report.keep(last);
            }
            telling.report = *report;
        }
        Err(failure) => {
            (telling.failed, telling.done) = (Some(failure.sentence), true);
        }
    }
    if screen.tellings.values().all(|telling| telling.done) {
        screen.read_at = Some(now);
    }
    model.dirty = true;
    Vec::new()
}

/// The lines as they are shown: filtered, and in their order.
pub fn lines<'a>(model: &Model, screen: &'a ChangesScreen) -> Vec<&'a Occurrence> {
    let suspicion = suspicion(model, screen);
    let service = screen.service.as_ref();
    let mut lines = ordered(screen.occurrences(), suspicion.as_ref(), service);
    let filter = screen.filter.value().to_lowercase();
    let words: Vec<&str> = filter.split_whitespace().collect();
    if !words.is_empty() {
        lines.retain(|one| fits(one, &words));
    }
    lines
}

/// All words must fit, `!word` must not.
fn fits(one: &Occurrence, words: &[&str]) -> bool {
    let services: Vec<_> = one.services.iter().map(ToString::to_string).collect();
    let text = format!(
        "{}\n{}\n{}\n{}\n{}\n{}",
        one.subject,
        one.subject.namespace,
        one.what.word(),
        one.words,
        one.who.name().unwrap_or(""),
        services.join("\n")
    );
    let text = text.to_lowercase();
    words.iter().all(|word| match word.strip_prefix('!') {
        Some(word) => word.is_empty() || !text.contains(word),
        None => text.contains(word),
    })
}

fn suspicion(model: &Model, screen: &ChangesScreen) -> Option<Suspicion> {
    let began = screen.began.as_ref()?;
    let about = began.service.as_ref().or(screen.service.as_ref());
    let began_of = |id: &WorkloadId| Some((id.clone(), self::began(model, id)?));
    let troubled = match about {
        Some(id) => [(id.clone(), began.at)].into(),
        None => in_trouble(model).filter_map(began_of).collect(),
    };
    Some(Suspicion {
        began: began.at,
        troubled,
    })
}

/// Where the marked line is now.
pub fn at(screen: &ChangesScreen, lines: &[&Occurrence]) -> usize {
    let marked = screen.marked.as_ref();
    let found = marked.and_then(|marked| lines.iter().position(|one| *one == marked));
    found.unwrap_or(0)
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, rows) = (layout::page(model), layout::changes_rows(model));
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let lines = lines(model, screen);
    let at = at(screen, &lines);
    let marked = lines.get(at).map(|one| (*one).clone());
    if let Some(to) = key::moved(intent, at, lines.len(), page) {
        let to_line = lines.get(to).map(|one| (*one).clone());
        if let Some(screen) = top_mut(model) {
            screen.marked = to_line;
            screen.offset = layout::scrolled(screen.offset, to, rows);
        }
        return Vec::new();
    }
    match intent {
        Intent::Filter => {
            if let Some(screen) = top_mut(model) {
                screen.filtering = true;
            }
        }
        Intent::SetMoment => {
            if let Some(screen) = top_mut(model) {
                screen.moment = Some(Field::default());
            }
        }
        Intent::Retry => return again(model),
        Intent::Back => return back(model),
        Intent::Copy => return copy(model),
        Intent::Open | Intent::History | Intent::RollBack => match marked {
            Some(marked) => return on_line(model, intent, &marked),
            None => notice(model, "there is no change under the cursor", false),
        },
        _ => {}
    }
    Vec::new()
}

fn on_line(model: &mut Model, intent: Intent, marked: &Occurrence) -> Vec<Effect> {
    if intent == Intent::Open {
        return show(model, marked);
    }
    let id = match marked.services.as_slice() {
        [only] => only.clone(),
        services => {
            let words = match services.len() {
                0 => format!("{} is about no service alone", marked.subject),
                n => format!(
                    "{} concerns {n} services: open one from the board",
                    marked.subject
                ),
            };
            notice(model, words, false);
            return Vec::new();
        }
    };
    if intent == Intent::RollBack {
        return plan::open(model, &id, Verb::Rollback, Target::Proposed);
    }
    let uid = model
        .fleet
        .workload(&id)
        .map(|workload| workload.uid.clone());
    if let Some(uid) = uid {
        return board::open(model, id, uid);
    }
    notice(model, format!("{id} is not on the board"), false);
    Vec::new()
}

/// Two revisions compared, or what is known in words.
fn show(model: &mut Model, marked: &Occurrence) -> Vec<Effect> {
    match &marked.difference {
        Difference::Revisions { workload, from, to } => {
            let title = format!("{}: {}", workload.name, marked.words);
            let revisions = Compared {
                workload: workload.clone(),
                from: from.clone(),
                to: to.clone(),
            };
            text::open_comparison(model, title, revisions)
        }
        Difference::Words(words) => {
            let (job, now) = (next_job(model), model.now);
            let mut document = Known::default();
            let lines = told(marked, now, words);
            document.learn(
                Document {
                    lines,
                    read_at: now,
                },
                now,
            );
            let kind = TextKind::Occurrence(marked.services.first().cloned());
            text::push(model, marked.subject.to_string(), kind, document, job);
            Vec::new()
        }
    }
}

/// What enter alone means in the field of the moment: the beginning of the trouble; nothing, which is the newest
/// first, when that stands there already.
pub fn proposed(model: &Model) -> Option<(Timestamp, WorkloadId)> {
    let screen = top(model)?;
    let troubled = screen.service.clone().or_else(|| first_in_trouble(model))?;
    let at = began(model, &troubled).filter(|_| screen.began.is_none())?;
    Some((at, troubled))
}

/// To the field that is open: the moment, or the filter.
pub fn field_key(model: &mut Model, pressed: Key) {
    let (now, proposed) = (model.now, proposed(model));
    let Some(screen) = top_mut(model) else {
        return;
    };
    let Some(field) = &mut screen.moment else {
        return filter_key(model, pressed);
    };
    match key::typed(field, pressed) {
        Typed::Edited | Typed::Up | Typed::Down | Typed::Complete => {}
        Typed::Left => screen.moment = None,
        Typed::Taken => {
            let typed = field.value().trim().to_owned();
            let service = None;
            let of_trouble = |(at, id)| Began {
                at,
                service: Some(id),
            };
            screen.began = match typed_moment(&typed, now) {
                Some(at) => Some(Began { at, service }),
                None if typed.is_empty() => proposed.map(of_trouble),
                None => {
                    let words = format!("{typed} is no moment: 14:02, 2026-11-27T14:02 or 20m");
                    return notice(model, words, true);
                }
            };
            (screen.moment, screen.marked, screen.offset) = (None, None, 0);
        }
    }
}

fn filter_key(model: &mut Model, pressed: Key) {
    let Some(screen) = top_mut(model) else {
        return;
    };
    match key::typed(&mut screen.filter, pressed) {
        Typed::Edited | Typed::Complete => {
            (screen.marked, screen.offset) = (None, 0);
        }
        Typed::Taken => screen.filtering = false,
        Typed::Left => (screen.filtering, screen.filter) = (false, Field::default()),
        Typed::Up => drop(act(model, Intent::Up)),
        Typed::Down => drop(act(model, Intent::Down)),
    }
}

fn back(model: &mut Model) -> Vec<Effect> {
    let Some(screen) = top_mut(model) else {
        return Vec::new();
    };
    if !screen.filter.value().is_empty() {
        screen.filter = Field::default();
        return Vec::new();
    }
    let job = screen.job;
    model.screens.pop();
    vec![Effect::Cancel { job }]
}

fn again(model: &mut Model) -> Vec<Effect> {
    let job = next_job(model);
    let Some(screen) = top_mut(model) else {
        return Vec::new();
    };
    let former = std::mem::replace(&mut screen.job, job);
    screen.read_at = None;
    for telling in screen.tellings.values_mut() {
        telling.last = Some(telling.report.clone());
        telling.done = false;
    }
    let asked = asked(model);
    vec![
        Effect::Cancel { job: former },
        Effect::ReadChanges { job, asked },
    ]
}

fn copy(model: &mut Model) -> Vec<Effect> {
    let Some(screen) = top(model) else {
        return Vec::new();
    };
    let lines = lines(model, screen);
    let ids = model.cluster_ids();
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let place = screen.service.as_ref().map_or_else(
        || ids.join(", "),
        |id| format!("{id} in {} › {}", id.cluster, id.namespace),
    );
    let text = markdown(
        &format!("What changed in {place}: {}", title(screen)),
        &screen.gaps(),
        &lines,
        screen.began.as_ref().map(|b| b.at),
    );
    vec![Effect::Copy { text }]
}

/// How the list is sorted. The header says what it is about.
pub fn title(screen: &ChangesScreen) -> String {
    let Some(Began { at, service }) = &screen.began else {
        return "the newest first".into();
    };
    let why = service
        .as_ref()
        .map(|id| format!(", when {} began to fail", id.name));
    format!("likeliest before {}{}", clock(*at), why.unwrap_or_default())
}

/// Remembers workloads that a feed says are gone. Call it before the fleet forgets them.
pub fn watch_deletions(model: &mut Model, source: &SourceId, change: &Change) {
    let gone: Vec<WorkloadId> = match (change, &source.feed) {
        (Change::Gone(ItemId::Workload(id, uid)), _) => {
            let known = model.fleet.workload(id).filter(|w| w.uid == *uid);
            known.map(|w| w.id.clone()).into_iter().collect()
        }
        (Change::Reset(_, items), Feed::Workloads(kind)) => {
            let there: BTreeSet<&WorkloadId> = items.iter().filter_map(workload_of).collect();
            let own = |id: &&WorkloadId| {
                id.kind == *kind
                    && id.cluster == source.cluster
                    && source
                        .namespace
                        .as_ref()
                        .is_none_or(|ns| *ns == id.namespace)
                    && !there.contains(id)
            };
            let ids = model.fleet.workloads().map(|w| &w.id);
            ids.filter(own).cloned().collect()
        }
        _ => return,
    };
    // After a silence it is known that it went, not when.
    let inferred = matches!(change, Change::Reset(..));
    let lines = gone.iter().map(|id| deleted(model, id, inferred));
    let lines: Vec<_> = lines.collect();
    model.deletions.extend(lines);
    while model.deletions.len() > DELETIONS {
        model.deletions.pop_front();
    }
}

fn workload_of(item: &crate::domain::Item) -> Option<&WorkloadId> {
    match item {
        crate::domain::Item::Workload(workload) => Some(&workload.id),
        _ => None,
    }
}

fn deleted(model: &Model, id: &WorkloadId, inferred: bool) -> Occurrence {
    let row = model.board.row(id);
    let words = row.map_or_else(|| "gone".into(), |row| format!("gone, was {}", row.version));
    Occurrence {
        at: model.clock_of(id),
        inferred,
        what: What::Deletion,
        subject: Subject::from(id),
        services: vec![id.clone()],
        words,
        who: Who::Unknown,
        known_from: "seen in this session",
        origin: Origin::Session,
        difference: Difference::Words(vec![
            format!("{id} in {} went away while rolldeck looked.", id.namespace),
            "The cluster keeps nothing of what is deleted, and not who did it.".into(),
        ]),
    }
}
