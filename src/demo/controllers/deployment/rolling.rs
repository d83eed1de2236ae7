//! The sizes of the ReplicaSets on the way from old to new, within surge and unavailability.

use super::{Rollout, annotations, scale};
use crate::demo::controllers::Context;
use crate::demo::controllers::sets::Set;

/// The size that a ReplicaSet is made with.
pub fn first_replicas(rollout: &Rollout<'_>) -> i64 {
    if rollout.recreates() {
        rollout.wanted()
    } else {
        grown(rollout, 0)
    }
}

/// As many as fit into the surge.
fn grown(rollout: &Rollout<'_>, replicas: i64) -> i64 {
    let (surge, _) = rollout.fences();
    let room = rollout.wanted() + surge - rollout.pods();
    replicas + room.min(rollout.wanted() - replicas).max(0)
}

/// One step: the new one grows, or the old ones shrink.
pub fn step(context: &mut Context, rollout: &mut Rollout<'_>) {
    let Some(mut new) = rollout.new.clone() else {
        return;
    };
    let wanted = rollout.wanted();
    let size = match new.replicas() {
        size if size > wanted => wanted,
        size if size < wanted => grown(rollout, size),
        size => size,
    };
    let grows = size != new.replicas();
    scale(context, rollout, &mut new, size);
    rollout.new = Some(new);
    if !grows {
        shrink(context, rollout);
    }
}

fn shrink(context: &mut Context, rollout: &mut Rollout<'_>) {
    let Some(new) = &rollout.new else { return };
    let (_, unavailable) = rollout.fences();
    let least = rollout.wanted() - unavailable;
    let missing = new.replicas() - new.available();
    let mut room = rollout.pods() - least - missing;
    if rollout.old.iter().map(Set::replicas).sum::<i64>() == 0 || room <= 0 {
        return;
    }
    let mut old = std::mem::take(&mut rollout.old);
    // Pods that do not serve go first: nobody misses them.
    for set in &mut old {
        let idle = (set.replicas() - set.available()).clamp(0, room.max(0));
        if idle > 0 {
            let left = set.replicas() - idle;
            scale(context, rollout, set, left);
            room -= idle;
        }
    }
    let serving: i64 = old.iter().chain(&rollout.new).map(Set::available).sum();
    let mut spare = serving - least;
    for set in &mut old {
        let gone = set.replicas().min(spare);
        if gone > 0 {
            let left = set.replicas() - gone;
            scale(context, rollout, set, left);
            spare -= gone;
        }
    }
    rollout.old = old;
}

/// The number of wanted pods is another than the one that the ReplicaSets were sized for.
pub fn resized(rollout: &Rollout<'_>) -> bool {
    let active = rollout.all().filter(|set| set.replicas() > 0);
    active
        .map(annotations::sizes)
        .any(|(desired, _)| desired.is_some_and(|desired| desired != rollout.wanted()))
}

/// Shares another number of pods out among the ReplicaSets that have some.
pub fn resize(context: &mut Context, rollout: &mut Rollout<'_>) {
    let wanted = rollout.wanted();
    let (surge, _) = rollout.fences();
    let mut sets: Vec<_> = rollout.old.drain(..).chain(rollout.new.take()).collect();
    let newest = sets.len().saturating_sub(1);
    let active: Vec<_> = (0..sets.len())
        .filter(|at| sets[*at].replicas() > 0)
        .collect();
    match *active {
        [] if !sets.is_empty() => scale(context, rollout, &mut sets[newest], wanted),
        [one] => scale(context, rollout, &mut sets[one], wanted),
        _ => {
            let most = if wanted > 0 && !rollout.recreates() {
                wanted + surge
            } else {
                wanted
            };
            for (at, size) in shares(&sets, &active, most) {
                scale(context, rollout, &mut sets[at], size);
            }
        }
    }
    let template = super::bare(&rollout.value["spec"]["template"]);
    let new = sets
        .iter()
        .position(|set| super::bare(&set.value["spec"]["template"]) == template);
    rollout.new = new.map(|at| sets.remove(at));
    rollout.old = sets;
}

/// Each gets its part of the difference, the largest the rest.
fn shares(sets: &[Set], active: &[usize], most: i64) -> Vec<(usize, i64)> {
    let total: i64 = active.iter().map(|at| sets[*at].replicas()).sum();
    let mut left = most - total;
    let mut sizes: Vec<_> = active
        .iter()
        .map(|at| (*at, sets[*at].replicas()))
        .collect();
    sizes.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (at, size) in &mut sizes {
        let (_, before) = annotations::sizes(&sets[*at]);
        let before = before.unwrap_or(total).max(1);
        let part = (*size * most + before / 2) / before - *size;
        let part = if left > 0 {
            part.clamp(0, left)
        } else {
            part.clamp(left, 0)
        };
        *size += part;
        left -= part;
    }
    if let Some((_, size)) = sizes.first_mut() {
        *size = (*size + left).max(0);
    }
    sizes
}
