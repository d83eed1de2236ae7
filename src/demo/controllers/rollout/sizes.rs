//! How many pods the canary and the stable revision are to have, by weight and within the fences.

use super::Rollout;
use crate::demo::controllers::sets::Set;

/// The next sizes of the canary and of the stable ReplicaSet, on the way to those of the weight.
pub fn next(rollout: &Rollout) -> (i64, i64) {
    let (new, stable) = (rollout.newest(), rollout.stable());
    let stable = stable.filter(|_| !rollout.is_promoted());
    let wanted = rollout.wanted();
    let (surge, unavailable) = rollout.fences();
    let (to_new, to_stable) = match stable {
        Some(_) => split(wanted, weight(rollout), surge),
        None => (wanted, 0),
    };
    let size = |set: Option<&Set>| set.map_or(0, Set::replicas);
    let (mut canary, mut kept) = (size(new), size(stable));
    let others: i64 = rollout.others().iter().map(Set::replicas).sum();
    let most = wanted + surge;
    let mut room = (most - others - canary - kept).max(0);
    if stable.is_some() && kept < to_stable {
        let grown = (to_stable - kept).min(room);
        (kept, room) = (kept + grown, room - grown);
    }
    if canary < to_new {
        canary += (to_new - canary).min(room);
    }
    if others > 0 {
        return (canary, kept);
    }
    let least = wanted - unavailable;
    let grows = to_new >= size(new);
    let spare = stays(new, !grows) + stays(stable, grows) - least;
    if spare <= 0 {
        return (canary, kept);
    }
    if !grows {
        canary = canary.min(to_new.max(size(new) - spare));
        (canary, kept) = within((new, canary), (stable, kept), (least, most));
    } else if stable.is_some() {
        kept = if size(stable) > to_stable {
            to_stable.max(size(stable) - spare)
        } else {
            kept
        };
        (kept, canary) = within((stable, kept), (new, canary), (least, most));
    }
    (canary, kept)
}

/// Whether they are as the weight wants them, and serve.
pub fn reached(rollout: &Rollout) -> bool {
    let (canary, kept) = next(rollout);
    let serves = |set: &Set| set.replicas() == canary && set.counted("availableReplicas") == canary;
    let stands = |set: &Set| set.replicas() == kept && set.counted("replicas") == kept;
    let others = rollout.others();
    let left: i64 = others
        .iter()
        .map(|set| set.counted("availableReplicas"))
        .sum();
    rollout.newest().is_some_and(serves) && rollout.stable().is_some_and(stands) && left == 0
}

/// What the canary is to get: all of it once nothing else is there.
fn weight(rollout: &Rollout) -> i64 {
    if rollout.is_told_all() || rollout.stable_hash().is_empty() || rollout.is_promoted() {
        return 100;
    }
    if rollout.is_aborted() {
        return 0;
    }
    let Some(_) = rollout.step() else { return 100 };
    let done = rollout.steps()[..=rollout.index()].iter().rev();
    let weights = done.filter_map(|step| step["setWeight"].as_i64());
    weights.into_iter().next().unwrap_or(0)
}

/// The pair of whole numbers that comes nearest to a weight. One more pod than wanted may be used when there is a surge,
/// and a weight between none and all leaves neither side without a pod.
pub fn split(wanted: i64, weight: i64, surge: i64) -> (i64, i64) {
    if wanted == 0 {
        return (0, 0);
    }
    let (floor, ceiling) = (wanted * weight / 100, (wanted * weight + 99) / 100);
    let ties = |of: i64| of * weight % 100 == 50;
    let none_is_right = matches!(weight, 0 | 100) || (wanted == 1 && surge == 0);
    let mut options = Vec::new();
    if ceiling < wanted || none_is_right {
        options.push((ceiling, wanted));
    }
    if !ties(wanted) && (floor != 0 || none_is_right) {
        options.push((floor, wanted));
    }
    if surge > 0 {
        options.push((ceiling, wanted + 1));
        if !ties(wanted + 1) && (floor != 0 || none_is_right) {
            options.push((floor, wanted + 1));
        }
    }
    let off = |(canary, total): (i64, i64)| (canary * 100 - weight * total).abs();
    let nearer = |one: (i64, i64), other: (i64, i64)| off(one) * other.1 < off(other) * one.1;
    let best = options.into_iter().reduce(
        |best, option| {
            if nearer(option, best) { option } else { best }
        },
    );
    best.map_or((0, wanted), |(canary, total)| (canary, total - canary))
}

/// Pods that count on the side of those that stay. Of the side that shrinks those count too that do not serve: they must
/// not keep it from shrinking.
fn stays(set: Option<&Set>, shrinks: bool) -> i64 {
    set.map_or(0, |set| {
        if shrinks {
            set.replicas()
        } else {
            set.available()
        }
    })
}

/// Both sizes within the most pods that there may be and the fewest that have to serve.
fn within(
    (draining, mut drained): (Option<&Set>, i64),
    (staying, mut kept): (Option<&Set>, i64),
    (least, most): (i64, i64),
) -> (i64, i64) {
    let Some(staying) = staying else {
        return (drained, kept);
    };
    let serving = |set: &Set| set.counted("availableReplicas");
    let before = serving(staying);
    kept -= (kept + drained - most).max(0);
    let serve = draining.map_or(0, |set| serving(set).min(drained)) + before.min(kept);
    kept += (before - kept).max(0).min((least - serve).max(0));
    drained -= (kept + drained - most).max(0);
    (drained, kept)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_weight_becomes_whole_pods() {
        for (wanted, weight, surge, want) in [
            (5, 20, 1, (1, 4)),
            (5, 60, 1, (3, 2)),
            (10, 20, 3, (2, 8)),
            (8, 20, 2, (2, 7)),
            (8, 20, 0, (2, 6)),
            (1, 5, 1, (1, 1)),
            (1, 50, 0, (1, 0)),
            (10, 1, 0, (1, 9)),
            (5, 100, 2, (5, 0)),
            (5, 0, 2, (0, 5)),
            (0, 50, 1, (0, 0)),
        ] {
            assert_eq!(split(wanted, weight, surge), want, "{weight}% of {wanted}");
        }
    }
}
