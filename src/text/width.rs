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

/// As [`fit`], but the end stays: names that others made differ in their last letters.
pub fn fit_end(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let (mut used, mut from) = (1, text.len());
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += UnicodeWidthStr::width(grapheme);
        if used > cells {
            break;
        }
        from = at;
    }
    fit(&format!("…{}", &text[from..]), cells)
}

/// Where one clause ends and the next begins.
const BORDERS: [&str; 4] = [": ", ", ", "; ", " ("];

/// Cuts a sentence to at most `cells`: after the last clause that fits whole, else after a word, marked with `…`.
pub fn fit_clause(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let fits = |at: &usize| *at > 0 && width(&text[..*at]) <= cells;
    let borders = BORDERS.iter().flat_map(|border| text.match_indices(border));
    if let Some(end) = borders.map(|(at, _)| at).filter(fits).max() {
        return text[..end].to_owned();
    }
    let words = text.match_indices(' ').map(|(at, _)| at);
    match words.filter(|at| fits(&(at + 1))).max() {
        Some(end) => format!("{}…", &text[..end]),
        None => fit(text, cells),
    }
}

/// The first clause of a sentence.
pub fn clause(text: &str) -> &str {
    let borders = BORDERS.iter().filter_map(|border| text.find(border));
    &text[..borders.filter(|at| *at > 0).min().unwrap_or(text.len())]
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

    #[test]
    fn the_end_of_a_name_stays() {
        for (text, cells, want) in [
            ("checkout-2ngqk", 14, "checkout-2ngqk"),
            ("checkout-2ngqk", 7, "…-2ngqk"),
            ("checkout-2ngqk", 1, "…"),
            ("日本語", 4, "…語"),
            ("checkout", 0, ""),
        ] {
            assert_eq!(fit_end(text, cells), want, "{cells}");
        }
    }

    #[test]
    fn a_sentence_is_cut_after_a_clause() {
        let why = "image not found: registry.example/shop/a:2, 3 pods";
        for (cells, want) in [
            (50, why),
            (45, "image not found: registry.example/shop/a:2"),
            (30, "image not found"),
            (15, "image not found"),
            (14, "image not…"),
            (4, "ima…"),
        ] {
            assert_eq!(fit_clause(why, cells), want, "{cells}");
        }
        assert_eq!(clause(why), "image not found");
        assert_eq!(clause("paused"), "paused");
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in "[ -~äé日本한:,]{0,30}", cells in 0_usize..40) {
            prop_assert!(width(&fit_end(&text, cells)) <= cells);
            prop_assert!(width(&fit_clause(&text, cells)) <= cells);
        }

        #[test]
        fn padded_text_is_exact(text in "[ -~äé日本한]{0,30}", cells in 0_usize..40) {
            prop_assert_eq!(width(&pad(&text, cells)), cells);
            prop_assert_eq!(width(&pad_left(&text, cells)), cells);
            prop_assert!(width(&fit_with(&text, cells, Ellipsis::Ascii)) <= cells);
        }
    }
}
