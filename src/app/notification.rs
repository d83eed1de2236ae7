//! What is sent to a terminal for somebody who looks elsewhere.

use crate::config::{Notify, Terminal};
use crate::text::{escape, fit};

/// Cells of the longest notification.
const LONGEST: usize = 200;

/// Without anything that a terminal obeys.
pub fn words(about: &str) -> String {
    fit(&escape(about), LONGEST)
}

/// The bell and the notification, as they are sent. The words begin with the program's name, because a number in
/// their place is a command of its own to some terminals.
pub fn sequence(about: &str, how: &Notify) -> String {
    let words = words(about);
    let shown = match how.terminal {
        Terminal::None => String::new(),
        Terminal::Osc9 => format!("\x1b]9;rolldeck: {words}\x07"),
        // A semicolon would begin another field.
        Terminal::Osc777 => format!("\x1b]777;notify;rolldeck;{}\x07", words.replace(';', ",")),
    };
    let bell = if how.bell { "\x07" } else { "" };
    format!("{shown}{bell}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_reaches_the_terminal_as_it_is() {
        let about = "a;\x07\x1b]52;c;aGk=\x1b\\\u{9d}0;x\u{9c}";
        for (terminal, start) in [
            (Terminal::None, ""),
            (Terminal::Osc9, "\x1b]9;rolldeck: "),
            (Terminal::Osc777, "\x1b]777;notify;rolldeck;"),
        ] {
            let how = Notify {
                bell: true,
                terminal,
                command: Vec::new(),
            };
            let sent = sequence(about, &how);
            let rest = sent.strip_prefix(start).unwrap();
            let ends = if start.is_empty() { "\x07" } else { "\x07\x07" };
            let text = rest.strip_suffix(ends).unwrap();
            assert!(!text.chars().any(char::is_control), "{sent:?}");
            assert_eq!(
                terminal == Terminal::Osc777,
                !text.contains(';') && !text.is_empty()
            );
            let quiet = Notify { bell: false, ..how };
            assert_eq!(sequence(about, &quiet), sent[..sent.len() - 1]);
        }
        assert!(words(&"x".repeat(10_000)).len() < 210);
    }
}
