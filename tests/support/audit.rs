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
