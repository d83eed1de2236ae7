//! A commit on its whole way, with nothing simulated but the nodes: a repository's own hook, a job of a real Hudson, the
//! Docker engine, a registry, `kubectl`, a real control plane; and what rolldeck says of it at every step.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use vt100::Screen;

use super::docker::{Dockerd, is_root};
use super::screen::{QUICK, row_of};
use super::source_repo::run;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::hudson::{self, COMMIT, Hudson, NO_SCM, PASSWORD, USER, project};
use crate::support::keeper::write;
use crate::support::pty::{Launch, Terminal, picture};
use crate::support::registries;
use crate::support::wait;

/// The test, the image with the commit in its label, the registry, the rollout to what was pushed.
const RELEASE: &str = r#"
sh ./test.sh
IMAGE="@REGISTRY@/shop/@SERVICE@:$TAG"
docker build -q --label "org.opencontainers.image.revision=$COMMIT" -t "$IMAGE" .
docker push -q "$IMAGE"
DIGEST=$(docker inspect --format '{{index .RepoDigests 0}}' "$IMAGE")
kubectl -n @NAMESPACE@ set image deploy/@SERVICE@ "@SERVICE@=$IMAGE@${DIGEST##*@}"
"#;
const GOOD: &str = "FROM scratch\nCOPY app.txt /app.txt\n";
const BAD: &str = "FROM scratch\nCOPY nothing.txt /\n";

/// All that stands behind one service.
struct Chain {
    folder: tempfile::TempDir,
    service: Service,
    kubeconfig: PathBuf,
    engine: Dockerd,
}

impl Chain {
    fn new(name: &str) -> Self {
        let plane = ControlPlane::shared();
        let namespace = plane.namespace(name);
        let image = format!("{}/shop/web:seed", registries::open().host);
        let service = Service::new(&namespace, "web").container(json!({"image": image}));
        service.create(plane, "seed");
        let engine = Dockerd::start();
        engine.connect();
        Self {
            folder: tempfile::tempdir().unwrap(),
            service,
            kubeconfig: plane.owner(name, Some(&namespace)),
            engine,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A job whose shell step is `before`, which sets COMMIT and TAG, and the release.
    fn job(&self, name: &str, scm: (&str, &str), before: &str) {
        let programs = registries::installed().join("usr/bin");
        let kubectl = ControlPlane::shared().program("kubectl");
        let kubectl = kubectl.parent().unwrap();
        let path = format!("{}:{}:$PATH", programs.display(), kubectl.display());
        let release = RELEASE
            .replace("@REGISTRY@", &registries::open().host)
            .replace("@SERVICE@", &self.service.name)
            .replace("@NAMESPACE@", &self.service.namespace);
        let command = format!(
            "export PATH=\"{path}\" DOCKER_HOST={} DOCKER_CONFIG={} KUBECONFIG={}\n{before}\n{release}",
            self.engine.host(),
            self.at("docker").display(),
            self.kubeconfig.display(),
        );
        let command = command.replace('&', "&amp;").replace('<', "&lt;");
        let (parameters, scm) = scm;
        Hudson::shared().create(name, &project(parameters, scm, &command, ""));
    }

    /// What a release consists of: whether its test passes, and its Dockerfile.
    fn files(&self, number: u32, test: &str, dockerfile: &str) {
        let work = self.at("work");
        fs::write(work.join("app.txt"), format!("release {number}\n")).unwrap();
        fs::write(work.join("test.sh"), format!("echo testing\n{test}\n")).unwrap();
        fs::write(work.join("Dockerfile"), dockerfile).unwrap();
    }

    fn open(&self, job: &str) -> Terminal {
        let server = Hudson::shared().settings(job);
        Launch::new(&self.at("home"))
            .config(&format!("{QUICK}{server}"))
            .variable("CI_TOKEN", PASSWORD)
            .kubeconfig(&self.kubeconfig)
            .size(120, 40)
            .open()
    }

    /// What runs, as the cluster has it: tag and short digest.
    fn live(&self) -> (String, String) {
        let image = self.service.live_image(ControlPlane::shared());
        let (name, digest) = image.split_once("@sha256:").unwrap_or((&image, ""));
        let tag = name.rsplit(':').next().unwrap_or_default();
        (tag.to_owned(), digest.chars().take(6).collect())
    }
}

fn hook(path: &Path, lines: &str) {
    let crumb = format!(
        "H=http://127.0.0.1:{}\nC=$(curl -sS -m 60 $LOGIN \"$H/crumbIssuer/api/xml?xpath=concat(//crumbRequestField,%22:%22,//crumb)\")",
        Hudson::shared().port()
    );
    let path_of_tools = std::env::var("PATH").unwrap();
    let script = format!("#!/bin/sh\nPATH='{path_of_tools}'\n{lines}\n").replace("@CRUMB@", &crumb);
    write(path, &script);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The history has a row of this revision that says all of it.
fn history(screen: &Screen, revision: u32, says: &[&str]) -> bool {
    let (text, number) = (picture(screen), revision.to_string());
    let mut rows = text.lines().filter_map(|line| line.split('│').next());
    rows.any(|row| {
        let mut words = row.split_whitespace();
        words.find(|word| word.parse::<u32>().is_ok()) == Some(&number)
            && says.iter().all(|word| row.contains(word))
    })
}

/// One line from the commit to the pods, with how long each part took, and the row of its revision. `commit` is its
/// name, and what more is told of it.
fn wait_delivered(
    terminal: &Terminal,
    chain: &Chain,
    (build, revision): (u32, u32),
    commit: (&str, &str),
) {
    wait::until("the release is set", || {
        chain
            .live()
            .0
            .ends_with(&format!("-b{build}"))
            .then_some(())
    });
    let (tag, digest) = chain.live();
    let want = [
        format!("{}{}", commit.0, commit.1),
        format!("#{build} ok "),
        format!("s by a label of the image → {tag} {digest} (rev {revision}), rolled out in "),
    ];
    let its_build = format!("#{build} ");
    terminal.wait_for(&format!("{want:?} in one line, once"), |screen| {
        let text = picture(screen);
        let lines = text.lines().filter(|line| line.contains('→'));
        let mut lines = lines.filter(|line| line.contains(&its_build));
        let told = lines.next().is_some_and(|line| in_order(line, &want));
        told && lines.next().is_none() && history(screen, revision, &[&its_build, commit.0])
    });
}

fn in_order(line: &str, pieces: &[String]) -> bool {
    let mut rest = line;
    pieces.iter().all(|piece| {
        let found = rest.split_once(&**piece);
        rest = found.map_or("", |(_, after)| after);
        found.is_some()
    })
}

/// It ended at the build, and what serves is what served.
fn wait_red(terminal: &Terminal, chain: &Chain, build: u32, job: &str) {
    let before = chain.live();
    terminal.wait_for(&format!("#{build} red beside what serves"), |screen| {
        delivery_of_nothing(screen, build)
    });
    terminal.keys("q");
    terminal.wait_for(&format!("#{build} red on the board"), |screen| {
        row_of(screen, "web").is_some_and(|row| {
            row.contains(&format!("#{build} red")) && row.contains(&format!("{job} red for "))
        })
    });
    assert_eq!(chain.live(), before);
    terminal.keys("\r");
    terminal.wait_text("HISTORY");
}

/// `… #3 red 1s`, and no revision behind it.
fn delivery_of_nothing(screen: &Screen, build: u32) -> bool {
    let text = picture(screen);
    let red = format!("#{build} red ");
    text.lines()
        .any(|line| line.contains(&red) && !line.contains("(rev "))
}

/// Two releases while somebody looks, two commits that go no further than the build, and the one that mends it.
/// `more` is what is told of a commit beside its name, when there was a build before.
fn the_whole_way(chain: &Chain, job: &str, more: &str, commit: &dyn Fn() -> String) {
    let terminal = chain.open(job);
    terminal.wait_text("web");
    chain.files(1, "true", GOOD);
    let first = commit();
    terminal.wait_for("the first build on the board", |screen| {
        row_of(screen, "web").is_some_and(|row| row.contains("#1 ok"))
    });
    terminal.keys("\r");
    let delivered = |build, revision, commit: &str| {
        let more = if build == 1 { "" } else { more };
        wait_delivered(&terminal, chain, (build, revision), (commit, more));
    };
    delivered(1, 2, &first);
    // Nobody presses a key, and the next comes to the open screen.
    chain.files(2, "true", GOOD);
    let second = commit();
    delivered(2, 3, &second);
    chain.files(3, "exit 1", GOOD);
    commit();
    wait_red(&terminal, chain, 3, job);
    chain.files(4, "true", BAD);
    commit();
    wait_red(&terminal, chain, 4, job);
    chain.files(5, "true", GOOD);
    let fifth = commit();
    delivered(5, 4, &fifth);
    terminal.resize(200, 50);
    delivered(5, 4, &fifth);
    terminal.keys("q");
    terminal.wait_for("a board that is well", |screen| {
        row_of(screen, "web").is_some_and(|row| row.contains("#5 ok") && !row.contains("red for"))
    });
}

#[test]
fn a_commit_of_subversion_comes_to_its_pods_as_one_delivery() {
    if !is_root() {
        return;
    }
    let chain = Chain::new("chain-svn");
    let repository = chain.at("svn");
    hudson::repository(&repository);
    let trunk = format!("file://{}/trunk", repository.display());
    run(
        chain.folder.path(),
        "svn",
        &["checkout", "-q", &trunk, "work"],
    );
    let scm = hudson::told_of_svn(&repository);
    let before = r#"COMMIT=$SVN_REVISION; TAG="r$SVN_REVISION-b$BUILD_NUMBER""#;
    chain.job("chain-svn", ("", &scm), before);
    hook(
        &repository.join("hooks/post-commit"),
        "LOGIN=\n@CRUMB@\nU=$(svnlook uuid \"$1\")\nsvnlook changed --revision \"$2\" \"$1\" | curl -sS -m 30 -H \"$C\" -H 'Content-Type: text/plain;charset=UTF-8' --data-binary @- \"$H/subversion/$U/notifyCommit?rev=$2\"",
    );
    let work = chain.at("work");
    let commit = || {
        run(&work, "svn", &["add", "-q", "--force", "."]);
        run(
            &work,
            "svn",
            &["commit", "-q", "--username", "alice", "-m", "A better page"],
        );
        run(&work, "svn", &["update", "-q"]);
        format!(
            "r{}",
            run(&work, "svn", &["info", "--show-item", "revision"])
        )
    };
    the_whole_way(&chain, "chain-svn", " A better page (alice) → ", &commit);
}

/// The server has no plugin for git: the hook says the commit, and the shell fetches it.
#[test]
fn a_commit_of_git_comes_to_its_pods_as_one_delivery_where_the_server_knows_no_git() {
    if !is_root() {
        return;
    }
    let chain = Chain::new("chain-git");
    let root = chain.folder.path();
    run(
        root,
        "git",
        &["init", "-q", "--bare", "-b", "main", "shop.git"],
    );
    run(root, "git", &["init", "-q", "-b", "main", "work"]);
    let (bare, work) = (chain.at("shop.git"), chain.at("work"));
    let remote = bare.display().to_string();
    run(&work, "git", &["remote", "add", "origin", &remote]);
    for (key, value) in [("user.name", "ana"), ("user.email", "ana@shop.example")] {
        run(&work, "git", &["config", key, value]);
    }
    let before = format!(
        "rm -rf src; git clone -q {remote} src; cd src; git checkout -q $GIT_COMMIT\nCOMMIT=$GIT_COMMIT; TAG=\"v$BUILD_NUMBER-b$BUILD_NUMBER\""
    );
    chain.job("chain-git", (COMMIT, NO_SCM), &before);
    hook(
        &bare.join("hooks/post-receive"),
        &format!(
            "LOGIN='-u {USER}:{PASSWORD}'\n@CRUMB@\nwhile read old new ref; do\n  [ \"$ref\" = refs/heads/main ] && curl -sS -m 30 $LOGIN -H \"$C\" --data-urlencode GIT_COMMIT=$new \"$H/job/chain-git/buildWithParameters?delay=0sec\"\ndone"
        ),
    );
    let commit = || {
        run(&work, "git", &["add", "."]);
        run(&work, "git", &["commit", "-q", "-m", "A better page"]);
        run(&work, "git", &["push", "-q", "origin", "main"]);
        run(&work, "git", &["rev-parse", "--short=7", "HEAD"])
    };
    the_whole_way(&chain, "chain-git", " → ", &commit);
}
