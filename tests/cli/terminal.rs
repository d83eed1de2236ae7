//! The first picture needs no network, and the terminal is given back whatever ends the program.

use crate::support::pty::{Launch, Terminal};

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
