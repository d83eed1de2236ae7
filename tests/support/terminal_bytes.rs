//! What arrived at a terminal, taken apart: only the control sequences that rolldeck itself uses may be in it.

/// Everything in `bytes` that is neither printable text nor a control sequence of ours, as readable words.
pub fn strangers(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut strangers = Vec::new();
    let mut rest = &*text;
    while let Some(first) = rest.chars().next() {
        let (taken, fine) = if first == '\x1b' {
            sequence(rest)
        } else {
            (first.len_utf8(), plain(first))
        };
        if !fine {
            strangers.push(format!("{:?}", &rest[..taken]));
        }
        rest = &rest[taken..];
    }
    strangers
}

/// Printable, and moves nothing: neither control characters nor the marks that reorder or hide text.
pub fn plain(character: char) -> bool {
    match character {
        '\r' | '\n' => true,
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{61c}'
        | '\u{fffd}' => false,
        other => !other.is_control(),
    }
}

/// The length of the escape sequence at the start of `text`, and whether it is one of ours.
fn sequence(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'[') => {
            let end = bytes[2..]
                .iter()
                .position(|byte| (0x40..=0x7e).contains(byte));
            let Some(end) = end else {
                return (text.len(), false);
            };
            let body = &text[2..2 + end];
            match (bytes[2 + end], body) {
                // What ends a scroll, and the terminal's own margins at the end.
                (b'r', "") => (end + 3, true),
                (b'r', _) => scroll(text, body).map_or((end + 3, false), |length| (length, true)),
                (last, body) => (end + 3, csi(body, last)),
            }
        }
        // OSC 52, the clipboard, and the two notifications, which begin with our name, are the only strings that are sent.
        Some(b']') => {
            let end = text.find('\x07').map(|at| at + 1);
            let end = end.or_else(|| text.find("\x1b\\").map(|at| at + 2));
            let end = end.unwrap_or(text.len());
            let ours = ["\x1b]52;", "\x1b]9;rolldeck: ", "\x1b]777;notify;rolldeck;"];
            (end, ours.iter().any(|start| text.starts_with(start)))
        }
        Some(_) => (
            1 + text[1..].chars().next().map_or(0, char::len_utf8),
            false,
        ),
        None => (1, false),
    }
}

/// Rows moved by the terminal: margins, to the first row of them, so many lines in or out, no margins again. Nothing
/// else may stand in between, so that no other margins can be set. Returns the length of all four.
fn scroll(text: &str, margins: &str) -> Option<usize> {
    let number = |text: &str| text.parse::<u16>().is_ok_and(|number| number > 0);
    let (top, bottom) = margins.split_once(';')?;
    let head = format!("\x1b[{margins}r\x1b[{top}H\x1b[");
    let rest = text.strip_prefix(&head)?;
    let count = rest.find(['L', 'M'])?;
    let whole = number(top) && number(bottom) && number(&rest[..count]);
    let ends = rest[count + 1..].starts_with("\x1b[r");
    (whole && ends).then(|| head.len() + count + 1 + "\x1b[r".len())
}

/// Modes, colours, cursor moves and erasing, with parameters that exist.
fn csi(body: &str, end: u8) -> bool {
    let numbers_below = |limit: u32| {
        body.split([';', ':'])
            .all(|number| number.is_empty() || number.parse::<u32>().is_ok_and(|n| n < limit))
    };
    match end {
        b'm' => numbers_below(256),
        b'H' | b'G' | b'd' | b'A' | b'B' | b'C' | b'D' | b'X' | b'J' | b'K' => numbers_below(1000),
        b'h' | b'l' => body.strip_prefix('?').is_some_and(|modes| {
            modes
                .split(';')
                .all(|mode| ["25", "1049", "2026", "2004", "7"].contains(&mode))
        }),
        _ => false,
    }
}
