//! The record for a script: without a server, with its shapes, and with what is torn in it.

use serde_json::{Value, json};

use crate::support::pty::Launch;

/// Two actions, the newer one first spoiled, then whole.
fn text() -> String {
    let sending = |id: &str, at: &str, service: &str| {
        json!({"event": "sending", "id": id, "at": at, "verb": "rollback", "workload":
            {"cluster": "prod-eu", "namespace": "shop", "kind": "Deployment", "name": service}, "uid": "u",
            "from": {"number": 42, "name": "c-1", "version": "2.15.0\u{1b}[2J"}, "to": {"number": 41, "name": "c-2",
            "version": "2.14.1"}, "by": "oncall@bastion", "serverUser": "sso", "reason": "INC-812", "overrideReason": null,
            "checks": [{"check": "config", "finding": "warn", "sentence": "changed"}], "steps": ["patch"]})
    };
    let (old, new) = (
        sending("a1", "2020-01-01T00:00:00Z", "cart"),
        sending("b2", "2999-01-01T00:00:00Z", "checkout"),
    );
    let ended = json!({"event": "ended", "id": "a1", "at": "2020-01-01T00:00:52.5Z", "workload": old["workload"],
        "verified": true, "sentence": "verified: 6/6"});
    let cut = &new.to_string()[..40];
    format!("{old}\n{ended}\n{cut}\n{new}\n")
}

fn run(arguments: &[&str], record: Option<&str>) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".state/rolldeck");
    std::fs::create_dir_all(&folder).unwrap();
    if let Some(text) = record {
        std::fs::write(folder.join("release-record.jsonl"), text).unwrap();
    }
    let output = Launch::new(home.path())
        .with(&["record"])
        .with(arguments)
        .run();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn newest_first_and_what_is_torn_is_said() {
    let (code, out, err) = run(&[], Some(&text()));
    assert_eq!(code, 0, "{err}");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    for word in ["WHO", "FROM -> TO", "OUTCOME", "REASON"] {
        assert!(lines[0].contains(word), "{out}");
    }
    assert!(
        lines[1].contains("deploy/checkout") && lines[1].contains("interrupted"),
        "{out}"
    );
    for word in [
        "2020-01-01 00:00:00",
        "oncall@bastion (sso)",
        "prod-eu shop",
        "verified: 6/6",
        "INC-812",
    ] {
        assert!(lines[2].contains(word), "{word}: {out}");
    }
    assert!(err.contains("40 bytes are no line"), "{err}");
    assert!(!out.contains('\u{1b}'), "{out:?}");
}

#[test]
fn it_is_narrowed_by_service_and_time() {
    for (arguments, want) in [
        (&["cart"][..], &["cart"][..]),
        (&["deploy/checkout"], &["checkout"]),
        (&["sts/checkout"], &[]),
        (&["--since", "30m"], &["checkout"]),
        (&["--since", "99999d"], &["checkout", "cart"]),
        (&["nobody"], &[]),
    ] {
        let (code, out, err) = run(arguments, Some(&text()));
        assert_eq!(code, 0, "{err}");
        let services = out.lines().skip(1).map(|line| line.contains("deploy/cart"));
        let want: Vec<_> = want.iter().map(|name| *name == "cart").collect();
        assert_eq!(services.collect::<Vec<_>>(), want, "{arguments:?}: {out}");
    }
    assert_eq!(run(&["--since", "soon"], None).0, 2);
}

#[test]
fn one_action_is_told_whole() {
    let (code, out, _) = run(&["a1"], Some(&text()));
    assert_eq!(code, 0);
    for word in [
        "deploy/cart in shop of prod-eu",
        "warn       config: changed",
        "verified after 52s",
        "id        a1",
    ] {
        assert!(out.contains(word), "{word}: {out}");
    }
}

#[test]
fn the_shape_that_scripts_read() {
    let (_, out, _) = run(&["-o", "json"], Some(&text()));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["torn"][0]["bytes"], 40);
    assert_eq!(report["orphans"], 0);
    let [new, old] = &report["actions"].as_array().unwrap()[..] else {
        panic!("{out}");
    };
    assert_eq!(new["stands"], "sent");
    assert_eq!(old["stands"], "verified");
    assert_eq!(old["endedAfter"], 52.5);
    assert_eq!(old["outcome"], "verified: 6/6");
    assert_eq!(old["sending"]["serverUser"], "sso");
    assert_eq!(old["environment"], Value::Null);
    let (code, out, err) = run(&["-o", "json"], None);
    assert_eq!((code, &*err), (0, ""));
    let report: Value = serde_json::from_str(&out).unwrap();
    let none = json!({"actions": [], "handedOver": [], "torn": [], "orphans": 0});
    assert_eq!(report, none);
}

#[test]
fn another_program_stands_between_the_actions() {
    let handed = json!({"event": "handed-over", "at": "2021-01-01T00:00:00Z", "by": "oncall@bastion", "serverUser": null,
        "cluster": "prod-eu", "namespace": "shop", "object": "pod/cart-x2x4k",
        "command": ["kubectl", "exec", "\u{1b}[2J"], "outcome": "exit 1"});
    let text = format!("{}{handed}\n", text());
    let (code, out, err) = run(&[], Some(&text));
    assert_eq!(code, 0, "{err}");
    let lines: Vec<_> = out.lines().collect();
    assert!(
        lines[1].contains("checkout") && lines[3].contains("deploy/cart"),
        "{out}"
    );
    for word in [
        "2021-01-01 00:00:00",
        "hand-over",
        "pod/cart-x2x4k",
        "kubectl exec",
        "exit 1",
    ] {
        assert!(lines[2].contains(word), "{word}: {out}");
    }
    assert!(!out.contains('\u{1b}'), "{out:?}");
    let (_, out, _) = run(&["pod/cart-x2x4k", "-o", "json"], Some(&text));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["handedOver"][0]["outcome"], "exit 1");
    assert_eq!(report["actions"], json!([]));
}
