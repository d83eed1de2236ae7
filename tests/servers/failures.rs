//! Every client against every way in which its server can fail: one sentence, bounded, and no login where it does not
//! belong.

use std::io::Write;
use std::net::TcpStream;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures::StreamExt as _;
use rolldeck::config::{self, Config, DockerEngine, Proxy};
use rolldeck::domain::Presence;
use rolldeck::domain::commit::Between;
use rolldeck::engine::clock;
use rolldeck::sources::docker::Docker;
use rolldeck::sources::jenkins::connect;
use rolldeck::sources::prometheus::Prometheus;
use rolldeck::sources::registry::{Login, PullSecret, Registries};
use rolldeck::sources::source_repo::Repositories;
use tokio::runtime::{Builder, Runtime};

use crate::support::hostile::{Hostile, echo, reply};
use crate::support::keeper::write;

/// What logs in, everywhere.
const WORD: &str = "planted-hunter2";
/// The longest sentence, in bytes: the longest words of a server, and what stands before them.
const LONGEST: usize = 800;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// At the first word.
    JenkinsConnect,
    /// After that went well.
    JenkinsBuilds,
    Registry,
    GitHub,
    GitLab,
    Gitee,
    Engine,
    EnginePull,
    Prometheus,
}

const CLIENTS: [Client; 9] = [
    Client::JenkinsConnect,
    Client::JenkinsBuilds,
    Client::Registry,
    Client::GitHub,
    Client::GitLab,
    Client::Gitee,
    Client::Engine,
    Client::EnginePull,
    Client::Prometheus,
];

/// What is said by the client when all of its requests go to this port.
async fn said(client: Client, port: u16) -> Result<(), String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match client {
        Client::JenkinsConnect | Client::JenkinsBuilds => {
            let text = format!(
                "{{name: ci, url: 'http://127.0.0.1:{port}', user: me, token: {{command: [echo, {WORD}]}}}}"
            );
            let settings: config::Jenkins = serde_yaml::from_str(&text).unwrap();
            let ci = connect(&settings, &Proxy::default()).await;
            let ci = ci.map_err(|why| why.failure().line())?;
            let builds = ci.builds("web", 20).await;
            builds.map(drop).map_err(|why| why.failure().line())
        }
        Client::Registry => {
            let text = format!(
                r#"{{"auths":{{"127.0.0.1:{port}":{{"username":"me","password":"{WORD}"}}}}}}"#
            );
            let secret = PullSecret::DockerConfigJson(text.into());
            let image = format!("127.0.0.1:{port}/shop/web:1");
            let registries = Registries::new(&config::Registries::default(), clock::now);
            match registries.presence(&image, &[secret]).await {
                Presence::Unverified(why) => Err(why),
                Presence::Present { .. } | Presence::Missing => Ok(()),
            }
        }
        Client::GitHub => host("v3", port).await,
        Client::GitLab => host("v4", port).await,
        Client::Gitee => host("v5", port).await,
        Client::Engine => {
            let images = engine(port).images().await;
            images.map(drop).map_err(|why| why.failure().line())
        }
        Client::EnginePull => {
            let login = Login::Password {
                user: "me".into(),
                secret: WORD.into(),
            };
            let said: Vec<_> = engine(port)
                .pull("shop/web:1", Some(&login))
                .collect()
                .await;
            let failed = said.into_iter().find_map(Result::err);
            failed.map_or(Ok(()), |why| Err(why.failure().line()))
        }
        Client::Prometheus => metrics(port).await,
    }
}

async fn metrics(port: u16) -> Result<(), String> {
    let text = format!(
        "[{{url: 'http://127.0.0.1:{port}/p', user: me, token: {{command: [echo, {WORD}]}}}}]"
    );
    let config = Config {
        prometheus: serde_yaml::from_str(&text).unwrap(),
        ..Config::default()
    };
    let told = super::metrics::measure(&Prometheus::new(&config, clock::now)).await;
    told.canary.requests.map(drop)
}

fn engine(port: u16) -> Docker {
    let address = DockerEngine {
        host: Some(format!("tcp://127.0.0.1:{port}")),
        certificates: None,
    };
    Docker::new(&address).unwrap()
}

async fn host(version: &str, port: u16) -> Result<(), String> {
    static TOKEN: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("token"), WORD);
        folder
    });
    let token = TOKEN.path().join("token");
    let rules = format!(
        "[{{url: 'https://git.corp/shop/cart.git', api: 'http://127.0.0.1:{port}/api/{version}', token: {{file: {}}}}}]",
        token.display()
    );
    let config = Config {
        repositories: serde_yaml::from_str(&rules).unwrap(),
        ..Config::default()
    };
    let known = Repositories::new(&config);
    let cart = known.of("cart", None).unwrap();
    let between = Between {
        repository: cart,
        from: "0123456789abcdef0123456789abcdef01234567".into(),
        to: "abcdef0123456789".into(),
    };
    let found = known.between(&between).await;
    found.map(drop).map_err(|why| why.to_string())
}

/// A server for this client that fails so; what has to go well before does.
fn server(client: Client, fail: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Hostile {
    Hostile::start(move |head, socket| {
        let welcome = match client {
            Client::JenkinsBuilds if head.contains("tree=useCrumbs") => {
                Some(reply("200 OK", "x-jenkins: 2.541\r\n", "{}"))
            }
            // A registry says how it wants the login before it can be told it.
            Client::Registry if !head.to_lowercase().contains("authorization: ") => Some(reply(
                "401 Unauthorized",
                "www-authenticate: Basic realm=\"x\"\r\n",
                "",
            )),
            _ => None,
        };
        match welcome {
            Some(welcome) => {
                let _ = socket.write_all(welcome.as_bytes());
            }
            None => fail(head, socket),
        }
    })
}

fn check(client: Client, fault: &str, said: Result<(), String>) {
    let Err(said) = said else {
        panic!("{client:?} takes {fault} for an answer");
    };
    let words = said.split_once(": ").map_or("", |(_, words)| words);
    let tells = words.trim().len() > 3 || client == Client::Registry;
    assert!(tells, "{client:?} {fault}: {said:?}");
    assert!(said.len() <= LONGEST, "{client:?} {fault}: {said}");
    assert!(!said.contains('\n'), "{client:?} {fault}: {said}");
    let packed = said.split(|c: char| !c.is_ascii_alphanumeric() && !"+/".contains(c));
    let mut unpacked = packed.map(|word| STANDARD_NO_PAD.decode(word).unwrap_or_default());
    let hidden = |text: &[u8]| !String::from_utf8_lossy(text).contains(WORD);
    assert!(hidden(said.as_bytes()), "{client:?} {fault}: {said}");
    assert!(
        unpacked.all(|text| hidden(&text)),
        "{client:?} {fault}: {said}"
    );
}

const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html\r\n";
const ENDLESS: &str = "a body without end";

/// What a server says, given the login that it heard.
type Fault = (&'static str, fn(&str) -> String);

const FAULTS: [Fault; 16] = [
    ("401", |heard| {
        reply("401 Unauthorized", JSON, &words(heard))
    }),
    ("403", |heard| reply("403 Forbidden", JSON, &words(heard))),
    ("404", |heard| reply("404 Not Found", JSON, &words(heard))),
    ("429", |heard| {
        reply("429 Too Many Requests", "retry-after: 7\r\n", &words(heard))
    }),
    ("500", |heard| reply("500 Oh no", JSON, &words(heard))),
    ("503", |heard| {
        reply(
            "503 Later",
            HTML,
            &format!("<title>{}</title>", plain(heard)),
        )
    }),
    ("a cut body", |_| {
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"jobs\":[".into()
    }),
    ("no JSON", |heard| reply("200 OK", JSON, &plain(heard))),
    ("JSON of another kind", |heard| {
        let word = plain(heard);
        let text = format!(r#"{{"jobs":"{word}","builds":"{word}","commits":"{word}"}}"#);
        reply("200 OK", JSON, &text)
    }),
    ("a login page", |heard| {
        reply(
            "200 OK",
            HTML,
            &format!("<title>Sign in, {}</title>", plain(heard)),
        )
    }),
    ("deep JSON", |_| reply("200 OK", JSON, &"[".repeat(200_000))),
    ("nothing", |_| String::new()),
    ("another protocol", |_| "SSH-2.0-OpenSSH_9.2\r\n\r\n".into()),
    ("what is not packed", |_| {
        reply("200 OK", "content-encoding: gzip\r\n", "plain")
    }),
    ("a head without end", |_| {
        format!(
            "HTTP/1.1 200 OK\r\nx-padding: {}\r\n\r\n",
            "x".repeat(1 << 20)
        )
    }),
    (ENDLESS, |_| {
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".into()
    }),
];

/// As registries, hosts and engines word it.
fn words(heard: &str) -> String {
    let words = plain(heard);
    format!(r#"{{"message":"{words}","errors":[{{"code":"NO","message":"{words}"}}]}}"#)
}

fn plain(heard: &str) -> String {
    heard.replace(['"', '\\'], " ")
}

/// What is no failure of this client, or not for it to see.
fn fine(client: Client, fault: &str) -> bool {
    match client {
        // bollard reads all that an engine says, however much that is.
        Client::Engine => fault == ENDLESS,
        // And so it does here; news of an unknown kind are no news, and a pull that told no end did not come to it.
        Client::EnginePull => [ENDLESS, "JSON of another kind"].contains(&fault),
        _ => false,
    }
}

#[test]
fn every_refusal_and_every_answer_that_is_none_is_one_sentence() {
    for client in CLIENTS {
        for (fault, says) in FAULTS {
            if fine(client, fault) {
                continue;
            }
            let hostile = server(client, move |head, socket| {
                let mut sent = socket.write_all(says(&echo(head)).as_bytes());
                while fault == ENDLESS && sent.is_ok() {
                    sent = socket.write_all(&[b' '; 1 << 12]);
                }
            });
            let said = runtime(false).block_on(said(client, hostile.port));
            check(client, fault, said);
        }
    }
}

/// A black hole, and one that stops in the middle.
#[test]
fn a_server_that_is_silent_is_given_up() {
    for client in CLIENTS {
        for start in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{",
        ] {
            let hostile = server(client, move |_, socket| {
                let _ = socket.write_all(start.as_bytes());
                std::thread::park();
            });
            let said = runtime(true).block_on(said(client, hostile.port));
            let fault = format!("silence after {start:?}");
            check(client, &fault, said);
        }
    }
}

/// Paused time goes on by itself as soon as everybody only waits.
fn runtime(paused: bool) -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().start_paused(paused).build().unwrap()
}

#[test]
fn a_login_goes_nowhere_else() {
    for client in CLIENTS {
        let other = Hostile::saying(reply("200 OK", "content-type: application/json\r\n", "{}"));
        let there = format!("location: http://127.0.0.1:{}/elsewhere\r\n", other.port);
        let answer = reply("302 Found", &there, "");
        let first = server(client, move |_, socket| {
            let _ = socket.write_all(answer.as_bytes());
        });
        let said = runtime(false).block_on(said(client, first.port));
        if let Err(said) = said {
            assert!(!said.contains(WORD), "{client:?}: {said}");
        }
        assert!(!first.heard().is_empty(), "{client:?}");
        for head in other.heard() {
            assert_eq!(echo(&head).trim(), "", "{client:?}: {head}");
        }
    }
}
