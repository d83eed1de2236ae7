//! The canary of a pair: promoting it gives its images to the one beside it and then stops it, aborting it stops it at once.

use serde_json::Value;

use crate::domain::canary::Canary;
use crate::domain::template::canonical_hash;
use crate::domain::version::version;
use crate::domain::{ActionNote, ImageRef, Pod, Verbatim, Workload, pair};
use crate::plan::check::owner;
use crate::plan::difference::differences;
use crate::plan::git::Written;
use crate::plan::meanwhile::meanwhile;
use crate::plan::patch::{self, Note};
use crate::plan::verbs::{live, scale};
use crate::plan::{
    Autoscaling, Beside, Check, CheckId, Difference, Evidence, Finding, Goal, Keeper, ObjectRef,
    Plan, Refusal, Runs, Scaled, Side, Step, Target, Verb, Verdict, git, kubectl,
};

use super::{refused, serving, where_it_is};

mod routed;

/// # Errors
/// It is the stable one of a pair, and what is asked for is the canary's.
pub fn meant(evidence: &Evidence) -> Result<(), Refusal> {
    let Some(canary) = &evidence.has_beside else {
        return Ok(());
    };
    let (id, words) = (&evidence.workload.id, evidence.request.verb.words());
    let sentence = format!(
        "{id} is the stable one of a pair: its canary {canary} is what is {}.",
        words.done
    );
    let hint = match evidence.request.verb {
        Verb::PromoteFull => format!("promote {canary} --full"),
        Verb::SetWeight => format!("weight {canary} PERCENT"),
        verb => format!("{} {canary}", verb.name()),
    };
    Err(refused(sentence, &hint))
}

/// First the images, then, once all pods of the other one run them, the canary goes.
///
/// # Errors
/// Why there is nothing to give to the other one.
pub fn promote(evidence: &Evidence, canary: &Canary) -> Result<Plan, Refusal> {
    let case = Case::new(evidence)?;
    let (workload, stable) = (&evidence.workload, case.stable);
    let side = live::side(evidence)?;
    let (shown, to) = (workload.desired, 0);
    let mut request = evidence.request.clone();
    request.target = Target::Replicas { shown, to };
    let (old, new) = (named(stable, workload), named(workload, stable));
    let mut plan = Plan {
        request,
        stamp: evidence.stamp.clone(),
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        phase: evidence.phase,
        level: evidence.level,
        arrow: (
            format!("{old} of {}", stable.id),
            format!("{new}, and no {}", workload.id),
        ),
        rule: String::new(),
        differences: case.differences(),
        checks: case.checks(),
        steps: case.steps(canary, (&old, &side))?,
        offers: Vec::new(),
        goal: Goal {
            scaled: Some(Scaled::To(0)),
            ..live::goal(evidence, &side)?
        },
        meanwhile: format!(
            "{}; then the pods of {} stop",
            meanwhile(stable, &[]),
            workload.id
        ),
        expected: None,
        kubectl: case.kubectl(),
        read_at: evidence.read_at,
        from: Side {
            version: old,
            ..side.clone()
        },
        to: side,
    };
    let told = [serving(evidence), routed::also(canary, true)];
    for verdict in told.into_iter().flatten() {
        plan.add(verdict.into());
    }
    git::guard_all(&mut plan, evidence, &case.written());
    Ok(plan)
}

/// Its pods stop. All that is left goes to the other one.
///
/// # Errors
/// It cannot be scaled.
pub fn abort(evidence: &Evidence, canary: &Canary) -> Result<Plan, Refusal> {
    let stable = stable(evidence)?;
    if let Some(route) = canary.route() {
        return routed::abort(evidence, route);
    }
    let mut plan = scaled(evidence, 0, "0%")?;
    let (id, have, want) = (&stable.id, stable.counts.available, stable.desired);
    let stops = canary.set;
    plan.meanwhile = format!("{stops} of its pods stop; {have} of {want} of {id} serve all");
    let (finding, sentence) = match have {
        0 => (
            Finding::Block,
            format!("no pod of {id} serves: none would be left"),
        ),
        have if have < want => (
            Finding::Warn,
            format!("only {have} of {want} pods of {id} serve"),
        ),
        have => (Finding::Ok, format!("{have} of {want} pods of {id} serve")),
    };
    let verdict = Verdict {
        check: CheckId::Readiness,
        finding,
        sentence,
    };
    plan.add(verdict.into());
    Ok(plan)
}

/// So many pods that their share comes nearest to it.
///
/// # Errors
/// It would change nothing, or somebody else sets the number.
pub fn weight(evidence: &Evidence, canary: &Canary, percent: u32) -> Result<Plan, Refusal> {
    let (id, stable) = (&evidence.workload.id, stable(evidence)?);
    if let Some(route) = canary.route() {
        return routed::weight(evidence, route, percent);
    }
    let Some(pods) = pair::pods_for(percent, stable.desired) else {
        let sentence = format!("All of it cannot go to {id} while {} serves.", stable.id);
        return Err(refused(sentence, "promote it"));
    };
    if pods == canary.set {
        let sentence = format!(
            "{percent}% beside {} pods of {} are {pods} pods of {id}, which it has.",
            stable.desired, stable.id
        );
        return Err(Refusal::say(sentence));
    }
    if let (Autoscaling::By(autoscaler), true) = (&evidence.autoscaling, pods > 0) {
        let name = &autoscaler.name;
        let sentence =
            format!("hpa/{name} sets the number of pods of {id}: it would take another back.");
        return Err(refused(
            sentence,
            "scale it, which moves the bounds of its autoscaler",
        ));
    }
    let all = pods.saturating_add(stable.desired);
    let mut plan = scaled(evidence, pods, &format!("{pods} of {all} pods"))?;
    let told = plan.checks.iter().any(|c| c.id == CheckId::Autoscaler);
    if let Some(verdict) = other_number(evidence, stable).filter(|_| pods > 0 && !told) {
        plan.add(verdict.into());
    }
    Ok(plan)
}

/// Who sets the number of the stable one: with that the share of the canary is another.
fn other_number(evidence: &Evidence, stable: &Workload) -> Option<Verdict> {
    let id = &stable.id;
    let (finding, sentence) = match &evidence.beside.as_ref()?.autoscaling {
        Autoscaling::None => return None,
        Autoscaling::By(autoscaler) => (
            Finding::Warn,
            format!(
                "hpa/{} sets the number of pods of {id}: the share moves with it",
                autoscaler.name
            ),
        ),
        Autoscaling::Unknown(why) => (
            Finding::Unverified,
            format!(
                "whether an autoscaler scales {id}, and with it the share, is not known: {why}"
            ),
        ),
    };
    let check = CheckId::Autoscaler;
    Some(Verdict {
        check,
        finding,
        sentence,
    })
}

/// Another number of pods, and what that is of all.
fn scaled(evidence: &Evidence, to: u32, share: &str) -> Result<Plan, Refusal> {
    let mut asked = evidence.clone();
    let shown = evidence.workload.desired;
    asked.request.target = Target::Replicas { shown, to };
    let mut plan = scale::plan(&asked)?;
    let text = format!("{} → {share}", where_it_is(evidence));
    let what = "canary".into();
    plan.differences.insert(0, Difference { what, text });
    if let (Keeper::None, Some(manager)) = (&evidence.keeper, &evidence.workload.manager) {
        plan.add(owner::of_field(manager, "it").into());
    }
    Ok(plan)
}

fn stable(evidence: &Evidence) -> Result<&Workload, Refusal> {
    let gone = || {
        let id = &evidence.workload.id;
        Refusal::say(format!("The Deployment that {id} serves beside is gone."))
    };
    evidence.serving.as_ref().ok_or_else(gone)
}

fn named(workload: &Workload, other: &Workload) -> String {
    let label = workload.version_label.as_deref();
    version(&workload.containers, label, Some(&other.containers))
}

/// What a promotion is put together from.
struct Case<'a> {
    evidence: &'a Evidence,
    stable: &'a Workload,
    beside: &'a Beside,
    images: Vec<Given>,
    before: Value,
    after: Value,
}

/// One image that the stable one gets.
struct Given {
    /// Where it stands in the template.
    field: String,
    container: Box<str>,
    image: String,
}

impl<'a> Case<'a> {
    fn new(evidence: &'a Evidence) -> Result<Self, Refusal> {
        let stable = stable(evidence)?;
        let id = &stable.id;
        let Some(beside) = &evidence.beside else {
            return Err(Refusal::say(format!("The template of {id} was not read.")));
        };
        if stable.paused {
            let sentence = format!("{id} is paused: no pod of it would move.");
            return Err(refused(sentence, "resume it first"));
        }
        let before: Value =
            serde_json::from_str(&beside.template.0).map_err(Refusal::unreadable)?;
        let images = images(evidence, &before);
        if images.is_empty() {
            let sentence = format!("{id} has the images of {} already.", evidence.workload.id);
            return Err(refused(sentence, "an abort stops the pods of the canary"));
        }
        let mut after = before.clone();
        for given in &images {
            if let Some(value) = after.pointer_mut(&given.field) {
                *value = given.image.as_str().into();
            }
        }
        Ok(Self {
            evidence,
            stable,
            beside,
            images,
            before,
            after,
        })
    }

    fn differences(&self) -> Vec<Difference> {
        let mut found = differences(&self.before, &self.after);
        let (of, stops) = (&self.evidence.workload.id, self.evidence.workload.desired);
        let is_at = where_it_is(self.evidence);
        found.push(Difference {
            what: "canary".into(),
            text: format!("{is_at}, then {stops} → 0 pods of {of}"),
        });
        found
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = live::must_checks();
        checks.extend(live::images(&self.after));
        checks.push(live::config(&self.after));
        checks.extend(self.left_out().map(Check::from));
        let (stable, after) = (self.stable, &self.after);
        checks.extend(live::on_its_way(stable, after, stable.desired, None));
        checks.sort_by_key(|check| check.id);
        checks
    }

    /// Each object that it writes, and what git has of it.
    fn written(&self) -> Vec<Written<'a>> {
        let (evidence, beside) = (self.evidence, self.beside);
        let route = evidence.workload.canary.as_ref().and_then(|c| c.route());
        let template = git::Change::Template(&self.before, &self.after);
        let mut written = vec![Written::workload(self.stable, &beside.keeper, template)];
        written.extend(route.map(|of| routed::written(evidence, of, 0)));
        let replicas = git::Change::Replicas(0);
        let own = Written::workload(&evidence.workload, &evidence.keeper, replicas);
        written.push(own);
        written
    }

    /// What the canary has otherwise than its images, which nobody gives to the other one.
    fn left_out(&self) -> Option<Verdict> {
        let own: Value = serde_json::from_str(&self.evidence.template.0).ok()?;
        let mut other = differences(&self.after, &own);
        // Labels are how the two are told apart, and an image may be the same by its digest.
        other.retain(|one| {
            !["image", "label"]
                .iter()
                .any(|known| one.what.starts_with(known))
        });
        let what: Vec<_> = other.iter().map(|one| &*one.what).collect();
        let (finding, sentence) = if what.is_empty() {
            let words = "the two differ in nothing but their images";
            (Finding::Ok, words.to_owned())
        } else {
            let what = what.join(", ");
            let words = format!("the canary differs in more than is copied: {what}");
            (Finding::Warn, words)
        };
        let check = CheckId::Differs;
        Some(Verdict {
            check,
            finding,
            sentence,
        })
    }

    /// What routes to it gives it nothing more before its pods stop.
    fn steps(&self, canary: &Canary, (old, side): (&str, &Side)) -> Result<Vec<Step>, Refusal> {
        let (give, stop) = (self.give_images(old)?, self.stop(side)?);
        Ok(match canary.route() {
            None => vec![give, self.after(stop)],
            Some(route) => vec![
                give,
                self.after(routed::step(self.evidence, route, 0)?),
                stop,
            ],
        })
    }

    /// Once all pods of the stable one run the images.
    fn after(&self, step: Step) -> Step {
        let Step::JsonPatch { object, body, what } = step else {
            return step;
        };
        let mut containers = self.stable.containers.clone();
        for container in &mut containers {
            let mut images = self.images.iter();
            if let Some(given) = images.find(|given| given.container == container.name) {
                container.image = given.image.as_str().into();
            }
        }
        let beside = &self.stable.id;
        Step::After {
            object,
            body,
            runs: Box::new(Runs {
                workload: beside.clone(),
                uid: self.stable.uid.clone(),
                containers,
                ready_for: self.evidence.ready_for,
            }),
            what: format!("{what}, once {beside} is verified"),
        }
    }

    fn give_images(&self, from_version: &str) -> Result<Step, Refusal> {
        let stamp = &self.evidence.stamp;
        let note = ActionNote {
            id: stamp.id.clone(),
            verb: self.evidence.request.verb.name().into(),
            from: String::new(),
            from_version: from_version.to_owned(),
            to: canonical_hash(&self.after.to_string()).map_err(Refusal::unreadable)?,
            by: stamp.by.clone(),
            at: stamp.at,
            replicas: None,
        };
        let note = Note {
            note: &note,
            into_map: self.beside.has_annotations,
        };
        let images = self.images.iter();
        let images: Vec<_> = images.map(|g| (&*g.field, &*g.image)).collect();
        let body = patch::set_images(&self.stable.uid, &self.beside.template.0, &images, &note);
        let (of, from) = (&self.stable.id, &self.evidence.workload.id);
        Ok(Step::Beside {
            object: ObjectRef::of(self.stable),
            body: Verbatim(body.map_err(Refusal::unreadable)?.into()),
            what: format!("give {of} the images of {from}"),
        })
    }

    fn stop(&self, side: &Side) -> Result<Step, Refusal> {
        let workload = &self.evidence.workload;
        let note = ActionNote {
            replicas: Some(0),
            ..live::note(self.evidence, side)?
        };
        let note = Note {
            note: &note,
            into_map: self.evidence.has_annotations,
        };
        let shown = workload.desired;
        let body = patch::scale(
            &workload.uid,
            Some(&self.evidence.template.0),
            (shown, 0),
            &note,
        );
        let id = &workload.id;
        Ok(Step::JsonPatch {
            object: ObjectRef::of(workload),
            body: Verbatim(body.map_err(Refusal::unreadable)?.into()),
            what: format!("scale {id} from {shown} to 0"),
        })
    }

    fn kubectl(&self) -> String {
        let (of, workload) = (&self.stable.id, &self.evidence.workload);
        let images = self.images.iter();
        let images: Vec<_> = images.map(|g| (&*g.container, &*g.image)).collect();
        let set = kubectl::set_image(of, &images);
        let stop = kubectl::scale(&workload.id, (workload.desired, 0));
        [set, kubectl::status(of), stop].join(" && ")
    }
}

/// Those of the canary that the other one has otherwise, container by container.
fn images(evidence: &Evidence, template: &Value) -> Vec<Given> {
    let groups = ["containers", "initContainers"].into_iter();
    let all = groups.flat_map(|group| {
        let list = template["spec"][group].as_array().into_iter().flatten();
        list.enumerate()
            .map(move |(at, container)| (format!("/spec/{group}/{at}/image"), container))
    });
    let changed = all.filter_map(|(field, container)| {
        let name = container["name"].as_str()?;
        let mut own = evidence.workload.containers.iter();
        let image = &own.find(|own| *own.name == *name)?.image;
        let image = pinned(image, name, &evidence.pods);
        let container = (container["image"] != *image).then(|| name.into())?;
        Some(Given {
            field,
            container,
            image,
        })
    });
    changed.collect()
}

/// With the digest that its pods run, where they agree on one of the same repository: a tag may move meanwhile.
fn pinned(image: &str, container: &str, pods: &[Pod]) -> String {
    let of = ImageRef::parse(image);
    let run = pods.iter().filter(|pod| pod.ready && !pod.terminating);
    let run = run
        .flat_map(|pod| &pod.containers)
        .filter(|c| *c.name == *container);
    let digest = |id: &str| {
        let id = id.rsplit_once("://").map_or(id, |(_, id)| id);
        let id = ImageRef::parse(id);
        let same = id.repository == of.repository;
        id.digest.filter(|_| same).map(ToOwned::to_owned)
    };
    let mut digests: Vec<_> = run.map(|c| digest(&c.image_id)).collect();
    digests.sort_unstable();
    digests.dedup();
    match (of.digest, &digests[..]) {
        (None, [Some(digest)]) => format!("{image}@{digest}"),
        _ => image.to_owned(),
    }
}

#[cfg(test)]
mod tests;
