//! The embedded source repository, in outline: the commits and tags of each service, in the words of GitHub.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::project::{Commit, Project};

/// Where a client of GitHub looks for it, below the address.
pub const INTERFACE: &str = "/api/v3";

/// `/repos/{path}/commits`, newest first; `/repos/{path}/commits/{id}`, and what is told of it; `/repos/{path}/tags`;
/// `/repos/{path}/compare/{from}...{to}`.
pub fn answer<B>(projects: &[Project], request: &Request<B>) -> Response<Bytes> {
    if request.method() != Method::GET {
        return say(
            StatusCode::METHOD_NOT_ALLOWED,
            &json!({"message": "only GET"}),
        );
    }
    match found(projects, request.uri().path()) {
        Some(body) => say(StatusCode::OK, &body),
        None => say(StatusCode::NOT_FOUND, &json!({"message": "not found"})),
    }
}

fn found(projects: &[Project], path: &str) -> Option<Value> {
    let path = path.strip_prefix(INTERFACE).unwrap_or(path);
    let rest = path.strip_prefix("/repos/")?;
    let inside = |p: &&Project| {
        rest.strip_prefix(&p.path)
            .is_some_and(|r| r.starts_with('/'))
    };
    let project = projects.iter().find(inside)?;
    let rest = rest.strip_prefix(&project.path)?.strip_prefix('/')?;
    let (versions, commits) = (project.versions.iter().rev(), history(project));
    match rest.split_once('/') {
        // Nobody set one up.
        None if rest == "hooks" => Some(json!([])),
        None if rest == "commits" => Some(commits.into_iter().rev().map(commit).collect()),
        None if rest == "tags" => Some(
            versions
                .filter_map(|built| Some((built, built.commits.last()?)))
                .map(|(built, last)| json!({"name": built.version, "commit": {"sha": last.id}}))
                .collect(),
        ),
        Some(("commits", rest)) => {
            let (id, what) = rest.split_once('/').unwrap_or((rest, ""));
            let at = commits.iter().position(|commit| commit.id == id)?;
            told(project, (at + 1, commits[at]), what)
        }
        Some(("compare", range)) => compared(&commits, range),
        Some(_) | None => None,
    }
}

/// Oldest first, with those that no image came of.
fn history(project: &Project) -> Vec<&Commit> {
    let built = project.versions.iter().chain(&project.red);
    built.flat_map(|built| &built.commits).collect()
}

/// What the host knows of a commit, which is the so-manieth of its project: each came by a request of its own.
fn told(project: &Project, (number, of): (usize, &Commit), what: &str) -> Option<Value> {
    match what {
        "" => Some(commit(of)),
        "pulls" => {
            let url = format!("https://git.demo/{}/pull/{number}", project.path);
            Some(
                json!([{"number": number, "title": of.message, "user": {"login": of.author}, "html_url": url}]),
            )
        }
        "status" => Some(json!({"statuses": [{"context": "jenkins", "state": "success"}]})),
        "check-runs" => Some(json!({"check_runs": []})),
        _ => None,
    }
}

/// All of them on one page, oldest first. Both ends are named by a commit, or the beginning of one.
fn compared(all: &[&Commit], range: &str) -> Option<Value> {
    let (from, to) = range.split_once("...")?;
    let at = |id: &str| all.iter().position(|commit| commit.id.starts_with(id));
    let (from, to) = (at(from)?, at(to)?);
    let ahead = all.get(from + 1..=to).unwrap_or_default();
    Some(json!({
        "total_commits": ahead.len(),
        "behind_by": from.saturating_sub(to),
        "commits": ahead.iter().map(|one| commit(one)).collect::<Vec<_>>(),
        "files": []
    }))
}

fn commit(commit: &Commit) -> Value {
    let by = json!({"name": commit.author, "date": commit.at.to_string()});
    json!({"sha": commit.id, "commit": {"message": commit.message, "author": by, "committer": by}})
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
        let old = commits[1]["sha"].as_str().unwrap();
        let (_, between) = ask(&format!(
            "/api/v3/repos/shop/checkout/compare/{old}...{sha}"
        ));
        assert_eq!(between["commits"], json!([one]));
        let (_, back) = ask(&format!("/repos/shop/checkout/compare/{sha}...{old}"));
        assert_eq!(
            (&back["behind_by"], &back["commits"]),
            (&json!(1), &json!([]))
        );
        let (_, pulls) = ask(&format!("/repos/shop/checkout/commits/{old}/pulls"));
        let count = commits.as_array().unwrap().len();
        assert_eq!(pulls[0]["number"], json!(count - 1));
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
