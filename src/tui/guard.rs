//! Takes the terminal and gives it back, whatever ends the program.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use tokio::sync::Notify;

/// The terminal is ours: who gives it back first, wins.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// A panic somewhere: the loop ends, because what panicked is missing from now on.
static PANICKED: Notify = Notify::const_new();

/// Gives the terminal back when dropped.
pub struct Guard;

impl Guard {
    pub fn take() -> io::Result<Self> {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            tracing::error!("{panic}");
            former(panic);
            PANICKED.notify_one();
        }));
        enter()?;
        Ok(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Keys come one by one and are not echoed.
pub fn raw() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()
}

/// Raw mode, alternate screen, bracketed paste.
pub fn enter() -> io::Result<()> {
    raw()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// As it was found. Does nothing the second time, and says nothing when there is no terminal any more.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // The ends of a synchronized update and of a scroll that a panic cut off, so that what follows is seen.
    let _ = out.write_all(b"\x1b[?2026l\x1b[r\x1b[0m");
    let _ = execute!(
        out,
        DisableBracketedPaste,
        cursor::Show,
        LeaveAlternateScreen
    );
    let _ = disable_raw_mode();
}

/// Until something panics.
pub async fn panicked() {
    PANICKED.notified().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};
    use std::io::Read;

    /// A panic in another thread, in a terminal of its own.
    #[test]
    #[ignore = "the test below starts it in a terminal"]
    fn panics_in_a_thread() {
        let _guard = Guard::take().unwrap();
        let ended = std::thread::spawn(|| panic!("for the test")).join();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(panicked());
        let modes = rustix::termios::tcgetattr(io::stdin()).unwrap().local_modes;
        let cooked = modes.contains(rustix::termios::LocalModes::ICANON);
        writeln!(
            io::stdout(),
            "cooked: {cooked}, panicked: {}",
            ended.is_err()
        )
        .unwrap();
    }

    #[test]
    fn a_panic_in_any_thread_gives_the_terminal_back_and_is_read_there() {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tui::guard::tests::panics_in_a_thread"]);
        command.args(["--ignored", "--nocapture", "--test-threads=1"]);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        // The other side closing is an error on Linux.
        while let Ok(count @ 1..) = reader.read(&mut piece) {
            bytes.extend_from_slice(&piece[..count]);
        }
        assert!(child.wait().unwrap().success());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let at = |mark: &str| {
            text.rfind(mark)
                .unwrap_or_else(|| panic!("no {mark:?}: {text:?}"))
        };
        assert!(at("\x1b[?1049h") < at("\x1b[?1049l"));
        assert!(at("\x1b[?1049l") < at("for the test"), "{text:?}");
        assert!(text.contains("\x1b[?25h") && text.contains("\x1b[?2004l"));
        assert!(text.contains("cooked: true, panicked: true"), "{text:?}");
    }
}
