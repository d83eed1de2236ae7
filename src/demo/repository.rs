//! The embedded source repository, in outline: the commits and tags of each service as JSON.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::project::{Commit, Project};

/// `/repos/{path}/commits`, newest first; `/repos/{path}/commits/{id}`; `/repos/{path}/tags`; and as GitHub has it,
/// below `/api/v3`, `/repos/{path}/compare/{from}...{to}`.
pub fn answer<B>(projects: &[Project], request: &Request<B>) -> Response<Bytes> {
    if request.method() != Method::GET {
        return say(
            StatusCode::METHOD_NOT_ALLOWED,
            &json!({"message": "only GET"}),
        );
    }
    let path = request.uri().path();
    let body = match path.strip_prefix(API) {
        Some(path) => compared(projects, path),
        None => found(projects, path),
    };
    match body {
        Some(body) => say(StatusCode::OK, &body),
        None => say(StatusCode::NOT_FOUND, &json!({"message": "not found"})),
    }
}

/// What begins the paths that GitHub has.
pub const API: &str = "/api/v3";

/// What the second has that the first has not, oldest first. Both are named by a commit, or the beginning of one.
fn compared(projects: &[Project], path: &str) -> Option<Value> {
    let rest = path.strip_prefix("/repos/")?;
    let (path, range) = rest.split_once("/compare/")?;
    let (from, to) = range.split_once("...")?;
    let project = projects.iter().find(|p| p.path == path)?;
    let commits: Vec<_> = history(project).collect();
    let at = |name: &str| commits.iter().position(|c| c.id.starts_with(name));
    let (from, to) = (at(from)?, at(to)?);
    let new = commits.get(from + 1..=to).unwrap_or_default();
    let told = |commit: &&Commit| {
        json!({"sha": commit.id, "commit": {"message": commit.message,
            "author": {"name": commit.author, "date": commit.at.to_string()}}})
    };
    let list: Vec<_> = new.iter().map(told).collect();
    Some(
        json!({"total_commits": list.len(), "behind_by": from.saturating_sub(to),
        "commits": list, "files": []}),
    )
}

/// Oldest first, with those that no image came of.
fn history(project: &Project) -> impl Iterator<Item = &Commit> {
    let built = project.versions.iter().chain(&project.red);
    built.flat_map(|built| &built.commits)
}

fn found(projects: &[Project], path: &str) -> Option<Value> {
    let rest = path.strip_prefix("/repos/")?;
    let inside = |p: &&Project| {
        rest.strip_prefix(&p.path)
            .is_some_and(|r| r.starts_with('/'))
    };
    let project = projects.iter().find(inside)?;
    let rest = rest.strip_prefix(&project.path)?.strip_prefix('/')?;
    let versions = || project.versions.iter().rev();
    let commits = || versions().flat_map(|built| built.commits.iter().rev());
    match rest.split_once('/') {
        None if rest == "commits" => Some(commits().map(commit).collect()),
        None if rest == "tags" => Some(
            versions()
                .filter_map(|built| Some((built, built.commits.last()?)))
                .map(|(built, last)| json!({"name": built.version, "commit": {"sha": last.id}}))
                .collect(),
        ),
        Some(("commits", id)) => commits().find(|c| c.id == id).map(commit),
        Some(_) | None => None,
    }
}

fn commit(commit: &Commit) -> Value {
    json!({"sha": commit.id, "message": commit.message, "author": commit.author, "date": commit.at.to_string()})
}

fn say(status: StatusCode, body: &Value) -> Response<Bytes> {
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    response.body(body.to_string().into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::scenario::Scenario;

    #[test]
    fn a_tag_is_the_last_commit_of_its_version() {
        let start = "2026-11-23T03:04:12Z".parse().unwrap();
        let projects = Scenario::find("tour").unwrap().projects(1, start);
        let ask = |path: &str| {
            let request = Request::builder().uri(path).body(()).unwrap();
            let response = answer(&projects, &request);
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            (response.status().as_u16(), body)
        };
        let (_, tags) = ask("/repos/shop/checkout/tags");
        let newest = &projects
            .iter()
            .find(|p| p.path == "shop/checkout")
            .unwrap()
            .versions;
        assert_eq!(tags.as_array().unwrap().len(), newest.len());
        let sha = tags[0]["commit"]["sha"].as_str().unwrap();
        let (_, commits) = ask("/repos/shop/checkout/commits");
        assert_eq!(commits[0]["sha"], sha);
        let (status, one) = ask(&format!("/repos/shop/checkout/commits/{sha}"));
        assert_eq!((status, &one), (200, &commits[0]));
        let all = commits.as_array().unwrap();
        let last = all.last().unwrap()["sha"].as_str().unwrap();
        let (status, range) = ask(&format!(
            "/api/v3/repos/shop/checkout/compare/{last}...{sha}"
        ));
        assert_eq!((status, &range["behind_by"]), (200, &0.into()));
        let new = range["commits"].as_array().unwrap();
        assert_eq!(new.len(), all.len() - 1, "oldest first");
        assert_eq!(new.last().unwrap()["sha"], sha);
        assert!(new[0]["commit"]["author"]["name"].is_string());
        let (_, back) = ask(&format!(
            "/api/v3/repos/shop/checkout/compare/{sha}...{last}"
        ));
        assert_eq!(back["behind_by"], all.len() - 1);
        for missing in [
            "/repos/shop/check/tags",
            "/api/v3/repos/shop/checkout/compare/x...y",
            "/repos/shop/checkout/x",
            "/",
            "/repos/shop/checkout/commits/0",
        ] {
            assert_eq!(ask(missing).0, 404, "{missing}");
        }
    }
}
