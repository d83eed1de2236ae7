//! The JSON of jobs, builds and queue items, as a Jenkins of today says it.

use serde_json::{Value, json};

use super::state::{Item, Job, Left, Run, STAGES, State};

const FOLDER: &str = "com.cloudbees.hudson.plugins.folder.Folder";
const MULTIBRANCH: &str = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject";
const JOB: &str = "org.jenkinsci.plugins.workflow.job.WorkflowJob";
const RUN: &str = "org.jenkinsci.plugins.workflow.job.WorkflowRun";
pub const SUITES: [&str; 2] = ["quick", "full"];

/// What is told, below an address that ends in a slash.
pub struct Documents<'a> {
    pub state: &'a State,
    pub base: &'a str,
    /// The registry's, as images name it.
    pub host: &'a str,
}

impl Documents<'_> {
    pub fn root(&self) -> Value {
        json!({"_class": "hudson.model.Hudson", "mode": "NORMAL", "nodeDescription": "the Jenkins controller's built-in node",
            "nodeName": "", "numExecutors": 4, "description": null, "quietingDown": false, "slaveAgentPort": -1,
            "useCrumbs": true, "useSecurity": true, "url": self.base, "views": [], "primaryView": {"_class": "hudson.model.AllView", "name": "all", "url": self.base},
            "jobs": [self.folder()]})
    }

    pub fn folder(&self) -> Value {
        let jobs: Vec<_> = (0..self.state.jobs.len())
            .map(|at| self.branches(at))
            .collect();
        json!({"_class": FOLDER, "name": "shop", "fullName": "shop", "displayName": "shop", "fullDisplayName": "shop",
            "description": null, "url": format!("{}job/shop/", self.base), "healthReport": [], "views": [], "jobs": jobs})
    }

    /// The folder of a service: with one job a branch, or a project that makes them.
    pub fn branches(&self, at: usize) -> Value {
        let job = &self.state.jobs[at];
        let name = &job.service;
        let class = if job.managed { MULTIBRANCH } else { FOLDER };
        json!({"_class": class, "name": name, "fullName": format!("shop/{name}"), "displayName": name,
            "fullDisplayName": format!("shop » {name}"), "description": null,
            "url": format!("{}job/shop/job/{name}/", self.base), "healthReport": [], "views": [],
            "jobs": [self.job(at)]})
    }

    fn job_url(&self, job: &Job) -> String {
        format!("{}job/shop/job/{}/job/main/", self.base, job.service)
    }

    pub fn job(&self, at: usize) -> Value {
        let job = &self.state.jobs[at];
        let name = &job.service;
        let builds: Vec<_> = job
            .builds
            .iter()
            .rev()
            .map(|run| self.run(job, run))
            .collect();
        let queued = self.state.queue.iter().find(|item| item.job == at);
        let find = |fits: &dyn Fn(&Run) -> bool| {
            let run = job.builds.iter().rfind(|run| fits(run));
            run.map_or(Value::Null, |run| self.run(job, run))
        };
        let ended =
            |result: &'static str| move |run: &Run| run.ended.is_some_and(|e| e.1 == result);
        let number = job.builds.last().map_or(1, |run| run.number + 1);
        json!({"_class": JOB, "name": "main", "fullName": format!("shop/{name}/main"), "displayName": "main",
            "fullDisplayName": format!("shop » {name} » main"), "url": self.job_url(job),
            "description": text(&job.description), "buildable": job.enabled, "disabled": !job.enabled,
            "color": Self::color(job), "inQueue": queued.is_some(), "keepDependencies": false,
            "queueItem": queued.map_or(Value::Null, |item| self.waiting(item)), "nextBuildNumber": number,
            "concurrentBuild": false, "healthReport": [], "resumeBlocked": false,
            "property": properties(job),
            "actions": [{"_class": "hudson.model.ParametersDefinitionProperty", "parameterDefinitions": definitions(job)}, {}],
            "builds": builds, "allBuilds": builds, "firstBuild": builds.last(), "lastBuild": builds.first(),
            "lastCompletedBuild": find(&|run| run.ended.is_some()), "lastSuccessfulBuild": find(&ended("SUCCESS")),
            "lastStableBuild": find(&ended("SUCCESS")), "lastFailedBuild": find(&ended("FAILURE")),
            "lastUnstableBuild": null, "lastUnsuccessfulBuild": find(&|run| run.ended.is_some_and(|e| e.1 != "SUCCESS"))})
    }

    fn color(job: &Job) -> String {
        let ended = job.builds.iter().rev().find_map(|run| run.ended);
        let color = match ended {
            _ if !job.enabled => return "disabled".into(),
            Some((_, "SUCCESS")) => "blue",
            Some((_, "ABORTED")) => "aborted",
            Some(_) => "red",
            None => "notbuilt",
        };
        let runs = job.builds.iter().any(|run| run.ended.is_none());
        format!("{color}{}", if runs { "_anime" } else { "" })
    }

    pub fn run(&self, job: &Job, run: &Run) -> Value {
        let image = format!("{}/shop/{}:{}", self.host, job.service, run.version);
        let commits: Vec<_> = run.commits.iter().rev().map(|commit| json!({
            "_class": "hudson.plugins.git.GitChangeSet", "commitId": commit.id, "id": commit.id, "msg": commit.message,
            "comment": commit.message, "timestamp": commit.at.as_millisecond(), "date": commit.at.to_string(),
            "author": {"fullName": commit.author}, "paths": []})).collect();
        let causes: Vec<_> = run
            .causes
            .iter()
            .map(|cause| {
                json!({
            "_class": "hudson.model.Cause$UserIdCause", "shortDescription": cause})
            })
            .collect();
        let tested = self.state.elapsed(run) >= STAGES[1].1;
        let mut actions = vec![
            json!({"_class": "hudson.model.CauseAction", "causes": causes}),
            json!({"_class": "hudson.model.ParametersAction", "parameters": parameters(&run.version, &run.suite)}),
            json!({"_class": "hudson.plugins.git.util.BuildData",
                "lastBuiltRevision": {"SHA1": run.commits.last().map(|commit| &commit.id), "branch": []},
                "remoteUrls": [format!("https://git.example.com/shop/{}", job.service)]}),
            json!({}),
        ];
        if tested {
            let failed = u32::from(run.ended.is_some_and(|end| end.1 == "FAILURE"));
            actions.push(json!({"_class": "hudson.tasks.junit.TestResultAction",
                "failCount": failed * 2, "skipCount": 1, "totalCount": 128, "urlName": "testReport"}));
        }
        let good = run.ended.is_some_and(|end| end.1 == "SUCCESS");
        let artifacts = if good {
            vec![
                json!({"displayPath": "image.txt", "fileName": "image.txt", "relativePath": "image.txt"}),
            ]
        } else {
            Vec::new()
        };
        let duration = run
            .ended
            .map_or(0, |end| end.0.duration_since(run.started).as_millis());
        let name = &job.service;
        json!({"_class": RUN, "number": run.number, "id": run.number.to_string(), "url": format!("{}{}/", self.job_url(job), run.number),
            "displayName": format!("#{}", run.number), "fullDisplayName": format!("shop » {name} » main #{}", run.number),
            "building": run.ended.is_none(), "inProgress": run.ended.is_none(), "result": run.ended.map(|end| end.1),
            "timestamp": run.started.as_millisecond(), "duration": i64::try_from(duration).unwrap_or(0),
            "estimatedDuration": u64::try_from(self.state.estimated().as_millis()).unwrap_or(0),
            "queueId": run.item, "keepLog": false, "description": text(if good && run.description.is_empty() { &image } else { &run.description }),
            "actions": actions, "artifacts": artifacts, "changeSets": [{"_class": "hudson.plugins.git.GitChangeSetList", "kind": "git", "items": commits}],
            "culprits": [], "executor": null, "nextBuild": null, "previousBuild": null})
    }

    /// One that is still in the queue.
    pub fn waiting(&self, item: &Item) -> Value {
        let job = &self.state.jobs[item.job];
        let running = job.builds.iter().rfind(|run| run.ended.is_none());
        let (class, why) = match running {
            Some(run) => (
                "BlockedItem",
                format!("Build #{} is already in progress (ETA: 20 sec)", run.number),
            ),
            None => (
                "WaitingItem",
                "In the quiet period. Expires in 1 sec".into(),
            ),
        };
        let mut told = self.item(item, class, &why);
        told["buildableStartMilliseconds"] = item.since.as_millisecond().into();
        told
    }

    pub fn left(&self, left: &Left) -> Value {
        let job = &self.state.jobs[left.item.job];
        let mut told = self.item(&left.item, "LeftItem", "");
        told["why"] = Value::Null;
        told["cancelled"] = left.build.is_none().into();
        told["executable"] = left.build.map_or(Value::Null, |number| {
            json!({"_class": RUN, "number": number, "url": format!("{}{number}/", self.job_url(job))})
        });
        told
    }

    fn item(&self, item: &Item, class: &str, why: &str) -> Value {
        let job = &self.state.jobs[item.job];
        let causes: Vec<_> = item
            .causes
            .iter()
            .map(|cause| {
                json!({
            "_class": "hudson.model.Cause$UserIdCause", "shortDescription": cause})
            })
            .collect();
        json!({"_class": format!("hudson.model.Queue${class}"), "id": item.id, "url": format!("queue/item/{}/", item.id),
            "why": why, "blocked": class == "BlockedItem", "buildable": false, "stuck": false,
            "inQueueSince": item.since.as_millisecond(), "params": format!("\nVERSION={}\nSUITE={}", item.version, item.suite),
            "task": {"_class": JOB, "name": "main", "url": self.job_url(job), "color": Self::color(job)},
            "actions": [{"_class": "hudson.model.CauseAction", "causes": causes},
                {"_class": "hudson.model.ParametersAction", "parameters": parameters(&item.version, &item.suite)}]})
    }

    /// What the stage view says of a build.
    pub fn stages(&self, run: &Run) -> Value {
        let elapsed = self.state.elapsed(run);
        let failed = run
            .ended
            .filter(|end| end.1 != "SUCCESS")
            .map(|end| match end.1 {
                "ABORTED" => "ABORTED",
                _ => "FAILED",
            });
        let mut from = 0;
        let mut stages = Vec::new();
        for (id, (name, to)) in (1..).zip(STAGES) {
            if elapsed < from {
                break;
            }
            let (status, seconds) = match failed {
                Some(failed) if elapsed <= to => (failed, elapsed - from),
                _ if elapsed >= to => ("SUCCESS", to - from),
                _ => ("IN_PROGRESS", elapsed - from),
            };
            stages.push(
                json!({"id": id.to_string(), "name": name, "execNode": "", "status": status,
                "startTimeMillis": run.started.as_millisecond() + i64::from(from) * 1000,
                "durationMillis": seconds * 1000, "pauseDurationMillis": 0}),
            );
            from = to;
            if status != "SUCCESS" {
                break;
            }
        }
        let status = run.ended.map_or("IN_PROGRESS", |end| {
            if end.1 == "FAILURE" { "FAILED" } else { end.1 }
        });
        json!({"_links": {"self": {"href": "wfapi/describe"}}, "id": run.number.to_string(), "name": format!("#{}", run.number),
            "status": status, "startTimeMillis": run.started.as_millisecond(), "endTimeMillis": run.started.as_millisecond(),
            "durationMillis": elapsed * 1000, "queueDurationMillis": 1, "pauseDurationMillis": 0, "stages": stages})
    }

    pub fn tests(&self, run: &Run) -> Option<Value> {
        if self.state.elapsed(run) < STAGES[1].1 {
            return None;
        }
        let failed = if run.ended.is_some_and(|end| end.1 == "FAILURE") {
            2
        } else {
            0
        };
        let case = |at: u32| {
            json!({"className": "shop.Suite", "name": format!("case {at}"), "duration": 0.1, "skipped": false,
            "status": if at < failed { "FAILED" } else { "PASSED" }, "errorDetails": null, "errorStackTrace": null, "age": 0, "failedSince": 0})
        };
        Some(
            json!({"_class": "hudson.tasks.junit.TestResult", "duration": 9.0, "empty": false, "failCount": failed,
            "passCount": 127 - failed, "skipCount": 1, "suites": [{"name": "shop", "duration": 9.0, "cases": (0..3).map(case).collect::<Vec<_>>()}]}),
        )
    }

    /// As far as it has been written. A note of Jenkins' own stands in it, as they do on a real one.
    pub fn log(&self, job: &Job, run: &Run) -> String {
        let image = format!("{}/shop/{}:{}", self.host, job.service, run.version);
        let commit = run.commits.last().map_or("", |commit| &commit.id);
        let started = run.causes.first().map_or("", |cause| &**cause);
        let lines = [
            (
                0,
                format!(
                    "{started}\n\u{1b}[8mha:////4AAAAmx+LCAAAAAAAAP9b85aBtbiIQTGjNKU4P08vOT+v\u{1b}[0m[Pipeline] Start of Pipeline\n[Pipeline] {{ (Checkout)\n"
                ),
            ),
            (2, format!("Checking out Revision {commit} (main)\n")),
            (3, "[Pipeline] { (Test)\n+ make test\n".into()),
            (8, format!("running the {} suite\n", run.suite)),
            (
                12,
                format!(
                    "128 tests, {} failed, 1 skipped\n",
                    if run.version.ends_with("-broken") {
                        2
                    } else {
                        0
                    }
                ),
            ),
            (
                13,
                format!("[Pipeline] {{ (Image)\n+ docker build -t {image} .\n"),
            ),
            (19, format!("[Pipeline] {{ (Push)\n+ docker push {image}\n")),
            (24, "[Pipeline] End of Pipeline\n".into()),
        ];
        let elapsed = self.state.elapsed(run);
        let fails = run.ended.is_some_and(|end| end.1 != "SUCCESS");
        let written = lines
            .iter()
            .filter(|(at, _)| *at <= elapsed && !(fails && *at > 12));
        let mut log: String = written.map(|(_, text)| text.as_str()).collect();
        if let Some((_, result)) = run.ended {
            log = format!("{log}Finished: {result}\n");
        }
        log
    }
}

fn properties(job: &Job) -> Value {
    let mut properties = vec![
        json!({"_class": "hudson.model.ParametersDefinitionProperty", "parameterDefinitions": definitions(job)}),
    ];
    if job.managed {
        let class = "org.jenkinsci.plugins.workflow.multibranch.BranchJobProperty";
        properties.push(json!({"_class": class, "branch": {}}));
    }
    properties.into()
}

fn definitions(job: &Job) -> Value {
    json!([
        {"_class": "hudson.model.StringParameterDefinition", "name": "VERSION", "type": "StringParameterDefinition",
            "description": "the tag of the image", "defaultParameterValue": {"_class": "hudson.model.StringParameterValue", "name": "VERSION", "value": job.next_version}},
        {"_class": "hudson.model.ChoiceParameterDefinition", "name": "SUITE", "type": "ChoiceParameterDefinition",
            "description": "the tests that run", "choices": SUITES, "defaultParameterValue": {"_class": "hudson.model.StringParameterValue", "name": "SUITE", "value": SUITES[0]}},
    ])
}

fn parameters(version: &str, suite: &str) -> Value {
    json!([{"_class": "hudson.model.StringParameterValue", "name": "VERSION", "value": version},
        {"_class": "hudson.model.StringParameterValue", "name": "SUITE", "value": suite}])
}

fn text(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        text.into()
    }
}
