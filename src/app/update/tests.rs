//! The machine as a person meets it: keys and news in, a model and effects out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::app::effect::Effect;
use crate::app::event::{Event, LogNews};
use crate::app::keymap::{Code, Key};
use crate::app::model::{Model, Overlay, Screen, Stage};
use crate::app::{settle, update};
use crate::config::{Config, Namespaces};
use crate::domain::{
    Change, Connection, Environment, Feed, Fleet, Health, Identity, Item, ItemId, Kind, Level,
    Phase, PinnedBy, SourceId, Truth, Update, Workload, fixture,
};
use crate::plan::check::CheckState;
use crate::plan::verbs::rollback::sample;
use crate::plan::{CheckId, Finding, Follow, Progress, Target, Verdict};

mod command;
mod filter;
mod layout;
mod readers;
mod registry;
mod release;
mod service;
mod time;

fn identity(namespace: Option<&str>) -> Identity {
    Identity {
        server: "https://api".into(),
        version: "v1.36.3".into(),
        pinned: PinnedBy::KubeSystem("u".into()),
        user: None,
        namespace: namespace.map(Into::into),
    }
}

fn model_with(config: &Config, namespace: Option<&str>) -> (Model, Vec<Effect>) {
    let (mut model, _) = Model::new(config, fixture::now(), 120, 24);
    let state = Connection::Connected(identity(namespace));
    let effects = update(
        &mut model,
        Event::Connection {
            cluster: "prod-eu".into(),
            state,
        },
    );
    (model, effects)
}

fn start() -> Model {
    model_with(&Config::default(), None).0
}

fn source(kind: Kind, namespace: Option<&str>) -> SourceId {
    SourceId {
        cluster: "prod-eu".into(),
        namespace: namespace.map(Into::into),
        feed: Feed::Workloads(kind),
    }
}

fn news(model: &mut Model, source: SourceId, updates: Vec<Update>) -> Vec<Effect> {
    let (epoch, at) = (model.epoch, model.now);
    let effects = update(
        model,
        Event::Fed {
            source,
            epoch,
            at,
            updates,
        },
    );
    settle(model);
    effects
}

fn put(model: &mut Model, workloads: &[Workload]) -> Vec<Effect> {
    let put = |w: &Workload| Update::Change(Change::Put(Item::Workload(Box::new(w.clone()))));
    news(
        model,
        source(Kind::Deployment, None),
        workloads.iter().map(put).collect(),
    )
}

fn steady(name: &str) -> Workload {
    let mut workload = fixture::workload(Kind::Deployment);
    workload.id.name = name.into();
    workload.uid = format!("uid-{name}").as_str().into();
    workload.selector = format!("app={name}").into();
    workload
}

fn stalled(name: &str) -> Workload {
    let mut workload = steady(name);
    workload.counts.updated = 2;
    workload.counts.total = 7;
    let mut progressing =
        fixture::condition("Progressing", Truth::False, "ProgressDeadlineExceeded");
    progressing.message = "has timed out progressing".into();
    workload.conditions = [
        fixture::condition("Available", Truth::True, "x"),
        progressing,
    ]
    .into();
    workload
}

/// Keys as text; `^` stands before a letter with ctrl, `\n` is enter, `\x1b` esc.
fn keys(model: &mut Model, text: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let key = match c {
            '^' => Key::ctrl(chars.next().unwrap()),
            '\n' => Key::plain(Code::Enter),
            '\x1b' => Key::plain(Code::Esc),
            '\t' => Key::plain(Code::Tab),
            c => Key::char(c),
        };
        effects.extend(update(model, Event::Key(key)));
        settle(model);
    }
    effects
}

fn names(model: &Model) -> Vec<&str> {
    model.board.rows.iter().map(|row| &*row.id.name).collect()
}

fn cursor(model: &Model) -> &str {
    &model.board.cursor.as_ref().unwrap().0.name
}

fn fleet() -> Model {
    let mut model = start();
    put(
        &mut model,
        &[
            steady("auth"),
            steady("billing"),
            stalled("checkout"),
            steady("search"),
        ],
    );
    model
}

#[test]
fn the_worst_row_is_first_and_has_the_cursor_until_a_key_is_pressed() {
    let mut model = start();
    put(&mut model, &[steady("auth"), steady("billing")]);
    assert_eq!(
        (names(&model), cursor(&model)),
        (vec!["auth", "billing"], "auth")
    );
    put(&mut model, &[stalled("search")]);
    assert_eq!(
        (names(&model), cursor(&model)),
        (vec!["search", "auth", "billing"], "search")
    );
    assert_eq!(model.board.tally.stalled, 1);
    keys(&mut model, "j");
    assert_eq!(cursor(&model), "auth");
    put(&mut model, &[stalled("billing")]);
    assert_eq!(cursor(&model), "auth", "rows move, the selection does not");
}

#[test]
fn when_the_object_goes_the_neighbour_takes_over_and_that_is_said() {
    let mut model = fleet();
    keys(&mut model, "j");
    let (id, uid) = model.board.cursor.clone().unwrap();
    let gone = Update::Change(Change::Gone(ItemId::Workload(id, uid)));
    news(&mut model, source(Kind::Deployment, None), vec![gone]);
    assert_eq!(cursor(&model), "billing");
    assert!(model.notice.unwrap().text.contains("deploy/auth is gone"));
}

#[test]
fn the_filter_takes_all_words_and_inverse_ones() {
    let mut model = fleet();
    for (filter, want) in [
        ("a", vec!["checkout", "auth", "billing", "search"]),
        ("!checkout i", vec!["billing"]),
        ("stalled", vec!["checkout"]),
        ("CHECK shop", vec!["checkout"]),
        ("nothing", vec![]),
    ] {
        keys(&mut model, "/^u");
        keys(&mut model, filter);
        keys(&mut model, "\n");
        assert_eq!(names(&model), want, "{filter}");
        assert_eq!(model.board.hidden, 4 - want.len());
    }
    keys(&mut model, "\x1b^z");
    assert_eq!(names(&model), ["checkout"]);
    keys(&mut model, "^zSn");
    assert_eq!(names(&model), ["auth", "billing", "checkout", "search"]);
}

#[test]
fn back_never_quits_and_ctrl_c_does() {
    let mut model = fleet();
    assert_eq!(
        keys(&mut model, "qqq\x1b\x1b")
            .iter()
            .filter(|e| **e == Effect::Quit)
            .count(),
        0
    );
    assert!(model.notice.as_ref().unwrap().text.contains(":q"));
    assert_eq!(keys(&mut model, "^c"), [Effect::Quit]);
    assert_eq!(keys(&mut model, ":q\n"), [Effect::Quit]);
    assert_eq!(keys(&mut model, ":suspend\n"), [Effect::Suspend]);
}

#[test]
fn the_wish_list_is_sent_when_it_changes_and_never_for_nothing() {
    let (mut model, effects) = model_with(&Config::default(), None);
    let Some(Effect::Watch { wanted, epoch: 0 }) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!(wanted.len(), 4);
    assert!(wanted.iter().all(|source| source.namespace.is_none()));
    put(&mut model, &[steady("auth")]);
    assert_eq!(put(&mut model, &[steady("auth"), steady("b")]), []);
    // A stalled one gets its pods and revisions watched.
    put(&mut model, &[stalled("checkout")]);
    let sent = update(&mut model, Event::Ticked(fixture::now()));
    let watched = |f: fn(&Feed) -> bool| model.watched.iter().filter(|s| f(&s.feed)).count();
    assert_eq!(watched(|f| matches!(f, Feed::PodsOf { .. })), 1, "{sent:?}");
    assert_eq!(watched(|f| matches!(f, Feed::RevisionsOf { .. })), 1);
    assert_eq!(watched(|f| *f == Feed::ReplicaSets), 0);
    for kind in Kind::ALL {
        let source = source(kind, None);
        news(
            &mut model,
            source.clone(),
            vec![Update::Change(Change::Synced(source))],
        );
    }
    assert!(model.watched.iter().any(|s| s.feed == Feed::ReplicaSets));
}

#[test]
fn at_most_eight_pod_watches_and_they_stay() {
    let mut model = start();
    let many: Vec<_> = (0..20).map(|i| stalled(&format!("s{i:02}"))).collect();
    put(&mut model, &many);
    update(&mut model, Event::Ticked(fixture::now()));
    let pods = |model: &Model| -> Vec<SourceId> {
        let of_pods = model
            .watched
            .iter()
            .filter(|s| matches!(s.feed, Feed::PodsOf { .. }));
        of_pods.cloned().collect()
    };
    let first = pods(&model);
    assert_eq!(first.len(), 8);
    put(&mut model, &[stalled("a-new-one")]);
    update(&mut model, Event::Ticked(fixture::now()));
    assert_eq!(pods(&model), first);
    // The open one comes before all of them.
    keys(&mut model, "G\n");
    let open = model.board.cursor.clone().unwrap().0;
    assert!(
        pods(&model)
            .iter()
            .any(|s| matches!(&s.feed, Feed::PodsOf { workload, .. } if *workload == open))
    );
    assert_eq!(pods(&model).len(), 8);
}

#[test]
fn the_scope_follows_the_context_the_rights_and_the_keys() {
    let (mut model, _) = model_with(&Config::default(), Some("shop"));
    assert_eq!(model.scope.namespaces, ["shop".into()]);
    let effects = keys(&mut model, "0");
    assert!(
        matches!(effects.first(), Some(Effect::Watch { epoch: 1, .. })),
        "{effects:?}"
    );
    let denied = Update::Health(Health::Denied("list deployments".into()));
    let effects = news(&mut model, source(Kind::Deployment, None), vec![denied]);
    assert_eq!(model.scope.namespaces, ["shop".into()]);
    assert!(model.scope.note.as_ref().unwrap().contains("shop alone"));
    assert!(
        matches!(effects.first(), Some(Effect::Watch { epoch: 2, .. })),
        "{effects:?}"
    );
    // News of an epoch that is over is dropped.
    let put = Update::Change(Change::Put(Item::Workload(Box::new(steady("late")))));
    let (source, at) = (source(Kind::Deployment, Some("shop")), model.now);
    update(
        &mut model,
        Event::Fed {
            source,
            epoch: 1,
            at,
            updates: vec![put],
        },
    );
    assert_eq!(model.fleet.workloads().count(), 0);
    keys(&mut model, ":ns pay\n");
    assert_eq!(model.scope.namespaces, ["pay".into()]);
    keys(&mut model, "1");
    assert_eq!(model.scope.namespaces, ["shop".into()]);
    let all = Config {
        namespaces: Namespaces::All,
        ..Config::default()
    };
    assert!(model_with(&all, Some("shop")).0.scope.namespaces.is_empty());
}

#[test]
fn a_missing_permission_is_asked_once_and_stops_the_key() {
    let mut model = start();
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|e| matches!(e, Effect::AskPermission { .. }))
            .count()
    };
    assert_eq!(asked(&put(&mut model, &[stalled("checkout")])), 1);
    assert_eq!(asked(&keys(&mut model, "jkjk")), 0);
    let told = Event::PermissionTold {
        cluster: "prod-eu".into(),
        namespace: "shop".into(),
        outcome: Ok(Some("patch deployments".into())),
    };
    update(&mut model, told);
    assert_eq!(keys(&mut model, "R"), []);
    assert!(model.overlay.is_none() && model.notice.unwrap().text.contains("patch deployments"));
}

/// `R` on checkout at a level, with the reads answered.
fn planned(level: Level, readonly: bool) -> Model {
    let environment = Environment {
        name: "prod".into(),
        cluster: "prod-eu".into(),
        namespaces: vec!["shop".into()],
        protection: level,
    };
    let config = Config {
        environments: vec![environment],
        readonly,
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    put(&mut model, &[sample::workload("2.15.0")]);
    let effects = keys(&mut model, "R");
    let Some(Effect::Gather { job, request }) =
        effects.iter().find(|e| matches!(e, Effect::Gather { .. }))
    else {
        panic!("{effects:?}")
    };
    assert_eq!(request.target, Target::Proposed);
    let mut evidence = sample::evidence();
    (evidence.level, evidence.request) = (level, request.clone());
    let outcome = Ok(Box::new(evidence));
    let effects = update(&mut model, Event::Gathered { job: *job, outcome });
    assert!(
        effects
            .iter()
            .any(|e| matches!(e, Effect::Preflight { .. })),
        "{effects:?}"
    );
    model
}

fn answer(model: &mut Model, check: CheckId, finding: Finding) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("no plan")
    };
    let verdict = Verdict {
        check,
        finding,
        sentence: "it moved".into(),
    };
    let job = shown.job;
    update(model, Event::Checked { job, verdict })
}

fn answer_all(model: &mut Model) {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("no plan")
    };
    let Stage::Shown { plan, .. } = &shown.stage else {
        panic!("{shown:?}")
    };
    let asking = plan
        .checks
        .iter()
        .filter(|c| matches!(c.state, CheckState::Asking(_)));
    for check in asking.map(|c| c.id).collect::<Vec<_>>() {
        answer(model, check, Finding::Ok);
    }
}

fn executes(effects: &[Effect]) -> bool {
    effects.iter().any(|e| matches!(e, Effect::Execute { .. }))
}

fn said(model: &Model) -> String {
    match &model.overlay {
        Some(Overlay::Plan(shown)) => shown.said.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

#[test]
fn a_guarded_plan_takes_y_after_the_must_checks_and_drops_an_early_one() {
    let mut model = planned(Level::Guarded, false);
    assert!(!executes(&keys(&mut model, "y")));
    assert!(said(&model).contains("dropped"), "{}", said(&model));
    answer_all(&mut model);
    assert!(
        !executes(&keys(&mut model, "\n")),
        "enter is not the key of a guarded plan"
    );
    assert!(executes(&keys(&mut model, "y")));
    assert!(!executes(&keys(&mut model, "y")), "once");
}

#[test]
fn an_open_plan_takes_enter_and_a_protected_one_arming_and_the_name() {
    let mut model = planned(Level::Open, false);
    answer_all(&mut model);
    assert!(executes(&keys(&mut model, "\n")));

    let mut model = planned(Level::Protected, false);
    answer_all(&mut model);
    assert!(!executes(&keys(&mut model, "y")));
    assert!(said(&model).contains("writes are off"));
    assert!(!executes(&keys(&mut model, "!ycheckou\n")));
    assert!(said(&model).contains("name"));
    assert!(executes(&keys(&mut model, "t\n")));
}

#[test]
fn arming_ends_by_itself() {
    let mut model = fleet();
    keys(&mut model, "!");
    assert!(model.arming.is_some());
    let later = fixture::now() + SignedDuration::from_secs(601);
    update(&mut model, Event::Ticked(later));
    assert_eq!(model.arming, None);
}

#[test]
fn a_block_needs_a_reason_and_a_final_one_takes_none() {
    let mut model = planned(Level::Guarded, false);
    answer(&mut model, CheckId::Permission, Finding::Ok);
    answer(&mut model, CheckId::Unchanged, Finding::Ok);
    answer(&mut model, CheckId::DryRun, Finding::Block);
    assert!(!executes(&keys(&mut model, "y")));
    assert!(executes(&keys(
        &mut model,
        "Othe quota is full of stuck pods\ny"
    )));

    let mut model = planned(Level::Guarded, false);
    answer(&mut model, CheckId::Permission, Finding::Block);
    assert!(!executes(&keys(&mut model, "Oy")));
}

#[test]
fn readonly_shows_the_plan_and_sends_nothing() {
    let mut model = planned(Level::Open, true);
    answer_all(&mut model);
    assert!(!executes(&keys(&mut model, "\ny!y")));
}

#[test]
fn what_moved_is_read_again_and_shown_once_by_itself() {
    let mut model = planned(Level::Guarded, false);
    let effects = answer(&mut model, CheckId::Unchanged, Finding::Block);
    assert!(
        effects.iter().any(|e| matches!(e, Effect::Gather { .. })),
        "{effects:?}"
    );
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!()
    };
    assert_eq!(shown.moved.as_deref(), Some("it moved"));
    let effects = keys(&mut model, "\x1b");
    assert!(matches!(effects.as_slice(), [Effect::Cancel { .. }]) && model.overlay.is_none());
}

#[test]
fn an_accepted_write_is_followed_and_its_end_recorded_once() {
    let mut model = planned(Level::Guarded, false);
    answer_all(&mut model);
    let effects = keys(&mut model, "y");
    let Some(Effect::Execute { job, .. }) =
        effects.iter().find(|e| matches!(e, Effect::Execute { .. }))
    else {
        panic!("{effects:?}")
    };
    let (job, at) = (*job, model.now);
    update(
        &mut model,
        Event::Progressed {
            job,
            progress: Progress::Sent { step: 0 },
        },
    );
    let accepted = Progress::Accepted {
        step: 0,
        at,
        generation: Some(8),
    };
    update(
        &mut model,
        Event::Progressed {
            job,
            progress: accepted,
        },
    );
    update(
        &mut model,
        Event::Progressed {
            job,
            progress: Progress::Done { at },
        },
    );
    assert!(model.overlay.is_none() && model.follows[0].open && model.executions.is_empty());
    keys(&mut model, "\x1b");
    assert!(!model.follows[0].open && matches!(model.follows[0].state, Follow::Pending(_)));
    let mut other = sample::workload("2.15.0");
    other.uid = "another".into();
    let effects = put(&mut model, &[other]);
    let records = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|e| matches!(e, Effect::RecordOutcome { .. }))
            .count()
    };
    assert_eq!(records(&effects), 1);
    assert_eq!(
        records(&update(&mut model, Event::Ticked(fixture::now()))),
        0
    );
}

#[test]
fn logs_are_bounded_and_what_one_reads_stays() {
    let mut model = fleet();
    let id = model.board.cursor.clone().unwrap().0;
    keys(&mut model, "\n");
    let effects = super::logs::open(&mut model, &id, Some("checkout-1".into()), false);
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

#[test]
fn ten_quiet_minutes_paint_almost_nothing() {
    let mut model = start();
    let mut services: Vec<_> = ["a", "b", "c"].map(steady).into();
    services.push(steady("d"));
    put(&mut model, &services);
    update(&mut model, Event::Ticked(fixture::now()));
    let mut painted = 0;
    for second in 1..=600 {
        model.dirty = false;
        update(
            &mut model,
            Event::Ticked(fixture::now() + SignedDuration::from_secs(second)),
        );
        settle(&mut model);
        painted += usize::from(model.dirty);
    }
    assert!(painted <= 12, "{painted}");
}

#[test]
fn one_change_among_thousands_touches_one_row() {
    let mut model = start();
    let many: Vec<_> = (0..5_010).map(|i| steady(&format!("s{i:04}"))).collect();
    put(&mut model, &many);
    assert_eq!(model.board.rows.len(), 5_010);
    let before: BTreeMap<_, _> = model
        .board
        .rows
        .iter()
        .map(|r| (r.id.clone(), r.clone()))
        .collect();
    put(&mut model, &[stalled("s2500")]);
    let changed = model
        .board
        .rows
        .iter()
        .filter(|r| before[&r.id] != **r)
        .count();
    assert_eq!((changed, cursor(&model)), (1, "s2500"));
    assert_eq!(model.board.rows[0].standing.phase, Phase::Stalled);
}

#[derive(Debug, Clone)]
enum Act {
    Key(Key),
    Put(usize, bool),
    Gone(usize),
    Tick(i64),
    Answer(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let chars: Vec<char> = "jkgGqyRlpez/:S!O?nfc01 checkout-xyz".chars().collect();
    let codes = vec![
        Code::Enter,
        Code::Esc,
        Code::Tab,
        Code::Backspace,
        Code::Up,
        Code::Down,
        Code::PageDown,
    ];
    let act = prop_oneof![
        4 => prop::sample::select(chars).prop_map(|c| Act::Key(Key::char(c))),
        2 => prop::sample::select(codes).prop_map(|c| Act::Key(Key::plain(c))),
        1 => prop::sample::select(vec!['z', 'w', 'f', 'b', 'r']).prop_map(|c| Act::Key(Key::ctrl(c))),
        2 => (0_usize..6, any::<bool>()).prop_map(|(i, bad)| Act::Put(i, bad)),
        1 => (0_usize..6).prop_map(Act::Gone),
        1 => (0_i64..700).prop_map(Act::Tick),
        2 => (0_u8..5).prop_map(Act::Answer),
    ];
    prop::collection::vec(act, 1..80)
}

const NAMES: [&str; 6] = ["auth", "billing", "checkout", "search", "inventory", "cart"];

/// Answers the last thing that was asked for, in one of several ways.
fn answered(model: &mut Model, how: u8) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        return Vec::new();
    };
    let job = shown.job;
    match &shown.stage {
        Stage::Gathering { .. } => {
            let mut evidence = sample::evidence();
            evidence.level = [Level::Open, Level::Guarded, Level::Protected][usize::from(how) % 3];
            evidence.request = shown.request.clone();
            update(
                model,
                Event::Gathered {
                    job,
                    outcome: Ok(Box::new(evidence)),
                },
            )
        }
        Stage::Shown { .. } => {
            let check = CheckId::ALL[usize::from(how) % CheckId::ALL.len()];
            let finding = if how == 4 {
                Finding::Block
            } else {
                Finding::Ok
            };
            answer(model, check, finding)
        }
        Stage::Executing { .. } => {
            let at = model.now;
            update(
                model,
                Event::Progressed {
                    job,
                    progress: Progress::Done { at },
                },
            )
        }
        Stage::Refused { .. } | Stage::Unknown { .. } => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_panics_moves_the_selection_or_slips_past_the_gate(acts in acts()) {
        let mut model = fleet();
        keys(&mut model, "g");
        let mut now: Timestamp = fixture::now();
        for act in acts {
            let before = model.board.cursor.clone();
            let is_key = matches!(act, Act::Key(_));
            let effects = match act {
                Act::Key(key) => update(&mut model, Event::Key(key)),
                Act::Put(i, bad) => put(&mut model, &[if bad { stalled(NAMES[i]) } else { steady(NAMES[i]) }]),
                Act::Gone(i) => {
                    let workload = steady(NAMES[i]);
                    let gone = Change::Gone(ItemId::Workload(workload.id, workload.uid));
                    news(&mut model, source(Kind::Deployment, None), vec![Update::Change(gone)])
                }
                Act::Tick(seconds) => {
                    now += SignedDuration::from_secs(seconds);
                    update(&mut model, Event::Ticked(now))
                }
                Act::Answer(how) => answered(&mut model, how),
            };
            settle(&mut model);
            for effect in effects {
                if let Effect::Execute { plan, answers, verdicts, .. } = effect {
                    prop_assert!(crate::plan::gate::pass(plan.level, &plan, &verdicts, &answers).is_ok());
                }
            }
            if let (false, true, Some((id, uid))) = (is_key, model.board.held, before) {
                let stays = model.fleet.workload(&id).is_some_and(|w| w.uid == uid);
                prop_assert!(!stays || model.board.cursor == Some((id, uid)));
            }
        }
    }
}

#[test]
fn an_empty_fleet_answers_every_key() {
    let mut model = start();
    assert_eq!(model.fleet, Fleet::default());
    keys(&mut model, "jkgGRlpeyz\n!/x\n\x1bSn");
}
