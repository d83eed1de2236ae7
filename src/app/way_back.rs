//! How many past revisions of a service can still be pulled, as far as registries told.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::effect::Effect;
use super::model::Model;
use super::wishes;
use crate::domain::{Chain, Presence, Revision, Workload, revision};

/// So many images are looked for in the background, those of the services in trouble first.
const MOST: usize = 5_000;
/// How often it is thought over which these are.
const OFTEN: SignedDuration = SignedDuration::from_secs(10);

/// The past revisions of one service, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WayBack {
    pub verified: usize,
    pub missing: usize,
    /// Nobody looked, or the registry did not tell.
    pub unknown: usize,
}

impl WayBack {
    pub fn of(model: &Model, workload: &Workload) -> Self {
        let mut back = Self::default();
        for revision in past(workload, model.fleet.revisions(workload)) {
            match pulled(&model.chain, revision) {
                Some(true) => back.verified += 1,
                Some(false) => back.missing += 1,
                None => back.unknown += 1,
            }
        }
        back
    }

    /// There are past revisions, and each of them is known to be gone.
    pub fn is_none(self) -> bool {
        self.missing > 0 && self.verified + self.unknown == 0
    }

    /// `4 verified back`, `3 of 5 verified back, 1 missing`; nothing while nothing is known.
    pub fn words(self) -> Option<String> {
        let all = self.verified + self.missing + self.unknown;
        if self.is_none() {
            return Some("none verified back: every past image is missing".into());
        }
        if self.verified + self.missing == 0 {
            return None;
        }
        let of = if self.verified == all {
            String::new()
        } else {
            format!(" of {all}")
        };
        let missing = match self.missing {
            0 => String::new(),
            missing => format!(", {missing} missing"),
        };
        Some(format!("{}{of} verified back{missing}", self.verified))
    }
}

/// Whether all its images can be pulled; nothing when that is not known of one, and none is missing.
pub fn pulled(chain: &Chain, revision: &Revision) -> Option<bool> {
    let mut all = Some(true);
    for container in &revision.containers {
        match chain.image(&container.image).map(|told| &told.presence) {
            Some(Presence::Present { .. }) => {}
            Some(Presence::Missing) => return Some(false),
            Some(Presence::Unverified(_)) | None => all = None,
        }
    }
    all
}

/// Has the engine look for others when others are wanted; for none while the board does not stand.
pub fn watch(model: &mut Model) -> Option<Effect> {
    let (_, thought) = &model.images_watched;
    let early = thought.is_some_and(|at| model.now.duration_since(at) < OFTEN);
    if early {
        return None;
    }
    model.images_watched.1 = Some(model.now);
    let wanted = if model.settings.verify_images && wishes::stands(model) {
        wanted(model)
    } else {
        Vec::new()
    };
    if wanted == model.images_watched.0 {
        return None;
    }
    model.images_watched.0.clone_from(&wanted);
    Some(Effect::WatchImages(wanted))
}

/// Of every service the newest past revision, then of every service the one before that, and so on.
fn wanted(model: &Model) -> Vec<Box<str>> {
    let board = &model.board;
    let rows = board.rows.iter().chain(board.hidden_rows.values());
    let workloads = rows.filter_map(|row| model.fleet.workload(&row.id));
    let mut pasts: Vec<_> = workloads
        .map(|workload| past(workload, model.fleet.revisions(workload)))
        .collect();
    let (mut wanted, mut seen) = (Vec::new(), BTreeSet::new());
    while wanted.len() < MOST && !pasts.is_empty() {
        pasts.retain_mut(|past| {
            let Some(revision) = past.next() else {
                return false;
            };
            let images = revision.containers.iter().map(|c| &c.image);
            wanted.extend(images.filter(|image| seen.insert(*image)).cloned());
            true
        });
    }
    wanted.truncate(MOST);
    wanted
}

/// Newest first.
fn past<'a>(
    workload: &Workload,
    revisions: &'a [Revision],
) -> impl Iterator<Item = &'a Revision> + use<'a> {
    let current = revision::current(workload, revisions).map(|current| current.uid.clone());
    let is_past = move |revision: &&Revision| Some(&revision.uid) != current.as_ref();
    revisions.iter().filter(is_past)
}
