//! The commits between two revisions in words: a few lines for a screen, and all of them with their pages.

use jiff::Timestamp;

use crate::domain::commit::{Between, CommitFacts, Told, short};
use crate::domain::known::State;
use crate::domain::{Commit, Known};

use super::{age, count, moment, thousands};

/// So many stand on a screen that shows other things as well.
const FEW: usize = 4;

/// The newest first, one a line, the first with how many there are: `commits  3: a1b9e3c new checkout flow (ana)`.
pub fn few(known: &Known<Told>, between: &Between, now: Timestamp) -> Vec<String> {
    let Some(told) = known.value() else {
        let since = |since| format!("for {}", age(since, now));
        return vec![format!("commits  {}", not_yet(known, between, since))];
    };
    let listed = told.commits.list.iter();
    let mut lines: Vec<_> = listed.take(FEW).map(|commit| line(commit, told)).collect();
    let rest = told.commits.list.len().saturating_sub(FEW);
    if rest > 0 {
        lines.push(format!("and {} more", thousands(rest)));
    }
    match lines.first_mut() {
        Some(first) => *first = format!("{}: {first}", how_many(told)),
        None => lines.push(how_many(told)),
    }
    let before = ["commits  "]
        .into_iter()
        .chain(std::iter::repeat("         "));
    let lines = before.zip(lines);
    lines
        .map(|(before, line)| format!("{before}{line}"))
        .collect()
}

/// All that are listed, with what their host says and where their pages are.
pub fn whole(between: &Between, known: &Known<Told>) -> Vec<String> {
    let remote = &between.repository.remote;
    let mut lines = vec![String::new()];
    let Some(told) = known.value() else {
        let since = |since| format!("since {}", moment(since));
        lines.push(format!("COMMITS {}", not_yet(known, between, since)));
        return lines;
    };
    let (from, to) = (short(&between.from), short(&between.to));
    lines.push(format!(
        "COMMITS of {remote}, {from} to {to}: {}",
        how_many(told)
    ));
    let (from, to) = &told.commits.between;
    lines.extend(remote.compare_url(from, to).map(|url| format!("  {url}")));
    for commit in &told.commits.list {
        let at = commit.at.map(|at| format!("  {}", moment(at)));
        let at = at.unwrap_or_default();
        lines.push(format!("  {}{at}", line(commit, told)));
        lines.extend(commit.url.as_ref().map(|url| format!("      {url}")));
        let pull = told.facts.get(&commit.id).and_then(|f| f.pull.as_ref());
        lines.extend(pull.map(|pull| {
            format!(
                "      #{} {} ({}) {}",
                pull.number, pull.title, pull.author, pull.url
            )
        }));
    }
    if told.commits.truncated {
        lines.push("  there are more than are listed".into());
    }
    lines.extend(
        told.gap
            .iter()
            .map(|why| format!("  pull requests and checks: {why}")),
    );
    lines
}

fn not_yet(
    known: &Known<Told>,
    between: &Between,
    since_when: impl Fn(Timestamp) -> String,
) -> String {
    match &known.state {
        State::Failed { why, since } => format!("unknown {}: {why}", since_when(*since)),
        State::Never | State::Loading | State::Fresh => {
            format!("being read from {}", between.repository.remote)
        }
    }
}

/// `3`, `250 or more, and 2 of another line are left`, `none, back over 3 commits`.
fn how_many(told: &Told) -> String {
    let commits = &told.commits;
    let more = if commits.truncated { " or more" } else { "" };
    match (commits.list.len(), commits.others) {
        (0, 0) => "none".into(),
        (0, back) => format!("none, back over {}{more}", count(back, "commit")),
        (n, 0) => format!("{}{more}", thousands(n)),
        (n, left) => format!(
            "{}{more}, and {} of another line left behind",
            thousands(n),
            thousands(left)
        ),
    }
}

/// `a1b9e3c new checkout flow (ana) #7 ok`.
fn line(commit: &Commit, told: &Told) -> String {
    let author = match &*commit.author {
        "" => String::new(),
        author => format!(" ({author})"),
    };
    let facts = told.facts.get(&commit.id).map(facts).unwrap_or_default();
    format!("{}{author}{facts}", commit.label())
}

fn facts(of: &CommitFacts) -> String {
    let pull = of.pull.as_ref().map(|pull| format!(" #{}", pull.number));
    let state = of.state.map(|state| format!(" {}", state.word()));
    format!("{}{}", pull.unwrap_or_default(), state.unwrap_or_default())
}
