//! Another image for a container, or for those that share one: the template that is live, with these fields changed.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::revision::withdrawn_by;
use crate::domain::template::{CanonicalHash, canonical_hash};
use crate::domain::version::version;
use crate::domain::{
    ActionNote, Container, Failure, FailureKind, ImageRef, Pod, Revision, Verbatim,
};
use crate::plan::check::{self, Check, owner, paused, strategy, withdrawn};
use crate::plan::difference::differences;
use crate::plan::meanwhile::meanwhile;
use crate::plan::patch::{self, Note};
use crate::plan::{
    Evidence, FreshRevision, Goal, ObjectRef, Pinned, Plan, Refusal, Request, Side, Step, Target,
    git, kubectl,
};

use super::canary::release;
use super::live;
use super::promotion;
use super::rollback::pods::{Left, is_free, others};

/// # Errors
/// Which container or image is meant is not clear, or it runs that image already.
pub fn plan(evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    release::takes_template(evidence)?;
    let change = Change::new(evidence)?;
    let workload = &evidence.workload;
    let from = live::side(evidence)?;
    let to = to_side(&change, &from);
    let free = |pod: &&Pod| is_free(workload, pod);
    let moving: Vec<_> = change.pods.iter().copied().filter(free).collect();
    let known = to.revision > 0;
    let mut plan = Plan {
        request: change.request(),
        stamp: evidence.stamp.clone(),
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        phase: evidence.phase,
        level: evidence.level,
        arrow: (
            from.label(),
            if known {
                to.label()
            } else {
                format!("{}, a new revision", to.version)
            },
        ),
        rule: String::new(),
        differences: differences(&change.before, &change.after),
        checks: checks(&change, now),
        steps: steps(&change, &from)?,
        offers: live::offers(evidence, change.left.kept_steps(evidence)),
        goal: Goal {
            to: change.to.clone(),
            to_version: to.version.clone(),
            template: None,
            revision_name: to.name.clone(),
            containers: change.containers(),
            turned: release::shown(evidence),
            ..live::goal(evidence, &from)?
        },
        meanwhile: release::outlook(evidence, change.known)
            .unwrap_or_else(|| meanwhile(workload, &moving)),
        expected: None,
        kubectl: kubectl::set_image(&workload.id, &change.pairs()),
        read_at: evidence.read_at,
        from,
        to,
    };
    let template = git::Change::Template(&change.before, &change.after);
    git::guard(&mut plan, evidence, template);
    Ok(plan)
}

/// Everything a plan is put together from.
struct Change<'a> {
    evidence: &'a Evidence,
    swaps: Vec<Swap>,
    before: Value,
    after: Value,
    to: CanonicalHash,
    /// One that the cluster keeps and that has the very template already.
    known: Option<&'a Revision>,
    /// Those of another template.
    pods: Vec<&'a Pod>,
    left: Left<'a>,
}

/// A container and its new image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    pub container: Box<str>,
    /// In the template: `/spec/containers/0/image`.
    pub field: String,
    pub image: String,
}

impl<'a> Change<'a> {
    fn new(evidence: &'a Evidence) -> Result<Self, Refusal> {
        let workload = &evidence.workload;
        let before: Value =
            serde_json::from_str(&evidence.template.0).map_err(Refusal::unreadable)?;
        let swaps = match &evidence.request.target {
            Target::Promoted { .. } => promotion::swaps(evidence, &before)?,
            _ => vec![asked_for(evidence, &before)?],
        };
        let mut after = before.clone();
        for swap in &swaps {
            if let Some(value) = after.pointer_mut(&swap.field) {
                *value = swap.image.clone().into();
            }
        }
        let to = canonical_hash(&after.to_string()).map_err(Refusal::unreadable)?;
        let known = known(evidence, &to, &swaps);
        let there = |pod: &&Pod| !pod.terminating && !pod.ended();
        let pods: Vec<_> = match known {
            Some(target) => others(evidence.pods.iter(), target),
            None => evidence.pods.iter().filter(there).collect(),
        };
        Ok(Self {
            evidence,
            left: Left::among(workload, pods.clone(), |pod| is_free(workload, pod)),
            swaps,
            before,
            after,
            to,
            known,
            pods,
        })
    }

    /// The same, with what was meant by it.
    fn request(&self) -> Request {
        let asked = &self.evidence.request;
        let target = match (&asked.target, self.swaps.as_slice()) {
            (Target::Image { .. }, [swap]) => Target::Image {
                container: Some(swap.container.clone()),
                image: swap.image.clone(),
            },
            (other, _) => other.clone(),
        };
        Request {
            target,
            ..asked.clone()
        }
    }

    /// Those of the workload, with their new images.
    fn containers(&self) -> Box<[Container]> {
        let containers = self.evidence.workload.containers.iter().cloned();
        let changed = containers.map(|container| {
            let mut swaps = self.swaps.iter();
            match swaps.find(|swap| swap.container == container.name) {
                Some(swap) => Container {
                    image: swap.image.as_str().into(),
                    ..container
                },
                None => container,
            }
        });
        changed.collect()
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        let swaps = self.swaps.iter();
        swaps.map(|swap| (&*swap.container, &*swap.image)).collect()
    }
}

/// The one container that is meant, and what was typed as a whole reference.
fn asked_for(evidence: &Evidence, before: &Value) -> Result<Swap, Refusal> {
    let Target::Image { container, image } = &evidence.request.target else {
        return Err(Refusal::say("It is not said which image.".into()));
    };
    let place = place(before, container.as_deref());
    let (field, name) = place.ok_or_else(|| no_container(evidence, before))?;
    let present = before.pointer(&field).and_then(Value::as_str);
    let present = present.unwrap_or_default();
    let image = resolve(image, present).map_err(Refusal::say)?;
    let image = pinned(image, &evidence.pinned)?;
    if image == present {
        return Err(Refusal::say(format!(
            "Container {name} of {} has the image {image} already.",
            evidence.workload.id
        )));
    }
    Ok(Swap {
        container: name,
        field,
        image,
    })
}

/// The revision that has the very template. That of a Rollout lacks what its revisions have from a server: there it
/// is the current one with these images.
fn known<'a>(evidence: &'a Evidence, to: &CanonicalHash, swaps: &[Swap]) -> Option<&'a Revision> {
    let filled = release::current(evidence).and_then(|fresh| {
        let mut template: Value = serde_json::from_str(&fresh.template.0).ok()?;
        for swap in swaps {
            let (field, _) = place(&template, Some(&swap.container))?;
            *template.pointer_mut(&field)? = swap.image.clone().into();
        }
        canonical_hash(&template.to_string()).ok()
    });
    let to = filled.as_ref().unwrap_or(to);
    let mut revisions = evidence.revisions.iter();
    let same = |fresh: &&FreshRevision| canonical_hash(&fresh.template.0).is_ok_and(|h| h == *to);
    revisions.find(same).map(|fresh| &fresh.revision)
}

/// The image that is meant, as a whole reference; `None` where there is no such container, or it is no image.
pub fn meant(template: &Value, target: &Target) -> Option<String> {
    let Target::Image { container, image } = target else {
        return None;
    };
    let (field, _) = place(template, container.as_deref())?;
    let present = template.pointer(&field).and_then(Value::as_str);
    resolve(image, present.unwrap_or_default()).ok()
}

/// With its digest, where it is to have one.
fn pinned(image: String, to: &Pinned) -> Result<String, Refusal> {
    match to {
        Pinned::No => Ok(image),
        Pinned::To(digest) => Ok(format!("{image}@{digest}")),
        Pinned::Unknown(why) => {
            let sentence = format!("The digest of {image} cannot be had: {why}.");
            let failure = Failure::new(FailureKind::Refused, sentence);
            let hint = "images are pinned here: pin: of the environment, in the settings";
            Err(Refusal::still(failure.hint(hint)))
        }
    }
}

/// Where the image of the container stands, and its name: the first one without a name.
fn place(template: &Value, container: Option<&str>) -> Option<(String, Box<str>)> {
    let fits = |(_, name): &(String, &str)| container.is_none_or(|wanted| wanted == *name);
    let (field, name) = containers(template).find(fits)?;
    Some((field, name.into()))
}

/// Where the image of each stands, and its name; those that only begin it last.
pub fn containers(template: &Value) -> impl Iterator<Item = (String, &str)> {
    ["containers", "initContainers"]
        .into_iter()
        .flat_map(|group| {
            let all = template["spec"][group].as_array().into_iter().flatten();
            all.enumerate().map(move |(at, one)| {
                let name = one["name"].as_str().unwrap_or_default();
                (format!("/spec/{group}/{at}/image"), name)
            })
        })
}

fn no_container(evidence: &Evidence, template: &Value) -> Refusal {
    let wanted = match &evidence.request.target {
        Target::Image { container, .. } => container.as_deref().unwrap_or_default(),
        _ => "",
    };
    let id = &evidence.workload.id;
    let sentence = format!("{id} has no container {wanted}.");
    let names: Vec<_> = containers(template).map(|(_, name)| name).collect();
    let failure = Failure::new(FailureKind::Refused, sentence);
    Refusal::still(failure.hint(format!("it has {}", names.join(", "))))
}

/// What was typed as a whole reference: a tag or a digest alone keeps the repository.
///
/// # Errors
/// It is no reference, in words.
pub fn resolve(typed: &str, present: &str) -> Result<String, String> {
    let typed = typed.trim();
    let repository = ImageRef::parse(present).repository;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    if typed.is_empty() {
        return Err("No image is given.".into());
    }
    if let Some(strange) = typed.chars().find(|c| !allowed(*c)) {
        return Err(format!("{typed} is no image: it has {strange:?} in it."));
    }
    let image = if typed.starts_with("sha256:") {
        format!("{repository}@{typed}")
    } else if typed.starts_with(['@', ':']) {
        format!("{repository}{typed}")
    } else if typed.contains(['/', ':', '@']) {
        typed.to_owned()
    } else {
        format!("{repository}:{typed}")
    };
    let parts = ImageRef::parse(&image);
    let whole = !parts.repository.is_empty()
        && parts.tag.is_none_or(|tag| !tag.is_empty())
        && parts.digest.is_none_or(|digest| digest.contains(':'));
    if whole {
        Ok(image)
    } else {
        Err(format!("{typed} is no image, tag or digest."))
    }
}

fn to_side(change: &Change<'_>, from: &Side) -> Side {
    let workload = &change.evidence.workload;
    let containers = change.containers();
    let label = workload.version_label.as_deref();
    Side {
        revision: change.known.map_or(0, |known| known.number),
        name: change
            .known
            .map(|known| known.name.clone())
            .unwrap_or_default(),
        version: version(&containers, label, Some(&workload.containers)),
        short_digest: change
            .known
            .and_then(|known| live::digest(known, &change.evidence.pods)),
        template: change.known.map_or(from.template, |known| known.template),
    }
}

fn checks(change: &Change<'_>, now: Timestamp) -> Vec<Check> {
    let workload = &change.evidence.workload;
    let revisions: Vec<_> = change
        .evidence
        .revisions
        .iter()
        .map(|f| &f.revision)
        .collect();
    let withdrawn = withdrawn_by(workload, &revisions);
    let withdrawn = change
        .known
        .and_then(|known| withdrawn.get(&known.name).copied());
    let found = differences(&change.before, &change.after);
    let mut checks = live::must_checks();
    checks.push(check::differs::verdict(&found).into());
    checks.extend(live::images(&change.after));
    checks.push(live::config(&change.after));
    let told = [
        withdrawn::verdict(withdrawn, now),
        Some(owner::verdict(workload.manager.as_ref())),
        paused::verdict(workload.paused),
        strategy::verdict(workload, &change.pods, &change.left.blocking),
    ];
    checks.extend(told.into_iter().flatten().map(Check::from));
    let there = |known: &Revision| known.serving(&change.evidence.pods);
    let to_make = workload
        .desired
        .saturating_sub(change.known.map_or(0, there));
    // The pods that go have what was there when they were made.
    let since = change.pods.iter().map(|pod| pod.created).min();
    checks.extend(live::on_its_way(workload, &change.after, to_make, since));
    checks.sort_by_key(|check| check.id);
    checks
}

/// The patch comes first: what its controller makes after it has the new image.
fn steps(change: &Change<'_>, from: &Side) -> Result<Vec<Step>, Refusal> {
    let evidence = change.evidence;
    let workload = &evidence.workload;
    let note = ActionNote {
        to: change.to.clone(),
        ..live::note(evidence, from)?
    };
    let note = Note {
        note: &note,
        into_map: evidence.has_annotations,
    };
    let fields = change.swaps.iter();
    let fields: Vec<_> = fields.map(|swap| (&*swap.field, &*swap.image)).collect();
    let body = patch::set_images(&workload.uid, &evidence.template.0, &fields, &note);
    let body = body.map_err(Refusal::unreadable)?;
    let each = change.swaps.iter();
    let each: Vec<_> = each
        .map(|swap| format!("{} in {} to {}", swap.container, workload.id, swap.image))
        .collect();
    let mut steps = vec![Step::JsonPatch {
        object: ObjectRef::of(workload),
        body: Verbatim(patch::only_where(&release::bound(evidence), body).into()),
        what: format!("set the image of {}", each.join(", of ")),
    }];
    steps.extend(change.left.blocking_steps(evidence));
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fleet, Kind};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, OfferId, Verb, plan as make};

    fn evidence(container: Option<&str>, image: &str) -> Evidence {
        of(sample::evidence(), container, image)
    }

    fn of(mut evidence: Evidence, container: Option<&str>, image: &str) -> Evidence {
        evidence.request.verb = Verb::SetImage;
        evidence.request.target = Target::Image {
            container: container.map(Into::into),
            image: image.into(),
        };
        evidence
    }

    fn plan(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    #[test]
    fn where_images_are_pinned_the_digest_is_written_or_there_is_no_plan() {
        let mut evidence = evidence(None, "2.16.0");
        evidence.pinned = Pinned::To("sha256:ab12cd34".into());
        let made = plan(&evidence).unwrap();
        let Step::JsonPatch { body, .. } = &made.steps[0] else {
            panic!("{:?}", made.steps)
        };
        assert!(
            body.0.contains("shop/checkout:2.16.0@sha256:ab12cd34"),
            "{}",
            body.0
        );
        assert_eq!(made.to.version, "2.16.0");
        assert_eq!(
            *made.goal.containers[0].image,
            *"shop/checkout:2.16.0@sha256:ab12cd34"
        );
        evidence.pinned = Pinned::Unknown("R: connection refused".into());
        let refusal = plan(&evidence).unwrap_err();
        assert_eq!(
            refusal.failure.sentence,
            "The digest of shop/checkout:2.16.0 cannot be had: R: connection refused."
        );
        assert!(!refusal.moved);
    }

    #[test]
    fn a_tag_keeps_the_repository_and_a_reference_is_taken_whole() {
        for (typed, want) in [
            ("2.16.0", Some("reg:5000/shop/web:2.16.0")),
            (" 2.16.0 ", Some("reg:5000/shop/web:2.16.0")),
            (":2.16.0", Some("reg:5000/shop/web:2.16.0")),
            ("sha256:ab12", Some("reg:5000/shop/web@sha256:ab12")),
            ("@sha256:ab12", Some("reg:5000/shop/web@sha256:ab12")),
            ("other/web:3", Some("other/web:3")),
            ("nginx:1.27", Some("nginx:1.27")),
            ("a/b:1@sha256:ab", Some("a/b:1@sha256:ab")),
            ("", None),
            ("two words", None),
            ("web:2\u{1b}[31m", None),
            (":", None),
            ("@nothing", None),
            ("a/b:", None),
        ] {
            let got = resolve(typed, "reg:5000/shop/web:2.15.0@sha256:00");
            assert_eq!(got.ok().as_deref(), want, "{typed:?}");
        }
    }

    #[test]
    fn one_field_is_written_and_the_rest_is_tested() {
        let plan = plan(&evidence(None, "2.16.0")).unwrap();
        let Step::JsonPatch { body, .. } = &plan.steps[0] else {
            panic!("{:?}", plan.steps);
        };
        let want = format!(
            r#"[{{"op":"test","path":"/metadata/uid","value":"d1"}},{{"op":"test","path":"/spec/template","value":{}}},{{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"shop/checkout:2.16.0"}},{{"op":"add","path":"/metadata/annotations/rolldeck.dev~1action","value":"#,
            evidence(None, "x").template.0
        );
        assert!(body.0.starts_with(&want), "{}", body.0);
        let want = canonical_hash(&sample::template("2.16.0").to_string()).unwrap();
        assert_eq!(plan.goal.to, want);
        assert_eq!(&*plan.goal.containers[0].image, "shop/checkout:2.16.0");
        assert_eq!(
            plan.arrow,
            ("2.15.0 (rev 42)".into(), "2.16.0, a new revision".into())
        );
        assert_eq!(plan.differences[0].text, "shop/checkout  2.15.0 → 2.16.0");
        assert_eq!(
            plan.kubectl,
            "kubectl --context prod-eu -n shop set image deploy/checkout web=shop/checkout:2.16.0"
        );
    }

    #[test]
    fn an_image_of_the_history_is_its_revision_and_a_withdrawn_one_warns() {
        let mut back = evidence(Some("web"), "2.14.1");
        let plan_back = plan(&back).unwrap();
        assert_eq!(plan_back.arrow.1, "2.14.1 (rev 41)");
        assert_eq!(&*plan_back.goal.revision_name, "checkout-h41");
        back.revisions[0].revision.action = Some(sample::note(41, "2.15.0"));
        back.revisions[0].revision.number = 42;
        back.revisions[1].revision.number = 41;
        let plan = plan(&back).unwrap();
        let warns = |check: &&Check| check.id == CheckId::Withdrawn;
        assert!(
            plan.checks.iter().any(|check| warns(&check)),
            "{:?}",
            plan.checks
        );
    }

    #[test]
    fn what_is_not_there_or_there_already_is_refused() {
        for (container, image, want) in [
            (
                None,
                "2.15.0",
                "Container web of deploy/checkout has the image shop/checkout:2.15.0 already.",
            ),
            (
                Some("sidecar"),
                "2",
                "deploy/checkout has no container sidecar.",
            ),
            (None, "a b", "a b is no image: it has ' ' in it."),
        ] {
            let refusal = plan(&evidence(container, image)).unwrap_err();
            assert_eq!(refusal.failure.sentence, want);
        }
    }

    #[test]
    fn what_blocks_an_ordered_set_goes_with_it_and_a_pause_offers_to_resume() {
        let ordered = of(sample::of_kind(Kind::StatefulSet), None, "2.16.0");
        let plan_ordered = plan(&ordered).unwrap();
        assert!(matches!(plan_ordered.steps[1], Step::DeletePod { .. }));
        let mut paused = evidence(None, "2.16.0");
        paused.workload.paused = true;
        let offers = plan(&paused).unwrap().offers;
        assert_eq!(offers[0].id, OfferId::Resume);
    }
}
