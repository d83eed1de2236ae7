//! Every screen as a person sees it.

use std::fmt::Write as _;

use jiff::Timestamp;
use rolldeck::app::event::TableNews;
use rolldeck::app::event::{Diagnosis, Document, JobId, LogNews};
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model};
use rolldeck::domain::ApiKind;
use rolldeck::domain::source::Feed;
use rolldeck::domain::table::{Column, Row, Table};
use rolldeck::domain::usage::Amount;
use rolldeck::domain::{Connection, Failure, FailureKind, Health, Kind, LogLine, Run, Update};
use rolldeck::plan::Finding;

use super::cells::{drawn, styles, text};
use super::night::{ago, feed, fresh, log_lines, model, night, now, press, source};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// The text at three sizes, then the styles at 80x24, with colour and without; the text may not differ between them.
pub fn check(name: &str, make: impl Fn(u16, u16) -> Model) {
    let mut shown = String::new();
    for (width, height) in SIZES {
        let buffer = drawn(&make(width, height));
        writeln!(shown, "== {width}x{height}\n{}", text(&buffer).trim_end()).unwrap();
    }
    let mut model = make(80, 24);
    let with_color = drawn(&model);
    model.settings.display.color = false;
    let without = drawn(&model);
    assert_eq!(
        text(&with_color),
        text(&without),
        "colour never carries words"
    );
    write!(
        shown,
        "== styles\n{}== styles, NO_COLOR\n{}",
        styles(&with_color),
        styles(&without)
    )
    .unwrap();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn board() {
    check("board", |w, h| model(&night(), w, h));
}

#[test]
fn board_in_ascii() {
    let mut model = model(&night(), 80, 24);
    model.settings.display.ascii = true;
    let shown = text(&drawn(&model));
    assert!(shown.is_ascii(), "{shown}");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("board_ascii", shown);
    });
}

#[test]
fn chosen_columns_stand_in_their_order_and_colours_are_the_users() {
    use rolldeck::config::{Column, Theme};
    use rolldeck::domain::Color;
    let mut model = model(&night(), 120, 40);
    let columns = vec![Column::Version, Column::Service, Column::Why];
    model.settings.display.columns = Some(columns);
    model.settings.display.theme = Theme {
        bad: Color::BrightMagenta,
        ..Theme::default()
    };
    let shown = drawn(&model);
    let text = text(&shown);
    let titles: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(titles[..3], ["VERSION", "SERVICE", "WHY"]);
    let styles = styles(&shown);
    assert!(
        styles.contains("lightmagenta") && !styles.contains(" red"),
        "{styles}"
    );
}

#[test]
fn a_hold_stands_above_the_keys() {
    use rolldeck::domain::Hold;
    let mut model = model(&night(), 80, 24);
    model.settings.holds = vec![Hold {
        reason: "christmas".into(),
        environments: vec!["prod".into()],
        services: vec!["cart".into()],
        from: None,
        until: Some("2027-01-03T07:00:00Z".parse().unwrap()),
    }];
    let shown = text(&drawn(&model));
    assert!(shown.contains("cart in prod: on hold until"), "{shown}");
}

/// The board after every source came into this state, last heard of at `contact`.
fn board_with(width: u16, height: u16, health: &Health, contact: Timestamp) -> Model {
    let mut model = model(&night(), width, height);
    let sources: Vec<_> = model.sources.keys().cloned().collect();
    for source in sources {
        feed(&mut model, source, vec![Update::Health(health.clone())]);
    }
    for state in model.sources.values_mut() {
        state.contact = Some(contact);
    }
    rolldeck::app::settle(&mut model);
    model
}

#[test]
fn board_without_answer() {
    let since = ago(48);
    let health = Health::Retrying {
        since,
        why: "connection reset".into(),
        next: ago(-4),
        unreached: true,
    };
    check("board_no_answer", |w, h| board_with(w, h, &health, since));
}

/// A watch that should have ended by now is no failure yet, but what it brought is no longer called live.
#[test]
fn board_of_a_silent_watch() {
    let since = ago(33);
    let model = board_with(80, 24, &Health::Quiet { since }, since);
    let screen = text(&drawn(&model));
    let first = screen.lines().next().unwrap();
    assert!(first.contains("quiet 33s"), "{first}");
    assert!(!first.contains("live"), "{first}");
    assert!(screen.contains("33s old"), "{screen}");
}

#[test]
fn the_board_is_live_while_only_what_adds_to_its_rows_is_listed() {
    let listed = |of| {
        let mut model = model(&night(), 120, 40);
        let listing = Update::Health(Health::Listing(100));
        feed(&mut model, source(of), vec![listing]);
        let screen = text(&drawn(&model));
        let header = screen.lines().next().unwrap().to_owned();
        (header.contains(" live "), header.contains("listing 100 "))
    };
    assert_eq!(listed(Feed::ReplicaSets), (true, false));
    let deployments = Feed::Workloads(Kind::Deployment);
    assert_eq!(listed(deployments), (false, true));
}

#[test]
fn nothing_reachable() {
    check("nothing", |w, h| {
        let mut model = fresh(w, h);
        let failure = Failure::new(
            FailureKind::Config,
            "no kubeconfig: ~/.kube/config is not there, and this is not a pod",
        )
        .hint("give one with --kubeconfig FILE or KUBECONFIG=FILE");
        let state = Connection::Failed {
            failure,
            since: now(),
            next: ago(-5),
        };
        let cluster = model.clusters[0].id.clone();
        update(&mut model, Event::Connection { cluster, state });
        model
    });
}

#[test]
fn connecting() {
    check("connecting", |w, h| {
        let mut model = fresh(w, h);
        let doing = "running the credential plugin aws".to_owned();
        let state = Connection::Connecting {
            doing,
            since: ago(3),
        };
        let cluster = model.clusters[0].id.clone();
        update(&mut model, Event::Connection { cluster, state });
        model
    });
}

#[test]
fn service() {
    check("service", |w, h| with_keys(w, h, &["enter", "j"]));
}

/// One pod close to its limit, one that was killed for its memory.
#[test]
fn service_with_usage() {
    check("service_usage", |w, h| {
        let mut services = night();
        for service in &mut services {
            for pod in &mut service.pods {
                pod.containers[0].bounds.memory_limit = Some(512 << 20);
                pod.containers[0].bounds.cpu_limit = Some(1_000);
            }
        }
        let mut model = model(&services, w, h);
        go_to(&mut model, "recommend");
        press(&mut model, &["enter"]);
        let effects = update(&mut model, Event::Ticked(now()));
        let job = asked_for(&effects);
        let recommend = services
            .iter()
            .find(|s| &*s.workload.id.name == "recommend");
        let used = recommend.unwrap().pods.iter().zip(1..).map(|(pod, n)| {
            let amount = Amount {
                cpu: 330 * n,
                memory: (118 * n) << 20,
            };
            let of_pod = [(pod.containers[0].name.clone(), amount)];
            (pod.name.clone(), of_pod.into())
        });
        let outcome = Ok(used.collect());
        update(&mut model, Event::Measured { job, outcome });
        model
    });
}

#[test]
fn help() {
    check("help", |w, h| with_keys(w, h, &["?"]));
}

#[test]
fn palette() {
    check("palette", |w, h| with_keys(w, h, &[":", "r"]));
}

#[test]
fn handover() {
    check("handover", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &["enter", "tab", "x", "9"]);
        let job = asked_for(&effects);
        let missing = vec!["k9s".to_owned()];
        update(&mut model, Event::ProgramsMissing { job, missing });
        model
    });
}

/// The Secrets of all namespaces, as the server prints them.
fn secrets() -> (ApiKind, Table) {
    let kind = ApiKind {
        group: "".into(),
        version: "v1".into(),
        plural: "secrets".into(),
        singular: "secret".into(),
        kind: "Secret".into(),
        short: [].into(),
        namespaced: true,
    };
    let column = |title: &str, number| Column {
        title: title.into(),
        wide: false,
        number,
    };
    let columns = vec![
        column("Name", false),
        column("Type", false),
        column("Data", true),
        column("Age", false),
    ];
    let row = |n: i64| Row {
        namespace: "shop".into(),
        name: format!("keys-{n}").as_str().into(),
        uid: format!("uid-{n}").as_str().into(),
        created: Some(ago(n * 3600)),
        owner: None,
        cells: [
            format!("keys-{n}"),
            "Opaque".into(),
            (n % 4).to_string(),
            format!("{n}h"),
        ]
        .map(|cell| cell.as_str().into())
        .into(),
    };
    let rows = (1..60).map(row).collect();
    (kind, Table { columns, rows })
}

#[test]
fn table() {
    check("table", |w, h| {
        let mut model = model(&night(), w, h);
        press(
            &mut model,
            &[":", "s", "e", "c", "r", "e", "t", "s", "enter"],
        );
        let (kind, table) = secrets();
        let cluster = model.cluster_ids().remove(0);
        let outcome = Ok(vec![kind]);
        let effects = update(&mut model, Event::Discovered { cluster, outcome });
        let job = asked_for(&effects);
        let news = TableNews::Page { table, first: true };
        update(&mut model, Event::TableRead { job, news });
        let news = TableNews::End {
            beyond: Some(Some(1_200)),
        };
        update(&mut model, Event::TableRead { job, news });
        press(&mut model, &["j", "j"]);
        model
    });
}

#[test]
fn namespaces() {
    check("namespaces", |w, h| {
        with_keys(w, h, &[":", "n", "s", "enter"])
    });
}

#[test]
fn events() {
    check("events", |w, h| with_keys(w, h, &["e"]));
}

#[test]
fn logs() {
    check("logs", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &["enter", "l"]);
        let job = asked_for(&effects);
        let news = LogNews::Lines {
            lines: log_lines(5, |n| format!("{n} GET /checkout 500 upstream refused")),
            unseen: 0,
        };
        update(&mut model, Event::Logged { job, news });
        let why = Some("the container stopped".to_owned());
        update(
            &mut model,
            Event::Logged {
                job,
                news: LogNews::Ended { why },
            },
        );
        press(&mut model, &["/", "5", "0", "0", "enter"]);
        model
    });
}

/// New pods that crash beside old ones that serve.
#[test]
fn logs_of_two_revisions() {
    check("logs_merged", |w, h| {
        let mut services = night();
        let checkout = services
            .iter_mut()
            .find(|s| &*s.workload.id.name == "checkout");
        for pod in &mut checkout.unwrap().pods[..2] {
            pod.containers[0].run = Run::Running { since: None };
        }
        let mut model = model(&services, w, h);
        go_to(&mut model, "checkout");
        let effects = press(&mut model, &["enter", "l", "t"]);
        let job = asked_for(&effects);
        let news = LogNews::Lines {
            lines: log_lines(7, |n| format!("GET /checkout {n}")),
            unseen: 1_200,
        };
        update(&mut model, Event::Logged { job, news });
        let note = LogLine::note(
            1,
            None,
            "the connection broke off; it is read on when that works",
        );
        let news = LogNews::Lines {
            lines: vec![note],
            unseen: 0,
        };
        update(&mut model, Event::Logged { job, news });
        press(&mut model, &["&", "c", "h", "e", "c", "k", "enter"]);
        model
    });
}

fn go_to(model: &mut Model, service: &str) {
    let mut rows = model.board.rows.iter();
    let at = rows.position(|row| &*row.id.name == service).unwrap();
    press(model, &["g"]);
    press(model, &vec!["j"; at]);
}

#[test]
fn logs_before_any_pod_is_known() {
    let mut model = model(&night(), 80, 24);
    go_to(&mut model, "mailer");
    press(&mut model, &["l"]);
    let screen = text(&drawn(&model));
    assert!(screen.contains("its pods are not known yet"), "{screen}");
}

#[test]
fn doctor() {
    check("doctor", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &[":", "d", "o", "c", "t", "o", "r", "enter"]);
        let job = asked_for(&effects);
        for (finding, about, sentence, hint) in [
            (
                Finding::Ok,
                "connection",
                "https://10.0.0.1:6443 answers in 12 ms, v1.36.3",
                None,
            ),
            (
                Finding::Warn,
                "events",
                "no rights to list events in shop",
                Some("reasons come from conditions alone; ask for list and watch of events"),
            ),
            (
                Finding::Block,
                "clock",
                "the server's clock is 42s ahead",
                None,
            ),
        ] {
            let finding = Diagnosis {
                finding,
                about: about.into(),
                sentence: sentence.into(),
                hint: hint.map(str::to_owned),
                hook: None,
                last: about == "clock",
            };
            update(&mut model, Event::Diagnosed { job, finding });
        }
        model
    });
}

#[test]
fn yaml() {
    check("yaml", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &["y"]);
        let job = asked_for(&effects);
        let mut lines = vec!["apiVersion: apps/v1".to_owned(), "kind: Deployment".into()];
        lines.extend((1..80).map(|n| format!("  line-{n}: \"value {n}\"")));
        let outcome = Ok(Document {
            lines,
            read_at: now(),
        });
        update(&mut model, Event::Fetched { job, outcome });
        model
    });
}

/// The job that was asked for by the last key.
fn asked_for(effects: &[Effect]) -> JobId {
    let job = |effect: &Effect| match effect {
        Effect::StreamLogs { job, .. }
        | Effect::Measure { job, .. }
        | Effect::FetchYaml { job, .. }
        | Effect::FindPrograms { job, .. }
        | Effect::ReadTable { job, .. }
        | Effect::Diagnose { job, .. } => Some(*job),
        _ => None,
    };
    effects.iter().find_map(job).expect("a key asks for it")
}

pub fn with_keys(width: u16, height: u16, keys: &[&str]) -> Model {
    let mut model = model(&night(), width, height);
    press(&mut model, keys);
    model
}
