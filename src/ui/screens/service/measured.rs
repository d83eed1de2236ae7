//! What the two sides of a canary measure, side by side, and what that says.

use crate::domain::known::State;
use crate::domain::measured::{Curve, Rule, SideMeasured, Sides, Verdict};
use crate::domain::{Known, canary};
use crate::text;
use crate::text::measured as words;

use super::super::super::theme::Role;
use super::super::super::widgets::pen::cells;
use super::super::super::widgets::spark::spark;
use super::View;

/// Lines of the verdict, at most.
const REASON: usize = 3;

/// What the sides measure together, or why that is not known. Nothing where nobody measures.
pub fn verdict(view: &View<'_>, room: u16) -> Vec<(String, Role)> {
    let Some((rule, sides)) = measuring(view) else {
        return Vec::new();
    };
    let (said, shade) = match sides {
        Ok(_) => {
            let verdict = view.screen.canary.measured.judge(&rule);
            (words::verdict(&verdict, view.model.now), role(&verdict))
        }
        Err(why) => (words::not_compared(why), Role::Warn),
    };
    let window = text::duration(rule.window.into());
    // A reason is not cut: it says what helps.
    let lines = text::wrap(&format!("last {window}: {said}"), usize::from(room));
    let lines = lines.into_iter().take(REASON);
    lines.map(|line| (line, shade)).collect()
}

/// One line a side where there is room for it, else two.
pub fn lines(view: &View<'_>, room: u16) -> Vec<(String, Role)> {
    let Some((rule, Ok(_))) = measuring(view) else {
        return Vec::new();
    };
    let measured = &view.screen.canary.measured;
    let most = |of: fn(&SideMeasured) -> &Known<Curve>| {
        let curves = [&measured.canary, &measured.stable];
        let curves = curves.into_iter().filter_map(|side| of(side).value());
        let points = curves.flat_map(|curve| curve.points.iter().flatten());
        points.copied().max().unwrap_or(0)
    };
    let most = (most(|side| &side.errors), most(|side| &side.p99));
    let (new, old) = versions(view);
    let both = [
        ("canary", new, &measured.canary),
        ("stable", old, &measured.stable),
    ];
    let told = both.map(|(name, version, side)| {
        let (requests, rest) = values(view, &rule, side, most)?;
        let is_old = side.requests.state != State::Fresh;
        let shade = if is_old { Role::Dim } else { Role::Plain };
        Some((format!("{name} {version} {requests}"), rest, shade))
    });
    let told: Vec<_> = told.into_iter().flatten().collect();
    let fits = |(name, rest, _): &(String, String, Role)| cells(name) + 2 + cells(rest) <= room;
    let on_one_line = told.iter().all(fits);
    let mut lines = Vec::new();
    for (name, rest, shade) in told {
        if on_one_line {
            lines.push((format!("{name}, {rest}"), shade));
        } else {
            lines.extend([(name, shade), (format!("  {rest}"), shade)]);
        }
    }
    lines
}

/// How it is judged, and whose values these are, while there is something to compare.
fn measuring<'a>(view: &View<'a>) -> Option<(Rule, &'a Result<Sides, String>)> {
    let rule = view.model.measuring(&view.workload.id)?;
    canary::at(view.workload, view.revisions)?;
    let sides = view.screen.canary.sides.as_ref()?;
    Some((rule, sides))
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

/// Of the canary and of the stable side; the name of that where it is another workload, and not known.
fn versions(view: &View<'_>) -> (String, String) {
    let fleet = &view.model.fleet;
    let versions = fleet.versions(view.workload, true);
    let canary = view.workload.canary.as_deref();
    let elsewhere = canary.and_then(|canary| canary.stable_in.as_deref());
    let unknown = elsewhere.filter(|_| fleet.served_by(view.workload).is_none());
    let old = unknown.map(str::to_owned).or(versions.from);
    let old = old.unwrap_or_else(|| versions.to.clone());
    (versions.to, old)
}

fn role(verdict: &Verdict) -> Role {
    match verdict {
        Verdict::Ok(_) => Role::Good,
        Verdict::Worse(_) => Role::Bad,
        Verdict::NotEnough { .. } | Verdict::Missing { .. } => Role::Warn,
        Verdict::Waiting => Role::Dim,
    }
}
