//! The states of one container: pulled, started, ready, ended, and started again after ever longer waits.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Fate, Life, MANAGER};
use crate::demo::controllers::{Context, Told};
use crate::demo::images::{Exit, Image, repository_of};
use crate::demo::kube::object::{set, text_at};
use crate::demo::kube::write::stamp;

const PROBED: Duration = Duration::from_secs(10);
const CHATTERS: Duration = Duration::from_secs(5);
/// From a failed pull to the word of waiting.
const FAILS: Duration = Duration::from_secs(1);

pub struct Step {
    pub status: Value,
    pub next: Option<Duration>,
}

/// One container of a pod while it is taken a step further.
struct Turn<'a> {
    context: &'a mut Context,
    pod: &'a Value,
    spec: &'a Value,
    life: &'a mut Life,
    now: Timestamp,
}

/// A status that says nothing yet.
pub fn blank(spec: &Value) -> Value {
    json!({
        "name": spec["name"], "image": spec["image"], "imageID": "", "ready": false, "started": false,
        "restartCount": 0, "state": {}, "lastState": {},
    })
}

pub fn step(
    context: &mut Context,
    pod: &Value,
    (spec, before, fate): (&Value, Option<Value>, &Fate),
    life: &mut Life,
) -> Step {
    let now = context.now();
    let mut turn = Turn {
        context,
        pod,
        spec,
        life,
        now,
    };
    let Some(mut status) = before else {
        return turn.pulls(fate);
    };
    let waits = text_at(&status, "/state/waiting/reason").to_owned();
    let next = match waits.as_str() {
        "" if status["state"].get("running").is_some() => turn.runs(&mut status, fate),
        "" => None,
        "ErrImagePull" => Some(turn.backs_off(&mut status, fate)),
        "CrashLoopBackOff" => turn.again(&mut status, fate),
        _ => turn.starts_if_due(&mut status, fate, &waits),
    };
    Step { status, next }
}

impl Turn<'_> {
    fn tell(&mut self, told: Told) {
        let name = text_at(self.spec, "/name");
        let told = told.of_container(name);
        self.context
            .events
            .tell(&self.context.cluster, self.pod, &told);
    }

    fn normal(&mut self, reason: &'static str, message: String) {
        self.tell(Told::normal(MANAGER, reason, message));
    }

    fn warn(&mut self, reason: &'static str, message: String) {
        self.tell(Told::warning(MANAGER, reason, message));
    }

    fn image(&self) -> String {
        text_at(self.spec, "/image").to_owned()
    }

    /// The scripted time since the state began; a pod of the past says it by a stamp.
    fn elapsed(&self, stamp: &str) -> Duration {
        let since = self.life.since.or_else(|| stamp.parse().ok());
        since.map_or(Duration::ZERO, |at| {
            self.context.cluster.clock.scripted_since(at)
        })
    }

    fn enter(&mut self, status: &mut Value, state: Value) {
        self.life.since = Some(self.now);
        set(status, &["state"], state);
    }

    fn wait(&mut self, status: &mut Value, reason: &str, message: &str) {
        self.enter(
            status,
            json!({"waiting": {"reason": reason, "message": message}}),
        );
    }

    fn pulls(&mut self, fate: &Fate) -> Step {
        let mut status = blank(self.spec);
        self.enter(
            &mut status,
            json!({"waiting": {"reason": "ContainerCreating"}}),
        );
        self.normal("Pulling", format!("Pulling image \"{}\"", self.image()));
        Step {
            status,
            next: Some(pull(fate)),
        }
    }

    /// Pulled, or tried again: it starts, or says why it cannot.
    fn starts_if_due(&mut self, status: &mut Value, fate: &Fate, waits: &str) -> Option<Duration> {
        let due = match waits {
            "ContainerCreating" => pull(fate),
            "CreateContainerConfigError" => PROBED,
            _ => back_off(self.life.failures),
        };
        let left = due.saturating_sub(self.elapsed(text_at(self.pod, "/status/startTime")));
        if !left.is_zero() {
            return Some(left);
        }
        let image = self.image();
        match fate {
            Fate::Unpullable(why) => {
                let why = format!("rpc error: code = NotFound desc = {why}");
                self.warn("Failed", format!("Failed to pull image \"{image}\": {why}"));
                self.warn("Failed", "Error: ErrImagePull".into());
                self.life.failures += 1;
                if waits == "ContainerCreating" {
                    self.wait(status, "ErrImagePull", &why);
                    return Some(FAILS);
                }
                self.life.since = Some(self.now);
                Some(back_off(self.life.failures))
            }
            Fate::NoConfig(found, why) => {
                set(status, &["imageID"], image_id(&image, found).into());
                self.warn("Failed", format!("Error: {why}"));
                self.wait(status, "CreateContainerConfigError", why);
                Some(PROBED)
            }
            Fate::Runs(found) => {
                let took = found.behaviour.pull;
                self.normal(
                    "Pulled",
                    format!("Successfully pulled image \"{image}\" in {took}s ({took}s including waiting)"),
                );
                self.life.failures = 0;
                self.starts(status, found)
            }
        }
    }

    fn backs_off(&mut self, status: &mut Value, fate: &Fate) -> Duration {
        let image = self.image();
        let why = text_at(status, "/state/waiting/message").to_owned();
        self.normal("BackOff", format!("Back-off pulling image \"{image}\""));
        self.warn("Failed", "Error: ImagePullBackOff".into());
        let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {why}");
        self.wait(status, "ImagePullBackOff", &message);
        match fate {
            Fate::Unpullable(_) => back_off(self.life.failures),
            _ => FAILS,
        }
    }

    fn starts(&mut self, status: &mut Value, image: &Image) -> Option<Duration> {
        let name = text_at(self.spec, "/name").to_owned();
        self.normal("Created", format!("Container created: {name}"));
        self.normal("Started", format!("Container started: {name}"));
        set(status, &["imageID"], image_id(&self.image(), image).into());
        set(status, &["started"], true.into());
        let started = json!({"running": {"startedAt": stamp(self.now)}});
        self.enter(status, started);
        self.life.said = 0;
        let pod = text_at(self.pod, "/metadata/uid");
        let logs = &self.context.cluster.logs;
        logs.start(pod, &name);
        for line in &image.behaviour.log {
            logs.append(pod, &name, self.now, line);
        }
        next_of(image, status, Duration::ZERO, 0)
    }

    fn runs(&mut self, status: &mut Value, fate: &Fate) -> Option<Duration> {
        // The image of a container that runs may have gone from the registry: it goes on.
        let (Fate::Runs(image) | Fate::NoConfig(image, _)) = fate else {
            return None;
        };
        let started = text_at(status, "/state/running/startedAt");
        let elapsed = self.elapsed(started);
        self.take_over(started, elapsed, status["ready"] == true);
        let behaviour = &image.behaviour;
        if let Some(exit) = &behaviour.exit
            && elapsed >= seconds(exit.after)
        {
            return self.ends(status, exit, image);
        }
        let ready = status["ready"] == true;
        match behaviour.ready_after {
            Some(after) if !ready && elapsed >= seconds(after) => {
                set(status, &["ready"], true.into());
            }
            None if !ready && elapsed >= PROBED * self.life.said => {
                self.life.said += 1;
                let why = "Readiness probe failed: HTTP probe failed with statuscode: 503";
                self.warn("Unhealthy", why.into());
            }
            _ if ready
                && !behaviour.chatter.is_empty()
                && elapsed >= CHATTERS * (self.life.said + 1) =>
            {
                let lines = &behaviour.chatter;
                let line = &lines[self.life.said as usize % lines.len()];
                let (pod, name) = (
                    text_at(self.pod, "/metadata/uid"),
                    text_at(self.spec, "/name"),
                );
                self.context.cluster.logs.append(pod, name, self.now, line);
                self.life.said += 1;
            }
            _ => {}
        }
        next_of(image, status, elapsed, self.life.said)
    }

    /// A container of the past has said long ago what was due until now.
    fn take_over(&mut self, started: &str, elapsed: Duration, ready: bool) {
        if self.life.since.is_none() {
            let every = if ready { CHATTERS } else { PROBED };
            let said = elapsed.as_secs() / every.as_secs();
            self.life.said = u32::try_from(said).unwrap_or(u32::MAX);
            self.life.since = started.parse().ok();
        }
    }

    fn ends(&mut self, status: &mut Value, exit: &Exit, image: &Image) -> Option<Duration> {
        let reason = match exit {
            Exit {
                out_of_memory: true,
                ..
            } => "OOMKilled",
            Exit { code: 0, .. } => "Completed",
            _ => "Error",
        };
        let ended = json!({"terminated": {
            "exitCode": exit.code, "reason": reason, "finishedAt": stamp(self.now),
            "startedAt": status["state"]["running"]["startedAt"],
        }});
        set(status, &["lastState"], ended);
        set(status, &["ready"], false.into());
        set(status, &["started"], false.into());
        self.life.failures += 1;
        if self.life.failures == 1 && status["restartCount"] == 0 {
            set(status, &["restartCount"], 1.into());
            return self.starts(status, image);
        }
        let name = text_at(self.spec, "/name");
        let pod = format!(
            "{}_{}({})",
            text_at(self.pod, "/metadata/name"),
            text_at(self.pod, "/metadata/namespace"),
            text_at(self.pod, "/metadata/uid"),
        );
        let wait = back_off(self.life.failures.saturating_sub(1));
        let length = humane(wait);
        let message = format!("back-off {length} restarting failed container={name} pod={pod}");
        let told = format!("Back-off restarting failed container {name} in pod {pod}");
        self.warn("BackOff", told);
        self.wait(status, "CrashLoopBackOff", &message);
        Some(wait)
    }

    fn again(&mut self, status: &mut Value, fate: &Fate) -> Option<Duration> {
        let (Fate::Runs(image) | Fate::NoConfig(image, _)) = fate else {
            return None;
        };
        let ended = text_at(status, "/lastState/terminated/finishedAt");
        let restarts = status["restartCount"].as_u64().unwrap_or(0);
        let failures = self
            .life
            .failures
            .max(u32::try_from(restarts).unwrap_or(u32::MAX));
        self.life.failures = failures;
        let left = back_off(failures.saturating_sub(1)).saturating_sub(self.elapsed(ended));
        if !left.is_zero() {
            return Some(left);
        }
        set(status, &["restartCount"], (restarts + 1).into());
        self.starts(status, image)
    }
}

/// When a container that runs is to be looked at again.
fn next_of(image: &Image, status: &Value, elapsed: Duration, said: u32) -> Option<Duration> {
    let behaviour = &image.behaviour;
    let exit = behaviour.exit.as_ref().map(|exit| seconds(exit.after));
    let other = match behaviour.ready_after {
        _ if status["ready"] == true => {
            (!behaviour.chatter.is_empty()).then(|| CHATTERS * (said + 1))
        }
        Some(after) => Some(seconds(after)),
        None => Some(PROBED * said),
    };
    let next = [exit, other].into_iter().flatten().min()?;
    Some(next.saturating_sub(elapsed))
}

fn pull(fate: &Fate) -> Duration {
    match fate {
        Fate::Unpullable(_) => FAILS,
        Fate::NoConfig(image, _) | Fate::Runs(image) => seconds(image.behaviour.pull),
    }
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

/// 10 s, doubled with each failure, five minutes at most.
fn back_off(failures: u32) -> Duration {
    let doubled = 10_u64.saturating_mul(1 << failures.saturating_sub(1).min(10));
    Duration::from_secs(doubled.min(300))
}

/// `40s`, `2m40s`, as Go writes a length.
fn humane(length: Duration) -> String {
    match (length.as_secs() / 60, length.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// `repository@sha256:…`.
fn image_id(reference: &str, image: &Image) -> String {
    if reference.contains('@') {
        return reference.to_owned();
    }
    format!("{}@{}", repository_of(reference), image.digest)
}
