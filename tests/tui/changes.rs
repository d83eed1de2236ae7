//! What changed, as a person sees it: in the middle of a bad night, on a calm day, and when little may be read.

use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model};
use rolldeck::domain::occurrence::{
    Difference, Occurrence, Origin, Reading, Report, Subject, What, Who,
};
use rolldeck::domain::{ClusterId, Kind, WorkloadId};

use super::cells::{drawn, text};
use super::night::{CLUSTER, DAY, HOUR, MINUTE, NAMESPACE, ago, model, night, press};
use super::snapshots::check;

fn line(what: What, (kind, name): (&str, &str), seconds: i64, words: &str, by: &str) -> Occurrence {
    let id = WorkloadId {
        cluster: ClusterId::from(CLUSTER),
        namespace: NAMESPACE.into(),
        kind: Kind::Deployment,
        name: name.into(),
    };
    Occurrence {
        at: ago(seconds),
        inferred: false,
        what,
        subject: Subject {
            cluster: ClusterId::from(CLUSTER),
            namespace: if kind == "node" { "" } else { NAMESPACE }.into(),
            kind: kind.into(),
            name: name.into(),
        },
        services: if kind == "deploy" {
            vec![id]
        } else {
            Vec::new()
        },
        words: words.into(),
        who: match by {
            "" => Who::Unknown,
            by if by.contains('@') => Who::Person(by.into()),
            by => Who::Manager(by.into()),
        },
        known_from: match what {
            What::Release => "ReplicaSet",
            What::Rollback => "release record",
            What::Node => "node condition",
            What::Warning => "event",
            _ => "managedFields",
        },
        origin: Origin::ReplicaSets,
        difference: Difference::Words(Vec::new()),
    }
}

/// Kind and name of the object, seconds ago, words, and by whom.
type Line = (
    What,
    &'static str,
    &'static str,
    i64,
    &'static str,
    &'static str,
);

#[rustfmt::skip]
const LINES: [Line; 13] = [
    (What::Warning, "deploy", "recommend", 20, "BackOff: Back-off restarting failed container (x14)", ""),
    (What::Release, "deploy", "inventory", 20, "0.31.2 → 0.31.3", "jenkins"),
    (What::Scale, "deploy", "search", 50, "8 → 12 replicas", "kubectl"),
    (What::Release, "deploy", "catalog", 4 * MINUTE, "2.14.0 → 2.15.0", "jenkins"),
    (What::Release, "deploy", "checkout", 4 * MINUTE + 12, "2.14.1 → 2.15.0", "jenkins"),
    (What::Config, "cm", "checkout-settings", 9 * MINUTE, "content changed", "kubectl-edit"),
    (What::Secret, "secret", "payment-provider", 31 * MINUTE, "content changed", "external-secrets"),
    (What::Autoscaler, "hpa", "storefront", 42 * MINUTE, "→ 10 replicas (4 to 10)", "autoscaler"),
    (What::Rollback, "deploy", "billing", 2 * HOUR, "5.6.0 → 5.5.0 (rev 9, was 7)", "oncall@bastion"),
    (What::Node, "node", "node-12", 3 * HOUR, "cordoned", "kubectl-cordon"),
    (What::Helm, "helm", "shop-infra", 5 * HOUR, "rev 11 → 12, deployed", "helm"),
    (What::Deletion, "deploy", "legacy-soap", 6 * HOUR, "gone, was 1.0.9", ""),
    (What::Release, "deploy", "auth", 3 * DAY, "7.0.1 → 7.0.2", "jenkins"),
];

fn report() -> Report {
    let lines = LINES.iter();
    let occurrences = lines.map(|&(what, kind, name, seconds, words, by)| Occurrence {
        inferred: what == What::Rollback,
        ..line(what, (kind, name), seconds, words, by)
    });
    Report {
        occurrences: occurrences.collect(),
        readings: vec![
            (Origin::ReplicaSets, Reading::Read),
            (Origin::Secrets, Reading::Read),
            (Origin::ArgoCd, Reading::Absent),
        ],
        troubled: Vec::new(),
    }
}

fn opened(width: u16, height: u16, keys: &[&str], report: Report) -> Model {
    let mut model = model(&night(), width, height);
    let effects = press(&mut model, &["w"]);
    let job = effects.iter().find_map(|effect| match effect {
        Effect::ReadChanges { job, .. } => Some(*job),
        _ => None,
    });
    let event = Event::ChangesTold {
        job: job.expect("w reads"),
        cluster: ClusterId::from(CLUSTER),
        outcome: Ok(Box::new(report)),
    };
    update(&mut model, event);
    press(&mut model, keys);
    model
}

#[test]
fn changes() {
    check("changes", |w, h| opened(w, h, &["j"], report()));
}

#[test]
fn changes_newest_first_with_what_is_missing() {
    check("changes_missing", |w, h| {
        let mut report = report();
        report.readings[1].1 = Reading::Failed("no right to list secrets in shop".into());
        report.readings.push((Origin::Nodes, Reading::Asking));
        opened(w, h, &["t", "enter", "t"], report)
    });
}

#[test]
fn one_change() {
    check("changes_one", |w, h| {
        opened(w, h, &["t", "enter", "j", "j", "enter"], report())
    });
}

/// The right line and the key that fixes it are there on the smallest screen that says anything.
#[test]
fn at_eighty_columns_the_likeliest_says_all_that_is_needed() {
    let screen = text(&drawn(&opened(80, 24, &[], report())));
    let first = screen.lines().nth(3).unwrap();
    for word in ["deploy/checkout", "2.14.1 → 2.15.0", "· R", "jenkins"] {
        assert!(first.contains(word), "{word}: {first}");
    }
}

/// `cm/settings` of which of forty? The namespace says more than the age or the writer.
#[test]
fn at_eighty_columns_what_is_in_several_namespaces_names_its_own() {
    let mut report = report();
    for one in report
        .occurrences
        .iter_mut()
        .filter(|one| one.what == What::Config)
    {
        one.subject.namespace = "payments".into();
    }
    let screen = text(&drawn(&opened(80, 24, &[], report)));
    let row = screen.lines().find(|line| line.contains("cm/")).unwrap();
    for word in [
        "cm/checkout-settings",
        "payments",
        "content changed",
        "kubectl",
    ] {
        assert!(row.contains(word), "{word}: {row}");
    }
}
