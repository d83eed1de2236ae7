//! One sentence for what is wrong with the settings: the place, the mistake, the fix.

use std::path::Path;

use crate::domain::{Failure, FailureKind};

/// Edits that turn one word into the other, at most, for it to be called a slip.
const SLIP: usize = 3;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Error {
    /// A file with line and column, a variable, or flags.
    pub place: String,
    pub message: String,
    pub hint: Option<String>,
    pub kind: FailureKind,
}

impl Error {
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            hint: None,
            kind: FailureKind::Config,
        }
    }

    /// Flags that contradict each other.
    pub fn usage(place: &str, message: &str) -> Self {
        Self {
            kind: FailureKind::Usage,
            ..Self::new(place, message)
        }
    }

    pub fn unreadable(path: &Path, why: &std::io::Error) -> Self {
        let message = format!("cannot be read: {}", why.kind());
        Self::new(path.display().to_string(), message)
    }

    /// Puts the place first and names the nearest key when one is unknown.
    pub fn yaml(file: &Path, error: &serde_yaml::Error) -> Self {
        let text = error.to_string();
        let mut place = file.display().to_string();
        if let Some(at) = error.location() {
            place = format!("{place}, line {}, column {}", at.line(), at.column());
        }
        let message = text.split(" at line ").next().unwrap_or(&text);
        let mut words = message.split('`').skip(1).step_by(2);
        let (Some(unknown), true) = (words.next(), message.contains("unknown field")) else {
            return Self::new(place, message);
        };
        let known: Vec<_> = words.collect();
        let nearest = known
            .iter()
            .map(|key| {
                (
                    strsim::osa_distance(&unknown.to_lowercase(), &key.to_lowercase()),
                    key,
                )
            })
            .min()
            .filter(|(distance, _)| *distance <= SLIP);
        let hint = match nearest {
            Some((_, key)) => format!("did you mean {key}?"),
            None => format!("known here: {}", known.join(", ")),
        };
        Self {
            hint: Some(hint),
            ..Self::new(place, format!("unknown key {unknown}"))
        }
    }

    pub fn failure(&self) -> Failure {
        let failure = Failure::new(self.kind, self.to_string());
        self.hint.iter().cloned().fold(failure, Failure::hint)
    }
}
