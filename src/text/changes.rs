//! One line of "what changed" in words, and the whole list as Markdown.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::{age, clock, date, escape};
use crate::domain::Occurrence;
use crate::domain::occurrence::{What, Who};

/// The time of day within the last day, else the day; `~` when it is inferred.
pub fn when(occurrence: &Occurrence, now: Timestamp) -> String {
    let mark = if occurrence.inferred { "~" } else { "" };
    let at = occurrence.at;
    if now.duration_since(at) < SignedDuration::from_hours(24) {
        return format!("{mark}{}", clock(at));
    }
    format!("{mark}{}", date(at, now))
}

/// How long before (`-4m`) or after (`+20s`) the trouble began; without one how long ago.
pub fn distance(at: Timestamp, began: Option<Timestamp>, now: Timestamp) -> String {
    match began {
        Some(began) if at <= began => format!("-{}", age(at, began)),
        Some(began) => format!("+{}", age(began, at)),
        None => age(at, now),
    }
}

/// The kind of change where the words do not say it, and the words.
pub fn change(occurrence: &Occurrence) -> String {
    match occurrence.what {
        What::Release
        | What::Config
        | What::Secret
        | What::Scale
        | What::Autoscaler
        | What::Helm
        | What::Node
        | What::Warning
        | What::Deletion
        | What::Spec => occurrence.words.clone(),
        What::Rollback => format!("back {}", occurrence.words),
        What::Restart | What::Sync | What::Action => {
            format!("{}: {}", occurrence.what.word(), occurrence.words)
        }
    }
}

/// Its namespace, with the cluster where there are several.
pub fn place(occurrence: &Occurrence, several: bool) -> String {
    let subject = &occurrence.subject;
    match (several, &*subject.namespace) {
        (false, namespace) => namespace.to_owned(),
        (true, "") => subject.cluster.to_string(),
        (true, namespace) => format!("{} › {namespace}", subject.cluster),
    }
}

/// Everything about one change, for reading.
pub fn told(occurrence: &Occurrence, now: Timestamp, lines: &[String]) -> Vec<String> {
    let one = occurrence;
    let place = match &*one.subject.namespace {
        "" => String::new(),
        namespace => format!(" in {namespace}"),
    };
    let inferred = if one.inferred { ", inferred" } else { "" };
    let who = match &one.who {
        Who::Unknown => "unknown: nothing that lasts names anybody".to_owned(),
        Who::Manager(name) => format!("{name} (what wrote it; the person is not kept)"),
        Who::Person(name) => name.to_string(),
    };
    let mut told = vec![
        format!("{} of {}{place}", one.what.word(), one.subject),
        one.words.clone(),
        String::new(),
        format!("when   {} ({} ago{inferred})", one.at, age(one.at, now)),
        format!("who    {who}"),
        format!("known  from {}", one.known_from),
    ];
    if !one.services.is_empty() {
        let services: Vec<_> = one.services.iter().map(ToString::to_string).collect();
        told.push(format!("for    {}", services.join(", ")));
    }
    told.push(String::new());
    told.extend(lines.iter().filter(|line| !line.is_empty()).cloned());
    told
}

/// A table for a chat or a report: nothing in it is taken for Markdown, or for a command of a terminal.
pub fn markdown(
    title: &str,
    gaps: &[String],
    lines: &[&Occurrence],
    began: Option<Timestamp>,
) -> String {
    let mut text = format!("**{}**\n\n", plain(title));
    for gap in gaps {
        let _ = writeln!(text, "- {}", plain(gap));
    }
    if !gaps.is_empty() {
        text.push('\n');
    }
    let first = lines.first().map(|one| &one.subject.cluster);
    let several = lines.iter().any(|one| Some(&one.subject.cluster) != first);
    let distance_of = |one: &Occurrence| began.map(|began| distance(one.at, Some(began), began));
    text.push_str("| time (UTC) | | what | where | change | who | known from |\n|---|---|---|---|---|---|---|\n");
    for one in lines {
        let mark = if one.inferred { "~" } else { "" };
        let cells = [
            format!("{mark}{}", one.at.strftime("%Y-%m-%d %H:%M:%S")),
            distance_of(one).unwrap_or_default(),
            one.subject.to_string(),
            place(one, several),
            change(one),
            one.who.name().unwrap_or("").to_owned(),
            one.known_from.to_owned(),
        ];
        let cells: Vec<_> = cells.iter().map(|cell| plain(cell)).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

/// Escaped for the terminal first, then for Markdown.
fn plain(words: &str) -> String {
    let words = escape(words);
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        if "\\`*_{}[]<>()#+!|~&@".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_table_is_taken_for_markdown() {
        assert_eq!(
            plain("a|b [x](y) <script> `c` *d*"),
            r"a\|b \[x\]\(y\) \<script\> \`c\` \*d\*"
        );
        assert_eq!(plain("\x1b[31mred\n"), plain(&escape("\x1b[31mred\n")));
        assert!(!plain("\x1b[31m\r\n").contains(['\x1b', '\r', '\n']));
    }

    #[test]
    fn distances() {
        let at = |text: &str| text.parse().unwrap();
        let (now, began) = (at("2026-11-27T14:30:00Z"), at("2026-11-27T14:02:00Z"));
        for (moment, want) in [
            ("2026-11-27T13:58:00Z", "-4m"),
            ("2026-11-27T14:02:00Z", "-0s"),
            ("2026-11-27T14:02:20Z", "+20s"),
        ] {
            assert_eq!(distance(at(moment), Some(began), now), want);
        }
        assert_eq!(distance(began, None, now), "28m");
    }
}
