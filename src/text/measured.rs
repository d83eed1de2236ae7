//! What was measured of the two sides of a canary, in words.

use jiff::Timestamp;

use crate::domain::measured::{Pair, Rate, Rule, Verdict, What};

use super::{age, thousands};

/// `ok`, `worse: errors 4.1 % against 0.2 %`, `not enough traffic (n=60)`, `no metrics: …`.
pub fn verdict(verdict: &Verdict, now: Timestamp) -> String {
    match verdict {
        Verdict::Ok(_) => "ok".into(),
        Verdict::Worse(pairs) => format!("worse: {}", against(pairs)),
        Verdict::NotEnough { stable, requests } => {
            let of = if *stable { " of the stable side" } else { "" };
            format!("not enough traffic{of} (n={})", number(*requests))
        }
        Verdict::Missing {
            what,
            stable,
            why,
            since,
        } => {
            let since = since.filter(|since| now.duration_since(*since).as_secs() > 0);
            let since =
                since.map_or_else(String::new, |since| format!(", for {}", age(since, now)));
            match (what, stable) {
                (What::Requests, false) => format!("no metrics: {why}{since}"),
                (What::Requests, true) => format!("no metrics of the stable side: {why}{since}"),
                (what, _) => format!(
                    "{} of the {} not known: {why}{since}",
                    name(*what),
                    side(*stable)
                ),
            }
        }
        Verdict::Waiting => "asking".into(),
    }
}

/// Where nothing tells the two sides apart.
pub fn not_compared(why: &str) -> String {
    format!("not compared: {why}")
}

/// `errors 4.1 % against 0.2 %, p99 820 ms against 210 ms`.
pub fn against(pairs: &[Pair]) -> String {
    let words = |pair: &Pair| {
        let value = |value| match pair.what {
            What::P99 => time(value),
            What::Errors | What::Requests => percent(value),
        };
        let (canary, stable) = (value(pair.canary), value(pair.stable));
        format!("{} {canary} against {stable}", name(pair.what))
    };
    let words: Vec<_> = pairs.iter().map(words).collect();
    words.join(", ")
}

/// `12/s, n=3,600`.
pub fn requests(of: Rate, rule: &Rule) -> String {
    format!("{}, n={}", rate(of), number(rule.requests(of)))
}

/// `12/s`, `0.4/s`.
fn rate(of: Rate) -> String {
    match of {
        0 => "0/s".into(),
        1..100 => "<0.1/s".into(),
        100..10_000 => format!("{}.{}/s", of / 1000, of % 1000 / 100),
        _ => format!("{}/s", number(of / 1000)),
    }
}

/// Millionths as `4.1 %`; what is there at all is never `0.0 %`.
pub fn percent(millionths: u64) -> String {
    match millionths {
        0 => "0 %".into(),
        1..1_000 => "<0.1 %".into(),
        _ => {
            let tenths = millionths.saturating_add(500) / 1_000;
            format!("{}.{} %", tenths / 10, tenths % 10)
        }
    }
}

/// Millionths of a second as `820 ms`, `1.4 s`.
pub fn time(micros: u64) -> String {
    match micros {
        0 => "0 ms".into(),
        1..1_000 => "<1 ms".into(),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!(
            "{}.{} s",
            number(micros / 1_000_000),
            micros % 1_000_000 / 100_000
        ),
    }
}

fn name(what: What) -> &'static str {
    match what {
        What::Requests => "requests",
        What::Errors => "errors",
        What::P99 => "p99",
    }
}

fn side(stable: bool) -> &'static str {
    if stable { "stable side" } else { "canary" }
}

fn number(n: u64) -> String {
    thousands(usize::try_from(n).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{ago, now};
    use crate::domain::measured::RULE;

    #[test]
    fn values() {
        for (millionths, want) in [
            (0, "0 %"),
            (900, "<0.1 %"),
            (2_000, "0.2 %"),
            (41_000, "4.1 %"),
            (1_000_000, "100.0 %"),
        ] {
            assert_eq!(percent(millionths), want);
        }
        for (micros, want) in [
            (0, "0 ms"),
            (400, "<1 ms"),
            (820_499, "820 ms"),
            (1_440_000, "1.4 s"),
            (61_000_000, "61.0 s"),
        ] {
            assert_eq!(time(micros), want);
        }
        for (rate, want) in [
            (0, "0/s, n=0"),
            (20, "<0.1/s, n=6"),
            (400, "0.4/s, n=120"),
            (12_000, "12/s, n=3,600"),
        ] {
            assert_eq!(requests(rate, &RULE), want);
        }
    }

    #[test]
    fn verdicts() {
        let missing = |what, stable, since| Verdict::Missing {
            what,
            stable,
            why: "is NaN".into(),
            since,
        };
        let pair = |what, canary, stable| Pair {
            what,
            canary,
            stable,
        };
        let worse = vec![
            pair(What::Errors, 41_000, 2_000),
            pair(What::P99, 820_000, 210_000),
        ];
        let few = |stable| Verdict::NotEnough {
            stable,
            requests: 60,
        };
        for (said, want) in [
            (Verdict::Ok(worse.clone()), "ok"),
            (
                Verdict::Worse(worse),
                "worse: errors 4.1 % against 0.2 %, p99 820 ms against 210 ms",
            ),
            (few(false), "not enough traffic (n=60)"),
            (few(true), "not enough traffic of the stable side (n=60)"),
            (
                missing(What::Requests, false, Some(now())),
                "no metrics: is NaN",
            ),
            (
                missing(What::Requests, true, Some(ago(40))),
                "no metrics of the stable side: is NaN, for 40s",
            ),
            (
                missing(What::P99, false, None),
                "p99 of the canary not known: is NaN",
            ),
            (Verdict::Waiting, "asking"),
        ] {
            assert_eq!(verdict(&said, now()), want);
        }
    }
}
