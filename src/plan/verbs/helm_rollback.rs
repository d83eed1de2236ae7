//! Going back by the Helm release that the workload is a part of, with all that the chart keeps.

use serde_json::Value;

use crate::domain::chart::is_release_name;
use crate::domain::template::canonical_hash;
use crate::domain::version::version;
use crate::domain::{ChartRelease, Container, Failure, FailureKind, HelmCall, TemplateHash};
use crate::plan::check::{Check, paused};
use crate::plan::difference::differences;
use crate::plan::kubectl::shell_word;
use crate::plan::meanwhile::meanwhile;
use crate::plan::{
    CheckId, Difference, Evidence, Finding, Goal, ObjectRef, Offer, OfferId, Plan, Refusal,
    Releases, Side, Step, Verb, Verdict, git,
};
use crate::text;

use super::live;

mod target;

use target::{Chosen, Kept};

/// # Errors
/// Why one cannot go back by Helm, or that the release is not as it was shown.
pub fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
    let case = Case::new(evidence)?;
    let workload = &evidence.workload;
    let from = live::side(evidence)?;
    let to = case.to_side();
    let moving: Vec<_> = evidence.pods.iter().collect();
    let goal = Goal {
        to_version: to.version.clone(),
        template: None,
        revision_name: Box::default(),
        containers: case.containers(),
        ..live::goal(evidence, &from)?
    };
    let mut plan = Plan {
        arrow: (case.newest.0.label(), case.target.0.label()),
        rule: case.rule.into(),
        differences: case.differences(),
        checks: case.checks(),
        steps: case.steps(&from)?,
        meanwhile: match workload.id.kind {
            _ if case.after.is_none() => "what becomes of its pods is not known".into(),
            _ => meanwhile(workload, &moving),
        },
        kubectl: typed(&case.call()),
        ..live::draft(evidence, (from, to), goal)
    };
    if workload.kept_by().is_some()
        && let (Some(before), Some(after)) = (&case.before, &case.after)
    {
        git::guard(&mut plan, evidence, git::Change::Template(before, after));
    }
    Ok(plan)
}

/// The way to this plan from that of the workload alone.
pub fn offer(evidence: &Evidence) -> Option<Offer> {
    let name = evidence.workload.chart_release()?;
    evidence.helm.program.as_ref()?;
    let text = format!("in place of it: go back by Helm release {name}, with all of its chart");
    let mut offer = Offer::new(OfferId::Helm, 'H', text, Vec::new());
    offer.opens = Some(Verb::HelmRollback);
    Some(offer)
}

/// Everything a plan is put together from.
struct Case<'a> {
    evidence: &'a Evidence,
    name: &'a str,
    program: &'a str,
    kept_in: &'static str,
    revisions: &'a [Kept],
    newest: &'a Kept,
    target: &'a Kept,
    rule: &'static str,
    /// The pod templates of the two, as the chart has them.
    before: Option<Value>,
    after: Option<Value>,
}

impl<'a> Case<'a> {
    fn new(evidence: &'a Evidence) -> Result<Self, Refusal> {
        let id = &evidence.workload.id;
        let Some(name) = evidence.workload.chart_release() else {
            let sentence = format!("Nothing on {id} says that Helm installed it.");
            return Err(Refusal::say(sentence));
        };
        if !is_release_name(name) {
            let sentence = format!("{id} names {name} as its Helm release, which is no such name.");
            return Err(Refusal::say(sentence));
        }
        let (revisions, kept_in) = match &evidence.helm.releases {
            Releases::Found {
                revisions, kept_in, ..
            } => (revisions.as_slice(), *kept_in),
            Releases::NotRead => (&[][..], "secrets"),
            Releases::Unknown(why) => {
                let sentence = format!("Helm release {name} cannot be read: {why}.");
                return Err(Refusal::say(sentence));
            }
        };
        let Some(program) = evidence.helm.program.as_deref() else {
            let sentence =
                format!("helm is not on the PATH, and only Helm goes back by release {name}.");
            let failure = Failure::new(FailureKind::Refused, sentence);
            return Err(Refusal::still(
                failure.hint("a rollback of the workload alone needs no helm"),
            ));
        };
        let Chosen {
            newest,
            target,
            rule,
        } = target::choose(name, revisions, &evidence.request.target)?;
        let template = |kept: &Kept| {
            let raw = kept.1.template.as_ref()?;
            serde_json::from_str(&raw.0).ok()
        };
        Ok(Self {
            evidence,
            name,
            program,
            kept_in,
            revisions,
            newest,
            target,
            rule,
            before: template(newest),
            after: template(target),
        })
    }

    fn call(&self) -> HelmCall {
        let id = &self.evidence.workload.id;
        let context = Some(&id.cluster.0).filter(|name| !matches!(&***name, "" | "in-cluster"));
        HelmCall {
            program: self.program.into(),
            kubeconfig: self.evidence.helm.kubeconfig.clone(),
            context: context.cloned(),
            namespace: id.namespace.clone(),
            release: self.name.into(),
            newest: self.newest.0.revision,
            newest_at: self.newest.0.updated,
            to: self.target.0.revision,
        }
    }

    /// Helm writes what the chart names, and leaves what others wrote beside it.
    fn containers(&self) -> Box<[Container]> {
        let mut found = Vec::new();
        for (group, init) in [("containers", false), ("initContainers", true)] {
            let all = self
                .after
                .iter()
                .filter_map(|t| t["spec"][group].as_array());
            found.extend(all.flatten().filter_map(|one| {
                Some(Container {
                    name: one["name"].as_str()?.into(),
                    image: one["image"].as_str()?.into(),
                    init,
                })
            }));
        }
        found.into()
    }

    fn to_side(&self) -> Side {
        let release = &self.target.0;
        let containers = self.containers();
        let live = &self.evidence.workload.containers;
        let version = match (containers.is_empty(), &*release.app_version) {
            (false, _) => version(&containers, None, Some(live)),
            (true, "") => release.chart.to_string(),
            (true, app) => app.to_owned(),
        };
        Side {
            revision: 0,
            name: Box::default(),
            version,
            short_digest: None,
            template: TemplateHash::default(),
        }
    }

    /// Of the pod template in the words of any plan; all else of the release by its names.
    fn differences(&self) -> Vec<Difference> {
        let mut found = match (&self.before, &self.after) {
            (Some(before), Some(after)) => differences(before, after),
            _ => Vec::new(),
        };
        let own = self.own();
        let (old, new) = (&self.newest.1.objects, &self.target.1.objects);
        let listed = |names: Vec<&str>, verb: &str| {
            let text = format!("{verb} {}", text::list(&names));
            (!names.is_empty()).then(|| Difference {
                what: "release".into(),
                text,
            })
        };
        let changed = new.iter().filter(|(name, hash)| {
            ***name != *own && old.get(*name).is_some_and(|was| was != *hash)
        });
        let made = new.keys().filter(|name| !old.contains_key(*name));
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        let hooks = self.target.1.hooks.iter();
        let lines = [
            listed(changed.map(|(name, _)| &**name).collect(), "changes"),
            listed(made.map(|name| &**name).collect(), "creates"),
            listed(gone.map(|name| &**name).collect(), "deletes"),
            listed(hooks.map(|hook| &**hook).collect(), "runs"),
        ];
        found.extend(lines.into_iter().flatten());
        found
    }

    /// As the manifest names the workload.
    fn own(&self) -> String {
        let id = &self.evidence.workload.id;
        format!("{}/{}", id.kind.name(), id.name)
    }

    fn checks(&self) -> Vec<Check> {
        let workload = &self.evidence.workload;
        let mut checks = live::must_checks();
        let told = [
            Some(self.differs()),
            self.withdrawn(),
            self.pending(),
            paused::verdict(workload.paused),
        ];
        checks.extend(told.into_iter().flatten().map(Check::from));
        if let Some(after) = &self.after {
            checks.push(live::config(after));
            checks.extend(live::on_its_way(workload, after, workload.desired, None));
        }
        checks.sort_by_key(|check| check.id);
        checks
    }

    fn differs(&self) -> Verdict {
        let (id, to) = (&self.evidence.workload.id, self.target.0.revision);
        let told = |finding, sentence| Verdict {
            check: CheckId::Differs,
            finding,
            sentence,
        };
        match (&self.before, &self.after) {
            _ if !self.target.1.objects.contains_key(&*self.own()) => told(
                Finding::Block,
                format!("revision {to} does not have {id}: Helm deletes it"),
            ),
            (Some(before), Some(after)) if differences(before, after).is_empty() => told(
                Finding::Warn,
                format!("revision {to} has the same pod template for {id}: its pods stay"),
            ),
            (Some(_), Some(_)) => told(
                Finding::Ok,
                "the chart's pod template differs, as shown".into(),
            ),
            _ => told(
                Finding::Warn,
                format!("what revision {to} has for {id} cannot be read from its manifest"),
            ),
        }
    }

    fn withdrawn(&self) -> Option<Verdict> {
        let release = &self.target.0;
        let sentence = if !release.was_deployed() {
            format!(
                "revision {} is {}: {}",
                release.revision, release.status, release.description
            )
        } else if target::withdrawn(release, self.revisions) {
            format!("revision {} was gone back from before", release.revision)
        } else {
            return None;
        };
        Some(Verdict {
            check: CheckId::Withdrawn,
            finding: Finding::Warn,
            sentence,
        })
    }

    /// Two at work on one release end in neither's version.
    fn pending(&self) -> Option<Verdict> {
        let newest = &self.newest.0;
        newest.is_pending().then(|| Verdict {
            check: CheckId::Hold,
            finding: Finding::Block,
            sentence: format!(
                "revision {} is {}: another helm is at work now, or was interrupted",
                newest.revision, newest.status
            ),
        })
    }

    fn steps(&self, from: &Side) -> Result<Vec<Step>, Refusal> {
        let evidence = self.evidence;
        let workload = &evidence.workload;
        let call = self.call();
        let helm = Step::Helm {
            object: ObjectRef {
                cluster: workload.id.cluster.clone(),
                namespace: workload.id.namespace.clone(),
                api: "v1",
                resource: self.kept_in,
                name: format!(
                    "sh.helm.release.v1.{}.v{}",
                    self.name,
                    call.newest.saturating_add(1)
                )
                .into(),
            },
            what: format!(
                "helm takes release {} from revision {} to {}",
                self.name, call.newest, call.to
            ),
            call: Box::new(call),
        };
        let note = Step::Note {
            object: ObjectRef::of(workload),
            uid: workload.uid.clone(),
            note: Box::new(live::note(evidence, from)?),
            before: canonical_hash(&evidence.template.0).map_err(Refusal::unreadable)?,
            what: format!("note on {} who acted", workload.id),
        };
        Ok(vec![helm, note])
    }
}

/// As one would type it.
fn typed(call: &HelmCall) -> String {
    let arguments = call.rollback(false);
    let words: Vec<_> = arguments.iter().map(|word| shell_word(word)).collect();
    format!("helm {}", words.join(" "))
}

/// What became of the release, once its newest revision `from` was to be taken to `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release<'a> {
    /// Helm made no other revision.
    Same,
    /// The one that Helm made of it, in whatever state.
    Made(&'a ChartRelease),
    /// Somebody else made the next one, and there is only one next.
    Another(&'a ChartRelease),
}

/// `releases`: all that Helm keeps.
pub fn became<'a>(
    releases: impl Iterator<Item = &'a ChartRelease>,
    (from, to): (u32, u32),
) -> Release<'a> {
    let mut releases = releases;
    let next = releases.find(|release| release.revision == from.saturating_add(1));
    match next {
        None => Release::Same,
        // One that failed has the reason in place of where it went.
        Some(next)
            if next.back_to() == Some(to)
                || (&*next.status == "failed" && next.description.starts_with("Rollback ")) =>
        {
            Release::Made(next)
        }
        Some(next) => Release::Another(next),
    }
}

#[cfg(test)]
pub mod tests;
