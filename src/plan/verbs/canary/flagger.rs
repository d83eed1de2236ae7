//! The verbs of a canary of Flagger, which are written to its Canary object: it acts on them at its next look, and not before.

use serde_json::{Value, json};

use crate::domain::canary::Canary;
use crate::domain::canary::flagger::{self, Flagger, Phase};
use crate::domain::version::version;
use crate::domain::{Fleet, Verbatim, Workload};
use crate::plan::verbs::live;
use crate::plan::{
    CheckId, Evidence, Finding, Goal, ObjectRef, Plan, Refusal, Side, Step, Verb, Verdict, kubectl,
};
use crate::text;

use super::{refused, turned};

pub mod abort;
pub mod hand;
mod primary;
pub mod promote;
pub mod retry;
pub mod target;
#[cfg(test)]
mod tests;

/// The workload, what its Canary says, and what only Flagger does.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub workload: &'a Workload,
    pub canary: &'a Canary,
    pub flagger: &'a Flagger,
}

/// `None` when it is not moved by Flagger.
pub fn case(workload: &Workload) -> Option<Case<'_>> {
    let canary = workload.canary.as_deref()?;
    Some(Case {
        workload,
        canary,
        flagger: canary.flagger.as_deref()?,
    })
}

/// `None`: it is no verb of a canary, or not moved by Flagger.
pub fn plan(fleet: &Fleet, evidence: &Evidence) -> Option<Result<Plan, Refusal>> {
    let case = case(&evidence.workload)?;
    let verb = evidence.request.verb;
    let make = |()| match verb {
        Verb::Promote => promote::plan(evidence, case),
        Verb::Abort => abort::plan(evidence, case),
        Verb::Retry => retry::plan(fleet, evidence, case),
        _ => hand::plan(evidence, case),
    };
    let own = [
        Verb::Promote,
        Verb::Abort,
        Verb::Retry,
        Verb::Pause,
        Verb::Resume,
    ];
    let own = own.contains(&verb);
    own.then(|| case.works(verb).and_then(make))
}

impl<'a> Case<'a> {
    /// # Errors
    /// Why it would do nothing as it stands, and what would.
    pub fn works(&self, verb: Verb) -> Result<(), Refusal> {
        match verb {
            Verb::Promote => promote::works(*self),
            Verb::Abort => abort::works(*self),
            Verb::Retry => retry::works(*self),
            Verb::Pause | Verb::Resume => hand::works(*self, verb == Verb::Pause),
            _ => Ok(()),
        }
    }

    /// `checkout-primary`.
    pub fn primary(&self) -> &'a str {
        self.canary.stable_in.as_deref().unwrap_or_default()
    }

    /// `the Canary checkout`.
    fn named(&self) -> String {
        format!("the Canary {}", self.flagger.name)
    }

    /// `every 10s`.
    fn looks(&self) -> String {
        format!("every {}", text::duration(self.flagger.interval.into()))
    }

    fn object(&self) -> ObjectRef {
        let id = &self.workload.id;
        ObjectRef {
            cluster: id.cluster.clone(),
            namespace: id.namespace.clone(),
            api: flagger::API,
            resource: flagger::PLURAL,
            name: self.flagger.name.clone(),
        }
    }

    /// The tests that bind a write to what was shown, and the write.
    fn bound(&self, write: impl IntoIterator<Item = Value>) -> Verbatim {
        let mut operations = vec![test("/metadata/uid", &json!(self.flagger.uid))];
        if self.flagger.phase != Phase::Other {
            operations.push(test("/status/phase", &json!(self.flagger.phase.word())));
        }
        if !self.canary.current.is_empty() {
            operations.push(test("/status/lastAppliedSpec", &json!(self.canary.current)));
        }
        operations.extend(write);
        Verbatim(Value::from(operations).to_string().into())
    }

    /// The version of the template, and of what serves; the same when that is not known.
    fn versions(&self, evidence: &Evidence) -> (String, Option<String>) {
        let serving = evidence.serving.as_ref();
        let named = |one: &Workload, other: Option<&Workload>| {
            let other = other.map(|other| &*other.containers);
            version(&one.containers, one.version_label.as_deref(), other)
        };
        let served = serving.map(|serving| named(serving, Some(self.workload)));
        (named(self.workload, serving), served)
    }

    /// The side of the template.
    fn asked(&self, evidence: &Evidence) -> Result<Side, Refusal> {
        let side = live::side(evidence)?;
        Ok(Side {
            version: self.versions(evidence).0,
            ..side
        })
    }

    /// `2.14.1 in checkout-primary`.
    fn served(&self, evidence: &Evidence) -> String {
        match self.versions(evidence).1 {
            Some(version) => format!("{version} in {}", self.primary()),
            None => format!("what {} serves", self.primary()),
        }
    }

    /// One that changes nothing of the template.
    fn plan(&self, evidence: &Evidence, steps: Vec<Step>) -> Result<Plan, Refusal> {
        let workload = self.workload;
        let side = self.asked(evidence)?;
        let goal = Goal {
            from_version: side.version.clone(),
            to_version: side.version.clone(),
            // It is written to another object.
            generation: workload.generation,
            turned: Some(turned(self.canary)),
            ..live::goal(evidence, &side)?
        };
        Ok(Plan {
            arrow: (side.label(), "the same".into()),
            steps,
            ..live::draft(evidence, (side.clone(), side), goal)
        })
    }

    /// What one would type.
    fn kubectl(&self, subresource: &str, body: &Value) -> String {
        kubectl::flagger(&self.workload.id, &self.flagger.name, subresource, body)
    }

    /// Nothing acts on it while it is suspended.
    fn not_suspended(&self) -> Result<(), Refusal> {
        if !self.flagger.suspended() {
            return Ok(());
        }
        let sentence = format!(
            "{} is suspended: {} does nothing until it is resumed.",
            self.workload.id,
            self.named()
        );
        Err(refused(sentence, "resume it first"))
    }

    /// The gates that hold it, in words: `gate go (http://gate.shop/go)`.
    fn gates(&self) -> String {
        let gates = self.flagger.held_by();
        let gates = gates.map(|gate| format!("gate {} ({})", gate.name, gate.url));
        let gates: Vec<_> = gates.collect();
        if gates.is_empty() {
            return "a gate".into();
        }
        gates.join(", ")
    }

    /// Why Flagger itself would not call the pods of the canary ready; `None` when it would.
    fn unready(&self) -> Option<String> {
        let (counts, want) = (self.workload.counts, self.workload.desired);
        let ready = counts.updated >= want
            && counts.total <= counts.updated
            && counts.available >= counts.updated;
        (!ready).then(|| format!("{} of {want} of its pods are ready", counts.available))
    }
}

fn test(path: &str, value: &Value) -> Value {
    json!({"op": "test", "path": path, "value": value})
}

/// Once it has set the workload up.
fn moved(workload: &Workload) -> Option<Case<'_>> {
    case(workload).filter(|case| case.canary.is_moved_by_flagger())
}

/// What another verb brings on a workload that Flagger moves, or on one that serves in the place of such.
pub fn verdict(evidence: &Evidence) -> Option<Verdict> {
    let Some(case) = moved(&evidence.workload) else {
        return primary::verdict(evidence);
    };
    Some(Verdict {
        check: CheckId::Controller,
        finding: Finding::Warn,
        sentence: target::brings(case, evidence.request.verb)?,
    })
}

/// A template that is written to a workload that Flagger moves ends with the release that it makes of it.
pub fn bind(plan: &mut Plan, evidence: &Evidence) {
    let moved = moved(&evidence.workload);
    if let Some(case) = moved.filter(|_| plan.goal.template.is_none()) {
        plan.goal.turned = Some(turned(case.canary));
    }
}
