//! Plain tables: a kind by its name, its rows, and what opens from one.

use super::*;
use crate::app::effect::YamlOf;
use crate::app::event::{JobId, TableNews};
use crate::app::table::{TableScreen, cell};
use crate::domain::table::{Column, Row, Table};
use crate::domain::{ApiKind, Failure, FailureKind};

fn kind(plural: &str, name: &str, short: &str) -> ApiKind {
    ApiKind {
        group: if name == "Deployment" { "apps" } else { "" }.into(),
        version: "v1".into(),
        plural: plural.into(),
        singular: name.to_lowercase().into(),
        kind: name.into(),
        short: [short.into()].into(),
        namespaced: true,
    }
}

fn discovered(model: &mut Model) -> Vec<Effect> {
    let outcome = Ok(vec![
        kind("configmaps", "ConfigMap", "cm"),
        kind("deployments", "Deployment", "deploy"),
    ]);
    let cluster = "prod-eu".into();
    update(model, Event::Discovered { cluster, outcome })
}

fn rows(names: &[(&str, &str)]) -> Table {
    let column = |title: &str, wide| Column {
        title: title.into(),
        wide,
        number: false,
    };
    let row = |(name, data): &(&str, &str)| Row {
        namespace: "shop".into(),
        name: (*name).into(),
        uid: (*name).into(),
        created: None,
        owner: None,
        cells: [(*name).into(), (*data).into(), "x".into()].into(),
    };
    Table {
        columns: vec![
            column("Name", false),
            column("Data", false),
            column("Extra", true),
        ],
        rows: names.iter().map(row).collect(),
    }
}

fn page(model: &mut Model, job: JobId, table: Table, first: bool) {
    let news = TableNews::Page { table, first };
    update(model, Event::TableRead { job, news });
}

fn job(effects: &[Effect]) -> JobId {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::ReadTable { job, .. } => Some(*job),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{effects:?}"))
}

fn screen(model: &Model) -> &TableScreen {
    let Some(Screen::Table(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens);
    };
    screen
}

fn shown(model: &Model) -> Vec<String> {
    let screen = screen(model);
    let table = screen.table.value().unwrap();
    let rows = screen.shown.iter().map(|at| &table.rows[*at]);
    rows.map(|row| cell(row, 0).to_owned()).collect()
}

/// ConfigMaps, all read.
pub fn opened() -> Model {
    let mut model = fleet();
    keys(&mut model, ":cm\n");
    let job = job(&discovered(&mut model));
    let names = [("b", "10"), ("a", "9"), ("c", "1")];
    page(&mut model, job, rows(&names), true);
    let news = TableNews::End { beyond: None };
    update(&mut model, Event::TableRead { job, news });
    model
}

#[test]
fn a_kind_is_opened_by_its_short_name_and_pages_are_added() {
    let mut model = opened();
    assert_eq!(shown(&model), ["b", "a", "c"]);
    let job = screen(&model).job;
    page(&mut model, job, rows(&[("d", "3")]), false);
    assert_eq!(shown(&model), ["b", "a", "c", "d"]);
    page(&mut model, job, rows(&[("e", "3")]), true);
    assert_eq!(shown(&model), ["e"], "read anew");
    page(&mut model, JobId(999), rows(&[("f", "3")]), true);
    assert_eq!(shown(&model), ["e"], "nobody asked for it");
}

#[test]
fn rows_are_filtered_and_sorted_and_the_cursor_stays_on_its_object() {
    let mut model = opened();
    keys(&mut model, "SD");
    assert_eq!(shown(&model), ["c", "a", "b"], "9 before 10");
    assert_eq!(&*screen(&model).row().unwrap().name, "b");
    keys(&mut model, "S2");
    assert_eq!(shown(&model), ["b", "a", "c"], "again turns it round");
    keys(&mut model, "/a\n");
    assert_eq!(shown(&model), ["a"]);
    keys(&mut model, "\x1b");
    assert_eq!(shown(&model).len(), 3);
    keys(&mut model, "\x1b");
    assert!(model.screens.is_empty());
}

#[test]
fn what_is_no_kind_is_told_with_the_nearest_name() {
    let mut model = fleet();
    keys(&mut model, ":configmps\n");
    discovered(&mut model);
    assert!(model.screens.is_empty());
    let said = model.notice.clone().unwrap();
    assert_eq!(
        said.text,
        "there is no command and no kind configmps here: did you mean configmaps?"
    );
    keys(&mut model, ":cm\n");
    assert!(screen(&model).of.is_some(), "known by now");
    let mut model = fleet();
    keys(&mut model, ":widgets\n");
    let outcome = Err(Failure::new(FailureKind::Denied, "no rights"));
    let cluster = "prod-eu".into();
    update(&mut model, Event::Discovered { cluster, outcome });
    let said = model.notice.clone().unwrap();
    assert_eq!(
        said.text,
        "whether widgets is a kind is not known: no rights"
    );
}

#[test]
fn a_row_opens_as_yaml_and_a_service_as_one() {
    let mut model = opened();
    let effects = keys(&mut model, "\n");
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::FetchYaml { object: YamlOf::Object { name, .. }, .. } if **name == *"b")
    });
    assert!(asked, "{effects:?}");
    let mut model = fleet();
    keys(&mut model, ":deploy\n");
    let job = job(&discovered(&mut model));
    page(&mut model, job, rows(&[("checkout", "1")]), true);
    keys(&mut model, "\n");
    assert!(matches!(model.screens.last(), Some(Screen::Service(_))));
}

#[test]
fn a_table_that_cannot_be_read_again_keeps_its_rows_and_says_why() {
    let mut model = opened();
    let job = job(&keys(&mut model, "^r"));
    let news = TableNews::Failed(Failure::new(FailureKind::Denied, "no rights"));
    update(&mut model, Event::TableRead { job, news });
    assert_eq!(shown(&model).len(), 3);
    assert!(!screen(&model).reading);
}

fn pods_of_table() -> Model {
    let mut model = fleet();
    keys(&mut model, ":po\n");
    let outcome = Ok(vec![kind("pods", "Pod", "po")]);
    let cluster = "prod-eu".into();
    let job = job(&update(&mut model, Event::Discovered { cluster, outcome }));
    let mut table = rows(&[("checkout-7d9f-a", "1/1"), ("alone", "1/1")]);
    table.rows[0].owner = Some(("ReplicaSet".into(), "checkout-7d9f".into()));
    page(&mut model, job, table, true);
    model
}

#[test]
fn a_pod_opens_as_its_log_and_one_of_no_service_is_described() {
    for (pressed, previous) in [("\n", false), ("l", false), ("p", true)] {
        let mut model = pods_of_table();
        keys(&mut model, pressed);
        let Some(Screen::Logs(logs)) = model.screens.last() else {
            panic!("{:?}", model.screens)
        };
        assert_eq!(&*logs.workload.name, "checkout");
        assert_eq!(logs.choice.pod.as_deref(), Some("checkout-7d9f-a"));
        assert_eq!(logs.choice.previous, previous);
    }
    let mut model = pods_of_table();
    keys(&mut model, "jl");
    assert!(matches!(model.screens.last(), Some(Screen::Table(_))));
    let said = model.notice.clone().unwrap().text;
    assert!(said.starts_with("pod alone is of no service"), "{said}");
    let effects = keys(&mut model, "\n");
    assert!(
        matches!(&effects[..], [Effect::Describe { object: YamlOf::Object { name, .. }, .. }] if **name == *"alone"),
        "{effects:?}"
    );
}

#[test]
fn a_row_is_described_and_read_again() {
    let mut model = opened();
    let effects = keys(&mut model, "d");
    let [Effect::Describe { object, job }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(matches!(object, YamlOf::Object { name, .. } if **name == *"b"));
    let effects = keys(&mut model, "^r");
    assert_eq!(effects[0], Effect::Cancel { job: *job });
    assert!(matches!(&effects[1], Effect::Describe { object: again, .. } if again == object));
}
