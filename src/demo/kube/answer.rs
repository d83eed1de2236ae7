//! What goes back to the client: whole answers, compressed when they are large, and streams.

use std::convert::Infallible;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER,
    VARY,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use jiff::Timestamp;
use serde_json::Value;

use super::go_json;
use super::refusal::Refusal;

pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// From this size on a body is worth its compression, as on the real server.
const LARGE: usize = 128 << 10;
const JSON: &str = "application/json";
pub const PLAIN: &str = "text/plain; charset=utf-8";

pub enum Answer {
    Json(StatusCode, String),
    /// Of some other media type.
    Whole(StatusCode, &'static str, String),
    Stream(&'static str, BoxStream<'static, Bytes>),
}

impl Answer {
    pub fn ok(text: String) -> Self {
        Self::Json(StatusCode::OK, text)
    }

    /// Outside of the groups that are served.
    pub fn nothing() -> Self {
        let text = "404 page not found\n".to_owned();
        Self::Whole(StatusCode::NOT_FOUND, PLAIN, text)
    }

    pub fn value(value: &Value) -> Self {
        Self::ok(go_json::text(value))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let code = StatusCode::from_u16(refusal.code()).unwrap_or_default();
        Self::Json(code, go_json::text(&refusal.status()))
    }
}

/// `asked`: the headers of the request.
pub fn response(answer: Answer, asked: &HeaderMap, at: Timestamp) -> Response<Body> {
    let mut response = match answer {
        Answer::Json(code, text) => whole(code, JSON, text + "\n", asked),
        Answer::Whole(code, kind, text) => whole(code, kind, text, asked),
        Answer::Stream(kind, pieces) => {
            let frames = pieces.map(|piece| Ok(Frame::data(piece)));
            let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
            let kind = HeaderValue::from_static(kind);
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
    };
    if response.status() == StatusCode::GATEWAY_TIMEOUT {
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    let headers = response.headers_mut();
    let cache = HeaderValue::from_static("no-cache, private");
    headers.insert(CACHE_CONTROL, cache);
    let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        headers.insert(DATE, date);
    }
    response
}

fn whole(code: StatusCode, kind: &'static str, text: String, asked: &HeaderMap) -> Response<Body> {
    let accepted = asked.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok());
    let wanted = accepted.is_some_and(|names| names.contains("gzip"));
    let large = wanted && text.len() >= LARGE;
    let bytes = if large { compressed(&text) } else { None };
    let is_compressed = bytes.is_some();
    let bytes = bytes.unwrap_or_else(|| Bytes::from(text));
    let mut response = Response::new(Full::new(bytes).boxed_unsync());
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

fn compressed(text: &str) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
