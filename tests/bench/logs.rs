//! A merged log of fifty pods, measured: the release binary in a terminal, the logs from a server in memory on the same
//! machine, whose own time is part of the load. Prints JSON.
//!
//! `cargo bench --bench logs -- [--rate LINES_A_SECOND_OF_EACH_POD] [--seconds N]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss
)]

mod process;
mod report;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use report::Report;
use serde_json::json;
use support::fake::{Fake, Flood, Reply, deployment, pods};
use support::pty::{Launch, Terminal, picture};

const PODS: usize = 50;
/// What it may take, in MiB; and what a line takes of the program's own.
const MEMORY: f64 = 128.0;

fn main() {
    let (rate, seconds) = arguments();
    let taken = Arc::new(AtomicU64::new(0));
    let flood = Flood {
        each: rate / 50,
        lines: u64::MAX,
        taken: Arc::clone(&taken),
    };
    let mut objects = deployment("checkout", &["1"]);
    objects.extend(pods("checkout", PODS));
    let fake = Fake::start(objects, move |_, uri| {
        uri.contains("/log?").then(|| Reply::Log(flood.clone()))
    });
    let home = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_rolldeck"));
    let terminal = Launch::of(program, home.path())
        .kubeconfig(&fake.kubeconfig())
        .size(200, 50)
        .open();
    terminal.wait_text("checkout");
    terminal.keys("l");
    terminal.wait_text(&format!("{PODS} pods"));
    terminal.wait_text("GET /checkout");
    let mut report = Report::default();
    let begin = Instant::now();
    let (lines, bytes) = (taken.load(Ordering::Relaxed), terminal.byte_count());
    let processor = process::processor(terminal.process_id());
    let mut worst = 0.0_f64;
    while begin.elapsed() < Duration::from_secs(seconds) {
        // Times on and off: the answer is in every row. Then standing still, and following again.
        for (key, here) in [("t", true), ("t", false), ("f", true), ("f", false)] {
            std::thread::sleep(Duration::from_millis(400)); // as a person would
            let took = answered(&terminal, key, here);
            report.add("key to answer, ms", "rolldeck", took.as_secs_f64() * 1000.0);
        }
        let memory = process::memory(terminal.process_id());
        worst = worst.max(memory);
        report.add("resident memory, MiB", "rolldeck", memory);
    }
    let took = begin.elapsed().as_secs_f64();
    let used = process::processor(terminal.process_id()).saturating_sub(processor);
    let came = (taken.load(Ordering::Relaxed) - lines) as f64 / took;
    let written = (terminal.byte_count() - bytes) as f64 / took;
    let dropped = picture(&terminal.screen());
    let dropped = dropped.lines().nth(1).unwrap_or_default().to_owned();
    let result = json!({
        "pods": PODS, "asked of each, lines/s": rate, "seconds": took,
        "served in all, lines/s": came, "CPU of one core, %": used.as_secs_f64() / took * 100.0,
        "to the terminal, bytes/s": written, "worst resident memory, MiB": worst,
        "what the screen says": dropped, "results": report.json(),
    });
    println!("{result:#}");
    assert!(worst < MEMORY, "{worst} MiB");
}

/// Until the screen shows that the key was taken.
fn answered(terminal: &Terminal, key: &str, here: bool) -> Duration {
    let pressed = Instant::now();
    terminal.keys(key);
    terminal.wait_for("the answer to a key", |screen| {
        let text = picture(screen);
        let mut lines = text.lines().skip(1);
        let title = lines.next().unwrap_or_default();
        if key == "f" {
            return title.contains(" follows") == here;
        }
        // `03:04:12.123 p07  …`
        let first = lines.next().unwrap_or_default().trim_start();
        (first.as_bytes().get(2) == Some(&b':')) == here
    });
    pressed.elapsed()
}

fn arguments() -> (u64, u64) {
    let (mut rate, mut seconds) = (10_000, 60);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().and_then(|value| value.parse().ok());
        match word.as_str() {
            "--bench" => {} // cargo adds it
            "--rate" => rate = value().expect("--rate is a number"),
            "--seconds" => seconds = value().expect("--seconds is a number"),
            other => panic!("{other}: not one of --rate --seconds"),
        }
    }
    (rate, seconds)
}
