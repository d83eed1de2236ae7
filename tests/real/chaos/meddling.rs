//! Two rolldecks and somebody with kubectl on the same services, in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rolldeck::domain::release_record::{Action, Outcome};
use rolldeck::plan::{Progress, Target, Verb};
use serde_json::{Value, json};

use super::{Dice, Hand, count, lines_of, page, times, was_sent};
use crate::screen::launch;
use crate::support::api::{Api, RUNTIME};
use crate::support::audit::{self, Write};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Launch;
use crate::support::wait;

const ROUNDS: u32 = 50;
const ROLLDECKS: [&str; 2] = ["chaos-a", "chaos-b"];
const MEDDLER: &str = "chaos-meddler";

#[test]
fn two_rolldecks_and_kubectl_never_write_what_was_not_shown_and_lose_no_line() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("chaos");
    let mut dice = Dice::new("meddling");
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join(".state/rolldeck");
    let meddler = Meddler::new(plane, &namespace);
    let services = ["auth", "cart", "shop"].map(|name| Service::new(&namespace, name).replicas(1));
    for service in &services {
        meddler.create(service, "1");
        service.wait_complete(plane, "1");
        meddler.image(service, "2");
    }
    let kubeconfigs = ROLLDECKS.map(|user| plane.owner(user, Some(&namespace)));
    let hands = kubeconfigs
        .each_ref()
        .map(|kubeconfig| Hand::new(kubeconfig, &state));
    let twin = launch(&kubeconfigs[1], home.path()).config("verifySeconds: 1\n");
    let mut figures = BTreeMap::new();
    let (mut sent, mut planned) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..times(ROUNDS) {
        let service = &services[dice.place(3)];
        let a = RUNTIME.spawn(act(hands[0].clone(), service.clone(), dice.other()));
        let b = if round % 10 == 0 {
            let (twin, service) = (twin.clone(), service.clone());
            RUNTIME.spawn_blocking(move || headless(&twin, &service))
        } else {
            RUNTIME.spawn(act(hands[1].clone(), service.clone(), dice.other()))
        };
        count(&mut figures, meddler.meddle(service, &mut dice));
        for task in [a, b] {
            let went = RUNTIME.block_on(task).unwrap();
            count(&mut figures, went.end);
            sent.extend(went.sent);
            planned.extend(went.planned);
        }
    }
    let page = page(&hands[0].recorder);
    let recorded: BTreeSet<_> = page.actions.iter().map(|a| a.sending.id.clone()).collect();
    assert!(recorded.is_superset(&sent), "no line is lost");
    assert!(planned.is_superset(&recorded), "none is made up");
    for event in ["sending", "answered", "ended"] {
        let twice = lines_of(&hands[0].recorder, event)
            .into_iter()
            .find(|(_, n)| *n > 1);
        assert_eq!(twice, None, "{event}");
    }
    let writes = audit::writes(
        &plane.folder().join("audit.log"),
        &[ROLLDECKS[0], ROLLDECKS[1], MEDDLER],
    );
    let accepted = only_what_was_shown(&writes);
    as_recorded(&page.actions, &writes);
    eprintln!(
        "{} rounds, {} sent, {accepted} accepted: {figures:?}",
        times(ROUNDS),
        sent.len()
    );
    assert!(accepted > 0);
}

/// How one try of a rolldeck went.
struct Went {
    /// The id of what was sent.
    sent: Option<String>,
    /// The id of what was sent, or was refused before it.
    planned: Option<String>,
    end: String,
}

impl Went {
    fn not(end: &str) -> Self {
        Self {
            sent: None,
            planned: None,
            end: end.into(),
        }
    }
}

/// From a look at the screen to the end of the write, with moments in between.
async fn act(hand: Hand, service: Service, mut dice: Dice) -> Went {
    let verbs = [Some(Verb::Rollback), Some(Verb::Restart), None];
    let verb = verbs[dice.place(3)];
    tokio::time::sleep(dice.moment(30)).await;
    let Some(request) = hand.look(&service, verb, Target::Proposed).await else {
        return Went::not("not there");
    };
    tokio::time::sleep(dice.moment(30)).await;
    let Some(ready) = hand.ready(&request).await else {
        return Went::not("no plan");
    };
    tokio::time::sleep(dice.moment(60)).await;
    let id = ready.plan.stamp.id.clone();
    let progress = hand.execute(ready).await;
    let end = match progress.last() {
        Some(Progress::Done { .. }) => "done",
        Some(Progress::Refused { moved: true, .. }) => "refused: moved",
        Some(Progress::Refused { .. }) => "refused",
        Some(Progress::Unknown { .. }) => "unknown",
        Some(_) | None => "no end",
    };
    Went {
        sent: was_sent(&progress).then(|| id.clone()),
        planned: Some(id),
        end: end.into(),
    }
}

/// The same as a process.
fn headless(twin: &Launch, service: &Service) -> Went {
    let words = [
        "rollback",
        &service.name,
        "--yes",
        "--timeout",
        "1",
        "-o",
        "json",
    ];
    let output = twin.clone().with(&words).run();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let id = report["id"].as_str().map(str::to_owned);
    Went {
        sent: id.clone().filter(|_| report["outcome"].is_string()),
        planned: id,
        end: format!("headless, exit {:?}", output.status.code()),
    }
}

/// Somebody with kubectl.
struct Meddler<'a> {
    plane: &'a ControlPlane,
    kubeconfig: PathBuf,
    api: Api,
}

impl<'a> Meddler<'a> {
    fn new(plane: &'a ControlPlane, namespace: &str) -> Self {
        let kubeconfig = plane.owner(MEDDLER, Some(namespace));
        Self {
            plane,
            api: Api::new(&kubeconfig),
            kubeconfig,
        }
    }

    fn create(&self, service: &Service, tag: &str) {
        let (path, object) = (service.path(), service.object(tag));
        let collection = path.rsplit_once('/').unwrap().0;
        self.api.create(collection, &object).expect("a deployment");
    }

    fn image(&self, service: &Service, tag: &str) {
        let container = json!({"name": service.name, "image": service.image(tag)});
        let change = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        // It may be gone in that moment.
        let _ = self.api.patch(&service.path(), &change);
    }

    fn meddle(&self, service: &Service, dice: &mut Dice) -> &'static str {
        std::thread::sleep(dice.moment(120));
        let tag = (dice.below(4) + 1).to_string();
        let patch = |change: Value| drop(self.api.patch(&service.path(), &change));
        match dice.below(12) {
            0..4 => {
                self.image(service, &tag);
                "set image"
            }
            4..6 => {
                patch(json!({"metadata": {"annotations": {"owner": tag}}}));
                "annotate"
            }
            6..8 => {
                patch(json!({"spec": {"replicas": dice.below(2) + 1}}));
                "scale"
            }
            8..11 => {
                let what = format!("deploy/{}", service.name);
                self.plane
                    .kubectl_as(&self.kubeconfig, &["rollout", "undo", &what]);
                "rollout undo"
            }
            _ => {
                let _ = self.api.delete(&service.path());
                wait::until("it is gone", || self.api.get(&service.path()).err());
                self.create(service, &tag);
                "made anew"
            }
        }
    }
}

/// Every write of a rolldeck went onto the object that it names, which was as the write says that it was shown.
fn only_what_was_shown(writes: &[Write]) -> usize {
    let mut before: BTreeMap<String, &Value> = BTreeMap::new();
    let mut accepted = 0;
    for write in writes.iter().filter(|write| write.accepted()) {
        let uid = write.uid();
        if ROLLDECKS.contains(&&*write.user) {
            accepted += 1;
            let tested = |path: &str| {
                let mut operations = write.request.as_array().expect("a patch").iter();
                operations
                    .find(|o| o["op"] == "test" && o["path"] == path)
                    .map(|o| &o["value"])
            };
            let last = before
                .get(&uid)
                .unwrap_or_else(|| panic!("nobody made {uid}"));
            assert_eq!(tested("/metadata/uid").unwrap(), &*uid, "{write:#?}");
            assert_eq!(
                tested("/spec/template").unwrap(),
                &last["spec"]["template"],
                "{write:#?}"
            );
        }
        if write.verb != "delete" {
            before.insert(uid, &write.response);
        }
    }
    accepted
}

/// What the record says was accepted was written, once, and nothing else was.
fn as_recorded(actions: &[Action], writes: &[Write]) {
    let ours = |write: &&Write| write.accepted() && ROLLDECKS.contains(&&*write.user);
    let note = |write: &Write| write.note().unwrap_or_else(|| panic!("{write:#?}"));
    let ours = writes.iter().filter(ours);
    let written: Vec<_> = ours.map(|write| (note(write), write.uid())).collect();
    let said = |action: &&Action| {
        let answered = action.answered.as_ref();
        let answered = answered.unwrap_or_else(|| panic!("{action:#?}"));
        answered.outcome == Outcome::Accepted
    };
    let place = |action: &Action| (action.sending.id.clone(), action.sending.uid.clone());
    let told: BTreeSet<_> = actions.iter().filter(said).map(place).collect();
    assert_eq!(told.len(), written.len(), "nothing is written twice");
    assert_eq!(told, written.into_iter().collect());
}
