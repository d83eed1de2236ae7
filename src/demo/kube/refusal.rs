//! Why the server does not do something, and the Status object that says so.

use serde_json::{Value, json};

use super::object::Key;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    BadRequest(String),
    Forbidden(String),
    NotFound(Key),
    /// A path that the server does not serve.
    NoSuchPath,
    MethodNotAllowed,
    AlreadyExists(Key),
    Conflict(Key, String),
    /// The version is older than the history.
    Expired(String),
    UnsupportedMediaType(String),
    /// A patch that does not apply: its `test` failed, or its path is missing.
    NotApplicable(String),
    /// Fields that may not be so: path and why.
    Invalid(Key, Vec<(String, String)>),
}

impl Refusal {
    pub fn code(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) | Self::NoSuchPath => 404,
            Self::MethodNotAllowed => 405,
            Self::AlreadyExists(_) | Self::Conflict(..) => 409,
            Self::Expired(_) => 410,
            Self::UnsupportedMediaType(_) => 415,
            Self::NotApplicable(_) | Self::Invalid(..) => 422,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BadRequest",
            Self::Forbidden(_) => "Forbidden",
            Self::NotFound(_) | Self::NoSuchPath => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::AlreadyExists(_) => "AlreadyExists",
            Self::Conflict(..) => "Conflict",
            Self::Expired(_) => "Expired",
            Self::UnsupportedMediaType(_) => "UnsupportedMediaType",
            Self::NotApplicable(_) | Self::Invalid(..) => "Invalid",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::BadRequest(why)
            | Self::Forbidden(why)
            | Self::Expired(why)
            | Self::UnsupportedMediaType(why) => why.clone(),
            Self::NotFound(key) => format!("{} \"{}\" not found", key.kind.qualified(), key.name),
            Self::NoSuchPath => "the server could not find the requested resource".into(),
            Self::MethodNotAllowed => {
                "the server does not allow this method on the requested resource".into()
            }
            Self::AlreadyExists(key) => {
                format!("{} \"{}\" already exists", key.kind.qualified(), key.name)
            }
            Self::Conflict(key, why) => format!(
                "Operation cannot be fulfilled on {} \"{}\": {why}",
                key.kind.qualified(),
                key.name
            ),
            Self::NotApplicable(why) => {
                format!("the server rejected our request due to an error in our request: {why}")
            }
            Self::Invalid(key, causes) => {
                let causes: Vec<_> = causes
                    .iter()
                    .map(|(at, why)| format!("{at}: {why}"))
                    .collect();
                let what = if key.kind.group.is_empty() {
                    key.kind.name.to_owned()
                } else {
                    format!("{}.{}", key.kind.name, key.kind.group)
                };
                let causes = causes.join(", ");
                format!("{what} \"{}\" is invalid: {causes}", key.name)
            }
        }
    }

    fn details(&self) -> Option<Value> {
        let of = |key: &Key| json!({"name": &*key.name, "group": key.kind.group, "kind": key.kind.plural});
        match self {
            Self::NotFound(key) | Self::AlreadyExists(key) | Self::Conflict(key, _) => {
                Some(of(key))
            }
            Self::Invalid(key, causes) => {
                let mut details = of(key);
                let cause = |(at, why): &(String, String)| json!({"reason": "FieldValueInvalid", "message": why, "field": at});
                details["kind"] = key.kind.name.into();
                details["causes"] = causes.iter().map(cause).collect();
                Some(details)
            }
            _ => None,
        }
    }

    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message(), "reason": self.reason(), "code": self.code(),
        });
        if let Some(details) = self.details() {
            status["details"] = details;
        }
        status
    }
}
