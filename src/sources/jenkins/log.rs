//! The log of a build, followed in bounded pieces of whole lines.

use super::client::{Client, below, no_answer, with_query};
use super::error::Error;
use crate::domain::build::BuildId;

/// A line that is longer is given in parts.
const LONGEST_LINE: usize = 64 << 10;
/// What Jenkins puts around a note of its own, which is no text: `ESC[8mha:` … `ESC[0m`.
const NOTE: (&str, &str) = ("\x1b[8mha:", "\x1b[0m");

/// Where one is in a log, and the line that is not whole yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReader {
    build: BuildId,
    /// An offset in the raw log, which only the server knows: bodies are longer or shorter.
    next: u64,
    rest: Vec<u8>,
    /// The first line of what came is the end of one.
    torn: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPiece {
    /// Without line ends and notes; still to be escaped.
    pub lines: Vec<String>,
    /// Bytes that were left out before them.
    pub skipped: u64,
    /// The build still runs, so there may be more.
    pub more: bool,
}

impl LogReader {
    pub fn new(build: BuildId) -> Self {
        Self {
            build,
            next: 0,
            rest: Vec::new(),
            torn: false,
        }
    }

    /// What is new. Of what is longer than `most` bytes only the end, so that a log of any length stays bounded;
    /// that takes a second request. An error leaves the place as it was: ask again.
    pub async fn read(&mut self, client: &Client, most: usize) -> Result<LogPiece, Error> {
        let what = format!(
            "read the log of build {} of {}",
            self.build.number, self.build.job.path
        );
        let mut from = self.next;
        let mut skipped = 0;
        let mut head = self.open(client, &what, from).await?;
        if head.size < from {
            // It was cut off or begun anew: the server sends it from the start.
            from = 0;
        }
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        if head.size - from > limit {
            skipped = head.size - limit - from;
            from = head.size - limit;
            head = self.open(client, &what, from).await?;
        }
        let restarted = from < self.next || skipped > 0;
        // The body of a log that grows meanwhile, with a carriage return on every line.
        let body = head.head.body(4 * most + LONGEST_LINE).await;
        let body = body.map_err(|why| no_answer(&client.about(&what), why))?;
        if restarted {
            self.rest.clear();
            self.torn = skipped > 0;
        }
        self.next = head.size;
        Ok(LogPiece {
            lines: self.lines(&body, !head.more),
            skipped,
            more: head.more,
        })
    }

    async fn open(&self, client: &Client, what: &str, from: u64) -> Result<Opened, Error> {
        let url = below(client.build_url(&self.build), "logText/progressiveText");
        let head = client
            .open(what, with_query(url, "start", &from.to_string()))
            .await?;
        let header = |name| head.headers.get(name)?.to_str().ok();
        let size = header("x-text-size").and_then(|size| size.parse().ok());
        let more = header("x-more-data") == Some("true");
        let size = size.ok_or_else(|| Error::Unusable {
            about: client.about(what),
            message: "the answer does not say how long the log is: something on the way takes X-Text-Size out".into(),
        })?;
        Ok(Opened { size, more, head })
    }

    fn lines(&mut self, body: &[u8], last: bool) -> Vec<String> {
        self.rest.extend_from_slice(body);
        let mut lines = Vec::new();
        while let Some(at) = self.end(last) {
            let line: Vec<u8> = self.rest.drain(..at).collect();
            if !std::mem::take(&mut self.torn) {
                lines.push(clean(&line));
            }
        }
        lines
    }

    /// Where the first line of the rest ends, with its line end.
    fn end(&self, last: bool) -> Option<usize> {
        let newline = self.rest.iter().position(|byte| *byte == b'\n');
        let long = self.rest.len() >= LONGEST_LINE;
        let whole = newline.map(|at| at + 1).filter(|end| *end <= LONGEST_LINE);
        let over = (last && !self.rest.is_empty()).then_some(self.rest.len());
        whole.or(long.then_some(LONGEST_LINE)).or(over)
    }
}

struct Opened {
    size: u64,
    more: bool,
    head: crate::sources::http::Head,
}

/// Without the line end and without Jenkins' notes.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut rest = text.trim_end_matches(['\r', '\n']);
    let mut clean = String::new();
    while let Some((before, note)) = rest.split_once(NOTE.0) {
        clean.push_str(before);
        rest = note.split_once(NOTE.1).map_or("", |(_, after)| after);
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::JobId;

    fn reader() -> LogReader {
        LogReader::new(BuildId {
            job: JobId::new("ci", "web"),
            number: 1,
        })
    }

    #[test]
    fn lines_come_whole_and_clean() {
        let mut reader = reader();
        let first = "Started\r\n\x1b[8mha:////4abc\x1b[0mby ".as_bytes();
        assert_eq!(reader.lines(first, false), ["Started"]);
        // A character and a note are cut in the middle.
        let name = "Zoë\r\nx \x1b[8mha:////".as_bytes();
        assert_eq!(reader.lines(&name[..3], false), Vec::<String>::new());
        assert_eq!(reader.lines(&name[3..], false), ["by Zoë"]);
        let end = "4=\x1b[0my\r\nFinished".as_bytes();
        assert_eq!(reader.lines(end, true), ["x y", "Finished"]);
        assert_eq!(reader.lines(b"", true), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_an_end_stays_bounded() {
        let mut reader = reader();
        let mut longest = 0;
        for _ in 0..100 {
            for line in reader.lines(&[b'x'; 10_000], false) {
                longest = longest.max(line.len());
            }
        }
        assert_eq!(longest, LONGEST_LINE);
        assert!(reader.rest.len() < LONGEST_LINE);
    }
}
