//! The log of one container as batches of lines with their times.

use bytes::Bytes;
use futures::{StreamExt, stream, stream::BoxStream};
use jiff::Timestamp;

use super::client::{Body, Cluster};
use super::error::Error;
use super::path;

/// A line is cut here, with [`CUT`] at its end.
const LONGEST_LINE: usize = 16 << 10;
const CUT: &str = " …(cut)";

/// Which log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub namespace: String,
    pub pod: String,
    /// `None`: the pod's only one.
    pub container: Option<String>,
    /// Of the run before this one; it has ended, so it is not followed.
    pub previous: bool,
    pub follow: bool,
    /// So many of the last lines.
    pub tail: Option<u32>,
    pub since: Option<Since>,
}

/// From when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So many seconds ago by the server's clock; at least one.
    Seconds(u32),
    /// The server counts in whole seconds: lines of the same second come as well.
    Time(Timestamp),
}

/// One line, and the time that the container runtime gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `None` when the server sent none that can be read; then all it sent is text.
    pub at: Option<Timestamp>,
    pub text: Box<str>,
}

/// One item for each piece that arrived with at least one line's end, so that a fast log costs few items. Ends
/// when the log does. A connection that is cut in the middle is an error, the last item.
pub fn stream(cluster: Cluster, request: Request) -> BoxStream<'static, Result<Vec<Line>, Error>> {
    stream::once(async move {
        match cluster.open(&path_of(&request)).await {
            Ok((_, body)) => lines(body),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    })
    .flatten()
    .boxed()
}

fn path_of(request: &Request) -> String {
    let tail = request.tail.map(|lines| lines.to_string());
    let since = request.since.map(|since| match since {
        Since::Seconds(seconds) => ("sinceSeconds", seconds.max(1).to_string()),
        Since::Time(at) => ("sinceTime", at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    });
    let mut query = vec![("timestamps", "true")];
    if let Some(container) = &request.container {
        query.push(("container", container.as_str()));
    }
    if let Some(tail) = &tail {
        query.push(("tailLines", tail));
    }
    if let Some((key, since)) = &since {
        query.push((key, since));
    }
    if request.previous {
        query.push(("previous", "true"));
    } else if request.follow {
        query.push(("follow", "true"));
    }
    path::log(&request.namespace, &request.pod, &query)
}

fn lines(body: Body) -> BoxStream<'static, Result<Vec<Line>, Error>> {
    let state = Some((body, Splitter::default()));
    stream::unfold(state, |state| async move {
        let (mut body, mut splitter) = state?;
        loop {
            match body.next().await {
                Some(Ok(piece)) => {
                    let lines = splitter.push(&piece);
                    if !lines.is_empty() {
                        return Some((vec![Ok(lines)], Some((body, splitter))));
                    }
                }
                Some(Err(error)) => {
                    let mut last: Vec<_> = splitter
                        .finish()
                        .map(|line| Ok(vec![line]))
                        .into_iter()
                        .collect();
                    last.push(Err(error));
                    return Some((last, None));
                }
                None => {
                    let last = splitter.finish()?;
                    return Some((vec![Ok(vec![last])], None));
                }
            }
        }
    })
    .flat_map(stream::iter)
    .boxed()
}

/// Puts lines together that arrive in pieces.
#[derive(Default)]
struct Splitter {
    line: Vec<u8>,
    /// The rest of a line that was too long is being dropped.
    over: bool,
}

impl Splitter {
    fn push(&mut self, piece: &Bytes) -> Vec<Line> {
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            let room = LONGEST_LINE - self.line.len();
            self.over |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                lines.push(self.take());
            }
        }
        lines
    }

    /// The last line, when it has no end.
    fn finish(&mut self) -> Option<Line> {
        (!self.line.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Line {
        let text = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let text = String::from_utf8_lossy(text);
        let (at, text) = stamped(&text);
        let text = if self.over {
            format!("{text}{CUT}").into()
        } else {
            text.into()
        };
        self.line.clear();
        self.over = false;
        Line { at, text }
    }
}

/// `2026-11-27T10:12:49.123456789Z what the container wrote`.
fn stamped(line: &str) -> (Option<Timestamp>, &str) {
    let (time, text) = line.split_once(' ').unwrap_or((line, ""));
    match time.parse() {
        Ok(at) => (Some(at), text),
        Err(_) => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: Vec<Result<&'static str, Error>>) -> Body {
        let pieces = pieces.into_iter().map(|piece| piece.map(Bytes::from));
        stream::iter(pieces.collect::<Vec<_>>()).boxed()
    }

    #[tokio::test]
    async fn lines_are_put_together_across_pieces() {
        let pieces = vec![Ok("a\nb"), Ok("c"), Ok("\n\nd\r\ne")];
        let got: Vec<_> = lines(body(pieces)).collect().await;
        let want = [vec!["a"], vec!["bc", "", "d"], vec!["e"]];
        let want = want.map(|l| Ok(l.into_iter().map(bare).collect::<Vec<_>>()));
        assert_eq!(got, want);
    }

    fn bare(text: &str) -> Line {
        Line {
            at: None,
            text: text.into(),
        }
    }

    #[test]
    fn the_time_stands_before_the_text() {
        let at: Timestamp = "2026-11-27T10:12:49.123456789Z".parse().unwrap();
        for (line, want) in [
            (
                "2026-11-27T10:12:49.123456789Z two  words",
                (Some(at), "two  words"),
            ),
            ("2026-11-27T11:12:49.123456789+01:00 x", (Some(at), "x")),
            ("2026-11-27T10:12:49.123456789Z ", (Some(at), "")),
            ("2026-11-27T10:12:49.123456789Z", (Some(at), "")),
            ("no time", (None, "no time")),
            ("2026 words", (None, "2026 words")),
            ("", (None, "")),
        ] {
            assert_eq!(stamped(line), want, "{line:?}");
        }
    }

    #[tokio::test]
    async fn a_cut_is_the_last_item_and_keeps_what_came() {
        let cut = Error::Transport {
            about: "read log".into(),
            after_send: true,
            message: "the answer broke off".into(),
        };
        let got: Vec<_> = lines(body(vec![Ok("a\nb"), Err(cut.clone())]))
            .collect()
            .await;
        let line = |text: &str| Ok(vec![bare(text)]);
        assert_eq!(got, [line("a"), line("b"), Err(cut)]);
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut splitter = Splitter::default();
        for _ in 0..100 {
            assert!(splitter.push(&Bytes::from(vec![b'x'; 1000])).is_empty());
        }
        let lines = splitter.push(&Bytes::from_static(b"\nnext\n"));
        assert_eq!(lines[0].text.len(), LONGEST_LINE + CUT.len());
        assert!(lines[0].text.ends_with(CUT));
        assert_eq!(lines[1], bare("next"));
    }

    #[test]
    fn what_is_asked_for() {
        let mut request = Request {
            namespace: "shop".into(),
            pod: "web-1".into(),
            container: Some("web".into()),
            previous: false,
            follow: true,
            tail: Some(100),
            since: None,
        };
        let log = "/api/v1/namespaces/shop/pods/web-1/log?timestamps=true";
        let start = format!("{log}&container=web&tailLines=100");
        assert_eq!(path_of(&request), format!("{start}&follow=true"));
        request.previous = true;
        assert_eq!(path_of(&request), format!("{start}&previous=true"));
        (request.previous, request.tail) = (false, None);
        let at = "2026-11-27T10:12:49.9Z".parse().unwrap();
        for (since, want) in [
            (Since::Seconds(300), "sinceSeconds=300"),
            (Since::Seconds(0), "sinceSeconds=1"),
            (Since::Time(at), "sinceTime=2026-11-27T10%3A12%3A49Z"),
        ] {
            request.since = Some(since);
            let want = format!("{log}&container=web&{want}&follow=true");
            assert_eq!(path_of(&request), want);
        }
    }
}
