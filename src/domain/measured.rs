//! What was measured of a canary beside its stable side, and what that says of it. What is no number is never a good one.

use jiff::{SignedDuration, Timestamp};

use super::known::{Known, State};

mod sides;

pub use sides::{Pods, Side, Sides};

/// How a canary is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Seconds that are measured over.
    pub window: u32,
    /// Fewer requests tell nothing.
    pub floor: u64,
    /// So many errors more are worse, in millionths of the requests.
    pub more_errors: u32,
    /// So many times as slow is worse, in thousandths.
    pub slower: u32,
}

/// Requests a second, in thousandths.
pub type Rate = u64;

/// One value over time, the newest last, which is the one of now. `None`: there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    pub now: u64,
    pub points: Box<[Option<u64>]>,
}

/// What one look told of one side: the value, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideTold {
    pub requests: Result<Rate, String>,
    /// In millionths of the requests.
    pub errors: Result<Curve, String>,
    /// In millionths of a second.
    pub p99: Result<Curve, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub canary: SideTold,
    pub stable: SideTold,
}

/// The same over several looks: each value keeps its last when it is missing, why that is, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measured {
    pub canary: SideMeasured,
    pub stable: SideMeasured,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SideMeasured {
    pub requests: Known<Rate>,
    pub errors: Known<Curve>,
    pub p99: Known<Curve>,
}

/// What the values say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Both values of both sides are there, and the canary keeps to the limits.
    Ok(Vec<Pair>),
    /// The values in which it does not.
    Worse(Vec<Pair>),
    NotEnough {
        /// It is the stable side that has too few.
        stable: bool,
        requests: u64,
    },
    /// Something is missing, so nothing is said of the rest.
    Missing {
        what: What,
        stable: bool,
        why: String,
        since: Option<Timestamp>,
    },
    /// Nothing was asked yet.
    Waiting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Requests,
    Errors,
    P99,
}

/// One value of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub what: What,
    pub canary: u64,
    pub stable: u64,
}

impl SideTold {
    /// Nothing was to be had of it.
    pub fn nothing(why: &str) -> Self {
        Self {
            requests: Err(why.to_owned()),
            errors: Err(why.to_owned()),
            p99: Err(why.to_owned()),
        }
    }
}

impl Rule {
    /// So many requests are of this rate.
    pub fn requests(&self, rate: Rate) -> u64 {
        rate.saturating_mul(self.window.into()) / 1000
    }

    /// Since when it is measured, at this moment.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        now - SignedDuration::from_secs(self.window.into())
    }
}

impl Measured {
    pub fn learn(&mut self, told: Told, at: Timestamp) {
        self.canary.learn(told.canary, at);
        self.stable.learn(told.stable, at);
    }

    /// Too little traffic outranks everything: the rest is chance then. What is worse outranks what is missing.
    pub fn judge(&self, rule: &Rule) -> Verdict {
        let sides = [(&self.canary, false), (&self.stable, true)];
        for (side, stable) in sides {
            let Some(rate) = fresh(&side.requests) else {
                return missing(What::Requests, stable, &side.requests.state);
            };
            let requests = rule.requests(*rate);
            if requests < rule.floor.max(1) {
                return Verdict::NotEnough { stable, requests };
            }
        }
        let of = |what: What| -> Result<Pair, Verdict> {
            let now = |(side, stable): (&SideMeasured, bool)| {
                let value = side.curve(what);
                let curve = fresh(value).ok_or_else(|| missing(what, stable, &value.state))?;
                Ok(curve.now)
            };
            let (canary, stable) = (now(sides[0])?, now(sides[1])?);
            Ok(Pair {
                what,
                canary,
                stable,
            })
        };
        let pairs = [of(What::Errors), of(What::P99)];
        let known: Vec<_> = pairs
            .iter()
            .filter_map(|p| p.as_ref().ok())
            .copied()
            .collect();
        let is_worse = |pair: &Pair| rule.is_worse(pair);
        let worse: Vec<_> = known.iter().copied().filter(is_worse).collect();
        if !worse.is_empty() {
            return Verdict::Worse(worse);
        }
        let unknown = pairs.into_iter().find_map(Result::err);
        unknown.unwrap_or(Verdict::Ok(known))
    }
}

impl Rule {
    fn is_worse(&self, pair: &Pair) -> bool {
        match pair.what {
            What::Requests => false,
            What::Errors => pair.canary > pair.stable.saturating_add(self.more_errors.into()),
            What::P99 => {
                let limit = u128::from(pair.stable) * u128::from(self.slower);
                u128::from(pair.canary) * 1000 > limit
            }
        }
    }
}

impl SideMeasured {
    fn learn(&mut self, told: SideTold, at: Timestamp) {
        learn(&mut self.requests, told.requests, at);
        learn(&mut self.errors, told.errors, at);
        learn(&mut self.p99, told.p99, at);
    }

    fn curve(&self, what: What) -> &Known<Curve> {
        match what {
            What::P99 => &self.p99,
            What::Errors | What::Requests => &self.errors,
        }
    }
}

fn learn<T>(known: &mut Known<T>, told: Result<T, String>, at: Timestamp) {
    match told {
        Ok(value) => known.learn(value, at),
        Err(why) => known.fail(why, at),
    }
}

/// A value of the last look: an older one says nothing of now.
fn fresh<T>(known: &Known<T>) -> Option<&T> {
    known.value().filter(|_| known.state == State::Fresh)
}

fn missing(what: What, stable: bool, state: &State) -> Verdict {
    match state {
        State::Failed { why, since } => Verdict::Missing {
            what,
            stable,
            why: why.clone(),
            since: Some(*since),
        },
        State::Never | State::Loading | State::Fresh => Verdict::Waiting,
    }
}

#[cfg(test)]
/// A side of this rate, errors and p99, each as it is told.
pub(crate) fn side(rate: Rate, errors: Result<u64, &str>, p99: Result<u64, &str>) -> SideTold {
    let curve = |value: Result<u64, &str>| {
        let made = |now: u64| Curve {
            now,
            points: [Some(now / 2), Some(now)].into(),
        };
        value.map(made).map_err(ToOwned::to_owned)
    };
    SideTold {
        requests: Ok(rate),
        errors: curve(errors),
        p99: curve(p99),
    }
}

#[cfg(test)]
pub(crate) const RULE: Rule = Rule {
    window: 300,
    floor: 100,
    more_errors: 10_000,
    slower: 1_500,
};

#[cfg(test)]
mod tests {
    use super::super::fixture::{ago, now};
    use super::*;

    fn judged(canary: SideTold, stable: SideTold) -> Verdict {
        let mut measured = Measured::default();
        measured.learn(Told { canary, stable }, now());
        measured.judge(&RULE)
    }

    fn good() -> SideTold {
        side(12_000, Ok(2_000), Ok(200_000))
    }

    fn pair(what: What, canary: u64, stable: u64) -> Pair {
        Pair {
            what,
            canary,
            stable,
        }
    }

    #[test]
    fn what_is_over_a_limit_is_worse_and_what_is_at_it_is_not() {
        for (errors, p99, worse) in [
            (12_000, 300_000, vec![]),
            (12_001, 300_000, vec![pair(What::Errors, 12_001, 2_000)]),
            (0, 300_001, vec![pair(What::P99, 300_001, 200_000)]),
            (
                41_000,
                820_000,
                vec![
                    pair(What::Errors, 41_000, 2_000),
                    pair(What::P99, 820_000, 200_000),
                ],
            ),
        ] {
            let said = judged(side(12_000, Ok(errors), Ok(p99)), good());
            let want = if worse.is_empty() {
                Verdict::Ok(vec![
                    pair(What::Errors, errors, 2_000),
                    pair(What::P99, p99, 200_000),
                ])
            } else {
                Verdict::Worse(worse)
            };
            assert_eq!(said, want);
        }
    }

    #[test]
    fn too_little_traffic_outranks_a_bad_value_and_a_missing_one() {
        let bad = Ok(900_000);
        for (rate, requests) in [(0, 0), (200, 60), (333, 99)] {
            let few = side(rate, bad, Err("is NaN"));
            let want = |stable| Verdict::NotEnough { stable, requests };
            assert_eq!(judged(few.clone(), good()), want(false));
            assert_eq!(judged(good(), few), want(true));
        }
        let enough = judged(side(334, bad, Err("is NaN")), good());
        assert!(matches!(enough, Verdict::Worse(_)), "{enough:?}");
        let none = Rule { floor: 0, ..RULE };
        let mut measured = Measured::default();
        let told = Told {
            canary: side(0, Ok(0), Ok(0)),
            stable: good(),
        };
        measured.learn(told, now());
        assert!(matches!(measured.judge(&none), Verdict::NotEnough { .. }));
    }

    #[test]
    fn what_is_missing_is_never_ok() {
        let missing = |what, stable| Verdict::Missing {
            what,
            stable,
            why: "is NaN".into(),
            since: Some(now()),
        };
        let no_errors = side(12_000, Err("is NaN"), Ok(200_000));
        let no_p99 = side(12_000, Ok(2_000), Err("is NaN"));
        let mut nothing = good();
        nothing.requests = Err("is NaN".into());
        for (side, what) in [
            (no_errors, What::Errors),
            (no_p99, What::P99),
            (nothing, What::Requests),
        ] {
            assert_eq!(judged(side.clone(), good()), missing(what, false));
            assert_eq!(judged(good(), side), missing(what, true));
        }
        assert_eq!(Measured::default().judge(&RULE), Verdict::Waiting);
    }

    #[test]
    fn a_value_of_before_says_nothing_of_now() {
        let mut measured = Measured::default();
        let told = Told {
            canary: good(),
            stable: good(),
        };
        measured.learn(told, ago(60));
        let nothing = || SideTold::nothing("no answer within 10s");
        for at in [ago(30), now()] {
            let told = Told {
                canary: nothing(),
                stable: nothing(),
            };
            measured.learn(told, at);
        }
        let want = Verdict::Missing {
            what: What::Requests,
            stable: false,
            why: "no answer within 10s".into(),
            since: Some(ago(30)),
        };
        assert_eq!(measured.judge(&RULE), want);
        assert_eq!(measured.canary.requests.value(), Some(&12_000), "it stays");
    }
}
