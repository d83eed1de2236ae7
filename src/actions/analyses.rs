//! The runs that judge a canary, as they are when somebody wants it to go on: its status names those of now alone, and
//! not what they measured.

use serde_json::value::RawValue;

use super::pages::every;
use crate::domain::Workload;
use crate::domain::canary::{Analysis, Canary, Provider, Step, Verdict};
use crate::plan::Verb;
use crate::sources::kube::Cluster;
use crate::sources::kube::canary::argo;
use crate::sources::kube::path::{self, Resource};

/// `None` where nothing judges it, or nobody asks. The error is why they cannot be read.
pub async fn analyses(
    cluster: &Cluster,
    verb: Verb,
    workload: &Workload,
) -> Option<Result<Box<[Analysis]>, String>> {
    let lets_on = matches!(verb, Verb::Promote | Verb::PromoteFull);
    let canary = workload.canary.as_deref().filter(|_| lets_on)?;
    let judges = canary.steps.contains(&Step::Analysis) || !canary.analyses.is_empty();
    if canary.provider != Provider::ArgoRollouts || !canary.is_partial() || !judges {
        return None;
    }
    let label = format!("rollouts-pod-template-hash={}", canary.current);
    let query = [("labelSelector", &*label)];
    let list = path::collection(Resource::AnalysisRuns, Some(&workload.id.namespace), &query);
    let items: Vec<Box<RawValue>> = match every(cluster, &list).await {
        Ok(items) => items,
        Err(error) => return Some(Err(error.to_string())),
    };
    let read = |item: &str| {
        let (_, run) = argo::analysis(&workload.id, item).ok()??;
        Some((argo::step_of(item), run))
    };
    let runs: Vec<_> = items.iter().filter_map(|item| read(item.get())).collect();
    Some(Ok(that_count(canary, &runs)))
}

/// Those of now, and the last one of each step since somebody let it on last: a step that was tried again has older ones.
fn that_count(canary: &Canary, runs: &[(Option<u32>, Analysis)]) -> Box<[Analysis]> {
    let mut found: Vec<Analysis> = canary.analyses.to_vec();
    for named in &mut found {
        if let Some((_, read)) = runs.iter().find(|(_, run)| run.name == named.name) {
            named.clone_from(read);
        }
    }
    let done = usize::try_from(canary.step).unwrap_or(usize::MAX);
    let done = &canary.steps[..done.min(canary.steps.len())];
    let waits = |step: &Step| *step == Step::Pause(None);
    let since = done.iter().rposition(waits).map_or(0, |at| at + 1);
    for at in (since..done.len()).rev() {
        let of_step = runs.iter().filter(|(step, _)| {
            let step = step.and_then(|step| usize::try_from(step).ok());
            step == Some(at)
        });
        let last = of_step.max_by_key(|(_, run)| (run.created, &run.name));
        // What was bad has been gone past by a person, for a reason.
        found.extend(
            last.map(|(_, run)| run.clone())
                .filter(|run| run.verdict == Verdict::Successful),
        );
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::sample;
    use crate::domain::fixture::ago;

    #[test]
    fn the_last_of_each_step_since_a_person_let_it_on() {
        let run = |name: &str, made: i64, verdict| Analysis {
            name: name.into(),
            verdict,
            message: "".into(),
            created: Some(ago(made)),
            metrics: [].into(),
        };
        let good = |name: &str, made| run(name, made, Verdict::Successful);
        let canary = Canary {
            steps: [
                Step::Analysis,
                Step::Pause(None),
                Step::Analysis,
                Step::Analysis,
                Step::Pause(None),
            ]
            .into(),
            step: 4,
            analyses: [Analysis {
                created: None,
                ..run("beside", 0, Verdict::Running)
            }]
            .into(),
            ..sample()
        };
        let runs = [
            (None, run("beside", 50, Verdict::Running)),
            (None, good("beside-before", 90)),
            (Some(0), good("first", 80)),
            (Some(2), run("second", 70, Verdict::Failed)),
            (Some(2), good("second.1", 60)),
            (Some(3), run("third", 40, Verdict::Inconclusive)),
        ];
        let found = that_count(&canary, &runs);
        let names: Vec<_> = found.iter().map(|run| &*run.name).collect();
        assert_eq!(names, ["beside", "second.1"]);
        assert_eq!(found[0].created, Some(ago(50)));
    }
}
