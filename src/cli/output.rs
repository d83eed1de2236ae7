//! Lines and JSON on stdout. A pipe that was closed is no error.

use std::io::{self, Write};

use serde::Serialize;

use crate::domain::{Failure, FailureKind};
use crate::text;

/// Escaped, one line.
pub fn line(words: &str) -> Result<(), Failure> {
    written(writeln!(io::stdout().lock(), "{}", text::escape(words)))
}

/// One value, pretty, with a line's end. JSON escapes control characters itself.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    written(writeln!(io::stdout().lock(), "{text}"))
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

/// The word of a finding.
pub fn finding(finding: crate::plan::Finding) -> &'static str {
    use crate::plan::Finding;
    match finding {
        Finding::Ok => "ok",
        Finding::Warn => "warn",
        Finding::Block => "BLOCK",
        Finding::Unverified => "unverified",
    }
}
