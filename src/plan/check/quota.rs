//! Whether the quotas of the namespace leave room for the pods that a rollout makes before it takes others away.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{CheckId, Finding, Verdict};
use crate::domain::Workload;
use crate::domain::quantity::thousandths;
use crate::plan::meanwhile::limits;

/// What a rollout needs room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Pods beside those that are there.
    pub extra: u32,
    /// Pods may be missing meanwhile, which makes room.
    pub may_be_missing: bool,
    /// What one pod asks for, by the names that quotas use, in thousandths.
    pub of_one: BTreeMap<Box<str>, i128>,
}

/// A quota and what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    pub name: Box<str>,
    /// Of `scopes` and `scopeSelector`: which pods it counts. None: all.
    pub scopes: Vec<Box<str>>,
    /// The resource, what is used, and the limit, as the server writes them.
    pub counts: Vec<(Box<str>, Box<str>, Box<str>)>,
}

/// What the rollout to `template` needs, of whose pods `to_make` are not there yet. `None` when no pod is made
/// before another has gone.
pub fn need(workload: &Workload, template: &Value, to_make: u32) -> Option<Need> {
    let (down, surge) = limits(workload);
    let most = workload.desired.saturating_add(surge);
    let extra = most.saturating_sub(workload.counts.total).min(to_make);
    (surge > 0 && extra > 0 && !workload.paused).then(|| Need {
        extra,
        may_be_missing: down > 0,
        of_one: of_one(&template["spec"]),
    })
}

/// Requests and limits of a pod: of all its containers together, or of the greatest one that runs before them.
fn of_one(spec: &Value) -> BTreeMap<Box<str>, i128> {
    let mut together = BTreeMap::new();
    let mut before: BTreeMap<Box<str>, i128> = BTreeMap::new();
    let list = |name: &str| spec[name].as_array().into_iter().flatten();
    let is_sidecar = |c: &Value| c["restartPolicy"] == "Always";
    for container in list("containers").chain(list("initContainers").filter(|c| is_sidecar(c))) {
        for (name, amount) in asked(container) {
            *together.entry(name).or_default() += amount;
        }
    }
    for container in list("initContainers").filter(|c| !is_sidecar(c)) {
        for (name, amount) in asked(container) {
            let greatest = before.entry(name).or_default();
            *greatest = amount.max(*greatest);
        }
    }
    for (name, amount) in before {
        let sum = together.entry(name).or_default();
        *sum = amount.max(*sum);
    }
    together
}

/// Where only a limit is given it is the request as well.
fn asked(container: &Value) -> BTreeMap<Box<str>, i128> {
    let mut found = BTreeMap::new();
    for (field, groups) in [
        ("limits", &["limits", "requests"][..]),
        ("requests", &["requests"]),
    ] {
        let amounts = container["resources"][field].as_object();
        for (name, amount) in amounts.into_iter().flatten() {
            let text = amount
                .as_str()
                .map_or_else(|| amount.to_string(), str::to_owned);
            let Some(amount) = thousandths(&text) else {
                continue;
            };
            for group in groups {
                found.insert(format!("{group}.{name}").into(), amount);
            }
        }
    }
    found
}

/// The tightest of all counts decides.
pub fn verdict(need: &Need, quotas: &[Quota]) -> Verdict {
    let answer = |finding, sentence: String| Verdict {
        check: CheckId::Quota,
        finding,
        sentence,
    };
    let mut tightest: Option<(i128, String)> = None;
    for quota in quotas {
        match applies(quota, need) {
            Some(true) => {}
            Some(false) => continue,
            None => {
                let sentence = format!("which pods quota {} counts is not known here", quota.name);
                return answer(Finding::Unverified, sentence);
            }
        }
        for (resource, used, hard) in &quota.counts {
            let Some(each) = one(need, resource).filter(|each| *each > 0) else {
                continue;
            };
            let (Some(has), Some(limit)) = (thousandths(used), thousandths(hard)) else {
                let sentence = format!("quota {} cannot be read: {used} of {hard}", quota.name);
                return answer(Finding::Unverified, sentence);
            };
            let fit = (limit - has).max(0) / each;
            if tightest.as_ref().is_none_or(|(least, _)| fit < *least) {
                tightest = Some((
                    fit,
                    format!("quota {}: {resource} {used} of {hard}", quota.name),
                ));
            }
        }
    }
    let extra = need.extra;
    match tightest {
        None => answer(Finding::Ok, "no quota counts its pods".into()),
        Some((fit, words)) if fit >= i128::from(extra) => answer(
            Finding::Ok,
            format!("{words}, room for the {extra} extra at a time"),
        ),
        Some((0, words)) if !need.may_be_missing => answer(
            Finding::Warn,
            format!("{words}: no new pod fits and none may be missing, so nothing would move"),
        ),
        Some((fit, words)) => answer(
            Finding::Warn,
            format!("{words}: {fit} of {extra} extra pods fit, so it moves in smaller steps"),
        ),
    }
}

/// How much of a resource one pod takes; `None` of what is not about pods.
fn one(need: &Need, resource: &str) -> Option<i128> {
    match resource {
        "pods" | "count/pods" => Some(1000),
        "cpu" | "memory" | "ephemeral-storage" => {
            need.of_one.get(&*format!("requests.{resource}")).copied()
        }
        _ => need.of_one.get(resource).copied(),
    }
}

/// Whether it counts pods that run on and on; `None` when that hangs on what is not looked at.
fn applies(quota: &Quota, need: &Need) -> Option<bool> {
    let best_effort = need.of_one.is_empty();
    let each = quota.scopes.iter().map(|scope| match &**scope {
        "NotTerminating" => Some(true),
        "Terminating" => Some(false),
        "BestEffort" => Some(best_effort),
        "NotBestEffort" => Some(!best_effort),
        _ => None,
    });
    let each: Vec<_> = each.collect();
    if each.contains(&Some(false)) {
        return Some(false);
    }
    (!each.contains(&None)).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::workload;
    use crate::domain::{Kind, Strategy};
    use serde_json::json;

    fn quota(counts: &[(&str, &str, &str)], scopes: &[&str]) -> Quota {
        let own = |(resource, used, hard): &(&str, &str, &str)| {
            ((*resource).into(), (*used).into(), (*hard).into())
        };
        Quota {
            name: "team".into(),
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            counts: counts.iter().map(own).collect(),
        }
    }

    fn template() -> Value {
        json!({"spec": {
            "initContainers": [
                {"name": "migrate", "resources": {"requests": {"cpu": "1", "memory": "10Mi"}}},
                {"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}],
            "containers": [
                {"name": "web", "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}},
                {"name": "gpu", "resources": {"limits": {"nvidia.com/gpu": 1}}}],
        }})
    }

    #[test]
    fn what_one_pod_asks_for() {
        let found = of_one(&template()["spec"]);
        let words: Vec<_> = found
            .iter()
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        let mebi = 1024 * 1024 * 1000;
        assert_eq!(
            words,
            [
                format!("limits.memory {}", 1024 * i128::from(mebi)),
                "limits.nvidia.com/gpu 1000".into(),
                "requests.cpu 1000".into(),
                format!("requests.memory {}", 64 * i128::from(mebi)),
                "requests.nvidia.com/gpu 1000".into(),
            ]
        );
    }

    #[test]
    fn only_a_rollout_that_makes_pods_first_needs_room() {
        let mut web = workload(Kind::Deployment);
        assert_eq!(need(&web, &template(), 6).unwrap().extra, 2);
        assert_eq!(need(&web, &template(), 1).unwrap().extra, 1);
        assert_eq!(need(&web, &template(), 0), None);
        // Stuck with all its surge: those make room for others.
        web.counts.total = 8;
        assert_eq!(need(&web, &template(), 3), None);
        web.counts.total = 6;
        web.paused = true;
        assert_eq!(need(&web, &template(), 6), None);
        web.paused = false;
        web.strategy = Strategy::Recreate;
        assert_eq!(need(&web, &template(), 6), None);
        assert_eq!(need(&workload(Kind::StatefulSet), &template(), 6), None);
    }

    #[test]
    fn the_tightest_count_decides() {
        use Finding::{Ok, Unverified, Warn};
        let of = |extra, may_be_missing| Need {
            extra,
            may_be_missing,
            of_one: of_one(&template()["spec"]),
        };
        for (quotas, need, finding, words) in [
            (vec![], of(2, true), Ok, "no quota counts its pods"),
            (
                vec![quota(&[("pods", "6", "10"), ("services", "9", "9")], &[])],
                of(2, true),
                Ok,
                "quota team: pods 6 of 10, room for the 2 extra at a time",
            ),
            (
                vec![quota(
                    &[("pods", "6", "10"), ("requests.cpu", "3", "4500m")],
                    &[],
                )],
                of(2, true),
                Warn,
                "quota team: requests.cpu 3 of 4500m: 1 of 2 extra pods fit, so it moves in smaller steps",
            ),
            (
                vec![quota(&[("pods", "6", "6")], &[])],
                of(2, true),
                Warn,
                "quota team: pods 6 of 6: 0 of 2 extra pods fit, so it moves in smaller steps",
            ),
            (
                vec![quota(&[("memory", "1Gi", "1Gi")], &[])],
                of(2, false),
                Warn,
                "quota team: memory 1Gi of 1Gi: no new pod fits and none may be missing, so nothing would move",
            ),
            // Over the limit, because that was lowered.
            (
                vec![quota(&[("count/pods", "8", "6")], &[])],
                of(1, false),
                Warn,
                "quota team: count/pods 8 of 6: no new pod fits and none may be missing, so nothing would move",
            ),
            (
                vec![
                    quota(&[("pods", "6", "6")], &["Terminating"]),
                    quota(&[("pods", "0", "0")], &["BestEffort"]),
                ],
                of(2, true),
                Ok,
                "no quota counts its pods",
            ),
            (
                vec![quota(
                    &[("pods", "1", "9")],
                    &["NotTerminating", "NotBestEffort"],
                )],
                of(2, true),
                Ok,
                "quota team: pods 1 of 9, room for the 2 extra at a time",
            ),
            (
                vec![quota(&[("pods", "1", "9")], &["PriorityClass"])],
                of(2, true),
                Unverified,
                "which pods quota team counts is not known here",
            ),
            (
                vec![quota(&[("pods", "some", "9")], &[])],
                of(2, true),
                Unverified,
                "quota team cannot be read: some of 9",
            ),
        ] {
            let said = verdict(&need, &quotas);
            assert_eq!((said.finding, &*said.sentence), (finding, words));
        }
    }
}
