//! Whether the settings that the target uses are still those that it ran with.

use jiff::Timestamp;

use super::{CheckId, Finding, ReferenceKind, Verdict};
use crate::text;

/// More are counted.
const MOST: usize = 3;

/// When a ConfigMap or Secret was last written, and by which field manager. Never what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub kind: ReferenceKind,
    pub name: Box<str>,
    pub written: Written,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Its data, by the times of the field managers.
    At(Timestamp, Box<str>),
    /// The object as a whole is younger than its managers tell.
    Made(Timestamp),
    /// Why nobody knows.
    Unknown(String),
    /// It is not there, which another check tells.
    Gone,
}

/// Newest first. `since` is when the target, or the oldest pod that is replaced, was made.
pub fn verdict(settings: &[Setting], since: Timestamp, now: Timestamp) -> Verdict {
    let mut changed: Vec<(Timestamp, String)> = Vec::new();
    let mut unknown = Vec::new();
    for setting in settings {
        let label = format!("{} {}", setting.kind.word(), setting.name);
        match &setting.written {
            Written::At(at, by) if *at > since => {
                let ago = text::age(*at, now);
                changed.push((*at, format!("{label} changed {ago} ago by {by}")));
            }
            Written::Made(at) if *at > since => {
                let ago = text::age(*at, now);
                changed.push((*at, format!("{label} was made {ago} ago")));
            }
            Written::Unknown(why) => unknown.push(why.clone()),
            Written::At(..) | Written::Made(_) | Written::Gone => {}
        }
    }
    changed.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let (finding, words) = match (changed.as_slice(), unknown.as_slice()) {
        ([], []) => {
            let age = text::age(since, now);
            let sentence = format!("no ConfigMap or Secret that it uses changed for {age}");
            return answer(Finding::Ok, sentence);
        }
        ([], _) => (Finding::Unverified, unknown),
        (_, _) => {
            let told = changed.into_iter().map(|(_, words)| words);
            (Finding::Warn, told.chain(unknown).collect())
        }
    };
    let more = words.len().saturating_sub(MOST);
    let mut sentence = words[..words.len() - more].join("; ");
    if more > 0 {
        sentence = format!("{sentence}; and {more} more");
    }
    answer(finding, sentence)
}

fn answer(finding: Finding, sentence: String) -> Verdict {
    Verdict {
        check: CheckId::Changed,
        finding,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{ago, now};

    fn setting(name: &str, written: Written) -> Setting {
        Setting {
            kind: ReferenceKind::ConfigMap,
            name: name.into(),
            written,
        }
    }

    #[test]
    fn what_changed_since_is_said_newest_first() {
        let at =
            |name: &str, seconds, by: &str| setting(name, Written::At(ago(seconds), by.into()));
        let denied = || Written::Unknown("no rights to read Secret db".into());
        for (settings, finding, words) in [
            (
                vec![at("a", 9_000, "helm"), setting("b", Written::Gone)],
                Finding::Ok,
                "no ConfigMap or Secret that it uses changed for 2h",
            ),
            (
                vec![
                    at("a", 7_000, "helm"),
                    at("b", 60, "kubectl-edit"),
                    at("c", 9_000, "x"),
                ],
                Finding::Warn,
                "ConfigMap b changed 1m ago by kubectl-edit; ConfigMap a changed 1h ago by helm",
            ),
            (
                vec![
                    setting("a", denied()),
                    setting("b", Written::Made(ago(7_000))),
                ],
                Finding::Warn,
                "ConfigMap b was made 1h ago; no rights to read Secret db",
            ),
            (
                vec![setting("a", denied()), at("b", 9_000, "helm")],
                Finding::Unverified,
                "no rights to read Secret db",
            ),
            (
                (1..6).map(|n| at("a", n * 60, "x")).collect(),
                Finding::Warn,
                "ConfigMap a changed 1m ago by x; ConfigMap a changed 2m ago by x; ConfigMap a changed 3m ago by x; and 2 more",
            ),
        ] {
            let said = verdict(&settings, ago(7_200), now());
            assert_eq!((said.finding, &*said.sentence), (finding, words));
        }
    }
}
