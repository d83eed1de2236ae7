//! A watch: the bytes cut into lines, and each line turned into news.

use bytes::{Bytes, BytesMut};
use serde_json::Error;

use super::{convert, list, wire};
use crate::domain::{Item, ItemId, SourceId};

/// Seconds that the server is asked to keep a watch open: silence is noticed that soon, and it is below the
/// idle limit of every common load balancer.
pub const SECONDS: u64 = 30;
/// The API server's own limit for one object is about 3 MiB.
const LONGEST_LINE: usize = 8 << 20;

pub fn path(source: &SourceId, version: &str) -> String {
    let seconds = SECONDS.to_string();
    list::collection(
        source,
        &[
            ("watch", "1"),
            ("resourceVersion", version),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", &seconds),
        ],
    )
}

/// Cuts bytes as they arrive into blocks of whole lines.
#[derive(Debug)]
pub struct Lines {
    rest: BytesMut,
    limit: usize,
    skipping: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self::limited(LONGEST_LINE)
    }
}

impl Lines {
    fn limited(limit: usize) -> Self {
        Self {
            rest: BytesMut::new(),
            limit,
            skipping: false,
        }
    }

    /// The lines that `piece` completes, and whether one had to be dropped because it is too long.
    pub fn push(&mut self, mut piece: &[u8]) -> (Bytes, bool) {
        if self.skipping {
            let Some(end) = piece.iter().position(|byte| *byte == b'\n') else {
                return (Bytes::new(), false);
            };
            piece = &piece[end + 1..];
            self.skipping = false;
        }
        let last_end = piece.iter().rposition(|byte| *byte == b'\n');
        let whole = last_end.map_or(0, |end| self.rest.len() + end + 1);
        self.rest.extend_from_slice(piece);
        let block = self.rest.split_to(whole).freeze();
        self.skipping = self.rest.len() > self.limit;
        if self.skipping {
            self.rest = BytesMut::new();
        }
        (block, self.skipping)
    }
}

/// What one line says.
#[derive(Debug)]
pub enum News {
    /// `version` is where the watch goes on from after this line; empty: from where it was.
    Changed {
        uid: Box<str>,
        what: What,
        version: String,
    },
    Bookmark {
        version: String,
    },
    /// The server ends the watch, with a code as of HTTP.
    Ended {
        code: u16,
        message: String,
    },
}

#[derive(Debug)]
pub enum What {
    Put(Item),
    Gone(ItemId),
    /// An object that is none of this source's own.
    Nothing,
    /// It cannot be read. Its row, when it can be named, is old and has to go.
    Unreadable(Option<ItemId>),
}

/// Never fails: a line that is no JSON is an unreadable object.
pub fn news(source: &SourceId, line: &[u8]) -> News {
    read(source, line).unwrap_or_else(|error| {
        tracing::warn!(resource = source.feed.resource(), %error, "unreadable line of a watch");
        unreadable_line()
    })
}

/// News of a line that says nothing that can be read.
pub fn unreadable_line() -> News {
    News::Changed {
        uid: Box::default(),
        what: What::Unreadable(None),
        version: String::new(),
    }
}

fn read(source: &SourceId, line: &[u8]) -> Result<News, Error> {
    let line: wire::WatchLine<'_> = serde_json::from_slice(line)?;
    let raw = line.object.get();
    if &*line.kind == "ERROR" {
        return Ok(ended(&serde_json::from_str(raw)?));
    }
    let object: wire::Object<'_> = serde_json::from_str(raw)?;
    let meta = object.metadata;
    let version = meta.resource_version.to_string();
    let what = match &*line.kind {
        "BOOKMARK" => return Ok(News::Bookmark { version }),
        "DELETED" => convert::item_id(source, raw)?.map_or(What::Nothing, What::Gone),
        _ => match convert::item(source, raw) {
            Ok(item) => item.map_or(What::Nothing, What::Put),
            Err(error) => {
                tracing::warn!(resource = source.feed.resource(), %error, "unreadable object");
                What::Unreadable(convert::item_id(source, raw).ok().flatten())
            }
        },
    };
    Ok(News::Changed {
        uid: meta.uid[..].into(),
        what,
        version,
    })
}

/// 410 also comes without a code, by its reason alone.
fn ended(status: &wire::Status<'_>) -> News {
    let code = match (&*status.reason, status.code) {
        ("Expired" | "Gone", _) => 410,
        (_, 0) => 500,
        (_, code) => code,
    };
    News::Ended {
        code,
        message: status.message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Feed, Kind};

    fn deployments() -> SourceId {
        SourceId {
            cluster: "c".into(),
            namespace: None,
            feed: Feed::Workloads(Kind::Deployment),
        }
    }

    fn line(kind: &str, object: &str) -> News {
        let line = format!(r#"{{"type":"{kind}","object":{object}}}"#);
        news(&deployments(), line.as_bytes())
    }

    const WEB: &str = r#"{"metadata":{"name":"web","namespace":"shop","uid":"u1","resourceVersion":"9","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{"template":{}}}"#;

    #[test]
    fn lines_become_news() {
        for kind in ["ADDED", "MODIFIED"] {
            let News::Changed { uid, what, version } = line(kind, WEB) else {
                panic!("{kind}")
            };
            assert_eq!((&*uid, &*version), ("u1", "9"));
            assert!(matches!(what, What::Put(Item::Workload(_))));
        }
        assert!(matches!(
            line(
                "DELETED",
                r#"{"metadata":{"name":"web","uid":"u1"},"spec":3}"#
            ),
            News::Changed {
                what: What::Gone(ItemId::Workload(..)),
                ..
            }
        ));
        let bookmark = r#"{"kind":"Deployment","metadata":{"resourceVersion":"12"}}"#;
        assert!(matches!(
            line("BOOKMARK", bookmark),
            News::Bookmark { version } if version == "12"
        ));
        let broken = r#"{"metadata":{"name":"web","uid":"u1","resourceVersion":"13"},"spec":3}"#;
        assert!(matches!(
            line("MODIFIED", broken),
            News::Changed { what: What::Unreadable(Some(_)), version, .. } if version == "13"
        ));
        for nonsense in [
            &b"nonsense"[..],
            b"{}",
            b"\xff\xff",
            b"{\"type\":\"ADDED\"}",
        ] {
            assert!(matches!(
                news(&deployments(), nonsense),
                News::Changed {
                    what: What::Unreadable(None),
                    ..
                }
            ));
        }
    }

    #[test]
    fn errors_in_the_stream() {
        for (object, want) in [
            (
                r#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#,
                410,
            ),
            (r#"{"kind":"Status","reason":"Gone"}"#, 410),
            (r#"{"kind":"Status","reason":"Expired","code":500}"#, 410),
            (r#"{"kind":"Status","code":403}"#, 403),
            ("{}", 500),
        ] {
            let News::Ended { code, .. } = line("ERROR", object) else {
                panic!("{object}")
            };
            assert_eq!(code, want, "{object}");
        }
    }

    #[test]
    fn a_line_without_end_is_dropped_and_the_next_one_read() {
        let mut lines = Lines::limited(4);
        assert_eq!(lines.push(b"abc"), (Bytes::new(), false));
        assert_eq!(lines.push(b"de"), (Bytes::new(), true), "dropped once");
        assert_eq!(lines.push(b"fgh"), (Bytes::new(), false));
        assert_eq!(lines.push(b"i\nok\nx"), (Bytes::from("ok\n"), false));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(text in "[a\n]{0,40}", cuts in prop::collection::vec(0_usize..40, 0..6)) {
            let mut cuts: Vec<_> = cuts.into_iter().filter(|c| *c <= text.len()).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut lines = Lines::default();
            let mut out = Vec::new();
            for pair in cuts.windows(2) {
                out.extend_from_slice(&lines.push(&text.as_bytes()[pair[0]..pair[1]]).0);
            }
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            prop_assert_eq!(&out, &text.as_bytes()[..whole]);
        }
    }
}
