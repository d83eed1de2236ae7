//! The lines of a log in bounded memory, and which of them are shown.

use std::collections::{BTreeMap, VecDeque};

use crate::app::filter::Filter;
use crate::domain::LogLine;

/// Of all lines together; the oldest go.
const BYTES: usize = 16 << 20;

/// Lines are numbered in the order in which they came, and keep their number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Kept {
    lines: VecDeque<LogLine>,
    /// The number of the oldest line that is kept.
    first: u64,
    bytes: usize,
    /// How many lines of each stream are kept.
    of: BTreeMap<u32, usize>,
    /// Lines that fell out of the bounded memory.
    pub dropped: usize,
    /// Lines that never got here, because they came too fast.
    pub unseen: usize,
    only: Option<Filter>,
    /// The numbers of the lines that fit, when not all are wanted.
    fitting: VecDeque<u64>,
}

impl Kept {
    pub fn push(&mut self, lines: Vec<LogLine>) {
        for line in lines {
            self.bytes += line.bytes();
            *self.of.entry(line.stream).or_default() += 1;
            if self.only.as_ref().is_some_and(|only| fits(only, &line)) {
                self.fitting.push_back(self.first + self.lines.len() as u64);
            }
            self.lines.push_back(line);
            if self.bytes > BYTES {
                self.drop_oldest();
            }
        }
    }

    fn drop_oldest(&mut self) {
        while self.bytes > BYTES
            && let Some(line) = self.lines.pop_front()
        {
            self.bytes -= line.bytes();
            self.dropped += 1;
            if self.fitting.front() == Some(&self.first) {
                self.fitting.pop_front();
            }
            self.first += 1;
            if let Some(count) = self.of.get_mut(&line.stream) {
                *count -= 1;
                if *count == 0 {
                    self.of.remove(&line.stream);
                }
            }
        }
    }

    /// From now on only lines that fit are shown: all words, case aside, and none with a `!` before it.
    pub fn only(&mut self, words: &str) {
        self.only = (!words.trim().is_empty()).then(|| Filter::parse(words));
        self.fitting = match &self.only {
            None => VecDeque::new(),
            Some(only) => (self.first..)
                .zip(&self.lines)
                .filter(|(_, line)| fits(only, line))
                .map(|(number, _)| number)
                .collect(),
        };
    }

    /// How many are shown.
    pub fn len(&self) -> usize {
        match self.only {
            None => self.lines.len(),
            Some(_) => self.fitting.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are kept, shown or not.
    pub fn total(&self) -> usize {
        self.lines.len()
    }

    /// Those that are shown.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &LogLine> + DoubleEndedIterator + Clone {
        (0..self.len()).map(|at| {
            let at = match self.only {
                None => at,
                Some(_) => self.index(self.fitting[at]),
            };
            &self.lines[at]
        })
    }

    /// The place among the lines that are shown of a number, or of the next one that is shown.
    pub fn place(&self, number: u64) -> usize {
        match self.only {
            None => self.index(number),
            Some(_) => self.fitting.partition_point(|fitting| *fitting < number),
        }
    }

    /// The number of the line at a place among those that are shown.
    pub fn number(&self, place: usize) -> u64 {
        match self.only {
            None => self.first + place as u64,
            Some(_) => self.fitting.get(place).copied().unwrap_or(self.first),
        }
    }

    /// Whether a line of this stream is kept.
    pub fn holds(&self, stream: u32) -> bool {
        self.of.contains_key(&stream)
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }
}

/// What we say of a stream belongs to every choice of lines.
fn fits(only: &Filter, line: &LogLine) -> bool {
    line.note || only.fits_text(&line.text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(stream: u32, text: &str) -> LogLine {
        LogLine {
            stream,
            at: None,
            text: text.into(),
            note: false,
        }
    }

    fn texts(kept: &Kept) -> Vec<&str> {
        kept.lines().map(|line| &*line.text).collect()
    }

    #[test]
    fn only_lines_that_fit_and_words_of_ours() {
        let mut kept = Kept::default();
        kept.push(vec![line(1, "GET /a 200"), line(2, "get /b 500")]);
        kept.push(vec![LogLine::note(2, None, "gone")]);
        kept.only("get !200");
        assert_eq!(texts(&kept), ["get /b 500", "gone"]);
        kept.push(vec![line(1, "GET /c 500"), line(1, "POST /d 500")]);
        assert_eq!(texts(&kept), ["get /b 500", "gone", "GET /c 500"]);
        assert_eq!((kept.number(2), kept.place(2), kept.place(3)), (3, 1, 2));
        kept.only(" ");
        assert_eq!((kept.len(), kept.total()), (5, 5));
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_numbers_stay(
            sizes in proptest::collection::vec(1_usize..2_000_000, 1..40), cut in 0_usize..40,
        ) {
            let mut kept = Kept::default();
            for (number, size) in sizes.iter().enumerate() {
                if number == cut {
                    kept.only("x");
                }
                let letter = if number % 3 == 0 { "y" } else { "x" };
                kept.push(vec![line(u32::try_from(number % 5).unwrap(), &letter.repeat(*size))]);
                prop_assert!(kept.bytes <= BYTES);
            }
            prop_assert_eq!(kept.total() + kept.dropped, sizes.len());
            prop_assert_eq!(kept.of.values().sum::<usize>(), kept.total());
            let bytes: usize = kept.lines.iter().map(LogLine::bytes).sum();
            prop_assert_eq!(kept.bytes, bytes);
            for place in 0..kept.len() {
                let number = kept.number(place);
                prop_assert_eq!(kept.place(number), place);
                let shown = kept.lines().nth(place).unwrap();
                prop_assert_eq!(shown.text.len(), sizes[usize::try_from(number).unwrap()]);
            }
            let wanted = (kept.first..).zip(&kept.lines).filter(|(_, l)| cut >= sizes.len() || l.text.contains('x'));
            prop_assert_eq!(kept.len(), wanted.count());
        }
    }
}
