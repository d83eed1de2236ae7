//! What judges a canary: runs of an analysis, their metrics, and what their words are worth.

use jiff::Timestamp;

/// A run that judges the canary by its metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    pub name: Box<str>,
    pub verdict: Verdict,
    /// Not escaped.
    pub message: Box<str>,
    /// Unknown of one that is only named.
    pub created: Option<Timestamp>,
    pub metrics: Box<[Metric]>,
}

/// One metric of an analysis, and what it measured last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    pub name: Box<str>,
    pub verdict: Verdict,
    pub value: Box<str>,
    /// What it is held against, as the spec says it: `result[0] >= 0.95`.
    pub limit: Box<str>,
    /// Measurements so far, those without a value included.
    pub samples: u32,
    pub failed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pending,
    Running,
    Successful,
    Failed,
    Error,
    Inconclusive,
}

impl Metric {
    /// A word of success that rests on nothing: a comparison with what is no number can turn out either way.
    pub fn is_hollow(&self) -> bool {
        let bare = self.samples == 0 || self.tells_nothing();
        self.verdict == Verdict::Successful && bare
    }

    /// What was measured last is no number, or nothing at all.
    pub fn tells_nothing(&self) -> bool {
        let nothing = |value: &str| {
            let value = value.trim_matches(|c: char| c.is_whitespace() || "[]{}\"'".contains(c));
            value.is_empty() || value == "null" || value.contains("NaN") || value.contains("Inf")
        };
        // A job says it by how it ends.
        let by_its_end = self.value.is_empty() && self.limit.is_empty();
        self.samples > 0 && !by_its_end && self.value.split(',').any(nothing)
    }
}

impl Analysis {
    /// The same of one of its metrics, or it was ended before it had judged.
    pub fn is_hollow(&self) -> bool {
        let read = self.created.is_some();
        let hollow = self.metrics.iter().any(Metric::is_hollow);
        let ended = (read && self.metrics.is_empty()) || *self.message == *"Run Terminated";
        self.verdict == Verdict::Successful && (hollow || ended)
    }
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Successful => "successful",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Inconclusive => "inconclusive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_that_rests_on_nothing() {
        let metric = |value: &str, limit: &str, samples| Metric {
            name: "rate".into(),
            verdict: Verdict::Successful,
            value: value.into(),
            limit: limit.into(),
            samples,
            failed: 0,
        };
        let hollow = |value, limit, samples| metric(value, limit, samples).is_hollow();
        for value in ["[]", "[NaN]", "[0.1,NaN]", "[+Inf]", "", "null"] {
            assert!(hollow(value, "result[0] < 1", 1), "{value}");
        }
        assert!(hollow("[0.1]", "result[0] < 1", 0), "never measured");
        assert!(!hollow("[0.1]", "result[0] < 1", 1));
        assert!(!hollow("", "", 1), "a job says it by how it ends");
        let run = |message: &str, created, metrics: &[Metric]| Analysis {
            name: "a".into(),
            verdict: Verdict::Successful,
            message: message.into(),
            created,
            metrics: metrics.into(),
        };
        let read = Some(crate::domain::fixture::now());
        let good = [metric("[0.1]", "", 1)];
        assert!(!run("", read, &good).is_hollow());
        assert!(run("Run Terminated", read, &good).is_hollow());
        assert!(run("", read, &[]).is_hollow());
        assert!(!run("", None, &[]).is_hollow(), "it is only named");
    }
}
