//! The commits between two revisions of a service, from its source repository: asked for once, and kept.

use crate::app::deliveries::of_service;
use crate::app::effect::Effect;
use crate::app::model::{Model, Screen, ServiceScreen, TextKind, TextScreen};
use crate::config::repositories;
use crate::domain::commit::{Between, Scheme, Told, in_tag, short};
use crate::domain::delivery::{Delivery, Tie};
use crate::domain::known::State;
use crate::domain::{ImageRef, Known, Revision, Workload};
use crate::text::commits;

use super::{next_job, service};

/// What can be asked of the sources of two revisions.
#[derive(Debug, Clone, PartialEq)]
pub enum Sources {
    /// No repository is configured for the service.
    Nowhere,
    /// There is nothing to ask, and why.
    Said(String),
    Between(Box<Between>),
}

/// From the older revision to the newer one. `deliveries` are those of the service, where somebody worked them out
/// already; else they are, once nothing less tells.
pub fn sources(
    model: &Model,
    workload: &Workload,
    (from, to): (&Revision, &Revision),
    deliveries: Option<&[Delivery<'_>]>,
) -> Sources {
    let settings = &model.settings;
    let service = workload.service(settings.service_label.as_deref());
    let named = workload.repository.as_deref();
    let Some(repository) = repositories::of(&settings.repositories, service, named) else {
        return Sources::Nowhere;
    };
    let scheme = repository.remote.scheme;
    let annotated = from.commit.clone().zip(to.commit.clone());
    // A template that was only given another image keeps the note of the one before.
    let annotated = annotated.filter(|(from, to)| from != to);
    let (from_id, to_id) = annotated.unwrap_or_else(|| {
        let own = deliveries.is_none().then(|| of_service(model, workload));
        let deliveries = deliveries.or(own.as_deref()).unwrap_or_default();
        let of = |revision| commit_of(model, deliveries, scheme, revision).unwrap_or_default();
        (of(from), of(to))
    });
    for (revision, id) in [(from, &from_id), (to, &to_id)] {
        if id.is_empty() {
            let rest = "no build, label or tag tells from which commit";
            return Sources::Said(format!("unknown for {}: {rest}", revision.label()));
        }
    }
    if from_id == to_id {
        return Sources::Said(format!("both are of {}", short(&from_id)));
    }
    Sources::Between(Box::new(Between {
        repository,
        from: from_id,
        to: to_id,
    }))
}

/// As its template says, the build that made it, its image, or its tag. A build that only time ties to it says nothing.
fn commit_of(
    model: &Model,
    deliveries: &[Delivery<'_>],
    scheme: Scheme,
    revision: &Revision,
) -> Option<Box<str>> {
    if let Some(commit) = &revision.commit {
        return Some(commit.clone());
    }
    let its = |delivery: &&Delivery<'_>| {
        let of = delivery.revision.map(|other| &other.uid);
        of == Some(&revision.uid) && delivery.tie.is_some_and(|tie| tie != Tie::Time)
    };
    if let Some(commit) = deliveries.iter().find(its).and_then(Delivery::commit) {
        return Some(commit.into());
    }
    let mut images = revision.containers.iter().filter(|c| !c.init);
    images.find_map(|container| {
        let label = model.chain.facts(&container.image, None).commit;
        let tag = || in_tag(scheme, ImageRef::parse(&container.image).tag?);
        label.or_else(|| tag().map(Into::into))
    })
}

/// With each tick, and when a service is opened: what its screen compares, unless it was asked for before.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    read(model, |known| known.is_none())
}

/// What failed is asked for once more.
pub fn again(model: &mut Model) -> Vec<Effect> {
    let failed = |known: &Known<Told>| matches!(known.state, State::Failed { .. });
    read(model, |known| known.is_some_and(failed))
}

fn read(model: &mut Model, wanted: impl FnOnce(Option<&Known<Told>>) -> bool) -> Vec<Effect> {
    let Some(Screen::Service(screen)) = model.screens.last() else {
        return Vec::new();
    };
    let Some(between) = shown(model, screen) else {
        return Vec::new();
    };
    if !wanted(model.chain.commits(&between)) {
        return Vec::new();
    }
    let job = next_job(model);
    model.chain.commits_mut(&between).state = State::Loading;
    model.dirty = true;
    vec![Effect::ReadCommits { job, between }]
}

fn shown(model: &Model, screen: &ServiceScreen) -> Option<Box<Between>> {
    let (workload, pair) = service::pair(model, screen)?;
    match sources(model, workload, pair, None) {
        Sources::Between(between) => Some(between),
        Sources::Nowhere | Sources::Said(_) => None,
    }
}

pub fn told(
    model: &mut Model,
    between: &Between,
    outcome: Result<Box<Told>, String>,
) -> Vec<Effect> {
    let now = model.now;
    model
        .chain
        .told_commits(between, outcome.map(|told| *told), now);
    for at in 0..model.screens.len() {
        append(model, at);
    }
    model.dirty = true;
    Vec::new()
}

/// Below a comparison that has come stand the commits, as far as they are known.
pub fn append(model: &mut Model, at: usize) {
    let Some(Screen::Text(TextScreen { kind, .. })) = model.screens.get(at) else {
        return;
    };
    let TextKind::Comparison { revisions, whole } = kind else {
        return;
    };
    let of_commits = service::named_pair(model, revisions)
        .map(|(workload, pair)| lines(model, &sources(model, workload, pair, None)));
    let whole = *whole;
    if let Some(Screen::Text(screen)) = model.screens.get_mut(at)
        && let Some((document, _)) = &mut screen.document.last
    {
        document.lines.truncate(whole);
        document.lines.extend(of_commits.into_iter().flatten());
    }
}

fn lines(model: &Model, sources: &Sources) -> Vec<String> {
    match sources {
        Sources::Nowhere => Vec::new(),
        Sources::Said(words) => vec![String::new(), format!("COMMITS {words}")],
        Sources::Between(between) => {
            let known = model.chain.commits(between).cloned().unwrap_or_default();
            commits::whole(between, &known)
        }
    }
}
