//! How long it has run where it comes from, and how it fared there.

use super::{CheckId, Finding, Verdict};
use crate::domain::Phase;
use crate::plan::Origin;
use crate::text;

/// Nothing of it blocks: a fix for an incident cannot wait.
pub fn verdict(origin: &Origin, environment: &str) -> Verdict {
    let answer = |finding, sentence| Verdict {
        check: CheckId::Soak,
        finding,
        sentence,
    };
    let Some(since) = origin.since else {
        let sentence = format!("since when {environment} runs it is not known");
        return answer(Finding::Unverified, sentence);
    };
    let seconds = origin.read_at.duration_since(since).as_secs().max(0);
    let ran = format!(
        "{environment} runs it for {}",
        text::age(since, origin.read_at)
    );
    let floor = text::duration(u64::from(origin.soak));
    let young = (seconds < i64::from(origin.soak)).then(|| format!("{floor} are asked for"));
    let fares = match origin.phase {
        Phase::Steady => None,
        phase => Some(format!("it is {phase} there")),
    };
    let pods = match &origin.pods {
        Ok(pods) => pods,
        Err(why) => {
            let words = format!("{ran}; how its pods fare cannot be read: {why}");
            return answer(Finding::Unverified, words);
        }
    };
    let ready = pods.iter().filter(|pod| pod.ready).count();
    let wanted = usize::try_from(origin.workload.desired).unwrap_or(usize::MAX);
    let restarts: u32 = pods.iter().map(crate::domain::Pod::restarts).sum();
    let counted = format!("{ready} of {wanted} pods ready");
    let again = match restarts {
        0 => "no restarts".to_owned(),
        n => text::count(usize::try_from(n).unwrap_or(usize::MAX), "restart"),
    };
    let bad = fares.is_some() || ready < wanted || restarts > 0 || wanted == 0;
    let finding = if bad || young.is_some() {
        Finding::Warn
    } else {
        Finding::Ok
    };
    let parts = [young, fares, Some(counted), Some(again)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    answer(finding, format!("{ran}: {}", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, fixture};

    fn said(change: impl FnOnce(&mut Origin)) -> (Finding, String) {
        let mut workload = fixture::workload(Kind::Deployment);
        workload.desired = 2;
        let mut pod = fixture::pod(Kind::Deployment, "h", "x");
        pod.ready = true;
        for container in &mut pod.containers {
            container.restarts = 0;
        }
        let mut origin = Origin {
            workload,
            template: crate::domain::Verbatim("{}".into()),
            phase: Phase::Steady,
            pods: Ok(vec![pod.clone(), pod]),
            digests: Vec::new(),
            since: "2026-11-27T09:00:00Z".parse().ok(),
            soak: 1800,
            read_at: "2026-11-27T12:00:00Z".parse().unwrap(),
        };
        change(&mut origin);
        let verdict = verdict(&origin, "staging");
        (verdict.finding, verdict.sentence)
    }

    #[test]
    fn what_is_young_or_does_badly_warns_and_nothing_blocks() {
        let calm = "staging runs it for 3h: 2 of 2 pods ready, no restarts";
        assert_eq!(said(|_| {}), (Finding::Ok, calm.into()));
        let young = said(|origin| origin.since = "2026-11-27T11:50:00Z".parse().ok());
        let want = "staging runs it for 10m: 30m are asked for, 2 of 2 pods ready, no restarts";
        assert_eq!(young, (Finding::Warn, want.into()));
        let missing = said(|origin| origin.workload.desired = 3);
        let want = "staging runs it for 3h: 2 of 3 pods ready, no restarts";
        assert_eq!(missing, (Finding::Warn, want.into()));
        let rolling = said(|origin| origin.phase = Phase::Stalled);
        assert_eq!(rolling.0, Finding::Warn);
        assert!(rolling.1.contains("it is stalled there"), "{}", rolling.1);
        let denied = said(|origin| origin.pods = Err("no rights".into()));
        assert_eq!(denied.0, Finding::Unverified);
        let unknown = said(|origin| origin.since = None);
        assert_eq!(unknown.0, Finding::Unverified);
    }
}
