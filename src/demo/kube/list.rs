//! Lists: of now or of a version, in pages that are all of the version of the first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Answer;
use super::go_json;
use super::kind::{Kind, LIST_OPTIONS};
use super::object::{Kept, Key};
use super::query::{Query, bad_option};
use super::refusal::Refusal;
use super::selector::Selector;
use super::server::Call;
use super::store::Store;
use super::table;

const OLD_PAGE: &str = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
const OLD_LIST: &str = "The resourceVersion for the provided list is too old.";

/// Of which version a list is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Now,
    /// Any will do; then there are no pages.
    Any,
    NotBefore(u64),
    Exactly(u64),
}

/// Where a page goes on: the version of the first page, -1 when that is gone, and the key after which it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

pub fn list(call: &Call, kind: &'static Kind, namespace: Option<&str>) -> Result<Answer, Refusal> {
    let query = &call.query;
    check(query)?;
    let selector = Selector::of(kind, query)?;
    let limit = query.number("limit")?.unwrap_or(0);
    query.number("timeoutSeconds")?;
    let (at, start) = match query.get("continue") {
        "" => (at(query, limit > 0)?, String::new()),
        text => Token::read(text, query.get("resourceVersion"))?,
    };
    let limit = if at == At::Any { 0 } else { limit };
    let (version, mut items) = read(&call.api.cluster.store, kind, namespace, at, &start)?;
    if !start.is_empty() {
        items.drain(..items.partition_point(|item| path_of(&item.key, namespace) <= start));
    }
    if !selector.is_everything() {
        items.retain(|item| selector.chooses(item));
    }
    let page = usize::try_from(limit).unwrap_or(0);
    let rest = items.len().saturating_sub(page);
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if page > 0 && rest > 0 {
        items.truncate(page);
        let last = items.last().map(|item| path_of(&item.key, namespace));
        metadata["continue"] = Token::of(version, last.unwrap_or_default()).text().into();
        if selector.is_everything() {
            metadata["remainingItemCount"] = rest.into();
        }
    }
    if call.wants_table() {
        return Ok(Answer::value(&table::of(call, kind, &items, &metadata)));
    }
    if call.wants_metadata_list() {
        return Ok(Answer::value(&bare(&metadata, &items)));
    }
    Ok(Answer::ok(text(kind, &metadata, &items)))
}

/// Nothing of the objects but their metadata.
fn bare(metadata: &Value, items: &[Kept]) -> Value {
    let item = |item: &Kept| {
        json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": item.value()["metadata"].take(),
        })
    };
    let items: Vec<_> = items.iter().map(item).collect();
    json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata, "items": items,
    })
}

fn text(kind: &'static Kind, metadata: &Value, items: &[Kept]) -> String {
    let mut text = format!(
        r#"{{"kind":"{}List","apiVersion":"{}","metadata":{},"items":["#,
        kind.name,
        kind.api_version(),
        go_json::text(metadata)
    );
    text.reserve(items.iter().map(|item| item.text.len() + 1).sum());
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&item.text);
    }
    text.push_str("]}");
    text
}

/// What the server does not accept in a list.
fn check(query: &Query) -> Result<(), Refusal> {
    let (version, matching) = (
        query.get("resourceVersion"),
        query.get("resourceVersionMatch"),
    );
    let bad = |name, why: &str| Err(bad_option(&LIST_OPTIONS, name, why));
    if !query.get("sendInitialEvents").is_empty() {
        let why = "Forbidden: sendInitialEvents is forbidden for list";
        return bad("sendInitialEvents", why);
    }
    match matching {
        "Exact" | "NotOlderThan" if version.is_empty() => bad(
            "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        "Exact" if version == "0" => bad(
            "resourceVersionMatch",
            r#"Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0""#,
        ),
        "" | "Exact" | "NotOlderThan" => Ok(()),
        other => bad(
            "resourceVersionMatch",
            &format!(
                r#"Unsupported value: {other:?}: supported values: "Exact", "NotOlderThan", """#
            ),
        ),
    }
}

fn at(query: &Query, paged: bool) -> Result<At, Refusal> {
    let exact = query.get("resourceVersionMatch") == "Exact";
    let inferred = paged && query.get("resourceVersionMatch").is_empty();
    Ok(match query.get("resourceVersion") {
        "" => At::Now,
        "0" => At::Any,
        text => match version(text)
            .map_err(|why| Refusal::BadRequest(format!("invalid resource version: {why}")))?
        {
            version if exact || inferred => At::Exactly(version),
            version => At::NotBefore(version),
        },
    })
}

/// A `resourceVersion`, or why it is none.
pub fn version(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        format!(
            "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        )
    })
}

fn read(
    store: &Store,
    kind: &'static Kind,
    namespace: Option<&str>,
    at: At,
    start: &str,
) -> Result<(u64, Vec<Kept>), Refusal> {
    let current = store.version();
    match at {
        At::Exactly(asked) | At::NotBefore(asked) if asked > current => {
            Err(Refusal::TooNew { asked, current })
        }
        At::Exactly(version) => match store.list_at(kind, namespace, version) {
            Ok(items) => Ok((version, items)),
            Err(_) if start.is_empty() => Err(Refusal::Expired(OLD_LIST.into(), None)),
            Err(_) => {
                let token = Token {
                    rv: -1,
                    ..Token::of(version, start.to_owned())
                };
                Err(Refusal::Expired(OLD_PAGE.into(), Some(token.text())))
            }
        },
        At::Now | At::Any | At::NotBefore(_) => Ok(store.snapshot(kind, namespace)),
    }
}

/// In the order of the list.
fn path_of(key: &Key, namespace: Option<&str>) -> String {
    match namespace {
        Some(_) => key.name.to_string(),
        None if key.namespace.is_empty() => key.name.to_string(),
        None => format!("{}\u{1}{}", key.namespace, key.name),
    }
}

impl Token {
    fn of(version: u64, last: String) -> Self {
        Self {
            v: "meta.k8s.io/v1".into(),
            rv: i64::try_from(version).unwrap_or(-1),
            start: last,
        }
    }

    fn text(&self) -> String {
        let token = Self {
            start: format!("/{}\0", self.start.replace('\u{1}', "/")),
            ..self.clone()
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_string(&token).unwrap_or_default())
    }

    fn read(text: &str, version: &str) -> Result<(At, String), Refusal> {
        let why = |why: &str| Refusal::BadRequest(format!("invalid continue token: {why}"));
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        let token = bytes
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let token = token.ok_or_else(|| why("continue key is not valid"))?;
        let start = token
            .start
            .strip_prefix('/')
            .and_then(|s| s.strip_suffix('\0'));
        let start = start.ok_or_else(|| why("continue key is not valid"))?;
        if !matches!(version, "" | "0") {
            let why = "specifying resource version is not allowed when using continue";
            return Err(Refusal::BadRequest(why.into()));
        }
        let at = u64::try_from(token.rv).map_or(At::Now, At::Exactly);
        Ok((at, start.replace('/', "\u{1}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_way_to_the_client_and_back() {
        let token = Token::of(322, "shop\u{1}web".into());
        let (at, start) = Token::read(&token.text(), "").unwrap();
        assert_eq!((at, &*start), (At::Exactly(322), "shop\u{1}web"));
        for text in ["xxxx", "e30", "%%"] {
            assert!(Token::read(text, "").is_err(), "{text}");
        }
        assert!(Token::read(&token.text(), "5").is_err());
    }
}
