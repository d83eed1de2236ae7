//! A real Subversion server with a real hook.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rolldeck::domain::commit::undone;
use rolldeck::domain::{Commits, Repository};
use rolldeck::sources::source_repo::{Error, Svn};

use super::{paths, per_connection, repository, run, subjects};

/// `svnserve`, one for each connection as a super-server starts it, with one repository and a folder to commit in.
pub struct World {
    folder: tempfile::TempDir,
    pub port: u16,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "svnadmin", &["create", "shop"]);
        let access = "[general]\nanon-access = read\nauth-access = write\npassword-db = passwd\n";
        let shop = folder.path().join("shop");
        fs::write(shop.join("conf/svnserve.conf"), access).unwrap();
        fs::write(shop.join("conf/passwd"), "[users]\nann = secret\n").unwrap();
        let root = folder.path().to_owned();
        let port = per_connection(move || {
            let mut server = Command::new("svnserve");
            server.args(["--inetd", "--root"]).arg(&root);
            server
        });
        let world = Self { folder, port };
        let url = world.url("");
        World::svn(world.folder.path(), &["checkout", "-q", &url, "work"]);
        world
    }

    fn url(&self, path: &str) -> String {
        format!("svn://127.0.0.1:{}/shop{path}", self.port)
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn svn(folder: &Path, arguments: &[&str]) -> String {
        let all = [arguments, &["--non-interactive", "--no-auth-cache"]].concat();
        let all = [&all[..], &["--username", "ann", "--password", "secret"]].concat();
        run(folder, "svn", &all)
    }

    pub fn commit(&self, message: &str, file: &str) {
        let path = self.work().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, message).unwrap();
        Self::svn(&self.work(), &["add", "-q", "--force", "."]);
        Self::svn(&self.work(), &["commit", "-q", "-m", message]);
    }

    fn repository(&self, path: &str, folder: Option<&str>) -> Repository {
        repository(&self.url(path), folder)
    }
}

async fn between(repository: &Repository, from: &str, to: &str) -> Result<Commits, Error> {
    Svn.between(repository, from, to).await
}

#[tokio::test]
async fn revisions_between_two_numbers() {
    let world = World::new();
    let hook = world.folder.path().join("shop/hooks/post-commit");
    let told = world.folder.path().join("told");
    let script = format!("#!/bin/sh\necho \"$2\" >>'{}'\n", told.display());
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    world.commit("first", "trunk/a.txt");
    world.commit("fix: rounding & <more>\n\nbody", "trunk/cart/a b.rs");
    world.commit("feat: \x1b[31m voucher", "trunk/cart/db/migrate/7.sql");
    world.commit("feat: mail", "trunk/mail/a.rs");
    let told = fs::read_to_string(told).unwrap();
    assert_eq!(told.lines().last(), Some("4"));

    let trunk = world.repository("/trunk", None);
    let found = between(&trunk, "1", "r4").await.unwrap();
    assert_eq!(found.between, ("r1".into(), "r4".into()));
    // Subversion itself names the escape.
    let want = [
        "feat: mail",
        "feat: ?\\027[31m voucher",
        "fix: rounding & <more>",
    ];
    assert_eq!(subjects(&found), want);
    let ids: Vec<_> = found.list.iter().map(|c| &*c.id).collect();
    assert_eq!(ids, ["r4", "r3", "r2"]);
    assert_eq!(&*found.list[0].author, "ann");
    assert!(found.list[0].at.is_some());
    let undone = undone(&found);
    assert_eq!(undone.fixes[0].label(), "r2 fix: rounding & <more>");
    assert_eq!(undone.migrations, ["trunk/cart/db/migrate/7.sql"]);

    let cart = world.repository("/trunk", Some("cart"));
    let found = between(&cart, "1", "4").await.unwrap();
    assert_eq!(found.list.len(), 2);
    assert!(paths(&found).contains(&"trunk/cart/a b.rs"));

    let back = between(&trunk, "4", "2").await.unwrap();
    assert_eq!((back.list.len(), back.others), (0, 2));
    assert_eq!(between(&trunk, "4", "4").await.unwrap().list, []);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_one_sentence() {
    let world = World::new();
    world.commit("first", "trunk/a.txt");
    world.commit("second", "trunk/a.txt");
    let trunk = world.repository("/trunk", None);
    for (repository, to, want) in [
        (&trunk, "9", "No such revision 9"),
        (&trunk, "main", "/shop/trunk has no commit main"),
        (&trunk, "--xml", "has no commit --xml"),
        (
            &world.repository("/branches/x", None),
            "2",
            "File not found: revision 2",
        ),
        (
            &repository("svn://127.0.0.1:1/shop", None),
            "2",
            "Connection refused",
        ),
    ] {
        let error = between(repository, "1", to).await.unwrap_err();
        let error = error.to_string();
        assert!(error.contains(want), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let closed = "[general]\nanon-access = none\npassword-db = passwd\n";
    let settings = world.folder.path().join("shop/conf/svnserve.conf");
    fs::write(settings, closed).unwrap();
    let error = between(&trunk, "1", "2").await.unwrap_err().to_string();
    assert!(error.contains("Can't get username or password"), "{error}");
}
