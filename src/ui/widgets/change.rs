//! What changes, in one line: what tells the two sides apart is never cut.

use crate::text;

/// Fits `container: repository  1.0 → 2.0` by cutting the repository at its left, and `this → that` by cutting both.
pub fn fit_change(words: &str, cells: u16) -> String {
    let (words, cells) = (text::escape(words), usize::from(cells));
    if text::width(&words) <= cells {
        return words.into_owned();
    }
    if let Some((head, tail)) = words.rsplit_once("  ") {
        let (container, repository) = match head.split_once(": ") {
            Some((container, repository)) => (format!("{container}: "), repository),
            None => (String::new(), head),
        };
        let taken = text::width(&container) + text::width(tail) + 2;
        let repository = text::fit_end(repository, cells.saturating_sub(taken));
        return text::fit(&format!("{container}{repository}  {tail}"), cells);
    }
    match words.split_once(" → ") {
        Some((from, to)) => {
            let half = cells.saturating_sub(3) / 2;
            let (from, to) = (text::fit_end(from, half), text::fit_end(to, half));
            format!("{from} → {to}")
        }
        None => text::fit(&words, cells),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_stay() {
        for (words, cells, want) in [
            (
                "r.example/shop/a  1.0 → 2.0",
                30,
                "r.example/shop/a  1.0 → 2.0",
            ),
            ("r.example/shop/a  1.0 → 2.0", 18, "…shop/a  1.0 → 2.0"),
            (
                "web: r.example/shop/a  1.0 → 2.0",
                20,
                "web: …p/a  1.0 → 2.0",
            ),
            (
                "r.example/shop/a:1 → q.example/shop/b:2",
                23,
                "…/shop/a:1 → …/shop/b:2",
            ),
        ] {
            let fitted = fit_change(words, cells);
            assert!(text::width(&fitted) <= usize::from(cells), "{fitted}");
            assert_eq!(fitted, want);
        }
    }
}
