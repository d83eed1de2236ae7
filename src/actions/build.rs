//! Asks a server that builds: the gate, a fresh look at the job, a line in the record, the write, and what became of it.

use std::time::Duration;

use futures::stream::BoxStream;
use tokio::time::sleep;

use super::execute::missing_words;
use super::fresh;
use super::listener::{Listener, told};
use super::record::{Answered, Ended, Line, Outcome, Recorder, Sending, sending_words};
use super::send::send_build;
use crate::domain::build::{Ticket, Whereabouts};
use crate::domain::{Failure, FailureKind};
use crate::plan::build::Act;
use crate::plan::{Answers, BuildPlan, BuildProgress, Pass, gate};
use crate::sources::Clock;
use crate::sources::jenkins::{Client, Error};

/// What was started is looked for so often, and so many times.
const LOOK: Duration = Duration::from_secs(1);
const LOOKS: u32 = 600;

/// What is to be asked, and what the person gave for it.
#[derive(Debug, Clone)]
pub struct BuildOrder {
    pub plan: BuildPlan,
    pub answers: Answers,
    pub recorder: Recorder,
    pub clock: Clock,
}

/// Ends once it is known what became of it. Asked once, never again, and dropping the stream does not stop it. Needs
/// a tokio runtime.
pub fn build(client: Client, order: BuildOrder) -> BoxStream<'static, BuildProgress> {
    told(|listener| async move {
        let asking = Asking {
            client,
            order,
            listener,
        };
        if let Err(why) = asking.run().await {
            asking.listener.tell(BuildProgress::Refused(why));
        }
    })
}

struct Asking {
    client: Client,
    order: BuildOrder,
    listener: Listener<BuildProgress>,
}

impl Asking {
    /// # Errors
    /// Why nothing was asked.
    async fn run(&self) -> Result<(), Failure> {
        let BuildOrder { plan, answers, .. } = &self.order;
        let pass = gate::pass_for_build(&plan.wish, answers);
        let pass = pass.map_err(|missing| fresh::refused(missing_words(&missing)))?;
        self.unchanged().await?;
        let recorder = &self.order.recorder;
        let _under_way = recorder.begin(&plan.stamp.id).await?;
        recorder
            .append(Line::Sending(Box::new(self.line())))
            .await?;
        self.ask(&pass).await;
        Ok(())
    }

    /// The job is as it was shown.
    async fn unchanged(&self) -> Result<(), Failure> {
        let wish = &self.order.plan.wish;
        if matches!(wish.act, Act::Start(_) | Act::Hold(_) | Act::Resume(_)) {
            let now = self.client.job(&wish.job.id.path).await;
            let now = now.map_err(|error| error.failure())?;
            if !wish.fits(&now) {
                let sentence = format!("{} changed since it was shown", now.id.path);
                let failure = Failure::new(FailureKind::Refused, sentence);
                return Err(failure.hint("nothing was sent; look again"));
            }
        }
        match wish.mistake() {
            Some(mistake) => Err(Failure::new(FailureKind::Refused, mistake)),
            None => Ok(()),
        }
    }

    async fn ask(&self, pass: &Pass) {
        match send_build(&self.client, &self.order.plan.wish, pass).await {
            Ok(ticket) => {
                self.record(Outcome::Accepted, "the server accepted it")
                    .await;
                let at = (self.order.clock)();
                self.listener.tell(BuildProgress::Accepted { at });
                match ticket {
                    Some(ticket) => self.find(&ticket).await,
                    None => self.look().await,
                }
            }
            Err(error) if error.outcome_unknown() => {
                let why = error.failure().line();
                self.record(Outcome::Unknown, &why).await;
                match self.is_done().await {
                    Ok(Some(true)) => self.ended(true, self.order.plan.wish.became()).await,
                    Ok(_) | Err(_) => self.listener.tell(BuildProgress::Unknown(why)),
                }
            }
            Err(error) => {
                let why = error.failure();
                self.record(Outcome::Refused, &why.sentence).await;
                self.listener.tell(BuildProgress::Refused(why));
            }
        }
    }

    /// Whether a look at the job shows that it was done; `None` for what it cannot show.
    async fn is_done(&self) -> Result<Option<bool>, Error> {
        let wish = &self.order.plan.wish;
        if wish.done(&wish.job).is_none() {
            return Ok(None);
        }
        let now = self.client.job(&wish.job.id.path).await?;
        Ok(wish.done(&now))
    }

    /// What a look at the job shows of it is its end.
    async fn look(&self) {
        let (verified, sentence) = match self.is_done().await {
            Ok(None) => return,
            Ok(Some(true)) => (true, self.order.plan.wish.became()),
            Ok(Some(false)) => (
                false,
                "the server accepted it, and the job is as it was".into(),
            ),
            Err(error) => (false, format!("whether it is so is not known: {error}")),
        };
        self.ended(verified, sentence).await;
    }

    /// In the record too.
    async fn ended(&self, verified: bool, sentence: String) {
        let ended = Line::Ended(Ended {
            id: self.order.plan.stamp.id.clone(),
            at: (self.order.clock)(),
            workload: self.order.plan.wish.workload.clone(),
            verified,
            sentence: sentence.clone(),
        });
        self.order.recorder.note(ended).await;
        self.listener.tell(if verified {
            BuildProgress::Done(sentence)
        } else {
            BuildProgress::Lost(sentence)
        });
    }

    /// The build that comes of it.
    async fn find(&self, ticket: &Ticket) {
        for _ in 0..LOOKS {
            match self.client.whereabouts(ticket).await {
                Ok(Whereabouts::Build(build)) => {
                    return self.listener.tell(BuildProgress::Builds(build));
                }
                Ok(Whereabouts::Cancelled) => {
                    let words = "it was taken out of the queue".into();
                    return self.listener.tell(BuildProgress::Lost(words));
                }
                Err(error @ (Error::Unauthorized { .. } | Error::Forbidden { .. })) => {
                    return self
                        .listener
                        .tell(BuildProgress::Lost(error.failure().line()));
                }
                // A server that is away is said by its looks.
                Ok(Whereabouts::Queued(_) | Whereabouts::Unknown) | Err(_) => {}
            }
            sleep(LOOK).await;
        }
        let words = "it was accepted, and neither the queue nor the newest builds have it";
        self.listener.tell(BuildProgress::Lost(words.into()));
    }

    fn line(&self) -> Sending {
        let BuildOrder { plan, answers, .. } = &self.order;
        let wish = &plan.wish;
        let last = wish.job.last.as_ref();
        let last = last.map_or_else(String::new, |last| format!("#{}", last.id.number));
        let sides = (last, wish.job.id.path.to_string());
        let sending = sending_words(
            &plan.stamp,
            (wish.act.verb(), (self.order.clock)()),
            (&wish.workload, &wish.uid),
            sides,
        );
        Sending {
            reason: answers.reason.clone(),
            steps: vec![wish.what()],
            ..sending
        }
    }

    async fn record(&self, outcome: Outcome, sentence: &str) {
        let line = Line::Answered(Answered {
            id: self.order.plan.stamp.id.clone(),
            at: (self.order.clock)(),
            outcome,
            accepted: usize::from(outcome == Outcome::Accepted),
            sentence: sentence.into(),
        });
        self.order.recorder.note(line).await;
    }
}
