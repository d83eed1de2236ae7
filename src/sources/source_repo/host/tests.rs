//! A host that is a model, written from what the hosts say of themselves: what it tells, and all that can go wrong.

use std::sync::Arc;

use super::*;
use crate::config::secret::Place;
use crate::domain::Commit;
use crate::domain::commit::CheckState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const TOKEN: &str = "hunter2-of-the-host";

/// Answers each path, given what was sent; counts nothing and forgets nothing: the heads of all requests come back.
struct Model {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

type Page = (u16, &'static str, String);

impl Model {
    async fn new(answer: impl Fn(&str, &str) -> Page + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = Arc::clone(&heard);
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut bytes = Vec::new();
                let mut buffer = [0; 4096];
                while !bytes.windows(4).any(|w| w == b"\r\n\r\n") {
                    match socket.read(&mut buffer).await.unwrap() {
                        0 => break,
                        read => bytes.extend_from_slice(&buffer[..read]),
                    }
                }
                let request = String::from_utf8(bytes).unwrap();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                all.lock().unwrap().push(request.clone());
                let (status, headers, body) = answer(&path, &request);
                let length = body.len();
                let text = format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                let _ = socket.write_all(text.as_bytes()).await;
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// The interface in this version, and a repository at it.
    fn at(&self, version: &str) -> (Interface, Repository) {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("token-{}", self.address.replace(':', "-")));
        std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
        let text = format!(
            "{{url: 'https://git.corp/shop/cart.git', api: 'http://{}/api/{version}', token: {{file: {}}}}}",
            self.address,
            file.display()
        );
        let rule: config::Repository = serde_yaml::from_str(&text).unwrap();
        assert_eq!(rule.check(), Ok(()));
        let repository = rule.of("cart").unwrap();
        (Interface::new(&rule, &Proxy::default()), repository)
    }
}

fn ok(body: &str) -> Page {
    (200, "", body.to_owned())
}

fn missing() -> Page {
    (404, "", r#"{"message":"Not Found"}"#.to_owned())
}

/// 320 commits, oldest first, in pages of a hundred, as GitHub tells them.
fn github(path: &str, _: &str) -> Page {
    let one = |n: usize| {
        format!(
            r#"{{"sha":"{n:040x}","html_url":"https://git.corp/c/{n}","commit":{{"message":"fix: {n}\n\nbody",
            "author":{{"name":"Ann","date":"2026-11-27T12:00:00Z"}},"committer":{{"name":"B","date":"2026-11-27T13:00:00Z"}}}}}}"#
        )
    };
    if let Some(page) =
        path.strip_prefix("/api/v3/repos/shop/cart/compare/a...b?per_page=100&page=")
    {
        let page: usize = page.parse().unwrap();
        let commits: Vec<_> = ((page - 1) * 100 + 1..=(page * 100).min(320))
            .map(one)
            .collect();
        let files = r#"[{"filename":"db/migrate/7.sql"},{"filename":"a.rs"}]"#;
        return ok(&format!(
            r#"{{"status":"diverged","total_commits":320,"behind_by":2,"commits":[{}],"files":{files}}}"#,
            commits.join(",")
        ));
    }
    match path {
        "/api/v3/repos/shop/cart/commits?per_page=1&sha=a%2Fb" => ok(&format!("[{}]", one(7))),
        "/api/v3/repos/shop/cart/commits/b/pulls" => ok(
            r#"[{"number":7,"title":"Round","user":{"login":"ann"},"html_url":"https://git.corp/7"}]"#,
        ),
        "/api/v3/repos/shop/cart/commits/b/status" => ok(
            r#"{"state":"failure","statuses":[{"context":"jenkins","state":"failure","target_url":null}]}"#,
        ),
        "/api/v3/repos/shop/cart/commits/b/check-runs" => ok(
            r#"{"check_runs":[{"name":"lint","conclusion":"success"},{"name":"e2e","conclusion":null}]}"#,
        ),
        "/api/v3/repos/shop/cart/hooks" => ok(
            r#"[{"id":1,"config":{"url":"https://ci.corp/jenkins/github-webhook/"}},
            {"id":2,"config":{"url":"http://x:hunter2@CI.corp/jenkins?token=hunter2"}},
            {"id":3,"config":{"url":"https://ci.corp/jenkins2/"}},{"id":4}]"#,
        ),
        "/api/v3/repos/shop/cart/hooks/1/deliveries?per_page=20" => ok(
            r#"[{"delivered_at":"2026-11-27T14:00:00Z","event":"ping","status_code":200},
            {"delivered_at":"2026-11-27T13:00:00Z","event":"push","status_code":0}]"#,
        ),
        "/api/v3/repos/shop/cart/hooks/2/deliveries?per_page=20" => {
            ok(r#"[{"delivered_at":"2026-11-27T12:00:00Z","event":"push","status_code":200}]"#)
        }
        _ => missing(),
    }
}

#[tokio::test]
async fn what_github_tells() {
    let model = Model::new(github).await;
    let (interface, repository) = model.at("v3");
    assert!(interface.lists_commits(&repository));
    let asked = interface.of(&repository.remote);
    let found = asked.between("a", "b").await.unwrap();
    assert_eq!(
        (found.list.len(), found.others, found.truncated),
        (250, 2, true)
    );
    let newest = &found.list[0];
    assert_eq!((&*newest.subject, &*newest.author), ("fix: 320", "Ann"));
    assert_eq!(newest.at.unwrap().to_string(), "2026-11-27T13:00:00Z");
    assert_eq!(&*found.list[249].subject, "fix: 71");
    assert_eq!(
        found.paths,
        ["db/migrate/7.sql".into(), "a.rs".into()] as [Box<str>; 2]
    );
    assert_eq!(model.heard().len(), 4);
    for head in model.heard() {
        assert!(
            head.contains(&format!("authorization: Bearer {TOKEN}\r\n")),
            "{head}"
        );
    }

    let newest = asked.newest(Some("a/b")).await.unwrap().unwrap();
    let at = newest.at.unwrap().to_string();
    assert_eq!(
        (&*newest.branch, &*newest.id),
        ("a/b", &*format!("{:040x}", 7))
    );
    assert_eq!(at, "2026-11-27T13:00:00Z");
    let pulls = asked.pull_requests("b").await.unwrap();
    assert_eq!((pulls[0].number, &*pulls[0].author), (7, "ann"));
    let checks = asked.checks("b").await.unwrap();
    let checks: Vec<_> = checks.iter().map(|c| (&*c.name, c.state)).collect();
    let want = [
        ("jenkins", CheckState::Failed),
        ("lint", CheckState::Passed),
        ("e2e", CheckState::Pending),
    ];
    assert_eq!(checks, want);
    let newest = Delivery {
        at: "2026-11-27T13:00:00Z".parse().ok(),
        event: "push".into(),
        status: None,
    };
    let calls = asked.calls("https://ci.corp/jenkins/").await.unwrap();
    assert_eq!(calls, HookCalls::Last(newest));
    let none = asked.calls("https://other.corp").await.unwrap();
    assert_eq!(none, HookCalls::NoHook);
}

fn gitlab(path: &str, _: &str) -> Page {
    const PROJECT: &str = "/api/v4/projects/shop%2Fcart/";
    match path.strip_prefix(PROJECT).unwrap_or_default() {
        "repository/compare?from=a&to=b&straight=false" => ok(
            r#"{"commits":[{"id":"1","title":"feat: x","author_name":"Ann","committed_date":"2026-11-27T12:00:00.000+00:00"},
            {"id":"2","title":"fix: y","author_name":"Bob","committed_date":"2026-11-27T14:00:00.000+01:00"}],
            "diffs":[{"old_path":"a","new_path":"db/migrate/7.sql"}],"compare_timeout":false}"#,
        ),
        "repository/compare?from=b&to=a&straight=false" => ok(r#"{"commits":[{"id":"3"}]}"#),
        "repository/commits?per_page=1" => {
            ok(r#"[{"id":"9","committed_date":"2026-11-27T13:00:00.000+00:00"}]"#)
        }
        "repository/commits/b/merge_requests" => ok(
            r#"[{"iid":7,"title":"Round","author":{"username":"ann"},"web_url":"https://git.corp/7"}]"#,
        ),
        "repository/commits/b/statuses" => {
            ok(r#"[{"name":"build","status":"running"},{"name":"test","status":"failed"}]"#)
        }
        "hooks" => ok(r#"[{"id":1,"url":"https://ci.corp/project/shop/cart"}]"#),
        "hooks/1/events?per_page=20" => ok(
            r#"[{"trigger":"push_hooks","response_status":"404","created_at":"2026-11-27T13:00:00.000Z"}]"#,
        ),
        _ => missing(),
    }
}

#[tokio::test]
async fn what_gitlab_tells() {
    let model = Model::new(gitlab).await;
    let (interface, repository) = model.at("v4");
    let asked = interface.of(&repository.remote);
    let found = asked.between("a", "b").await.unwrap();
    let labels: Vec<_> = found.list.iter().map(Commit::label).collect();
    assert_eq!(labels, ["2 fix: y", "1 feat: x"]);
    assert_eq!(
        found.list[0].at.unwrap().to_string(),
        "2026-11-27T13:00:00Z"
    );
    assert_eq!((found.others, found.truncated), (1, false));
    assert_eq!(found.paths, ["db/migrate/7.sql".into()] as [Box<str>; 1]);
    assert!(model.heard()[0].contains(&format!("private-token: {TOKEN}\r\n")));
    let newest = asked.newest(None).await.unwrap().unwrap();
    assert_eq!((&*newest.branch, &*newest.id), ("the main branch", "9"));
    assert!(newest.at.is_some());
    assert_eq!(asked.pull_requests("b").await.unwrap()[0].number, 7);
    let checks = asked.checks("b").await.unwrap();
    let states: Vec<_> = checks.iter().map(|check| check.state).collect();
    assert_eq!(states, [CheckState::Pending, CheckState::Failed]);
    let HookCalls::Last(last) = asked.calls("https://ci.corp").await.unwrap() else {
        panic!("it was called");
    };
    assert_eq!((&*last.event, last.status), ("push", Some(404)));
}

#[tokio::test]
async fn what_gitee_tells_and_what_it_does_not() {
    let model = Model::new(|path, _| {
        let login = format!("?access_token={TOKEN}");
        match path.strip_suffix(&login).unwrap_or_default() {
            "/api/v5/repos/shop/cart/compare/a...b" => ok(
                r#"{"commits":[{"sha":"1","commit":{"message":"fix: x","author":{"name":"Ann","date":"2026-11-27T20:00:00+08:00"}}}],
                "files":[{"filename":"a.sql"}]}"#,
            ),
            "/api/v5/repos/shop/cart/compare/b...a" => ok(r#"{"commits":[]}"#),
            "/api/v5/repos/shop/cart/hooks" => ok(
                r#"[{"url":"https://ci.corp/gitee-project/cart","result_code":500},{"url":"https://new.corp/"}]"#,
            ),
            _ => missing(),
        }
    })
    .await;
    let (interface, repository) = model.at("v5");
    let asked = interface.of(&repository.remote);
    let found = asked.between("a", "b").await.unwrap();
    assert_eq!(found.list[0].label(), "1 fix: x");
    assert_eq!(
        found.list[0].at.unwrap().to_string(),
        "2026-11-27T12:00:00Z"
    );
    assert_eq!((found.list.len(), found.others), (1, 0));
    let page = "https://git.corp/shop/cart/commit/1";
    assert_eq!(found.list[0].url.as_deref(), Some(page));
    let HookCalls::Last(last) = asked.calls("https://ci.corp").await.unwrap() else {
        panic!("it was called");
    };
    assert_eq!((last.at, last.status), (None, Some(500)));
    assert_eq!(
        asked.calls("https://new.corp").await.unwrap(),
        HookCalls::NoCall
    );
    let error = asked.pull_requests("b").await.unwrap_err().to_string();
    assert!(error.contains("its host does not tell"), "{error}");
    let error = asked.between("a", "x").await.unwrap_err().to_string();
    assert!(!error.contains(TOKEN), "{error}");
}

#[tokio::test]
async fn an_answer_that_still_holds_is_not_sent_again() {
    let model = Model::new(|_, head| {
        if head.contains("if-none-match: \"v1\"\r\n") {
            return (304, "etag: \"v1\"\r\n", String::new());
        }
        (
            200,
            "etag: \"v1\"\r\n",
            r#"[{"number":7,"html_url":"x"}]"#.to_owned(),
        )
    })
    .await;
    let (interface, repository) = model.at("v3");
    let asked = interface.of(&repository.remote);
    let first = asked.pull_requests("b").await.unwrap();
    assert_eq!(asked.pull_requests("b").await.unwrap(), first);
    let sent: Vec<_> = model
        .heard()
        .iter()
        .map(|h| h.contains("if-none-match"))
        .collect();
    assert_eq!(sent, [false, true]);
}

#[tokio::test]
async fn whatever_goes_wrong_is_one_sentence_without_the_token() {
    for (status, headers, body, want) in [
        (
            401,
            "",
            r#"{"message":"Bad credentials"}"#,
            "the host does not accept the token (the file /",
        ),
        (
            403,
            "",
            r#"{"message":"no rights"}"#,
            "the host does not let the token (the file /",
        ),
        (
            403,
            "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1795784400\r\n",
            r#"{"message":"API rate limit exceeded"}"#,
            "the host wants to be left alone until 2026-11-27T13:00:00Z: API rate limit exceeded (403)",
        ),
        (
            429,
            "retry-after: 30\r\n",
            "",
            "the host wants to be left alone for 30s: 429",
        ),
        (
            429,
            "",
            "slow down",
            "the host wants to be left alone: slow down (429)",
        ),
        (
            404,
            "",
            r#"{"error":"404 Project Not Found"}"#,
            "the host knows no such thing, or does not show it to",
        ),
        (
            502,
            "content-type: text/html\r\n",
            "<title>Bad gateway</title>",
            "the host failed: Bad gateway (502)",
        ),
        (
            200,
            "content-type: text/html\r\n",
            "<title>Sign in</title>",
            "a page, and no answer: Sign in (200)",
        ),
        (200, "", "[", "the answer is not JSON"),
        (
            200,
            "",
            "[{}]",
            "the answer is not of the kind that was asked for",
        ),
        (
            422,
            "",
            r#"{"message":"No commit found"}"#,
            "No commit found (422)",
        ),
    ] {
        let model = Model::new(move |_, _| (status, headers, body.to_owned())).await;
        let (interface, repository) = model.at("v3");
        let error = interface
            .of(&repository.remote)
            .pull_requests("b")
            .await
            .unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with(&format!("git.corp/shop/cart: {want}")),
            "{error}"
        );
        assert!(
            !error.contains("hunter2") && !error.contains('\n'),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_goes_wrong_with_the_list_of_calls_is_said_by_each_host() {
    const CHUNKED: &str = "transfer-encoding: chunked\r\nx-";
    let html = "content-type: text/html\r\n";
    for (status, headers, body, want) in [
        (
            401,
            "",
            r#"{"message":"Bad"}"#,
            "the host does not accept the token",
        ),
        (
            403,
            "",
            r#"{"message":"no"}"#,
            "the host does not let the token",
        ),
        (
            404,
            "",
            r#"{"message":"no"}"#,
            "the host knows no such thing",
        ),
        (
            429,
            "retry-after: 7\r\n",
            "",
            "the host wants to be left alone for 7s",
        ),
        (500, html, "<title>Oh</title>", "the host failed: Oh (500)"),
        (200, html, "<title>Log in</title>", "a page, and no answer"),
        (200, "", "nothing", "the answer is not JSON"),
        (200, "", "{}", "the answer is not of the kind"),
        (200, CHUNKED, "5\r\n[{\"id", "the answer broke off"),
    ] {
        for version in ["v3", "v4", "v5"] {
            let model = Model::new(move |_, _| (status, headers, body.to_owned())).await;
            let (interface, repository) = model.at(version);
            let asked = interface.of(&repository.remote);
            let error = asked
                .calls("https://ci.corp")
                .await
                .unwrap_err()
                .to_string();
            let want = format!("git.corp/shop/cart: {want}");
            assert!(error.starts_with(&want), "{version} {error}");
            assert!(!error.contains(TOKEN) && !error.contains('\n'), "{error}");
        }
    }
}

#[tokio::test]
async fn a_hook_that_was_never_called_is_none_that_fails() {
    let model = Model::new(|path, _| {
        let hook = r#"[{"id":1,"url":"https://ci.corp/x","config":{"url":"https://ci.corp/x"}}]"#;
        ok(if path.contains("/hooks/1/") {
            "[]"
        } else {
            hook
        })
    })
    .await;
    for version in ["v3", "v4", "v5"] {
        let (interface, repository) = model.at(version);
        let asked = interface.of(&repository.remote);
        let calls = asked.calls("http://ci.corp").await.unwrap();
        assert_eq!(calls, HookCalls::NoCall, "{version}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_or_never_ends() {
    let model = Model::new(|_, _| {
        (
            200,
            "transfer-encoding: chunked\r\nx-",
            "5\r\n[{\"nu".into(),
        )
    })
    .await;
    let (interface, repository) = model.at("v3");
    let error = interface
        .of(&repository.remote)
        .checks("b")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("git.corp/shop/cart: the answer broke off"),
        "{error}"
    );

    let model = Model::new(|_, _| (200, "", " ".repeat(9 << 20))).await;
    let (interface, repository) = model.at("v3");
    let error = interface
        .of(&repository.remote)
        .checks("b")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "git.corp/shop/cart: the answer is larger than 8192 KiB"
    );
}

#[tokio::test]
async fn a_token_that_ran_out_is_read_again() {
    let model = Model::new(|_, head| {
        if head.contains("Bearer new\r\n") {
            return ok("[]");
        }
        (401, "", "{}".to_owned())
    })
    .await;
    let (interface, repository) = model.at("v3");
    let asked = interface.of(&repository.remote);
    assert!(asked.pull_requests("b").await.is_err());
    let Place::File { file } = interface.rule.token.as_ref().unwrap().place() else {
        panic!("a file");
    };
    std::fs::write(file, "new").unwrap();
    assert_eq!(asked.pull_requests("b").await.unwrap(), []);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_said_before_anything_is_asked() {
    let text = "{url: 'https://github.com/shop/cart', token: {file: /nonexistent/token}}";
    let rule: config::Repository = serde_yaml::from_str(text).unwrap();
    let repository = rule.of("cart").unwrap();
    let interface = Interface::new(&rule, &Proxy::default());
    let error = interface
        .of(&repository.remote)
        .between("a", "b")
        .await
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("github.com/shop/cart: token: the file /nonexistent/token"),
        "{error}"
    );
}
