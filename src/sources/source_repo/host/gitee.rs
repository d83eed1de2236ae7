//! Gitee, also in a company: `https://HOST/api/v5`. Its comparison has the shape of GitHub's, without counts.

use super::github::Comparison;
use super::{Asked, Error, encoded, encoded_path};
use crate::domain::Commits;
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
