//! The README says what the program does: its keys are those of the registry, its picture is what is drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rolldeck::app::event::DigestsTold;
use rolldeck::app::intent::{Group, REGISTRY};
use rolldeck::app::keymap::Keymap;
use rolldeck::app::update::update;
use rolldeck::app::{Event, Model, settle};
use rolldeck::config::Config;
use rolldeck::demo::{CONTEXT, scenario};
use rolldeck::domain::canary::Provider;
use rolldeck::domain::{Connection, Environment, Identity, PinnedBy};
use rolldeck::plan::Verb;
use rolldeck::plan::verbs::canary::can;

use crate::demo::planted::{news, planted, start};

use super::cells::drawn;
use super::night::{feed, press};
use super::svg::svg;

/// With this variable set the files are written instead of compared.
const UPDATE: &str = "UPDATE_README";

fn check(file: &str, wanted: &str) {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == wanted,
        "{file} is old: {UPDATE}=1 cargo test readme rewrites it"
    );
}

#[test]
fn readme_tables_are_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let written = with_table(&readme, "keys", &keys());
    let written = with_table(&written, "canaries", &canaries());
    check("README.md", &written);
}

/// With another table between the comments of this name.
fn with_table(readme: &str, name: &str, table: &str) -> String {
    let (before, rest) = readme.split_once(&format!("<!-- {name}: ")).unwrap();
    let (comment, rest) = rest.split_once('\n').unwrap();
    let end = format!("<!-- end of {name} -->");
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}<!-- {name}: {comment}\n{table}{end}{after}")
}

/// What each provider of canaries can be told, as the refusals say it.
fn canaries() -> String {
    let keys = |verb| match verb {
        Verb::Promote | Verb::Retry => "`P`",
        Verb::PromoteFull => "`P` `F`",
        Verb::Abort => "`A`",
        Verb::SetWeight => "`W`",
        Verb::Pause => "`u`",
        Verb::Rollback => "`R`",
        other => panic!("no column of {other:?}"),
    };
    let title = |verb: &Verb| format!(" {} {} |", verb.words().plain, keys(*verb));
    let titles: String = can::VERBS.iter().map(title).collect();
    let mut table = format!("| Canaries of | What is shown |{titles}\n|---|---|");
    table += &"---|".repeat(can::VERBS.len());
    for provider in Provider::ALL {
        let cell = |verb: &Verb| match can::can(provider, *verb) {
            Ok(()) => " yes |".to_owned(),
            Err(why) => format!(" no: it {why} |"),
        };
        let cells: String = can::VERBS.iter().map(cell).collect();
        let (name, shown) = (provider.name(), can::shown(provider));
        write!(table, "\n| {name} | {shown} |{cells}").unwrap();
    }
    table + "\n"
}

fn keys() -> String {
    let keymap = Keymap::build(&BTreeMap::new()).unwrap();
    let mut table = String::from("| Keys | Name | |\n|---|---|---|\n");
    for group in Group::ALL {
        for entry in REGISTRY.iter().filter(|entry| entry.group == group) {
            let keys: Vec<_> = keymap
                .keys(entry.intent)
                .iter()
                .map(|key| format!("`{key}`"))
                .collect();
            writeln!(
                table,
                "| {} | `{}` | {} |",
                keys.join(" "),
                entry.name,
                entry.title
            )
            .unwrap();
        }
    }
    table
}

/// What `rolldeck demo` opens with, at a fixed moment.
fn tour(width: u16, height: u16) -> Model {
    let (scenario, cluster) = planted("tour", 1);
    let environment = |e: &scenario::Environment| Environment {
        name: e.name.clone(),
        cluster: CONTEXT.into(),
        namespaces: e.namespaces.clone(),
        protection: e.protection,
        color: None,
        pin: rolldeck::domain::Pin::Tag,
    };
    let config = Config {
        contexts: vec![CONTEXT.into()],
        environments: scenario.environments.iter().map(environment).collect(),
        state_dir: "/tmp/rolldeck-demo/state".into(),
        ..Config::default()
    };
    let mut model = Model::new(&config, start(), width, height).0;
    let identity = Identity {
        server: "http://127.0.0.1:8001".into(),
        version: "v1.36.3".into(),
        pinned: PinnedBy::KubeSystem("a534a6a6".into()),
        user: Some(CONTEXT.into()),
        namespace: None,
    };
    let connected = Event::Connection {
        cluster: model.clusters[0].id.clone(),
        state: Connection::Connected(identity),
    };
    update(&mut model, connected);
    for (source, updates) in news(&cluster, CONTEXT) {
        feed(&mut model, source, updates);
        // The pods of what is not steady are asked for next.
        settle(&mut model);
    }
    model
}

#[test]
fn readme_picture_is_the_tour() {
    let model = tour(120, 18);
    check("assets/screen.svg", &svg(&drawn(&model)));
}

#[test]
fn readme_picture_is_the_matrix_of_the_tour() {
    let mut model = tour(120, 18);
    press(&mut model, &["m"]);
    let (_, cluster) = planted("tour", 1);
    let images = model.fleet.workloads().filter_map(|workload| {
        let image = workload.containers[0].image.clone();
        let digest = cluster.images.find(&image)?.digest.as_str().into();
        Some((workload.id.clone(), vec![(image, digest)]))
    });
    let told = DigestsTold {
        job: rolldeck::app::event::JobId(model.next_job),
        cluster: CONTEXT.into(),
        outcome: Ok(images.collect()),
    };
    update(&mut model, Event::DigestsTold(Box::new(told)));
    settle(&mut model);
    check("assets/matrix.svg", &svg(&drawn(&model)));
}
