//! Our own secrets in the words of others: what was sent to a server is covered where the server says it back.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderValue};

/// A shorter one stands in ordinary words as well, which nobody could read then.
const SHORTEST: usize = 4;
const COVER: &str = "[hidden]";
/// Padding or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What is never shown of an answer. That is no defence against a server that disguises it; it keeps honest echoes,
/// such as those of debugging proxies, off screens and out of records.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hidden(Vec<String>);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

impl Hidden {
    /// What the headers that log in hold, packed and unpacked.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut hidden = Self::default();
        for value in headers.values().filter(|value| value.is_sensitive()) {
            hidden.header(value);
        }
        hidden
    }

    /// `Basic …`, `Bearer …`, or a token alone.
    pub fn header(&mut self, value: &HeaderValue) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let credential = text.split_once(' ').map_or(&*text, |(_, rest)| rest);
        self.add(credential);
        let pair = BASE64.decode(credential).ok();
        let pair = pair.and_then(|pair| String::from_utf8(pair).ok());
        if let Some((_, password)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
            self.add(password);
        }
    }

    pub fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
        }
        // What holds another one goes first, or the rest of it would stay.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    pub fn extend(&mut self, other: &Self) {
        for secret in &other.0 {
            self.add(secret);
        }
    }

    /// Also where it is packed in base64 with something else, as in what a Docker engine is told.
    pub fn cover(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let covered = |text: String, secret: &String| text.replace(&**secret, COVER);
        let text = self.0.iter().fold(text.to_owned(), covered);
        let part = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
        let packed = text.split(|c| !part(c)).filter(|word| self.packs(word));
        let packed: Vec<_> = packed.map(ToOwned::to_owned).collect();
        packed.iter().fold(text, covered)
    }

    fn packs(&self, word: &str) -> bool {
        let bytes = BASE64.decode(word.replace('-', "+").replace('_', "/"));
        let inside = bytes.unwrap_or_default();
        let inside = String::from_utf8_lossy(&inside);
        self.0.iter().any(|secret| inside.contains(&**secret))
    }

    /// Of a head that says no.
    pub fn cover_headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let covered = self.cover(&text);
            if covered != text {
                *value = HeaderValue::from_str(&covered).unwrap_or(HeaderValue::from_static(COVER));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_covered_in_every_form_that_was_sent() {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, text: &str, sensitive| {
            let mut value = HeaderValue::from_str(text).unwrap();
            value.set_sensitive(sensitive);
            headers.insert(name, value);
        };
        let basic = BASE64.encode("me:hunter2:hunter2");
        add("authorization", &format!("Basic {basic}"), true);
        add("private-token", "glpat-hunter3", true);
        add("accept", "application/json", false);
        let mut hidden = Hidden::of(&headers);
        hidden.add("abc");
        let packed = BASE64.encode("glpat-hunter3");
        for (text, want) in [
            ("hunter2:hunter2 is wrong", "[hidden] is wrong"),
            (&format!("got Basic {basic}"), "got Basic [hidden]"),
            (
                &format!("{packed} or glpat-hunter3, "),
                "[hidden]== or [hidden], ",
            ),
            (
                &format!("auth={}.", BASE64.encode(r#"{"p":"hunter2:hunter2"}"#)),
                "auth=[hidden]=.",
            ),
            ("application/json, me, abc", "application/json, me, abc"),
        ] {
            assert_eq!(hidden.cover(text), want);
        }
        let mut said = HeaderMap::new();
        said.insert("x-error", HeaderValue::from_static("no glpat-hunter3"));
        hidden.cover_headers(&mut said);
        assert_eq!(said["x-error"], "no [hidden]");
        assert_eq!(format!("{hidden:?}"), "Hidden");
    }
}
