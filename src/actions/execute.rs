//! Carries a plan out: the gate, a line in the record, the steps, what came of them, another line.

use futures::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::record::{Line, Outcome, Recorder, Sending};
use super::{fresh, send};
use crate::domain::{Failure, FailureKind, Workload};
use crate::plan::{Answers, Missing, OfferId, Pass, Plan, Progress, Step, Verdict, gate};
use crate::sources::Clock;
use crate::sources::kube::{Answer, Cluster, Error};

/// What is to be carried out, and what the person gave for it.
#[derive(Debug, Clone)]
pub struct Order {
    pub plan: Plan,
    pub answers: Answers,
    pub verdicts: Vec<Verdict>,
    pub recorder: Recorder,
    /// The API server's own name for the user, when it told.
    pub server_user: Option<Box<str>>,
    pub clock: Clock,
}

/// Ends after `Done`, `Refused` or `Unknown`. Each step is sent once, never again, and dropping the stream does
/// not stop it. Needs a tokio runtime.
pub fn execute(cluster: Cluster, order: Order) -> BoxStream<'static, Progress> {
    let (tx, rx) = unbounded_channel();
    tokio::spawn(async move {
        Execution { cluster, order, tx }.run().await;
    });
    stream::unfold(rx, |mut rx| async move { Some((rx.recv().await?, rx)) }).boxed()
}

struct Execution {
    cluster: Cluster,
    order: Order,
    tx: UnboundedSender<Progress>,
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
        let sending = Sending::new(
            &order.plan,
            &order.answers,
            &order.verdicts,
            order.server_user.as_deref(),
            (order.clock)(),
        );
        let line = Line::Sending(Box::new(sending));
        if let Err(mut failure) = order.recorder.append(line).await {
            failure.sentence.push_str(" Nothing was sent.");
            return self.refuse(failure);
        }
        self.steps(&pass).await;
    }

    async fn steps(&self, pass: &Pass) {
        let mut at = (self.order.clock)();
        for (n, step) in self.order.plan.all_steps().enumerate() {
            self.tell(Progress::Sent { step: n });
            match self.step(n, step, pass).await {
                Went::Accepted(accepted, generation) => {
                    at = accepted;
                    self.tell(Progress::Accepted {
                        step: n,
                        at,
                        generation,
                    });
                }
                Went::Refused { why, moved } => {
                    self.record(Outcome::Refused, n, &why.sentence).await;
                    return self.tell(Progress::Refused {
                        step: n,
                        why,
                        moved,
                    });
                }
                Went::Unknown(why) => {
                    self.record(Outcome::Unknown, n, &why).await;
                    return self.tell(Progress::Unknown { step: n, why });
                }
            }
        }
        let steps = self.order.plan.all_steps().count();
        self.record(Outcome::Accepted, steps, "the server accepted every step")
            .await;
        self.tell(Progress::Done { at });
    }

    async fn step(&self, n: usize, step: &Step, pass: &Pass) -> Went {
        match send(&self.cluster, step, pass).await {
            Ok(answer) => Went::Accepted(self.date(answer.server_date), generation(&answer)),
            Err(error) if error.outcome_unknown() => self.look_after_loss(n, &error).await,
            Err(Error::Rejected {
                status: 422,
                causes,
                message,
                ..
            }) if causes.is_empty() => self.say_what_moved(&message).await,
            Err(error) => Went::Refused {
                why: error.failure(),
                moved: false,
            },
        }
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
        if self.applied(n, &now) {
            return Went::Accepted(self.date(date), Some(now.generation));
        }
        let why = match fresh::moved(plan, &now) {
            // The patch tests what was read, so from here on it cannot be applied any more.
            Some(words) if n == 0 => {
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

    /// Step 0 leaves our note; the offered step after it is the resume.
    fn applied(&self, n: usize, now: &Workload) -> bool {
        let plan = &self.order.plan;
        let noted = now.action.as_deref();
        let ours = now.uid == plan.uid && noted.is_some_and(|note| note.id == plan.stamp.id);
        if n < plan.steps.len() {
            return ours;
        }
        let taken = plan.offers.iter().filter(|offer| offer.taken);
        let offer = taken.map(|offer| offer.id).nth(n - plan.steps.len());
        match offer {
            Some(OfferId::Resume) => now.uid == plan.uid && !now.paused,
            None => false,
        }
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
        let line = Line::Answered {
            id: self.order.plan.stamp.id.clone(),
            at: (self.order.clock)(),
            outcome,
            sentence,
        };
        if let Err(failure) = self.order.recorder.append(line).await {
            tracing::error!(failure.sentence, "the outcome is not in the record");
        }
    }

    fn refuse(&self, why: Failure) {
        self.tell(Progress::Refused {
            step: 0,
            why,
            moved: false,
        });
    }

    /// Nobody may listen any more, and that stops nothing.
    fn tell(&self, progress: Progress) {
        let _ = self.tx.send(progress);
    }
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

fn missing_words(missing: &[Missing]) -> String {
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
