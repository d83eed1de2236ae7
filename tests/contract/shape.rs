//! The shapes of requests: who asks, how, for which kind of path, with which keys in the query and which kind of body.

use std::collections::BTreeSet;
use std::fmt;

/// As recorded on a real API server; the tests there refuse to run without what is asked being in it.
const LIST: &str = include_str!("shapes.txt");

/// `rolldeck GET /api/v1/namespaces/{namespace}/pods?limit`, and the content type when there is a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// `rolldeck` or `kubectl`.
    pub program: String,
    pub method: String,
    /// With `{namespace}` and `{name}` where those were.
    pub path: String,
    pub keys: Vec<String>,
    pub content_type: String,
}

impl Shape {
    pub fn new(program: &str, method: &str, uri: &str, content_type: &str) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let keys: BTreeSet<_> = query
            .split('&')
            .filter_map(|pair| pair.split('=').next())
            // A later page has the shape of the first.
            .filter(|key| !matches!(*key, "" | "continue"))
            .map(str::to_owned)
            .collect();
        Self {
            program: program.to_owned(),
            method: method.to_owned(),
            path: pattern(path),
            keys: keys.into_iter().collect(),
            content_type: content_type.to_owned(),
        }
    }

    fn parse(line: &str) -> Self {
        let words: Vec<_> = line.split(' ').collect();
        Self::new(words[0], words[1], words[2], words.get(3).unwrap_or(&""))
    }

    /// All of the list.
    pub fn listed() -> BTreeSet<Self> {
        let lines = LIST.lines().filter(|line| !line.starts_with('#'));
        lines.map(Self::parse).collect()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.program, self.method, self.path)?;
        if !self.keys.is_empty() {
            write!(f, "?{}", self.keys.join("&"))?;
        }
        if !self.content_type.is_empty() {
            write!(f, " {}", self.content_type)?;
        }
        Ok(())
    }
}

fn pattern(path: &str) -> String {
    let words: Vec<_> = path.split('/').collect();
    let root = if words.get(1) == Some(&"api") { 3 } else { 4 };
    if !matches!(words.get(1), Some(&"api" | &"apis")) || words.len() <= root {
        return path.to_owned();
    }
    let (root, rest) = words.split_at(root);
    let mut out = root.join("/");
    let rest = match rest {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => {
            out += "/namespaces/{namespace}";
            rest
        }
        rest => rest,
    };
    for (at, word) in rest.iter().enumerate() {
        out += "/";
        out += if at == 1 { "{name}" } else { word };
    }
    out
}

#[test]
fn a_shape_is_written_as_it_is_read() {
    let uri = "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x&dryRun=All";
    let shape = Shape::new("rolldeck", "PATCH", uri, "application/json-patch+json");
    let text = "rolldeck PATCH /apis/apps/v1/namespaces/{namespace}/deployments/{name}?dryRun&fieldManager application/json-patch+json";
    assert_eq!(shape.to_string(), text);
    assert_eq!(Shape::parse(text), shape);
    for (path, expected) in [
        ("/api/v1/pods", "/api/v1/pods"),
        (
            "/api/v1/namespaces/kube-system",
            "/api/v1/namespaces/{name}",
        ),
        (
            "/api/v1/namespaces/a/pods/b/log",
            "/api/v1/namespaces/{namespace}/pods/{name}/log",
        ),
        ("/apis/apps/v1", "/apis/apps/v1"),
        ("/version", "/version"),
    ] {
        assert_eq!(pattern(path), expected);
    }
}
