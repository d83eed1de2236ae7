//! Prometheus, asked directly and through an API server: how often, with which login, and what its refusals become.

use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use rolldeck::config::{Config, Connection};
use rolldeck::domain::measured::{Pods, Side, Sides, Told};
use rolldeck::domain::{Kind, WorkloadId};
use rolldeck::sources::http::Url;
use rolldeck::sources::kube::{Cluster, connect};
use rolldeck::sources::prometheus::Prometheus;
use serde_json::json;

use crate::support::api::RUNTIME;
use crate::support::hostile::{Hostile, header, reply};
use crate::support::keeper::write;

const JSON: &str = "content-type: application/json\r\n";
const HTML: &str = "content-type: text/html\r\n";

/// Of a cart whose two sides differ by their hashes.
pub async fn measure(prometheus: &Prometheus) -> Told {
    behind(prometheus, 1).await
}

/// The same, with an API server at this port.
async fn behind(prometheus: &Prometheus, port: u16) -> Told {
    let (_folder, cluster) = cluster(port).await;
    let of = WorkloadId {
        cluster: "staging".into(),
        namespace: "shop".into(),
        kind: Kind::Rollout,
        name: "cart".into(),
    };
    let side = |hash: &str| Side {
        workload: "cart".into(),
        hash: Some(hash.into()),
        pods: Pods::OfReplicaSet,
    };
    let sides = Sides {
        canary: side("new"),
        stable: side("old"),
    };
    prometheus.measure(&cluster, &of, &sides).await
}

async fn cluster(port: u16) -> (tempfile::TempDir, Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "staging",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "u", "user": {"token": "of-the-cluster"}}],
        "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u"}}],
    });
    let path = folder.path().join("kubeconfig");
    write(&path, &text.to_string());
    let connection = Connection {
        kubeconfig: Some(path),
        ..Connection::default()
    };
    let cluster = connect(&connection, Timestamp::now, |_| {}).await.unwrap();
    (folder, cluster)
}

fn config(servers: &str) -> Config {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Config {
        prometheus: serde_yaml::from_str(servers).unwrap(),
        ..Config::default()
    }
}

/// Twelve requests a second, of which no more fails than 1 in 500, and 200 ms.
fn good(head: &str) -> String {
    let target = head.split_whitespace().nth(1).unwrap();
    let url = Url::parse("http://x").unwrap().join(target).unwrap();
    let of = |name: &str| {
        let mut pairs = url.query_pairs();
        let found = pairs.find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    let query = of("query").unwrap();
    let body = match of("end") {
        None => {
            json!({"resultType": "vector", "result": [{"metric": {}, "value": [1000.5, "12"]}]})
        }
        Some(end) => {
            let value = if query.contains("quantile") {
                "0.2"
            } else {
                "0.002"
            };
            let end: f64 = end.parse().unwrap();
            json!({"resultType": "matrix", "result": [{"metric": {}, "values": [[end, value]]}]})
        }
    };
    let body = json!({"status": "success", "data": body}).to_string();
    reply("200 OK", JSON, &body)
}

#[test]
fn six_questions_tell_both_sides_and_are_not_repeated_for_fifteen_seconds() {
    static NOW: AtomicI64 = AtomicI64::new(1_795_780_000);
    let server = Hostile::start(|head, socket| {
        let _ = socket.write_all(good(head).as_bytes());
    });
    let config = config(&format!("[{{url: 'http://127.0.0.1:{}/p'}}]", server.port));
    let clock = || Timestamp::from_second(NOW.load(Ordering::Relaxed)).unwrap();
    let prometheus = Prometheus::new(&config, clock);
    let look = || RUNTIME.block_on(measure(&prometheus));
    let told = look();
    assert_eq!(told.canary.requests, Ok(12_000));
    assert_eq!(told.canary.errors.as_ref().unwrap().now, 2_000);
    let p99 = told.stable.p99.as_ref().unwrap();
    assert_eq!((p99.now, p99.points.len()), (200_000, 8));
    assert_eq!(p99.points[6..], [None, Some(200_000)]);
    let heard = server.heard();
    assert_eq!(heard.len(), 6, "{heard:?}");
    for (part, count) in [
        ("GET /p/api/v1/query?", 2),
        ("GET /p/api/v1/query_range?", 4),
        // By the clock of the server.
        ("end=1000.500", 4),
        ("cart-new-", 3),
        ("cart-old-", 3),
    ] {
        let with = heard.iter().filter(|head| head.contains(part));
        assert_eq!(with.count(), count, "{part}: {heard:?}");
    }
    NOW.fetch_add(14, Ordering::Relaxed);
    assert_eq!(look(), told);
    assert_eq!(server.heard().len(), 6, "asked again too soon");
    NOW.fetch_add(1, Ordering::Relaxed);
    assert_eq!(look(), told);
    assert_eq!(server.heard().len(), 12);
}

#[test]
fn a_login_that_is_not_taken_is_read_again_for_the_next_question() {
    static NOW: AtomicI64 = AtomicI64::new(1_795_780_000);
    let server = Hostile::start(|head, socket| {
        let answer = match header(head, "authorization") {
            Some("Bearer second") => good(head),
            _ => reply("401 Unauthorized", "", "no"),
        };
        let _ = socket.write_all(answer.as_bytes());
    });
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    write(&token, "first");
    let text = format!(
        "[{{url: 'http://127.0.0.1:{}', token: {{file: '{}'}}}}]",
        server.port,
        token.display()
    );
    let clock = || Timestamp::from_second(NOW.load(Ordering::Relaxed)).unwrap();
    let prometheus = Prometheus::new(&config(&text), clock);
    let look = || RUNTIME.block_on(measure(&prometheus)).canary.requests;
    let refused = format!(
        "127.0.0.1:{}: it does not accept the login: no (401)",
        server.port
    );
    assert_eq!(look(), Err(refused));
    write(&token, "second");
    NOW.fetch_add(15, Ordering::Relaxed);
    assert_eq!(look(), Ok(12_000));
}

#[test]
fn behind_an_api_server_every_refusal_is_a_sentence_and_the_users_login_goes_along() {
    let status = |code: u16, message: &str| {
        json!({"kind": "Status", "status": "Failure", "code": code, "message": message}).to_string()
    };
    let forbidden = "services \"prometheus:9090\" is forbidden: User \"oncall\" cannot get resource \
        \"services/proxy\" in API group \"\" in the namespace \"monitoring\"";
    let refused = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    for (answer, want) in [
        (
            reply("403 Forbidden", JSON, &status(403, forbidden)),
            "monitoring/prometheus:9090/p: not for you: needs get services/proxy in monitoring",
        ),
        (
            reply("401 Unauthorized", HTML, "<title>Sign in</title>"),
            "monitoring/prometheus:9090/p: it, or the API server, does not accept the login: an HTML page",
        ),
        (
            reply("400 Bad Request", JSON, refused),
            "monitoring/prometheus:9090/p: bad_data: parse error",
        ),
        (
            reply("503 Later", JSON, &status(503, "no endpoints available")),
            "too busy or not ready (503): no endpoints available",
        ),
        (
            reply(
                "404 Not Found",
                JSON,
                &status(404, "services \"prometheus\" not found"),
            ),
            "services \"prometheus\" not found",
        ),
        (
            reply("200 OK", HTML, "<title>Grafana</title>"),
            "an HTML page titled \"Grafana\" came instead of an answer",
        ),
        (
            reply("200 OK", JSON, "{\"status\":"),
            "the answer is not what Prometheus says: EOF while parsing",
        ),
    ] {
        let server = Hostile::saying(answer);
        let servers = config("[{service: 'monitoring/prometheus:9090/p'}]");
        let prometheus = Prometheus::new(&servers, Timestamp::now);
        let told = RUNTIME.block_on(behind(&prometheus, server.port));
        let said = told.canary.requests.unwrap_err();
        assert!(said.contains(want), "{said}");
        let heard = server.heard();
        assert_eq!(
            heard.len(),
            2,
            "one question a side, never repeated: {heard:?}"
        );
        let path =
            "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/p/api/v1/query?query=";
        for head in &heard {
            assert!(head.starts_with(&format!("GET {path}")), "{head}");
            assert_eq!(header(head, "authorization"), Some("Bearer of-the-cluster"));
        }
    }
}

#[test]
fn a_question_that_is_the_same_for_both_sides_is_not_asked() {
    let server = Hostile::saying("");
    let text = format!(
        "[{{url: 'http://127.0.0.1:{}', queries: {{p99: 'slow{{app=\"{{workload}}\"}}'}}}}]",
        server.port
    );
    let prometheus = Prometheus::new(&config(&text), Timestamp::now);
    let told = RUNTIME.block_on(measure(&prometheus));
    let why = "the query of p99 is the same for both sides: {pods} has to stand in it";
    assert_eq!(told.canary.requests, Err(why.into()));
    assert_eq!(server.heard(), Vec::<String>::new());
}
