//! Lines of logs, and the order in which those of several containers are read together.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

/// What a line takes beside its text, with the allocator's part: an estimate for limits in bytes.
const BESIDE_TEXT: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Which of the streams that are read together it came from.
    pub stream: u32,
    /// The time that the container runtime gave it.
    pub at: Option<Timestamp>,
    pub text: Box<str>,
    /// A word of ours about the stream, and nothing that the container wrote.
    pub note: bool,
}

impl LogLine {
    /// A word of ours about a stream.
    pub fn note(stream: u32, at: Option<Timestamp>, text: impl Into<Box<str>>) -> Self {
        Self {
            stream,
            at,
            text: text.into(),
            note: true,
        }
    }

    /// What it takes in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len() + BESIDE_TEXT
    }
}

/// Puts the lines of several streams into the order of their times. A line waits a few turns for older ones of
/// other streams, and never longer: what comes later than that stands where it came. Lines of one stream keep
/// their order whatever their times say. Bounded: what is over the limit is dropped, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// In the order of arrival.
    waiting: VecDeque<Waiting>,
    /// The latest time in each stream.
    latest: HashMap<u32, Timestamp>,
    turn: u64,
    /// So many turns a line waits.
    pub hold: u64,
    bytes: usize,
    limit: usize,
    dropped: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    turn: u64,
    /// Its time, or that of the line before it when that is later.
    order: Timestamp,
    line: LogLine,
}

impl Merge {
    /// `limit` is in bytes, as [`LogLine::bytes`] counts them.
    pub fn new(hold: u64, limit: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            latest: HashMap::new(),
            turn: 0,
            hold,
            bytes: 0,
            limit,
            dropped: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.dropped == 0
    }

    /// More would be dropped.
    pub fn is_full(&self) -> bool {
        self.bytes >= self.limit
    }

    /// What waits, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What arrived, each stream's lines in their order.
    pub fn push(&mut self, lines: impl IntoIterator<Item = LogLine>) {
        for line in lines {
            self.bytes += line.bytes();
            let before = self.latest.entry(line.stream).or_insert(Timestamp::MIN);
            let order = line.at.map_or(*before, |at| at.max(*before));
            *before = order;
            self.waiting.push_back(Waiting {
                turn: self.turn,
                order,
                line,
            });
        }
        while self.bytes > self.limit
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.line.bytes();
            self.dropped += 1;
        }
    }

    /// The next turn: the lines that waited long enough, with all that belongs before them, in order; and how
    /// many were dropped since the last time. When any were, what is left does not wait: it would be dropped as well
    /// before its turn came, and a log that is too fast would show nothing at all.
    pub fn take(&mut self) -> (Vec<LogLine>, usize) {
        self.turn += 1;
        if self.dropped > 0 {
            return self.take_all();
        }
        let due = |waiting: &Waiting| waiting.turn + self.hold < self.turn;
        let due = self.waiting.partition_point(due);
        let last = self.waiting.iter().take(due).map(|w| w.order).max();
        self.release(last)
    }

    /// All that waits, in order.
    pub fn take_all(&mut self) -> (Vec<LogLine>, usize) {
        self.release(Some(Timestamp::MAX))
    }

    fn release(&mut self, last: Option<Timestamp>) -> (Vec<LogLine>, usize) {
        let dropped = std::mem::take(&mut self.dropped);
        let Some(last) = last else {
            return (Vec::new(), dropped);
        };
        let mut released = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for waiting in waiting {
            if waiting.order <= last {
                released.push(waiting);
            } else {
                self.waiting.push_back(waiting);
            }
        }
        // Stable: lines of one time stay as they came, which keeps the order of their stream.
        released.sort_by_key(|waiting| waiting.order);
        let lines = released.into_iter().map(|waiting| waiting.line);
        let lines: Vec<_> = lines.collect();
        self.bytes -= lines.iter().map(LogLine::bytes).sum::<usize>();
        (lines, dropped)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn line(stream: u32, second: i64, number: usize) -> LogLine {
        LogLine {
            stream,
            at: (second >= 0).then(|| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)),
            text: number.to_string().into(),
            note: false,
        }
    }

    fn seconds(lines: &[LogLine]) -> Vec<i64> {
        let second = |line: &LogLine| line.at.map_or(-1, Timestamp::as_second);
        lines.iter().map(second).collect()
    }

    #[test]
    fn a_line_waits_for_older_ones_of_other_streams_and_not_for_ever() {
        let mut merge = Merge::new(1, usize::MAX);
        merge.push([line(1, 5, 0), line(1, 9, 1)]);
        assert_eq!(merge.take(), (vec![], 0), "the first turn");
        merge.push([line(2, 3, 2), line(2, 12, 3)]);
        assert_eq!(seconds(&merge.take().0), [3, 5, 9]);
        // Too late for its place: 9 was shown.
        merge.push([line(3, 1, 4), line(3, 20, 5)]);
        assert_eq!(seconds(&merge.take().0), [1, 12]);
        assert_eq!(seconds(&merge.take().0), [20]);
        assert!(merge.is_empty());
        let mut alone = Merge::new(0, usize::MAX);
        alone.push([line(1, 5, 0)]);
        assert_eq!(alone.take().0.len(), 1, "nothing to wait for");
    }

    #[test]
    fn what_is_too_fast_to_wait_is_shown_all_the_same() {
        let mut merge = Merge::new(2, 10 * (BESIDE_TEXT + 2));
        for turn in 0..5 {
            merge.push((0..1000).map(|n| line(n % 4, turn * 1000 + i64::from(n), 10)));
            let (lines, dropped) = merge.take();
            assert_eq!((lines.len(), dropped), (10, 990), "{turn}");
        }
    }

    /// What arrives turn by turn: streams, times, and lines without a time.
    fn turns() -> impl Strategy<Value = Vec<Vec<(u32, i64)>>> {
        let turn = proptest::collection::vec((0_u32..4, -1_i64..20), 0..12);
        proptest::collection::vec(turn, 0..12)
    }

    proptest! {
        #[test]
        fn every_line_comes_once_and_streams_keep_their_order(
            turns in turns(), hold in 0_u64..4, limit in 1_usize..40,
        ) {
            let limit = limit * (BESIDE_TEXT + 2);
            let mut merge = Merge::new(hold, limit);
            let (mut pushed, mut lost, mut out) = (Vec::new(), 0, Vec::new());
            for turn in turns {
                for (stream, second) in turn {
                    let line = line(stream, second, pushed.len());
                    pushed.push(line.clone());
                    merge.push([line]);
                    prop_assert!(merge.bytes() <= limit);
                }
                let (lines, dropped) = merge.take();
                lost += dropped;
                out.extend(lines);
            }
            let (lines, dropped) = merge.take_all();
            lost += dropped;
            out.extend(lines);
            prop_assert_eq!(merge.bytes(), 0);
            prop_assert_eq!(out.len() + lost, pushed.len());
            let number = |line: &LogLine| line.text.parse::<usize>().unwrap();
            for stream in 0..4 {
                let numbers: Vec<_> = out.iter().filter(|l| l.stream == stream).map(number).collect();
                prop_assert!(numbers.is_sorted_by(|a, b| a < b), "{:?}", numbers);
            }
            for line in &out {
                prop_assert_eq!(line, &pushed[number(line)]);
            }
        }

        /// Streams whose times only rise, and whose lines come no more than the hold too late, are in order as a whole.
        #[test]
        fn what_comes_in_time_is_in_order(
            late in proptest::collection::vec((0_u32..4, 0_u64..3), 0..60), hold in 2_u64..4,
        ) {
            let mut merge = Merge::new(hold, usize::MAX);
            let mut arrives: Vec<Vec<LogLine>> = vec![Vec::new(); late.len() + 4];
            let mut last = [0_usize; 4];
            for (at, (stream, delay)) in late.iter().enumerate() {
                let of = *stream as usize;
                // A stream does not overtake itself.
                last[of] = last[of].max(at + usize::try_from(*delay).unwrap());
                let second = i64::try_from(at).unwrap();
                arrives[last[of]].push(line(*stream, second, at));
            }
            let in_time = |turn: usize, line: &LogLine| {
                let late = i64::try_from(turn).unwrap() - line.at.unwrap().as_second();
                late <= i64::try_from(hold).unwrap()
            };
            prop_assume!(arrives.iter().enumerate().all(|(turn, lines)| {
                lines.iter().all(|line| in_time(turn, line))
            }));
            let mut out = Vec::new();
            for lines in arrives {
                merge.push(lines);
                out.extend(merge.take().0);
            }
            out.extend(merge.take_all().0);
            prop_assert_eq!(out.len(), late.len());
            prop_assert!(seconds(&out).is_sorted());
        }
    }
}
