//! What would be taken back with some commits: the fixes and the migrations among them.

use super::{Commit, Commits};

/// What a person should know before these commits are gone from what runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undone<'a> {
    /// Newest first.
    pub fixes: Vec<&'a Commit>,
    /// Paths, in the order of the repository.
    pub migrations: Vec<&'a str>,
}

pub fn undone(commits: &Commits) -> Undone<'_> {
    let fixes = commits.list.iter().filter(|c| is_fix(&c.subject));
    let migrations = commits.paths.iter().map(|path| &**path);
    Undone {
        fixes: fixes.collect(),
        migrations: migrations.filter(|path| is_migration(path)).collect(),
    }
}

/// What a subject begins with when it repairs something. Of `area: fix …` the word after the area counts as well.
const FIX_WORDS: &[&str] = &["fix", "fixes", "fixed", "bugfix", "hotfix"];
/// Kinds of a conventional commit that repair nothing that runs.
const OTHER_KINDS: &[&str] = &[
    "docs", "doc", "test", "tests", "chore", "style", "ci", "build",
];
/// The same where commits are written in Chinese.
const CHINESE: &[&str] = &["修复", "修正", "漏洞"];

/// `fix: …`, `hotfix …`, `cart: fix …`, `… fixes #12`, `security …`, `CVE-2026-1234`; not what reverts such a one.
pub fn is_fix(subject: &str) -> bool {
    let subject = subject.trim().to_lowercase();
    if subject.starts_with("revert") {
        return false;
    }
    let words: Vec<&str> = subject
        .split(|c: char| !c.is_alphanumeric() && c != '#')
        .filter(|word| !word.is_empty())
        .collect();
    let kind = words.first().copied().unwrap_or_default();
    let closes = |pair: &[&str]| FIX_WORDS.contains(&pair[0]) && pair[1].starts_with('#');
    let area = subject
        .split_once(':')
        .map(|(area, rest)| (area, rest.trim_start()));
    let after_area = area.is_some_and(|(area, rest)| {
        let first = rest.split(|c: char| !c.is_alphanumeric()).next();
        !area.contains(' ')
            && !OTHER_KINDS.contains(&kind)
            && first.is_some_and(|word| FIX_WORDS.contains(&word))
    });
    let unsafe_before = words.iter().any(|word| ["security", "cve"].contains(word));
    FIX_WORDS.contains(&kind)
        || after_area
        || words.windows(2).any(closes)
        || unsafe_before && !OTHER_KINDS.contains(&kind)
        || CHINESE.iter().any(|word| subject.contains(word))
}

/// Folders whose files change a database when the version that brings them starts.
const FOLDERS: &[&str] = &[
    "migrations",
    "migration",
    "migrate",
    "flyway",
    "liquibase",
    "alembic",
    "changelog",
    "changelogs",
];
/// Folders that hold what never reaches a database that serves.
const TESTS: &[&str] = &["test", "tests", "testdata", "fixtures", "spec", "__tests__"];
/// Endings of what is no migration, wherever it lies.
const WORDS: &[&str] = &["md", "txt", "rst", "adoc"];
const CODE: &[&str] = &[
    "sql", "py", "rb", "js", "ts", "go", "java", "kt", "php", "ex", "exs", "cs", "xml", "yaml",
    "yml", "json", "rs", "groovy",
];

/// `db/migrate/7_add.rb`, `prisma/migrations/…/migration.sql`, `schema.sql`, `alembic/versions/1_x.py`.
pub fn is_migration(path: &str) -> bool {
    let path = path.to_lowercase();
    let mut folders: Vec<&str> = path.split('/').collect();
    let name = folders.pop().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let in_one_of = |names: &[&str]| folders.iter().any(|folder| names.contains(folder));
    if in_one_of(TESTS) || WORDS.contains(&ending) || name == "__init__.py" {
        return false;
    }
    let changelog = name.contains("changelog") && ["xml", "yaml", "yml", "json"].contains(&ending);
    ending == "sql" || changelog || in_one_of(FOLDERS) && CODE.contains(&ending)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn fixes() {
        for subject in [
            "fix: rounding",
            "fix(cart): rounding",
            "fix!: rounding",
            "Fix rounding",
            "FIXED the rounding",
            "hotfix rounding",
            "cart: fix rounding",
            "feat: new rounding, fixes #12",
            "Round again (fixes #12)",
            "Security: check the token",
            "Bump openssl for CVE-2026-1234",
            "修复金额舍入",
            "[hotfix] rounding",
        ] {
            assert!(is_fix(subject), "{subject}");
        }
        for subject in [
            "feat: rounding",
            "prefix the keys",
            "fixture for rounding",
            "docs: fix typo",
            "test: fix a flaky one",
            "ci: security scan",
            "Revert \"fix rounding\"",
            "how to: fix rounding",
            "closes #12",
            "",
            "\u{1b}[31m",
        ] {
            assert!(!is_fix(subject), "{subject}");
        }
    }

    #[test]
    fn migrations() {
        for path in [
            "db/migrate/7_add.rb",
            "db/migrate/7.sql",
            "schema.sql",
            "prisma/migrations/20261127_add/migration.sql",
            "alembic/versions/1_x.py",
            "src/main/resources/db/migration/V7__add.sql",
            "src/main/java/db/migration/V8__Add.java",
            "db/changelog/db.changelog-1.yaml",
            "shop/migrations/0007_add.py",
            "Flyway/V1.SQL",
        ] {
            assert!(is_migration(path), "{path}");
        }
        for path in [
            "src/migrations.rs",
            "shop/migrations/__init__.py",
            "shop/migrations/README.md",
            "tests/fixtures/all.sql",
            "CHANGELOG.md",
            "changelog/7.md",
            "migrations",
            "",
        ] {
            assert!(!is_migration(path), "{path}");
        }
    }

    #[test]
    fn both_of_a_list() {
        let commits = Commits {
            list: vec![sample("r3", "fix: x"), sample("r2", "feat: y")],
            paths: vec!["a.rs".into(), "db/migrate/7.sql".into()],
            ..Commits::default()
        };
        let undone = undone(&commits);
        let fixes: Vec<_> = undone.fixes.iter().map(|c| c.label()).collect();
        assert_eq!(fixes, ["r3 fix: x"]);
        assert_eq!(undone.migrations, ["db/migrate/7.sql"]);
    }
}
