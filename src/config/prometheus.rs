//! Prometheus servers: how they are reached, what they are asked of the two sides of a canary, and what counts as worse.

use std::path::PathBuf;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::secret::SecretFrom;
use crate::domain::measured::Rule;

mod queries;

pub use queries::{Asked, Queries};

const LONGEST_WINDOW: u32 = 86_400;

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prometheus {
    /// With its path: `https://metrics.example/prometheus`.
    #[serde(default)]
    pub url: Option<String>,
    /// In place of the address: a Service of the workload's cluster, `monitoring/prometheus:9090`.
    #[serde(default)]
    pub service: Option<String>,
    /// By name; all when nothing is said.
    #[serde(default)]
    pub environments: Vec<String>,
    #[serde(default)]
    pub user: Option<String>,
    /// The password of the user; a bearer token without one.
    #[serde(default)]
    pub token: Option<SecretFrom>,
    /// Certificates that are trusted beside those of the system, PEM.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    #[serde(default)]
    pub exporter: Exporter,
    /// What is measured over, as in `5m`.
    #[serde(default = "five_minutes")]
    pub window: String,
    /// Fewer requests in the window tell nothing.
    #[serde(default = "hundred")]
    pub floor: u64,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub queries: Queries,
}

/// Who counts the requests, and under which names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exporter {
    /// As the client libraries name it.
    #[default]
    Http,
    /// The proxy in the pod.
    Istio,
    Spring,
    OpenTelemetry,
}

/// What the canary may be behind the stable side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// More errors, in percent of its requests.
    pub errors: Thousandths,
    /// So many times as slow.
    pub p99: Thousandths,
}

/// A number with at most three digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thousandths(pub u32);

/// A Service, as the API server leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Through<'a> {
    pub namespace: &'a str,
    /// `prometheus:9090`, `https:prometheus:web`.
    pub service: &'a str,
    /// Before `api/v1`, without slashes at its ends.
    pub path: &'a str,
}

impl Prometheus {
    /// What it is called where it fails.
    pub fn name(&self) -> &str {
        let host = |url: &'_ String| {
            let rest = url
                .split_once("://")
                .map_or(0, |(scheme, _)| scheme.len() + 3);
            let end = url[rest..].find('/').map_or(url.len(), |at| rest + at);
            (rest, end)
        };
        match (&self.url, &self.service) {
            (Some(url), _) => {
                let (start, end) = host(url);
                &url[start..end]
            }
            (None, Some(service)) => service,
            (None, None) => "prometheus",
        }
    }

    pub fn rule(&self) -> Rule {
        Rule {
            window: seconds(&self.window).unwrap_or(300),
            floor: self.floor,
            // Of a percent, in millionths.
            more_errors: self.limits.errors.0.saturating_mul(10),
            slower: self.limits.p99.0,
        }
    }

    /// The Service that is asked, where it is one.
    pub fn through(&self) -> Option<Through<'_>> {
        let (namespace, rest) = self.service.as_deref()?.split_once('/')?;
        let (service, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_matches('/');
        Some(Through {
            namespace,
            service,
            path,
        })
    }

    /// What is wrong with it, with the fix.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self) -> Result<(), String> {
        match (&self.url, &self.service) {
            (Some(url), None) => address(url)?,
            (None, Some(service)) => self.check_service(service)?,
            _ => return Err("url or service: give one of them".into()),
        }
        if self.user.is_some() && self.token.is_none() {
            return Err("user: its password is missing: write token".into());
        }
        if seconds(&self.window).is_none() {
            let window = &self.window;
            return Err(format!(
                "window: {window:?} has to be a number with s, m or h, as in 5m, and at most a day"
            ));
        }
        self.queries.check()
    }

    fn check_service(&self, service: &str) -> Result<(), String> {
        if self.user.is_some() || self.token.is_some() || self.ca.is_some() {
            return Err(
                "service: the API server leads there with your own login: user, token and ca are for url"
                    .into(),
            );
        }
        let word = |text: &str, more: &str| {
            let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || more.contains(c);
            !text.is_empty() && text.chars().all(fine)
        };
        let fits = self.through().is_some_and(|through| {
            let port = through.service.rsplit_once(':').map(|(_, port)| port);
            word(through.namespace, "")
                && word(through.service, ":.")
                && port.is_some_and(|port| word(port, ""))
                && (through.path.is_empty() || word(through.path, "/._"))
        });
        if fits {
            return Ok(());
        }
        Err(format!(
            "service: {service:?} has to be namespace/name:port, as in monitoring/prometheus:9090"
        ))
    }
}

/// The first that is about this environment; one without a name is in none.
pub fn of<'a>(servers: &'a [Prometheus], environment: Option<&str>) -> Option<&'a Prometheus> {
    servers.iter().find(|server| server.is_of(environment))
}

impl Prometheus {
    /// It is asked about what runs in this environment.
    pub fn is_of(&self, environment: Option<&str>) -> bool {
        let named = |name: &String| Some(&**name) == environment;
        self.environments.is_empty() || self.environments.iter().any(named)
    }
}

fn five_minutes() -> String {
    "5m".into()
}

fn hundred() -> u64 {
    100
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            errors: Thousandths(1000),
            p99: Thousandths(1500),
        }
    }
}

fn address(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
        return Err("url: has to begin with https:// or http://".into());
    };
    let host = rest.split('/').next().unwrap_or(rest);
    if host.contains('@') {
        return Err("url: a login has no place in it: write user and token".into());
    }
    Ok(())
}

/// `5m` as seconds.
fn seconds(window: &str) -> Option<u32> {
    let unit = match window.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        _ => return None,
    };
    let digits = &window[..window.len() - 1];
    let number: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
    let seconds = number.checked_mul(unit)?;
    (1..=LONGEST_WINDOW).contains(&seconds).then_some(seconds)
}

impl Serialize for Thousandths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Thousandths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if !(0.0..=1_000_000.0).contains(&number) {
            return Err(D::Error::custom("has to be a number from 0 to 1000000"));
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "its range was just looked at"
        )]
        let thousandths = (number * 1000.0).round() as u32;
        Ok(Self(thousandths))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Prometheus {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn the_first_of_an_environment_and_its_rule() {
        let servers = [
            of_text("{url: 'http://a/x', environments: [prod], limits: {errors: 0.5, p99: 2}}"),
            of_text(
                "{service: 'monitoring/https:prometheus:web/deep/path/', floor: 20, window: 1h}",
            ),
        ];
        assert_eq!(of(&servers, Some("prod")).unwrap().name(), "a");
        let rest = of(&servers, None).unwrap();
        assert_eq!(rest.check(), Ok(()));
        let through = rest.through().unwrap();
        assert_eq!(
            (through.namespace, through.service, through.path),
            ("monitoring", "https:prometheus:web", "deep/path")
        );
        let rule = |window, floor, more_errors, slower| Rule {
            window,
            floor,
            more_errors,
            slower,
        };
        assert_eq!(servers[0].rule(), rule(300, 100, 5_000, 2_000));
        assert_eq!(rest.rule(), rule(3_600, 20, 10_000, 1_500));
        assert_eq!(of(&servers[..1], None), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, want) in [
            ("{}", "url or service: give one of them"),
            (
                "{url: 'http://a', service: 'm/p:1'}",
                "url or service: give one of them",
            ),
            ("url: a", "url: has to begin with https:// or http://"),
            (
                "url: https://me:hunter2@a",
                "url: a login has no place in it: write user and token",
            ),
            (
                "{url: 'http://a', user: me}",
                "user: its password is missing: write token",
            ),
            (
                "{service: 'm/p:1', token: {env: T}}",
                "service: the API server leads there with your own login: user, token and ca are for url",
            ),
            (
                "service: m/p",
                "service: \"m/p\" has to be namespace/name:port, as in monitoring/prometheus:9090",
            ),
            (
                "service: m/p:1/../x?y",
                "service: \"m/p:1/../x?y\" has to be namespace/name:port, as in monitoring/prometheus:9090",
            ),
            (
                "{url: 'http://a', window: 5min}",
                "window: \"5min\" has to be a number with s, m or h, as in 5m, and at most a day",
            ),
            (
                "{url: 'http://a', queries: {p99: 'x{a=\"{pod}\"}'}}",
                "queries.p99: {pod} stands for nothing; there are {namespace}, {workload}, {hash}, {pods}, {window}",
            ),
            (
                "{url: 'http://a', queries: {errors: 'x{namespace=\"{namespace}\"}'}}",
                "queries.errors: {pods}, {hash} or {workload} has to stand in it: without them both sides are the same",
            ),
        ] {
            assert_eq!(of_text(text).check().unwrap_err(), want);
        }
        let error = serde_yaml::from_str::<Prometheus>("{url: 'http://a', limits: {p99: -1}}");
        let said = error.unwrap_err().to_string();
        assert!(
            said.contains("has to be a number from 0 to 1000000"),
            "{said}"
        );
    }
}
