//! Secrets that are planted wherever one can stand, and servers that say them back: a walk over every screen and every
//! verb, and a search through all that was shown, printed and written.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::json;

use crate::support::fake::{Fake, Reply, deployment, pods, rollout};
use crate::support::hostile::{Hostile, echo, header, reply};
use crate::support::keeper::write;
use crate::support::pty::{Launch, Terminal};
use crate::support::registries;

const JENKINS_TOKEN: &str = "planted-jenkins-token-1";
const JENKINS_PASSWORD: &str = "planted-jenkins-password-2";
const REGISTRY_PASSWORD: &str = "planted-registry-password-3";
const GITLAB_TOKEN: &str = "planted-gitlab-token-4";
const GITEE_TOKEN: &str = "planted-gitee-token-5";
const CLUSTER_TOKEN: &str = "planted-cluster-token-6";
const PLUGIN_TOKEN: &str = "planted-plugin-token-7";
const PROXY_PASSWORD: &str = "planted-proxy-password-8";
/// In a file where it may not stand.
const WRITTEN: &str = "planted-in-the-file-9";
const METRICS_TOKEN: &str = "planted-metrics-token-10";
const PLANTED: [&str; 10] = [
    JENKINS_TOKEN,
    JENKINS_PASSWORD,
    REGISTRY_PASSWORD,
    GITLAB_TOKEN,
    GITEE_TOKEN,
    CLUSTER_TOKEN,
    PLUGIN_TOKEN,
    PROXY_PASSWORD,
    WRITTEN,
    METRICS_TOKEN,
];
/// Who says back what it heard, in its own words.
const SERVERS: [&str; 8] = [
    "ci heard",
    "cd heard",
    "the registry heard",
    "gitlab heard",
    "gitee heard",
    "metrics heard",
    "the API server heard",
    "does not accept the login: the API server heard",
];

/// Three services, one of them a canary, and everything that can be configured beside them.
struct World {
    home: tempfile::TempDir,
    cluster: Fake,
    /// Lets nobody in.
    closed: Fake,
    _servers: Vec<Hostile>,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut objects = deployment("web", &["main-a1b9e3c", "main-77c01d0"]);
        objects.extend(deployment("cart", &["main-a1b9e3c", "main-77c01d0"]));
        objects.extend(pods("web", 2));
        objects.extend(rollout("basket", &["1.9.3", "1.10.0"]));
        let cluster = Fake::start(objects, |method, uri| match method {
            "PATCH" if uri.contains("dryRun=") => Some(Reply::Echo(422)),
            "PATCH" => Some(Reply::Echo(500)),
            _ if uri == "/apis/argoproj.io/v1alpha1" => Some(Reply::Json(
                200,
                json!({"resources": [{"name": "rollouts"}]}),
            )),
            _ if uri.contains("/log?") || uri.contains("/configmaps") => Some(Reply::Echo(403)),
            _ => None,
        });
        let closed = Fake::start(Vec::new(), |_, _| Some(Reply::Echo(401)));
        let secrets = home.path().join("secrets");
        fs::create_dir(&secrets).unwrap();
        write(&secrets.join("cd"), JENKINS_PASSWORD);
        write(&secrets.join("gitlab"), GITLAB_TOKEN);
        let docker = registries::login("registry.test", ("robot", REGISTRY_PASSWORD));
        write(&secrets.join("config.json"), &docker.to_string());
        let servers = vec![
            ci(),
            saying("cd", "401 Unauthorized"),
            registry(),
            saying("gitlab", "403 Forbidden"),
            saying("gitee", "500 Oh no"),
            saying("metrics", "403 Forbidden"),
        ];
        let [ci, cd, registry, gitlab, gitee, metrics] =
            [0, 1, 2, 3, 4, 5].map(|n: usize| servers[n].port);
        let at = |name: &str| secrets.join(name).display().to_string();
        let config = format!(
            "verifySeconds: 1
registries: [{{host: registry.test, address: '127.0.0.1:{registry}'}}]
jenkins:
  - {{name: ci, url: 'http://127.0.0.1:{ci}', user: bot, token: {{env: CI_TOKEN}}, jobs: {{list: {{web: web}}}}}}
  - {{name: cd, url: 'http://127.0.0.1:{cd}', user: bot, token: {{file: '{}'}}, jobs: {{list: {{cart: cart}}}}}}
prometheus: [{{url: 'http://127.0.0.1:{metrics}', token: {{env: METRICS_TOKEN}}}}]
repositories:
  - {{url: 'https://git.corp/shop/web.git', services: [web], api: 'http://127.0.0.1:{gitlab}/api/v4', token: {{command: [cat, '{}']}}}}
  - {{url: 'https://git.corp/shop/cart.git', services: [cart], api: 'http://127.0.0.1:{gitee}/api/v5', token: {{env: GITEE_TOKEN}}}}
",
            at("cd"),
            at("gitlab"),
        );
        let world = Self {
            home,
            cluster,
            closed,
            _servers: servers,
        };
        let _ = world.launch().config(&config);
        world
    }

    fn launch(&self) -> Launch {
        let user = json!({"token": CLUSTER_TOKEN});
        let docker = self.home.path().join("secrets");
        Launch::new(self.home.path())
            .kubeconfig(&self.cluster.kubeconfig_as(&user))
            .variable("CI_TOKEN", JENKINS_TOKEN)
            .variable("GITEE_TOKEN", GITEE_TOKEN)
            .variable("METRICS_TOKEN", METRICS_TOKEN)
            .variable("DOCKER_CONFIG", &docker.to_string_lossy())
            .variable("ROLLDECK_LOG", "trace")
    }

    /// A login command whose token the server does not take.
    fn plugin(&self) -> PathBuf {
        let program = self.home.path().join("secrets/plugin");
        let credential = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": {"token": PLUGIN_TOKEN}});
        write(
            &program,
            &format!("#!/bin/sh\necho 'got {PLUGIN_TOKEN}' >&2\necho '{credential}'\n"),
        );
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        self.closed.kubeconfig_as(&json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": program, "interactiveMode": "Never",
        }}))
    }
}

/// Says back what logged in, in every place that is read for words.
fn saying(name: &'static str, status: &'static str) -> Hostile {
    Hostile::start(move |head, socket| {
        let _ = socket.write_all(words(name, status, head).as_bytes());
    })
}

fn words(name: &str, status: &str, head: &str) -> String {
    let words = format!("{name} heard {}", echo(head)).replace(['"', '\\'], " ");
    let body = json!({"message": words, "errors": [{"code": "NO", "message": words}]});
    reply(status, &format!("x-error: {words}\r\n"), &body.to_string())
}

/// A registry that wants a password, and has nothing but words for who has it.
fn registry() -> Hostile {
    Hostile::start(|head, socket| {
        let challenge = "www-authenticate: Basic realm=\"x\"\r\n";
        let answer = match header(head, "authorization") {
            Some(_) if head.starts_with("HEAD") => reply("500 Oh no", "", ""),
            Some(_) => words("the registry", "500 Oh no", head),
            None => reply("401 Unauthorized", challenge, ""),
        };
        let _ = socket.write_all(answer.as_bytes());
    })
}

/// A Jenkins that shows its jobs, and neither starts anything nor shows a log.
fn ci() -> Hostile {
    Hostile::start(|head, socket| {
        let line = head.lines().next().unwrap_or_default();
        let build = json!({"number": 7, "result": "SUCCESS", "timestamp": 1_795_780_000_000_i64, "duration": 900});
        let job = json!({"name": "web", "buildable": true, "nextBuildNumber": 8, "lastBuild": build, "builds": [build]});
        let answer = if line.starts_with("POST") || line.contains("progressiveText") {
            words("ci", "500 Oh no", head)
        } else if line.contains("/job/web/") {
            reply("200 OK", "x-jenkins: 2.541\r\n", &job.to_string())
        } else {
            let jobs = json!({"jobs": [job]}).to_string();
            reply("200 OK", "x-jenkins: 2.541\r\n", &jobs)
        };
        let _ = socket.write_all(answer.as_bytes());
    })
}

/// All that was shown, printed and written, and where.
#[derive(Default)]
struct Told(Vec<(String, String)>);

impl Told {
    fn add(&mut self, place: impl Into<String>, text: impl Into<String>) {
        self.0.push((place.into(), text.into()));
    }

    fn run(&mut self, launch: &Launch, words: &[&str]) {
        let output = launch.clone().with(words).run();
        for bytes in [&output.stdout, &output.stderr] {
            self.add(words.join(" "), String::from_utf8_lossy(bytes));
        }
    }

    fn folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.folder(&path);
            } else {
                let bytes = fs::read(&path).unwrap_or_default();
                self.add(path.display().to_string(), String::from_utf8_lossy(&bytes));
            }
        }
    }

    /// None of the words, whole or packed.
    fn search(&self) {
        for (place, text) in &self.0 {
            let packed = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/".contains(c));
            let unpacked = packed.map(|word| STANDARD_NO_PAD.decode(word).unwrap_or_default());
            let unpacked: Vec<_> = unpacked.flatten().collect();
            let unpacked = String::from_utf8_lossy(&unpacked);
            for word in PLANTED {
                let line = text.lines().find(|line| line.contains(word));
                assert_eq!(line, None, "{place} tells {word}");
                assert!(!unpacked.contains(word), "{place} tells {word}, packed");
            }
        }
    }

    /// Every server was really asked, and its words were shown without what they held.
    fn every_server_spoke(&self) {
        for words in SERVERS {
            let covered = |text: &str| {
                let mut lines = text.lines();
                lines.any(|line| line.contains(words) && line.contains("[hidden]"))
            };
            let shown = self.0.iter().any(|(_, text)| covered(text));
            assert!(shown, "{words} …: nothing shows that");
        }
    }
}

/// Every screen of one service, and what opens over it.
fn look_around(terminal: &Terminal, told: &mut Told) {
    let mut step = |keys: &str, until: &str| {
        let before = terminal.picture();
        terminal.keys(keys);
        terminal.wait_for(&format!("{until:?} after {keys:?}"), |screen| {
            let now = crate::support::pty::picture(screen);
            now.contains(until) && (keys.is_empty() || now != before)
        });
        told.add(format!("the screen after {keys:?}"), terminal.picture());
    };
    step("", "cd: no answer for");
    step(":svc web\r", "HISTORY");
    // Escape, and a change of the screen before the next key: else the two are one.
    for key in ["y", "d", "e", "w", "?", "a", "x", "s", "i"] {
        step(key, "");
        step("\x1b", "HISTORY");
    }
    step("l", "heard");
    step("\x1b", "HISTORY");
    step("b", "#7");
    step("\r", "heard");
    step("\x1b", "BUILDS");
    step("B", "start web on ci");
    step("y", "heard");
    step("\x1b", "BUILDS");
    step("\x1b", "HISTORY");
    for key in ["R", "r", "u"] {
        step(key, "heard");
        step("\x1b", "HISTORY");
    }
    step(":doctor\r", "kubeconfig");
    // Not escape: with the next key at its heels it would be another one.
    step("q", "HISTORY");
    step(":svc basket\r", "metrics heard");
    step("P", "may not be asked");
    step("\x1b", "HISTORY");
}

const VERBS: &[&[&str]] = &[
    &["status"],
    &["history", "web"],
    &["rollback", "web", "--dry-run"],
    &["rollback", "cart", "--dry-run"],
    &["rollback", "web", "--yes"],
    &["rollback", "web", "--yes", "--override", "now"],
    &["restart", "cart", "--yes", "--override", "now"],
    &["pause", "web", "--dry-run"],
    &["resume", "web", "--dry-run"],
    &["scale", "web", "3", "--dry-run"],
    &["set-image", "web", "registry.test/shop/web:9", "--dry-run"],
    &["promote", "basket", "--dry-run"],
    &["build", "web", "--dry-run"],
    &["build", "web", "--yes"],
    &["build", "cart", "--yes"],
    &["logs", "web"],
    &["changes"],
    &["resume-sync", "web", "--dry-run"],
    &["delete-pod", "web-hash0-p00", "--dry-run"],
    &["record"],
    &["doctor"],
    &["config"],
];

#[test]
fn no_secret_is_shown_printed_or_written_whoever_says_it_back() {
    let world = World::new();
    let mut told = Told::default();
    let launch = world.launch();
    for verb in VERBS {
        told.run(&launch, verb);
        told.run(&launch, &[*verb, &["-o", "json"]].concat());
    }
    told.run(&launch, &["man"]);
    told.run(&launch, &["completions", "bash"]);
    let closed = world.plugin().display().to_string();
    for verb in ["status", "doctor", "config"] {
        told.run(&launch, &[verb, "--kubeconfig", &closed]);
        let proxy = format!("http://me:{PROXY_PASSWORD}@127.0.0.1:1");
        let proxied = launch.clone().variable("HTTP_PROXY", &proxy);
        told.run(&proxied.variable("HTTPS_PROXY", &proxy), &[verb]);
    }
    let file = world.home.path().join("secrets/bad");
    let path = file.display().to_string();
    for text in [
        format!("jenkins: [{{url: 'https://ci', user: bot, token: {WRITTEN}}}]"),
        format!("jenkins: [{{url: 'https://bot:{WRITTEN}@ci'}}]"),
        format!("repositories: [{{url: 'https://bot:{WRITTEN}@git.corp/shop/web'}}]"),
        format!("repositories: [{{url: 'https://git.corp/x', token: {{env: [{WRITTEN}]}}}}]"),
        format!("registries: [{{host: 'bot:{WRITTEN}@registry.test'}}]"),
        format!("prometheus: [{{url: 'https://metrics', token: {WRITTEN}}}]"),
        format!("prometheus: [{{url: 'https://bot:{WRITTEN}@metrics'}}]"),
    ] {
        write(&file, &text);
        told.run(&launch, &["config", "--config", &path]);
        told.run(&launch, &["status", "--config", &path]);
    }
    for text in [
        format!("users: [{{name: u, user: {{token: {WRITTEN}"),
        format!("apiVersion: v1\nusers: [{{name: u, user: {{token: [{WRITTEN}]}}}}]\n"),
    ] {
        write(&file, &text);
        told.run(&launch, &["status", "--kubeconfig", &path]);
        told.run(&launch, &["doctor", "--kubeconfig", &path]);
    }
    told.search();
    let terminal = launch.size(160, 50).open();
    look_around(&terminal, &mut told);
    told.add("the terminal", String::from_utf8_lossy(&terminal.bytes()));
    drop(terminal);
    for name in [".state", ".cache", ".data"] {
        told.folder(&world.home.path().join(name));
    }
    let logged =
        |(place, text): &(String, String)| place.ends_with("rolldeck.log") && !text.is_empty();
    assert!(told.0.iter().any(logged), "there is a log");
    told.search();
    told.every_server_spoke();
}
