//! Which revision of a Helm release is gone back to.

use crate::domain::{ChartManifest, ChartRelease};
use crate::plan::{Refusal, Target};

pub type Kept = (ChartRelease, ChartManifest);

/// The newest revision, the one to go back to, and the rule that chose it.
pub struct Chosen<'a> {
    pub newest: &'a Kept,
    pub target: &'a Kept,
    pub rule: &'static str,
}

/// `revisions` are the newest first.
///
/// # Errors
/// Why there is none, or that the newest is no longer the one that was shown.
pub fn choose<'a>(
    name: &str,
    revisions: &'a [Kept],
    target: &Target,
) -> Result<Chosen<'a>, Refusal> {
    let Some(newest) = revisions.first() else {
        return Err(Refusal::say(format!("Helm keeps no release {name} here.")));
    };
    let (shown, to) = match target {
        Target::Release { newest, to } => (*newest, *to),
        _ => (None, None),
    };
    let now = newest.0.revision;
    if let Some(shown) = shown.filter(|shown| *shown != now) {
        let mut refusal = Refusal::say(format!(
            "Helm release {name} is at revision {now} ({}); revision {shown} was the newest when it was shown.",
            newest.0.description
        ));
        refusal.moved = true;
        return Err(refusal);
    }
    let (target, rule) = match to {
        Some(to) if to == now => {
            let sentence = format!("Revision {to} of Helm release {name} is the newest already.");
            return Err(Refusal::say(sentence));
        }
        Some(to) => (
            revisions.iter().find(|(release, _)| release.revision == to),
            "",
        ),
        None => (
            proposed(revisions),
            "the last that was deployed and not withdrawn",
        ),
    };
    let target = target.ok_or_else(|| {
        Refusal::say(match to {
            Some(to) => format!("Helm keeps no revision {to} of release {name}."),
            None => format!("Helm release {name} has no older revision that was deployed."),
        })
    })?;
    Ok(Chosen {
        newest,
        target,
        rule,
    })
}

fn proposed(revisions: &[Kept]) -> Option<&Kept> {
    let (newest, older) = revisions.split_first()?;
    let now = origin(&newest.0, revisions);
    let fits = |(release, _): &&Kept| {
        release.was_deployed()
            && origin(release, revisions) != now
            && !withdrawn(release, revisions)
    };
    older.iter().find(fits)
}

/// The revision whose chart and values it has: its own, or the one that it went back to.
fn origin(release: &ChartRelease, revisions: &[Kept]) -> u32 {
    let mut at = release;
    // Each goes to an older one, so that it ends.
    while let Some(back) = at.back_to().filter(|back| *back < at.revision) {
        match revisions
            .iter()
            .find(|(release, _)| release.revision == back)
        {
            Some((release, _)) => at = release,
            None => return back,
        }
    }
    at.revision
}

/// A later one went back to before it.
pub fn withdrawn(release: &ChartRelease, revisions: &[Kept]) -> bool {
    let later = revisions.iter().map(|(later, _)| later);
    let mut later = later.filter(|later| later.revision > release.revision);
    later.any(|later| later.back_to().is_some_and(|to| to < release.revision))
}

#[cfg(test)]
mod tests {
    use super::super::tests::kept;
    use super::*;

    #[test]
    fn what_was_withdrawn_or_is_the_same_is_not_proposed() {
        let up = "Upgrade complete";
        for (revisions, want) in [
            (vec![(2, "deployed", up), (1, "superseded", up)], Some(1)),
            // 3 was gone back from, and 4 is 2 again.
            (
                vec![
                    (4, "deployed", "Rollback to 2"),
                    (3, "superseded", up),
                    (2, "superseded", up),
                    (1, "superseded", up),
                ],
                Some(1),
            ),
            // The one before failed, and what was deployed then still is.
            (
                vec![
                    (3, "failed", "timed out"),
                    (2, "failed", "x"),
                    (1, "deployed", up),
                ],
                Some(1),
            ),
            (vec![(1, "deployed", up)], None),
            (vec![(3, "deployed", up), (2, "failed", "x")], None),
        ] {
            let kept: Vec<_> = revisions.iter().map(|one| kept(*one, "1")).collect();
            let chosen = choose("web", &kept, &Target::Proposed);
            let chosen = chosen.ok().map(|chosen| chosen.target.0.revision);
            assert_eq!(chosen, want, "{revisions:?}");
        }
    }

    #[test]
    fn what_was_shown_must_still_be_the_newest() {
        let up = "Upgrade complete";
        let kept = [
            kept((5, "deployed", up), "2"),
            kept((4, "superseded", up), "1"),
        ];
        let at = |newest, to| choose("web", &kept, &Target::Release { newest, to });
        assert_eq!(at(Some(5), Some(4)).ok().unwrap().target.0.revision, 4);
        let moved = at(Some(4), Some(3)).err().unwrap();
        assert!(moved.moved);
        assert!(
            moved
                .failure
                .sentence
                .contains("is at revision 5 (Upgrade complete)"),
            "{moved:?}"
        );
        for (to, words) in [(5, "is the newest already"), (1, "keeps no revision 1")] {
            let said = at(None, Some(to)).err().unwrap().failure.sentence;
            assert!(said.contains(words), "{said}");
        }
    }
}
