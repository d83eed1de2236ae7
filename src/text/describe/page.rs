//! The lines of a description: labels beside values, below titles.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use crate::text::{age, pad, width};

/// Cells of a label; a longer one moves its value.
const LABEL: usize = 14;
/// Letters of one value: what is longer is there in the yaml.
const LONGEST: usize = 400;
/// Lines of one object: nobody reads more of them, and the yaml has them all.
const MOST: usize = 2_000;

pub struct Page {
    pub lines: Vec<String>,
    pub now: Timestamp,
    indent: usize,
    most: usize,
}

impl Page {
    pub fn new(now: Timestamp) -> Self {
        Self {
            lines: Vec::new(),
            now,
            indent: 0,
            most: MOST,
        }
    }

    pub fn line(&mut self, words: &str) {
        let indent = " ".repeat(self.indent);
        self.put(format!("{indent}{}", cut(words)).trim_end().to_owned());
    }

    fn put(&mut self, line: String) {
        match self.lines.len().cmp(&self.most) {
            Ordering::Less => self.lines.push(line),
            Ordering::Equal => self.lines.push("… and more: see the yaml".into()),
            Ordering::Greater => {}
        }
    }

    /// A title of its own, after an empty line.
    pub fn title(&mut self, words: &str) {
        self.put(String::new());
        self.line(words);
    }

    /// What comes now is shown however long it was before.
    pub fn make_room(&mut self, lines: usize) {
        self.most = self.most.max(self.lines.len() + lines);
    }

    /// Nothing when there is no value.
    pub fn field(&mut self, label: &str, value: &str) {
        if !value.is_empty() {
            let label = if width(label) < LABEL {
                pad(label, LABEL)
            } else {
                format!("{label}  ")
            };
            self.line(&format!("{label}{value}"));
        }
    }

    /// The first beside the label, the others below it.
    pub fn fields(&mut self, label: &str, values: impl Iterator<Item = String>) {
        for (number, value) in values.enumerate() {
            match number {
                0 => self.field(label, &value),
                _ => self.field(" ", &value),
            }
        }
    }

    pub fn map(&mut self, label: &str, map: &Value, shown: impl Fn(&str) -> bool) {
        let entries = map.as_object().into_iter().flatten();
        let entries = entries.filter(|(key, _)| shown(key));
        self.fields(
            label,
            entries.map(|(key, value)| format!("{key}={}", text(value))),
        );
    }

    /// What is written in here stands further right.
    pub fn under(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 2;
        write(self);
        self.indent -= 2;
    }

    /// `2026-11-23T12:00:00Z, 4d ago`; empty without one.
    pub fn moment(&self, value: &Value) -> String {
        let at: Option<Timestamp> = value.as_str().and_then(|at| at.parse().ok());
        at.map_or_else(
            || text(value),
            |at| format!("{at}, {} ago", age(at, self.now)),
        )
    }

    /// How long ago; empty without a time.
    pub fn age(&self, value: &Value) -> String {
        let at = value.as_str().and_then(|at| at.parse().ok());
        at.map_or_else(String::new, |at| age(at, self.now))
    }
}

fn cut(words: &str) -> String {
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// A plain value as it stands, anything else as JSON; nothing for null.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `cpu 10m, memory 16Mi`
pub fn pairs(map: &Value) -> String {
    let entries = map.as_object().into_iter().flatten();
    let pairs: Vec<_> = entries
        .map(|(key, value)| format!("{key} {}", text(value)))
        .collect();
    pairs.join(", ")
}

/// Type, status, reason, age and message of each, in columns.
pub fn conditions(page: &mut Page, conditions: &[Value]) {
    if conditions.is_empty() {
        return;
    }
    page.title("CONDITIONS");
    let widest = |field: &str| {
        let widths = conditions.iter().map(|c| width(&text(&c[field])));
        widths.max().unwrap_or(0).min(40)
    };
    let (kind, status, reason) = (widest("type"), widest("status"), widest("reason"));
    for one in conditions {
        let words = format!(
            "{}  {}  {}  {:>4}  {}",
            pad(&text(&one["type"]), kind),
            pad(&text(&one["status"]), status),
            pad(&text(&one["reason"]), reason),
            page.age(&one["lastTransitionTime"]),
            text(&one["message"])
        );
        page.under(|page| page.line(words.trim_end()));
    }
}
