//! The terminal handed to another program, which may leave it in any state, and taken back whole.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::keeper;
use crate::support::pty::{Launch, Terminal, picture};
use crate::support::wait;

const CONFIG: &str = "
handover:
  - {name: wreck, key: W, command: [wreck]}
  - {name: talk, key: T, command: [talk, '{namespace}', '{kind}/{name}', '{?what}']}
  - {name: fine, key: F, command: ['true'], writes: false}
  - {name: gone, key: G, command: [no-such-program]}
";

/// Every mode that it can find, and then dies of what no program survives.
const WRECK: &str = "#!/bin/sh
printf '\\033[?1049h\\033[?1000h\\033[?1006h\\033[?2004h\\033[?1h\\033=\\033[3;5r\\033[31;7m\\033[?25lWRECKED'
stty raw -echo
kill -9 $$
";

/// Says what it was told and what it is told, and fails.
const TALK: &str = "#!/bin/sh
echo \"told $*\"
while read line; do
  case $line in
    fail) exit 3 ;;
    *) echo \"got $line\" ;;
  esac
done
";

struct Played {
    home: tempfile::TempDir,
    terminal: Terminal,
}

impl Played {
    fn open(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let programs = home.path().join("bin");
        std::fs::create_dir(&programs).unwrap();
        for (name, text) in [("wreck", WRECK), ("talk", TALK)] {
            let file = programs.join(name);
            keeper::write(&file, text);
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let launch = Launch::new(home.path())
            .config(CONFIG)
            .variable("PATH", &path)
            .variable("TMPDIR", &home.path().to_string_lossy())
            .with(&["demo", "-n", "shop-dev", "--services", "3"])
            .with(arguments);
        let terminal = launch.open();
        terminal.wait_for("a row", |screen| picture(screen).contains("❯"));
        Self { home, terminal }
    }

    fn menu(&self) {
        self.terminal.keys("x");
        self.terminal.wait_text("HAND OVER");
    }

    /// The screen is whole and ours, and says this.
    fn back(&self, notice: &str) {
        self.terminal
            .wait_for(&format!("the board, and {notice:?}"), |screen| {
                let text = picture(screen);
                text.contains(notice) && text.contains("SERVICE") && screen.alternate_screen()
            });
        let screen = self.terminal.screen();
        assert!(!self.terminal.cooked() && screen.hide_cursor() && screen.bracketed_paste());
        assert!(!screen.application_cursor() && !screen.application_keypad());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }

    /// What the record says of it; its folder goes with the demo.
    fn record(&self) -> Vec<Value> {
        let lines = |folder: &Path| {
            let text = std::fs::read_to_string(folder.join("state/release-record.jsonl"));
            let text = text.unwrap_or_default();
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
            lines.collect::<Vec<Value>>()
        };
        let folders = std::fs::read_dir(self.home.path()).unwrap();
        folders
            .flat_map(|folder| lines(&folder.unwrap().path()))
            .collect()
    }

    fn leave(mut self) {
        self.terminal.keys("\x03");
        assert!(self.terminal.wait_exit().success());
        let screen = self.terminal.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
    }
}

#[test]
fn a_program_that_dies_in_the_middle_leaves_nothing_behind() {
    let played = Played::open(&[]);
    played.menu();
    played.terminal.keys("W");
    played
        .terminal
        .wait_text("[wreck was killed by SIGKILL; a key goes back to rolldeck]");
    assert!(
        !played.terminal.screen().alternate_screen(),
        "its words stay to be read"
    );
    played.terminal.keys("\r");
    played.back("wreck was killed by SIGKILL");
    let shown = played.terminal.picture();
    for part in ["demo › shop-dev", "SERVICE", "checkout", "? help"] {
        assert!(shown.contains(part), "painted whole: {shown}");
    }
    wait::until("the line in the record", || {
        let record = played.record();
        let line = record.iter().find(|line| line["event"] == "handed-over")?;
        (line["outcome"] == "killed by SIGKILL" && line["command"] == serde_json::json!(["wreck"]))
            .then_some(())
    });
    played.leave();
}

#[test]
fn a_program_has_the_keys_stops_goes_on_and_fails_in_words() {
    let played = Played::open(&[]);
    let terminal = &played.terminal;
    played.menu();
    terminal.keys("Ttwo words\r");
    terminal.wait_for("its arguments, each its own", |screen| {
        let text = picture(screen);
        text.contains("$ talk shop-dev")
            && text.contains("told shop-dev ")
            && text.contains(" two words")
    });
    assert!(terminal.cooked() && !terminal.screen().alternate_screen());
    // No key of it reaches rolldeck, whose ctrl-c quits.
    for line in 0..20 {
        terminal.keys(&format!("{line} the quick brown fox jumps\r"));
    }
    terminal.wait_text("got 19 the quick brown fox jumps");
    for line in 0..20 {
        let text = format!("got {line} the quick brown fox jumps");
        let bytes = terminal.bytes();
        assert!(String::from_utf8_lossy(&bytes).contains(&text), "{text}");
    }
    terminal.keys("\x1a");
    let status = format!("/proc/{}/stat", terminal.process_id());
    wait::until("both are stopped", || {
        let stat = std::fs::read_to_string(&status).unwrap_or_default();
        stat.contains(") T ").then_some(())
    });
    terminal.signal("CONT");
    terminal.keys("again\r");
    terminal.wait_text("got again");
    terminal.keys("fail\r");
    terminal.wait_text("[talk ended with 3; a key goes back to rolldeck]");
    terminal.keys(" ");
    played.back("talk ended with 3");
    played.menu();
    terminal.keys("Tx\r");
    terminal.wait_text("told shop-dev");
    terminal.keys("\x03");
    terminal.wait_text("[talk was killed by SIGINT;");
    terminal.keys("\r");
    played.back("talk was killed by SIGINT");
    played.menu();
    terminal.keys("F");
    played.back("true ended");
    played.leave();
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let played = Played::open(&[]);
    played.menu();
    played.terminal.keys("G");
    played
        .terminal
        .wait_text("no-such-program is not on the PATH");
    played.terminal.keys("\x1b");
    played.terminal.wait_text("? help");
    played.leave();
}

#[test]
fn in_a_read_only_session_what_can_write_is_not_started() {
    let played = Played::open(&["--readonly"]);
    played.menu();
    played.terminal.keys("W");
    played
        .terminal
        .wait_text("this session is read-only, and wreck can change something");
    played.terminal.keys("F");
    played.back("true ended");
    played.leave();
}

#[test]
fn a_signal_that_ends_rolldeck_ends_the_program_as_well() {
    let mut played = Played::open(&[]);
    played.menu();
    played.terminal.keys("Tx\r");
    played.terminal.wait_text("told shop-dev");
    played.terminal.signal("TERM");
    assert!(played.terminal.wait_exit().success());
    assert!(played.terminal.cooked() && !played.terminal.screen().alternate_screen());
}
