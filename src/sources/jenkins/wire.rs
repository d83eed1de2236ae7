//! The parts of Jenkins' JSON that are worth reading. Everything may be missing: it is asked of many versions.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What one look asks of a build.
pub const BRIEF: &str = "number,building,inProgress,result,timestamp,duration,estimatedDuration,queueId,description,actions[parameters[name,value],causes[shortDescription],lastBuiltRevision[SHA1],remoteUrls,failCount,skipCount,totalCount]";
/// What is new in it; of Subversion also what was checked out.
pub const CHANGES: &str = "changeSet[items[commitId,revision,user,msg,date,timestamp,author[fullName]],revisions[module,revision]],changeSets[items[commitId,revision,msg,date,timestamp,author[fullName]]]";
/// And what only an open build tells.
pub const REST: &str = "artifacts[fileName,relativePath],culprits[fullName]";
/// What one look asks of a job, beside its newest build.
pub const JOB: &str = "name,buildable,description,inQueue,nextBuildNumber,queueItem[id,why,stuck,inQueueSince,actions[parameters[name,value]]],lastSuccessfulBuild[number]";
pub const DEFINITIONS: &str =
    "property[parameterDefinitions[name,type,description,choices,defaultParameterValue[value]]]";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Root {
    #[serde(default)]
    pub use_crumbs: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crumb {
    pub crumb: String,
    pub crumb_request_field: String,
}

/// A job, or a folder of jobs.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Job {
    pub name: String,
    /// Absent in a folder.
    pub buildable: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    pub next_build_number: Option<u32>,
    pub queue_item: Option<QueueItem>,
    pub last_build: Option<Build>,
    pub last_successful_build: Option<Number>,
    #[serde(deserialize_with = "or_default")]
    pub property: Vec<Property>,
    #[serde(deserialize_with = "or_default")]
    pub builds: Vec<Build>,
    #[serde(deserialize_with = "or_default")]
    pub jobs: Vec<Job>,
}

#[derive(Deserialize)]
pub struct Number {
    pub number: u32,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Property {
    #[serde(rename = "_class")]
    pub class: String,
    #[serde(deserialize_with = "or_default")]
    pub parameter_definitions: Vec<Definition>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Definition {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    #[serde(deserialize_with = "or_default")]
    pub choices: Vec<String>,
    pub default_parameter_value: Option<Parameter>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Parameter {
    pub name: String,
    /// Text, a flag or a number; absent for what is secret.
    pub value: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Queue {
    #[serde(deserialize_with = "or_default")]
    pub items: Vec<QueueItem>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct QueueItem {
    pub id: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub why: String,
    pub stuck: bool,
    pub in_queue_since: Option<i64>,
    pub cancelled: bool,
    pub executable: Option<Number>,
    pub task: Option<Task>,
    #[serde(deserialize_with = "or_default")]
    pub actions: Vec<Action>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Task {
    pub url: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Build {
    #[serde(rename = "_class")]
    pub class: String,
    pub number: u32,
    pub building: bool,
    /// Publishers still run although the result is known.
    pub in_progress: bool,
    pub result: Option<String>,
    pub timestamp: Option<i64>,
    pub duration: i64,
    pub estimated_duration: Option<i64>,
    pub queue_id: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    #[serde(deserialize_with = "or_default")]
    pub actions: Vec<Action>,
    #[serde(deserialize_with = "or_default")]
    pub artifacts: Vec<Artifact>,
    pub change_set: Option<ChangeSet>,
    #[serde(deserialize_with = "or_default")]
    pub change_sets: Vec<ChangeSet>,
    #[serde(deserialize_with = "or_default")]
    pub culprits: Vec<Person>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Action {
    #[serde(deserialize_with = "or_default")]
    pub parameters: Vec<Parameter>,
    #[serde(deserialize_with = "or_default")]
    pub causes: Vec<Cause>,
    pub last_built_revision: Option<Revision>,
    #[serde(deserialize_with = "or_default")]
    pub remote_urls: Vec<String>,
    pub fail_count: Option<u32>,
    pub skip_count: Option<u32>,
    pub total_count: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Cause {
    /// Hudson does not tell it.
    #[serde(rename = "_class")]
    pub class: String,
    #[serde(deserialize_with = "or_default")]
    pub short_description: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Revision {
    #[serde(rename = "SHA1")]
    pub sha1: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Artifact {
    pub file_name: String,
    pub relative_path: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ChangeSet {
    #[serde(deserialize_with = "or_default")]
    pub items: Vec<Change>,
    #[serde(deserialize_with = "or_default")]
    pub revisions: Vec<SvnRevision>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct SvnRevision {
    pub module: String,
    pub revision: u64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Change {
    #[serde(deserialize_with = "or_default")]
    pub commit_id: String,
    /// Of Subversion.
    pub revision: Option<u64>,
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    #[serde(deserialize_with = "or_default")]
    pub msg: String,
    #[serde(deserialize_with = "or_default")]
    pub date: String,
    pub timestamp: Option<i64>,
    pub author: Option<Person>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Person {
    pub full_name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    #[serde(deserialize_with = "or_default")]
    pub stages: Vec<Stage>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub struct Stage {
    pub name: String,
    pub status: String,
    pub duration_millis: i64,
    pub error: Option<StageError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct StageError {
    #[serde(deserialize_with = "or_default")]
    pub message: String,
}

/// `null` is the same as absent.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
