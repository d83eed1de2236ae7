//! What can go wrong between here and a Jenkins, and what a person is told about it.

use std::time::Duration;

use ::http::StatusCode;
use ::http::header::LOCATION;

use crate::domain::{Failure, FailureKind};
use crate::sources::http::{self, Answer, ErrorKind};
use crate::sources::words;

/// `about` is what was asked, in words: `start shop/checkout on ci`. `message` holds the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings of this server cannot be used.
    #[error("jenkins {server}: {message}")]
    Setup { server: String, message: String },
    /// 401.
    #[error("{about}: the server does not accept user and token: {message}")]
    Unauthorized { about: String, message: String },
    /// 403.
    #[error("{about}: {message}")]
    Forbidden { about: String, message: String },
    /// 404, which also hides what one may not see.
    #[error("{about}: {message}")]
    NotFound { about: String, message: String },
    /// 429 and 503.
    #[error("{about}: the server is too busy or not ready: {message}")]
    Busy {
        about: String,
        message: String,
        retry_after: Option<Duration>,
    },
    /// Every other refusal; also one that we know of before anything is sent.
    #[error("{about}: {message}")]
    Refused { about: String, message: String },
    /// An answer that is none.
    #[error("{about}: {message}")]
    Unusable { about: String, message: String },
    #[error("{about}: {why}")]
    NoAnswer { about: String, why: http::Error },
}

impl Error {
    /// After a write: the server may have done it all the same.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::NoAnswer { why, .. } => why.after_send,
            Self::Unusable { .. } => true,
            Self::Setup { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Busy { .. }
            | Self::Refused { .. } => false,
        }
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub fn failure(&self) -> Failure {
        let failure = Failure::new(self.kind(), self.to_string());
        match self {
            Self::Unauthorized { .. } => failure.hint(
                "user and token of this server are in the configuration; an API token is made on the user's page of Jenkins",
            ),
            _ => failure,
        }
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Setup { .. } => FailureKind::Config,
            Self::Unauthorized { .. } | Self::Forbidden { .. } => FailureKind::Denied,
            Self::NotFound { .. } => FailureKind::NotFound,
            Self::Refused { .. } => FailureKind::Refused,
            Self::NoAnswer { why, .. } if why.kind == ErrorKind::Timeout => FailureKind::TimedOut,
            Self::NoAnswer { .. } | Self::Busy { .. } | Self::Unusable { .. } => {
                FailureKind::Unreachable
            }
        }
    }
}

/// What an answer means that is not the one that was wanted.
pub fn refusal(about: String, answer: &Answer) -> Error {
    let message = said(answer);
    match answer.status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized { about, message },
        StatusCode::FORBIDDEN => Error::Forbidden { about, message },
        StatusCode::NOT_FOUND => Error::NotFound { about, message },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Error::Busy {
            about,
            message,
            retry_after: answer.retry_after(),
        },
        // A 500 is how Jenkins says that a value is none of the choices.
        status if status.is_client_error() || status == StatusCode::INTERNAL_SERVER_ERROR => {
            Error::Refused { about, message }
        }
        _ => Error::Unusable { about, message },
    }
}

/// The server's own words; the missing permission of a 403, the exception behind a 500.
fn said(answer: &Answer) -> String {
    let header = |name| {
        answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if let Some(words) = header("x-error") {
        return words::shorten(words);
    }
    if let Some(permission) = header("x-required-permission") {
        let user = header("x-you-are-authenticated-as").unwrap_or("this user");
        return format!("{user} lacks the permission {permission}");
    }
    if answer.status.is_redirection() {
        let to = header(LOCATION.as_str()).unwrap_or("nowhere");
        let to = to.split('?').next().unwrap_or(to);
        return format!(
            "redirected ({}) to {to}: a login page or another address stands before it",
            answer.status.as_u16()
        );
    }
    let text = String::from_utf8_lossy(&answer.body);
    match exception(&text) {
        Some(exception) => format!("{exception} ({})", answer.status.as_u16()),
        None => answer.words(),
    }
}

/// `Illegal choice: moon` of `<pre>java.lang.IllegalArgumentException: Illegal choice: moon`.
fn exception(page: &str) -> Option<String> {
    let line = page.split("<pre>").nth(1)?.lines().next()?.trim();
    let (class, message) = line.split_once(": ")?;
    let is_class = class.contains('.') && !class.contains(' ');
    (is_class && !message.is_empty()).then(|| words::shorten(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::{HeaderMap, HeaderName, HeaderValue};

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let header = |(name, value): &(&str, &str)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        };
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(header).collect::<HeaderMap>(),
            body: body.to_owned().into(),
        }
    }

    #[test]
    fn the_servers_own_words() {
        let html = [("content-type", "text/html")];
        for (answer, want, unknown) in [
            (
                answer(401, &html, "<title>Error 401</title>"),
                "x: the server does not accept user and token: Error 401 (401)",
                false,
            ),
            (
                answer(
                    403,
                    &[
                        ("x-you-are-authenticated-as", "bob"),
                        ("x-required-permission", "hudson.model.Item.Build"),
                    ],
                    "",
                ),
                "x: bob lacks the permission hudson.model.Item.Build",
                false,
            ),
            (
                answer(409, &[("x-error", "web is not buildable")], "<html>"),
                "x: web is not buildable",
                false,
            ),
            (
                answer(
                    500,
                    &html,
                    "<title>Error 500</title><pre>java.lang.IllegalArgumentException: Illegal choice: moon\n\tat",
                ),
                "x: Illegal choice: moon (500)",
                false,
            ),
            (
                answer(503, &html, "<title>Starting Jenkins</title>"),
                "x: the server is too busy or not ready: Starting Jenkins (503)",
                false,
            ),
            (
                answer(302, &[("location", "https://sso/login?from=%2F")], ""),
                "x: redirected (302) to https://sso/login: a login page or another address stands before it",
                true,
            ),
            (
                answer(502, &[], "bad gateway"),
                "x: bad gateway (502)",
                true,
            ),
        ] {
            let error = refusal("x".into(), &answer);
            assert_eq!(error.to_string(), want);
            assert_eq!(error.outcome_unknown(), unknown, "{want}");
        }
        let busy = refusal("x".into(), &answer(429, &[("retry-after", "7")], ""));
        assert_eq!(busy.retry_after(), Some(Duration::from_secs(7)));
    }
}
