//! What goes back with a rollback: the commits between the two sides, and the fixes and migrations among them.

use serde_json::Value;

use super::image::{self, Pulled};
use super::{Ask, Check, CheckId, CheckState, Finding, Verdict};
use crate::domain::commit::{COMMIT_ANNOTATION, Scheme, in_tag, undone};
use crate::domain::{Commits, ImageRef, Repository};
use crate::text;

/// Of a subject so much is told, in characters.
const LONGEST: usize = 60;

/// What is to be looked up: the commits that `to` has and `from` has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    pub repository: Repository,
    pub from: Named,
    pub to: Named,
    /// What the target's pods pull their images with, for a registry that is to be asked.
    pub pulled: Pulled,
    /// They come along, in place of being taken back.
    pub coming: bool,
}

/// How the commit of one side is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Commit(Box<str>),
    /// The label of this image names it, if it has one.
    LabelOf(Box<str>),
}

/// Nothing to ask where the repository or one of the commits is not known, or where they are the same.
pub fn question(repository: Option<&Repository>, live: &Value, target: &Value) -> Option<Check> {
    sought(repository?, live, target, false)
}

/// The same of what comes along with the template of another environment.
pub fn coming(repository: Option<&Repository>, live: &Value, there: &Value) -> Option<Check> {
    sought(repository?, there, live, true)
}

/// The commits that `live` has and `target` has not.
fn sought(repository: &Repository, live: &Value, target: &Value, coming: bool) -> Option<Check> {
    let commits = |(to, from): (String, String)| {
        let commit = |id: String| Named::Commit(id.into());
        (commit(to), commit(from))
    };
    let (to, from) = annotated(live, target)
        .or_else(|| in_tags(repository.remote.scheme, live, target))
        .map(commits)
        .or_else(|| in_labels(live, target))
        .filter(|(to, from)| to != from)?;
    let sought = Sought {
        repository: repository.clone(),
        from,
        to,
        pulled: image::of(target)?,
        coming,
    };
    Some(Check {
        id: CheckId::Commits,
        state: CheckState::Asking(Ask::Commits(Box::new(sought))),
    })
}

/// Both templates say it themselves.
fn annotated(live: &Value, target: &Value) -> Option<(String, String)> {
    let said = |template: &Value| {
        let text = template["metadata"]["annotations"][COMMIT_ANNOTATION].as_str();
        text.map(str::trim)
            .filter(|text| !text.is_empty())
            .map(String::from)
    };
    Some((said(live)?, said(target)?))
}

/// The tags of the first container whose two tags both hold one: `main-a1b9e3c`, `r120-b7`.
fn in_tags(scheme: Scheme, live: &Value, target: &Value) -> Option<(String, String)> {
    let of = |container: &Value| {
        let tag = ImageRef::parse(container["image"].as_str()?).tag?;
        in_tag(scheme, tag)
    };
    pairs(live, target).find_map(|(live, target)| Some((of(live)?, of(target)?)))
}

/// The images of the first container that has another one; their labels may tell.
fn in_labels(live: &Value, target: &Value) -> Option<(Named, Named)> {
    pairs(live, target).find_map(|(live, target)| {
        let (live, target) = (live["image"].as_str()?, target["image"].as_str()?);
        let label_of = |image: &str| Named::LabelOf(image.into());
        (live != target).then(|| (label_of(live), label_of(target)))
    })
}

/// The containers that both have, by their names.
fn pairs<'a>(live: &'a Value, target: &'a Value) -> impl Iterator<Item = (&'a Value, &'a Value)> {
    let containers = |template: &'a Value| {
        let list = template["spec"]["containers"].as_array();
        list.into_iter().flatten()
    };
    containers(live).filter_map(move |live| {
        let target = containers(target).find(|target| target["name"] == live["name"])?;
        Some((live, target))
    })
}

/// What was found, for the direction that was asked for.
pub fn told(sought: &Sought, commits: &Commits) -> Verdict {
    if sought.coming {
        brought(commits)
    } else {
        verdict(commits)
    }
}

/// `brings 2 commits: a1b9e3c new checkout flow and 77c01d0 fix rounding; 1 migration (db/migrate/7.sql)`.
fn brought(commits: &Commits) -> Verdict {
    let verdict = |finding, sentence| Verdict {
        check: CheckId::Commits,
        finding,
        sentence,
    };
    let back = match commits.others {
        0 => None,
        n => Some(format!(
            "takes {} back that it has not",
            text::count(n, "commit")
        )),
    };
    let count = commits.list.len();
    if count == 0 {
        return match back {
            None => verdict(Finding::Ok, "both are of the same source".into()),
            Some(back) => verdict(Finding::Warn, back),
        };
    }
    let names: Vec<_> = commits.list.iter().map(|c| shortened(&c.label())).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let least = if commits.truncated { "at least " } else { "" };
    let brings = format!(
        "brings {least}{}: {}",
        text::count(count, "commit"),
        text::list(&names)
    );
    let migrations = counted(&undone(commits).migrations, "migration", "migrations");
    let finding = if back.is_some() || migrations.is_some() || commits.truncated {
        Finding::Warn
    } else {
        Finding::Ok
    };
    let parts = [Some(brings), migrations, back];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    verdict(finding, parts.join("; "))
}

/// `goes back over 3 commits: 1 fix (a1b9e3c fix rounding), 1 migration (db/migrate/7.sql)`.
pub fn verdict(commits: &Commits) -> Verdict {
    let verdict = |finding, sentence| Verdict {
        check: CheckId::Commits,
        finding,
        sentence,
    };
    let over = text::count(commits.list.len(), "commit");
    match (commits.list.len(), commits.others) {
        (0, 0) => return verdict(Finding::Ok, "both are of the same source".into()),
        (0, others) => {
            let sentence = format!("goes forward over {}", text::count(others, "commit"));
            return verdict(Finding::Ok, sentence);
        }
        (_, _) => {}
    }
    let undone = undone(commits);
    let fixes: Vec<_> = undone.fixes.iter().map(|c| shortened(&c.label())).collect();
    let parts = [
        counted(&fixes, "fix", "fixes"),
        counted(&undone.migrations, "migration", "migrations"),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let (finding, among) = match (parts.is_empty(), commits.truncated) {
        (false, _) => (Finding::Warn, format!(": {}", parts.join(", "))),
        (true, true) => (
            Finding::Warn,
            ", no fix and no migration among those".into(),
        ),
        (true, false) => (Finding::Ok, ", no fix and no migration among them".into()),
    };
    let over = if commits.truncated {
        format!(
            "more commits than can be listed, of which {} were read",
            commits.list.len()
        )
    } else {
        over
    };
    let others = match commits.others {
        0 => String::new(),
        others => format!("; {}", came(others)),
    };
    verdict(finding, format!("goes back over {over}{among}{others}"))
}

fn came(others: usize) -> String {
    match others {
        1 => "1 commit of another line comes with it".into(),
        several => format!(
            "{} commits of another line come with it",
            text::thousands(several)
        ),
    }
}

fn counted(what: &[impl AsRef<str>], one: &str, several: &str) -> Option<String> {
    let words: Vec<&str> = what.iter().map(AsRef::as_ref).collect();
    match words.len() {
        0 => None,
        n => {
            let name = if n == 1 { one } else { several };
            Some(format!("{n} {name} ({})", text::list(&words)))
        }
    }
}

fn shortened(label: &str) -> String {
    match label.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &label[..end]),
        None => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Remote;
    use crate::domain::commit::sample;
    use serde_json::json;

    fn template(commit: Option<&str>, tags: &[(&str, &str)]) -> Value {
        let containers: Vec<_> = tags
            .iter()
            .map(|(name, tag)| json!({"name": name, "image": format!("shop/{name}:{tag}")}))
            .collect();
        let annotations = match commit {
            Some(commit) => json!({COMMIT_ANNOTATION: commit}),
            None => Value::Null,
        };
        json!({"metadata": {"annotations": annotations}, "spec": {"containers": containers}})
    }

    fn asked(url: &str, live: &Value, target: &Value) -> Option<(String, String)> {
        let repository = Repository {
            service: "cart".into(),
            remote: Remote::parse(url).unwrap(),
            folder: None,
        };
        match question(Some(&repository), live, target)?.state {
            CheckState::Asking(Ask::Commits(between)) => {
                let words = |named| match named {
                    Named::Commit(id) => id.into(),
                    Named::LabelOf(image) => format!("label of {image}"),
                };
                Some((words(between.from), words(between.to)))
            }
            _ => None,
        }
    }

    #[test]
    fn what_is_asked() {
        let (git, svn) = ("https://github.com/shop/cart", "svn://host/shop");
        let of = |commit| template(Some(commit), &[("cart", "2.15.0")]);
        let tagged = |tag| template(None, &[("proxy", "1.2"), ("cart", tag)]);
        let pair = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        let (new, old) = (tagged("main-a1b9e3c"), tagged("main-77c01d0"));
        assert_eq!(asked(git, &new, &old), pair("77c01d0", "a1b9e3c"));
        assert_eq!(
            asked(svn, &tagged("r120-b7"), &tagged("r118-b6")),
            pair("r118", "r120")
        );
        // What a template says itself counts more, and may be wrong: that is for the repository to say.
        assert_eq!(asked(git, &of("v2"), &of("v1")), pair("v1", "v2"));
        // Neither the templates nor their tags say it: the images may.
        assert_eq!(
            asked(git, &tagged("2.15.0"), &tagged("2.14.1")),
            pair("label of shop/cart:2.14.1", "label of shop/cart:2.15.0")
        );
        assert_eq!(
            asked(git, &tagged("2.15.0"), &old),
            pair(
                "label of shop/cart:main-77c01d0",
                "label of shop/cart:2.15.0"
            )
        );
        for (live, target) in [
            (&of("v1"), &of("v1")),
            (&tagged("2.15.0"), &tagged("2.15.0")),
            (&new, &template(None, &[("other", "main-77c01d0")])),
            (&new, &json!({})),
        ] {
            assert_eq!(asked(git, live, target), None, "{live} {target}");
        }
        assert_eq!(question(None, &new, &old), None);
    }

    #[test]
    fn what_comes_along_is_named() {
        let told = |list: &[&str], paths, others| {
            let verdict = brought(&commits(list, paths, others, false));
            (verdict.finding, verdict.sentence)
        };
        for ((list, paths, others), finding, want) in [
            (
                (&[][..], &[][..], 0),
                Finding::Ok,
                "both are of the same source",
            ),
            (
                (&["a", "b"], &[], 0),
                Finding::Ok,
                "brings 2 commits: r0 a and r1 b",
            ),
            (
                (&["a"], &["db/migrate/7.sql"], 0),
                Finding::Warn,
                "brings 1 commit: r0 a; 1 migration (db/migrate/7.sql)",
            ),
            (
                (&["a", "b", "c", "d", "e", "f", "g"], &[], 2),
                Finding::Warn,
                "brings 7 commits: r0 a, r1 b, r2 c and 4 more; takes 2 commits back that it has not",
            ),
        ] {
            assert_eq!(told(list, paths, others), (finding, want.to_owned()));
        }
    }

    fn said(list: &[&str], paths: &[&str], others: usize, truncated: bool) -> (Finding, String) {
        let verdict = verdict(&commits(list, paths, others, truncated));
        (verdict.finding, verdict.sentence)
    }

    fn commits(list: &[&str], paths: &[&str], others: usize, truncated: bool) -> Commits {
        Commits {
            list: list
                .iter()
                .enumerate()
                .map(|(n, s)| sample(&format!("r{n}"), s))
                .collect(),
            paths: paths.iter().map(|path| (*path).into()).collect(),
            others,
            truncated,
            ..Commits::default()
        }
    }

    #[test]
    fn what_is_said() {
        let long = format!("fix {}", "x".repeat(100));
        let cut = format!(
            "goes back over 1 commit: 1 fix (r0 fix {}...)",
            "x".repeat(53)
        );
        for ((list, paths, others, truncated), finding, want) in [
            (
                (
                    &["a", "fix rounding", "c"][..],
                    &["db/migrate/7.sql"][..],
                    0,
                    false,
                ),
                Finding::Warn,
                "goes back over 3 commits: 1 fix (r1 fix rounding), 1 migration (db/migrate/7.sql)",
            ),
            (
                (&["fix a", "fix b"], &[], 2, false),
                Finding::Warn,
                "goes back over 2 commits: 2 fixes (r0 fix a and r1 fix b); 2 commits of another line come with it",
            ),
            (
                (&["a"], &["x.rs"], 1, false),
                Finding::Ok,
                "goes back over 1 commit, no fix and no migration among them; 1 commit of another line comes with it",
            ),
            (
                (&["a"], &[], 0, true),
                Finding::Warn,
                "goes back over more commits than can be listed, of which 1 were read, no fix and no migration among those",
            ),
            (
                (&[], &[], 3, false),
                Finding::Ok,
                "goes forward over 3 commits",
            ),
            (
                (&[], &[], 0, false),
                Finding::Ok,
                "both are of the same source",
            ),
            ((&[&*long], &[], 0, false), Finding::Warn, &*cut),
        ] {
            assert_eq!(
                said(list, paths, others, truncated),
                (finding, want.to_owned())
            );
        }
    }
}
