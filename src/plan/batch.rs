//! Several plans as one: which may start next, how many at a time, and that nothing starts after a failure.

/// How a row of it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its turn has not come.
    Waiting,
    UnderWay,
    /// It is verified: how it ended.
    Done(String),
    /// It failed, or nobody knows: why.
    Failed(String),
    /// Nothing was done to it: why not.
    Untouched(String),
}

/// The rows in the order in which they start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    rows: Vec<State>,
    /// At most so many are under way.
    at_once: usize,
    /// Why nothing starts any more.
    stopped: Option<String>,
}

impl Batch {
    /// `at_once` below 1 counts as 1.
    pub fn new(rows: usize, at_once: usize) -> Self {
        Self {
            rows: vec![State::Waiting; rows],
            at_once: at_once.max(1),
            stopped: None,
        }
    }

    pub fn rows(&self) -> &[State] {
        &self.rows
    }

    pub fn at_once(&self) -> usize {
        self.at_once
    }

    pub fn under_way(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| **row == State::UnderWay)
            .count()
    }

    /// The rows that may start now; from here on they are under way.
    pub fn start(&mut self) -> Vec<usize> {
        let free = self.at_once.saturating_sub(self.under_way());
        let waiting = |(n, row): (usize, &State)| (*row == State::Waiting).then_some(n);
        let waiting = self.rows.iter().enumerate().filter_map(waiting);
        let next: Vec<_> = waiting.take(free).collect();
        for n in &next {
            self.rows[*n] = State::UnderWay;
        }
        next
    }

    /// A row that is under way came to its end. The error stops the others: those that wait stay as they are.
    pub fn end(&mut self, row: usize, how: Result<String, String>, name: &str) {
        let Some(state) = self.rows.get_mut(row) else {
            return;
        };
        if *state != State::UnderWay {
            return;
        }
        match how {
            Ok(words) => *state = State::Done(words),
            Err(words) => {
                *state = State::Failed(words);
                self.stop(format!("not begun, because {name} failed"));
            }
        }
    }

    /// Nothing starts any more; what is under way goes on.
    pub fn stop(&mut self, why: String) {
        let why = self.stopped.get_or_insert(why).clone();
        for row in self.rows.iter_mut().filter(|row| **row == State::Waiting) {
            *row = State::Untouched(why.clone());
        }
    }

    /// Every row has come to an end that can be said.
    pub fn is_over(&self) -> bool {
        let open = |row: &State| matches!(row, State::Waiting | State::UnderWay);
        !self.rows.iter().any(open)
    }

    /// Every row is verified.
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(|row| matches!(row, State::Done(_)))
    }

    /// `3 done, 1 failed, 1 not begun`.
    pub fn summary(&self) -> String {
        let count = |is: fn(&State) -> bool| self.rows.iter().filter(|row| is(row)).count();
        let words = [
            (count(|row| matches!(row, State::Done(_))), "verified"),
            (count(|row| matches!(row, State::Failed(_))), "failed"),
            (self.under_way(), "under way"),
            (count(|row| *row == State::Waiting), "waiting"),
            (count(|row| matches!(row, State::Untouched(_))), "not begun"),
        ];
        let words = words.into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<_> = words
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fail(batch: &mut Batch, row: usize) {
        batch.end(row, Err("image not found".into()), "checkout");
    }

    #[test]
    fn the_third_of_five_fails_and_the_rest_stays_as_it_was() {
        let mut batch = Batch::new(5, 1);
        for row in 0..2 {
            assert_eq!(batch.start(), [row]);
            assert!(batch.start().is_empty(), "one at a time");
            batch.end(row, Ok("verified".into()), "x");
        }
        assert_eq!(batch.start(), [2]);
        fail(&mut batch, 2);
        assert!(batch.start().is_empty());
        let untouched = State::Untouched("not begun, because checkout failed".into());
        assert_eq!(batch.rows()[3..], [untouched.clone(), untouched]);
        assert!(batch.is_over() && !batch.is_good());
        assert_eq!(batch.summary(), "2 verified, 1 failed, 2 not begun");
    }

    #[test]
    fn what_is_under_way_when_another_fails_comes_to_its_own_end() {
        let mut batch = Batch::new(3, 2);
        assert_eq!(batch.start(), [0, 1]);
        fail(&mut batch, 0);
        assert!(!batch.is_over());
        assert_eq!(batch.summary(), "1 failed, 1 under way, 1 not begun");
        batch.end(1, Ok("verified".into()), "auth");
        assert!(batch.is_over());
        // What ended has ended.
        fail(&mut batch, 1);
        assert_eq!(batch.rows()[1], State::Done("verified".into()));
    }

    #[derive(Debug, Clone)]
    enum Act {
        Start,
        /// The nth of those under way ends well, or not.
        End(usize, bool),
        Stop,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            4 => Just(Act::Start),
            4 => (0_usize..4, prop::bool::weighted(0.8)).prop_map(|(n, good)| Act::End(n, good)),
            1 => Just(Act::Stop),
        ];
        prop::collection::vec(act, 0..60)
    }

    proptest! {
        #[test]
        fn never_too_many_and_nothing_after_a_failure(
            rows in 0_usize..12, at_once in 0_usize..5, acts in acts()
        ) {
            let mut batch = Batch::new(rows, at_once);
            let mut begun = Vec::new();
            let mut over = false;
            for act in acts {
                match act {
                    Act::Start => {
                        let started = batch.start();
                        prop_assert!(!over || started.is_empty(), "after a failure");
                        begun.extend(started);
                    }
                    Act::End(n, good) => {
                        let is_open = |row: &usize| batch.rows()[*row] == State::UnderWay;
                        let open: Vec<_> = (0..rows).filter(is_open).collect();
                        if let Some(row) = open.get(n) {
                            let how = if good { Ok("verified".into()) } else { Err("no".into()) };
                            over |= !good;
                            batch.end(*row, how, "x");
                        }
                    }
                    Act::Stop => {
                        batch.stop("you stopped it".into());
                        over = true;
                    }
                }
                prop_assert!(batch.under_way() <= at_once.max(1));
                let sorted = begun.windows(2).all(|pair| pair[0] < pair[1]);
                prop_assert!(sorted, "each once, in their order: {begun:?}");
            }
            // Whatever happened: when all that is under way has ended, every row says how it stands.
            loop {
                let started = batch.start();
                let is_open = |row: &usize| batch.rows()[*row] == State::UnderWay;
                let open: Vec<_> = (0..rows).filter(is_open).collect();
                if started.is_empty() && open.is_empty() {
                    break;
                }
                for row in open {
                    batch.end(row, Ok("verified".into()), "x");
                }
            }
            prop_assert!(batch.is_over());
        }
    }
}
