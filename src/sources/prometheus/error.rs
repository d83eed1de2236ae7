//! What went wrong between here and a Prometheus, as one sentence for a person.

use ::http::StatusCode;
use ::http::header::LOCATION;
use serde::Deserialize;

use crate::sources::http::Answer;
use crate::sources::{kube, words};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// With the name of the server before it, and its own words in it.
    pub words: String,
    pub cause: Cause,
}

/// What would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It does not take the login: another one may have been written meanwhile.
    Login,
    /// Who logged in may not ask it.
    Rights,
    Other,
}

impl Refusal {
    pub fn new(server: &str, words: &str) -> Self {
        Self {
            words: format!("{server}: {words}"),
            cause: Cause::Other,
        }
    }
}

/// What an answer means that is not the one that was wanted.
pub fn refusal(server: &str, answer: &Answer) -> Refusal {
    let said = match own_words(&answer.body) {
        Some(words) => words,
        None if answer.status.is_redirection() => redirected(answer),
        None => answer.words(),
    };
    let words = match answer.status {
        StatusCode::UNAUTHORIZED => format!("it does not accept the login: {said}"),
        StatusCode::FORBIDDEN => format!("it may not be asked: {said}"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            format!("it is too busy or not ready: {said}")
        }
        status if status.is_success() => format!("a page came instead of an answer: {said}"),
        _ => said,
    };
    let cause = match answer.status {
        StatusCode::UNAUTHORIZED => Cause::Login,
        StatusCode::FORBIDDEN => Cause::Rights,
        _ => Cause::Other,
    };
    Refusal {
        cause,
        ..Refusal::new(server, &words)
    }
}

/// The same where the API server stands between.
pub fn through(server: &str, why: &kube::Error) -> Refusal {
    let line = || why.failure().line();
    let words = match why {
        kube::Error::Unauthorized { message, .. } => {
            format!("it, or the API server, does not accept the login: {message}")
        }
        kube::Error::Forbidden { .. } => match why.missing_permission() {
            Some(missing) => format!("not for you: needs {missing}"),
            None => line(),
        },
        kube::Error::Rejected { message, .. } | kube::Error::Throttled { message, .. } => {
            let body = message
                .rfind(" (")
                .map_or(&**message, |end| &message[..end]);
            own_words(body.as_bytes()).unwrap_or_else(line)
        }
        _ => line(),
    };
    let cause = match why {
        kube::Error::Unauthorized { .. } => Cause::Login,
        kube::Error::Forbidden { .. } => Cause::Rights,
        _ => Cause::Other,
    };
    Refusal {
        cause,
        ..Refusal::new(server, &words)
    }
}

/// What Prometheus says is wrong with a question.
fn own_words(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Refused {
        error_type: String,
        error: String,
    }
    let refused: Refused = serde_json::from_slice(body).ok()?;
    let line = refused.error.lines().next().unwrap_or_default();
    let kind = refused.error_type;
    Some(words::shorten(&format!("{kind}: {line}")))
}

fn redirected(answer: &Answer) -> String {
    let to = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
    let to = to.unwrap_or("nowhere");
    let to = to.split('?').next().unwrap_or(to);
    let code = answer.status.as_u16();
    format!("redirected ({code}) to {to}: a login page or another address stands before it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderMap;

    #[test]
    fn the_servers_own_words() {
        let json = r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error\nmore"}"#;
        for (status, body, want, cause) in [
            (400, json, "p: bad_data: 1:5: parse error", Cause::Other),
            (
                401,
                "no",
                "p: it does not accept the login: no (401)",
                Cause::Login,
            ),
            (403, "no", "p: it may not be asked: no (403)", Cause::Rights),
            (
                503,
                "later",
                "p: it is too busy or not ready: later (503)",
                Cause::Other,
            ),
            (502, "", "p: 502 Bad Gateway", Cause::Other),
            (
                302,
                "",
                "p: redirected (302) to nowhere: a login page or another address stands before it",
                Cause::Other,
            ),
        ] {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: body.to_owned().into(),
            };
            let said = refusal("p", &answer);
            assert_eq!((&*said.words, said.cause), (want, cause));
        }
        let behind = |message: String| kube::Error::Rejected {
            about: "read services/p:9090 in m".into(),
            status: 400,
            message,
            causes: Vec::new(),
        };
        let said = through("m/p:9090", &behind(format!("{json} (400 Bad Request)")));
        assert_eq!(said.words, "m/p:9090: bad_data: 1:5: parse error");
        let said = through("m/p:9090", &behind("no (400 Bad Request)".into()));
        assert_eq!(
            said.words,
            "m/p:9090: read services/p:9090 in m: no (400 Bad Request)"
        );
    }
}
