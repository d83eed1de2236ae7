//! Who may ask the embedded Jenkins: user and token, or user and password with a crumb that is bound to a session.

use std::sync::Mutex;
use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};

use super::request::{forbidden, page, say};
use super::{TOKEN, USER};

/// The sessions that are open; the newest are kept.
#[derive(Default)]
pub struct Guard {
    sessions: Mutex<u64>,
}

impl Guard {
    /// A post with a password needs a crumb; one with a token does not.
    /// What it says instead of an answer, `None` to whom it lets in.
    pub fn refuse(request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let headers = request.headers();
        let login = basic(headers);
        let Some((user, secret)) = login else {
            let why = "Authentication required";
            return Some(forbidden(why, "anonymous", "hudson.model.Hudson.Read"));
        };
        if user != USER || (secret != TOKEN && secret != USER) {
            let why = format!("Invalid password/token for user: {user}");
            return Some(page(StatusCode::UNAUTHORIZED, &why));
        }
        let crumb = headers.get("jenkins-crumb").and_then(|c| c.to_str().ok());
        let bound = session(headers).is_some_and(|id| crumb == Some(&*crumb_of(id)));
        if request.method() == Method::POST && secret == USER && !bound {
            let why = "No valid crumb was included in the request";
            return Some(page(StatusCode::FORBIDDEN, why));
        }
        None
    }

    /// Of the session that the request has; a new one otherwise.
    pub fn crumb(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let known = session(request.headers());
        let id = known.unwrap_or_else(|| {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            *sessions += 1;
            *sessions
        });
        let crumb = serde_json::json!({"_class": "hudson.security.csrf.DefaultCrumbIssuer",
            "crumb": crumb_of(id), "crumbRequestField": "Jenkins-Crumb"});
        let mut response = say(&crumb);
        let cookie = format!("JSESSIONID=node{id}; Path=/jenkins; HttpOnly");
        if let (None, Ok(cookie)) = (known, cookie.parse()) {
            response.headers_mut().insert("set-cookie", cookie);
        }
        response
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let decoded = STANDARD.decode(text.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, secret) = text.split_once(':')?;
    Some((user.to_owned(), secret.to_owned()))
}

fn session(headers: &HeaderMap) -> Option<u64> {
    let cookies = headers.get("cookie")?.to_str().ok()?;
    let mut cookies = cookies.split(';').map(str::trim);
    cookies.find_map(|cookie| cookie.strip_prefix("JSESSIONID=node")?.parse().ok())
}

fn crumb_of(session: u64) -> String {
    let text = format!("a crumb of session {session}");
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    STANDARD.encode(digest.as_ref())
}
