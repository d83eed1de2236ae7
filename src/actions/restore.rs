//! Makes services again from a snapshot: every write as a dry run first, then one by one, each service with its lines in
//! the record.

use std::collections::BTreeMap;

use futures::stream::{self, BoxStream, StreamExt};

use super::execute::missing_words;
use super::listener::{Listener, told};
use super::preflight::verdict;
use super::record::{Answered, Line, Outcome, Recorder, Sending, checked, sending_words};
use super::{SendError, fresh, send};
use crate::domain::{Failure, FailureKind};
use crate::plan::restore::VERB;
use crate::plan::snapshot::Outside;
use crate::plan::{Answers, CheckId, Finding, Pass, RestorePlan, ServicePlan, Step, Verdict, gate};
use crate::sources::Clock;
use crate::sources::kube::{Cluster, Error, path};

/// So many questions are under way at a time.
const AT_A_TIME: usize = 4;
/// So many refusals are told in words; the others are counted.
const TOLD: usize = 3;

/// What is to be made again, and what the person gave for it.
#[derive(Debug, Clone)]
pub struct RestoreOrder {
    pub plan: RestorePlan,
    pub answers: Answers,
    pub recorder: Recorder,
    /// The API server's own name for the user, when it told.
    pub server_user: Option<Box<str>>,
    pub clock: Clock,
}

/// How it goes; the number is that of the service among those that something is written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreProgress {
    /// One write of the service was accepted.
    Wrote(String),
    /// All of the service's were.
    Made(usize),
    /// It went no further. What was accepted before stays.
    Stopped { at: Option<usize>, why: Failure },
}

/// What stands against it, as the cluster says: every write is tried as a dry run, and what must be there is looked for.
/// Under read-only mode nothing is sent.
pub async fn ask_restore(
    cluster: &Cluster,
    services: &[ServicePlan],
    readonly: bool,
) -> Vec<Verdict> {
    let mut found = absent(cluster, services).await;
    match Pass::dry_run(readonly) {
        Some(pass) => found.extend(dry_runs(cluster, services, &pass).await),
        None => found.push(verdict(
            CheckId::DryRun,
            Finding::Unverified,
            "unverified: read-only",
        )),
    }
    found
}

/// What the services need and neither the file nor the namespace has.
async fn absent(cluster: &Cluster, services: &[ServicePlan]) -> Vec<Verdict> {
    let mut wanted: BTreeMap<(&str, &Outside), Vec<&ServicePlan>> = BTreeMap::new();
    for service in services.iter().filter(|service| service.writes()) {
        for outside in &service.outside {
            let key = (&*service.workload.namespace, outside);
            wanted.entry(key).or_default().push(service);
        }
    }
    let asked = stream::iter(wanted).map(|((namespace, outside), services)| async move {
        let place = path::object_in(outside.api, namespace, outside.resource, &outside.name);
        let names: Vec<_> = services.iter().map(|s| &*s.workload.name).collect();
        let names = names.join(", ");
        match cluster.get_metadata(&place).await {
            Ok(_) => None,
            Err(Error::NotFound { .. }) => Some(verdict(
                CheckId::Config,
                Finding::Block,
                format!(
                    "{outside} is not in {namespace}, and no snapshot holds it: {names} cannot run without it; create it there first"
                ),
            )),
            Err(error) => Some(verdict(
                CheckId::Config,
                Finding::Unverified,
                format!("whether {outside} is in {namespace} for {names} is not known: {error}"),
            )),
        }
    });
    asked
        .buffered(AT_A_TIME)
        .filter_map(async |found| found)
        .collect()
        .await
}

async fn dry_runs(cluster: &Cluster, services: &[ServicePlan], pass: &Pass) -> Vec<Verdict> {
    let steps: Vec<_> = services.iter().flat_map(ServicePlan::steps).collect();
    let count = steps.len();
    let tried =
        stream::iter(steps).map(|step| async move { (step, send(cluster, step, pass).await) });
    let tried: Vec<_> = tried.buffered(AT_A_TIME).collect().await;
    let mut found: BTreeMap<CheckId, Vec<String>> = BTreeMap::new();
    for (step, outcome) in tried {
        let Err(error) = outcome else { continue };
        let check = match &error {
            SendError::Kube(Error::Forbidden { .. }) => CheckId::Permission,
            SendError::Kube(_) | SendError::Helm(_) | SendError::Changed(_) => CheckId::DryRun,
        };
        let (said, words) = (found.entry(check).or_default(), refusal(step, &error));
        if !said.contains(&words) {
            said.push(words);
        }
    }
    let mut verdicts: Vec<_> = found
        .iter()
        .map(|(check, refusals)| verdict(*check, Finding::Block, some(refusals)))
        .collect();
    if !found.contains_key(&CheckId::DryRun) {
        let accepted = count - found.get(&CheckId::Permission).map_or(0, Vec::len);
        let words = format!("the server would accept {accepted} of {count} writes");
        verdicts.push(verdict(CheckId::DryRun, Finding::Ok, words));
    }
    verdicts
}

fn refusal(step: &Step, error: &SendError) -> String {
    match (step, error) {
        (Step::Create { object, .. }, SendError::Kube(Error::NotFound { .. })) => {
            format!(
                "namespace {} is not there: create it first",
                object.namespace
            )
        }
        // The tests of its patch come first, and say no more.
        (
            _,
            SendError::Kube(Error::Rejected {
                status: 422,
                causes,
                ..
            }),
        ) if causes.is_empty() => {
            format!("{}: it moved since it was read", step.what())
        }
        (_, error) => format!("{}: {error}", step.what()),
    }
}

fn some(refusals: &[String]) -> String {
    let told = refusals
        .iter()
        .take(TOLD)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    match refusals.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told}; and {more} more"),
    }
}

/// Ends with the last service or with the first failure; a later plan from the same file goes on from there. Each step is
/// sent once, and dropping the stream does not stop it. Needs a tokio runtime.
pub fn restore(cluster: Cluster, order: RestoreOrder) -> BoxStream<'static, RestoreProgress> {
    told(|listener| async move {
        let restoring = Restoring {
            cluster,
            order,
            listener,
        };
        if let Err((at, why)) = restoring.run().await {
            let stopped = RestoreProgress::Stopped { at, why };
            restoring.listener.tell(stopped);
        }
    })
}

struct Restoring {
    cluster: Cluster,
    order: RestoreOrder,
    listener: Listener<RestoreProgress>,
}

impl Restoring {
    /// # Errors
    /// Where it stopped, and why.
    async fn run(&self) -> Result<(), (Option<usize>, Failure)> {
        let RestoreOrder { plan, answers, .. } = &self.order;
        let pass = gate::pass_for_restore(plan, answers);
        let pass = pass.map_err(|missing| (None, fresh::refused(missing_words(&missing))))?;
        for (at, service) in plan.written().enumerate() {
            let made = self.service(service, &pass).await;
            made.map_err(|why| (Some(at), why))?;
            self.listener.tell(RestoreProgress::Made(at));
        }
        Ok(())
    }

    async fn service(&self, service: &ServicePlan, pass: &Pass) -> Result<(), Failure> {
        let recorder = &self.order.recorder;
        let _under_way = recorder.begin(&service.stamp.id).await?;
        let line = Line::Sending(Box::new(self.line(service)));
        recorder.append(line).await?;
        let mut accepted = 0;
        for step in service.steps() {
            if let Err((outcome, why)) = self.step(step, pass).await {
                self.record(service, outcome, accepted, &why.sentence).await;
                return Err(why);
            }
            accepted += 1;
            self.listener
                .tell(RestoreProgress::Wrote(step.what().to_owned()));
        }
        self.record(
            service,
            Outcome::Accepted,
            accepted,
            "the server accepted it",
        )
        .await;
        Ok(())
    }

    async fn step(&self, step: &Step, pass: &Pass) -> Result<(), (Outcome, Failure)> {
        let Err(error) = send(&self.cluster, step, pass).await else {
            return Ok(());
        };
        let lost = matches!(&error, SendError::Kube(error) if error.outcome_unknown());
        if !lost {
            let sentence = format!("Not done: {}.", refusal(step, &error));
            let failure = Failure::new(FailureKind::Failed, sentence);
            return Err((Outcome::Refused, failure));
        }
        if self.is_there(step).await {
            return Ok(());
        }
        let sentence = format!(
            "It is not known whether it was done ({}): {error}; nothing is sent twice.",
            step.what()
        );
        Err((
            Outcome::Unknown,
            Failure::new(FailureKind::Failed, sentence),
        ))
    }

    /// The name was free right before, so what has it now is what was to be created.
    async fn is_there(&self, step: &Step) -> bool {
        let Step::Create { object, .. } = step else {
            return false;
        };
        let place = path::object_in(object.api, &object.namespace, object.resource, &object.name);
        self.cluster.get_metadata(&place).await.is_ok()
    }

    fn line(&self, service: &ServicePlan) -> Sending {
        let RestoreOrder { plan, answers, .. } = &self.order;
        let from = match &*service.uid.0 {
            "" => "nothing",
            _ => "as it was",
        };
        let sending = sending_words(
            &service.stamp,
            (VERB, (self.order.clock)()),
            (&service.workload, &service.uid),
            (from.into(), service.version().to_owned()),
        );
        Sending {
            server_user: self.order.server_user.as_deref().map(str::to_owned),
            reason: answers.reason.clone(),
            override_reason: answers.override_reason.clone(),
            checks: plan.checks.iter().map(checked).collect(),
            steps: service.steps().map(|step| step.what().to_owned()).collect(),
            ..sending
        }
    }

    async fn record(
        &self,
        service: &ServicePlan,
        outcome: Outcome,
        accepted: usize,
        sentence: &str,
    ) {
        let line = Line::Answered(Answered {
            id: service.stamp.id.clone(),
            at: (self.order.clock)(),
            outcome,
            accepted,
            sentence: sentence.into(),
        });
        self.order.recorder.note(line).await;
    }
}
