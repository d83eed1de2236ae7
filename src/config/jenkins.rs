//! Jenkins servers: how they are reached, which job builds a service, and how a build tells its image.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret::SecretFrom;
use crate::domain::build::JobId;

/// What a pattern of jobs may name.
const OF_JOB: [&str; 3] = ["service", "namespace", "branch"];
/// What a pattern of images may name, beside `{param.NAME}` and `{commit:8}`.
const OF_BUILD: [&str; 5] = ["service", "branch", "number", "commit", "revision"];

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Jenkins {
    /// What the screens call it; its host when nothing is said.
    #[serde(default)]
    pub name: Option<String>,
    /// With the context path: `https://ci.example/jenkins`.
    pub url: String,
    #[serde(default)]
    pub user: Option<String>,
    /// The user's API token, or the password.
    #[serde(default)]
    pub token: Option<SecretFrom>,
    /// Certificates that are trusted beside those of the system, PEM.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    #[serde(default)]
    pub jobs: Jobs,
    #[serde(default)]
    pub image: ImageRule,
}

/// The job of a service, by its full name: folders, then the job, with slashes between.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Jobs {
    /// For every service that the list does not name: `shop/{service}/{branch}`.
    pub pattern: Option<String>,
    /// What `{branch}` stands for; `main` when nothing is said.
    pub branch: Option<String>,
    /// Service -> job.
    pub list: BTreeMap<String, String>,
}

/// How the image of a build is known. The first that says something counts, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ImageRule {
    /// The parameter that holds it.
    pub parameter: Option<String>,
    /// The artefact whose first line it is, by its path.
    pub artifact: Option<String>,
    /// The image's own OCI label that holds the address of the build.
    pub label: Option<String>,
    /// Put together: `registry.example/shop/{service}:{branch}-{number}`.
    pub pattern: Option<String>,
}

impl Jenkins {
    /// What it is called.
    pub fn name(&self) -> &str {
        let host = || {
            let rest = self.url.split_once("://").map_or(&*self.url, |(_, r)| r);
            rest.split('/').next().unwrap_or(rest)
        };
        self.name.as_deref().unwrap_or_else(host)
    }

    /// The full name of the job that builds a service, as far as the configuration knows.
    pub fn job_of(&self, service: &str, namespace: &str) -> Option<String> {
        if let Some(job) = self.jobs.list.get(service) {
            return Some(job.clone());
        }
        let pattern = self.jobs.pattern.as_deref()?;
        let branch = branch_name(self.jobs.branch.as_deref().unwrap_or("main"));
        let filled = pattern
            .replace("{service}", service)
            .replace("{namespace}", namespace)
            .replace("{branch}", &branch);
        Some(filled)
    }

    /// What is wrong with it, with the fix.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self) -> Result<(), String> {
        let url = &self.url;
        let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            return Err("url: has to begin with https:// or http://".into());
        };
        if rest
            .split('/')
            .next()
            .is_some_and(|host| host.contains('@'))
        {
            return Err("url: a login has no place in it: write user and token".into());
        }
        if self.user.is_some() != self.token.is_some() {
            return Err("user and token: give both, or none to look around as a guest".into());
        }
        for (key, pattern, known) in [
            ("jobs.pattern", &self.jobs.pattern, &OF_JOB[..]),
            ("image.pattern", &self.image.pattern, &OF_BUILD[..]),
        ] {
            if let Some(word) = pattern.as_deref().and_then(|p| stranger(p, known)) {
                return Err(format!(
                    "{key}: {{{word}}} stands for nothing; there are {{{}}}",
                    known.join("}, {")
                ));
            }
        }
        let mut jobs = self.jobs.pattern.iter().chain(self.jobs.list.values());
        match jobs.find(|job| job.split('/').any(str::is_empty)) {
            Some(job) => Err(format!(
                "jobs: {job:?} has to be the job's full name, as in folder/job: no address and no /job/ in it"
            )),
            None => Ok(()),
        }
    }
}

/// The one of this name.
pub fn named<'a>(servers: &'a [Jenkins], name: &str) -> Option<&'a Jenkins> {
    servers.iter().find(|server| server.name() == name)
}

/// The job that builds a service: the one its annotation names, on the first server, else as a server's settings say.
pub fn job_of(
    servers: &[Jenkins],
    annotated: Option<&str>,
    (service, namespace): (&str, &str),
) -> Option<JobId> {
    if let Some(path) = annotated {
        return Some(JobId::new(servers.first()?.name(), path));
    }
    servers.iter().find_map(|server| {
        let path = server.job_of(service, namespace)?;
        Some(JobId::new(server.name(), &path))
    })
}

/// A branch as a multibranch job names it: a slash in it is no folder.
pub fn branch_name(branch: &str) -> String {
    let encoded = |c: char| match c {
        '#' | '%' | '/' | '?' | '[' | ']' | '\\' => format!("%{:02X}", u32::from(c)),
        other => other.to_string(),
    };
    branch.chars().map(encoded).collect()
}

/// A word in braces that is not known.
fn stranger<'a>(pattern: &'a str, known: &[&str]) -> Option<&'a str> {
    let words = pattern.split('{').skip(1);
    let mut words = words.filter_map(|rest| Some(rest.split_once('}')?.0));
    let of_build = known.contains(&"number");
    words.find(|word| {
        let (name, length) = word.split_once(':').unwrap_or((word, "1"));
        let param = of_build && word.starts_with("param.");
        !param && (!known.contains(&name) || length.parse::<u8>().is_err())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Jenkins {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn the_list_comes_before_the_pattern() {
        let jenkins = of(
            "url: https://ci.example/jenkins\njobs: {pattern: 'shop/{service}/{branch}', branch: release/2, list: {cart: team/cart}}",
        );
        assert_eq!(jenkins.check(), Ok(()));
        assert_eq!(jenkins.name(), "ci.example");
        assert_eq!(jenkins.job_of("cart", "x").as_deref(), Some("team/cart"));
        assert_eq!(
            jenkins.job_of("web", "x").as_deref(),
            Some("shop/web/release%2F2")
        );
        assert_eq!(of("url: http://x").job_of("web", "x"), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, want) in [
            ("url: ci", "url: has to begin with https:// or http://"),
            (
                "url: https://me:hunter2@ci",
                "url: a login has no place in it: write user and token",
            ),
            (
                "{url: 'https://ci', user: me}",
                "user and token: give both, or none to look around as a guest",
            ),
            (
                "{url: 'https://ci', jobs: {pattern: 'a/{svc}'}}",
                "jobs.pattern: {svc} stands for nothing; there are {service}, {namespace}, {branch}",
            ),
            (
                "{url: 'https://ci', image: {pattern: 'r/{service}:{sha}'}}",
                "image.pattern: {sha} stands for nothing; there are {service}, {branch}, {number}, {commit}, {revision}",
            ),
            (
                "{url: 'https://ci', jobs: {list: {a: '/job/a'}}}",
                "jobs: \"/job/a\" has to be the job's full name, as in folder/job: no address and no /job/ in it",
            ),
        ] {
            assert_eq!(of(text).check().unwrap_err(), want);
        }
        let fine = "{url: 'https://ci', image: {pattern: 'r/{service}:g{commit:8}-{param.TAG}'}}";
        assert_eq!(of(fine).check(), Ok(()));
    }
}
