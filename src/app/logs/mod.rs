//! A log to read: of one container, or of many that are read together.

mod kept;
mod rows;
mod sources;

use super::effect::{LogStream, LogWish};
use super::event::JobId;
use super::model::Search;
use crate::domain::WorkloadId;
use crate::text::{duration, thousands};

pub use kept::Kept;
pub use rows::{Prefix, Row};
pub use sources::{MOST, Source, Sources};

/// Lines of one log at first.
const TAIL: u32 = 1_000;
/// Lines of many logs together at first, and the fewest of each.
const TAILS: (u32, u32) = (4_000, 50);
/// Lines of all together when as many as can be kept are wanted.
const MANY: u32 = 100_000;

#[derive(Debug, Clone, PartialEq)]
pub struct LogScreen {
    pub job: JobId,
    pub workload: WorkloadId,
    pub choice: Choice,
    pub span: Span,
    pub sources: Sources,
    pub kept: Kept,
    /// The number of the first line in sight, when not at the end.
    pub at: Option<u64>,
    pub ended: Option<Option<String>>,
    pub search: Search,
    /// Only lines that fit are shown.
    pub only: Search,
    /// Long lines are broken.
    pub wrap: bool,
    pub times: bool,
}

/// Which logs are read together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// `None`: every pod of the service.
    pub pod: Option<Box<str>>,
    pub containers: Containers,
    /// Of the runs before the last restart.
    pub previous: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Containers {
    /// The first of the service's template.
    #[default]
    Main,
    One(Box<str>),
    All,
}

/// How far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Span {
    /// The last lines of each.
    #[default]
    Tail,
    /// As much as can be kept.
    Kept,
    Seconds(u32),
}

impl LogScreen {
    pub fn new(job: JobId, workload: WorkloadId, choice: Choice, span: Span) -> Self {
        Self {
            job,
            workload,
            choice,
            span,
            sources: Sources::default(),
            kept: Kept::default(),
            at: None,
            ended: None,
            search: Search::default(),
            only: Search::default(),
            wrap: true,
            times: false,
        }
    }

    /// What the engine is asked for.
    pub fn wish(&self) -> LogWish {
        let previous = self.choice.previous;
        wish(&self.sources, &self.workload, previous, self.span)
    }
}

/// What is asked for to read these.
pub fn wish(sources: &Sources, workload: &WorkloadId, previous: bool, span: Span) -> LogWish {
    let open = sources.iter().filter(|(_, source)| !source.gone);
    let streams: Vec<_> = open
        .map(|(id, source)| LogStream {
            id,
            pod: source.pod.clone(),
            container: source.container.clone(),
            restarts: source.restarts,
            runs: source.runs,
        })
        .collect();
    let (tail, since) = span.limits(streams.len());
    LogWish {
        workload: workload.clone(),
        previous,
        tail,
        since,
        streams,
    }
}

impl Span {
    /// Lines of each of so many logs at first, and of how many seconds.
    pub fn limits(self, streams: usize) -> (u32, Option<u32>) {
        let streams = u32::try_from(streams.max(1)).unwrap_or(u32::MAX);
        match self {
            Self::Tail if streams == 1 => (TAIL, None),
            Self::Tail => ((TAILS.0 / streams).max(TAILS.1), None),
            Self::Kept => (MANY / streams, None),
            Self::Seconds(seconds) => (MANY / streams, Some(seconds)),
        }
    }

    /// `last 5m`; nothing for the usual.
    pub fn words(self) -> Option<String> {
        match self {
            Self::Tail => None,
            Self::Kept => Some(format!("up to {} lines", thousands(MANY as usize))),
            Self::Seconds(seconds) => Some(format!("last {}", duration(seconds.into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_pods_do_not_send_fifty_times_as_much() {
        for (span, streams, want) in [
            (Span::Tail, 1, (1_000, None)),
            (Span::Tail, 4, (1_000, None)),
            (Span::Tail, 50, (80, None)),
            (Span::Tail, 1_000, (50, None)),
            (Span::Kept, 50, (2_000, None)),
            (Span::Seconds(300), 1, (100_000, Some(300))),
        ] {
            assert_eq!(span.limits(streams), want, "{span:?} {streams}");
        }
    }
}
