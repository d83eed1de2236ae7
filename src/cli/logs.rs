//! `rolldeck logs SERVICE`: the logs of its pods together, to their end or followed.

use std::sync::Arc;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::effect::LogWish;
use crate::app::logs::{Choice, Containers, MOST, Source, Sources, Span, wish};
use crate::config::Config;
use crate::domain::{Failure, FailureKind, LogLine, Merge, WorkloadId};
use crate::engine::clock;
use crate::engine::logs::{self, HOLD, Streams, TURN, WAITING};
use crate::text;

use super::Outcome;
use super::args::{Form, Logs};
use super::output;
use super::session::Session;

pub async fn run(config: &Config, args: &Logs) -> Outcome {
    let mut session = Session::connect_to_any(config, args.timeout).await?;
    session.workloads_of_any(config).await?;
    for why in session.lost() {
        output::aside(&why.sentence);
    }
    let workload = session.find(&args.service)?;
    session.details(&[&workload]).await?;
    let mut log = Log {
        args,
        id: workload.id,
        choice: choice(args),
        sources: Sources::default(),
    };
    log.know(&session);
    log.nothing(&session)?;
    if log.sources.left_out > 0 {
        let left = text::count(log.sources.left_out, "pod");
        output::aside(&format!(
            "{left} left out: no more than {MOST} logs are read"
        ));
    }
    if args.follow {
        log.follow(session).await
    } else {
        log.whole(&session).await
    }
}

fn choice(args: &Logs) -> Choice {
    Choice {
        pod: args.pod.as_deref().map(Into::into),
        containers: match (&args.container, args.all_containers) {
            (Some(name), _) => Containers::One(name.as_str().into()),
            (None, true) => Containers::All,
            (None, false) => Containers::Main,
        },
        previous: args.previous,
    }
}

struct Log<'a> {
    args: &'a Logs,
    id: WorkloadId,
    choice: Choice,
    sources: Sources,
}

impl Log<'_> {
    /// What is to be said about the pods, and whether other logs are read now.
    fn know(&mut self, session: &Session) -> (Vec<LogLine>, bool) {
        let of = (&session.fleet, &self.id);
        let news = self.sources.know(of, &self.choice, true);
        let note = |(id, words): (u32, String)| LogLine::note(id, Some(clock::now()), words);
        (news.notes.into_iter().map(note).collect(), news.changed)
    }

    /// Whoever asks for what is not there is told so.
    fn nothing(&self, session: &Session) -> Result<(), Failure> {
        let missing = |what: String| Err(Failure::new(FailureKind::NotFound, what));
        let known = |name: &str| {
            let workload = session.fleet.workload(&self.id);
            let pods = workload.map(|w| session.fleet.pods(w)).unwrap_or_default();
            pods.iter().any(|pod| *pod.name == *name)
        };
        match (&self.choice.pod, &self.choice.containers) {
            (Some(pod), _) if !known(pod) => missing(format!("{} has no pod {pod}", self.id)),
            _ if !self.sources.is_empty() || self.args.follow => Ok(()),
            (_, Containers::One(name)) => {
                missing(format!("no pod of {} has a log of {name}", self.id))
            }
            _ if self.args.previous => {
                missing(format!("no pod of {} has a run before a restart", self.id))
            }
            _ => missing(format!("no pod of {} has started", self.id)),
        }
    }

    fn wish(&self) -> LogWish {
        let seconds = |since: SignedDuration| u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
        let since = self.args.since.map(seconds);
        let span = since.map_or(Span::Tail, Span::Seconds);
        let wish = wish(&self.sources, &self.id, self.args.previous, span);
        LogWish {
            tail: self.args.tail.unwrap_or(wish.tail),
            ..wish
        }
    }

    async fn whole(&self, session: &Session) -> Outcome {
        let mut batches = logs::whole(&session.cluster, &self.wish());
        let mut failed = false;
        while let Some(lines) = batches.next().await {
            // All there is to say of logs that are only read to their end.
            failed |= lines.iter().any(|line| line.note);
            if !self.print(&lines)? {
                break;
            }
        }
        Ok(u8::from(failed))
    }

    async fn follow(mut self, mut session: Session) -> Outcome {
        let cluster = session.cluster.clone();
        let (mut streams, mut pieces) = Streams::new(Arc::new(move || Ok(cluster.clone())));
        streams.wish(&self.wish());
        // A script gets every line: what comes faster than it reads waits on the server's side.
        let mut merge = Merge::new(HOLD, usize::MAX);
        let mut turn = interval(TURN);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(lines) = pieces.recv(), if merge.bytes() < WAITING => merge.push(lines),
                _ = turn.tick() => {
                    let full = merge.bytes() >= WAITING;
                    let (lines, _) = if full { merge.take_all() } else { merge.take() };
                    if !lines.is_empty() && !self.print(&lines)? {
                        return Ok(0);
                    }
                }
                () = session.step() => {
                    let (notes, changed) = self.know(&session);
                    merge.push(notes);
                    if changed {
                        streams.wish(&self.wish());
                    }
                }
            }
        }
    }

    /// False once nobody reads.
    fn print(&self, lines: &[LogLine]) -> Result<bool, Failure> {
        let known = lines.iter().filter_map(|line| {
            let source = self.sources.get(line.stream)?;
            Some((line, source))
        });
        match self.args.output {
            Form::Json => {
                let rows: Vec<_> = known.map(|(line, source)| self.row(line, source)).collect();
                output::json_lines(&rows)
            }
            Form::Lines => {
                let lines: Vec<_> = known
                    .map(|(line, source)| self.line(line, source))
                    .collect();
                output::lines(&lines)
            }
        }
    }

    /// `new x2x4k  what it wrote`.
    fn line(&self, line: &LogLine, source: &Source) -> String {
        let mut words = String::new();
        if let Some(at) = line.at.filter(|_| self.args.timestamps) {
            words = format!("{at} ");
        }
        if let Some(word) = self.sources.revision_word(source) {
            words = format!("{words}{word} ");
        }
        if self.sources.several() {
            words = format!("{words}{}  ", source.tag);
        }
        let mark = if line.note { "-- " } else { "" };
        format!("{words}{mark}{}", line.text)
    }

    fn row<'a>(&self, line: &'a LogLine, source: &'a Source) -> Row<'a> {
        Row {
            at: line.at,
            pod: &source.pod,
            container: &source.container,
            revision: self.sources.revision_word(source),
            text: &line.text,
            note: line.note,
        }
    }
}

/// One line, as JSON; the names are kept.
#[derive(Serialize)]
struct Row<'a> {
    at: Option<Timestamp>,
    pod: &'a str,
    container: &'a str,
    /// `new` or `old`, when pods of several revisions speak.
    revision: Option<&'static str>,
    text: &'a str,
    /// A word of ours, and nothing that the container wrote.
    note: bool,
}
