//! What servers and libraries say when something fails, as short words for a person.

use std::error::Error as StdError;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;

const LONGEST_SENTENCE: usize = 600;
const LONGEST_TITLE: usize = 80;

/// The innermost text of a chain of errors, without the number that Rust appends.
pub fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    let text = at.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    match text {
        "" => "the server closed the connection".to_owned(),
        "deadline has elapsed" => "no answer within 5s".to_owned(),
        other => shorten(other),
    }
}

/// An HTTP date: whole seconds.
pub fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()
}

/// What is asked through an API is never answered in HTML: a proxy or a login page does.
pub fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"))
}

/// The title of an HTML page.
pub fn title(html: &str) -> Option<String> {
    let start = html.find("<title>")? + "<title>".len();
    let end = html[start..].find("</title>")?;
    let title: Vec<_> = html[start..start + end].split_whitespace().collect();
    Some(title.join(" ").chars().take(LONGEST_TITLE).collect())
}

/// Why JSON cannot be read. The library's own words for a wrong kind repeat what stood there.
pub fn unreadable(why: &serde_json::Error) -> String {
    if why.is_data() {
        let (line, column) = (why.line(), why.column());
        return format!("something else was expected at line {line} column {column}");
    }
    why.to_string()
}

pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SENTENCE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
