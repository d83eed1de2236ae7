//! Prometheus servers: how they are reached, what they are asked of the two sides of a canary, and what counts as worse.

use std::path::PathBuf;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::secret::SecretFrom;
use crate::domain::measured::{Rule, Side};

/// What stands for something in a query.
const KNOWN: [&str; 4] = ["namespace", "workload", "hash", "window"];
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

/// Each in place of the exporter's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Queries {
    /// A second.
    pub requests: Option<String>,
    /// The share of them that fails, 0 to 1.
    pub errors: Option<String>,
    /// In seconds.
    pub p99: Option<String>,
}

/// A number with at most three digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thousandths(pub u32);

/// The three questions about one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub requests: String,
    pub errors: String,
    pub p99: String,
}

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

    /// The questions about this side.
    pub fn asked(&self, namespace: &str, side: &Side) -> Asked {
        let usual = self.exporter.queries();
        let filled = |own: &Option<String>, usual: String| {
            let query = own.clone().unwrap_or(usual);
            query
                .replace("{namespace}", namespace)
                .replace("{workload}", &side.workload)
                .replace("{hash}", &side.hash)
                .replace("{window}", &self.window)
        };
        let [requests, errors, p99] = usual;
        Asked {
            requests: filled(&self.queries.requests, requests),
            errors: filled(&self.queries.errors, errors),
            p99: filled(&self.queries.p99, p99),
        }
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
        for (key, query) in [
            ("requests", &self.queries.requests),
            ("errors", &self.queries.errors),
            ("p99", &self.queries.p99),
        ] {
            if let Some(query) = query {
                placeholders(query).map_err(|why| format!("queries.{key}: {why}"))?;
            }
        }
        Ok(())
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

impl Exporter {
    /// Requests a second, the share of errors and the 99th percentile of one side. Only what has a status at all is
    /// counted: without it no error could ever be seen.
    fn queries(self) -> [String; 3] {
        let (count, status, histogram, more) = match self {
            Self::Http => (
                "http_requests_total",
                "code",
                "http_request_duration_seconds",
                "",
            ),
            Self::Istio => (
                "istio_requests_total",
                "response_code",
                "istio_request_duration_milliseconds",
                r#",reporter="destination""#,
            ),
            Self::Spring => (
                "http_server_requests_seconds_count",
                "status",
                "http_server_requests_seconds",
                "",
            ),
            Self::OpenTelemetry => (
                "http_server_request_duration_seconds_count",
                "http_response_status_code",
                "http_server_request_duration_seconds",
                "",
            ),
        };
        let pods = format!(r#"namespace="{{namespace}}",pod=~"{{workload}}-{{hash}}-.*"{more}"#);
        let sum =
            |which: &str| format!("sum(rate({count}{{{pods},{status}=~\"{which}\"}}[{{window}}]))");
        let (all, bad) = (sum(".+"), sum("5.."));
        let quantile = format!(
            "histogram_quantile(0.99, sum by (le) (rate({histogram}_bucket{{{pods}}}[{{window}}])))"
        );
        let p99 = match self {
            Self::Istio => format!("{quantile} / 1000"),
            Self::Http | Self::Spring | Self::OpenTelemetry => quantile,
        };
        // No error was ever counted: that is none, where requests are.
        let errors = format!("({bad} or 0 * {all}) / {all}");
        [all, errors, p99]
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

/// A word alone in braces is no selector of Prometheus. Without one of the side both sides would be the same.
fn placeholders(query: &str) -> Result<(), String> {
    let words = query.split('{').skip(1);
    let words = words.filter_map(|rest| Some(rest.split_once('}')?.0));
    let plain = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic());
    let words: Vec<_> = words.filter(plain).collect();
    let known = KNOWN.join("}, {");
    if let Some(word) = words.iter().find(|word| !KNOWN.contains(word)) {
        return Err(format!(
            "{{{word}}} stands for nothing; there are {{{known}}}"
        ));
    }
    if words.contains(&"hash") || words.contains(&"workload") {
        return Ok(());
    }
    Err("{hash} or {workload} has to stand in it: without them both sides are the same".into())
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

    fn side() -> Side {
        Side {
            workload: "cart".into(),
            hash: "6b7d".into(),
        }
    }

    #[test]
    fn queries_are_filled_for_a_side() {
        let usual = of_text("url: https://metrics.example/prometheus").asked("shop", &side());
        let pods = r#"namespace="shop",pod=~"cart-6b7d-.*""#;
        let all = format!(r#"sum(rate(http_requests_total{{{pods},code=~".+"}}[5m]))"#);
        assert_eq!(usual.requests, all);
        assert!(
            usual.errors.ends_with(&format!("or 0 * {all}) / {all}")),
            "{}",
            usual.errors
        );
        let histogram = format!("rate(http_request_duration_seconds_bucket{{{pods}}}[5m])");
        assert!(usual.p99.contains(&histogram), "{}", usual.p99);
        let own = of_text(
            "{service: 'm/p:9090', exporter: istio, window: 90s, queries: {errors: 'my_errors{rs=\"{hash}\"}'}}",
        );
        let asked = own.asked("shop", &side());
        assert_eq!(asked.errors, r#"my_errors{rs="6b7d"}"#);
        assert!(
            asked.requests.contains(r#"reporter="destination""#),
            "{}",
            asked.requests
        );
        assert!(asked.p99.ends_with("[90s]))) / 1000"), "{}", asked.p99);
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
                "queries.p99: {pod} stands for nothing; there are {namespace}, {workload}, {hash}, {window}",
            ),
            (
                "{url: 'http://a', queries: {errors: 'x{namespace=\"{namespace}\"}'}}",
                "queries.errors: {hash} or {workload} has to stand in it: without them both sides are the same",
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
