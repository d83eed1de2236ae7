//! What the two sides of a canary measure, side by side, and what that says.

use crate::domain::known::State;
use crate::domain::measured::{Curve, Rule, SideMeasured, Verdict};
use crate::domain::{Known, canary};
use crate::text;
use crate::text::measured as words;

use super::super::super::theme::Role;
use super::super::super::widgets::pen::cells;
use super::super::super::widgets::spark::spark;
use super::View;

/// Lines of the verdict, at most.
const REASON: usize = 3;

/// The verdict, and one line a side where there is room for it, else two. Nothing where nobody measures.
pub fn lines(view: &View<'_>, room: u16) -> Vec<(String, Role)> {
    let screen = &view.screen.canary;
    let rule = view.model.measuring(&view.workload.id);
    let shared = canary::at(view.workload, view.revisions).is_some();
    let (Some(rule), Some(sides), true) = (rule, &screen.sides, shared) else {
        return Vec::new();
    };
    let measured = &screen.measured;
    let verdict = measured.judge(&rule);
    let window = text::duration(rule.window.into());
    let said = words::verdict(&verdict, view.model.now);
    // A reason is not cut: it says what helps.
    let said = text::wrap(&format!("last {window}: {said}"), usize::from(room));
    let said = said.into_iter().take(REASON);
    let mut lines: Vec<_> = said.map(|line| (line, role(&verdict))).collect();
    let both = [
        ("canary", &sides.canary.hash, &measured.canary),
        ("stable", &sides.stable.hash, &measured.stable),
    ];
    let most = |of: fn(&SideMeasured) -> &Known<Curve>| {
        let curves = both.iter().filter_map(|(.., side)| of(side).value());
        let points = curves.flat_map(|curve| curve.points.iter().flatten());
        points.copied().max().unwrap_or(0)
    };
    let most = (most(|side| &side.errors), most(|side| &side.p99));
    let told = both.map(|(name, hash, side)| {
        let (requests, rest) = values(view, &rule, side, most)?;
        let is_old = side.requests.state != State::Fresh;
        let shade = if is_old { Role::Dim } else { Role::Plain };
        let name = format!("  {name} {} {requests}", version_of(view, hash));
        Some((name, rest, shade))
    });
    let told: Vec<_> = told.into_iter().flatten().collect();
    let fits = |(name, rest, _): &(String, String, Role)| cells(name) + 2 + cells(rest) <= room;
    let on_one_line = told.iter().all(fits);
    for (name, rest, shade) in told {
        if on_one_line {
            lines.push((format!("{name}, {rest}"), shade));
        } else {
            lines.extend([(name, shade), (format!("    {rest}"), shade)]);
        }
    }
    lines
}

/// `12/s, n=3,600` and `errors 4.1 % ▁▁▂▅█, p99 820 ms ▁▁▂▅█`. `None` before anything was ever known.
fn values(
    view: &View<'_>,
    rule: &Rule,
    side: &SideMeasured,
    most: (u64, u64),
) -> Option<(String, String)> {
    let rate = *side.requests.value()?;
    let old = aged(view, &side.requests);
    let requests = format!("{}{old}", words::requests(rate, rule));
    let curve = |name: &str, known: &Known<Curve>, (most, say): (u64, fn(u64) -> String)| {
        let Some(curve) = known.value() else {
            return format!("{name} unknown");
        };
        let old = aged(view, known);
        format!(
            "{name} {} {}{old}",
            say(curve.now),
            spark(&curve.points, most)
        )
    };
    let errors = curve("errors", &side.errors, (most.0, words::percent));
    let p99 = curve("p99", &side.p99, (most.1, words::time));
    Some((requests, format!("{errors}, {p99}")))
}

/// How old a value is that the last look did not tell.
fn aged<T>(view: &View<'_>, known: &Known<T>) -> String {
    match (&known.last, &known.state) {
        (Some((_, at)), state) if *state != State::Fresh => {
            format!(" ({} ago)", text::age(*at, view.model.now))
        }
        _ => String::new(),
    }
}

fn version_of(view: &View<'_>, hash: &str) -> String {
    let mut revisions = view.revisions.iter();
    let found = revisions.find(|r| *r.pod_hash == *hash);
    found.map_or_else(|| hash.to_owned(), |r| super::version_of(view, r))
}

fn role(verdict: &Verdict) -> Role {
    match verdict {
        Verdict::Ok(_) => Role::Good,
        Verdict::Worse(_) => Role::Bad,
        Verdict::NotEnough { .. } | Verdict::Missing { .. } => Role::Warn,
        Verdict::Waiting => Role::Dim,
    }
}
