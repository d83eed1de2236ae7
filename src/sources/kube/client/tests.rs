//! A server that misbehaves in one way at a time, and what the client makes of it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::Connection;
use crate::sources::kube::error::Cause;
use crate::sources::kube::{connect, identify};

const POD: &str = "/api/v1/namespaces/shop/pods/web-1";

/// Answers each request with the next of its texts, closes, and keeps what was asked.
struct Server {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// An empty text is a connection that is never answered.
    async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                seen.lock().unwrap().push(request);
                if answer.is_empty() {
                    silent.push(stream);
                } else {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
            std::future::pending::<()>().await;
        });
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
            asked,
        };
        let kubeconfig = format!(
            "current-context: c\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\nusers: [{{name: u, user: {{tokenFile: token}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u, namespace: shop}}}}]\n"
        );
        std::fs::write(server.file("config"), kubeconfig).unwrap();
        server.token("first");
        server
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn token(&self, token: &str) {
        std::fs::write(self.file("token"), token).unwrap();
    }

    async fn cluster(&self) -> Cluster {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let connection = Connection {
            kubeconfig: Some(self.file("config")),
            ..Connection::default()
        };
        connect(&connection, || Timestamp::UNIX_EPOCH, |_| {})
            .await
            .unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Head and body; the test bodies are small.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let read = stream.read_buf(&mut text).await.unwrap();
        let so_far = String::from_utf8_lossy(&text).into_owned();
        if read == 0 {
            return so_far;
        }
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
            if body.len() >= length {
                return so_far;
            }
        }
    }
}

fn answer(head: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn status(code: &str, rest: &str) -> String {
    let body = format!(r#"{{"kind":"Status","message":"in its words"{rest}}}"#);
    answer(&format!("{code}\r\nContent-Type: application/json"), &body)
}

async fn get(answers: Vec<String>) -> Result<Answer, Error> {
    let server = Server::start(answers).await;
    server.cluster().await.get(POD).await
}

#[tokio::test]
async fn a_good_answer_has_its_date() {
    let date = "200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT";
    let got = get(vec![answer(date, "{}")]).await.unwrap();
    assert_eq!(&got.body[..], b"{}");
    assert_eq!(got.server_date.unwrap().to_string(), "1994-11-06T08:49:37Z");
}

#[tokio::test]
async fn refusals_keep_the_servers_words() {
    let about = || "read pods/web-1 in shop".to_owned();
    let message = || "in its words".to_owned();
    let rejected = |status, causes| Error::Rejected {
        about: about(),
        status,
        message: message(),
        causes,
    };
    let cause = Cause {
        reason: "FieldValueInvalid".into(),
        field: "spec".into(),
        message: "no".into(),
    };
    let busy = |status, seconds: Option<u64>| Error::Throttled {
        about: about(),
        status,
        message: message(),
        retry_after: seconds.map(Duration::from_secs),
    };
    let (about_, message_) = (about(), message());
    for (sent, want) in [
        (
            status("403 Forbidden", ""),
            Error::Forbidden {
                about: about_.clone(),
                message: message_.clone(),
            },
        ),
        (
            status("404 Not Found", ""),
            Error::NotFound {
                about: about_.clone(),
                message: message_.clone(),
            },
        ),
        (status("409 Conflict", ""), rejected(409, vec![])),
        (
            status("410 Gone", ""),
            Error::Gone {
                about: about_,
                message: message_,
            },
        ),
        (
            status("422 Unprocessable Entity", r#","details":{}"#),
            rejected(422, vec![]),
        ),
        (
            status(
                "422 Unprocessable Entity",
                r#","details":{"causes":[{"reason":"FieldValueInvalid","field":"spec","message":"no"}]}"#,
            ),
            rejected(422, vec![cause]),
        ),
        (
            status("429 Too Many Requests\r\nRetry-After: 7", ""),
            busy(429, Some(7)),
        ),
        (status("503 Service Unavailable", ""), busy(503, None)),
    ] {
        assert_eq!(get(vec![sent]).await, Err(want));
    }
}

#[tokio::test]
async fn what_is_no_api_server_is_told_so() {
    let page = "<html><title>Corp\n Login</title>";
    for (sent, want) in [
        (
            answer("200 OK\r\nContent-Type: text/html", page),
            "titled \"Corp Login\"",
        ),
        (answer("502 Bad Gateway", page), "a proxy or a login page"),
        (
            answer("302 Found\r\nLocation: https://sso/x?token=hunter2", ""),
            "redirected (302 Found) to https://sso/x:",
        ),
    ] {
        let error = get(vec![sent]).await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error:?}");
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\"".to_owned();
    let error = get(vec![cut.clone()]).await.unwrap_err();
    assert!(
        error.to_string().contains("the answer broke off"),
        "{error}"
    );
    let server = Server::start(vec![cut]).await;
    let (_, body) = server.cluster().await.open(POD).await.unwrap();
    let pieces: Vec<_> = body.collect().await;
    assert_eq!(pieces[0], Ok(Bytes::from_static(b"{\"half\"")));
    assert!(matches!(pieces[1], Err(Error::Transport { .. })));
    let asked = server.asked()[0].to_lowercase();
    assert!(asked.contains("accept-encoding: identity"), "{asked}");
}

#[tokio::test]
async fn a_write_is_sent_once_and_says_what_it_does_not_know() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned();
    let server = Server::start(vec![cut, status("401 Unauthorized", "")]).await;
    let cluster = server.cluster().await;
    let error = cluster.patch(POD, "[]", true).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error:?}");
    server.token("second");
    let refused = cluster.patch(POD, "[]", false).await.unwrap_err();
    assert!(matches!(refused, Error::Unauthorized { .. }) && !refused.outcome_unknown());
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "a 401 does not send it again");
    assert!(asked[0].starts_with(&format!("PATCH {POD}?fieldManager=rolldeck&dryRun=All ")));
    assert!(asked[1].starts_with(&format!("PATCH {POD}?fieldManager=rolldeck ")));
    assert!(asked[0].contains("application/json-patch+json") && asked[0].ends_with("[]"));
}

#[tokio::test]
async fn a_refused_login_is_renewed_once_for_all_who_read() {
    let refused = || status("401 Unauthorized", "");
    let server = Server::start(vec![
        refused(),
        answer("200 OK", "{}"),
        answer("200 OK", "{}"),
    ])
    .await;
    let cluster = server.cluster().await;
    server.token("second");
    cluster.get(POD).await.unwrap();
    cluster.get(POD).await.unwrap();
    let tokens: Vec<_> = server
        .asked()
        .iter()
        .map(|text| text.contains("Bearer second"))
        .collect();
    assert_eq!(tokens, [false, true, true]);
}

#[tokio::test]
async fn a_login_that_stays_refused_is_not_asked_for_ever() {
    let refused = || status("401 Unauthorized", "");
    let server = Server::start(vec![refused(), refused()]).await;
    let cluster = server.cluster().await;
    for _ in 0..2 {
        let error = cluster.get(POD).await.unwrap_err();
        assert!(error.needs_login());
        assert!(error.failure().hints[0].contains("user u"), "{error:?}");
    }
    assert_eq!(server.asked().len(), 2, "the same token is not sent again");
}

#[tokio::test]
async fn nobody_there_is_not_sent_and_silence_ends() {
    let server = Server::start(vec![String::new()]).await;
    let cluster = server.cluster().await;
    let (outcome, ()) = tokio::join!(cluster.get(POD), async {
        while server.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        // Only now: paused before, the connection itself would time out.
        tokio::time::pause();
    });
    assert!(
        matches!(
            outcome,
            Err(Error::Timeout {
                after_send: true,
                ..
            })
        ),
        "{outcome:?}"
    );
    tokio::time::resume();
    let config = std::fs::read_to_string(server.file("config")).unwrap();
    let port = config.split("127.0.0.1:").nth(1).unwrap();
    let port = port.split('\'').next().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = free.local_addr().unwrap().port().to_string();
    drop(free);
    std::fs::write(server.file("config"), config.replace(port, &closed)).unwrap();
    let error = server
        .cluster()
        .await
        .patch(POD, "[]", false)
        .await
        .unwrap_err();
    assert!(!error.outcome_unknown(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("cannot connect: Connection refused"),
        "{error}"
    );
}

#[tokio::test]
async fn an_identity_stands_without_rights() {
    let denied = || status("403 Forbidden", "");
    let server = Server::start(vec![denied(), denied(), denied()]).await;
    let identity = identify(&server.cluster().await).await.unwrap();
    assert_eq!(&*identity.version, "unknown");
    assert_eq!(identity.namespace.as_deref(), Some("shop"));
    assert!(matches!(
        identity.pinned,
        crate::domain::PinnedBy::AddressAndCa(address) if address.starts_with("http://127.0.0.1:")
    ));
}
