//! What happens to those who are served while pods are replaced.

use crate::domain::{Kind, Pod, Strategy, Workload};
use crate::text;

/// How many serve while it moves: what is available now, or what the strategy keeps. `moving` are the pods that the
/// controller replaces by itself; only of a Deployment that is not told.
pub fn meanwhile(workload: &Workload, moving: &[&Pod]) -> String {
    let (have, want) = (workload.counts.available, workload.desired);
    if want == 0 {
        return "scaled to zero: no pod runs before or after".into();
    }
    if workload.paused {
        return format!("{have} of {want} serve; no new pod starts until it is resumed");
    }
    match &workload.strategy {
        Strategy::Recreate => "all pods stop before the first new one starts (Recreate)".into(),
        Strategy::Rolling { .. } => {
            let (down, extra) = limits(workload);
            let kept = want - down;
            let served = if have > kept {
                format!("at least {kept} of {want} keep serving")
            } else {
                format!("{have} of {want} keep serving")
            };
            match workload.id.kind {
                Kind::Deployment | Kind::Rollout => served,
                Kind::StatefulSet | Kind::DaemonSet => {
                    let pods = text::count(moving.len(), "pod");
                    let verb = if moving.len() == 1 { "moves" } else { "move" };
                    let at_once = down.max(extra);
                    format!("{pods} of {want} {verb}, {at_once} at a time; {served}")
                }
            }
        }
        Strategy::OnDelete => {
            format!("{have} of {want} serve now; no pod moves until it is deleted")
        }
        Strategy::Other(_) => format!("{have} of {want} serve now"),
    }
}

/// As each controller counts the pods that may be down, and those that may be extra: down, a percentage is rounded
/// down, for a DaemonSet up. What would let nothing move counts as 1.
pub fn limits(workload: &Workload) -> (u32, u32) {
    let Strategy::Rolling {
        max_unavailable,
        max_surge,
        ..
    } = &workload.strategy
    else {
        return (0, 0);
    };
    let want = workload.desired;
    let (usual, daemon) = match workload.id.kind {
        Kind::Deployment | Kind::Rollout => ("25%", false),
        Kind::StatefulSet => ("1", false),
        Kind::DaemonSet => ("1", true),
    };
    let down = amount(max_unavailable.as_deref().unwrap_or(usual), want, daemon);
    let extra = match (workload.id.kind, max_surge.as_deref()) {
        (Kind::Deployment | Kind::Rollout, surge) => amount(surge.unwrap_or("25%"), want, true),
        (Kind::DaemonSet, surge) => amount(surge.unwrap_or("0"), want, true),
        (Kind::StatefulSet, _) => 0,
    };
    match (down, extra) {
        (0, 0) => (1, 0),
        (down, extra) => (down.min(want), extra.min(want)),
    }
}

fn amount(text: &str, want: u32, up: bool) -> u32 {
    match text.strip_suffix('%') {
        Some(percent) => {
            let part = u64::from(want) * percent.parse::<u64>().unwrap_or(0);
            let rounded = if up { part.div_ceil(100) } else { part / 100 };
            u32::try_from(rounded).unwrap_or(want)
        }
        None => text.parse().unwrap_or(0),
    }
}
