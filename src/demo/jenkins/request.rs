//! Reading requests to the embedded Jenkins, and the shapes of its answers.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::Value;

/// The segments below the context path, each decoded once; `None` when it is not below it.
pub fn segments(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix("/jenkins")?;
    let segments = rest.split('/').filter(|segment| !segment.is_empty());
    Some(segments.map(|segment| decoded(segment, false)).collect())
}

/// Query and form, the query first.
pub fn given(request: &Request<Bytes>) -> Vec<(String, String)> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let kind = request.headers().get("content-type");
    let form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form"));
    let body = if form {
        String::from_utf8_lossy(request.body()).into_owned()
    } else {
        String::new()
    };
    let pairs = query.split('&').chain(body.split('&'));
    let pairs = pairs.filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), decoded(value, true))
        })
        .collect()
}

pub fn value<'a>(given: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = given.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| &**value)
}

fn decoded(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            at += 3;
        } else {
            let space = plus && bytes[at] == b'+';
            out.push(if space { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

pub fn say(body: &Value) -> Response<Bytes> {
    answer(
        StatusCode::OK,
        "application/json;charset=utf-8",
        body.to_string(),
    )
}

/// A page, as Jenkins has one for every refusal.
pub fn page(status: StatusCode, why: &str) -> Response<Bytes> {
    let body = format!("<html><head><title>{why}</title></head><body><p>{why}</p></body></html>");
    answer(status, "text/html;charset=utf-8", body)
}

/// A page for somebody who lacks a right, with both in the head.
pub fn forbidden(why: &str, user: &'static str, right: &'static str) -> Response<Bytes> {
    let mut response = page(StatusCode::FORBIDDEN, why);
    let headers = response.headers_mut();
    headers.insert("x-you-are-authenticated-as", HeaderValue::from_static(user));
    headers.insert("x-required-permission", HeaderValue::from_static(right));
    response
}

pub fn plain(body: String) -> Response<Bytes> {
    answer(StatusCode::OK, "text/plain;charset=utf-8", body)
}

/// Leads to another page; nothing else is in it.
pub fn lead(status: StatusCode, to: &str) -> Response<Bytes> {
    let mut response = answer(status, "text/plain", String::new());
    if let Ok(to) = to.parse() {
        response.headers_mut().insert("location", to);
    }
    response
}

fn answer(status: StatusCode, kind: &str, body: String) -> Response<Bytes> {
    let response = Response::builder().status(status);
    let response = response.header("content-type", kind);
    response.body(body.into()).unwrap_or_default()
}
