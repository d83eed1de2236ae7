//! JSON as Go's encoder writes it: with `&`, `<` and `>` escaped, which decides whether a patch's `test` compares equal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Compact text of a value.
pub fn text(value: &Value) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Go);
    // A value has string keys only, and memory takes every byte: there is nothing to fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8(out).unwrap_or_default()
}

struct Go;

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['&', '<', '>', '\u{2028}', '\u{2029}']) {
            let (plain, tail) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut chars = tail.chars();
            let escaped = chars.next().map_or(0, u32::from);
            write!(writer, "\\u{escaped:04x}")?;
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn what_html_would_read_is_escaped() {
        let value = json!({"a&b": ["sh -c \"a && b <c>\"\n", "ü\u{2028}", 12_345_678_901_234_u64]});
        assert_eq!(
            super::text(&value),
            r#"{"a\u0026b":["sh -c \"a \u0026\u0026 b \u003cc\u003e\"\n","ü\u2028",12345678901234]}"#
        );
    }
}
