//! How what runs came here: the commit, the build that made it, and how long each part of the way took.

use jiff::SignedDuration;

use crate::domain::build::{Build, Outcome, State};
use crate::domain::delivery::{Delivery, Stage, ran};
use crate::domain::{Revision, commit};
use crate::text;

use super::super::super::theme::Role;
use super::super::builds::result;
use super::{View, version_of};

/// `#812`, of a revision whose build is known; a guess says so.
pub fn number(deliveries: &[Delivery<'_>], revision: &Revision) -> String {
    let its = deliveries.iter().find(|d| is_of(d, revision));
    let build = its.and_then(|delivery| Some((delivery.build?, delivery.tie?)));
    build.map_or_else(String::new, |(build, tie)| {
        let mark = match tie {
            crate::domain::delivery::Tie::Time => "~",
            _ => "",
        };
        format!("{mark}#{}", build.id.number)
    })
}

/// By the build that made it, else by what its images say themselves.
pub fn commit_of(view: &View<'_>, revision: &Revision) -> String {
    let its = view.deliveries.iter().find(|d| is_of(d, revision));
    let chain = &view.model.chain;
    let told = || {
        let containers = revision.containers.iter().filter(|c| !c.init);
        let mut manifests = containers.filter_map(|c| chain.image(&c.image)?.manifest.as_ref());
        manifests.find_map(|manifest| manifest.commit().map(str::to_owned))
    };
    let id = its.and_then(Delivery::commit).or_else(told);
    commit::short(&id.unwrap_or_default()).to_owned()
}

fn is_of(delivery: &Delivery<'_>, revision: &Revision) -> bool {
    let of = delivery.revision.map(|other| &other.uid);
    delivery.tie.is_some() && of == Some(&revision.uid)
}

/// What is on its way, and how the live one came: a line of so many cells each.
pub fn lines(view: &View<'_>, deliveries: &[Delivery<'_>], width: u16) -> Vec<(String, Role)> {
    let fitted = |delivery| {
        let mut lines = [Told::All, Told::Way, Told::Ends].map(|told| line(view, delivery, told));
        let fits = |line: &String| text::width(line) <= usize::from(width);
        let fitting = lines.iter().position(fits).unwrap_or(lines.len() - 1);
        std::mem::take(&mut lines[fitting])
    };
    let on_its_way = deliveries.iter().take_while(|d| d.revision.is_none());
    let mut lines: Vec<_> = on_its_way.take(1).map(|d| (fitted(d), role(d))).collect();
    let live = super::current(view).and_then(|live| deliveries.iter().find(|d| is_of(d, live)));
    lines.extend(live.map(|delivery| (fitted(delivery), Role::Dim)));
    lines
}

/// How much a line has room for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// The commit, the build and the revision, without how long each took.
    Ends,
    /// Without what the commit is about.
    Way,
    All,
}

/// `a1b9e3c new checkout flow (ana) → 3s later #812 ok 1m2s by its tag → 20s later 2.15.0 9f2c41 (rev 42), rolled out in 40s`.
fn line(view: &View<'_>, delivery: &Delivery<'_>, told: Told) -> String {
    let (later, way) = (move |took| later(took, told), told >= Told::Way);
    let mut parts = Vec::new();
    if let Some(build) = delivery.build {
        parts.extend(commit(delivery, build, told));
        let took = ran(build, view.model.now).map(|took| text::duration(took.as_secs()));
        let took = took.map_or_else(String::new, |took| format!(" {took}"));
        let tie = delivery
            .tie
            .map_or_else(String::new, |tie| format!(" {}", tie.words()));
        let result = result(build, view.model.now);
        let after = delivery.picked_up().map_or_else(String::new, later);
        parts.push(format!("{after}#{} {result}{took}{tie}", build.id.number));
    }
    match (delivery.revision, delivery.stage()) {
        (Some(revision), _) => {
            let waited = delivery.waited().map_or_else(String::new, later);
            let version = version_of(view, revision);
            let took = delivery.rolled_out(view.workload).map(seconds);
            let took = took.filter(|_| way);
            let took = took.map_or_else(String::new, |took| format!(", rolled out in {took}"));
            let digest = super::history::digest(view, revision);
            let what = match digest.as_str() {
                "" => version,
                digest if !way || version.contains(digest) => version,
                digest => format!("{version} {digest}"),
            };
            parts.push(format!("{waited}{what} ({}){took}", revision.label()));
        }
        (None, Stage::Built) => parts.push("no revision runs it".into()),
        (None, Stage::Building | Stage::Stopped(_) | Stage::Released) => {}
    }
    parts.join(" → ")
}

fn commit(delivery: &Delivery<'_>, build: &Build, told: Told) -> Option<String> {
    let id = delivery.commit()?;
    let id = commit::short(&id);
    let newest = build.commits.first().filter(|_| told == Told::All);
    Some(match newest {
        Some(newest) => format!("{id} {} ({})", newest.subject, newest.author),
        None => id.to_owned(),
    })
}

fn later(waited: SignedDuration, told: Told) -> String {
    match told {
        Told::Ends => String::new(),
        Told::Way | Told::All => format!("{} later ", seconds(waited)),
    }
}

fn seconds(took: SignedDuration) -> String {
    text::duration(u64::try_from(took.as_secs()).unwrap_or(0))
}

fn role(delivery: &Delivery<'_>) -> Role {
    match delivery.build.map(|build| build.state) {
        Some(State::Running) => Role::Moving,
        Some(State::Done(Outcome::Success | Outcome::Unstable)) => Role::Good,
        Some(State::Done(_)) => Role::Bad,
        None => Role::Plain,
    }
}
