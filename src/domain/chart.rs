//! What Helm keeps of each time that it installed, upgraded or rolled back a chart.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{TemplateHash, Verbatim};

/// One revision of a release. The values that went into it are never read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartRelease {
    pub revision: u32,
    /// `deployed`, `superseded`, `failed`, `pending-upgrade`, …
    pub status: Box<str>,
    /// When it was installed, in Helm's own words of it.
    pub updated: Option<Timestamp>,
    /// `web-1.2.0`.
    pub chart: Box<str>,
    /// Empty when the chart names none.
    pub app_version: Box<str>,
    /// `Upgrade complete`, `Rollback to 1`, or why it failed.
    pub description: Box<str>,
}

impl ChartRelease {
    /// It was in the cluster once: it did not fail, and is not on its way.
    pub fn was_deployed(&self) -> bool {
        matches!(&*self.status, "deployed" | "superseded")
    }

    /// Helm began with it and did not end.
    pub fn is_pending(&self) -> bool {
        self.status.starts_with("pending-")
    }

    /// The revision that this one went back to, by Helm's own words.
    pub fn back_to(&self) -> Option<u32> {
        self.description.strip_prefix("Rollback to ")?.parse().ok()
    }

    /// `revision 3, web-1.2.0, app 7.1`.
    pub fn label(&self) -> String {
        let app = match &*self.app_version {
            "" => String::new(),
            version => format!(", app {version}"),
        };
        format!("revision {}, {}{app}", self.revision, self.chart)
    }
}

/// What one revision of a release puts into the cluster, by names; what it holds is never kept, but for one template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartManifest {
    /// `ConfigMap/web` and what tells its text from another.
    pub objects: BTreeMap<Box<str>, TemplateHash>,
    /// The pod template of the workload that was asked for, as JSON.
    pub template: Option<Verbatim>,
    /// `Job/migrate (pre-rollback)`: what runs when one goes back to it.
    pub hooks: Vec<Box<str>>,
}

/// One call of the person's own `helm`, bound to the revision that was shown as the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmCall {
    /// Where it was found.
    pub program: Box<str>,
    pub kubeconfig: Option<Box<str>>,
    /// `None` in a pod.
    pub context: Option<Box<str>>,
    pub namespace: Box<str>,
    pub release: Box<str>,
    pub newest: u32,
    /// When Helm made that one, which tells another cluster's release of the same name.
    pub newest_at: Option<Timestamp>,
    pub to: u32,
}

/// What Helm gives one operation like a hook: it gives up in order before it is killed.
const GIVES_UP: &str = "--timeout=4m";

impl HelmCall {
    /// What is said of the release by Helm itself.
    pub fn history(&self) -> Vec<String> {
        let rest = ["history", &self.release, "--max=1", "--output=json"];
        self.arguments(rest.map(str::to_owned))
    }

    pub fn rollback(&self, dry_run: bool) -> Vec<String> {
        let to = self.to.to_string();
        let mut arguments =
            self.arguments(["rollback", &self.release, &to, GIVES_UP].map(str::to_owned));
        if dry_run {
            arguments.push("--dry-run".into());
        }
        arguments
    }

    /// Joined to their values: a context may be called like an option.
    fn arguments(&self, rest: [String; 4]) -> Vec<String> {
        let flags = [
            ("--kubeconfig", self.kubeconfig.as_deref()),
            ("--kube-context", self.context.as_deref()),
            ("--namespace", Some(&*self.namespace)),
        ];
        let flags = flags
            .iter()
            .filter_map(|(flag, value)| Some(format!("{flag}={}", (*value)?)));
        rest.into_iter().chain(flags).collect()
    }
}

/// Helm names releases so; what else stands in a mark is none, and may be an option.
pub fn is_release_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 53
        && name.starts_with(fine)
        && name.ends_with(fine)
        && name.chars().all(|c| fine(c) || c == '-' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_names_the_cluster_and_nothing_is_taken_for_an_option() {
        let call = HelmCall {
            program: "/usr/bin/helm".into(),
            kubeconfig: Some("/tmp/my config".into()),
            context: Some("--kube-token".into()),
            namespace: "shop".into(),
            release: "web".into(),
            newest: 3,
            newest_at: None,
            to: 2,
        };
        let flags = [
            "--kubeconfig=/tmp/my config",
            "--kube-context=--kube-token",
            "--namespace=shop",
        ];
        let want = |rest: [&str; 4], last: &[&str]| {
            let words = rest.iter().chain(&flags).chain(last);
            words.map(|word| (*word).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            call.history(),
            want(["history", "web", "--max=1", "--output=json"], &[])
        );
        let back = ["rollback", "web", "2", "--timeout=4m"];
        assert_eq!(call.rollback(false), want(back, &[]));
        assert_eq!(call.rollback(true), want(back, &["--dry-run"]));
        for (name, fine) in [
            ("web", true),
            ("web-1.x", true),
            ("--kubeconfig=x", false),
            ("", false),
            ("Web", false),
            ("web -x", false),
        ] {
            assert_eq!(is_release_name(name), fine, "{name}");
        }
    }
}
