//! A log, of one container or of many, following its end or standing still.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::logs::{Containers, LogScreen, Prefix, Row};
use crate::app::words;
use crate::text::{self, thousands};

use super::super::theme::Role;
use super::super::widgets::input::input;
use super::super::widgets::pen::{Pen, cells};
use super::text::found_line;

pub fn logs(pen: &mut Pen<'_>, model: &Model, screen: &LogScreen) {
    let last = screen.last_top(model);
    let from = screen.at.map_or(last, |at| screen.kept.place(at).min(last));
    let dropped = dropped(screen);
    let end = pen.width().saturating_sub(cells(&dropped) + 2);
    title(&mut pen.part(0, 0, end, 1), model, screen, from);
    pen.right(0, 1, &dropped, Role::Warn);
    if screen.kept.is_empty() {
        pen.line(1, 2, &nothing(model, screen), Role::Dim);
    }
    let prefix = screen.prefix();
    for (y, row) in (1..).zip(&screen.rows(model, from)) {
        let x = before(pen, y, screen, (prefix, row));
        let role = if row.line.note {
            Role::Warn
        } else {
            Role::Plain
        };
        found_line(pen, (x, y), (&row.text, role), &row.found);
    }
    foot(pen, screen);
}

/// `LOG  deploy/checkout  6 pods  last 5m   following`.
fn title(pen: &mut Pen<'_>, model: &Model, screen: &LogScreen, from: usize) {
    let choice = &screen.choice;
    let head = if choice.previous {
        "PREVIOUS LOG  "
    } else {
        "LOG  "
    };
    let mut x = pen.line(1, 0, head, Role::Strong);
    let name = match &choice.pod {
        Some(pod) => pod.to_string(),
        None => screen.workload.to_string(),
    };
    x = pen.line(x, 0, &name, Role::Plain);
    match &choice.containers {
        Containers::Main => {}
        Containers::One(name) => x = pen.line(x, 0, &format!(" / {name}"), Role::Plain),
        Containers::All => x = pen.line(x, 0, " / all containers", Role::Plain),
    }
    if choice.pod.is_none() {
        x = pen.line(x + 2, 0, &pods(screen), Role::Plain);
    }
    if screen.sources.left_out > 0 {
        let words = format!("{} left out", text::count(screen.sources.left_out, "pod"));
        x = pen.line(x + 2, 0, &words, Role::Warn);
    }
    if let Some(words) = screen.span.words() {
        x = pen.line(x + 2, 0, &words, Role::Plain);
    }
    let total = screen.kept.len();
    let place = match (screen.at, &screen.ended) {
        (None, None) => "following".to_owned(),
        (None, Some(_)) if total == 1 => "1 line".to_owned(),
        (None, Some(_)) => format!("{} lines", thousands(total)),
        (Some(_), _) => format!(
            "line {} of {}, {} follows",
            thousands(from + 1),
            thousands(total),
            words::key(model, Intent::FollowLogs)
        ),
    };
    pen.line(x + 3, 0, &place, Role::Dim);
}

/// `6 pods: 2 new, 4 old, 1 not started`.
fn pods(screen: &LogScreen) -> String {
    let sources = &screen.sources;
    let speak = sources.iter().filter(|(_, source)| !source.gone);
    let mut pods: Vec<_> = speak
        .map(|(_, s)| (&s.uid, sources.revision_word(s)))
        .collect();
    pods.sort_unstable();
    pods.dedup();
    let of = |word| pods.iter().filter(|(_, w)| *w == Some(word)).count();
    let silent = if screen.choice.previous {
        "never restarted"
    } else {
        "not started"
    };
    let parts = [
        (of("new"), "new"),
        (of("old"), "old"),
        (sources.silent, silent),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let all = text::count(pods.len() + sources.silent, "pod");
    if parts.is_empty() {
        return all;
    }
    format!("{all}: {}", parts.join(", "))
}

/// `12,000 lines dropped, 300 of them unseen`.
fn dropped(screen: &LogScreen) -> String {
    let (old, unseen) = (screen.kept.dropped, screen.kept.unseen);
    let all = format!("{} lines dropped", thousands(old + unseen));
    match (old, unseen) {
        (0, 0) => String::new(),
        (_, 0) => all,
        (0, _) => format!("{all}: too fast"),
        (_, _) => format!("{all}, {} too fast", thousands(unseen)),
    }
}

fn nothing(model: &Model, screen: &LogScreen) -> String {
    if screen.kept.total() > 0 {
        let kept = text::count(screen.kept.total(), "line");
        return format!("no line fits; {kept} kept");
    }
    if !screen.sources.is_empty() {
        return "waiting for the first line …".to_owned();
    }
    let pods = text::count(screen.sources.silent, "pod");
    match (screen.sources.silent, screen.choice.previous) {
        (0, _) => "its pods are not known yet: the log opens when they are".to_owned(),
        (_, true) => format!(
            "{pods}, and none has a run before a restart; {} shows the run of now",
            words::key(model, Intent::PreviousLogs)
        ),
        (_, false) => format!("{pods}, and nothing runs in them yet: the log opens when it does"),
    }
}

/// Time, revision and pod, once a line. Gives the column of the text.
fn before(pen: &mut Pen<'_>, y: u16, screen: &LogScreen, (prefix, row): (Prefix, &Row<'_>)) -> u16 {
    let end = 1 + u16::try_from(prefix.cells()).unwrap_or(0);
    let source = screen.sources.get(row.line.stream).filter(|_| row.first);
    let mut x = 1;
    if prefix.times {
        if let Some(at) = row.line.at.filter(|_| row.first) {
            pen.put(x, y, 12, &text::millis(at), Role::Dim);
        }
        x += 13;
    }
    let Some(source) = source else { return end };
    let word = screen.sources.revision_word(source);
    let role = match word {
        Some("new") => Role::Good,
        Some(_) | None => Role::Dim,
    };
    if prefix.revisions {
        pen.put(x, y, 3, word.unwrap_or(""), role);
        x += 4;
    }
    if prefix.tags > 0 {
        pen.put_end(
            x,
            y,
            u16::try_from(prefix.tags).unwrap_or(0),
            &source.tag,
            role,
        );
    }
    end
}

fn foot(pen: &mut Pen<'_>, screen: &LogScreen) {
    let y = pen.height().saturating_sub(1);
    if screen.search.open {
        input(pen, 1, y, "/ ", &screen.search.field);
        return;
    }
    if screen.only.open {
        input(pen, 1, y, "only ", &screen.only.field);
        return;
    }
    let (find, only) = (screen.search.field.value(), screen.only.field.value());
    let mut x = 1;
    if let Some(ended) = &screen.ended {
        let words = match ended {
            Some(why) => format!("the log ended: {why}"),
            None => "the log ended".to_owned(),
        };
        x = pen.line(x, y, &words, Role::Warn) + 3;
    }
    if !only.is_empty() {
        let (shown, all) = (screen.kept.len(), screen.kept.total());
        let words = format!("only {only}: {} of {}", thousands(shown), thousands(all));
        x = pen.line(x, y, &words, Role::Strong) + 3;
    }
    if !find.is_empty() {
        pen.line(x, y, &format!("/ {find}"), Role::Dim);
    }
}
