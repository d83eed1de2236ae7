use super::*;
use crate::config::secret::Place;
use crate::domain::build::{JobId, Ticket, Whereabouts};
use crate::sources::jenkins::{LogReader, Stop};
use std::collections::BTreeSet;
use std::sync::Mutex as Lock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Heard = Arc<Lock<Vec<String>>>;

/// A server that answers a request by its first line and its whole text.
async fn server(answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ci", listener.local_addr().unwrap());
    let heard = Heard::default();
    let log = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut text = Vec::new();
            let mut buffer = [0; 8192];
            while !text.windows(4).any(|w| w == b"\r\n\r\n") {
                match socket.read(&mut buffer).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => text.extend_from_slice(&buffer[..read]),
                }
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            let line = text.lines().next().unwrap_or_default().to_owned();
            log.lock().unwrap().push(line.clone());
            let _ = socket.write_all(&answer(&line, &text)).await;
        }
    });
    (url, heard)
}

fn says(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

async fn to(url: &str) -> Result<Client, Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let command = vec!["echo".into(), "hunter2".into()];
    let settings = Jenkins {
        user: Some("me".into()),
        token: Some(Place::Command { command }.into()),
        ..serde_yaml::from_str(&format!("{{name: ci, url: '{url}'}}")).unwrap()
    };
    connect(&settings, &Proxy::default()).await
}

const MODERN: &str = "x-jenkins: 2.541\r\n";

async fn modern(answer: impl Fn(&str, &str) -> Vec<u8> + Send + Sync + 'static) -> (Client, Heard) {
    let (url, heard) = server(move |line, text| {
        if line.contains("tree=useCrumbs") {
            says("200 OK", MODERN, r#"{"useCrumbs":true}"#)
        } else if line.contains("/crumbIssuer/") {
            let crumb = r#"{"crumb":"c1","crumbRequestField":"Jenkins-Crumb"}"#;
            says("200 OK", "set-cookie: JSESSIONID=s1; Path=/\r\n", crumb)
        } else {
            answer(line, text)
        }
    })
    .await;
    let client = to(&url).await.unwrap();
    assert_eq!(client.flavour(), &Flavour::Jenkins("2.541".into()));
    heard.lock().unwrap().clear();
    (client, heard)
}

fn build(path: &str) -> BuildId {
    BuildId {
        job: JobId::new("ci", path),
        number: 7,
    }
}

async fn a_job(client: &Client) -> crate::domain::build::Job {
    client.job("shop/web/release%2F2").await.unwrap()
}

const JOB: &str = r#"{"name":"x","buildable":true,"nextBuildNumber":8,"property":[{"parameterDefinitions":[{"name":"TAG","type":"StringParameterDefinition"}]}]}"#;

#[tokio::test]
async fn a_trigger_carries_crumb_and_session_and_gives_the_queue_item() {
    let (client, heard) = modern(|line, text| {
        if line.starts_with("GET") {
            return says("200 OK", MODERN, JOB);
        }
        assert!(text.contains("jenkins-crumb: c1") && text.contains("cookie: JSESSIONID=s1"));
        assert!(text.contains("authorization: Basic bWU6aHVudGVyMg=="));
        let location = "location: http://wrong.host/ci/queue/item/17/\r\n";
        says("303 See Other", location, "")
    })
    .await;
    let job = a_job(&client).await;
    let given = [("TAG".into(), "2.0".into())];
    let ticket = client.trigger_build(&job, &given).await.unwrap();
    assert_eq!(
        (ticket.item, ticket.joined, ticket.next_number),
        (Some(17), true, 8)
    );
    let heard = heard.lock().unwrap().clone();
    assert!(heard[0].starts_with("GET /ci/job/shop/job/web/job/release%252F2/api/json?tree="));
    let post =
        "POST /ci/job/shop/job/web/job/release%252F2/buildWithParameters?delay=0sec HTTP/1.1";
    assert_eq!(heard[2], post);
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(!format!("{client:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_crumb_that_has_died_is_asked_for_again_once() {
    let (client, heard) = modern(|line, _| {
        if line.starts_with("GET") {
            return says("200 OK", MODERN, JOB);
        }
        let why = "No valid crumb was included in the request";
        says("403 Forbidden", "", why)
    })
    .await;
    let error = client
        .stop_build(&build("web"), Stop::Ask)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "stop build 7 of web on ci: No valid crumb was included in the request (403)"
    );
    let posts = heard
        .lock()
        .unwrap()
        .iter()
        .filter(|l| l.starts_with("POST"))
        .count();
    assert_eq!(posts, 2);
}

#[tokio::test]
async fn nothing_is_sent_that_the_job_does_not_take() {
    let (client, heard) = modern(|_, _| says("200 OK", MODERN, JOB)).await;
    let mut job = a_job(&client).await;
    let wrong = [("TGA".into(), "2.0".into())];
    let error = client.trigger_build(&job, &wrong).await.unwrap_err();
    assert!(
        error.to_string().ends_with("the job does not ask for TGA"),
        "{error}"
    );
    job.buildable = false;
    let error = client.trigger_build(&job, &[]).await.unwrap_err();
    assert!(
        error.to_string().ends_with("the job is switched off"),
        "{error}"
    );
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_ticket_is_found_in_the_queue_in_a_build_and_after_its_item_is_forgotten() {
    let ticket = |item| Ticket {
        job: JobId::new("ci", "web"),
        item: Some(item),
        joined: false,
        next_number: 8,
        parameters: Vec::new(),
    };
    let (client, _) = modern(|line, _| {
        let body = match line {
            l if l.contains("/item/1/") => r#"{"id":1,"why":"Waiting","executable":null}"#,
            l if l.contains("/item/2/") => r#"{"id":2,"why":null,"executable":{"number":9}}"#,
            l if l.contains("/item/3/") => r#"{"id":3,"cancelled":true}"#,
            l if l.contains("/item/") => return says("404 Not Found", "", ""),
            _ => r#"{"builds":[{"number":12,"queueId":5},{"number":11,"queueId":4}]}"#,
        };
        says("200 OK", MODERN, body)
    })
    .await;
    let number = |found: Whereabouts| match found {
        Whereabouts::Build(build) => Some(build.number),
        _ => None,
    };
    let at = |item| {
        let client = client.clone();
        async move { client.whereabouts(&ticket(item)).await.unwrap() }
    };
    assert!(matches!(at(1).await, Whereabouts::Queued(queued) if queued.why.is_some()));
    assert_eq!(number(at(2).await), Some(9));
    assert_eq!(at(3).await, Whereabouts::Cancelled);
    assert_eq!(number(at(4).await), Some(11));
    assert_eq!(at(6).await, Whereabouts::Unknown);
}

#[tokio::test]
async fn a_huge_log_stays_bounded() {
    const SIZE: u64 = 200 << 20;
    let (client, heard) = modern(|line, _| {
        let start = line.split("start=").nth(1).unwrap();
        let start: u64 = start.split(' ').next().unwrap().parse().unwrap();
        let length = usize::try_from((SIZE - start).min(256 << 10)).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nX-Text-Size: {SIZE}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", SIZE - start);
        let mut answer = head.into_bytes();
        answer.extend("line of the log\n".as_bytes().iter().cycle().take(length));
        answer
    })
    .await;
    let mut reader = LogReader::new(build("web"));
    let piece = reader.read(&client, 64 << 10).await.unwrap();
    assert_eq!(piece.skipped, SIZE - (64 << 10));
    assert_eq!((piece.lines.len(), piece.more), (4095, false));
    assert_eq!(heard.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn strange_answers_are_one_sentence() {
    for (answer, want) in [
        (
            says(
                "200 OK",
                "content-type: text/html\r\n",
                "<title>Sign in</title>",
            ),
            "read job web on ci: a page came instead of an answer: Sign in (200)",
        ),
        (
            says("302 Found", "location: https://sso/x?y\r\n", ""),
            "read job web on ci: redirected (302) to https://sso/x: a login page or another address stands before it",
        ),
        (
            says(
                "404 Not Found",
                "content-type: text/html\r\n",
                "<title>Not Found</title>",
            ),
            "read job web on ci: Not Found (404)",
        ),
        (
            says("429 Slow down", "retry-after: 30\r\n", "slow down"),
            "read job web on ci: the server is too busy or not ready: slow down (429)",
        ),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"name".to_vec(),
            "read job web on ci: the answer broke off: ",
        ),
        (b"".to_vec(), "read job web on ci: the connection broke: "),
    ] {
        let (client, _) = modern(move |_, _| answer.clone()).await;
        let error = client.job("web").await.unwrap_err();
        assert!(error.to_string().starts_with(want), "{error}\n{want}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let (url, _) = server(|_, _| says("401 No", "", "Invalid password/token for user: me")).await;
    let error = to(&url).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "connect to ci: the server does not accept user and token: Invalid password/token for user: me (401)"
    );
}

#[tokio::test]
async fn jobs_in_folders_are_one_request() {
    let (client, heard) = modern(|_, _| {
        let jobs = r#"{"jobs":[{"name":"web","jobs":[{"name":"main","buildable":true,"lastBuild":{"number":3,"building":true}},{"name":"next"}]},{"name":"cart","buildable":false}]}"#;
        says("200 OK", MODERN, jobs)
    })
    .await;
    let paths: BTreeSet<Box<str>> = ["shop/web/main", "shop/cart", "shop/gone"]
        .map(Into::into)
        .into();
    let jobs = client.jobs(&paths).await.unwrap();
    let found: Vec<_> = jobs.iter().map(|job| &*job.id.path).collect();
    assert_eq!(found, ["shop/web/main", "shop/cart"]);
    let last = jobs[0].last.as_ref().unwrap();
    assert!(
        last.url.ends_with("/ci/job/shop/job/web/job/main/3"),
        "{}",
        last.url
    );
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_read_whose_answer_is_not_packed_as_it_says_is_read_again_plain() {
    let (client, heard) = modern(|_, text| {
        let body = r#"{"name":"web","buildable":true,"inQueue":false,"builds":[]}"#;
        if text.contains("accept-encoding: identity") {
            says("200 OK", MODERN, body)
        } else {
            says("200 OK", "content-encoding: gzip\r\n", body)
        }
    })
    .await;
    assert_eq!(client.builds("web", 20).await.unwrap(), []);
    let heard = heard.lock().unwrap();
    let reads = heard.iter().filter(|line| line.contains("/job/web/"));
    assert_eq!(reads.count(), 2, "{heard:?}");
}
