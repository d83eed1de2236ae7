//! Why the server does not do something, and the Status object that says so.

use serde_json::{Value, json};

use super::object::Key;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    BadRequest(String),
    Forbidden(Key, String),
    NotFound(Key),
    /// A path that the server does not serve.
    NoSuchPath,
    MethodNotAllowed,
    AlreadyExists(Key),
    Conflict(Key, String),
    /// A deletion's precondition does not hold.
    Precondition(Key, String),
    /// The version is older than the history; the token of a page that goes on all the same, when there is one.
    Expired(String, Option<String>),
    TooLarge,
    UnsupportedMediaType(String),
    /// A patch that does not apply: its `test` failed, or its path is missing.
    NotApplicable,
    /// Fields that may not be so: path and why.
    Invalid(Key, Vec<(String, String)>),
    /// What the real server fails at, with its words.
    Internal(String),
    /// A disruption budget does not let a pod go, and why.
    Disruption(String),
    /// A version that is not there yet.
    TooNew {
        asked: u64,
        current: u64,
    },
}

impl Refusal {
    pub fn code(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Forbidden(..) => 403,
            Self::NotFound(_) | Self::NoSuchPath => 404,
            Self::MethodNotAllowed => 405,
            Self::AlreadyExists(_) | Self::Conflict(..) | Self::Precondition(..) => 409,
            Self::Expired(..) => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::NotApplicable | Self::Invalid(..) => 422,
            Self::Disruption(_) => 429,
            Self::Internal(_) => 500,
            Self::TooNew { .. } => 504,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BadRequest",
            Self::Forbidden(..) => "Forbidden",
            Self::NotFound(_) | Self::NoSuchPath => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::AlreadyExists(_) => "AlreadyExists",
            Self::Conflict(..) | Self::Precondition(..) => "Conflict",
            Self::Expired(..) => "Expired",
            Self::TooLarge => "RequestEntityTooLarge",
            Self::UnsupportedMediaType(_) => "UnsupportedMediaType",
            Self::NotApplicable | Self::Invalid(..) => "Invalid",
            Self::Disruption(_) => "TooManyRequests",
            Self::Internal(_) => "",
            Self::TooNew { .. } => "Timeout",
        }
    }

    /// In the words of the real server.
    pub fn message(&self) -> String {
        let named = |key: &Key| format!("{} \"{}\"", key.kind.qualified(), key.name);
        match self {
            Self::BadRequest(why)
            | Self::Expired(why, _)
            | Self::UnsupportedMediaType(why)
            | Self::Internal(why) => why.clone(),
            Self::Forbidden(key, why) if key.name.is_empty() => {
                format!("{} is forbidden: {why}", key.kind.qualified())
            }
            Self::Forbidden(key, why) => format!("{} is forbidden: {why}", named(key)),
            Self::NotFound(key) => format!("{} not found", named(key)),
            Self::NoSuchPath => "the server could not find the requested resource".into(),
            Self::MethodNotAllowed => {
                "the server does not allow this method on the requested resource".into()
            }
            Self::AlreadyExists(key) => format!("{} already exists", named(key)),
            Self::Conflict(key, why) => {
                format!("Operation cannot be fulfilled on {}: {why}", named(key))
            }
            Self::Precondition(key, why) => format!(
                "Operation cannot be fulfilled on {} \"{}\": {why}",
                qualified_name(key),
                key.name
            ),
            Self::TooLarge => "Request entity too large: limit is 3145728".into(),
            Self::NotApplicable => {
                "the server rejected our request due to an error in our request".into()
            }
            Self::Invalid(key, causes) => invalid(key, causes),
            Self::Disruption(_) => {
                "Cannot evict pod as it would violate the pod's disruption budget.".into()
            }
            Self::TooNew { asked, current } => {
                format!("Timeout: Too large resource version: {asked}, current: {current}")
            }
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::NotFound(key)
            | Self::AlreadyExists(key)
            | Self::Conflict(key, _)
            | Self::Forbidden(key, _) => Some(of(key, key.kind.plural)),
            Self::Precondition(key, _) => Some(of(key, key.kind.name)),
            Self::Invalid(key, causes) => {
                let mut details = of(key, key.kind.name);
                details["causes"] = causes.iter().map(cause).collect();
                Some(details)
            }
            Self::UnsupportedMediaType(why) if !why.starts_with("415") => None,
            Self::NoSuchPath
            | Self::MethodNotAllowed
            | Self::NotApplicable
            | Self::UnsupportedMediaType(_) => Some(json!({})),
            Self::Disruption(why) => Some(json!({
                "causes": [{"reason": "DisruptionBudget", "message": why}],
            })),
            Self::TooNew { .. } => Some(json!({
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            })),
            _ => None,
        }
    }

    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message(), "code": self.code(),
        });
        if !self.reason().is_empty() {
            status["reason"] = self.reason().into();
        }
        if let Some(details) = self.details() {
            status["details"] = details;
        }
        if let Self::Expired(_, Some(token)) = self {
            status["metadata"]["continue"] = token.as_str().into();
        }
        status
    }
}

/// `Deployment.apps`, `Pod`.
fn qualified_name(key: &Key) -> String {
    if key.kind.group.is_empty() {
        key.kind.name.to_owned()
    } else {
        format!("{}.{}", key.kind.name, key.kind.group)
    }
}

fn invalid(key: &Key, causes: &[(String, String)]) -> String {
    let texts: Vec<_> = causes
        .iter()
        .map(|(at, why)| format!("{at}: {why}"))
        .collect();
    let text = match &*texts {
        [one] => one.clone(),
        more => format!("[{}]", more.join(", ")),
    };
    format!(
        "{} \"{}\" is invalid: {text}",
        qualified_name(key),
        key.name
    )
}

fn of(key: &Key, kind: &str) -> Value {
    let mut details = json!({});
    for (field, text) in [
        ("name", &*key.name),
        ("group", key.kind.group),
        ("kind", kind),
    ] {
        if !text.is_empty() {
            details[field] = text.into();
        }
    }
    details
}

fn cause((at, why): &(String, String)) -> Value {
    let reason = match why.split([':', ' ']).next() {
        Some("Required") => "FieldValueRequired",
        Some("Duplicate") => "FieldValueDuplicate",
        Some("Forbidden") => "FieldValueForbidden",
        Some("Unsupported") => "FieldValueNotSupported",
        _ => "FieldValueInvalid",
    };
    json!({"reason": reason, "message": why, "field": at})
}
