//! Logs searched, the doctor, and what completes as one types.

use super::*;
use crate::app::event::{Diagnosis, JobId};
use crate::app::model::{DoctorScreen, LogScreen, Search};

pub fn logs(model: &Model) -> &LogScreen {
    let Some(Screen::Logs(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

fn doctor(model: &Model) -> &DoctorScreen {
    let Some(Screen::Doctor(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

fn typed(model: &Model) -> &str {
    match &model.overlay {
        Some(Overlay::Palette { field, .. } | Overlay::Namespaces { field, .. }) => field.value(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_search_in_logs_goes_to_the_newest_place_and_from_there_both_ways() {
    let mut model = fleet();
    let id = model.board.cursor.clone().unwrap().0;
    super::super::logs::open(&mut model, &id, Some("checkout-1".into()), false);
    let job = logs(&model).job;
    let line = |i: usize| {
        if i % 100 == 50 {
            format!("{i} ERROR")
        } else {
            i.to_string()
        }
    };
    let news = LogNews::Lines((0..300).map(line).collect());
    update(&mut model, Event::Logged { job, news });
    for (keyed, at) in [
        ("/error\n", Some(250)),
        ("N", Some(150)),
        ("N", Some(50)),
        ("N", Some(50)),
        ("n", Some(150)),
        ("/q\x1b", Some(150)),
        ("f", None),
    ] {
        keys(&mut model, keyed);
        assert_eq!(logs(&model).at, at, "{keyed:?}");
    }
    assert!(logs(&model).search == Search::default());
    let news = LogNews::Ended {
        why: Some("gone".into()),
    };
    update(&mut model, Event::Logged { job, news });
    assert_eq!(logs(&model).ended, Some(Some("gone".into())));
}

pub fn finding(model: &mut Model, job: JobId, last: bool) {
    let finding = Diagnosis {
        finding: Finding::Ok,
        about: "server".into(),
        sentence: "answers".into(),
        hint: None,
        last,
    };
    update(model, Event::Diagnosed { job, finding });
}

#[test]
fn the_doctor_gathers_findings_until_the_last_and_asks_again() {
    let mut model = fleet();
    let effects = keys(&mut model, ":doctor\n");
    assert!(matches!(effects.as_slice(), [Effect::Diagnose { .. }]));
    let first = doctor(&model).job;
    finding(&mut model, first, false);
    assert!(!doctor(&model).done);
    finding(&mut model, first, true);
    assert!(doctor(&model).done && doctor(&model).findings.len() == 2);
    let effects = keys(&mut model, "^r");
    assert!(
        matches!(effects.as_slice(), [Effect::Cancel { job }, Effect::Diagnose { .. }] if *job == first)
    );
    finding(&mut model, first, true);
    assert_eq!(doctor(&model).findings, [], "of the one before");
    let job = doctor(&model).job;
    assert_eq!(keys(&mut model, "q"), [Effect::Cancel { job }]);
    assert!(model.screens.is_empty());
}

#[test]
fn commands_and_services_complete() {
    let mut model = fleet();
    keys(&mut model, ":roll\t");
    assert_eq!(typed(&model), "rollback");
    keys(&mut model, "^usvc che\t");
    assert_eq!(typed(&model), "svc checkout");
    keys(&mut model, "\n");
    assert!(
        matches!(model.screens.last(), Some(Screen::Service(s)) if &*s.workload.name == "checkout")
    );
    keys(&mut model, ":nonsense\n");
    assert!(model.notice.unwrap().text.contains("no command nonsense"));
}

#[test]
fn the_namespaces_of_the_cluster_complete() {
    let mut model = fleet();
    let effects = keys(&mut model, ":ns\n");
    let [Effect::ListNamespaces { job, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let outcome = Ok(["pay", "payments", "shop"].map(String::from).into());
    update(&mut model, Event::NamespacesListed { job: *job, outcome });
    keys(&mut model, "paym\t");
    assert_eq!(typed(&model), "payments");
    keys(&mut model, "\n");
    assert_eq!(model.clusters[0].scope.namespaces, ["payments".into()]);
}

#[test]
fn logs_asked_for_before_a_pod_is_known_open_when_one_is() {
    let mut model = fleet();
    let cursor = model.board.cursor.clone().unwrap();
    let service = model.fleet.workload(&cursor.0).unwrap().clone();
    assert!(keys(&mut model, "l").iter().all(|e| !streams(e)));
    assert!(matches!(model.screens.last(), Some(Screen::Service(_))));

    let (hash, name) = ("7d9f", "first");
    let mut revision = fixture::revision(service.id.kind, 1, hash, fixture::IMAGE);
    (revision.workload, revision.owner) = (service.id.clone(), service.uid.clone());
    let mut pod = fixture::pod(service.id.kind, hash, name);
    (pod.workload, pod.owner) = (service.id.clone(), revision.uid.clone());
    let items = [Item::Revision(Box::new(revision)), Item::Pod(Box::new(pod))];
    let mut effects = Vec::new();
    for (item, of) in items.into_iter().zip(["replicasets", "pods"]) {
        let its = |s: &&SourceId| s.feed.resource() == of;
        let source = model.watched.iter().find(its).unwrap().clone();
        effects = news(&mut model, source, vec![Update::Change(Change::Put(item))]);
    }
    assert!(effects.iter().any(streams), "{effects:?}");
    assert!(logs(&model).pod.ends_with(name));
}

fn streams(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::StreamLogs {
            previous: false,
            ..
        }
    )
}

#[test]
fn logs_are_bounded_and_what_one_reads_stays() {
    let mut model = fleet();
    let id = model.board.cursor.clone().unwrap().0;
    keys(&mut model, "\n");
    let effects = super::super::logs::open(&mut model, &id, Some("checkout-1".into()), false);
    let Some(Effect::StreamLogs { job, .. }) = effects.last() else {
        panic!("{effects:?}")
    };
    for _ in 0..3 {
        let lines = (0..9_000).map(|i| format!("line {i}")).collect();
        update(
            &mut model,
            Event::Logged {
                job: *job,
                news: LogNews::Lines(lines),
            },
        );
    }
    let Some(Screen::Logs(screen)) = model.screens.last() else {
        panic!()
    };
    assert_eq!((screen.lines.len(), screen.dropped), (20_000, 7_000));
    keys(&mut model, "g/line 8999\n");
    let effects = keys(&mut model, "q");
    assert!(effects.contains(&Effect::Cancel { job: *job }));
}
