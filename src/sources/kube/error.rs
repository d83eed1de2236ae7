//! What can go wrong between here and an API server, and what a person is told about it.

use std::time::Duration;

use crate::domain::{Failure, FailureKind};

/// `about` is what was asked, in words: `list deployments in shop`. `message` holds the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401, also after the login was renewed once. `login` says how to log in.
    #[error("{about}: the API server does not accept the login: {message}")]
    Unauthorized {
        about: String,
        message: String,
        login: String,
    },
    /// 403.
    #[error("{about}: {message}")]
    Forbidden { about: String, message: String },
    /// 404.
    #[error("{about}: {message}")]
    NotFound { about: String, message: String },
    /// 410: the resource version or the continue token is too old. List again.
    #[error("{about}: {message}")]
    Gone { about: String, message: String },
    /// 400, 409, 422 and every other 4xx. A failed `test` of a JSON Patch is 422 without causes.
    #[error("{about}: {message}")]
    Rejected {
        about: String,
        status: u16,
        message: String,
        causes: Vec<Cause>,
    },
    /// 429 and 503.
    #[error("{about}: the server is too busy or not ready ({status}): {message}")]
    Throttled {
        about: String,
        status: u16,
        message: String,
        retry_after: Option<Duration>,
    },
    /// Nothing came in time. `after_send`: the request may have reached the server.
    #[error("{about}: no answer within {}s", limit.as_secs())]
    Timeout {
        about: String,
        after_send: bool,
        limit: Duration,
    },
    /// The connection failed. `after_send`: the request may have reached the server.
    #[error("{about}: {message}")]
    Transport {
        about: String,
        after_send: bool,
        message: String,
    },
    /// An answer that no API server gives, or one that says it failed itself (500, 502, 504).
    #[error("{about}: {message}")]
    Unusable {
        about: String,
        status: u16,
        message: String,
    },
    /// A kubeconfig that cannot be used.
    #[error("{sentence}")]
    Kubeconfig {
        sentence: String,
        hints: Vec<String>,
    },
    /// A login command or a token file that gave nothing usable. Never holds what it printed to stdout.
    #[error("{sentence}")]
    Credential {
        sentence: String,
        hints: Vec<String>,
    },
    /// Neither a kubeconfig nor a service account. The lines say where was looked.
    #[error("No cluster to show.")]
    NoCluster { looked: Vec<String> },
}

/// One cause of a rejection, as the server words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid`, …
    pub reason: String,
    pub field: String,
    pub message: String,
}

impl Error {
    /// One sentence for the person, and what to do.
    pub fn failure(&self) -> Failure {
        let failure = Failure::new(self.kind(), self.to_string());
        self.hints().into_iter().fold(failure, Failure::hint)
    }

    /// Only a person who logs in, or another kubeconfig, helps.
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Credential { .. })
    }

    /// No connection came about, so nobody has heard of the request.
    pub fn unreached(&self) -> bool {
        matches!(
            self,
            Self::Transport {
                after_send: false,
                ..
            }
        )
    }

    /// After a write: the server may have done it all the same, so it has to be read before anything is said.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Timeout { after_send, .. } | Self::Transport { after_send, .. } => *after_send,
            // A balancer says 503 as well when the server closed the connection in the middle.
            Self::Throttled { status, .. } => *status != 429,
            Self::Unusable { .. } => true,
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Gone { .. }
            | Self::Rejected { .. }
            | Self::Kubeconfig { .. }
            | Self::Credential { .. }
            | Self::NoCluster { .. } => false,
        }
    }

    /// The missing permission of a 403, from the server's words: `list deployments.apps in shop`.
    pub fn missing_permission(&self) -> Option<String> {
        let Self::Forbidden { message, .. } = self else {
            return None;
        };
        let verb = between(message, "cannot ", " ")?;
        let resource = between(message, "resource \"", "\"")?;
        let group = between(message, "API group \"", "\"").filter(|group| !group.is_empty());
        let group = group.map(|group| format!(".{group}")).unwrap_or_default();
        let place = between(message, "in the namespace \"", "\"").map_or_else(
            || " in all namespaces".to_owned(),
            |name| format!(" in {name}"),
        );
        Some(format!("{verb} {resource}{group}{place}"))
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::Credential { .. } => {
                FailureKind::Denied
            }
            Self::NotFound { .. } => FailureKind::NotFound,
            Self::Rejected { .. } => FailureKind::Refused,
            Self::Timeout { .. } => FailureKind::TimedOut,
            Self::Gone { .. }
            | Self::Throttled { .. }
            | Self::Transport { .. }
            | Self::Unusable { .. } => FailureKind::Unreachable,
            Self::Kubeconfig { .. } | Self::NoCluster { .. } => FailureKind::Config,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unauthorized { login, .. } => vec![login.clone()],
            Self::Forbidden { .. } => self
                .missing_permission()
                .map(|missing| format!("needs {missing}"))
                .into_iter()
                .collect(),
            Self::Kubeconfig { hints, .. } | Self::Credential { hints, .. } => hints.clone(),
            Self::NoCluster { looked } => {
                let mut hints = looked.clone();
                hints.push("Give one with --kubeconfig FILE or KUBECONFIG, or look around on the embedded world: rolldeck demo".into());
                hints
            }
            Self::Transport { message, .. } => transport_hint(message).into_iter().collect(),
            Self::NotFound { .. }
            | Self::Gone { .. }
            | Self::Rejected { .. }
            | Self::Throttled { .. }
            | Self::Timeout { .. }
            | Self::Unusable { .. } => Vec::new(),
        }
    }
}

fn transport_hint(message: &str) -> Option<String> {
    let hint = if message.contains("UnknownIssuer") || message.contains("self-signed") {
        "the certificate-authority of this cluster in the kubeconfig did not sign the server's certificate"
    } else if message.contains("NotValidForName") {
        "the server's certificate is for another name: tls-server-name in the kubeconfig can name it"
    } else if message.contains("dns error") || message.contains("failed to lookup") {
        "the server's name in the kubeconfig cannot be resolved here: is a VPN needed?"
    } else if message.contains("the proxy") {
        "proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY choose the way; a login stands in its address, http://USER:PASSWORD@HOST:PORT"
    } else {
        return None;
    };
    Some(hint.into())
}

/// The text after `start` and before `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = &text[text.find(start)? + start.len()..];
    rest.find(end).map(|at| &rest[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(message: &str) -> Error {
        Error::Forbidden {
            about: "list deployments".into(),
            message: message.into(),
        }
    }

    #[test]
    fn a_403_names_what_is_missing() {
        for (message, want) in [
            (
                r#"deployments.apps is forbidden: User "reader" cannot list resource "deployments" in API group "apps" in the namespace "shop""#,
                Some("list deployments.apps in shop"),
            ),
            (
                r#"pods is forbidden: User "reader" cannot watch resource "pods" in API group "" at the cluster scope"#,
                Some("watch pods in all namespaces"),
            ),
            ("no", None),
            (r#"cannot list resource "pods"#, None),
        ] {
            let error = forbidden(message);
            assert_eq!(error.missing_permission().as_deref(), want, "{message}");
            let hints: Vec<_> = want.map(|w| format!("needs {w}")).into_iter().collect();
            assert_eq!(error.failure().hints, hints);
            assert_eq!(error.failure().kind, FailureKind::Denied);
        }
    }

    #[test]
    fn a_write_without_an_answer_has_an_unknown_outcome() {
        let about = || "patch deployments/web in shop".to_owned();
        let lost = |after_send| Error::Transport {
            about: about(),
            after_send,
            message: String::new(),
        };
        let busy = |status| Error::Throttled {
            about: about(),
            status,
            message: String::new(),
            retry_after: None,
        };
        assert!(!lost(true).unreached() && lost(false).unreached());
        assert!(lost(true).outcome_unknown());
        assert!(!lost(false).outcome_unknown());
        assert!(busy(503).outcome_unknown());
        assert!(!busy(429).outcome_unknown());
        assert!(!forbidden("no").outcome_unknown());
    }

    #[test]
    fn no_cluster_says_where_was_looked() {
        let failure = Error::NoCluster {
            looked: vec!["kubeconfig  /x  not found".into()],
        }
        .failure();
        assert_eq!(failure.sentence, "No cluster to show.");
        assert_eq!(failure.hints[0], "kubeconfig  /x  not found");
        assert!(failure.hints[1].contains("--kubeconfig FILE"));
        assert!(failure.hints[1].ends_with("rolldeck demo"));
        assert_eq!(failure.exit_code(), 2);
    }
}
