//! GitLab, also in a company: `https://HOST/api/v4`.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Asked, CALLS, Error, encoded, head, is_on};
use crate::domain::commit::{CheckState, CommitCheck, Delivery, Head, HookCalls, PullRequest};
use crate::domain::{Commit, Commits};
use crate::sources::source_repo::git::{MOST_COMMITS, short_text};

#[derive(Deserialize)]
struct Comparison {
    /// Oldest first.
    commits: Vec<Described>,
    #[serde(default)]
    diffs: Vec<Changed>,
    /// The differences were too many to tell in time.
    #[serde(default)]
    compare_timeout: bool,
}

#[derive(Deserialize)]
struct Described {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    author_name: String,
    committed_date: Option<Timestamp>,
    web_url: Option<String>,
}

#[derive(Deserialize)]
struct Changed {
    new_path: String,
}

pub(super) async fn between(asked: Asked<'_>, from: &str, to: &str) -> Result<Commits, Error> {
    let project = project(asked);
    let way = |a: &str, b: &str| {
        let (a, b) = (encoded(a), encoded(b));
        format!("{project}/repository/compare?from={a}&to={b}&straight=false")
    };
    let there: Comparison = asked.read(&way(from, to)).await?;
    let back: Comparison = asked.read(&way(to, from)).await?;
    let commit = |one: Described| Commit {
        subject: short_text(one.title.as_bytes()),
        author: short_text(one.author_name.as_bytes()),
        at: one.committed_date,
        url: one
            .web_url
            .or_else(|| asked.remote.commit_url(&one.id))
            .map(Into::into),
        id: one.id.into(),
    };
    let truncated = there.compare_timeout || there.commits.len() > MOST_COMMITS;
    let newest = there.commits.into_iter().rev().take(MOST_COMMITS);
    Ok(Commits {
        between: (from.into(), to.into()),
        list: newest.map(commit).collect(),
        paths: there
            .diffs
            .into_iter()
            .map(|one| one.new_path.into())
            .collect(),
        truncated,
        others: back.commits.len(),
    })
}

pub(super) async fn newest(asked: Asked<'_>, branch: Option<&str>) -> Result<Option<Head>, Error> {
    let project = project(asked);
    let of = branch.map(|branch| format!("&ref_name={}", encoded(branch)));
    let of = of.unwrap_or_default();
    let newest: Vec<Described> = asked
        .read(&format!("{project}/repository/commits?per_page=1{of}"))
        .await?;
    let told = |one: Described| head(branch, one.id, one.committed_date);
    Ok(newest.into_iter().next().map(told))
}

#[derive(Deserialize)]
struct Merge {
    iid: u64,
    #[serde(default)]
    title: String,
    author: Option<User>,
    web_url: String,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

pub(super) async fn merge_requests(
    asked: Asked<'_>,
    commit: &str,
) -> Result<Vec<PullRequest>, Error> {
    let all: Vec<Merge> = asked
        .read(&of_commit(asked, commit, "merge_requests"))
        .await?;
    let told = |one: Merge| PullRequest {
        number: one.iid,
        title: short_text(one.title.as_bytes()),
        author: one
            .author
            .map_or_else(Box::default, |user| user.username.into()),
        url: one.web_url.into(),
    };
    Ok(all.into_iter().map(told).collect())
}

#[derive(Deserialize)]
struct Report {
    name: String,
    status: String,
    target_url: Option<String>,
}

pub(super) async fn checks(asked: Asked<'_>, commit: &str) -> Result<Vec<CommitCheck>, Error> {
    let all: Vec<Report> = asked.read(&of_commit(asked, commit, "statuses")).await?;
    let told = |one: Report| CommitCheck {
        state: match one.status.as_str() {
            "success" | "skipped" => CheckState::Passed,
            "failed" | "canceled" => CheckState::Failed,
            _ => CheckState::Pending,
        },
        name: one.name.into(),
        url: one.target_url.map(Into::into),
    };
    Ok(all.into_iter().map(told).collect())
}

#[derive(Deserialize)]
struct Hook {
    id: u64,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct Called {
    created_at: Option<Timestamp>,
    #[serde(default)]
    trigger: String,
    /// A number, or words when nothing came back.
    #[serde(default)]
    response_status: serde_json::Value,
}

pub(super) async fn calls(asked: Asked<'_>, server: &str) -> Result<HookCalls, Error> {
    let hooks = format!("{}/hooks", project(asked));
    let all: Vec<Hook> = asked.read(&hooks).await?;
    let ours = all.iter().filter(|hook| is_on(&hook.url, server));
    let list = |hook: &Hook| format!("{hooks}/{}/events?per_page={CALLS}", hook.id);
    let told = |one: Called| {
        let status = &one.response_status;
        let number = status.as_u64().or_else(|| status.as_str()?.parse().ok());
        Delivery {
            at: one.created_at,
            event: one.trigger.trim_end_matches("_hooks").into(),
            status: number.and_then(|code| u16::try_from(code).ok()),
        }
    };
    asked.newest_call(ours.map(list).collect(), told).await
}

/// By its path, as one piece.
fn project(asked: Asked<'_>) -> String {
    format!("projects/{}", encoded(&asked.remote.path))
}

fn of_commit(asked: Asked<'_>, commit: &str, what: &str) -> String {
    let project = project(asked);
    format!("{project}/repository/commits/{}/{what}", encoded(commit))
}
