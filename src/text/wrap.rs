//! Text on as many lines as it needs: sentences broken at spaces, what is read to the letter broken anywhere.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::{escape, width};

/// No sentence is worth more lines.
const MOST: usize = 16;

/// Escaped lines of at most `cells`, broken at spaces, and inside a word only when it is longer than a line. At most
/// sixteen.
pub fn wrap(words: &str, cells: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (i, paragraph) in words.lines().enumerate().take(MOST) {
        let paragraph = escape(paragraph);
        let mut line = String::new();
        for word in paragraph.split_inclusive(' ') {
            if !line.is_empty() && width(&line) + width(word.trim_end()) > cells {
                lines.push(std::mem::take(&mut line));
            }
            let mut parts = pieces(word, cells.max(1));
            let last = parts.pop().unwrap_or_default();
            lines.extend(parts.into_iter().map(str::to_owned));
            line.push_str(last);
        }
        if !line.is_empty() || i > 0 {
            lines.push(line);
        }
        if lines.len() >= MOST {
            break;
        }
    }
    lines.truncate(MOST);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// A line that was escaped, in pieces of at most `cells`: one piece when it fits, or when it is empty. A space at the
/// end of a piece may hang over.
pub fn pieces(line: &str, cells: usize) -> Vec<&str> {
    if width(line.trim_end()) <= cells {
        return vec![line];
    }
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, grapheme) in line.grapheme_indices(true) {
        let more = UnicodeWidthStr::width(grapheme);
        if used + more > cells && at > start {
            pieces.push(&line[start..at]);
            (start, used) = (at, 0);
        }
        used += more;
    }
    pieces.push(&line[start..]);
    pieces
}

/// One piece of a line, and the places in it that hold what was searched for, or a part of it: a place may go on in
/// the next piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched<'a> {
    pub text: &'a str,
    /// In bytes of `text`.
    pub found: Vec<Range<usize>>,
}

/// As [`pieces`], with every place where `find` stands, whatever its case.
pub fn searched<'a>(line: &'a str, cells: usize, find: &str) -> Vec<Searched<'a>> {
    let places: Vec<_> = if find.is_empty() {
        Vec::new()
    } else {
        let (folded, find) = (line.to_ascii_lowercase(), find.to_ascii_lowercase());
        let places = folded.match_indices(&find);
        places.map(|(at, hit)| at..at + hit.len()).collect()
    };
    let mut start = 0;
    let broken = pieces(line, cells).into_iter().map(|text| {
        let end = start + text.len();
        let here = |place: &Range<usize>| {
            let (from, to) = (place.start.max(start), place.end.min(end));
            (from < to).then(|| from - start..to - start)
        };
        let found = places.iter().filter_map(here).collect();
        start = end;
        Searched { text, found }
    });
    broken.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_break_at_spaces_and_long_words_anywhere() {
        for (words, cells, want) in [
            ("one two three", 7, &["one two", "three"][..]),
            ("a path /very/long", 6, &["a path", "/very/", "long"]),
            ("", 5, &[]),
            ("one\n\ntwo", 5, &["one", "", "two"]),
        ] {
            let lines = wrap(words, cells);
            assert_eq!(lines, want, "{words}");
        }
        assert_eq!(wrap(&"word ".repeat(100), 5).len(), MOST);
    }

    #[test]
    fn wide_letters_are_never_halved() {
        assert_eq!(pieces("漢字x", 3), ["漢", "字x"]);
        assert_eq!(pieces("漢字", 1), ["漢", "字"]);
        assert_eq!(pieces("", 3), [""]);
    }

    #[test]
    fn a_place_that_goes_over_the_edge_is_found_on_both_sides() {
        let found = |line, cells, find| -> Vec<(usize, usize, usize)> {
            let pieces = searched(line, cells, find).into_iter().enumerate();
            let places = pieces.flat_map(|(at, piece)| {
                let places = piece.found.into_iter();
                places.map(move |place| (at, place.start, place.end))
            });
            places.collect()
        };
        assert_eq!(found("abcdef", 4, "CDE"), [(0, 2, 4), (1, 0, 1)]);
        let all = [(0, 1, 2), (1, 0, 2), (2, 0, 2), (3, 0, 1)];
        assert_eq!(found("abcdefgh", 2, "bcdefg"), all);
        let all = [(0, 0, 1), (0, 1, 2), (1, 0, 1), (1, 1, 2)];
        assert_eq!(found("aaaa", 2, "a"), all);
        assert_eq!(found("abc", 9, ""), []);
        assert_eq!(found("漢字x", 3, "字"), [(1, 0, 3)]);
    }

    proptest! {
        #[test]
        fn pieces_are_the_line_and_fit(line in "[a漢 é]{0,60}", cells in 2_usize..20) {
            let cut = pieces(&line, cells);
            prop_assert_eq!(cut.concat(), line.clone());
            prop_assert!(cut.iter().all(|piece| width(piece.trim_end()) <= cells));
        }
    }
}
