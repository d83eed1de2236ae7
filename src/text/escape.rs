//! Makes words from outside harmless on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// More is cut before any work: no label or message that a person reads is longer, and a hostile one may be
/// megabytes. In bytes.
const LONGEST: usize = 4096;
/// Marks that may stand on one base character. Real writing needs two or three; more paint over the lines above.
const MOST_MARKS: usize = 3;

/// Replaces what a terminal obeys, or what a person cannot see, with its ASCII name: `\x1b`, `\u{202e}`. ASCII,
/// because every terminal draws it one cell a letter, so nothing that is measured afterwards can be wrong; a name
/// and not one common dot, because whoever meets it in an image tag wants to know what it is. Tabs and line
/// ends become a space. The result is one line without control, bidirectional, zero-width or line-separating
/// characters, at most about 40 kB, and borrowed when nothing had to be done.
pub fn escape(text: &str) -> Cow<'_, str> {
    let cut = cut(text);
    if cut.len() == text.len() && text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(cut.len() + 3);
    let mut marks = MOST_MARKS; // a mark without a base before it is named
    let mut after_return = false;
    for c in cut.chars() {
        match c {
            '\n' if after_return => {}
            '\t' | '\n' | '\r' => out.push(' '),
            _ if is_unsafe(c) => {
                name(c, &mut out);
                marks = MOST_MARKS;
            }
            _ if c.width() != Some(0) => {
                out.push(c);
                marks = 0;
            }
            _ if marks < MOST_MARKS => {
                out.push(c);
                marks += 1;
            }
            _ if out.is_empty() => name(c, &mut out),
            _ => {}
        }
        after_return = c == '\r';
    }
    if cut.len() < text.len() {
        out.push_str("...");
    }
    if out == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(out)
    }
}

fn cut(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len()))
        .rev()
        .find(|&i| text.is_char_boundary(i));
    &text[..end.unwrap_or(0)]
}

fn name(c: char, out: &mut String) {
    let code = u32::from(c);
    let _ = if code < 0x100 {
        write!(out, "\\x{code:02x}")
    } else {
        write!(out, "\\u{{{code:x}}}")
    };
}

/// Controls, and what changes the order, the width or the presentation of its neighbours without being seen.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            // Zero-width characters and marks of direction.
            | '\u{200b}'..='\u{200f}'
            // Separators of lines and paragraphs, embeddings and overrides.
            | '\u{2028}'..='\u{202e}'
            // Word joiner, invisible operators, isolates, deprecated format characters.
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            // Variation selectors: terminals disagree on the width of what they change.
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
            // Interlinear annotation, object replacement is visible and stays.
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            // Skin tones: two cells or none, by terminal.
            | '\u{1f3fb}'..='\u{1f3ff}'
            // Tags.
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::{fit, width};

    #[test]
    fn table() {
        for (text, want) in [
            ("shop/checkout:2.15.0", "shop/checkout:2.15.0"),
            ("grün 日本", "grün 日本"),
            ("a\u{1b}[31mb", "a\\x1b[31mb"),
            ("a\u{9b}31mb", "a\\x9b31mb"),
            ("bell\u{7}del\u{7f}", "bell\\x07del\\x7f"),
            ("\u{1b}]52;c;aGk=\u{1b}\\", "\\x1b]52;c;aGk=\\x1b\\"),
            ("one\r\ntwo\tthree\nfour", "one two three four"),
            ("a\u{202e}cba", "a\\u{202e}cba"),
            ("a\u{2066}b\u{2069}", "a\\u{2066}b\\u{2069}"),
            ("a\u{200b}b\u{200f}", "a\\u{200b}b\\u{200f}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("e\u{301}", "e\u{301}"),
            ("\u{301}e", "\\u{301}e"),
            (
                "e\u{301}\u{302}\u{303}\u{304}\u{305}x",
                "e\u{301}\u{302}\u{303}x",
            ),
        ] {
            assert_eq!(escape(text), want, "{text:?}");
        }
        assert!(matches!(escape("plain"), Cow::Borrowed(_)));
        assert!(matches!(escape("grün"), Cow::Borrowed(_)));
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = "é".repeat(10_000);
        let escaped = escape(&text);
        assert_eq!(escaped.len(), LONGEST + 3);
        assert!(escaped.ends_with("é..."));
        assert!(escape(&"\u{202e}".repeat(10_000)).len() < 16_000);
    }

    fn nasty() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            any::<char>().prop_map(String::from),
            proptest::sample::select(vec![
                "\u{1b}[2J",
                "\u{9d}0;x\u{9c}",
                "\u{202e}",
                "\u{2067}",
                "\u{200d}",
                "\u{301}",
                "\u{fe0f}",
                "日",
                "👍🏽",
                "🇩🇪",
                "한",
                "\u{1100}\u{1161}",
                "क्ष",
                "لا",
                "\r\n",
                "\0",
                "a",
            ])
            .prop_map(String::from),
        ];
        proptest::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_harmless_and_fits(text in nasty(), cells in 0_usize..40) {
            let escaped = escape(&text);
            prop_assert!(!escaped.chars().any(|c| c.is_control() || is_unsafe(c)));
            prop_assert!(width(&fit(&escaped, cells)) <= cells);
            prop_assert_eq!(escape(&escaped), escaped.as_ref());
        }
    }
}
