//! Logs: how much of them, as they grow, and of the run before.

use serde_json::{Value, json};

use super::place::{Place, deployment, image, name_of};

/// A pod whose container, `crier`, writes what the test says.
fn pod(place: &Place, tag: &str) -> Value {
    let mut object = deployment("web", tag, &json!({"replicas": 1}));
    object["spec"]["template"]["spec"]["containers"][0]["name"] = "crier".into();
    place.create("deployments", &object);
    if tag.ends_with("crash") {
        return place.wait_waiting("web", "CrashLoopBackOff");
    }
    place.wait_complete("deployments", "web", tag);
    place.pods_of("web").remove(0)
}

fn log(place: &Place, pod: &Value, query: &str) -> String {
    format!("{}/{}/log?{query}", place.core("pods"), name_of(pod))
}

#[test]
fn the_last_lines_and_those_that_follow() {
    let place = Place::new("log");
    let pod = pod(&place, "1");
    let about = |text: &str| format!("{text} of {} {}", place.namespace, "w\u{e4}b \u{2603}");
    for text in ["one", "two", "three"] {
        place.side.say(&pod, &about(text));
    }
    let whole = place.admin.get(&log(&place, &pod, ""));
    assert_eq!(whole.status, 200);
    assert!(
        whole.header("content-type").starts_with("text/plain"),
        "{:?}",
        whole.headers
    );
    let whole = whole.text();
    assert!(
        whole.ends_with(&format!("{}\n{}\n", about("two"), about("three"))),
        "{whole}"
    );
    let tail = place
        .admin
        .get(&log(&place, &pod, "container=crier&tailLines=1"))
        .text();
    assert_eq!(tail, format!("{}\n", about("three")));
    let stamped = place
        .admin
        .get(&log(&place, &pod, "timestamps=true&tailLines=1"))
        .text();
    let (time, rest) = stamped.split_once(' ').unwrap();
    let _: jiff::Timestamp = time.parse().unwrap();
    assert_eq!(rest, format!("{}\n", about("three")));
    // Whole seconds, as the real one is asked: what fell into the same second comes again.
    let second = time.split('.').next().unwrap().trim_end_matches('Z');
    let since = format!("timestamps=true&sinceTime={second}Z");
    let since = place.admin.get(&log(&place, &pod, &since)).text();
    assert!(since.ends_with(&stamped), "{since}");
    let in_time = |line: &str| line.split_once(' ').is_some_and(|(at, _)| at >= second);
    assert!(since.lines().all(in_time), "{since}");
    let later = log(&place, &pod, "sinceTime=2200-01-01T00:00:00Z");
    assert_eq!(place.admin.get(&later).text(), "");
    let lines = place
        .admin
        .lines(&log(&place, &pod, "follow=true&tailLines=2"));
    assert_eq!(lines.next().unwrap(), about("two"));
    assert_eq!(lines.next().unwrap(), about("three"));
    place.side.say(&pod, &about("four"));
    assert_eq!(lines.next().unwrap(), about("four"));
    place.side.say(&pod, &about("five"));
    assert_eq!(lines.next().unwrap(), about("five"));
}

#[test]
fn of_the_run_before() {
    let place = Place::new("previous");
    let pod = pod(&place, "1-crash");
    let previous = place
        .admin
        .get(&log(&place, &pod, "previous=true&tailLines=100"));
    assert_eq!(previous.status, 200, "{}", previous.text());
    assert_eq!(previous.text(), "panic: out of luck\n");
}

#[test]
fn what_has_no_log() {
    let place = Place::new("nolog");
    let pod = pod(&place, "1");
    let status = place
        .admin
        .get(&log(&place, &pod, "container=nobody"))
        .refused(400);
    assert_eq!(status["reason"], "BadRequest");
    assert_eq!(
        status["message"],
        format!("container nobody is not valid for pod {}", name_of(&pod))
    );
    let status = place
        .admin
        .get(&format!("{}/nobody/log", place.core("pods")))
        .refused(404);
    assert_eq!(status["message"], "pods \"nobody\" not found");
    let mut two = deployment("two", "1", &json!({"replicas": 1}));
    let side = json!({"name": "side", "image": image("side", "1")});
    two["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(side);
    place.create("deployments", &two);
    place.wait_complete("deployments", "two", "1");
    let pod = place.pods_of("two").remove(0);
    let status = place.admin.get(&log(&place, &pod, "")).refused(400);
    assert_eq!(
        status["message"],
        format!(
            "a container name must be specified for pod {}, choose one of: [app side]",
            name_of(&pod)
        )
    );
    assert_eq!(
        place.admin.get(&log(&place, &pod, "container=side")).status,
        200
    );
}
