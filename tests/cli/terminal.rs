//! The first picture needs no network, and the terminal is given back whatever ends the program.

use crate::support::pty::{Launch, Terminal};
use crate::support::wait;

fn open() -> (tempfile::TempDir, Terminal) {
    let home = tempfile::tempdir().unwrap();
    let terminal = Launch::new(home.path()).open();
    terminal.wait_text("No cluster to show.");
    assert!(!terminal.cooked(), "raw while it runs");
    assert!(terminal.screen().alternate_screen());
    (home, terminal)
}

fn assert_given_back(mut terminal: Terminal) {
    assert!(terminal.wait_exit().success());
    let screen = terminal.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    let bytes = terminal.bytes();
    let count = |mark: &[u8]| {
        bytes
            .windows(mark.len())
            .filter(|part| part == &mark)
            .count()
    };
    assert!(
        count(b"\x1b[?2026l") >= count(b"\x1b[?2026h"),
        "no update stays open"
    );
}

#[test]
fn given_back_after_quit() {
    let (_home, terminal) = open();
    terminal.keys("\x03");
    assert_given_back(terminal);
}

#[test]
fn given_back_after_each_signal() {
    for signal in ["TERM", "HUP", "INT"] {
        let (_home, terminal) = open();
        terminal.signal(signal);
        assert_given_back(terminal);
    }
}

#[test]
fn stopped_and_continued() {
    let (_home, terminal) = open();
    terminal.signal("TSTP");
    terminal.wait_for("the shell's screen", |screen| !screen.alternate_screen());
    let status = format!("/proc/{}/stat", terminal.process_id());
    wait::until("it is stopped", || {
        let stat = std::fs::read_to_string(&status).unwrap_or_default();
        stat.contains(") T ").then_some(())
    });
    assert!(terminal.cooked());
    terminal.signal("CONT");
    terminal.wait_for("its own screen again", |screen| {
        screen.alternate_screen() && screen.contents().contains("No cluster to show.")
    });
    assert!(!terminal.cooked());
    terminal.keys("\x03");
    assert_given_back(terminal);
}

#[test]
fn a_storm_of_sizes_ends_in_the_last_one() {
    let (_home, terminal) = open();
    for round in 0..100 {
        terminal.resize(40 + round % 7 * 20, 10 + round % 5 * 9);
    }
    terminal.resize(80, 24);
    terminal.keys("?");
    terminal.wait_for("the help, drawn for 80x24", |screen| {
        screen.contents().contains("─ esc closes ┘\n esc back")
    });
    terminal.keys("\x1b");
    terminal.wait_text("No cluster to show.");
    terminal.keys("\x03");
    assert_given_back(terminal);
}
