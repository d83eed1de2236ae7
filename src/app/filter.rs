//! What is typed after `/` on the board: words that must be there, such that must not, and labels.

use crate::domain::{Fleet, LabelSelector, Labels};

use super::model::Row;

/// All parts must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    words: Vec<(bool, String)>,
    /// What follows `-l`; `Err` while it is not to be understood: then nothing fits.
    selectors: Vec<Result<LabelSelector, String>>,
}

impl Filter {
    /// `checkout !staging -l team=cart,tier!=batch`
    pub fn parse(text: &str) -> Self {
        let (mut words, mut selectors) = (Vec::new(), Vec::new());
        let mut parts = text.split_whitespace();
        while let Some(part) = parts.next() {
            if let Some(rest) = part.strip_prefix("-l") {
                let selector = if rest.is_empty() {
                    parts.next()
                } else {
                    Some(rest)
                };
                selectors.extend(selector.map(LabelSelector::parse));
                continue;
            }
            words.push(match part.strip_prefix('!') {
                Some(rest) => (false, rest.to_lowercase()),
                None => (true, part.to_lowercase()),
            });
        }
        words.retain(|(_, word)| !word.is_empty());
        Self { words, selectors }
    }

    /// The labels are looked up in the fleet: rows are many and do not carry them.
    pub fn fits(&self, row: &Row, fleet: &Fleet) -> bool {
        self.fits_words(row) && (!self.by_labels() || self.fits_labels(row, fleet))
    }

    pub fn by_labels(&self) -> bool {
        !self.selectors.is_empty()
    }

    fn fits_labels(&self, row: &Row, fleet: &Fleet) -> bool {
        let none = Labels::default();
        let labels = fleet.workload(&row.id).map_or(&none, |w| &w.labels);
        let fits = |selector: &Result<LabelSelector, String>| {
            selector
                .as_ref()
                .is_ok_and(|selector| selector.fits(labels))
        };
        self.selectors.iter().all(fits)
    }

    fn fits_words(&self, row: &Row) -> bool {
        if self.words.is_empty() {
            return true;
        }
        self.fits_text(&format!(
            "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            row.id,
            row.name(),
            row.id.namespace,
            row.id.cluster,
            row.version,
            row.from_version.as_deref().unwrap_or(""),
            row.standing.phase,
            row.id.kind.name(),
            row.environment.as_deref().unwrap_or(""),
        ))
    }

    /// The words alone; what has no labels is not asked for them.
    pub fn fits_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.words
            .iter()
            .all(|(wanted, word)| text.contains(word.as_str()) == *wanted)
    }
}
