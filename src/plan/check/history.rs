//! Whether there is a way back from the write: the cluster keeps only so many old revisions.

use super::{CheckId, Finding, Verdict};
use crate::domain::revision::same_images;
use crate::domain::{Revision, Workload};
use crate::text;

/// After a rollback that leaves `from` (a version). `others` are the revisions beside it and the target.
pub fn after_rollback(workload: &Workload, from: &str, others: usize) -> Option<Verdict> {
    let limit = workload.history_limit;
    match (limit, others) {
        (Some(0), _) => Some(warn(format!(
            "revisionHistoryLimit is 0: {from} is not kept, so this cannot be taken back"
        ))),
        (Some(limit), 0) => Some(warn(format!(
            "no other revision is kept ({limit} may be): from there the only way back is {from}"
        ))),
        (None, 0) => Some(warn(format!(
            "no other revision is kept: from there the only way back is {from}"
        ))),
        (_, _) => None,
    }
}

/// After a write that makes a revision with the images of the live one: the oldest of `old`, newest first, go.
/// Nothing to say while one with other images stays, or where there is none today.
pub fn after_same_version(workload: &Workload, old: &[&Revision]) -> Option<Verdict> {
    let limit = usize::try_from(workload.history_limit?).unwrap_or(usize::MAX);
    // The live one becomes the newest of the old.
    let kept = limit.saturating_sub(1).min(old.len());
    let other = |r: &&&Revision| !same_images(&r.containers, &workload.containers);
    if old[..kept].iter().any(|r| other(&r)) {
        return None;
    }
    let last: Vec<_> = old[kept..]
        .iter()
        .filter(other)
        .map(|r| r.label())
        .collect();
    let names: Vec<_> = last.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        warn(format!(
            "revisionHistoryLimit is {limit}: no revision with other images stays ({} {})",
            text::list(&names),
            if names.len() == 1 { "goes" } else { "go" }
        ))
    })
}

fn warn(sentence: String) -> Verdict {
    Verdict {
        check: CheckId::History,
        finding: Finding::Warn,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, revision, workload};

    #[test]
    fn the_way_back_from_a_rollback() {
        for (limit, others, want) in [
            (Some(10), 1, None),
            (None, 1, None),
            (Some(10), 0, Some("no other revision is kept (10 may be): ")),
            (None, 0, Some("no other revision is kept: ")),
            (Some(0), 3, Some("revisionHistoryLimit is 0: 2.15.0 ")),
        ] {
            let mut workload = workload(Kind::Deployment);
            workload.history_limit = limit;
            let said = after_rollback(&workload, "2.15.0", others).map(|v| v.sentence);
            match want {
                None => assert_eq!(said, None),
                Some(words) => assert!(said.as_ref().unwrap().starts_with(words), "{said:?}"),
            }
        }
    }

    #[test]
    fn a_restart_may_push_out_the_last_other_version() {
        let row = |number, image| revision(Kind::Deployment, number, &number.to_string(), image);
        let (same, old, older) = (row(41, IMAGE), row(40, OLD_IMAGE), row(39, OLD_IMAGE));
        for (limit, rows, want) in [
            (Some(10), &[&old][..], None),
            (None, &[&old], None),
            (Some(2), &[&old], None),
            (Some(1), &[&old], Some("(rev 40 goes)")),
            (
                Some(2),
                &[&same, &old, &older],
                Some("(rev 40 and rev 39 go)"),
            ),
            (Some(3), &[&same, &old, &older], None),
            (Some(0), &[&old], Some("(rev 40 goes)")),
            // There is no other today either.
            (Some(1), &[&same], None),
            (Some(1), &[], None),
        ] {
            let mut workload = workload(Kind::Deployment);
            workload.history_limit = limit;
            let said = after_same_version(&workload, rows).map(|v| v.sentence);
            match want {
                None => assert_eq!(said, None, "{limit:?}"),
                Some(words) => assert!(said.as_ref().unwrap().ends_with(words), "{said:?}"),
            }
        }
    }
}
