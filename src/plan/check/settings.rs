//! What it is set up with where it comes from and is not here: names of variables, ConfigMaps, Secrets and keys.

use std::collections::BTreeSet;

use serde_json::Value;

use super::references;
use super::{Ask, Check, CheckId, CheckState, Finding, Reference, ReferenceKind, Verdict};
use crate::domain::WorkloadId;
use crate::plan::verbs::promotion::carried;

/// More names than these are counted.
const TOLD: usize = 6;

/// What has to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    pub origin: WorkloadId,
    /// Where it comes from and where it goes to.
    pub environments: (String, String),
    /// ConfigMaps and Secrets of the origin's template.
    pub references: Vec<Reference>,
    /// Variables that are set there and not here.
    pub variables: Vec<Box<str>>,
}

/// Answered where nothing has to be asked.
pub fn check(
    there: &Value,
    here: &Value,
    origin: &WorkloadId,
    environments: &(String, String),
) -> Check {
    let of_data = |one: &Reference| match one.kind {
        ReferenceKind::ConfigMap | ReferenceKind::Secret => true,
        ReferenceKind::PullSecret | ReferenceKind::ServiceAccount => false,
    };
    let sought = Sought {
        origin: origin.clone(),
        environments: environments.clone(),
        references: references::of(there).into_iter().filter(of_data).collect(),
        variables: missing_variables(there, here),
    };
    let state = if sought.references.is_empty() {
        CheckState::Answered(verdict(&sought, &[], &[]))
    } else {
        CheckState::Asking(Ask::Settings(Box::new(sought)))
    };
    Check {
        id: CheckId::Settings,
        state,
    }
}

/// Of the containers that are carried over.
fn missing_variables(there: &Value, here: &Value) -> Vec<Box<str>> {
    let carried = carried(there);
    let wanted = variables(there, |name| carried.iter().any(|(of, _)| **of == *name));
    let have = variables(here, |_| true);
    wanted.difference(&have).cloned().collect()
}

fn variables(template: &Value, of: impl Fn(&str) -> bool) -> BTreeSet<Box<str>> {
    let containers = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|group| template["spec"][group].as_array().into_iter().flatten());
    let chosen = containers.filter(|one| of(one["name"].as_str().unwrap_or_default()));
    let set = chosen.flat_map(|one| one["env"].as_array().into_iter().flatten());
    set.filter_map(|variable| variable["name"].as_str().map(Into::into))
        .collect()
}

/// `missing` and `unknown` are names in words, as `key timeout of ConfigMap web`.
pub fn verdict(sought: &Sought, missing: &[String], unknown: &[String]) -> Verdict {
    let (from, to) = &sought.environments;
    let answer = |finding, sentence| Verdict {
        check: CheckId::Settings,
        finding,
        sentence,
    };
    let variables: Vec<_> = sought.variables.iter().map(ToString::to_string).collect();
    let parts = [
        told(&variables).map(|names| format!("{to} does not set {names}, as {from} does")),
        told(missing).map(|names| format!("{from} has what {to} has not: {names}")),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    match (parts.is_empty(), unknown) {
        (false, _) => answer(Finding::Warn, parts.join("; ")),
        (true, []) => {
            let sentence = format!("{to} has every setting that {from} names");
            answer(Finding::Ok, sentence)
        }
        (true, unknown) => answer(Finding::Unverified, unknown.join("; ")),
    }
}

fn told(names: &[String]) -> Option<String> {
    let more = names.len().saturating_sub(TOLD);
    let said = names[..names.len() - more].join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(said),
        (false, more) => Some(format!("{said} and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, fixture};
    use serde_json::json;

    fn template(env: &Value) -> Value {
        json!({"spec": {"containers": [
            {"name": "web", "image": "r/web:1", "env": env},
            {"name": "side", "image": "r/side:1", "env": [{"name": "SIDE", "value": "secret"}]}]}})
    }

    fn checked(there: &Value, here: &Value) -> Check {
        let environments = ("staging".to_owned(), "prod".to_owned());
        check(there, here, &fixture::id(Kind::Deployment), &environments)
    }

    #[test]
    fn variables_are_compared_by_name_and_what_is_named_is_asked_for() {
        let plain = template(&json!([{"name": "A", "value": "1"}, {"name": "B", "value": "word"}]));
        let here = template(&json!([{"name": "A", "value": "2"}]));
        let CheckState::Answered(verdict) = checked(&plain, &here).state else {
            panic!("nothing has to be asked")
        };
        assert_eq!(verdict.finding, Finding::Warn);
        assert_eq!(verdict.sentence, "prod does not set B, as staging does");
        let CheckState::Answered(verdict) = checked(&here, &plain).state else {
            panic!("nothing has to be asked")
        };
        assert_eq!(
            verdict.sentence,
            "prod has every setting that staging names"
        );
        let from =
            json!([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "web", "key": "a"}}}]);
        let CheckState::Asking(Ask::Settings(sought)) = checked(&template(&from), &here).state
        else {
            panic!("it has to be asked")
        };
        assert_eq!(sought.references.len(), 1);
        let missing = ["key a of ConfigMap web".to_owned()];
        let said = super::verdict(&sought, &missing, &["late".into()]);
        assert_eq!(
            said.sentence,
            "staging has what prod has not: key a of ConfigMap web"
        );
        let unknown = super::verdict(&sought, &[], &["no rights to read Secret x".into()]);
        assert_eq!(unknown.finding, Finding::Unverified);
    }
}
