//! Cells: how wide text is, and how to make it exactly as wide as there is room.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands for the part that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ellipsis {
    /// `…`, one cell.
    #[default]
    Unicode,
    /// `..`, for terminals without more than ASCII.
    Ascii,
}

impl Ellipsis {
    fn mark(self) -> &'static str {
        match self {
            Self::Unicode => "…",
            Self::Ascii => "..",
        }
    }
}

/// How many cells a line takes; per grapheme, because that is what a cell buffer is filled with.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Cuts to at most `cells`, at a grapheme, and marks the cut with `…`. Does not pad.
pub fn fit(text: &str, cells: usize) -> String {
    fit_with(text, cells, Ellipsis::Unicode)
}

/// As [`fit`], with a choice of the mark. Where not even one character fits beside the mark, the mark is left out.
pub fn fit_with(text: &str, cells: usize, ellipsis: Ellipsis) -> String {
    let mark = ellipsis.mark();
    let mark_cells = width(mark);
    let room = cells.saturating_sub(mark_cells);
    let (mut used, mut with_mark, mut without) = (0, 0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += UnicodeWidthStr::width(grapheme);
        let end = at + grapheme.len();
        if used > cells {
            return if mark_cells < cells || (mark_cells == cells && mark_cells == 1) {
                format!("{}{mark}", &text[..with_mark])
            } else {
                text[..without].to_owned()
            };
        }
        if used <= room {
            with_mark = end;
        }
        without = end;
    }
    text.to_owned()
}

/// Exactly `cells` wide: cut, or filled with spaces on the right.
pub fn pad(text: &str, cells: usize) -> String {
    let mut text = fit(text, cells);
    let missing = cells - width(&text).min(cells);
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// Exactly `cells` wide: cut, or filled with spaces on the left.
pub fn pad_left(text: &str, cells: usize) -> String {
    let text = fit(text, cells);
    let missing = cells - width(&text).min(cells);
    format!("{}{text}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_at_graphemes() {
        for (text, cells, unicode, ascii) in [
            ("checkout", 8, "checkout", "checkout"),
            ("checkout", 7, "checko…", "check.."),
            ("checkout", 3, "ch…", "c.."),
            ("checkout", 2, "c…", "ch"),
            ("checkout", 1, "…", "c"),
            ("checkout", 0, "", ""),
            ("日本語", 6, "日本語", "日本語"),
            ("日本語", 5, "日本…", "日.."),
            ("日本語", 4, "日…", "日.."),
            ("e\u{301}e\u{301}e", 2, "e\u{301}…", "e\u{301}e\u{301}"),
        ] {
            assert_eq!(fit(text, cells), unicode, "{text} {cells}");
            assert_eq!(
                fit_with(text, cells, Ellipsis::Ascii),
                ascii,
                "{text} {cells}"
            );
        }
    }

    proptest! {
        #[test]
        fn padded_text_is_exact(text in "[ -~äé日本한]{0,30}", cells in 0_usize..40) {
            prop_assert_eq!(width(&pad(&text, cells)), cells);
            prop_assert_eq!(width(&pad_left(&text, cells)), cells);
            prop_assert!(width(&fit_with(&text, cells, Ellipsis::Ascii)) <= cells);
        }
    }
}
