//! What can go wrong between here and a registry, and what a person is told about it.

use std::time::Duration;

use crate::domain::{Failure, FailureKind};

/// `about` is what was asked, in words: `the tags of shop/web`. `message` holds the registry's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{image} is no image that a registry could have")]
    NotAnImage { image: String },
    /// No connection, or it broke.
    #[error("{host}: {message}")]
    Unreached { host: String, message: String },
    #[error("{host}: no answer within {}s", limit.as_secs())]
    Late { host: String, limit: Duration },
    /// 401, also with the login that there is.
    #[error("{host}: {}", refused(*known, message))]
    Unauthorized {
        host: String,
        /// There was a login, and it is not accepted.
        known: bool,
        message: String,
    },
    /// 403.
    #[error("{host}: the login may not read {about}{}", colon(message))]
    Denied {
        host: String,
        about: String,
        message: String,
    },
    /// 404.
    #[error("{host} does not have {about}{}", colon(message))]
    NotFound {
        host: String,
        about: String,
        message: String,
    },
    /// 429.
    #[error("{host} wants to be asked less often{}", after(*retry_after))]
    Throttled {
        host: String,
        retry_after: Option<Duration>,
    },
    /// An answer that no registry gives, or one that says it failed itself.
    #[error("{host}: {about}: {message}")]
    Unusable {
        host: String,
        about: String,
        message: String,
    },
    /// A login that cannot be read. Never holds what a helper printed.
    #[error("{sentence}")]
    Login { sentence: String },
}

impl Error {
    /// Another login may help.
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Denied { .. })
    }

    /// How long the registry wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// One sentence for the person, and what to do.
    pub fn failure(&self) -> Failure {
        let kind = match self {
            Self::NotAnImage { .. } => FailureKind::Usage,
            Self::Unauthorized { .. } | Self::Denied { .. } => FailureKind::Denied,
            Self::NotFound { .. } => FailureKind::NotFound,
            Self::Login { .. } => FailureKind::Config,
            Self::Unreached { .. }
            | Self::Late { .. }
            | Self::Throttled { .. }
            | Self::Unusable { .. } => FailureKind::Unreachable,
        };
        let failure = Failure::new(kind, self.to_string());
        match self {
            Self::Unauthorized { host, .. } => failure.hint(format!("docker login {host}")),
            _ => failure,
        }
    }
}

fn refused(known: bool, message: &str) -> String {
    let words = if known {
        "the login is not accepted"
    } else {
        "it wants a login, and there is none"
    };
    format!("{words}{}", colon(message))
}

fn colon(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn after(wait: Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| {
        format!(", again in {}s", wait.as_secs())
    })
}
