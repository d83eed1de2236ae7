//! Which change most likely did it: close before the trouble began, of the kind that breaks things, and about the
//! service that is in trouble.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Occurrence, What, newest_first};
use crate::domain::WorkloadId;

/// Times are whole seconds, and a trouble that begins with a rollout begins in its second.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// Who became unwell within this of the moment is of this trouble: one types the moment by heart, and clusters say late that
/// something is unwell.
const TOGETHER: SignedDuration = SignedDuration::from_hours(1);

/// When it began, and who suffers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suspicion {
    pub began: Timestamp,
    /// The services in trouble, and since when; the one that is asked about alone, when one is.
    pub troubled: BTreeMap<WorkloadId, Timestamp>,
}

impl Suspicion {
    /// It happened before the trouble, or with it.
    pub fn holds(&self, occurrence: &Occurrence) -> bool {
        occurrence.at <= self.began + SLACK
    }

    /// Higher is likelier. Nothing that came later did it.
    fn score(&self, occurrence: &Occurrence) -> u64 {
        if !self.holds(occurrence) {
            return 0;
        }
        let minutes = self.began.duration_since(occurrence.at).as_mins().max(0);
        let away = 10 + u64::try_from(minutes).unwrap_or(0);
        1_000_000 * weight(occurrence.what) * self.nearness(occurrence) / away
    }

    /// What concerns a service that became unwell then counts most, then one that was unwell for long or is since lately,
    /// then the neighbours.
    fn nearness(&self, occurrence: &Occurrence) -> u64 {
        let since = occurrence
            .services
            .iter()
            .filter_map(|id| self.troubled.get(id));
        let apart = since
            .map(|since| since.duration_since(self.began).abs())
            .min();
        let beside = |other: &WorkloadId| {
            other.cluster == occurrence.subject.cluster
                && other.namespace == occurrence.subject.namespace
        };
        if occurrence.what == What::Warning {
            return 1;
        }
        match apart {
            Some(apart) if apart <= TOGETHER => 40,
            Some(_) => 4,
            None if self.troubled.keys().any(beside) => 2,
            None => 1,
        }
    }
}

/// The likeliest first; what came after the trouble last, the nearest to it first.
fn rank(occurrences: &mut [&Occurrence], suspicion: &Suspicion) {
    occurrences.sort_by_cached_key(|one| {
        let after = !suspicion.holds(one);
        let distance = one.at.duration_since(suspicion.began).abs();
        (
            after,
            Reverse(suspicion.score(one)),
            distance,
            one.subject.clone(),
        )
    });
}

/// How often a change of this kind is what broke a service, by rough experience: new bytes and new settings do,
/// a routine move of an autoscaler hardly ever does.
fn weight(what: What) -> u64 {
    match what {
        What::Release => 10,
        What::Config | What::Secret => 9,
        What::Deletion => 8,
        What::Rollback | What::Helm | What::Sync | What::Spec | What::Node => 6,
        What::Scale | What::Restart | What::Action => 4,
        What::Autoscaler => 2,
        What::Warning => 1,
    }
}

/// The list as a person reads it: by suspicion, when it is known when the trouble began; else the newest first, and
/// before all what concerns the `service` that is asked about.
pub fn ordered<'a>(
    mut list: Vec<&'a Occurrence>,
    suspicion: Option<&Suspicion>,
    service: Option<&WorkloadId>,
) -> Vec<&'a Occurrence> {
    if let Some(suspicion) = suspicion {
        rank(&mut list, suspicion);
    } else {
        list.sort_by(|a, b| newest_first(a, b));
        list.sort_by_key(|one| service.is_some_and(|id| !one.services.contains(id)));
    }
    list
}
