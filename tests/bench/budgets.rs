//! The budgets, measured: the release binary in a terminal on a real control plane, peers interleaved. Prints JSON.
//!
//! `cargo bench --bench budgets -- --fleet M --runs 10 --peer PATH_TO_SOFKA [--window SECONDS] [--out FILE] [--outages]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss
)]

mod fleet;
mod process;
mod program;
mod report;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fleet::{SIZES, Size};
use program::{Kind, Program};
use report::Report;
use serde_json::{Value, json};
use support::control_plane::ControlPlane;
use support::fixtures::Service;
use support::pty::{Terminal, picture};
use vt100::Screen;

/// So many samples of each short thing within one run.
const EVENTS: usize = 5;
const KEYS: usize = 20;
const ROLLOUTS: usize = 20;
/// Faster than anybody presses keys on purpose. Without a pause one would measure the limit of frames a second.
const KEY_REPEAT: Duration = Duration::from_millis(100);

struct Arguments {
    size: Size,
    runs: usize,
    /// How long the quiet and the busy screen are watched, each.
    window: Duration,
    peer: Option<PathBuf>,
    /// The API server is stopped and frozen in each run, which takes about a minute more.
    outages: bool,
    out: Option<PathBuf>,
}

struct Bench {
    plane: ControlPlane,
    kubeconfig: PathBuf,
    arguments: Arguments,
    services: Vec<Service>,
    report: Report,
}

fn main() {
    let arguments = arguments();
    let plane = ControlPlane::own();
    let kubeconfig = plane.owner("bench", None);
    eprintln!("making fleet {}", arguments.size.name);
    let services = fleet::make(&plane, arguments.size);
    let mut programs = vec![Program::rolldeck()];
    programs.extend(arguments.peer.as_deref().map(Program::sofka));
    let runs = arguments.runs;
    let mut bench = Bench {
        plane,
        kubeconfig,
        arguments,
        services,
        report: Report::default(),
    };
    for run in 0..runs {
        for program in &programs {
            eprintln!("run {} of {runs}, {}", run + 1, program.name());
            bench.run(program, run);
        }
        if bench.arguments.outages {
            bench.outages(&programs[0]);
        }
        // After each run, so that a bench that is cut short has told what it saw.
        if let Some(out) = &bench.arguments.out {
            let text = format!("{:#}\n", bench.result(&programs));
            std::fs::write(out, text).expect("the file can be written");
        }
    }
    println!("{:#}", bench.result(&programs));
}

impl Bench {
    fn run(&mut self, program: &Program, run: usize) {
        let home = tempfile::tempdir().expect("a folder");
        let terminal = program.launch(&self.kubeconfig, home.path());
        self.start(program, &terminal);
        self.keys(program, &terminal);
        self.quiet(program, &terminal);
        self.events(program, &terminal, run);
        self.busy(program, &terminal, run);
        drop(terminal);
        // A peer asks other questions in other words: its rollback is not scripted here.
        if program.kind == Kind::Rolldeck {
            self.roll_back(run);
        }
    }

    fn start(&mut self, program: &Program, terminal: &Terminal) {
        let name = program.name();
        let first = terminal.wait_for("first rows", |screen| {
            picture(screen)
                .lines()
                .filter(|row| row.contains("service-"))
                .count()
                > 10
        });
        let painted = terminal.byte_count();
        self.report.add("first rows, s", name, first.as_secs_f64());
        self.report
            .add("bytes until first rows", name, painted as f64);
        let deployments = self.arguments.size.deployments;
        let whole = terminal.wait_for("the whole fleet", |screen| {
            program.whole(screen, deployments)
        });
        self.report.add("whole board, s", name, whole.as_secs_f64());
    }

    /// Scaled up and down: both programs show the count of wanted pods.
    fn events(&mut self, program: &Program, terminal: &Terminal, run: usize) {
        let service = self.services[0].clone();
        let wanted = self.arguments.size.replicas;
        for step in 0..EVENTS {
            let replicas = wanted + 1 + u32::try_from((run + step) % 5).expect("small");
            self.scale(&service, replicas);
            let written = Instant::now();
            program::wait_row(terminal, &service.name, &format!("/{replicas}"));
            let took = written.elapsed().as_secs_f64() * 1000.0;
            self.report.add("event to cell, ms", program.name(), took);
            self.scale(&service, wanted);
            program::wait_row(terminal, &service.name, &format!("/{wanted}"));
        }
    }

    fn scale(&self, service: &Service, replicas: u32) {
        let change = json!({"spec": {"replicas": replicas}});
        self.plane
            .admin()
            .patch(&service.path(), &change)
            .expect("scaled");
    }

    fn keys(&mut self, program: &Program, terminal: &Terminal) {
        for press in 0..KEYS {
            std::thread::sleep(KEY_REPEAT);
            let key = if press < KEYS / 2 { "j" } else { "k" };
            let took = program::key_to_paint(terminal, key).as_secs_f64() * 1000.0;
            self.report.add("key to paint, ms", program.name(), took);
        }
    }

    /// At the end of the list, where nothing was touched for minutes: no age counts seconds.
    fn quiet(&mut self, program: &Program, terminal: &Terminal) {
        program::key_to_paint(terminal, "G");
        let before = self.plane.asked_by("bench").len();
        let (processor, bytes) = self.watch(terminal);
        let name = program.name();
        self.report.add("CPU, nothing changing, %", name, processor);
        self.report.add("bytes/s, nothing changing", name, bytes);
        let memory = process::memory(terminal.process_id());
        self.report.add("resident memory, MiB", name, memory);
        let asked = self.plane.asked_by("bench");
        let others = asked[before.min(asked.len())..].iter();
        let others: Vec<_> = others.filter(|asked| asked.verb != "watch").collect();
        for asked in &others {
            eprintln!("{name} asked meanwhile: {} {}", asked.verb, asked.uri);
        }
        self.report
            .add("requests other than watches", name, others.len() as f64);
        program::key_to_paint(terminal, "g");
    }

    /// Rollouts of the first rows, of one pod after the other.
    fn busy(&mut self, program: &Program, terminal: &Terminal, run: usize) {
        let tag = format!("2.{run}.{}", usize::from(program.kind == Kind::Sofka));
        let services = self.services[..ROLLOUTS].to_vec();
        for service in &services {
            fleet::roll(&self.plane, service, &tag, 5);
        }
        let (processor, bytes) = self.watch(terminal);
        let name = program.name();
        self.report.add("CPU, 20 rollouts, %", name, processor);
        self.report.add("bytes/s, 20 rollouts", name, bytes);
        for service in &services {
            service.wait_complete(&self.plane, &tag);
        }
    }

    /// Percent of a core and bytes a second, over one window.
    fn watch(&self, terminal: &Terminal) -> (f64, f64) {
        let process_id = terminal.process_id();
        let (processor, bytes) = (process::processor(process_id), terminal.byte_count());
        let begin = Instant::now();
        std::thread::sleep(self.arguments.window); // the window is what is measured
        let seconds = begin.elapsed().as_secs_f64();
        let used = process::processor(process_id).saturating_sub(processor);
        let written = terminal.byte_count() - bytes;
        (
            used.as_secs_f64() / seconds * 100.0,
            written as f64 / seconds,
        )
    }

    fn roll_back(&mut self, run: usize) {
        let service = self.services[ROLLOUTS + run % 10].clone();
        let good = service.live_image(&self.plane);
        service.set_image(&self.plane, &format!("{run}-unpullable"));
        service.wait_waiting(&self.plane, "ImagePullBackOff");
        let home = tempfile::tempdir().expect("a folder");
        let program = Program::rolldeck();
        let terminal = program.launch(&self.kubeconfig, home.path());
        let took = Program::roll_back(&self.plane, &terminal, &service);
        self.report.add(
            "launch to accepted rollback, s",
            program.name(),
            took.as_secs_f64(),
        );
        let tag = good.rsplit(':').next().unwrap_or_default();
        service.wait_complete(&self.plane, tag);
    }

    /// How soon it is told that the server is away, and how soon all is as before once it is back.
    fn outages(&mut self, program: &Program) {
        let home = tempfile::tempdir().expect("a folder");
        let terminal = program.launch(&self.kubeconfig, home.path());
        let deployments = self.arguments.size.deployments;
        let whole = |screen: &Screen| program.whole(screen, deployments);
        let told = |screen: &Screen| {
            !picture(screen)
                .lines()
                .next()
                .unwrap_or("")
                .contains("live")
        };
        terminal.wait_for("the whole fleet", whole);
        for (what, freeze) in [("stopped", false), ("frozen", true)] {
            let begin = Instant::now();
            if freeze {
                self.plane.freeze();
            } else {
                self.plane.stop();
            }
            terminal.wait_for("the silence is told", told);
            let took = begin.elapsed().as_secs_f64();
            self.report
                .add(&format!("{what} to told, s"), program.name(), took);
            if freeze {
                self.plane.thaw();
            } else {
                self.plane.start();
            }
            let begin = Instant::now();
            terminal.wait_for("all is as before", whole);
            let took = begin.elapsed().as_secs_f64();
            let what = format!("{what} server back to live, s");
            self.report.add(&what, program.name(), took);
        }
    }

    fn result(&self, programs: &[Program]) -> Value {
        let sizes: serde_json::Map<_, _> = programs
            .iter()
            .map(|program| {
                let bytes = std::fs::metadata(&program.path).map_or(0, |file| file.len());
                (program.name().to_owned(), json!(bytes as f64 / 1e6))
            })
            .collect();
        json!({
            "commit": commit(),
            "fleet": self.arguments.size.name,
            "deployments": self.arguments.size.deployments,
            "runs": self.arguments.runs,
            "window_seconds": self.arguments.window.as_secs(),
            "binary, MB": sizes,
            "results": self.report.json(),
        })
    }
}

fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn arguments() -> Arguments {
    let mut arguments = Arguments {
        size: SIZES[0],
        runs: 10,
        window: Duration::from_secs(20),
        peer: None,
        outages: false,
        out: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .unwrap_or_else(|| panic!("{word} wants a value"))
        };
        match word.as_str() {
            "--bench" => {} // cargo adds it
            "--fleet" => {
                let name = value();
                let size = SIZES.into_iter().find(|size| size.name == name);
                arguments.size = size.unwrap_or_else(|| panic!("--fleet is S, M or L"));
            }
            "--runs" => arguments.runs = value().parse().expect("--runs is a number"),
            "--window" => {
                let seconds = value().parse().expect("--window is a number of seconds");
                arguments.window = Duration::from_secs(seconds);
            }
            "--peer" => arguments.peer = Some(value().into()),
            "--outages" => arguments.outages = true,
            "--out" => arguments.out = Some(value().into()),
            other => panic!("{other}: not one of --fleet --runs --window --peer --out --outages"),
        }
    }
    arguments
}
