//! What a Prometheus is asked about one side of a canary: the exporter's questions, or the person's own, filled in.

use serde::{Deserialize, Serialize};

use super::{Exporter, Prometheus};
use crate::domain::generated_name;
use crate::domain::measured::{Pods, Side};

/// What stands for something in a query.
const KNOWN: [&str; 5] = ["namespace", "workload", "hash", "pods", "window"];
/// Those that are another one for each side.
const TELLING: [&str; 3] = ["pods", "hash", "workload"];
/// What random letters and hashes in names are made of.
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";

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

/// The three questions about one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub requests: String,
    pub errors: String,
    pub p99: String,
}

impl Prometheus {
    /// The questions about this side.
    ///
    /// # Errors
    /// One of them asks for what this side has not.
    pub fn asked(&self, namespace: &str, side: &Side) -> Result<Asked, String> {
        let pods = pods(side);
        let filled = |name: &str, own: &Option<String>, usual: String| {
            let query = own.clone().unwrap_or(usual);
            if side.hash.is_none() && query.contains("{hash}") {
                let workload = &side.workload;
                return Err(format!(
                    "queries.{name}: {{hash}} stands for nothing where pods of {workload} are a side, whatever their revision: {{pods}} always does"
                ));
            }
            Ok(query
                .replace("{namespace}", namespace)
                .replace("{workload}", &side.workload)
                .replace("{hash}", side.hash.as_deref().unwrap_or_default())
                .replace("{pods}", &pods)
                .replace("{window}", &self.window))
        };
        let [requests, errors, p99] = self.exporter.queries();
        Ok(Asked {
            requests: filled("requests", &self.queries.requests, requests)?,
            errors: filled("errors", &self.queries.errors, errors)?,
            p99: filled("p99", &self.queries.p99, p99)?,
        })
    }
}

impl Queries {
    /// What is wrong with them, with the fix.
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, query) in [
            ("requests", &self.requests),
            ("errors", &self.errors),
            ("p99", &self.p99),
        ] {
            if let Some(query) = query {
                placeholders(query).map_err(|why| format!("queries.{key}: {why}"))?;
            }
        }
        Ok(())
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
        let pods = format!(r#"namespace="{{namespace}}",pod=~"{{pods}}"{more}"#);
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

/// A regular expression for the names of its pods, which Prometheus holds against whole names. That of `checkout` does
/// not fit the pods of `checkout-canary`.
fn pods(side: &Side) -> String {
    let workload = &side.workload;
    match (&side.pods, &side.hash) {
        (Pods::OfReplicaSet, Some(hash)) => generated(&format!("{workload}-{hash}-")),
        (Pods::OfReplicaSet, None) => {
            let base = format!("{workload}-");
            let longest = format!("{base}{}", "x".repeat(11));
            if generated_name::cut(&longest) == longest {
                generated_after(&base, &format!("[{LETTERS}]{{5,10}}-"))
            } else {
                // Of hash and letters something is cut.
                let base = literal(generated_name::cut(&base));
                format!("{base}[{LETTERS}-]{{5,16}}")
            }
        }
        (Pods::OfDaemonSet, _) => generated(&format!("{workload}-")),
        (Pods::Numbered(numbers), _) => {
            let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
            format!("{}-({})", literal(workload), numbers.join("|"))
        }
    }
}

fn generated(base: &str) -> String {
    generated_after(generated_name::cut(base), "")
}

fn generated_after(base: &str, more: &str) -> String {
    format!("{}{more}[{LETTERS}]{{5}}", literal(base))
}

/// Of what may stand in a name only the point means something in a regular expression.
fn literal(name: &str) -> String {
    name.replace('.', "[.]")
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
    if words.iter().any(|word| TELLING.contains(word)) {
        return Ok(());
    }
    Err(
        "{pods}, {hash} or {workload} has to stand in it: without them both sides are the same"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str) -> Prometheus {
        serde_yaml::from_str(text).unwrap()
    }

    fn side(workload: &str, hash: Option<&str>, pods: Pods) -> Side {
        Side {
            workload: workload.into(),
            hash: hash.map(Into::into),
            pods,
        }
    }

    fn cart() -> Side {
        side("cart", Some("6b7d"), Pods::OfReplicaSet)
    }

    #[test]
    fn queries_are_filled_for_a_side() {
        let usual = of_text("url: https://metrics.example/prometheus");
        let usual = usual.asked("shop", &cart()).unwrap();
        let pods = format!(r#"namespace="shop",pod=~"cart-6b7d-[{LETTERS}]{{5}}""#);
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
        let asked = own.asked("shop", &cart()).unwrap();
        assert_eq!(asked.errors, r#"my_errors{rs="6b7d"}"#);
        assert!(
            asked.requests.contains(r#"reporter="destination""#),
            "{}",
            asked.requests
        );
        assert!(asked.p99.ends_with("[90s]))) / 1000"), "{}", asked.p99);
        let whole = side("cart", None, Pods::OfReplicaSet);
        let why = own.asked("shop", &whole).unwrap_err();
        assert!(
            why.starts_with("queries.errors: {hash} stands for nothing"),
            "{why}"
        );
    }

    #[test]
    fn pods_are_told_by_their_names() {
        let (long, longest) = ("b".repeat(50), "c".repeat(60));
        let any = |workload: &str| side(workload, None, Pods::OfReplicaSet);
        for (side, want) in [
            (cart(), "cart-6b7d-L{5}".to_owned()),
            (any("checkout"), "checkout-L{5,10}-L{5}".into()),
            (any(&long), format!("{long}-[{LETTERS}-]{{5,16}}")),
            (
                side(&long, Some("7d9f8c6b5"), Pods::OfReplicaSet),
                format!("{long}-7d9f8c6L{{5}}"),
            ),
            (
                side(&longest, Some("7d9f"), Pods::OfReplicaSet),
                format!("{}L{{5}}", &longest[..58]),
            ),
            (side("agent", None, Pods::OfDaemonSet), "agent-L{5}".into()),
            (
                side("db.v2", Some("db-6b7d"), Pods::Numbered([1, 12].into())),
                "db[.]v2-(1|12)".into(),
            ),
        ] {
            assert_eq!(pods(&side), want.replace('L', &format!("[{LETTERS}]")));
        }
    }
}
