//! The configuration file as it is written; `config.yaml.example` explains every key.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::builds::FolderRule;
use super::display::{Column, Theme};
use super::error::Error;
use super::handover::{self, Program};
use super::jenkins::Jenkins;
use super::notify::Notify;
use super::prometheus::Prometheus;
use super::registries::Registry;
use super::repositories::Repository;
use crate::domain::{Environment, Hold};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct File {
    pub context: Option<OneOrMore>,
    pub namespaces: Option<Names>,
    pub readonly: bool,
    pub verify_seconds: Option<u32>,
    pub at_once: Option<usize>,
    pub promotion: Promotion,
    pub presence: bool,
    pub verify_images: Option<bool>,
    pub display: Display,
    pub notify: Notify,
    pub environments: Vec<Environment>,
    /// The label of workloads whose value is what a service is called.
    pub service_label: Option<String>,
    pub holds: Vec<Hold>,
    pub registries: Vec<Registry>,
    pub keys: BTreeMap<String, OneOrMore>,
    /// Alias -> command of the palette.
    pub aliases: BTreeMap<String, String>,
    /// Those of k9s as well, where there is none of ours.
    pub k9s_aliases: bool,
    pub handover: Vec<Program>,
    pub jenkins: Vec<Jenkins>,
    pub prometheus: Vec<Prometheus>,
    pub repositories: Vec<Repository>,
    pub builds: Vec<FolderRule>,
}

/// From one environment to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Promotion {
    /// How long an image should have run where it comes from: `30m`.
    pub soak: Option<String>,
    /// The environments that a version goes through, one after the other. Absent: all, in their order.
    pub way: Vec<String>,
}

impl Promotion {
    /// # Errors
    /// What it should be.
    pub fn seconds(&self) -> Result<u32, String> {
        let Some(soak) = &self.soak else { return Ok(0) };
        let wrong = || format!("promotion.soak: {soak} is no time like 30m, 2h or 3d");
        let span: jiff::SignedDuration = soak.parse().map_err(|_| wrong())?;
        u32::try_from(span.as_secs()).map_err(|_| wrong())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Display {
    /// Absent: as the terminal and `NO_COLOR` say.
    pub color: Option<bool>,
    pub ascii: Option<bool>,
    pub theme: Theme,
    /// Absent: all that say something.
    pub columns: Option<Vec<Column>>,
}

/// `all`, one name, or a list.
pub type Names = OneOrMore;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub fn into_list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(list) => list,
        }
    }
}

impl File {
    pub fn parse(file: &Path, text: &str) -> Result<Self, Error> {
        let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if text.lines().all(blank) {
            return Ok(Self::default());
        }
        let parsed: Self = serde_yaml::from_str(text).map_err(|error| Error::yaml(file, &error))?;
        parsed.check(file)
    }

    fn check(self, file: &Path) -> Result<Self, Error> {
        let wrong = |message: String| Err(Error::new(file.display().to_string(), message));
        for (at, environment) in self.environments.iter().enumerate() {
            let name = &environment.name;
            if name.trim().is_empty() || environment.cluster.trim().is_empty() {
                return wrong(format!(
                    "environments[{at}]: name and cluster must not be empty"
                ));
            }
            if self.environments[..at]
                .iter()
                .any(|other| other.name == *name)
            {
                return wrong(format!("environments[{at}]: there are two named {name}"));
            }
        }
        for (at, hold) in self.holds.iter().enumerate() {
            if let Some(name) = self.unknown(&hold.environments) {
                return wrong(format!("holds[{at}]: there is no environment named {name}"));
            }
            if hold
                .from
                .zip(hold.until)
                .is_some_and(|(from, until)| until <= from)
            {
                return wrong(format!("holds[{at}]: it is over before it begins"));
            }
        }
        for (at, registry) in self.registries.iter().enumerate() {
            if let Err(why) = registry.check() {
                return wrong(format!("registries[{at}]: {why}"));
            }
            let host = &registry.host;
            if self.registries[..at].iter().any(|r| r.host == *host) {
                return wrong(format!("registries[{at}]: there are two named {host}"));
            }
        }
        let spaced = |alias: &&String| alias.is_empty() || alias.contains(char::is_whitespace);
        if let Some(alias) = self.aliases.keys().find(spaced) {
            return wrong(format!("aliases: {alias:?} has to be one word"));
        }
        if let Some(columns) = &self.display.columns {
            if !columns.contains(&Column::Service) {
                return wrong("display.columns: service has to be among them".into());
            }
            let twice = |at: usize| columns[..at].contains(&columns[at]);
            if (0..columns.len()).any(twice) {
                return wrong("display.columns: one of them is there twice".into());
            }
        }
        handover::merged(&self.handover, file)?;
        if let Err(why) = self.promotion.seconds().and_then(|_| self.check_way()) {
            return wrong(why);
        }
        if let Err(why) = self.check_sources() {
            return wrong(why);
        }
        if self.at_once.is_some_and(|count| !(1..=8).contains(&count)) {
            return wrong("atOnce: 1 to 8".into());
        }
        match self.verify_seconds {
            Some(seconds) if seconds > 3600 => wrong("verifySeconds: at most 3600".into()),
            Some(_) | None => Ok(self),
        }
    }

    /// The first of these environments that there is not.
    fn unknown<'a>(&self, names: &'a [String]) -> Option<&'a String> {
        let mut names = names.iter();
        names.find(|name| self.environments.iter().all(|e| e.name != **name))
    }

    /// Of the environments that a version goes through.
    fn check_way(&self) -> Result<(), String> {
        let way = &self.promotion.way;
        for (at, name) in way.iter().enumerate() {
            let wrong = |why| Err(format!("promotion.way[{at}]: {why}"));
            if self.unknown(std::slice::from_ref(name)).is_some() {
                let names: Vec<_> = self.environments.iter().map(|e| &*e.name).collect();
                let known = if names.is_empty() {
                    "environments: names none".to_owned()
                } else {
                    format!("there are: {}", names.join(", "))
                };
                return wrong(format!("there is no environment named {name}; {known}"));
            }
            if way[..at].contains(name) {
                return wrong(format!("{name} is there twice"));
            }
        }
        match way.as_slice() {
            [alone] => Err(format!(
                "promotion.way: {alone} alone is no way: name what comes after it, or leave it out"
            )),
            _ => Ok(()),
        }
    }

    /// Where builds, metrics and sources are.
    fn check_sources(&self) -> Result<(), String> {
        for (at, server) in self.jenkins.iter().enumerate() {
            let wrong = |why| format!("jenkins[{at}].{why}");
            server.check().map_err(wrong)?;
            let name = server.name();
            if self.jenkins[..at].iter().any(|other| other.name() == name) {
                return Err(format!("jenkins[{at}]: there are two named {name}"));
            }
        }
        for (at, server) in self.prometheus.iter().enumerate() {
            let wrong = |why| format!("prometheus[{at}].{why}");
            server.check().map_err(wrong)?;
            if let Some(name) = self.unknown(&server.environments) {
                return Err(wrong(format!(
                    "environments: there is no environment named {name}"
                )));
            }
        }
        for (at, repository) in self.repositories.iter().enumerate() {
            let wrong = |why| format!("repositories[{at}].{why}");
            repository.check().map_err(wrong)?;
        }
        for (at, rule) in self.builds.iter().enumerate() {
            rule.check().map_err(|why| format!("builds[{at}].{why}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Level;

    fn error(text: &str) -> String {
        let error = File::parse(Path::new("config.yaml"), text).unwrap_err();
        let failure = error.failure();
        assert_eq!(failure.exit_code(), 2);
        [vec![failure.sentence], failure.hints].concat().join(" | ")
    }

    #[test]
    fn a_way_of_promotion_goes_through_environments_that_there_are_each_once() {
        for (text, want) in [
            (
                "environments: [{name: a, cluster: x}, {name: b, cluster: x}]\npromotion: {way: [a, c]}\n",
                "config.yaml: promotion.way[1]: there is no environment named c; there are: a, b",
            ),
            (
                "promotion: {way: [a, b]}\n",
                "config.yaml: promotion.way[0]: there is no environment named a; environments: names none",
            ),
            (
                "environments: [{name: a, cluster: x}, {name: b, cluster: x}]\npromotion: {way: [a, b, a]}\n",
                "config.yaml: promotion.way[2]: a is there twice",
            ),
            (
                "environments: [{name: a, cluster: x}]\npromotion: {way: [a]}\n",
                "config.yaml: promotion.way: a alone is no way: name what comes after it, or leave it out",
            ),
        ] {
            assert_eq!(error(text), want);
        }
    }

    #[test]
    fn mistakes_are_named_with_place_and_fix() {
        for (text, want) in [
            (
                "readonly: true\ncontxt: prod\n",
                "config.yaml, line 2, column 1: unknown key contxt | did you mean context?",
            ),
            (
                "environments:\n  - name: prod\n    cluster: eu\n    protecton: open\n",
                "config.yaml, line 4, column 5: unknown key protecton | did you mean protection?",
            ),
            (
                "display: {colour_scheme_name: x}\n",
                "config.yaml, line 1, column 11: unknown key colour_scheme_name | known here: color, ascii, theme, columns",
            ),
            (
                "readonly: perhaps\n",
                "config.yaml, line 1, column 11: readonly: invalid type: string \"perhaps\", expected a boolean",
            ),
            (
                "environments:\n- {name: a, cluster: x}\n- {name: a, cluster: y}\n",
                "config.yaml: environments[1]: there are two named a",
            ),
            (
                "environments:\n- {name: '', cluster: x}\n",
                "config.yaml: environments[0]: name and cluster must not be empty",
            ),
            (
                "holds: [{reason: x, environments: [prod]}]\n",
                "config.yaml: holds[0]: there is no environment named prod",
            ),
            (
                "holds: [{reason: x, from: 2026-12-20T00:00:00Z, until: 2026-12-19T00:00:00Z}]\n",
                "config.yaml: holds[0]: it is over before it begins",
            ),
            (
                "aliases: {'a b': doctor}\n",
                "config.yaml: aliases: \"a b\" has to be one word",
            ),
            (
                "display: {columns: [version]}\n",
                "config.yaml: display.columns: service has to be among them",
            ),
            (
                "display: {columns: [service, why, why]}\n",
                "config.yaml: display.columns: one of them is there twice",
            ),
            (
                "registries: [{host: https://r.example}]\n",
                "config.yaml: registries[0]: host: write it without https://",
            ),
            (
                "registries: [{host: r.example/shop}]\n",
                "config.yaml: registries[0]: host: \"r.example/shop\" is no host, or host:port, without a path",
            ),
            (
                "registries: [{host: r}, {host: r}]\n",
                "config.yaml: registries[1]: there are two named r",
            ),
            (
                "repositories: [{url: shop}]\n",
                "config.yaml: repositories[0].url: a repository is written https://host/owner/name or git@host:owner/name",
            ),
            (
                "builds: [{folder: shop}]\n",
                "config.yaml: builds[0].folder: has to begin with /, as in /src/shop/{service}",
            ),
            (
                "promotion: {soak: soon}\n",
                "config.yaml: promotion.soak: soon is no time like 30m, 2h or 3d",
            ),
            ("atOnce: 9\n", "config.yaml: atOnce: 1 to 8"),
            (
                "verifySeconds: 4000\n",
                "config.yaml: verifySeconds: at most 3600",
            ),
        ] {
            assert_eq!(error(text), want, "{text}");
        }
        let broken = error("context: [\n");
        assert!(broken.starts_with("config.yaml, line "), "{broken}");
    }

    #[test]
    fn mistakes_about_who_measures_are_named_as_well() {
        for (text, want) in [
            (
                "prometheus:\n  - url: http://a\n    limits: {p98: 1}\n",
                "config.yaml, line 3, column 14: unknown key p98 | did you mean p99?",
            ),
            (
                "prometheus:\n  - url: http://a\n    floor: many\n",
                "config.yaml, line 3, column 12: prometheus[0].floor: invalid type: string \"many\", expected u64",
            ),
            (
                "prometheus: [{url: http://a, environments: [x]}]\n",
                "config.yaml: prometheus[0].environments: there is no environment named x",
            ),
        ] {
            assert_eq!(error(text), want);
        }
    }

    #[test]
    fn nothing_but_comments_is_the_default() {
        for text in ["", "\n", "# context: prod\n\n  # more\n"] {
            assert_eq!(File::parse(Path::new("x"), text).unwrap(), File::default());
        }
    }

    #[test]
    fn the_example_is_read_and_holds_every_key() {
        let text = include_str!("../../config.yaml.example");
        let file = File::parse(Path::new("config.yaml.example"), text).unwrap();
        assert_eq!(file.environments[1].protection, Level::Protected);
        let shown: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
        let known = serde_yaml::to_value(&file).unwrap();
        assert_eq!(keys(&shown), keys(&known));
    }

    /// The keys of every mapping, with their paths; those of `keys` are the user's.
    fn keys(value: &serde_yaml::Value) -> std::collections::BTreeSet<String> {
        fn collect(value: &serde_yaml::Value, path: &str, all: &mut Vec<String>) {
            if let Some(map) = value.as_mapping() {
                for (key, value) in map {
                    let path = format!("{path}/{}", key.as_str().unwrap());
                    collect(value, &path, all);
                    all.push(path);
                }
            }
            for one in value.as_sequence().into_iter().flatten() {
                collect(one, &format!("{path}[]"), all);
            }
        }
        let mut all = Vec::new();
        collect(value, "", &mut all);
        all.into_iter().collect()
    }
}
