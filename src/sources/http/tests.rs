use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that reads one request a connection and says these bytes; what it heard comes back.
async fn says(answer: Vec<u8>) -> (Url, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ci/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while !heard.windows(4).any(|w| w == b"\r\n\r\n") {
            let read = socket.read(&mut buffer).await.unwrap();
            heard.extend_from_slice(&buffer[..read]);
        }
        // The other side may close in the middle of a large body.
        let _ = socket.write_all(&answer).await;
        String::from_utf8(heard).unwrap()
    });
    (base(&url).unwrap(), task)
}

async fn client(url: &Url, ca: Option<&Path>) -> Result<Http, Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Http::new(url, ca, &Proxy::default(), Redirects::Stay).await
}

async fn ask(answer: &str) -> Result<Answer, Error> {
    let (url, _) = says(answer.as_bytes().to_vec()).await;
    let mut ask = Ask::get(url.clone());
    ask.largest = 1024;
    client(&url, None).await.unwrap().ask(&ask).await
}

#[tokio::test]
async fn a_form_is_posted_once_and_a_redirect_is_the_answer() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nDate: Fri, 27 Nov 2026 13:00:00 GMT\r\nretry-after: Fri, 27 Nov 2026 13:00:30 GMT\r\ncontent-length: 0\r\n\r\n";
    let (url, heard) = says(answer.as_bytes().to_vec()).await;
    let ask = Ask::new(Method::POST, url.join("job/a%2Fb/build").unwrap());
    let ask = ask.form([("A", "x y&z"), ("B", "ü")]);
    let got = client(&url, None).await.unwrap().ask(&ask).await.unwrap();
    assert_eq!(got.status, 302);
    assert_eq!(got.retry_after(), Some(Duration::from_secs(30)));
    assert_eq!(got.date().unwrap().to_string(), "2026-11-27T13:00:00Z");
    let heard = heard.await.unwrap();
    assert!(
        heard.starts_with("POST /ci/job/a%2Fb/build HTTP/1.1\r\n"),
        "{heard}"
    );
    assert_eq!(&*ask.body, b"A=x+y%26z&B=%C3%BC");
}

#[tokio::test]
async fn bad_answers_are_one_sentence() {
    let long = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{}",
        "x".repeat(2000)
    );
    for (answer, kind, want) in [
        (
            &*long,
            ErrorKind::TooLarge,
            "the answer is larger than 1 KiB",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf",
            ErrorKind::Torn,
            "the answer broke off: ",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 16\r\n\r\nnothing is packed",
            ErrorKind::Torn,
            "the answer broke off: ",
        ),
        ("", ErrorKind::Transport, "the connection broke: "),
        (
            "SSH-2.0-x\r\n\r\n",
            ErrorKind::Transport,
            "the connection broke: ",
        ),
    ] {
        let error = ask(answer).await.unwrap_err();
        assert!(error.message.starts_with(want), "{error:?}");
        assert_eq!((error.kind, error.after_send), (kind, true), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_it_in_the_servers_own_words() {
    for (head, body, want) in [
        (
            "403 Forbidden\r\ncontent-type: text/html",
            "<title>No\n way</title>",
            "No way (403)",
        ),
        (
            "409 Conflict",
            "\n x is not buildable\n",
            "x is not buildable (409)",
        ),
        ("500 Oops", "", "500 Internal Server Error"),
    ] {
        let answer = format!(
            "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(ask(&answer).await.unwrap().words(), want);
    }
}

#[tokio::test]
async fn nobody_there_is_known_not_to_have_heard_it() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = base(&format!("http://{}", free.local_addr().unwrap())).unwrap();
    drop(free);
    let http = client(&url, None).await.unwrap();
    let error = http.ask(&Ask::get(url)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect: Connection refused");
    assert!(!error.after_send);
}

#[tokio::test]
async fn a_file_without_certificates_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let url = base("https://127.0.0.1:1").unwrap();
    let error = client(&url, Some(&file)).await.unwrap_err().to_string();
    assert!(
        error.ends_with("ca.pem cannot be read: entity not found"),
        "{error}"
    );
    std::fs::write(&file, "nonsense").unwrap();
    let error = client(&url, Some(&file)).await.unwrap_err().to_string();
    assert!(
        error.ends_with("ca.pem holds no certificates in PEM"),
        "{error}"
    );
}

#[test]
fn addresses() {
    for (text, want) in [
        (
            "https://ci.example/jenkins",
            Ok("https://ci.example/jenkins/"),
        ),
        (" http://ci:8080/?x#y ", Ok("http://ci:8080/")),
        ("ci", Err("relative URL without a base")),
        (
            "ftp://ci",
            Err("begins neither with https:// nor with http://"),
        ),
        (
            "https://a:b@ci",
            Err("holds a login, which has no place in an address"),
        ),
    ] {
        let got = base(text).map(|url| url.to_string());
        assert_eq!(got.as_deref().map_err(|e| &**e), want, "{text}");
    }
}
