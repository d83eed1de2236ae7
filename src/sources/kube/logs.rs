//! The log of one container as batches of lines.

use bytes::Bytes;
use futures::{StreamExt, stream, stream::BoxStream};

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
}

/// One item for each piece that arrived with at least one line's end, so that a fast log costs few items. Ends
/// when the log does. A connection that is cut in the middle is an error, the last item.
pub fn stream(
    cluster: Cluster,
    request: Request,
) -> BoxStream<'static, Result<Vec<String>, Error>> {
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
    let mut query = Vec::new();
    if let Some(container) = &request.container {
        query.push(("container", container.as_str()));
    }
    if let Some(tail) = &tail {
        query.push(("tailLines", tail));
    }
    if request.previous {
        query.push(("previous", "true"));
    } else if request.follow {
        query.push(("follow", "true"));
    }
    path::log(&request.namespace, &request.pod, &query)
}

fn lines(body: Body) -> BoxStream<'static, Result<Vec<String>, Error>> {
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
    fn push(&mut self, piece: &Bytes) -> Vec<String> {
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
    fn finish(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> String {
        let text = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        let mut line = String::from_utf8_lossy(text).into_owned();
        if self.over {
            line.push_str(CUT);
        }
        self.line.clear();
        self.over = false;
        line
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
        assert_eq!(
            got,
            want.map(|l| Ok(l.into_iter().map(String::from).collect::<Vec<_>>()))
        );
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
        let line = |text: &str| Ok(vec![text.to_owned()]);
        assert_eq!(got, [line("a"), line("b"), Err(cut)]);
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut splitter = Splitter::default();
        for _ in 0..100 {
            assert!(splitter.push(&Bytes::from(vec![b'x'; 1000])).is_empty());
        }
        let lines = splitter.push(&Bytes::from_static(b"\nnext\n"));
        assert_eq!(lines[0].len(), LONGEST_LINE + CUT.len());
        assert!(lines[0].ends_with(CUT));
        assert_eq!(lines[1], "next");
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
        };
        let start = "/api/v1/namespaces/shop/pods/web-1/log?container=web&tailLines=100";
        assert_eq!(path_of(&request), format!("{start}&follow=true"));
        request.previous = true;
        assert_eq!(path_of(&request), format!("{start}&previous=true"));
    }
}
