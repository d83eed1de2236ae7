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

/// Raw mode, alternate screen, bracketed paste.
pub fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// As it was found. Does nothing the second time, and says nothing when there is no terminal any more.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // The end of a synchronized update that a panic cut off, so that what follows is seen.
    let _ = out.write_all(b"\x1b[?2026l\x1b[0m");
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
