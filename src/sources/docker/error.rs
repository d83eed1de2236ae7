//! What can go wrong between here and a Docker engine, and what a person is told about it.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error as Bollard;

use crate::domain::{Failure, FailureKind};
use crate::sources::hidden::Hidden;
use crate::sources::words::{shorten, title};

/// `about` is what was asked, in words: `push shop/web:1.0`. `message` holds the engine's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection, or it broke.
    #[error("no Docker engine answers at {host}: {message}")]
    Unreached { host: String, message: String },
    #[error("{about}: the Docker engine gives no answer")]
    Late { about: String },
    /// It refused.
    #[error("{about}: {message}")]
    Refused { about: String, message: String },
    /// It began and did not come to its end; told inside of an answer that said yes.
    #[error("{about}: {message}")]
    Failed { about: String, message: String },
    /// The files of a build.
    #[error("{place}: {message}")]
    Files { place: String, message: String },
}

impl Error {
    /// One sentence for the person, and what to do.
    pub fn failure(&self) -> Failure {
        let kind = match self {
            Self::Unreached { .. } | Self::Late { .. } => FailureKind::Unreachable,
            Self::Refused { .. } | Self::Failed { .. } => FailureKind::Failed,
            Self::Files { .. } => FailureKind::Usage,
        };
        let failure = Failure::new(kind, self.to_string());
        match self {
            Self::Unreached { .. } => failure.hint("DOCKER_HOST says where the engine is"),
            _ => failure,
        }
    }

    /// The engine's words, without what it was given to log in with.
    pub(super) fn without(mut self, hidden: &Hidden) -> Self {
        match &mut self {
            Self::Refused { message, .. }
            | Self::Failed { message, .. }
            | Self::Unreached { message, .. } => *message = hidden.cover(message),
            Self::Late { .. } | Self::Files { .. } => {}
        }
        self
    }

    pub(super) fn of(host: &str, about: &str, error: &Bollard) -> Self {
        let about = about.to_owned();
        match error {
            Bollard::DockerResponseServerError {
                message,
                status_code,
            } => Self::Refused {
                about,
                message: match words(message) {
                    empty if empty.is_empty() => format!("it answers {status_code}"),
                    said => said,
                },
            },
            Bollard::DockerStreamError { error } => Self::Failed {
                about,
                message: words(error),
            },
            Bollard::RequestTimeoutError => Self::Late { about },
            // The library's own words repeat what stood there.
            Bollard::JsonDataError { .. } => Self::Failed {
                about,
                message: "the answer is not of the kind that was asked for".into(),
            },
            other => Self::Unreached {
                host: host.to_owned(),
                message: innermost(other),
            },
        }
    }
}

/// The engine's own; of a page, which is a proxy's, its title.
fn words(said: &str) -> String {
    let said = said.trim();
    if said.starts_with('<') {
        return title(said).unwrap_or_default();
    }
    shorten(said)
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    let mut at = Some(error);
    while let Some(inner) = at {
        let io = inner.downcast_ref::<io::Error>();
        words = match io.and_then(|io| io.raw_os_error().map(|_| io.kind())) {
            Some(kind) => kind.to_string(),
            None => inner.to_string(),
        };
        at = inner.source();
    }
    words
}
