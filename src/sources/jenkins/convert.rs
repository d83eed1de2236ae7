//! Jenkins' JSON turned into the nouns of a release.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::wire;
use crate::domain::Commit;
use crate::domain::build::{
    Artefact, Build, BuildId, Checkout, Given, Job, JobId, Outcome, Parameter, ParameterKind,
    Queued, Stage, StageState, State, Tests, Trigger,
};

/// `url` gives the address of a page.
pub fn job(id: JobId, wire: wire::Job, url: String, build_url: &dyn Fn(u32) -> String) -> Job {
    let last = wire.last_build;
    Job {
        url: url.into(),
        buildable: wire.buildable.unwrap_or(false),
        managed: wire
            .property
            .iter()
            .any(|p| p.class.ends_with(".BranchJobProperty")),
        description: filled(wire.description),
        next_number: wire.next_build_number.unwrap_or(1),
        queued: wire.queue_item.map(|item| queued(id.clone(), item)),
        last: last.map(|wire| {
            let url = build_url(wire.number);
            build(&id, wire, url)
        }),
        last_good: wire.last_successful_build.map(|build| build.number),
        parameters: wire
            .property
            .into_iter()
            .flat_map(|property| property.parameter_definitions)
            .map(parameter)
            .collect(),
        id,
    }
}

pub fn build(job: &JobId, wire: wire::Build, url: String) -> Build {
    let state = state(&wire);
    let sources = sources(&wire);
    let tests = wire.actions.iter().find_map(tests);
    let commits = wire.change_set.into_iter().chain(wire.change_sets);
    let commits = commits.flat_map(|set| set.items).map(commit).collect();
    let all_causes = wire.actions.iter().flat_map(|action| &action.causes);
    let trigger = trigger(all_causes);
    let (parameters, causes) = of_actions(wire.actions);
    Build {
        id: BuildId {
            job: job.clone(),
            number: wire.number,
        },
        state,
        url: url.into(),
        item: wire.queue_id.and_then(|id| u64::try_from(id).ok()),
        started: wire.timestamp.and_then(at),
        duration: match state {
            State::Done(_) => Some(millis(wire.duration)),
            State::Running => None,
        },
        estimated: wire
            .estimated_duration
            .filter(|estimate| *estimate > 0)
            .map(millis),
        description: filled(wire.description),
        parameters,
        causes,
        trigger,
        sources,
        commits,
        culprits: wire
            .culprits
            .into_iter()
            .map(|p| p.full_name.into())
            .collect(),
        tests,
        artefacts: wire.artifacts.into_iter().map(artefact).collect(),
        stages: Vec::new(),
        image: None,
    }
}

pub fn queued(job: JobId, wire: wire::QueueItem) -> Queued {
    Queued {
        job,
        item: wire.id,
        why: filled(wire.why),
        since: wire.in_queue_since.and_then(at),
        stuck: wire.stuck,
        parameters: of_actions(wire.actions).0,
    }
}

pub fn stage(wire: wire::Stage) -> Stage {
    Stage {
        name: wire.name.into(),
        state: match &*wire.status {
            "IN_PROGRESS" => StageState::Running,
            "PAUSED_PENDING_INPUT" => StageState::Paused,
            "SUCCESS" => StageState::Success,
            "UNSTABLE" => StageState::Unstable,
            "FAILED" => StageState::Failed,
            "ABORTED" => StageState::Aborted,
            "NOT_EXECUTED" => StageState::Skipped,
            _ => StageState::Waiting,
        },
        duration: millis(wire.duration_millis),
        error: wire.error.and_then(|error| filled(error.message)),
    }
}

/// Everything that was given is among what the build says it has.
pub fn fits(given: &[Given], actual: &[Given]) -> bool {
    given.iter().all(|pair| actual.contains(pair))
}

/// Parameters and causes, from wherever they stand.
fn of_actions(actions: Vec<wire::Action>) -> (Vec<Given>, Vec<Box<str>>) {
    let (mut parameters, mut causes) = (Vec::new(), Vec::new());
    for action in actions {
        let given = |p: wire::Parameter| Some((p.name.into(), text(&p.value)?));
        parameters.extend(action.parameters.into_iter().filter_map(given));
        let cause = |cause: wire::Cause| filled(cause.short_description);
        causes.extend(action.causes.into_iter().filter_map(cause));
    }
    (parameters, causes)
}

/// The plugins whose hooks start builds, by the last word of their classes.
const OF_HOOKS: &[&str] = &[
    "GitHubPushCause",
    "GitLabWebHookCause",
    "GiteeWebHookCause",
    "BitBucketPushCause",
    "GenericCause",
    "BranchEventCause",
];
const OF_CHANGES: &str = "SCMTriggerCause";

/// By the class, which no language changes, or else by the words. A note that a script gave begins with `push`.
fn trigger<'a>(causes: impl Iterator<Item = &'a wire::Cause>) -> Trigger {
    let one = |cause: &wire::Cause| {
        let class = cause.class.rsplit(['.', '$']).next().unwrap_or_default();
        let words = cause.short_description.to_lowercase();
        let by_person = words.starts_with("started by user");
        let hook = words.contains("with note: push")
            || words.contains("push by")
            || words.starts_with("push event");
        if OF_HOOKS.contains(&class) || hook && !by_person {
            Trigger::Push
        } else if class == OF_CHANGES || words == "started by an scm change" {
            Trigger::Change
        } else {
            Trigger::Other
        }
    };
    let all: Vec<_> = causes.map(one).collect();
    let first = [Trigger::Push, Trigger::Change];
    let found = first.into_iter().find(|trigger| all.contains(trigger));
    found.unwrap_or_default()
}

/// A pipeline may know its result long before it ends.
fn state(wire: &wire::Build) -> State {
    let running = wire.building || wire.in_progress;
    match wire.result.as_deref() {
        _ if running => State::Running,
        None => State::Running,
        Some("SUCCESS") => State::Done(Outcome::Success),
        Some("UNSTABLE") => State::Done(Outcome::Unstable),
        Some("ABORTED") => State::Done(Outcome::Aborted),
        Some("NOT_BUILT") => State::Done(Outcome::NotBuilt),
        Some(_) => State::Done(Outcome::Failure),
    }
}

fn sources(wire: &wire::Build) -> Vec<Checkout> {
    let mut found: Vec<Checkout> = Vec::new();
    for action in &wire.actions {
        if let Some(revision) = &action.last_built_revision {
            let checkout = Checkout {
                revision: revision.sha1.as_str().into(),
                remotes: action
                    .remote_urls
                    .iter()
                    .map(|url| (**url).into())
                    .collect(),
            };
            if !found.contains(&checkout) {
                found.push(checkout);
            }
        }
    }
    let sets = wire.change_set.iter().chain(&wire.change_sets);
    found.extend(sets.flat_map(|set| &set.revisions).map(|svn| Checkout {
        revision: svn.revision.to_string().into(),
        remotes: vec![svn.module.as_str().into()],
    }));
    found
}

fn tests(action: &wire::Action) -> Option<Tests> {
    Some(Tests {
        total: action.total_count?,
        failed: action.fail_count.unwrap_or(0),
        skipped: action.skip_count.unwrap_or(0),
    })
}

fn commit(wire: wire::Change) -> Commit {
    let revision = wire.revision.map(|number| format!("r{number}"));
    let author = wire.author.map(|person| person.full_name);
    let written = || wire.date.parse().ok();
    Commit {
        id: revision.unwrap_or(wire.commit_id).into(),
        author: author.unwrap_or(wire.user).into(),
        subject: wire.msg.lines().next().unwrap_or_default().into(),
        at: wire
            .timestamp
            .filter(|t| *t > 0)
            .and_then(at)
            .or_else(written),
        url: None,
    }
}

fn parameter(wire: wire::Definition) -> Parameter {
    let kind = match wire.kind.strip_suffix("ParameterDefinition") {
        Some("String" | "Text") => ParameterKind::Text,
        Some("Boolean") => ParameterKind::Flag,
        Some("Choice") => ParameterKind::Choice(wire.choices.into_iter().map(Into::into).collect()),
        Some("Password") => ParameterKind::Password,
        other => ParameterKind::Other(other.unwrap_or(&wire.kind).to_lowercase().into()),
    };
    Parameter {
        name: wire.name.into(),
        kind,
        default: wire.default_parameter_value.and_then(|p| text(&p.value)),
        description: filled(wire.description),
    }
}

fn artefact(wire: wire::Artifact) -> Artefact {
    Artefact {
        path: wire.relative_path.into(),
        name: wire.file_name.into(),
    }
}

/// As it would be sent; `None` for what is kept secret.
fn text(value: &Value) -> Option<Box<str>> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn filled(text: String) -> Option<Box<str>> {
    (!text.trim().is_empty()).then(|| text.into())
}

fn at(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Build {
        let wire = serde_json::from_value(value).unwrap();
        build(&JobId::new("ci", "web"), wire, String::new())
    }

    /// As Hudson 1.395 says it.
    #[test]
    fn a_build_of_hudson() {
        let build = read(json!({"actions": [
            {"parameters": [{"name": "TAG", "value": "2.0"}, {"name": "FAST", "value": true}, {"name": "PASS"}]},
            {"causes": [{"shortDescription": "Started by user admin"}]}, {},
            {"failCount": 1, "skipCount": 0, "totalCount": 2}],
            "artifacts": [{"displayPath": "image.txt", "fileName": "image.txt", "relativePath": "out/image.txt"}],
            "building": false, "description": null, "duration": 1970, "number": 1, "result": "UNSTABLE",
            "timestamp": 1_795_786_920_309_i64,
            "changeSet": {"items": [{"date": "2026-11-27T13:42:00.5Z", "msg": "Fix it\nmore", "revision": 3, "user": "alice"}],
                "kind": "svn", "revisions": [{"module": "file:///svn/trunk", "revision": 3}]},
            "culprits": [{"fullName": "alice"}]}));
        assert_eq!(build.state, State::Done(Outcome::Unstable));
        assert_eq!(build.duration, Some(Duration::from_millis(1970)));
        assert_eq!(build.estimated, None);
        let given = [("TAG".into(), "2.0".into()), ("FAST".into(), "true".into())];
        assert_eq!(build.parameters, given);
        assert_eq!(build.causes, ["Started by user admin".into()]);
        let tests = Tests {
            total: 2,
            failed: 1,
            skipped: 0,
        };
        assert_eq!(build.tests, Some(tests));
        assert_eq!(&*build.artefacts[0].path, "out/image.txt");
        let commit = &build.commits[0];
        assert_eq!((&*commit.id, &*commit.author), ("r3", "alice"));
        assert_eq!((&*commit.subject, commit.at.is_some()), ("Fix it", true));
        assert_eq!(&*build.sources[0].revision, "3");
        assert_eq!(&*build.culprits[0], "alice");
    }

    #[test]
    fn a_pipeline_of_jenkins() {
        let git =
            |sha: &str| json!({"lastBuiltRevision": {"SHA1": sha}, "remoteUrls": ["https://g/x"]});
        let build = read(
            json!({"_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "number": 7,
            "building": false, "inProgress": true, "result": "FAILURE", "duration": 0, "estimatedDuration": -1,
            "queueId": 99, "timestamp": 1000, "actions": [git("abc"), git("abc"), git("def"), {}],
            "changeSets": [{"items": [{"commitId": "abc", "msg": "x", "timestamp": 5000, "author": {"fullName": "Bo"}}]}],
            "artifacts": null}),
        );
        assert_eq!(build.state, State::Running, "its publishers still run");
        assert_eq!((build.duration, build.estimated), (None, None));
        assert_eq!(build.item, Some(99));
        assert_eq!(build.sources.len(), 2);
        assert_eq!(&*build.commits[0].author, "Bo");
    }

    #[test]
    fn what_started_a_build() {
        for (class, words, want) in [
            ("", "Started by an SCM change", Trigger::Change),
            (
                "hudson.triggers.SCMTrigger$SCMTriggerCause",
                "由 SCM 变更启动",
                Trigger::Change,
            ),
            ("com.cloudbees.jenkins.GitHubPushCause", "x", Trigger::Push),
            (
                "jenkins.branch.BranchEventCause",
                "Push event to branch main",
                Trigger::Push,
            ),
            (
                "jenkins.branch.BranchIndexingCause",
                "Branch indexing",
                Trigger::Other,
            ),
            (
                "",
                "Started by remote host 10.0.0.1 with note: push main a1b9e3c",
                Trigger::Push,
            ),
            ("", "Started by remote host 10.0.0.1", Trigger::Other),
            ("", "Started by user push by night", Trigger::Other),
            ("", "Started by timer", Trigger::Other),
        ] {
            let cause = wire::Cause {
                class: class.into(),
                short_description: words.into(),
            };
            assert_eq!(trigger([cause].iter()), want, "{class} {words}");
        }
        assert_eq!(trigger([].iter()), Trigger::Other);
    }

    #[test]
    fn parameters_with_choices_and_defaults() {
        let wire = json!({"name": "web", "buildable": true, "nextBuildNumber": 4, "property": [{}, {"parameterDefinitions": [
            {"name": "TAG", "type": "StringParameterDefinition", "defaultParameterValue": {"value": "1.0"}},
            {"name": "PLACE", "type": "ChoiceParameterDefinition", "choices": ["dev", "prod"]},
            {"name": "FAST", "type": "BooleanParameterDefinition", "defaultParameterValue": {"value": true}},
            {"name": "PASS", "type": "PasswordParameterDefinition", "defaultParameterValue": {}},
            {"name": "F", "type": "FileParameterDefinition", "description": null}]}],
            "queueItem": {"why": "Build #3 is already in progress", "stuck": false}, "lastBuild": null});
        let wire = serde_json::from_value(wire).unwrap();
        let job = job(JobId::new("ci", "web"), wire, String::new(), &|_| {
            String::new()
        });
        let kinds: Vec<_> = job.parameters.iter().map(|p| &p.kind).collect();
        let choices = ParameterKind::Choice(vec!["dev".into(), "prod".into()]);
        let file = ParameterKind::Other("file".into());
        let want = [
            &ParameterKind::Text,
            &choices,
            &ParameterKind::Flag,
            &ParameterKind::Password,
            &file,
        ];
        assert_eq!(kinds, want);
        assert_eq!(job.parameters[2].default.as_deref(), Some("true"));
        let queued = job.queued.unwrap();
        assert_eq!((queued.item, queued.why.is_some()), (None, true));
        assert_eq!((job.next_number, job.buildable), (4, true));
    }

    #[test]
    fn what_was_given_is_found_again() {
        let given = |pairs: &[(&str, &str)]| -> Vec<Given> {
            pairs
                .iter()
                .map(|(n, v)| ((*n).into(), (*v).into()))
                .collect()
        };
        let actual = given(&[("A", "1"), ("B", "2")]);
        assert!(fits(&[], &actual));
        assert!(fits(&given(&[("B", "2")]), &actual));
        assert!(!fits(&given(&[("B", "3")]), &actual));
    }
}
