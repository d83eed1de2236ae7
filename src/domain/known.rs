//! A value that remembers when it was last known and why it may be old.

use jiff::Timestamp;

/// How the source of a value is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Never,
    Loading,
    Fresh,
    Failed {
        why: String,
        since: Timestamp,
    },
}

/// The last value and its time stay when the source fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<T> {
    pub last: Option<(T, Timestamp)>,
    pub state: State,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            last: None,
            state: State::Never,
        }
    }
}

impl<T> Known<T> {
    pub fn learn(&mut self, value: T, at: Timestamp) {
        self.last = Some((value, at));
        self.state = State::Fresh;
    }

    /// Keeps the last value; a failure that goes on keeps its first time.
    pub fn fail(&mut self, why: impl Into<String>, at: Timestamp) {
        let since = self.since().unwrap_or(at);
        self.state = State::Failed {
            why: why.into(),
            since,
        };
    }

    /// Since when it fails.
    pub fn since(&self) -> Option<Timestamp> {
        match self.state {
            State::Failed { since, .. } => Some(since),
            State::Never | State::Loading | State::Fresh => None,
        }
    }

    pub fn value(&self) -> Option<&T> {
        self.last.as_ref().map(|(value, _)| value)
    }
}
