//! What changed, as a person meets it.

use super::*;
use crate::app::effect::{Asked, Compared};
use crate::app::event::JobId;
use crate::app::model::{ChangesScreen, TextKind};
use crate::domain::occurrence::night::{Night, night};
use crate::domain::occurrence::{Difference, Origin, Reading, Report, Subject, What, assemble};
use crate::domain::{Failure, FailureKind, Occurrence, WorkloadId};

pub fn screen(model: &Model) -> &ChangesScreen {
    let Some(Screen::Changes(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

fn id(name: &str) -> WorkloadId {
    steady(name).id
}

/// Ten changes, one a minute, of checkout's release three minutes ago among them.
fn report() -> Report {
    let mut occurrences: Vec<_> = (1..=10)
        .map(|n| fixture::occurrence(What::Config, &format!("settings-{n}"), n * 60))
        .collect();
    occurrences[2] = Occurrence {
        subject: Subject::from(&id("checkout")),
        services: vec![id("checkout")],
        words: "2.14.1 → 2.15.0".into(),
        origin: Origin::ReplicaSets,
        difference: Difference::Revisions {
            workload: id("checkout"),
            from: "checkout-old".into(),
            to: "checkout-new".into(),
        },
        ..fixture::occurrence(What::Release, "", 240)
    };
    Report {
        occurrences,
        readings: vec![(Origin::ConfigMaps, Reading::Read)],
        troubled: Vec::new(),
    }
}

fn tell(model: &mut Model, report: Report) {
    let job = screen(model).job;
    let outcome = Ok(Box::new(report));
    told(model, job, outcome);
}

fn told(model: &mut Model, job: JobId, outcome: Result<Box<Report>, Failure>) {
    let cluster = "prod-eu".into();
    let event = Event::ChangesTold {
        job,
        cluster,
        outcome,
    };
    update(model, event);
}

/// The list of the board, as it is read.
pub fn listed() -> Model {
    let mut model = fleet();
    keys(&mut model, "w");
    tell(&mut model, report());
    model
}

fn shown(model: &Model) -> Vec<String> {
    let lines = super::super::changes::lines(model, screen(model));
    lines.iter().map(|one| one.subject.to_string()).collect()
}

#[test]
fn in_trouble_it_looks_before_the_trouble_began_and_names_the_service() {
    let model = listed();
    let began = screen(&model).began.clone().unwrap();
    assert_eq!(began.service, Some(id("checkout")));
    assert_eq!(began.at, fixture::ago(240));
    assert_eq!(shown(&model)[0], "deploy/checkout");
    let title = super::super::changes::title(screen(&model));
    assert!(title.ends_with("when checkout began to fail"), "{title}");
}

#[test]
fn without_trouble_the_newest_comes_first() {
    let mut model = start();
    put(&mut model, &[steady("auth")]);
    let effects = keys(&mut model, "w");
    let job = screen(&model).job;
    let asked = vec![Asked {
        cluster: "prod-eu".into(),
        namespaces: Vec::new(),
        seen: Vec::new(),
    }];
    assert_eq!(effects, [Effect::ReadChanges { job, asked }]);
    tell(&mut model, report());
    assert_eq!(screen(&model).began, None);
    assert_eq!(shown(&model)[..2], ["cm/settings-1", "cm/settings-2"]);
}

#[test]
fn a_moment_is_typed_taken_back_and_refused_in_words() {
    let mut model = listed();
    keys(&mut model, "t\n");
    assert_eq!(screen(&model).began, None);
    assert_eq!(shown(&model)[0], "cm/settings-1");
    keys(&mut model, "t8m30s\n");
    let began = screen(&model).began.clone().unwrap();
    assert_eq!((began.at, began.service), (fixture::ago(510), None));
    assert_eq!(shown(&model)[0], "cm/settings-9");
    keys(&mut model, "tsoon\n");
    let words = model.notice.clone().unwrap().text;
    assert!(words.starts_with("soon is no moment"), "{words}");
    // Enter alone takes it back, and once more it is the beginning of the trouble.
    keys(&mut model, "\x1bt\n");
    assert_eq!(screen(&model).began, None);
    keys(&mut model, "t\n");
    let began = screen(&model).began.clone().unwrap();
    assert_eq!(began.service, Some(id("checkout")));
}

#[test]
fn enter_compares_two_revisions_and_tells_the_rest_in_words() {
    let mut model = listed();
    let effects = keys(&mut model, "\n");
    let Some(Effect::Compare { revisions, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    let want = Compared {
        workload: id("checkout"),
        from: "checkout-old".into(),
        to: "checkout-new".into(),
    };
    assert_eq!(*revisions, want);
    keys(&mut model, "\x1bj\n");
    let Some(Screen::Text(text)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    assert_eq!(text.kind, TextKind::Occurrence(None));
    let lines = &text.document.value().unwrap().lines;
    assert!(
        lines.iter().any(|line| line.starts_with("who    helm")),
        "{lines:?}"
    );
}

#[test]
fn a_rollback_is_planned_from_the_line_of_the_release_alone() {
    let mut model = listed();
    let effects = keys(&mut model, "R");
    assert!(
        matches!(effects.as_slice(), [Effect::Gather { request, .. }] if request.workload == id("checkout"))
    );
    keys(&mut model, "\x1bj");
    assert!(keys(&mut model, "R").is_empty());
    let words = model.notice.clone().unwrap().text;
    assert!(words.contains("is about no service"), "{words}");
}

#[test]
fn a_filter_narrows_and_esc_takes_it_back_before_the_screen() {
    let mut model = listed();
    keys(&mut model, "/settings !settings-1\n");
    // Neither the release nor 1 and 10.
    assert_eq!(shown(&model).len(), 7);
    keys(&mut model, "\x1b");
    assert_eq!(shown(&model).len(), 10);
    keys(&mut model, "\x1b");
    assert!(model.screens.is_empty());
}

#[test]
fn of_a_service_its_own_changes_come_first_and_its_namespace_alone_is_read() {
    let mut model = start();
    put(&mut model, &[steady("auth"), steady("checkout")]);
    keys(&mut model, "jj");
    keys(&mut model, "\n");
    let effects = keys(&mut model, "w");
    let [Effect::ReadChanges { asked, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(asked[0].namespaces, [Some("shop".into())]);
    tell(&mut model, report());
    assert_eq!(shown(&model)[0], "deploy/checkout");
}

#[test]
fn what_a_feed_says_is_gone_is_told_with_its_version() {
    let mut model = fleet();
    let workload = model.fleet.workload(&id("auth")).unwrap().clone();
    let gone = Change::Gone(ItemId::Workload(workload.id.clone(), workload.uid));
    news(
        &mut model,
        source(Kind::Deployment, None),
        vec![Update::Change(gone.clone())],
    );
    let effects = keys(&mut model, "w");
    let seen = effects.iter().find_map(|effect| match effect {
        Effect::ReadChanges { asked, .. } => Some(asked[0].seen.clone()),
        _ => None,
    });
    let seen = seen.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].what, &*seen[0].words),
        (What::Deletion, "gone, was 2.15.0")
    );
    assert!(!seen[0].inferred);
    // What was gone already is not gone again, and after a silence it is not known when it went.
    news(
        &mut model,
        source(Kind::Deployment, None),
        vec![Update::Change(gone)],
    );
    let rest = Change::Reset(source(Kind::Deployment, None), Vec::new());
    news(
        &mut model,
        source(Kind::Deployment, None),
        vec![Update::Change(rest)],
    );
    assert!(model.deletions.len() > 1 && model.deletions.iter().skip(1).all(|one| one.inferred));
}

#[test]
fn a_source_that_fails_when_read_again_keeps_its_lines() {
    let mut model = listed();
    let before = shown(&model).len();
    let first = screen(&model).job;
    let effects = keys(&mut model, "^r");
    assert_eq!(effects[0], Effect::Cancel { job: first });
    let why = Reading::Failed("configmaps: no answer within 30s".into());
    tell(
        &mut model,
        Report {
            occurrences: Vec::new(),
            readings: vec![(Origin::ConfigMaps, why)],
            troubled: Vec::new(),
        },
    );
    // The release was of another source, which says nothing of it now.
    assert_eq!(shown(&model).len(), before - 1);
    assert_eq!(screen(&model).gaps().len(), 1);
    let job = screen(&model).job;
    let failure = Failure::new(FailureKind::Unreachable, "there is no connection");
    told(&mut model, job, Err(failure));
    assert_eq!(screen(&model).gaps()[0], "there is no connection");
    let stale = JobId(0);
    told(&mut model, stale, Ok(Box::default()));
    assert_eq!(
        shown(&model).len(),
        before - 1,
        "of a job that nobody waits for"
    );
}

#[test]
fn the_copy_is_a_table_in_the_order_of_the_screen() {
    let mut model = listed();
    let effects = keys(&mut model, "c");
    let [Effect::Copy { text }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let first = text
        .lines()
        .find(|line| line.starts_with("| 2026"))
        .unwrap();
    assert!(
        first.contains("deploy/checkout") && first.contains("2.14.1 → 2.15.0"),
        "{first}"
    );
}

#[test]
fn what_has_been_bad_for_days_is_nobodys_incident() {
    let mut old = stalled("billing");
    old.written_by = Some(("helm".into(), fixture::ago(3 * 86_400)));
    let mut fresh = steady("cart");
    let mut unavailable = fixture::condition("Available", Truth::False, "Minimum");
    unavailable.changed = Some(fixture::ago(120));
    fresh.conditions = [unavailable].into();
    let mut model = start();
    put(&mut model, &[old, fresh]);
    assert_eq!(names(&model), ["billing", "cart"]);
    keys(&mut model, "w");
    let began = screen(&model).began.clone().unwrap();
    assert_eq!(
        (began.service, began.at),
        (Some(id("cart")), fixture::ago(120))
    );
    // Unless it is alone.
    let mut model = start();
    put(&mut model, &[stalled("billing")]);
    keys(&mut model, "w");
    assert_eq!(
        screen(&model).began.clone().unwrap().service,
        Some(id("billing"))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// From the news of the feeds to the lines of the screen; nobody says which service it is, or when it began.
    #[test]
    fn of_two_thousand_services_w_shows_what_broke_one_in_its_first_three_lines(seed in any::<u64>()) {
        let (Night { gathered, service, began }, what) = night(seed);
        let workloads: Vec<_> = gathered.traces.iter().map(|trace| trace.workload.clone()).collect();
        let mut model = start();
        put(&mut model, &workloads);
        keys(&mut model, "w");
        let found = screen(&model).began.clone().unwrap();
        prop_assert_eq!((found.service.as_ref(), found.at), (Some(&service), began));
        let occurrences = assemble(&gathered, fixture::ago(7 * 86_400));
        tell(&mut model, Report { occurrences, ..Report::default() });
        let lines = super::super::changes::lines(&model, screen(&model));
        let right = |one: &&&Occurrence| one.what == what && one.services.contains(&service);
        prop_assert!(lines.iter().take(3).any(|one| right(&one)), "{:?} of {}: {:#?}", what, service, &lines[..3]);
    }
}
