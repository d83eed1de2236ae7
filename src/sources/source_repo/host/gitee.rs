//! Gitee, also in a company: `https://HOST/api/v5`. Its comparison has the shape of GitHub's, without counts.

use serde::Deserialize;

use super::github::Comparison;
use super::{Asked, Error, encoded, encoded_path, is_on, newest};
use crate::domain::Commits;
use crate::domain::commit::{Delivery, HookCalls};
use crate::sources::source_repo::git::MOST_COMMITS;

/// It lists no more commits than these, and does not say when there are more.
const MOST: usize = 250;

pub(super) async fn between(asked: Asked<'_>, from: &str, to: &str) -> Result<Commits, Error> {
    let repository = encoded_path(&asked.remote.path);
    let way = |a: &str, b: &str| {
        let range = format!("{}...{}", encoded(a), encoded(b));
        format!("repos/{repository}/compare/{range}")
    };
    let there: Comparison = asked.read(&way(from, to)).await?;
    let back: Comparison = asked.read(&way(to, from)).await?;
    let truncated = there.len() >= MOST || back.len() >= MOST;
    let (mut list, paths) = there.unfold(asked.remote);
    list.truncate(MOST_COMMITS);
    Ok(Commits {
        between: (from.into(), to.into()),
        list,
        paths,
        truncated,
        others: back.len(),
    })
}

#[derive(Deserialize)]
struct Hook {
    #[serde(default)]
    url: String,
    /// Of the last call, where it is told.
    #[serde(default)]
    result_code: Option<u16>,
}

/// It keeps no list of calls: at most what came of the last one.
pub(super) async fn calls(asked: Asked<'_>, server: &str) -> Result<HookCalls, Error> {
    let hooks = format!("repos/{}/hooks", encoded_path(&asked.remote.path));
    let all: Vec<Hook> = asked.read(&hooks).await?;
    let ours = all.iter().filter(|hook| is_on(&hook.url, server));
    let ours: Vec<_> = ours.collect();
    if ours.is_empty() {
        return Ok(HookCalls::NoHook);
    }
    let called = ours.iter().filter_map(|hook| hook.result_code);
    let called = called.filter(|code| *code != 0).map(|code| Delivery {
        at: None,
        event: "push".into(),
        status: Some(code),
    });
    Ok(newest(called.collect()))
}
