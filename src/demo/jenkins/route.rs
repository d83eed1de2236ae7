//! Which path of the embedded Jenkins means what.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::document::{Documents, SUITES};
use super::request::{forbidden, given, lead, page, plain, say, segments, value};
use super::state::{Item, State};
use super::tree::{Tree, whole};
use super::{Farm, USER};

/// The quiet period of a job that is not told another.
pub const QUIET: SignedDuration = SignedDuration::from_secs(5);

type Pairs = [(String, String)];

pub fn answer(farm: &Farm, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(path) = segments(request.uri().path()) else {
        return missing();
    };
    let pairs = given(request);
    let path: Vec<_> = path.iter().map(String::as_str).collect();
    let post = request.method() == Method::POST;
    match path.as_slice() {
        [] => page(StatusCode::OK, "Dashboard [Jenkins]"),
        ["crumbIssuer", "api", "json" | "python"] => farm.guard.crumb(request),
        ["queue", rest @ ..] => queue(farm, rest, post, &pairs),
        ["whoAmI" | "me", "api", "json"] => {
            say(&json!({"_class": "hudson.security.WhoAmI", "name": USER,
            "id": USER, "fullName": USER, "anonymous": false, "authenticated": true, "authorities": ["authenticated"]}))
        }
        ["computer", "api", ..] => tell(&computer(&farm.state(), farm), &pairs),
        _ => of_jobs(farm, &path, post, &pairs),
    }
}

fn of_jobs(farm: &Farm, path: &[&str], post: bool, pairs: &Pairs) -> Response<Bytes> {
    let state = farm.state();
    let documents = documents(farm, &state);
    let document = match path {
        ["api", "json" | "python"] => documents.root(),
        ["job", "shop", "api", "json" | "python"] => documents.folder(),
        ["job", "shop"] => return page(StatusCode::OK, "shop [Jenkins]"),
        ["job", "shop", "job", service, rest @ ..] => {
            let Some(at) = state.jobs.iter().position(|job| job.service == *service) else {
                return missing();
            };
            match rest {
                ["api", "json" | "python"] => documents.branches(at),
                ["job", "main", rest @ ..] if post => {
                    drop(state);
                    return write(farm, at, rest, pairs);
                }
                [] | ["job", "main"] | ["job", "main", "configure"] => {
                    return page(StatusCode::OK, "main [Jenkins]");
                }
                ["job", "main", "api", "json" | "python"] => documents.job(at),
                ["job", "main", number, rest @ ..] => {
                    return build(farm, &state, (at, number), rest, pairs);
                }
                _ => return missing(),
            }
        }
        _ => return missing(),
    };
    tell(&document, pairs)
}

fn documents<'a>(farm: &'a Farm, state: &'a State) -> Documents<'a> {
    Documents {
        state,
        base: &farm.base,
        host: &farm.host,
    }
}

fn build(
    farm: &Farm,
    state: &State,
    (at, number): (usize, &str),
    rest: &[&str],
    pairs: &Pairs,
) -> Response<Bytes> {
    let job = &state.jobs[at];
    let run = match number {
        "lastBuild" => job.builds.last(),
        "lastSuccessfulBuild" => {
            let good = |end: (_, &str)| end.1 == "SUCCESS";
            job.builds.iter().rfind(|run| run.ended.is_some_and(good))
        }
        number => job
            .builds
            .iter()
            .find(|run| run.number.to_string() == number),
    };
    let Some(run) = run else {
        return missing();
    };
    let documents = documents(farm, state);
    match rest {
        [] => page(StatusCode::OK, "main [Jenkins]"),
        ["api", "json" | "python"] => tell(&documents.run(job, run), pairs),
        ["wfapi", "describe"] => say(&documents.stages(run)),
        ["testReport", "api", "json" | "python"] => match documents.tests(run) {
            Some(report) => tell(&report, pairs),
            None => missing(),
        },
        ["consoleText"] => plain(documents.log(job, run)),
        ["logText", "progressiveText"] => {
            let log = documents.log(job, run);
            progressive(&log, value(pairs, "start"), run.ended.is_none())
        }
        ["artifact", "image.txt"] if run.ended.is_some_and(|end| end.1 == "SUCCESS") => {
            let host = &farm.host;
            plain(format!("{host}/shop/{}:{}\n", job.service, run.version))
        }
        _ => missing(),
    }
}

/// From an offset on; one beyond the end begins anew.
fn progressive(log: &str, start: Option<&str>, more: bool) -> Response<Bytes> {
    let start = start.and_then(|start| start.parse().ok()).unwrap_or(0);
    let start = if start > log.len() { 0 } else { start };
    let mut response = plain(log.get(start..).unwrap_or_default().to_owned());
    let headers = response.headers_mut();
    headers.insert("x-text-size", log.len().into());
    if more {
        headers.insert("x-more-data", HeaderValue::from_static("true"));
    }
    response
}

fn queue(farm: &Farm, rest: &[&str], post: bool, pairs: &Pairs) -> Response<Bytes> {
    let mut state = farm.state();
    match rest {
        ["cancelItem"] if post => {
            let id = value(pairs, "id").and_then(|id| id.parse().ok());
            let now = farm.cluster.clock.now();
            if id.is_some_and(|id| state.cancel(id, now)) {
                lead(StatusCode::NO_CONTENT, ".")
            } else {
                missing()
            }
        }
        ["api", "json" | "python"] => {
            let documents = documents(farm, &state);
            let items: Vec<_> = state
                .queue
                .iter()
                .map(|item| documents.waiting(item))
                .collect();
            tell(
                &json!({"_class": "hudson.model.Queue", "items": items, "discoverableItems": []}),
                pairs,
            )
        }
        ["item", id, "api", "json" | "python"] => {
            let documents = documents(farm, &state);
            let waits = state.queue.iter().find(|item| item.id.to_string() == **id);
            let left = state
                .left
                .iter()
                .find(|left| left.item.id.to_string() == **id);
            match (waits, left) {
                (Some(item), _) => tell(&documents.waiting(item), pairs),
                (None, Some(left)) => tell(&documents.left(left), pairs),
                (None, None) => missing(),
            }
        }
        _ => missing(),
    }
}

fn write(farm: &Farm, at: usize, rest: &[&str], pairs: &Pairs) -> Response<Bytes> {
    let mut state = farm.state();
    let url = format!(
        "{}job/shop/job/{}/job/main/",
        farm.base, state.jobs[at].service
    );
    match rest {
        ["build"] if value(pairs, "json").is_none() => {
            page(StatusCode::BAD_REQUEST, "Nothing is submitted")
        }
        ["build" | "buildWithParameters"] => trigger(farm, &mut state, at, pairs),
        ["disable" | "enable" | "submitDescription"] if state.jobs[at].managed => denied(),
        ["disable" | "enable"] => {
            state.jobs[at].enabled = rest == ["enable"];
            lead(StatusCode::FOUND, &url)
        }
        ["submitDescription"] => {
            let text = value(pairs, "description").unwrap_or_default();
            text.clone_into(&mut state.jobs[at].description);
            lead(StatusCode::FOUND, &url)
        }
        [number, "stop" | "term" | "kill"] => {
            let now = farm.cluster.clock.now();
            let mut runs = state.jobs[at].builds.iter_mut();
            let Some(run) = runs.find(|run| run.number.to_string() == *number) else {
                return missing();
            };
            run.ended.get_or_insert((now, "ABORTED"));
            lead(StatusCode::FOUND, &format!("{url}{number}/"))
        }
        [number, "submitDescription"] => {
            let mut runs = state.jobs[at].builds.iter_mut();
            let Some(run) = runs.find(|run| run.number.to_string() == *number) else {
                return missing();
            };
            let text = value(pairs, "description").unwrap_or_default();
            text.clone_into(&mut run.description);
            lead(StatusCode::FOUND, &format!("{url}{number}/"))
        }
        _ => missing(),
    }
}

/// To configure a branch is not even the administrator's right.
fn denied() -> Response<Bytes> {
    let why = format!("{USER} is missing the Job/Configure permission");
    forbidden(&why, USER, "hudson.model.Item.Configure")
}

fn trigger(farm: &Farm, state: &mut State, at: usize, pairs: &Pairs) -> Response<Bytes> {
    let job = &state.jobs[at];
    if !job.enabled {
        let why = format!("shop » {} » main is not buildable", job.service);
        return page(StatusCode::CONFLICT, &why);
    }
    let suite = value(pairs, "SUITE").unwrap_or(SUITES[0]);
    if !SUITES.contains(&suite) {
        let why = format!(
            "<pre>java.lang.IllegalArgumentException: Illegal choice for parameter SUITE: {suite}\n</pre>"
        );
        return page(StatusCode::INTERNAL_SERVER_ERROR, &why);
    }
    let version = value(pairs, "VERSION").unwrap_or(&job.next_version);
    let now = farm.cluster.clock.now();
    let quiet = match value(pairs, "delay") {
        Some(delay) => delayed(delay),
        None => QUIET,
    };
    let item = Item {
        id: 0,
        job: at,
        version: version.to_owned(),
        suite: suite.to_owned(),
        since: now,
        due: now + quiet,
        causes: vec![format!("Started by user {USER}")],
        commits: Vec::new(),
        goes_to: None,
    };
    let (id, joined) = state.enqueue(item);
    let status = if joined {
        StatusCode::SEE_OTHER
    } else {
        StatusCode::CREATED
    };
    lead(status, &format!("{}queue/item/{id}/", farm.base))
}

/// `5sec` and `5secs` are seconds; a bare number is milliseconds.
fn delayed(delay: &str) -> SignedDuration {
    let digits = delay.trim_end_matches(char::is_alphabetic);
    let number = digits.parse().unwrap_or(0);
    if digits == delay {
        SignedDuration::from_millis(number)
    } else {
        SignedDuration::from_secs(number)
    }
}

/// Where pipelines run.
fn computer(state: &State, farm: &Farm) -> Value {
    let documents = documents(farm, state);
    let running = state.jobs.iter().flat_map(|job| {
        let runs = job.builds.iter().filter(|run| run.ended.is_none());
        runs.map(move |run| (job, run))
    });
    let executors: Vec<_> = running
        .map(|(job, run)| json!({"currentExecutable": documents.run(job, run), "idle": false}))
        .collect();
    json!({"_class": "hudson.model.ComputerSet", "computer": [{"_class": "hudson.model.Hudson$MasterComputer",
        "displayName": "Built-In Node", "offline": false, "executors": [], "oneOffExecutors": executors}]})
}

fn tell(document: &Value, pairs: &Pairs) -> Response<Bytes> {
    match value(pairs, "tree")
        .filter(|tree| !tree.is_empty())
        .map(Tree::parse)
    {
        None => say(&whole(document)),
        Some(Some(tree)) => say(&tree.of(document)),
        Some(None) => page(StatusCode::BAD_REQUEST, "the tree is not well formed"),
    }
}

fn missing() -> Response<Bytes> {
    page(StatusCode::NOT_FOUND, "Not Found - Jenkins")
}
