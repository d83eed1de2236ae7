//! A time in which nothing new goes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Absent limits are none: all environments, all services, from ever, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hold {
    pub reason: String,
    #[serde(default)]
    pub environments: Vec<String>,
    /// By name.
    #[serde(default)]
    pub services: Vec<String>,
    #[serde(default)]
    pub from: Option<Timestamp>,
    #[serde(default)]
    pub until: Option<Timestamp>,
}

impl Hold {
    /// It holds at this time: what begins at `from` is over at `until`.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until)
    }

    /// It is about this environment; a namespace without one is in those that name none.
    pub fn covers(&self, environment: Option<&str>) -> bool {
        self.environments.is_empty()
            || environment.is_some_and(|name| self.environments.iter().any(|e| e == name))
    }

    /// It is about this service.
    pub fn holds(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|name| name == service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let hold = Hold {
            reason: "christmas".into(),
            environments: vec!["prod".into()],
            services: vec!["cart".into()],
            from: Some(at("2026-12-20T00:00:00Z")),
            until: Some(at("2027-01-03T00:00:00Z")),
        };
        for (time, stands) in [
            ("2026-12-19T23:59:59Z", false),
            ("2026-12-20T00:00:00Z", true),
            ("2027-01-02T23:59:59Z", true),
            ("2027-01-03T00:00:00Z", false),
        ] {
            assert_eq!(hold.stands(at(time)), stands, "{time}");
        }
        for (environment, service, covers) in [
            (Some("prod"), "cart", true),
            (Some("prod"), "auth", false),
            (Some("staging"), "cart", false),
            (None, "cart", false),
        ] {
            assert_eq!(hold.covers(environment) && hold.holds(service), covers);
        }
        let always = Hold {
            environments: Vec::new(),
            services: Vec::new(),
            from: None,
            until: None,
            ..hold
        };
        assert!(always.covers(None) && always.holds("x"));
        assert!(always.stands(Timestamp::UNIX_EPOCH));
    }
}
