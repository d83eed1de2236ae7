//! What the API server says that each user asked of it.

use std::path::Path;

use serde_json::Value;

/// One finished request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub user: String,
    pub verb: String,
    /// `deployments`, `pods/log`; the path for what is no resource.
    pub what: String,
    pub uri: String,
    pub status: i64,
}

impl Asked {
    pub fn dry_run(&self) -> bool {
        self.uri.contains("dryRun=")
    }

    /// A question about one's own rights: it is a POST, and writes nothing.
    pub fn self_review(&self) -> bool {
        self.verb == "create" && self.what.starts_with("self")
    }
}

/// Everything that `user` asked so far, oldest first. A watch shows up when it ends and, as
/// `ResponseStarted`, when it begins; both count once each.
pub fn of(log: &Path, user: &str) -> Vec<Asked> {
    let text = std::fs::read_to_string(log).expect("the audit log");
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["stage"] != "RequestReceived")
        .map(|event| asked(&event))
        .filter(|asked| asked.user == user)
        .collect()
}

/// A finished write on a Deployment by somebody whose bodies are kept.
#[derive(Debug, Clone)]
pub struct Write {
    pub user: String,
    pub verb: String,
    pub uri: String,
    pub name: String,
    pub status: i64,
    pub request: Value,
    pub response: Value,
}

impl Write {
    /// It was meant, and the server did it.
    pub fn accepted(&self) -> bool {
        (200..300).contains(&self.status) && !self.uri.contains("dryRun=")
    }

    pub fn uid(&self) -> String {
        let object = &self.response["metadata"]["uid"];
        // A deletion answers with a status that names it.
        let details = &self.response["details"]["uid"];
        object
            .as_str()
            .or(details.as_str())
            .unwrap_or_default()
            .to_owned()
    }

    /// The id in the note that it wrote.
    pub fn note(&self) -> Option<String> {
        let wrote = self.request.as_array()?.iter().any(|operation| {
            operation["path"]
                .as_str()
                .is_some_and(|path| path.starts_with("/metadata/annotations"))
        });
        // Of what leaves the template as it is, the note is another.
        let paths = self.request.to_string();
        let turned = paths.contains("/metadata/annotations/rolldeck.dev~1turn")
            || paths.contains("\"rolldeck.dev/turn\"");
        let key = if turned {
            "rolldeck.dev/turn"
        } else {
            "rolldeck.dev/action"
        };
        let note = &self.response["metadata"]["annotations"][key];
        let note: Value = serde_json::from_str(note.as_str().filter(|_| wrote)?).ok()?;
        note["id"].as_str().map(str::to_owned)
    }

    fn version(&self) -> u64 {
        let version = self.response["metadata"]["resourceVersion"].as_str();
        version
            .and_then(|version| version.parse().ok())
            .unwrap_or_default()
    }
}

/// Everything that these users wrote onto Deployments, in the order in which it came into effect.
pub fn writes(log: &Path, users: &[&str]) -> Vec<Write> {
    let text = std::fs::read_to_string(log).expect("the audit log");
    let mut writes: Vec<_> = text
        .lines()
        .filter(|line| line.contains("\"RequestResponse\""))
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["stage"] == "ResponseComplete")
        .map(|mut event| {
            let Asked {
                user,
                verb,
                uri,
                status,
                ..
            } = asked(&event);
            Write {
                user,
                verb,
                uri,
                status,
                name: event["objectRef"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                request: event["requestObject"].take(),
                response: event["responseObject"].take(),
            }
        })
        .filter(|write| users.contains(&&*write.user))
        .collect();
    writes.sort_by_key(Write::version);
    writes
}

fn asked(event: &Value) -> Asked {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &event["objectRef"];
    let what = match (object["resource"].as_str(), object["subresource"].as_str()) {
        (Some(resource), Some(subresource)) => format!("{resource}/{subresource}"),
        (Some(resource), None) => resource.to_owned(),
        (None, _) => text(&event["requestURI"]),
    };
    Asked {
        user: text(&event["user"]["username"]),
        verb: text(&event["verb"]),
        what,
        uri: text(&event["requestURI"]),
        status: event["responseStatus"]["code"].as_i64().unwrap_or_default(),
    }
}
