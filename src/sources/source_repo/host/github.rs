//! GitHub, also in a company: `https://HOST/api/v3`.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Asked, CALLS, Error, encoded, encoded_path, head, is_on};
use crate::domain::commit::{CheckState, CommitCheck, Delivery, Head, HookCalls, PullRequest};
use crate::domain::{Commit, Commits, Remote};
use crate::sources::source_repo::git::{MOST_COMMITS, short_text};

/// A page of commits.
const PAGE: usize = 100;
/// Of the files of a comparison more are not told.
const MOST_FILES: usize = 300;

#[derive(Deserialize)]
pub(super) struct Comparison {
    #[serde(default)]
    total_commits: Option<usize>,
    #[serde(default)]
    behind_by: usize,
    /// Oldest first.
    commits: Vec<Described>,
    #[serde(default)]
    files: Option<Vec<File>>,
}

#[derive(Deserialize)]
pub(super) struct Described {
    sha: String,
    html_url: Option<String>,
    commit: Inner,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    message: String,
    author: Option<Person>,
    committer: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    #[serde(default)]
    name: String,
    date: Option<Timestamp>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
}

pub(super) async fn between(asked: Asked<'_>, from: &str, to: &str) -> Result<Commits, Error> {
    let repository = encoded_path(&asked.remote.path);
    let range = format!("{}...{}", encoded(from), encoded(to));
    let page = |n: usize| format!("repos/{repository}/compare/{range}?per_page={PAGE}&page={n}");
    let mut first: Comparison = asked.read(&page(1)).await?;
    let total = first.total_commits.unwrap_or(first.commits.len());
    let files = first.files.take().unwrap_or_default();
    let mut newest = Vec::new();
    // The newest stand on the last page.
    let mut at = total.div_ceil(PAGE);
    while at > 1 && newest.len() < MOST_COMMITS {
        let next: Comparison = asked.read(&page(at)).await?;
        newest.extend(next.commits.into_iter().rev());
        at -= 1;
    }
    if at <= 1 {
        newest.extend(first.commits.into_iter().rev());
    }
    newest.truncate(MOST_COMMITS);
    let mut list: Vec<_> = newest.into_iter().map(|c| c.commit(asked.remote)).collect();
    list.truncate(MOST_COMMITS);
    Ok(Commits {
        between: (from.into(), to.into()),
        truncated: total > list.len() || files.len() >= MOST_FILES,
        list,
        paths: files.into_iter().map(|file| file.filename.into()).collect(),
        others: first.behind_by,
    })
}

/// Gitee answers the same.
pub(super) async fn newest(asked: Asked<'_>, branch: Option<&str>) -> Result<Option<Head>, Error> {
    let repository = encoded_path(&asked.remote.path);
    let of = branch.map(|branch| format!("&sha={}", encoded(branch)));
    let of = of.unwrap_or_default();
    let newest: Vec<Described> = asked
        .read(&format!("repos/{repository}/commits?per_page=1{of}"))
        .await?;
    let told = |one: Described| {
        let at = one.commit.committer.and_then(|person| person.date);
        head(branch, one.sha, at)
    };
    Ok(newest.into_iter().next().map(told))
}

impl Comparison {
    /// Newest first, whether there are more than are listed or not.
    pub(super) fn unfold(self, remote: &Remote) -> (Vec<Commit>, Vec<Box<str>>) {
        let commits = self.commits.into_iter().rev();
        let files = self.files.unwrap_or_default().into_iter();
        (
            commits.map(|one| one.commit(remote)).collect(),
            files.map(|file| file.filename.into()).collect(),
        )
    }

    pub(super) fn len(&self) -> usize {
        self.commits.len()
    }
}

impl Described {
    fn commit(self, remote: &Remote) -> Commit {
        let author = self.commit.author.as_ref().map_or("", |p| &p.name);
        let date = |person: Option<&Person>| person.and_then(|person| person.date);
        let at = date(self.commit.committer.as_ref()).or(date(self.commit.author.as_ref()));
        let subject = self.commit.message.lines().next().unwrap_or_default();
        let url = self.html_url.or_else(|| remote.commit_url(&self.sha));
        Commit {
            subject: short_text(subject.as_bytes()),
            author: short_text(author.as_bytes()),
            id: self.sha.into(),
            at,
            url: url.map(Into::into),
        }
    }
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    #[serde(default)]
    title: String,
    user: Option<User>,
    html_url: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

pub(super) async fn pull_requests(
    asked: Asked<'_>,
    commit: &str,
) -> Result<Vec<PullRequest>, Error> {
    let pulls: Vec<Pull> = asked.read(&of_commit(asked, commit, "pulls")).await?;
    let told = |pull: Pull| PullRequest {
        number: pull.number,
        title: short_text(pull.title.as_bytes()),
        author: pull
            .user
            .map_or_else(Box::default, |user| user.login.into()),
        url: pull.html_url.into(),
    };
    Ok(pulls.into_iter().map(told).collect())
}

#[derive(Deserialize)]
struct Combined {
    statuses: Vec<Status>,
}

#[derive(Deserialize)]
struct Status {
    context: String,
    state: String,
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<CheckRun>,
}

#[derive(Deserialize)]
struct CheckRun {
    name: String,
    /// `null` while it runs.
    conclusion: Option<String>,
    html_url: Option<String>,
}

/// What programs reported themselves, and what ran at GitHub: it keeps the two apart.
pub(super) async fn checks(asked: Asked<'_>, commit: &str) -> Result<Vec<CommitCheck>, Error> {
    let combined: Combined = asked.read(&of_commit(asked, commit, "status")).await?;
    let runs: Runs = asked.read(&of_commit(asked, commit, "check-runs")).await?;
    let reported = combined.statuses.into_iter().map(|status| CommitCheck {
        state: state(&status.state),
        name: status.context.into(),
        url: status.target_url.map(Into::into),
    });
    let ran = runs.check_runs.into_iter().map(|run| CommitCheck {
        state: run.conclusion.as_deref().map_or(CheckState::Pending, state),
        name: run.name.into(),
        url: run.html_url.map(Into::into),
    });
    Ok(reported.chain(ran).collect())
}

fn state(word: &str) -> CheckState {
    match word {
        "success" | "neutral" | "skipped" => CheckState::Passed,
        "pending" | "action_required" | "stale" => CheckState::Pending,
        _ => CheckState::Failed,
    }
}

#[derive(Deserialize)]
struct Hook {
    id: u64,
    #[serde(default)]
    config: HookConfig,
}

#[derive(Deserialize, Default)]
struct HookConfig {
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct Call {
    delivered_at: Timestamp,
    #[serde(default)]
    event: String,
    #[serde(default)]
    status_code: u16,
}

pub(super) async fn calls(asked: Asked<'_>, server: &str) -> Result<HookCalls, Error> {
    let hooks = format!("repos/{}/hooks", encoded_path(&asked.remote.path));
    let all: Vec<Hook> = asked.read(&hooks).await?;
    let ours = all.iter().filter(|hook| is_on(&hook.config.url, server));
    let list = |hook: &Hook| format!("{hooks}/{}/deliveries?per_page={CALLS}", hook.id);
    let told = |one: Call| Delivery {
        at: Some(one.delivered_at),
        event: one.event.into(),
        status: Some(one.status_code).filter(|code| *code != 0),
    };
    asked.newest_call(ours.map(list).collect(), told).await
}

fn of_commit(asked: Asked<'_>, commit: &str, what: &str) -> String {
    let repository = encoded_path(&asked.remote.path);
    format!("repos/{repository}/commits/{}/{what}", encoded(commit))
}
