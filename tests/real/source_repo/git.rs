//! A real git: what is read, what is asked for and when, and a repository whose owner means no good.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rolldeck::domain::commit::undone;
use rolldeck::sources::source_repo::{Error, Git};

use super::failures::{MISSING, UNAUTHORIZED};
use super::{paths, repository, run, subjects};
use crate::support::hostile::Hostile;
use rolldeck::domain::{Commits, Remote, Repository};

/// A repository that others push to, a folder to commit in, and our cache.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        run(
            world.folder.path(),
            "git",
            &["init", "-q", "--bare", "-b", "main", "origin"],
        );
        run(
            world.folder.path(),
            "git",
            &["clone", "-q", "origin", "work"],
        );
        let work = world.path("work");
        run(&work, "git", &["config", "user.email", "ann@example"]);
        run(&work, "git", &["config", "user.name", "Ann"]);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn git(&self, arguments: &[&str]) -> String {
        run(&self.path("work"), "git", arguments)
    }

    /// Writes the file, commits and pushes. The full name of the commit.
    pub fn commit(&self, subject: &str, file: &str) -> String {
        let path = self.path("work").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, subject).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", subject]);
        self.git(&["push", "-q", "--force", "origin", "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.path("origin").display())
    }

    fn repository(&self, folder: Option<&str>) -> Repository {
        repository(&self.url(), folder)
    }

    pub fn ours(&self) -> Git {
        Git::new(&self.path("cache"))
    }

    /// The one copy that there is.
    fn copy(&self) -> PathBuf {
        let all = fs::read_dir(self.path("cache/repositories")).unwrap();
        let mut all = all.map(|entry| entry.unwrap().path());
        let copy = all.find(|path| path.extension().is_some_and(|e| e == "git"));
        copy.unwrap()
    }

    async fn between(&self, from: &str, to: &str) -> Result<Commits, Error> {
        self.ours().between(&self.repository(None), from, to).await
    }
}

#[tokio::test]
async fn what_lies_between_two_commits() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    world.commit("fix: rounding", "services/cart/src/round.rs");
    world.commit("feat: voucher", "services/cart/db/migrate/7.sql");
    let new = world.commit("feat: another service", "services/mail/a.rs");

    let found = world.between(&old[..7], &new[..9]).await.unwrap();
    assert_eq!(found.between, (old.as_str().into(), new.as_str().into()));
    let want = ["feat: another service", "feat: voucher", "fix: rounding"];
    assert_eq!(subjects(&found), want);
    let changed = [
        "services/cart/db/migrate/7.sql",
        "services/cart/src/round.rs",
        "services/mail/a.rs",
    ];
    assert_eq!(paths(&found), changed);
    assert_eq!(&*found.list[0].author, "Ann");
    assert!(found.list[0].at.is_some());
    assert_eq!((found.truncated, found.others), (false, 0));
    let undone = undone(&found);
    assert_eq!(&*undone.fixes[0].subject, "fix: rounding");
    assert_eq!(undone.migrations, ["services/cart/db/migrate/7.sql"]);

    let back = world.between(&new, &old).await.unwrap();
    assert_eq!((back.list.len(), back.others), (0, 3));
    let same = world.between(&new, &new).await.unwrap();
    assert_eq!((same.list.len(), same.others), (0, 0));

    let cart = world.repository(Some("services/cart"));
    let cart = world.ours().between(&cart, &old, &new).await.unwrap();
    assert_eq!(subjects(&cart), ["feat: voucher", "fix: rounding"]);
    assert_eq!(paths(&cart), &changed[..2]);

    // Contents are not copied: the sizes of files say nothing about that of the copy.
    let kept = run(
        &world.copy(),
        "git",
        &["config", "remote.origin.partialclonefilter"],
    );
    assert_eq!(kept, "blob:none");
}

#[tokio::test]
async fn two_lines_that_went_separate_ways() {
    let world = World::new();
    world.commit("first", "a.txt");
    world.git(&["checkout", "-q", "-b", "release"]);
    let release = world.commit("fix: on the release only", "b.txt");
    world.git(&["checkout", "-q", "main"]);
    world.commit("feat: one", "c.txt");
    let main = world.commit("feat: two", "d.txt");
    let found = world.between(&main, &release).await.unwrap();
    assert_eq!(subjects(&found), ["fix: on the release only"]);
    assert_eq!((paths(&found), found.others), (vec!["b.txt"], 2));
}

#[tokio::test]
async fn the_other_side_is_asked_only_for_what_is_not_here() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let new = world.commit("second", "a.txt");
    world.between(&old, &new).await.unwrap();

    let newer = world.commit("third", "a.txt");
    let (there, away) = (world.path("origin"), world.path("away"));
    fs::rename(&there, &away).unwrap();
    // Both are known.
    assert_eq!(world.between(&old, &new).await.unwrap().list.len(), 1);
    let error = world.between(&old, &newer).await.unwrap_err().to_string();
    assert!(
        error.contains("does not appear to be a git repository"),
        "{error}"
    );
    fs::rename(&away, &there).unwrap();
    assert_eq!(world.between(&old, &newer).await.unwrap().list.len(), 2);

    let nowhere = "0123456789abcdef0123456789abcdef01234567";
    let error = world.between(&old, nowhere).await.unwrap_err();
    let about = Remote::parse(&world.url()).unwrap();
    assert_eq!(
        error.to_string(),
        format!("{about} has no commit {nowhere}")
    );
    for none in ["", "main", "--all", "2.14.1"] {
        let error = world.between(&old, none).await.unwrap_err();
        assert!(matches!(error, Error::NoCommit { .. }), "{none}: {error}");
    }
}

#[tokio::test]
async fn a_force_push_takes_no_commit_away_that_ran() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let ran = world.commit("what ran", "a.txt");
    world.git(&["reset", "-q", "--hard", &old]);
    let new = world.commit("written anew", "a.txt");
    // Never seen before, and on no branch any more: it is asked for by its name.
    let found = world.between(&ran, &new).await.unwrap();
    assert_eq!((subjects(&found), found.others), (vec!["written anew"], 1));

    world.git(&["reset", "-q", "--hard", &old]);
    let newest = world.commit("and once more", "a.txt");
    let found = world.between(&new, &newest).await.unwrap();
    assert_eq!((subjects(&found), found.others), (vec!["and once more"], 1));
}

#[tokio::test]
async fn branches_come_and_go() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    world.git(&["push", "-q", "origin", "HEAD:refs/heads/team"]);
    let hook = world.path("origin/hooks/post-receive");
    let told = world.path("told");
    fs::write(
        &hook,
        format!("#!/bin/sh\nexec cat >>'{}'\n", told.display()),
    )
    .unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let new = world.commit("second", "a.txt");
    world.between(&old, &new).await.unwrap();

    // A folder where a branch was.
    world.git(&["push", "-q", "origin", ":team"]);
    world.git(&["push", "-q", "origin", "HEAD:refs/heads/team/new"]);
    let newer = world.commit("third", "a.txt");
    assert_eq!(world.between(&old, &newer).await.unwrap().list.len(), 2);

    let heads = world
        .ours()
        .heads(&world.repository(None).remote)
        .await
        .unwrap();
    let heads: Vec<_> = heads.iter().map(|h| (&*h.branch, &*h.id)).collect();
    assert_eq!(heads, [("main", &*newer), ("team/new", &*new)]);
    // What the hook of the repository was told of is what stands there.
    let told = fs::read_to_string(told).unwrap();
    let last = format!("{new} {newer} refs/heads/main\n");
    assert!(told.ends_with(&last), "{told}");
}

#[tokio::test]
async fn a_repository_whose_owner_means_no_good() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let origin = world.path("origin");
    let evil = "fix \x1b]52;c;ZXZpbA==\x07\x1b[2J\u{202e} rm -rf";
    let message = [evil.as_bytes(), &[0xff, 0xfe], b"\n\nbody"].concat();
    fs::write(world.path("message"), message).unwrap();
    let work = world.path("work");
    fs::write(work.join("\x1b[31m\nname\t--option"), "x").unwrap();
    world.git(&["config", "i18n.commitEncoding", "UTF-8"]);
    world.git(&["add", "-A"]);
    let author = "--author=Eve \x1b[1m --exec=x <-x@y>";
    world.git(&["commit", "-q", author, "-F", "../message"]);
    let new = world.git(&["rev-parse", "HEAD"]);
    world.git(&["push", "-q", "origin", "HEAD"]);
    for branch in [
        "refs/heads/--upload-pack=x",
        "refs/heads/-c",
        "refs/tags/--exec=x",
    ] {
        run(&origin, "git", &["update-ref", branch, &new]);
    }

    let found = world.between(&old, &new).await.unwrap();
    // As they are: the screens escape, and need to know what there was. Git takes bytes that are no UTF-8 for Latin-1.
    assert_eq!(subjects(&found), [format!("{evil}ÿþ")]);
    assert_eq!(&*found.list[0].author, "Eve \x1b[1m --exec=x");
    assert_eq!(paths(&found), ["\x1b[31m\nname\t--option"]);
    let heads = world
        .ours()
        .heads(&world.repository(None).remote)
        .await
        .unwrap();
    let heads: Vec<_> = heads.iter().map(|head| &*head.branch).collect();
    assert_eq!(heads, ["--upload-pack=x", "-c", "main"]);

    // Names that git would take for options or programs, from a label or an annotation.
    for text in ["--output=/tmp/x", "-x", "a..b", "HEAD", "main^{/x}", "\0"] {
        let error = world.between(text, &new).await.unwrap_err();
        assert!(matches!(error, Error::NoCommit { .. }), "{text}: {error}");
    }
}

#[tokio::test]
async fn fifty_thousand_commits() {
    let world = World::new();
    let mut stream = String::new();
    for n in 0..50_000 {
        let (at, folder) = (1_700_000_000 + n, n / 250);
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter Ann <a@b> {at} +0000\ndata <<E\nchange {n}\nE\nM 644 inline {folder}/{n}\ndata 1\nx\n",
        );
    }
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(world.path("origin"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = import.stdin.take().unwrap();
    stdin
        .write_all(stream.replace("from refs/heads/main^0\n", "").as_bytes())
        .unwrap();
    drop(stdin);
    assert!(import.wait().unwrap().success());
    let of = |rev: &str| run(&world.path("origin"), "git", &["rev-parse", rev]);
    let (old, new) = (of("main~49999"), of("main"));
    let found = world.between(&old, &new).await.unwrap();
    assert_eq!((found.list.len(), found.paths.len()), (250, 5000));
    assert!(found.truncated);
    assert_eq!(&*found.list[0].subject, "change 49999");
    assert_eq!(world.between(&new, &old).await.unwrap().others, 49_999);
}

#[tokio::test]
async fn the_locks_of_a_git_that_was_killed_are_no_obstacle() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let new = world.commit("second", "a.txt");
    world.between(&old, &new).await.unwrap();
    let copy = world.copy();
    for lock in ["refs/heads/main.lock", "packed-refs.lock", "HEAD.lock"] {
        fs::create_dir_all(copy.join(lock).parent().unwrap()).unwrap();
        fs::write(copy.join(lock), "").unwrap();
    }
    let newer = world.commit("third", "a.txt");
    assert_eq!(world.between(&old, &newer).await.unwrap().list.len(), 2);

    // A first copy that was never finished.
    let part = copy.with_extension("part");
    fs::remove_dir_all(&copy).unwrap();
    fs::create_dir_all(part.join("objects")).unwrap();
    assert_eq!(world.between(&old, &newer).await.unwrap().list.len(), 2);
    assert!(!part.exists());
}

#[tokio::test]
async fn one_git_at_a_time_in_a_copy() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    let new = world.commit("second", "a.txt");
    // Each as if it were a rolldeck of its own.
    let all = (0..6).map(|_| world.between(&old, &new));
    for found in futures::future::join_all(all).await {
        assert_eq!(subjects(&found.unwrap()), ["second"]);
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said() {
    let world = World::new();
    let old = world.commit("first", "a.txt");
    fs::write(world.path("cache"), "a file").unwrap();
    let error = world.between(&old, &old).await.unwrap_err().to_string();
    assert!(error.starts_with("the copy of /"), "{error}");
}

#[tokio::test]
async fn a_server_that_wants_a_password_gets_none_and_is_not_waited_for() {
    let world = World::new();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    for (answer, want) in [
        (UNAUTHORIZED, "terminal prompts disabled"),
        (MISSING, "not found"),
    ] {
        let url = format!(
            "http://127.0.0.1:{}/shop/cart",
            Hostile::saying(answer).port
        );
        let asked = repository(&url, None);
        let error = world
            .ours()
            .between(&asked, commit, commit)
            .await
            .unwrap_err();
        let error = error.to_string();
        assert!(error.contains(want), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_let_go_with_whoever_asked() {
    let world = World::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = repository(&format!("git://127.0.0.1:{port}/cart"), None);
    let ours = world.ours();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let waiting = tokio::spawn(async move { ours.between(&asked, commit, commit).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    // The git at the other end is gone: the connection ends.
    let mut all = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut all).await;
}
