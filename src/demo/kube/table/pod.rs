//! The cells of a pod: its status is what its containers make of it.

use serde_json::Value;

use super::super::object::{int_at, items_at, text_at};
use super::cells::{Source, since};

pub fn cells(of: &Source<'_>) -> Vec<Value> {
    let pod = of.object;
    let state = State::of(pod);
    let total = items_at(pod, "/spec/containers").len() + sidecars(pod).count();
    let mut restarts = state.restarts.to_string();
    if state.restarts > 0 && !state.last.is_empty() {
        restarts = format!("{restarts} ({} ago)", since(&state.last, of.now));
    }
    vec![
        of.text("/metadata/name").into(),
        format!("{}/{total}", state.ready).into(),
        state.reason.into(),
        restarts.into(),
        of.age(),
        of.or("/status/podIP", "<none>"),
        of.or("/spec/nodeName", "<none>"),
        of.or("/status/nominatedNodeName", "<none>"),
        "<none>".into(),
    ]
}

#[derive(Default)]
struct State {
    reason: String,
    ready: u32,
    restarts: i64,
    /// When a container last ended before it was started again.
    last: String,
}

/// Init containers that go on running.
fn sidecars(pod: &Value) -> impl Iterator<Item = &str> {
    let all = items_at(pod, "/spec/initContainers").iter();
    all.filter(|one| one["restartPolicy"] == "Always")
        .map(|one| text_at(one, "/name"))
}

fn is_true(pod: &Value, condition: &str) -> bool {
    let mut all = items_at(pod, "/status/conditions").iter();
    all.any(|one| one["type"] == condition && one["status"] == "True")
}

impl State {
    fn of(pod: &Value) -> Self {
        let reason = match text_at(pod, "/status/reason") {
            "" => text_at(pod, "/status/phase"),
            reason => reason,
        };
        let mut state = Self {
            reason: reason.to_owned(),
            ..Self::default()
        };
        let initializing = state.initial(pod);
        if !initializing || is_true(pod, "Initialized") {
            state.main(pod);
        }
        if !text_at(pod, "/metadata/deletionTimestamp").is_empty() {
            let over = matches!(text_at(pod, "/status/phase"), "Succeeded" | "Failed");
            if text_at(pod, "/status/reason") == "NodeLost" {
                state.reason = "Unknown".into();
            } else if !over {
                state.reason = "Terminating".into();
            }
        }
        state
    }

    /// True while an init container is not done.
    fn initial(&mut self, pod: &Value) -> bool {
        let total = items_at(pod, "/spec/initContainers").len();
        for (number, one) in items_at(pod, "/status/initContainerStatuses")
            .iter()
            .enumerate()
        {
            let stays = sidecars(pod).any(|name| name == text_at(one, "/name"));
            self.count(one);
            let ended = one.pointer("/state/terminated");
            if ended.is_some_and(|ended| ended["exitCode"] == 0) {
                continue;
            }
            if stays && one["started"] == true {
                self.ready += u32::from(one["ready"] == true);
                continue;
            }
            self.reason = match (ended, text_at(one, "/state/waiting/reason")) {
                (Some(ended), _) => format!("Init:{}", end(ended)),
                (None, "" | "PodInitializing") => format!("Init:{number}/{total}"),
                (None, reason) => format!("Init:{reason}"),
            };
            return true;
        }
        false
    }

    fn main(&mut self, pod: &Value) {
        let mut running = false;
        self.restarts = items_at(pod, "/status/initContainerStatuses")
            .iter()
            .filter(|one| sidecars(pod).any(|name| name == text_at(one, "/name")))
            .filter_map(|one| int_at(one, "/restartCount"))
            .sum();
        for one in items_at(pod, "/status/containerStatuses").iter().rev() {
            self.count(one);
            match (
                one.pointer("/state/terminated"),
                text_at(one, "/state/waiting/reason"),
            ) {
                (None, "") => {
                    let up = one["ready"] == true && one["state"].get("running").is_some();
                    self.ready += u32::from(up);
                    running |= up;
                }
                (Some(ended), "") => self.reason = end(ended),
                (_, reason) => self.reason = reason.into(),
            }
        }
        if self.reason == "Completed" && running {
            let ready = is_true(pod, "Ready");
            self.reason = if ready { "Running" } else { "NotReady" }.into();
        }
    }

    fn count(&mut self, status: &Value) {
        self.restarts += int_at(status, "/restartCount").unwrap_or(0);
        let ended = text_at(status, "/lastState/terminated/finishedAt");
        if ended > &*self.last {
            self.last = ended.into();
        }
    }
}

fn end(ended: &Value) -> String {
    match (text_at(ended, "/reason"), int_at(ended, "/signal")) {
        ("", Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        ("", _) => format!("ExitCode:{}", ended["exitCode"]),
        (reason, _) => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(pod: &Value) -> (String, u32, i64) {
        let state = State::of(pod);
        (state.reason, state.ready, state.restarts)
    }

    #[test]
    fn the_status_is_the_worst_news_of_the_containers() {
        let pod = |statuses: Value| json!({"status": {"phase": "Running", "containerStatuses": statuses}});
        let up = json!({"ready": true, "restartCount": 1, "state": {"running": {}}});
        let crash = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}}});
        let killed = json!({"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        for (statuses, want) in [
            (json!([up]), ("Running", 1, 1)),
            (json!([up, crash]), ("CrashLoopBackOff", 1, 4)),
            (json!([killed, up]), ("OOMKilled", 1, 1)),
            (
                json!([{"state": {"terminated": {"exitCode": 2}}}]),
                ("ExitCode:2", 0, 0),
            ),
            (json!([]), ("Running", 0, 0)),
        ] {
            let want = (want.0.to_owned(), want.1, want.2);
            assert_eq!(shown(&pod(statuses)), want);
        }
    }

    #[test]
    fn init_containers_come_first() {
        let pod = |state: Value| {
            json!({"spec": {"initContainers": [{"name": "a"}, {"name": "b"}]}, "status": {"phase": "Pending",
                "initContainerStatuses": [{"name": "a", "state": {"terminated": {"exitCode": 0}}}, {"name": "b", "state": state}]}})
        };
        for (state, want) in [
            (json!({"running": {}}), "Init:1/2"),
            (
                json!({"waiting": {"reason": "ImagePullBackOff"}}),
                "Init:ImagePullBackOff",
            ),
            (
                json!({"terminated": {"exitCode": 1, "reason": "Error"}}),
                "Init:Error",
            ),
        ] {
            assert_eq!(shown(&pod(state)).0, want);
        }
        let mut gone = pod(json!({"running": {}}));
        gone["metadata"] = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(shown(&gone).0, "Terminating");
    }
}
