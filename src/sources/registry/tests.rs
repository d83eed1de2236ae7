//! Registries that misbehave in one way at a time, and what a person is told.

use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::convert::sha256;
use super::*;
use crate::config;
use crate::domain::Presence;

/// What was asked: the first line, and who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    line: String,
    login: String,
}

impl Seen {
    fn is(&self, start: &str) -> bool {
        self.line.starts_with(start)
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// Answers what `answer` says to each request, and closes; nothing is an answer that never comes.
async fn serve(answer: impl Fn(&Seen, &str) -> String + Send + Sync + 'static) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (log, own) = (Log::default(), host.clone());
    let seen = Arc::clone(&log);
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (answer, seen, own) = (Arc::clone(&answer), Arc::clone(&seen), own.clone());
            tokio::spawn(async move {
                let request = read(&mut stream).await;
                seen.lock().unwrap().push(request.clone());
                let text = answer(&request, &own);
                if text.is_empty() {
                    return std::future::pending().await;
                }
                let _ = stream.write_all(text.as_bytes()).await;
            });
        }
    });
    (host, log)
}

async fn read(stream: &mut TcpStream) -> Seen {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(n) => text.extend_from_slice(&piece[..n]),
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let login = text
        .lines()
        .find_map(|line| line.strip_prefix("authorization: "));
    Seen {
        line: text.lines().next().unwrap_or_default().to_owned(),
        login: login.unwrap_or_default().to_owned(),
    }
}

fn reply(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

fn ok(body: &str) -> String {
    reply("200 OK", "", body)
}

fn head(digest: &str) -> String {
    reply(
        "200 OK",
        &format!("docker-content-digest: {digest}\r\n"),
        "",
    )
}

fn absent() -> String {
    reply(
        "404 Not Found",
        "",
        r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
    )
}

fn clock() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn registries(docker: Option<&Path>) -> Registries {
    let settings = config::Registries {
        docker_config: docker.map(Into::into),
        ..config::Registries::default()
    };
    Registries::new(&settings, clock)
}

fn secret(host: &str, user: &str, word: &str) -> PullSecret {
    let text = format!(r#"{{"auths":{{"{host}":{{"username":"{user}","password":"{word}"}}}}}}"#);
    PullSecret::DockerConfigJson(text.into())
}

/// What is said when every request is answered so.
async fn said(text: String) -> String {
    let (host, _) = serve(move |_, _| text.clone()).await;
    let image = format!("{host}/shop/web:1");
    let presence = registries(None).presence(&image, &[]).await;
    let Presence::Unverified(why) = presence else {
        panic!("{presence:?}");
    };
    why.replace(&host, "R")
}

#[tokio::test]
async fn every_trouble_is_one_sentence() {
    let refused = r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#;
    for (text, want) in [
        (
            reply(
                "401 Unauthorized",
                "www-authenticate: Basic realm=\"x\"\r\n",
                "",
            ),
            "R: it wants a login, and there is none",
        ),
        (
            reply("401 Unauthorized", "", ""),
            "R: it wants a login, and there is none",
        ),
        (
            reply("403 Forbidden", "", ""),
            "R: the login may not read shop/web:1",
        ),
        (
            absent(),
            "R does not show shop/web:1, nor another tag of it",
        ),
        (
            reply("429 Too Many Requests", "retry-after: 7\r\n", ""),
            "R wants to be asked less often, again in 7s",
        ),
        (
            reply("429 Too Many Requests", "retry-after: soon\r\n", ""),
            "R wants to be asked less often",
        ),
        (
            reply("502 Bad Gateway", "", "<html>"),
            "R: shop/web:1: it answers 502 Bad Gateway",
        ),
        (
            reply("500 Internal Server Error", "", refused),
            "R: shop/web:1: it answers 500 Internal Server Error not yours",
        ),
        (
            reply("307 Temporary Redirect", "location: /again\r\n", ""),
            "R: shop/web:1: it leads from one address to the next",
        ),
        (
            reply(
                "401 Unauthorized",
                "www-authenticate: Bearer realm=\"nonsense\"\r\n",
                "",
            ),
            "R: an address: relative URL without a base",
        ),
    ] {
        assert_eq!(said(text.clone()).await, want, "{text}");
    }
    for garbage in ["HTTP/1.1 nonsense", "x", "\r\n\r\n"] {
        let why = said(garbage.into()).await;
        assert!(why.starts_with("R: "), "{why}");
    }
    let nobody = registries(None)
        .presence("127.0.0.1:1/shop/web:1", &[])
        .await;
    assert_eq!(
        nobody,
        Presence::Unverified("127.0.0.1:1: connection refused".into())
    );
    let no_image = registries(None)
        .presence("127.0.0.1:1/shop//web", &[])
        .await;
    let words = "127.0.0.1:1/shop//web is no image that a registry could have";
    assert_eq!(no_image, Presence::Unverified(words.into()));
}

#[tokio::test(start_paused = true)]
async fn silence_ends() {
    assert_eq!(said(String::new()).await, "R: no answer within 10s");
}

#[tokio::test]
async fn bodies_that_are_cut_or_wrong_or_endless() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"tags\":[".to_owned();
    let endless = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
        " ".repeat(17 << 20)
    );
    for (text, want) in [
        (
            cut,
            "R: the tags of shop/web: the answer broke off: end of file before message length reached",
        ),
        (
            ok("<html>"),
            "R: shop/web:latest: the answer cannot be read: expected value at line 1 column 1",
        ),
        (
            endless,
            "R: the tags of shop/web: the answer is longer than 16 MiB",
        ),
    ] {
        let (host, _) = serve(move |_, _| text.clone()).await;
        let tags = registries(None)
            .tags(&format!("{host}/shop/web"), &[])
            .await;
        assert_eq!(tags.unwrap_err().to_string().replace(&host, "R"), want);
    }
}

#[tokio::test]
async fn missing_is_only_said_when_another_tag_is_shown() {
    for (tags, other, want) in [
        (
            ok(r#"{"tags":["1","0.9"]}"#),
            head("sha256:aa"),
            Presence::Missing,
        ),
        (ok(r#"{"tags":["1","0.9"]}"#), absent(), unsure()),
        (ok(r#"{"tags":["1"]}"#), head("sha256:aa"), unsure()),
        (ok(r#"{"tags":null}"#), head("sha256:aa"), unsure()),
        (
            ok(r#"{"tags":["../x","a b"]}"#),
            head("sha256:aa"),
            unsure(),
        ),
        (absent(), head("sha256:aa"), unsure()),
    ] {
        let told = (tags.clone(), other.clone());
        let (host, _) = serve(move |seen, _| {
            if seen.is("GET /v2/shop/web/tags/list") {
                tags.clone()
            } else if seen.is("HEAD /v2/shop/web/manifests/0.9 ") {
                other.clone()
            } else {
                absent()
            }
        })
        .await;
        let found = registries(None)
            .presence(&format!("{host}/shop/web:1"), &[])
            .await;
        let found = match found {
            Presence::Unverified(why) => Presence::Unverified(why.replace(&host, "R")),
            other => other,
        };
        assert_eq!(found, want, "{told:?}");
    }
}

fn unsure() -> Presence {
    Presence::Unverified("R does not show shop/web:1, nor another tag of it".into())
}

/// A token server beside the registry: only `robot` with `word` gets a token.
fn with_tokens(seen: &Seen, host: &str) -> String {
    // robot:word
    if seen.is("GET /token?service=r&scope=repository%3Ashop%2Fweb%3Apull") {
        return match seen.login.as_str() {
            "Basic cm9ib3Q6d29yZA==" => ok(r#"{"token":"good"}"#),
            "" => ok(r#"{"token":"nobody"}"#),
            _ => reply(
                "401 Unauthorized",
                "",
                r#"{"details":"incorrect username or password"}"#,
            ),
        };
    }
    if seen.login == "Bearer good" {
        return head("sha256:aa");
    }
    let challenge = format!(
        "www-authenticate: Bearer realm=\"http://{host}/token\",service=\"r\",scope=\"repository:shop/web:pull\"\r\n"
    );
    reply("401 Unauthorized", &challenge, "")
}

#[tokio::test]
async fn tokens_are_fetched_once_and_logins_tried_in_turn() {
    let (host, log) = serve(with_tokens).await;
    let image = format!("{host}/shop/web:1");
    let good = registries(None);
    let refused = good.look(&image, &[]).await.unwrap_err();
    assert!(refused.needs_login(), "{refused}");
    assert_eq!(
        refused.to_string(),
        format!("{host}: it wants a login, and there is none")
    );
    let secrets = [
        secret(&host, "robot", "wrong"),
        secret("other.example", "robot", "word"),
        secret(&host, "robot", "word"),
    ];
    let present =
        |found| matches!(found, Presence::Present { digest, .. } if &*digest == "sha256:aa");
    assert!(present(good.presence(&image, &secrets).await));
    let before = log.lock().unwrap().len();
    assert!(present(good.presence(&image, &secrets[2..]).await));
    let asked = log.lock().unwrap()[before..].to_vec();
    assert_eq!(asked.len(), 1, "the token is known: {asked:?}");
    // The login that there is, and that is not accepted, is what is told.
    let wrong = registries(None).presence(&image, &secrets[..1]).await;
    assert_eq!(
        wrong,
        Presence::Unverified(format!("{host}: the login is not accepted"))
    );
    // Docker's own comes first.
    let folder = tempfile::tempdir().unwrap();
    let text = format!(r#"{{"auths":{{"{host}":{{"auth":"cm9ib3Q6d29yZA=="}}}}}}"#);
    std::fs::write(folder.path().join("config.json"), text).unwrap();
    assert!(present(
        registries(Some(folder.path())).presence(&image, &[]).await
    ));
}

#[tokio::test]
async fn fifty_thousand_tags_come_in_pages_and_a_circle_ends() {
    let (host, log) = serve(|seen, _| {
        let last = seen
            .line
            .split("last=")
            .nth(1)
            .and_then(|rest| rest.split([' ', '&']).next());
        let first: u32 = last.map_or(0, |last| last.parse().unwrap());
        let tags: Vec<_> = (first + 1..=first + 1_000)
            .map(|n| format!("\"{n}\""))
            .collect();
        let next = format!(
            "link: </v2/shop/web/tags/list?n=1000&last={}>; rel=\"next\"\r\n",
            first + 1_000
        );
        let next = if first < 54_000 { next } else { String::new() };
        reply(
            "200 OK",
            &next,
            &format!(r#"{{"tags":[{}]}}"#, tags.join(",")),
        )
    })
    .await;
    let tags = registries(None)
        .tags(&format!("{host}/shop/web"), &[])
        .await
        .unwrap();
    assert_eq!((tags.names.len(), tags.whole), (55_000, true));
    assert_eq!(log.lock().unwrap().len(), 55);

    let circle = |next: &'static str| {
        move |_: &Seen, _: &str| {
            reply(
                "200 OK",
                &format!("link: <{next}>; rel=next\r\n"),
                r#"{"tags":["a"]}"#,
            )
        }
    };
    let (host, log) = serve(circle("/v2/shop/web/tags/list?n=1000")).await;
    let tags = registries(None)
        .tags(&format!("{host}/shop/web"), &[])
        .await
        .unwrap();
    assert!(!tags.whole);
    assert!(log.lock().unwrap().len() <= 2);
    let (host, _) = serve(circle("http://evil.example/x")).await;
    let error = registries(None)
        .tags(&format!("{host}/shop/web"), &[])
        .await
        .unwrap_err();
    let words = "the tags of shop/web: the next page is said to be somewhere else";
    assert_eq!(error.to_string(), format!("{host}: {words}"));
}

#[tokio::test]
async fn the_login_stays_with_the_registry() {
    let config = r#"{"created":"2026-01-01T00:00:00Z","os":"linux","architecture":"amd64"}"#;
    let (store, stored) = serve(move |_, _| ok(config)).await;
    let manifest = format!(
        r#"{{"config":{{"digest":"{}"}}}}"#,
        sha256(config.as_bytes())
    );
    let digest = sha256(manifest.as_bytes());
    let (told, kept) = (digest.clone(), store.clone());
    let (host, log) = serve(move |seen, _| {
        if seen.login.is_empty() {
            reply(
                "401 Unauthorized",
                "www-authenticate: Basic realm=r\r\n",
                "",
            )
        } else if seen.is("HEAD") {
            head(&told)
        } else if seen.is("GET /v2/shop/web/manifests/") {
            ok(&manifest)
        } else {
            reply(
                "307 Temporary Redirect",
                &format!("location: http://{kept}/blob\r\n"),
                "",
            )
        }
    })
    .await;
    let registries = registries(None);
    let image = format!("{host}/shop/web:1");
    let found = registries
        .manifest(&image, &[secret(&host, "a", "b")])
        .await
        .unwrap();
    assert_eq!(
        (&*found.digest, &*found.platforms[0].name),
        (&*digest, "linux/amd64")
    );
    assert_eq!(
        *stored.lock().unwrap(),
        [Seen {
            line: "GET /blob HTTP/1.1".into(),
            login: String::new()
        }]
    );
    // What a digest names is not asked for again.
    let before = log.lock().unwrap().len();
    registries.manifest(&image, &[]).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), before);
}

#[tokio::test]
async fn bytes_that_are_not_what_the_digest_names_are_refused() {
    let (host, _) = serve(|seen, _| {
        if seen.is("HEAD") {
            head("sha256:aa")
        } else {
            ok("{}")
        }
    })
    .await;
    let error = registries(None)
        .manifest(&format!("{host}/shop/web:1"), &[])
        .await
        .unwrap_err();
    let words = format!("{host}: shop/web@sha256:aa: what it sent is not sha256:aa");
    assert_eq!(error.to_string(), words);
}
