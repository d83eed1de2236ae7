//! Carries a plan out: the gate, a line in the record, the steps, what came of them, another line.

use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde::Deserialize;

use super::hold::hold;
use super::keeper::{self, Applied};
use super::listener::{Listener, told};
use super::preflight::{Sources, preflight};
use super::presence::Here;
use super::record::{self, Answered, Line, Outcome, Recorder};
use super::release::{self, Aftermath};
use super::turn::Turn;
use super::{SendError, fresh, send};
use crate::domain::{Failure, FailureKind};
use crate::plan::{Answers, Missing, Pass, Plan, Progress, Step, Verb, Verdict, gate};
use crate::sources::jenkins::Servers;
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Answer, Cluster, Error, convert};
use crate::sources::{Clock, helm};

/// What is to be carried out, and what the person gave for it.
#[derive(Clone)]
pub struct Order {
    pub plan: Plan,
    pub answers: Answers,
    pub verdicts: Vec<Verdict>,
    /// It waited for its turn behind others: these are asked again before anything is sent.
    pub again: Option<Sources>,
    pub recorder: Recorder,
    /// Where its job is held, if that is a step.
    pub servers: Servers,
    /// The API server's own name for the user, when it told.
    pub server_user: Option<Box<str>>,
    /// Others are told who is at it meanwhile.
    pub presence: bool,
    pub clock: Clock,
}

/// Ends after `Done`, `Refused` or `Unknown`. Each step is sent once, never again, and dropping the stream does
/// not stop it. Needs a tokio runtime.
pub fn execute(cluster: Cluster, order: Order) -> BoxStream<'static, Progress> {
    told(|listener| async move {
        let execution = Execution {
            cluster,
            order,
            listener,
        };
        execution.run().await;
    })
}

struct Execution {
    cluster: Cluster,
    order: Order,
    listener: Listener<Progress>,
}

/// How one step went.
enum Went {
    Accepted(Timestamp, Option<i64>),
    Refused { why: Failure, moved: bool },
    Unknown(String),
}

impl Execution {
    async fn run(self) {
        let order = &self.order;
        let meant = &order.plan.workload.cluster;
        if self.cluster.id() != meant {
            let words = format!("the plan is for {meant}, and this is {}", self.cluster.id());
            let why = Failure::new(FailureKind::Internal, words);
            return self.refuse(why);
        }
        let passed = gate::pass(
            order.plan.level,
            &order.plan,
            &order.verdicts,
            &order.answers,
        );
        let pass = match passed {
            Ok(pass) => pass,
            Err(missing) => return self.refuse(fresh::refused(missing_words(&missing))),
        };
        let _under_way = match order.recorder.begin(&order.plan.stamp.id).await {
            Ok(begun) => begun,
            Err(failure) => return self.unrecorded(failure),
        };
        let again = self.asked_again().await;
        let sending = record::sending(
            &order.plan,
            &order.answers,
            again.as_ref().unwrap_or(&order.verdicts),
            order.server_user.as_deref(),
            (order.clock)(),
        );
        let line = Line::Sending(Box::new(sending));
        if let Err(failure) = order.recorder.append(line).await {
            return self.unrecorded(failure);
        }
        if let Some(why) = again.and_then(|verdicts| self.no_longer(&verdicts)) {
            let went = Went::Refused { why, moved: false };
            return self.stop(0, went).await;
        }
        let here = order.presence.then_some(&order.plan);
        let here = here.and_then(|plan| Here::enter(&self.cluster, plan, &pass, order.clock));
        self.steps(&pass).await;
        if let Some(here) = here {
            here.leave().await;
        }
    }

    /// What its checks say now, when it had to wait.
    async fn asked_again(&self) -> Option<Vec<Verdict>> {
        let order = &self.order;
        let sources = order.again.clone()?;
        self.listener.tell(Progress::Waiting {
            step: 0,
            why: "checked again, because it waited for its turn".into(),
        });
        let asked = preflight(sources, order.plan.clone(), order.answers.readonly);
        Some(asked.collect().await)
    }

    /// Why what could be sent when it was confirmed cannot be sent any more.
    fn no_longer(&self, now: &[Verdict]) -> Option<Failure> {
        let Order { plan, answers, .. } = &self.order;
        let missing = gate::pass(plan.level, plan, now, answers).err()?;
        let blocks = |verdict: &&Verdict| {
            missing.iter().any(|missing| match missing {
                Missing::Answer(check) | Missing::Blocked(check) | Missing::Override(check) => {
                    *check == verdict.check
                }
                Missing::ReadOnly | Missing::Arming | Missing::Confirmation | Missing::Name => {
                    false
                }
            })
        };
        let found = now.iter().find(blocks);
        let words = found.map_or_else(|| missing_words(&missing), |v| v.sentence.clone());
        let sentence = format!("Nothing was written when its turn came: {words}.");
        Some(fresh::refused(sentence))
    }

    fn unrecorded(&self, mut failure: Failure) {
        failure.sentence.push_str(" Nothing was sent.");
        self.refuse(failure);
    }

    async fn steps(&self, pass: &Pass) {
        let mut at = (self.order.clock)();
        let (mut generation, mut before) = (None, None);
        for (n, step) in self.order.plan.all_steps().enumerate() {
            if let Err(why) = self.turn(n, step, before, generation).await {
                let went = not_deleted(n, step, &why);
                return self.stop(n, went).await;
            }
            self.listener.tell(Progress::Sent { step: n });
            match self.step(n, step, pass).await {
                Went::Accepted(accepted, of) => {
                    at = accepted;
                    generation = of.or(generation);
                    self.listener.tell(Progress::Accepted {
                        step: n,
                        at,
                        generation: of,
                    });
                }
                went @ (Went::Refused { .. } | Went::Unknown(_)) => {
                    return self.stop(n, went).await;
                }
            }
            before = Some(step);
        }
        let steps = self.order.plan.all_steps().count();
        self.record(Outcome::Accepted, steps, "the server accepted every step")
            .await;
        self.listener.tell(Progress::Done { at });
    }

    /// What comes after is not sent.
    async fn stop(&self, step: usize, went: Went) {
        match went {
            Went::Refused { why, moved } => {
                self.record(Outcome::Refused, step, &why.sentence).await;
                self.listener.tell(Progress::Refused { step, why, moved });
            }
            Went::Unknown(why) => {
                self.record(Outcome::Unknown, step, &why).await;
                self.listener.tell(Progress::Unknown { step, why });
            }
            Went::Accepted(..) => {}
        }
    }

    /// Returns when the step may be sent; the error says why that does not come.
    async fn turn(
        &self,
        n: usize,
        step: &Step,
        before: Option<&Step>,
        generation: Option<i64>,
    ) -> Result<(), String> {
        if !matches!(
            step,
            Step::DeletePod { .. } | Step::After { .. } | Step::WhenAtRest { .. }
        ) {
            return Ok(());
        }
        let turn = Turn {
            cluster: &self.cluster,
            plan: &self.order.plan,
            generation,
            before,
            clock: self.order.clock,
        };
        let say = |why: &str| {
            self.listener.tell(Progress::Waiting {
                step: n,
                why: why.to_owned(),
            });
        };
        match step {
            Step::After { runs, .. } => turn.after(runs, &say).await,
            Step::WhenAtRest { .. } => turn.at_rest(&say).await,
            Step::DeletePod { when, .. } => turn.wait(*when, &say).await,
            _ => Ok(()),
        }
    }

    async fn step(&self, n: usize, step: &Step, pass: &Pass) -> Went {
        if matches!(step, Step::Hold { .. }) {
            return match hold(&self.order, step).await {
                Ok(()) => Went::Accepted(self.date(None), None),
                Err(why) => Went::Refused { why, moved: false },
            };
        }
        let deletes = matches!(step, Step::DeletePod { .. });
        match send(&self.cluster, step, pass).await {
            Ok(answer) if deletes => Went::Accepted(self.date(answer.server_date), None),
            Ok(answer) => {
                let own = step.is_on(&self.order.plan.workload);
                let generation = own.then(|| generation(&answer)).flatten();
                Went::Accepted(self.date(answer.server_date), generation)
            }
            Err(SendError::Changed(how)) => changed(n, step, &how),
            Err(SendError::Helm(error)) => self.helm_failed(step, &error).await,
            Err(SendError::Kube(error)) if deletes => self.deletion(n, step, &error).await,
            Err(SendError::Kube(error)) if step.is_of_sync() => self.sync_failed(step, error).await,
            Err(SendError::Kube(error)) if matches!(step, Step::Note { .. }) => {
                beside(step, &error)
            }
            Err(SendError::Kube(error))
                if step.is_on(&self.order.plan.workload) || step.is_for_flagger() =>
            {
                self.patch_failed(n, error).await
            }
            Err(SendError::Kube(error)) => beside(step, &error),
        }
    }

    async fn patch_failed(&self, n: usize, error: Error) -> Went {
        match error {
            error if error.outcome_unknown() => self.look_after_loss(n, &error).await,
            Error::Rejected {
                status: 422,
                causes,
                message,
                ..
            } if causes.is_empty() => self.say_what_moved(&message).await,
            error => Went::Refused {
                why: error.failure(),
                moved: false,
            },
        }
    }

    /// Helm failed or was ended: then the release says what became of it.
    async fn helm_failed(&self, step: &Step, error: &helm::Error) -> Went {
        let Step::Helm { call, .. } = step else {
            return Went::Unknown(error.to_string());
        };
        match release::after(&self.cluster, call, error).await {
            Aftermath::Done => Went::Accepted(self.date(None), None),
            Aftermath::Unknown(why) => Went::Unknown(why),
            Aftermath::Nothing => Went::Refused {
                why: Failure::new(
                    FailureKind::Failed,
                    format!("Nothing was written: {error}."),
                ),
                moved: false,
            },
        }
    }

    /// What keeps the workload was not written, or nobody knows: then its note says what became of it.
    async fn sync_failed(&self, step: &Step, error: Error) -> Went {
        let refused = |words: String, moved| Went::Refused {
            why: fresh::refused(words),
            moved,
        };
        match error {
            lost if lost.outcome_unknown() => {
                let id = &self.order.plan.stamp.id;
                let resumes = self.order.plan.request.verb == Verb::ResumeSync;
                let wanted = if resumes {
                    Applied::NoNote
                } else {
                    Applied::Ours
                };
                let Some(object) = step.object() else {
                    return Went::Unknown(lost.to_string());
                };
                match keeper::applied(&self.cluster, object, id).await {
                    Ok(found) if found == wanted => Went::Accepted(self.date(None), None),
                    Ok(_) => Went::Unknown(format!(
                        "the answer was lost ({lost}); a read after it shows that it is not applied so far: a slow server may still do it; nothing is sent twice"
                    )),
                    Err(again) => Went::Unknown(format!(
                        "the answer was lost ({lost}), and it cannot be read again ({again}); nothing is sent twice"
                    )),
                }
            }
            Error::Rejected {
                status: 422,
                causes,
                ..
            } if causes.is_empty() => refused(
                format!(
                    "Nothing was written: somebody changed {} since it was read.",
                    step.name()
                ),
                true,
            ),
            Error::NotFound { .. } => refused(
                format!("Nothing was written: {} is gone.", step.name()),
                true,
            ),
            error => Went::Refused {
                why: error.failure(),
                moved: false,
            },
        }
    }

    /// A deletion that failed, or whose answer was lost: then the pod says what became of it.
    async fn deletion(&self, n: usize, step: &Step, error: &Error) -> Went {
        if !error.outcome_unknown() {
            let how = match error {
                Error::NotFound { .. } => format!("{} is gone", step.name()),
                Error::Rejected {
                    status: 409,
                    message,
                    ..
                } => format!("it changed in that moment: {message}"),
                Error::Throttled {
                    status: 429,
                    message,
                    ..
                } => format!("the server does not let it go now: {message}"),
                other => other.to_string(),
            };
            return not_deleted(n, step, &how);
        }
        match self.pod_goes(step).await {
            Ok(true) => Went::Accepted(self.date(None), None),
            Ok(false) => Went::Unknown(format!(
                "the answer was lost ({error}); the pod is still there: a slow server may still delete it; nothing is sent twice"
            )),
            Err(again) => Went::Unknown(format!(
                "the answer was lost ({error}), and the pod cannot be read again ({again}); nothing is sent twice"
            )),
        }
    }

    async fn pod_goes(&self, step: &Step) -> Result<bool, String> {
        let Step::DeletePod { object, uid, .. } = step else {
            return Ok(false);
        };
        let path = path::object(Resource::Pods, &object.namespace, &object.name);
        let answer = match self.cluster.get(&path).await {
            Ok(answer) => answer,
            Err(Error::NotFound { .. }) => return Ok(true),
            Err(error) => return Err(error.to_string()),
        };
        let text = String::from_utf8_lossy(&answer.body);
        let seen = convert::seen(&text).map_err(|error| error.to_string())?;
        Ok(seen.uid != *uid || seen.terminating)
    }

    /// The answer was lost: whether it was done is read off the object, and never tried again.
    async fn look_after_loss(&self, n: usize, lost: &Error) -> Went {
        let plan = &self.order.plan;
        let (now, date) = match fresh::read(&self.cluster, &plan.workload).await {
            Ok(read) => read,
            Err(error) => {
                return Went::Unknown(format!(
                    "the answer was lost ({lost}), and it cannot be read again ({error}); nothing is sent twice"
                ));
            }
        };
        if plan.applied(n, &now) {
            return Went::Accepted(self.date(date), Some(now.generation));
        }
        let why = match fresh::moved(plan, &now) {
            // The patch tests what was read, so from here on it cannot be applied any more.
            Some(words) if plan.number(n) == 0 => {
                return Went::Refused {
                    why: fresh::refused(format!(
                        "It was not applied, and its answer was lost ({lost}). Meanwhile {words}"
                    )),
                    moved: true,
                };
            }
            Some(_) | None => "a read after it shows that it is not applied so far",
        };
        Went::Unknown(format!(
            "the answer was lost ({lost}); {why}: a slow server may still do it; nothing is sent twice"
        ))
    }

    /// A failed test says nothing but that it failed.
    async fn say_what_moved(&self, message: &str) -> Went {
        let plan = &self.order.plan;
        let refused = |why: Failure, moved| Went::Refused { why, moved };
        match fresh::read(&self.cluster, &plan.workload).await {
            Ok((now, _)) => match fresh::moved(plan, &now) {
                Some(words) => refused(
                    fresh::refused(format!("Nothing was written: {words}")),
                    true,
                ),
                // What its Canary says beside the phase is only in the patch.
                None if plan.all_steps().any(Step::is_for_flagger) => refused(
                    fresh::refused("Nothing was written: its Canary is not as it was shown."),
                    true,
                ),
                None => refused(
                    Failure::new(
                        FailureKind::Internal,
                        format!(
                            "Nothing was written: the server refused the patch ({message}) although nothing moved. This is a mistake of rolldeck."
                        ),
                    )
                    .hint(format!("meanwhile: {}", plan.kubectl)),
                    false,
                ),
            },
            Err(Error::NotFound { .. }) => refused(
                fresh::refused(format!("Nothing was written: {} is gone.", plan.workload)),
                true,
            ),
            Err(error) => refused(
                fresh::refused(format!(
                    "Nothing was written: the object moved since it was shown, and what moved cannot be read ({error})."
                )),
                true,
            ),
        }
    }

    fn date(&self, server: Option<Timestamp>) -> Timestamp {
        server.unwrap_or_else(|| (self.order.clock)())
    }

    /// The write is done or not by now: a record that fails here is logged and changes nothing of it.
    async fn record(&self, outcome: Outcome, steps: usize, sentence: &str) {
        let sentence = match outcome {
            Outcome::Refused | Outcome::Unknown if steps > 0 => {
                format!("after {steps} accepted: {sentence}")
            }
            Outcome::Accepted | Outcome::Refused | Outcome::Unknown => sentence.to_owned(),
        };
        let line = Line::Answered(Answered {
            id: self.order.plan.stamp.id.clone(),
            at: (self.order.clock)(),
            outcome,
            accepted: steps,
            sentence,
        });
        self.order.recorder.note(line).await;
    }

    fn refuse(&self, why: Failure) {
        self.listener.tell(Progress::Refused {
            step: 0,
            why,
            moved: false,
        });
    }
}

/// A patch of an object beside the workload that failed, or whose answer was lost.
fn beside(step: &Step, error: &Error) -> Went {
    let (name, what) = (step.name(), step.what());
    match error {
        error if error.outcome_unknown() => Went::Unknown(format!(
            "the answer was lost ({error}): whether it was done to {name} is not known; nothing is sent twice"
        )),
        Error::Rejected {
            status: 422,
            causes,
            ..
        } if causes.is_empty() => Went::Refused {
            why: fresh::refused(format!(
                "Nothing was written ({what}): {name} moved since it was shown."
            )),
            moved: true,
        },
        error => Went::Refused {
            why: error.failure(),
            moved: false,
        },
    }
}

/// It was not sent: it would not have been what was shown.
fn changed(n: usize, step: &Step, how: &str) -> Went {
    if matches!(step, Step::DeletePod { .. }) {
        return not_deleted(n, step, how);
    }
    Went::Refused {
        why: fresh::refused(format!("Not done ({}): {how}.", step.what())),
        moved: matches!(step, Step::Helm { .. }),
    }
}

fn not_deleted(n: usize, step: &Step, how: &str) -> Went {
    if matches!(step, Step::WhenAtRest { .. }) {
        let sentence = format!(
            "Not done ({}): {how}. What was sent before it stands.",
            step.what()
        );
        let why = Failure::new(FailureKind::Failed, sentence);
        return Went::Refused { why, moved: false };
    }
    let name = step.name();
    if let Step::After { what, .. } = step {
        let sentence = format!("Not done ({what}): {how}. What was sent before it is done.");
        let why = Failure::new(FailureKind::Failed, sentence);
        let why = why.hint(format!(
            "{name} stays as it is until it is promoted again or aborted"
        ));
        return Went::Refused { why, moved: false };
    }
    let why = if n == 0 {
        Failure::new(
            FailureKind::Refused,
            format!("Pod {name} was not taken away: {how}."),
        )
    } else {
        let sentence =
            format!("Pod {name} was not deleted: {how}. What was sent before it is done.");
        Failure::new(FailureKind::Failed, sentence)
            .hint("a new plan to the same target shows what is left")
    };
    Went::Refused { why, moved: false }
}

fn generation(answer: &Answer) -> Option<i64> {
    #[derive(Deserialize)]
    struct Object {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    struct Meta {
        generation: i64,
    }
    let object: Object = serde_json::from_slice(&answer.body).ok()?;
    Some(object.metadata.generation)
}

pub(super) fn missing_words(missing: &[Missing]) -> String {
    let check = |id: &crate::plan::CheckId| {
        let name = serde_json::to_value(id).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    };
    let words: Vec<_> = missing
        .iter()
        .map(|one| match one {
            Missing::ReadOnly => "read-only mode sends nothing".to_owned(),
            Missing::Arming => "writes are not armed here".into(),
            Missing::Answer(id) => format!("the check {} has not answered", check(id)),
            Missing::Blocked(id) => format!("the check {} blocks", check(id)),
            Missing::Override(id) => {
                format!("the check {} blocks and is not overridden", check(id))
            }
            Missing::Confirmation => "it is not confirmed".into(),
            Missing::Name => "the service's name is not typed".into(),
        })
        .collect();
    format!("Nothing was sent: {}.", words.join("; "))
}
