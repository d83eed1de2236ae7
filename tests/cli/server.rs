//! What a script sees of an API server: names, shapes, rights, blips, hostile words and broken pipes.

use std::io::{BufRead, BufReader, Read};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::fake::{Fake, deployment, refused};
use crate::support::keeper;
use crate::support::pty::Launch;

const PROTECTED: &str = "environments:\n  - {name: shop, cluster: staging, namespaces: [shop], protection: protected}\n";

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|why| panic!("{why}: {}{}", self.out, self.err))
    }
}

fn run(fake: &Fake, arguments: &[&str]) -> Answer {
    let home = tempfile::tempdir().unwrap();
    answer(
        Launch::new(home.path())
            .kubeconfig(&fake.kubeconfig())
            .with(arguments)
            .run(),
    )
}

fn answer(output: Output) -> Answer {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn shop() -> Fake {
    Fake::of(deployment("checkout", &["2.14", "2.15"]))
}

#[test]
fn a_name_that_fits_two_is_settled_by_its_kind() {
    let mut objects = deployment("checkout", &["2.14", "2.15"]);
    let mut twin = objects[0].clone();
    twin["kind"] = json!("StatefulSet");
    twin["metadata"]["uid"] = json!("uid-twin");
    objects.push(twin);
    let fake = Fake::of(objects);
    for verb in ["history", "rollback"] {
        let got = run(&fake, &[verb, "checkout"]);
        assert_eq!(got.code, 2, "{}", got.err);
        for word in [
            "2 workloads",
            "deploy/checkout -n shop",
            "sts/checkout -n shop",
        ] {
            assert!(got.err.contains(word), "{word}: {}", got.err);
        }
    }
    let got = run(&fake, &["history", "deploy/checkout"]);
    assert_eq!(got.code, 0, "{}", got.err);
    assert!(got.out.contains("2.14"));
    assert_eq!(run(&fake, &["history", "cron/checkout"]).code, 2);
    assert_eq!(run(&fake, &["history", "nobody"]).code, 1);
}

#[test]
fn the_shapes_that_scripts_read() {
    let fake = shop();
    let status = run(&fake, &["status", "-o", "json"]).json();
    assert_eq!(
        status,
        json!([{"cluster": "staging", "environment": null, "namespace": "shop", "service": "deploy/checkout",
            "version": "2.15", "fromVersion": null, "phase": "steady", "canary": null, "available": 2, "desired": 2, "why": null,
            "sync": null}])
    );
    let history = run(&fake, &["history", "checkout", "-o", "json"]).json();
    assert_eq!(history[0]["revision"], 2);
    assert_eq!(history[0]["current"], true);
    assert_eq!(
        history[1],
        json!({"revision": 1, "former": [], "name": "checkout-hash0", "version": "2.14", "current": false,
            "withdrawn": false, "created": "2026-01-01T00:00:00Z", "available": 0,
            "images": ["registry.test/shop/checkout:2.14"], "changeCause": null})
    );
    let got = run(&fake, &["rollback", "checkout", "--dry-run", "-o", "json"]);
    assert_eq!(got.code, 0, "{}{}", got.out, got.err);
    let plan = got.json();
    assert_eq!(plan["from"]["version"], "2.15");
    assert_eq!(
        plan["to"],
        json!({"revision": 1, "name": "checkout-hash0", "version": "2.14"})
    );
    assert_eq!(plan["failure"], Value::Null);
    let check = |id: &str| {
        let checks = plan["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == id).unwrap()["finding"].clone()
    };
    assert_eq!(check("permission"), "ok");
    assert_eq!(check("dry-run"), "ok");
    let writes = fake
        .asked()
        .into_iter()
        .filter(|asked| asked.starts_with("PATCH"));
    assert!(writes.into_iter().all(|asked| asked.contains("dryRun=All")));
}

#[test]
fn without_rights_half_a_list_is_no_list() {
    let fake = Fake::start(deployment("checkout", &["1"]), |_, uri| {
        uri.contains("daemonsets")
            .then(|| refused(403, "daemonsets is forbidden"))
    });
    let got = run(&fake, &["status"]);
    assert_eq!((got.code, got.out.as_str()), (1, ""), "{}", got.err);
    assert!(got.err.contains("daemonsets is forbidden"), "{}", got.err);
}

#[test]
fn a_blip_is_ridden_out_and_said_once() {
    let asked = AtomicUsize::new(0);
    let fake = Fake::start(deployment("checkout", &["1"]), move |_, uri| {
        let early = uri.contains("limit=") && asked.fetch_add(1, Ordering::Relaxed) < 4;
        early.then(|| refused(503, "starting"))
    });
    let got = run(&fake, &["status"]);
    assert_eq!(got.code, 0, "{}", got.err);
    assert!(got.out.contains("checkout"));
    assert_eq!(got.err.matches("trying again").count(), 1, "{}", got.err);
}

#[test]
fn hostile_words_reach_no_terminal() {
    let fake = Fake::of(deployment(
        "checkout",
        &["1", "2\u{1b}]0;x\u{7}\u{202e}\u{9b}2J"],
    ));
    for arguments in [
        &["status"][..],
        &["status", "-o", "json"],
        &["history", "checkout"],
        &["history", "checkout", "-o", "json"],
        &["rollback", "checkout", "--dry-run"],
        &["rollback", "checkout", "--dry-run", "-o", "json"],
    ] {
        let got = run(&fake, arguments);
        let text = got.out + &got.err;
        assert!(text.contains("checkout"), "{arguments:?}: {text}");
        let harmful = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!text.contains(harmful), "{arguments:?}: {text:?}");
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_quiet() {
    let (fake, home) = (shop(), tempfile::tempdir().unwrap());
    for form in ["lines", "json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let launch = Launch::new(home.path())
            .kubeconfig(&fake.kubeconfig())
            .with(&["status", "-o", form]);
        let child = launch
            .command()
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let got = answer(child.wait_with_output().unwrap());
        assert_eq!((got.code, got.err.as_str()), (0, ""));
    }
}

#[test]
fn protected_services_want_their_name() {
    let home = tempfile::tempdir().unwrap();
    for (more, code, word) in [
        (&[][..], 3, "--write arms it"),
        (&["--write"], 3, "--name SERVICE"),
        (&["--write", "--name", "cart"], 3, "--name SERVICE"),
        (&["--write", "--name", "checkout"], 124, "follows it again"),
    ] {
        let fake = shop();
        let launch = Launch::new(home.path())
            .config(PROTECTED)
            .kubeconfig(&fake.kubeconfig());
        let yes = [
            "rollback",
            "checkout",
            "--yes",
            "--timeout",
            "1",
            "--reason",
            "INC-812",
        ];
        let got = answer(launch.with(&yes).with(more).run());
        assert_eq!(got.code, code, "{more:?}: {}{}", got.out, got.err);
        assert!(got.err.contains(word), "{more:?}: {}", got.err);
        let real = |asked: &String| asked.starts_with("PATCH") && !asked.contains("dryRun");
        assert_eq!(
            fake.asked().iter().filter(|asked| real(asked)).count(),
            usize::from(code == 124)
        );
    }
    let record = home.path().join(".state/rolldeck/release-record.jsonl");
    assert!(std::fs::read_to_string(record).unwrap().contains("INC-812"));
}

#[test]
fn an_interrupted_follow_says_how_to_go_on() {
    let (fake, home) = (shop(), tempfile::tempdir().unwrap());
    let launch = Launch::new(home.path())
        .kubeconfig(&fake.kubeconfig())
        .with(&["rollback", "checkout", "--yes"]);
    let mut command = launch.command();
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let followed = lines.any(|line| line.unwrap().starts_with(".. "));
    assert!(followed, "it follows");
    keeper::signal(child.id(), "INT");
    let code = child.wait().unwrap().code();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(code, Some(124), "{err}");
    for word in [
        "the rollout goes on",
        "rolldeck -n shop",
        "status deploy/checkout -n shop",
    ] {
        assert!(err.contains(word), "{word}: {err}");
    }
}
