//! Turns refusals, broken connections and answers that are none into errors with the server's own words.

use std::error::Error as StdError;
use std::time::Duration;

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode, response::Parts};
use http_body_util::{BodyExt, Limited};
use kube::client::Body;
use serde::Deserialize;

use super::error::{Cause, Error};
use crate::sources::words::{innermost, is_html, shorten, title};

/// A Status is small; what is longer is a page of a proxy.
const LONGEST: usize = 64 << 10;

/// The body of a refusal, or what could be read of it.
pub async fn words(body: Body) -> String {
    let read = Limited::new(body, LONGEST).collect().await;
    read.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned())
        .unwrap_or_default()
}

/// What a head other than a good one means.
pub fn error(about: String, head: &Parts, body: &str, login: &str) -> Error {
    let code = head.status;
    let said = Said::read(head, body);
    let message = said.message;
    match code {
        StatusCode::UNAUTHORIZED => Error::Unauthorized {
            about,
            message,
            login: login.to_owned(),
        },
        StatusCode::FORBIDDEN => Error::Forbidden { about, message },
        StatusCode::NOT_FOUND => Error::NotFound { about, message },
        StatusCode::GONE => Error::Gone { about, message },
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Error::Throttled {
            about,
            status: code.as_u16(),
            // A disruption budget says which one it is, and what it needs.
            message: match said.causes.iter().find(|c| c.reason == "DisruptionBudget") {
                Some(cause) => cause.message.clone(),
                None => message,
            },
            retry_after: retry_after(&head.headers),
        },
        _ if code.is_client_error() => Error::Rejected {
            about,
            status: code.as_u16(),
            message,
            causes: said.causes,
        },
        _ => Error::Unusable {
            about,
            status: code.as_u16(),
            message,
        },
    }
}

/// A request that got no head.
pub fn transport(about: &str, error: &kube::Error, login: &str) -> Error {
    if let Some(auth) = find::<kube::client::AuthError>(error) {
        // Its own text may hold what a login command printed.
        let sentence = match auth {
            kube::client::AuthError::ReadTokenFile(why, file) => {
                format!(
                    "the token file {} cannot be read: {}",
                    file.display(),
                    why.kind()
                )
            }
            _ => "the login in the kubeconfig cannot be used".to_owned(),
        };
        return Error::Credential {
            sentence: format!("{about}: {sentence}"),
            hints: vec![login.to_owned()],
        };
    }
    let connecting = find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    let message = of_proxy(error).unwrap_or_else(|| innermost(error));
    Error::Transport {
        about: about.to_owned(),
        after_send: !connecting,
        message: if connecting {
            format!("cannot connect: {message}")
        } else {
            format!("the connection broke: {message}")
        },
    }
}

/// What a proxy on the way did; the library's type for it is not public, so its words have to tell.
fn of_proxy(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut at = error;
    let told = loop {
        if let Some(told) = at.to_string().strip_prefix("tunnel error: ") {
            break told.to_owned();
        }
        at = at.source()?;
    };
    Some(match told.as_str() {
        "proxy authorization required" => "the proxy wants a login (407)".to_owned(),
        "unsuccessful" => "the proxy refuses the way to the API server".to_owned(),
        "unexpected end of file" => "the proxy closed the connection".to_owned(),
        "failed to create underlying connection" => {
            format!("the proxy cannot be reached: {}", innermost(error))
        }
        other => format!("the proxy: {other}"),
    })
}

/// A body that ended before its end.
pub fn broken_off(about: &str, error: &kube::Error) -> Error {
    Error::Transport {
        about: about.to_owned(),
        after_send: true,
        message: format!("the answer broke off: {}", innermost(error)),
    }
}

/// Seconds, as API servers send it. A date is left alone: nobody here may read the clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        at = error.source();
    }
    None
}

/// The parts of `metav1.Status` that are worth a word.
#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    causes: Option<Vec<WireCause>>,
}

#[derive(Deserialize)]
struct WireCause {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    field: String,
}

#[derive(Default)]
struct Said {
    message: String,
    causes: Vec<Cause>,
}

impl Said {
    fn read(head: &Parts, body: &str) -> Self {
        match serde_json::from_str::<Status>(body) {
            Ok(status) if status.kind == "Status" => Self::of_server(status, head.status),
            Ok(_) | Err(_) => Self {
                message: of_stranger(head, body),
                causes: Vec::new(),
            },
        }
    }

    fn of_server(status: Status, code: StatusCode) -> Self {
        let text = [status.message, status.reason]
            .into_iter()
            .find(|text| !text.is_empty());
        let causes = status.details.and_then(|details| details.causes);
        let cause = |cause: WireCause| Cause {
            reason: cause.reason,
            field: cause.field,
            message: cause.message,
        };
        Self {
            message: shorten(&text.unwrap_or_else(|| code.to_string())),
            causes: causes.unwrap_or_default().into_iter().map(cause).collect(),
        }
    }
}

/// One sentence for what did not come from an API server.
fn of_stranger(head: &Parts, body: &str) -> String {
    let code = head.status;
    let html = is_html(&head.headers) || body.trim_start().starts_with('<');
    if code.is_redirection() {
        let to = head.headers.get(LOCATION).and_then(|to| to.to_str().ok());
        let to = to.map(|to| to.split('?').next().unwrap_or(to));
        return format!(
            "redirected ({code}) to {}: this is not an API server, or a login page stands before it",
            to.unwrap_or("nowhere")
        );
    }
    if html {
        let title = title(body).map(|title| format!(" titled \"{title}\""));
        return format!(
            "an HTML page{} came instead of an answer ({code}): a proxy or a login page stands before the API server",
            title.unwrap_or_default()
        );
    }
    let first = body.lines().map(str::trim).find(|line| !line.is_empty());
    match first {
        Some(line) => format!("{} ({code})", shorten(line)),
        None => code.to_string(),
    }
}
