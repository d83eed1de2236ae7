//! What a world is made from: its services and their past, what happens in it, and what a person should achieve.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Failure, FailureKind, Level};

use super::images::Behaviour;

/// Generated services in one namespace.
const IN_ONE: u32 = 30;

/// Name and text of every scenario that is built in; the first is played when none is named.
const BUILT_IN: &[(&str, &str)] = &[
    ("tour", include_str!("../../assets/demo/tour.yaml")),
    (
        "bad-image",
        include_str!("../../assets/demo/bad-image.yaml"),
    ),
    (
        "crash-loop",
        include_str!("../../assets/demo/crash-loop.yaml"),
    ),
    (
        "config-gone",
        include_str!("../../assets/demo/config-gone.yaml"),
    ),
    (
        "two-operators",
        include_str!("../../assets/demo/two-operators.yaml"),
    ),
    (
        "db-ordered-ready",
        include_str!("../../assets/demo/db-ordered-ready.yaml"),
    ),
    (
        "bad-canary",
        include_str!("../../assets/demo/bad-canary.yaml"),
    ),
    (
        "no-traffic",
        include_str!("../../assets/demo/no-traffic.yaml"),
    ),
    (
        "promote-fleet",
        include_str!("../../assets/demo/promote-fleet.yaml"),
    ),
    ("fleet", include_str!("../../assets/demo/fleet.yaml")),
];

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    #[serde(skip)]
    pub name: String,
    pub title: String,
    /// What one sees.
    pub story: String,
    /// All that a drill tells.
    pub symptom: String,
    /// What must be true of the cluster in the end.
    pub goal: Vec<Goal>,
    #[serde(default)]
    pub environments: Vec<Environment>,
    #[serde(default = "five")]
    pub nodes: u32,
    /// Seconds that pods must be ready to count as verified, at normal speed.
    #[serde(default = "ten")]
    pub verify_seconds: u32,
    #[serde(default)]
    pub services: Vec<Service>,
    /// So many more services, two pods and one old revision each.
    #[serde(default)]
    pub generated: u32,
    /// ConfigMaps that services name and that are not there: in any namespace, or in one as `namespace/name`.
    #[serde(default)]
    pub gone: Vec<String>,
    /// ConfigMaps and Secrets that were written again since they were made.
    #[serde(default)]
    pub edited: BTreeMap<String, Edited>,
    /// So many pods at most, by namespace.
    #[serde(default)]
    pub quotas: BTreeMap<String, u32>,
    #[serde(default)]
    pub script: Vec<Happening>,
}

/// A service runs a version, and its rollout is complete.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// `namespace/name`.
    pub service: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    pub name: String,
    pub namespaces: Vec<String>,
    #[serde(default)]
    pub protection: Level,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    pub name: String,
    #[serde(default)]
    pub kind: Workload,
    /// Oldest first; those after what runs are built and not rolled out yet.
    pub versions: Vec<String>,
    /// How long ago what runs was rolled out: `3d`, `4h`, `20m`.
    #[serde(default = "nine_days")]
    pub changed: Span,
    /// By namespace.
    #[serde(rename = "in")]
    pub places: BTreeMap<String, Place>,
    /// ConfigMaps that every version takes its environment from.
    #[serde(default)]
    pub config: Vec<String>,
    /// Secrets that every version takes its environment from.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// What is particular about a version.
    #[serde(default)]
    pub releases: BTreeMap<String, Release>,
    #[serde(default)]
    pub deadline_seconds: Option<u32>,
    /// Its job is a branch of a multibranch project, which nobody may configure.
    #[serde(default)]
    pub multibranch: bool,
    /// Its pod templates say which commit they are of.
    #[serde(default)]
    pub annotated: bool,
    /// Its newest build failed, so long ago.
    #[serde(default)]
    pub red: Option<Span>,
    /// Its pods have no readiness probe.
    #[serde(default)]
    pub unprobed: bool,
    /// Those of a Rollout, as its spec has them.
    #[serde(default)]
    pub steps: Vec<Value>,
    /// Those of the analysis template that has the name of the service, as its spec has them.
    #[serde(default)]
    pub metrics: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    pub ago: Span,
    /// The field manager.
    pub by: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Workload {
    #[default]
    Deployment,
    StatefulSet,
    DaemonSet,
    Rollout,
}

/// A service in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Place {
    pub replicas: u32,
    /// The version that runs; the last without it.
    pub at: Option<String>,
    /// The field manager that rolled it out.
    pub by: Option<String>,
    pub changed: Option<Span>,
    /// A rollout that got so far and no farther.
    pub stuck: Option<Stuck>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stuck {
    pub to: String,
    pub ago: Span,
    pub by: String,
    /// A canary is at this of its steps, from 0, and its pods serve.
    pub step: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Release {
    /// Never came to the registry.
    pub missing: bool,
    pub behaviour: Behaviour,
    pub env: BTreeMap<String, String>,
    /// Instead of the service's.
    pub config: Option<Vec<String>>,
}

/// Something that somebody does, at a time or when something is asked of the cluster. Exactly one of `image`,
/// `patch`, `delete`, `kill` and `push`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Happening {
    /// Scripted seconds after the start.
    pub at: Option<u32>,
    /// Again and again, so many scripted seconds apart.
    pub every: Option<u32>,
    /// Once, when a person's dry run for the service was answered.
    #[serde(default)]
    pub on_dry_run: bool,
    /// `namespace/name`.
    pub service: String,
    /// The field manager that does it.
    #[serde(default = "jenkins")]
    pub by: String,
    /// Versions, one a time, from the first again after the last.
    #[serde(default)]
    pub image: Vec<String>,
    /// A merge patch of the workload.
    pub patch: Option<Value>,
    /// The ConfigMap that is deleted.
    pub delete: Option<String>,
    /// One of its pods is deleted.
    #[serde(default)]
    pub kill: bool,
    /// Commits are pushed: the hook starts a build, and what that makes is rolled out.
    #[serde(default)]
    pub push: bool,
}

/// A length of time as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span {
    pub seconds: u32,
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text} is no length of time: write 40s, 20m, 4h or 3d");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let count: u32 = digits.parse().map_err(|_| wrong())?;
        let seconds = count.checked_mul(unit).ok_or_else(wrong)?;
        Ok(Self { seconds })
    }
}

fn five() -> u32 {
    5
}

fn ten() -> u32 {
    10
}

fn nine_days() -> Span {
    Span {
        seconds: 9 * 86_400,
    }
}

fn jenkins() -> String {
    "jenkins".into()
}

impl Scenario {
    /// Every scenario that is built in, the one that is played without a name first.
    ///
    /// # Errors
    /// One of them is broken.
    pub fn all() -> Result<Vec<Self>, Failure> {
        let each = BUILT_IN.iter();
        each.map(|(name, text)| Self::parse(name, text)).collect()
    }

    /// # Errors
    /// There is none of that name; the nearest is named.
    pub fn find(name: &str) -> Result<Self, Failure> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text);
        }
        let near = |known: &&str| strsim::osa_distance(name, known);
        let names = BUILT_IN.iter().map(|(known, _)| *known);
        let failure = Failure::new(
            FailureKind::Usage,
            format!("there is no scenario named {name}"),
        );
        let hint = match names.clone().min_by_key(near).filter(|n| near(n) <= 3) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        Err(failure.hint(hint))
    }

    /// # Errors
    /// One sentence with the place of the mistake.
    pub fn parse(name: &str, text: &str) -> Result<Self, Failure> {
        let file = format!("assets/demo/{name}.yaml");
        let parsed: Self = serde_yaml::from_str(text).map_err(|error| {
            crate::config::Error::yaml(std::path::Path::new(&file), &error).failure()
        })?;
        let scenario = Self {
            name: name.into(),
            ..parsed
        };
        match scenario.mistake() {
            None => Ok(scenario),
            Some(what) => Err(Failure::new(FailureKind::Config, format!("{file}: {what}"))),
        }
    }

    /// What the types let pass.
    fn mistake(&self) -> Option<String> {
        for (at, service) in self.services.iter().enumerate() {
            let named = service.places.values();
            let named = named.flat_map(|p| p.at.iter().chain(p.stuck.as_ref().map(|s| &s.to)));
            let mut named = named.chain(service.releases.keys());
            if service.versions.is_empty() || service.places.is_empty() {
                return Some(format!("services[{at}]: needs versions and places"));
            }
            let at_step = |place: &Place| place.stuck.as_ref().and_then(|stuck| stuck.step);
            let mut at_steps = service.places.values().filter_map(at_step);
            if let Some(step) = at_steps.find(|step| *step >= service.steps.len()) {
                let name = &service.name;
                return Some(format!("services[{at}]: {name} has no step {step}"));
            }
            if let Some(unknown) = named.find(|v| !service.versions.contains(v)) {
                let name = &service.name;
                return Some(format!("services[{at}]: {name} has no version {unknown}"));
            }
        }
        let goals = self.goal.iter().enumerate();
        let goals = goals.map(|(at, goal)| (format!("goal[{at}]"), &goal.service));
        let script = self.script.iter().enumerate();
        let script = script.map(|(at, what)| (format!("script[{at}]"), &what.service));
        for (place, service) in goals.chain(script) {
            if self.service(service).is_none() {
                return Some(format!("{place}: there is no service {service}"));
            }
        }
        let wrong = self.script.iter().position(|what| !what.is_whole())?;
        Some(format!(
            "script[{wrong}]: needs at or onDryRun, and one of image, patch, delete, kill and push"
        ))
    }

    /// With the services that are generated, alike but for name and age; `count` of them if that is given.
    #[must_use]
    pub fn grown(mut self, count: Option<u32>) -> Self {
        for number in 0..count.unwrap_or(self.generated) {
            let place = Place {
                replicas: 2,
                ..Place::default()
            };
            let namespace = format!("team-{:03}", 1 + number / IN_ONE);
            self.services.push(Service {
                name: format!("service-{number:04}"),
                kind: Workload::Deployment,
                versions: vec!["1.0.0".into(), "1.1.0".into()],
                changed: Span {
                    seconds: (1 + number % 61) * 86_400,
                },
                places: [(namespace, place)].into(),
                config: Vec::new(),
                secrets: Vec::new(),
                releases: BTreeMap::new(),
                deadline_seconds: None,
                multibranch: false,
                annotated: false,
                red: None,
                unprobed: false,
                steps: Vec::new(),
                metrics: Vec::new(),
            });
        }
        self
    }

    /// Whether a ConfigMap that a service names is not there.
    pub fn is_gone(&self, namespace: &str, map: &str) -> bool {
        let is = |gone: &String| match gone.split_once('/') {
            Some((of, name)) => of == namespace && name == map,
            None => gone == map,
        };
        self.gone.iter().any(is)
    }

    /// By `namespace/name`.
    pub fn service(&self, id: &str) -> Option<&Service> {
        let (namespace, name) = id.split_once('/')?;
        let mut services = self.services.iter();
        services.find(|s| s.name == name && s.places.contains_key(namespace))
    }
}

impl Happening {
    fn is_whole(&self) -> bool {
        let doings = [
            !self.image.is_empty(),
            self.patch.is_some(),
            self.delete.is_some(),
            self.kill,
            self.push,
        ];
        let timed = self.at.is_some() != self.on_dry_run;
        timed && doings.iter().filter(|given| **given).count() == 1
    }
}

impl Service {
    pub fn release(&self, version: &str) -> Release {
        self.releases.get(version).cloned().unwrap_or_default()
    }

    /// The ConfigMaps that a version names.
    pub fn config_of(&self, version: &str) -> Vec<String> {
        let own = self.releases.get(version);
        own.and_then(|release| release.config.clone())
            .unwrap_or_else(|| self.config.clone())
    }

    /// The versions that a place has seen, oldest first; the last one runs.
    pub fn past(&self, place: &Place) -> &[String] {
        let at = place.at.as_ref();
        let end = at.and_then(|at| self.versions.iter().position(|v| v == at));
        &self.versions[..end.map_or(self.versions.len(), |end| end + 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        let failure = Scenario::parse("x", text).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        [vec![failure.sentence], failure.hints].concat().join(" | ")
    }

    #[test]
    fn every_built_in_scenario_is_whole() {
        for scenario in Scenario::all().unwrap() {
            let name = &scenario.name;
            assert!(!scenario.goal.is_empty(), "{name}");
            for text in [&scenario.title, &scenario.story, &scenario.symptom] {
                assert!(!text.trim().is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn the_nearest_name() {
        let failure = Scenario::find("bad-imgae").unwrap_err();
        assert_eq!(failure.sentence, "there is no scenario named bad-imgae");
        assert_eq!(failure.hints, ["did you mean bad-image?"]);
        let failure = Scenario::find("something").unwrap_err();
        assert!(failure.hints[0].starts_with("there are tour, bad-image, "));
    }

    #[test]
    fn mistakes_are_named_with_place_and_fix() {
        let head = "title: t\nstory: s\nsymptom: s\n";
        let service =
            "goal: []\nservices:\n- {name: web, versions: [1.0.0], in: {shop: {replicas: 1}}}\n";
        for (text, want) in [
            (
                "goal: []\nservces: []\n",
                "assets/demo/x.yaml, line 5, column 1: unknown key servces | did you mean services?",
            ),
            (
                "goal: []\nservices:\n- name: web\n  versions: [1.0.0]\n  in: {shop: {replica: 1}}\n",
                "assets/demo/x.yaml, line 8, column 15: unknown key replica | did you mean replicas?",
            ),
            (
                "goal: []\nservices:\n- {name: web, versions: [1.0.0], changed: 3w, in: {}}\n",
                "assets/demo/x.yaml, line 6, column 3: services[0]: 3w is no length of time: write 40s, 20m, 4h or 3d",
            ),
            (
                "goal: []\nservices:\n- {name: web, versions: [1.0.0], in: {shop: {at: 2.0.0}}}\n",
                "assets/demo/x.yaml: services[0]: web has no version 2.0.0",
            ),
            (
                "goal: [{service: shop/web, version: 1.0.0}]\n",
                "assets/demo/x.yaml: goal[0]: there is no service shop/web",
            ),
        ] {
            assert_eq!(mistake(&format!("{head}{text}")), want, "{text}");
        }
        let script = format!("{head}{service}script:\n- {{service: shop/web, at: 1}}\n");
        assert_eq!(
            mistake(&script),
            "assets/demo/x.yaml: script[0]: needs at or onDryRun, and one of image, patch, delete, kill and push"
        );
    }
}
