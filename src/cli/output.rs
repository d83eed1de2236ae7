//! Lines and JSON on stdout. A pipe that was closed is no error.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use crate::domain::{Failure, FailureKind};
use crate::text;

/// Escaped, one line.
pub fn line(words: &str) -> Result<(), Failure> {
    written(writeln!(io::stdout().lock(), "{}", text::escape(words)))
}

/// Escaped lines, written at once. False once nobody reads them any more.
pub fn lines(lines: &[String]) -> Result<bool, Failure> {
    let mut all = String::new();
    for line in lines {
        all.push_str(&text::escape(line));
        all.push('\n');
    }
    open(io::stdout().lock().write_all(all.as_bytes()))
}

/// Each value on a line of its own, written at once. False once nobody reads them any more.
pub fn json_lines(values: &[impl Serialize]) -> Result<bool, Failure> {
    let mut text = String::new();
    for value in values {
        let json = serde_json::to_string(value)
            .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
        text.push_str(&harmless(&json));
        text.push('\n');
    }
    open(io::stdout().lock().write_all(text.as_bytes()))
}

fn open(result: io::Result<()>) -> Result<bool, Failure> {
    let closed = matches!(&result, Err(why) if why.kind() == io::ErrorKind::BrokenPipe);
    written(result)?;
    Ok(!closed)
}

/// For the person beside the script: escaped, one line on stderr.
pub fn aside(words: &str) {
    let _ = writeln!(io::stderr().lock(), "rolldeck: {}", text::escape(words));
}

/// One value, pretty, with a line's end. It means what it says, and a terminal may show it.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    written(writeln!(io::stdout().lock(), "{}", harmless(&text)))
}

/// Text of our own, as it is.
pub fn verbatim(text: &[u8]) -> Result<(), Failure> {
    written(io::stdout().lock().write_all(text))
}

/// JSON escapes only the ASCII controls itself; the others that a terminal obeys can only stand inside of strings.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !text::is_unsafe(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// Columns that line up; the last is not padded.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let escaped: Vec<Vec<String>> = std::iter::once(&head)
        .chain(rows)
        .map(|row| {
            row.iter()
                .map(|cell| text::escape(cell).into_owned())
                .collect()
        })
        .collect();
    let mut widths = vec![0; head.len()];
    for row in &escaped {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = text::width(cell).max(*width);
        }
    }
    for row in escaped {
        let cells = row.iter().zip(&widths);
        let padded: Vec<_> = cells.map(|(cell, width)| text::pad(cell, *width)).collect();
        line(padded.join("  ").trim_end())?;
    }
    Ok(())
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            let sentence = format!("the output cannot be written: {}", why.kind());
            Err(Failure::new(FailureKind::Failed, sentence))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_harmless_and_means_the_same() {
        let words = "a\u{1b}[31m \u{202e}b\u{9b} \u{e0001} 日本 é";
        let json = serde_json::to_string_pretty(&[words]).unwrap();
        let shown = harmless(&json);
        assert!(
            shown.chars().all(|c| c == '\n' || !text::is_unsafe(c)),
            "{shown}"
        );
        assert_eq!(
            serde_json::from_str::<[String; 1]>(&shown).unwrap()[0],
            words
        );
    }
}
