//! The embedded world, measured: the release binary in a terminal, world and screen in one process. Prints JSON.
//!
//! `cargo bench --bench demo -- --runs 10 [--window SECONDS] [--services 5000] [--out FILE]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod process;
mod report;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Duration;

use report::Report;
use serde_json::json;
use support::pty::{Launch, Terminal, picture};

/// Services beside those of the scenario, for the idle screen: 60 in all, and nothing is scripted.
const IDLE: [&str; 4] = ["--scenario", "bad-image", "--services", "56"];

struct Arguments {
    runs: usize,
    /// How long an idle screen is watched.
    window: Duration,
    services: usize,
    out: Option<PathBuf>,
}

fn main() {
    let arguments = arguments();
    let mut report = Report::default();
    for run in 0..arguments.runs {
        eprintln!("run {} of {}", run + 1, arguments.runs);
        start(&mut report);
        idle(&mut report, "tour", &[], arguments.window);
        idle(&mut report, "60 services", &IDLE, arguments.window);
        fleet(&mut report, arguments.services);
    }
    let text = format!(
        "{:#}",
        json!({"window, s": arguments.window.as_secs(), "rows": report.json()})
    );
    println!("{text}");
    if let Some(out) = &arguments.out {
        std::fs::write(out, text + "\n").expect("the file can be written");
    }
}

fn open(arguments: &[&str]) -> (tempfile::TempDir, Terminal) {
    let home = tempfile::tempdir().expect("a folder");
    let launch = Launch::new(home.path())
        .size(200, 50)
        .argument("demo")
        .with(arguments);
    (home, launch.open())
}

fn start(report: &mut Report) {
    let (_home, terminal) = open(&[]);
    let rows = |screen: &vt100::Screen| {
        picture(screen)
            .lines()
            .filter(|row| row.contains("shop-"))
            .count()
    };
    let first = terminal.wait_for("first rows", |screen| rows(screen) > 10);
    report.add("first rows, s", "tour", first.as_secs_f64());
    let stalled = terminal.wait_for("the broken service in the first row", |screen| {
        let text = picture(screen);
        let row = text.lines().nth(2).unwrap_or_default();
        row.contains("checkout") && row.contains("stalled")
    });
    report.add("broken service named, s", "tour", stalled.as_secs_f64());
}

fn idle(report: &mut Report, name: &str, arguments: &[&str], window: Duration) {
    let (_home, terminal) = open(arguments);
    terminal.wait_text("stalled");
    let id = terminal.process_id();
    // What begins with the start is over a little later.
    std::thread::sleep(Duration::from_secs(5));
    let before = process::processor(id);
    std::thread::sleep(window);
    let spent = process::processor(id).saturating_sub(before);
    let share = 100.0 * spent.as_secs_f64() / window.as_secs_f64();
    report.add("idle processor, %", name, share);
    report.add("memory, MiB", name, process::memory(id));
}

fn fleet(report: &mut Report, services: usize) {
    let count = services.to_string();
    let (_home, terminal) = open(&["--scenario", "fleet", "--services", &count]);
    let name = format!("{services} services");
    let first = terminal.wait_for("first rows", |screen| {
        picture(screen).matches("team-").count() > 10
    });
    report.add("first rows, s", &name, first.as_secs_f64());
    terminal.wait_text("stalled");
    let whole = terminal.wait_text(&format!("live · {} services", thousands(services + 1)));
    report.add("whole board, s", &name, whole.as_secs_f64());
    std::thread::sleep(Duration::from_secs(5));
    report.add("memory, MiB", &name, process::memory(terminal.process_id()));
}

/// `1,200`.
fn thousands(count: usize) -> String {
    match count {
        0..1000 => count.to_string(),
        _ => format!("{},{:03}", count / 1000, count % 1000),
    }
}

fn arguments() -> Arguments {
    let mut arguments = Arguments {
        runs: 3,
        window: Duration::from_secs(60),
        services: 5_000,
        out: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .unwrap_or_else(|| panic!("{word} needs a value"))
        };
        match word.as_str() {
            "--runs" => arguments.runs = value().parse().expect("a number"),
            "--window" => arguments.window = Duration::from_secs(value().parse().expect("seconds")),
            "--services" => arguments.services = value().parse().expect("a number"),
            "--out" => arguments.out = Some(value().into()),
            "--bench" => {} // cargo says so
            other => panic!("{other} is not known"),
        }
    }
    arguments
}
