//! What one environment runs, for the next: its image by digest, set as any image is, with a look at where it comes from.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::image::{registry_digest, short_digest};
use crate::domain::{Failure, FailureKind, ImageRef, Phase};
use crate::plan::check::{commits, origin, settings, soak};
use crate::plan::image::Asked;
use crate::plan::{Digest, Evidence, Offer, OfferId, Origin, Plan, Refusal, Target};
use crate::text;

use super::set_image::{self, Swap, containers};

/// # Errors
/// Which image that is, is not clear, or it runs there already.
pub fn plan(evidence: &Evidence, now: Timestamp) -> Result<Plan, Refusal> {
    let (origin, environments) = origin_of(evidence)?;
    let mut plan = set_image::plan(evidence, now)?;
    let before: Value = serde_json::from_str(&evidence.template.0).map_err(Refusal::unreadable)?;
    let there: Value = serde_json::from_str(&origin.template.0).map_err(Refusal::unreadable)?;
    let carried = origin::Carried {
        origin,
        environments,
        swaps: &swaps(evidence, &before)?,
        there: &there,
        here: &before,
        to: &evidence.workload.id,
    };
    plan.add(origin::verdict(&carried).into());
    plan.offers.extend(copy(&carried));
    plan.add(soak::verdict(origin, &environments.0).into());
    plan.add(settings::check(
        &there,
        &before,
        &origin.workload.id,
        environments,
    ));
    let coming = commits::coming(evidence.repository.as_ref(), &before, &there);
    if let Some(check) = coming {
        plan.add(check);
    }
    Ok(plan)
}

/// By its digest, from the registry of the one into that of the other.
fn copy(carried: &origin::Carried<'_>) -> Option<Offer> {
    let swap = carried.swaps.first()?;
    let (from, to) = carried.elsewhere()?;
    let image = ImageRef::parse(&swap.image);
    let digest = image.digest?;
    let hex = digest.rsplit(':').next().unwrap_or(digest);
    let short = short_digest(digest).unwrap_or(digest);
    // A registry keeps what has no tag only until it is tidied.
    let tag = image.tag.unwrap_or(hex.get(..12).unwrap_or(hex));
    let text = format!("copies {short} to {to}");
    let mut offer = Offer::new(OfferId::CopyImage, 'i', text, Vec::new());
    offer.copies = Some(Box::new(Asked::Copy {
        from: format!("{from}@{digest}"),
        to: format!("{to}:{tag}"),
    }));
    Some(offer)
}

fn origin_of(evidence: &Evidence) -> Result<(&Origin, &(String, String)), Refusal> {
    match (&evidence.origin, &evidence.request.target) {
        (Some(origin), Target::Promoted { environments, .. }) => Ok((origin, environments)),
        _ => Err(Refusal::say("It is not said where it comes from.".into())),
    }
}

/// The first container of a template with its image, and those that are started from the same repository. Whatever else
/// runs beside it is each environment's own.
pub fn carried(template: &Value) -> Vec<(Box<str>, Box<str>)> {
    let all: Vec<_> = containers(template)
        .filter_map(|(field, name)| {
            let image = template.pointer(&field)?.as_str()?;
            Some((Box::from(name), Box::from(image)))
        })
        .collect();
    let main = all
        .first()
        .map(|(_, image)| ImageRef::parse(image).repository);
    let main = main.unwrap_or_default().to_owned();
    let same = |(_, image): &(Box<str>, Box<str>)| ImageRef::parse(image).repository == main;
    all.into_iter().filter(same).collect()
}

/// What is written into which container: the digest of the origin, by the name that the image has here.
///
/// # Errors
/// A digest is not known, the containers do not belong together, or all of it runs here already.
pub fn swaps(evidence: &Evidence, here: &Value) -> Result<Vec<Swap>, Refusal> {
    let (origin, (from, to)) = origin_of(evidence)?;
    let there: Value = serde_json::from_str(&origin.template.0).map_err(Refusal::unreadable)?;
    let mut found = Vec::new();
    for (n, (name, image)) in carried(&there).iter().enumerate() {
        let Some((field, container)) = counterpart(here, name, n == 0) else {
            if n > 0 {
                continue;
            }
            return Err(Refusal::say(format!(
                "{} in {to} has no container {name}, which is what is promoted from {from}.",
                evidence.workload.id
            )));
        };
        let present = here.pointer(&field).and_then(Value::as_str);
        let present = present.unwrap_or_default();
        if end(present) != end(image) {
            return Err(Refusal::say(format!(
                "Container {container} runs {} in {to}, and {} in {from}: that is not the same image.",
                ImageRef::parse(present).repository,
                ImageRef::parse(image).repository
            )));
        }
        let digest = digest(origin, name, (image, from))?;
        let wanted = named(present, image, digest);
        if wanted != present {
            found.push(Swap {
                container,
                field,
                image: wanted,
            });
        }
    }
    if found.is_empty() || runs_already(evidence, &found) {
        return Err(runs_there(evidence, origin, (from, to)));
    }
    Ok(found)
}

/// The container of that name; for the main one the first, when the two are alone.
fn counterpart(here: &Value, name: &str, is_main: bool) -> Option<(String, Box<str>)> {
    let mut all = containers(here);
    if let Some((field, name)) = all.find(|(_, other)| *other == name) {
        return Some((field, name.into()));
    }
    let mut main = containers(here).filter(|(field, _)| field.starts_with("/spec/containers/"));
    let (field, name) = main.next().filter(|_| is_main)?;
    main.next().is_none().then(|| (field, name.into()))
}

/// The last part of a repository's name: what it is called whatever registry has it.
fn end(image: &str) -> &str {
    let repository = ImageRef::parse(image).repository;
    repository.rsplit('/').next().unwrap_or(repository)
}

/// `shop/web:2.15.0@sha256:…`, in the repository that is pulled from here.
fn named(present: &str, image: &str, digest: &str) -> String {
    let repository = ImageRef::parse(present).repository;
    match ImageRef::parse(image).tag {
        Some(tag) => format!("{repository}:{tag}@{digest}"),
        None => format!("{repository}@{digest}"),
    }
}

fn digest<'a>(
    origin: &'a Origin,
    name: &str,
    (image, from): (&str, &str),
) -> Result<&'a str, Refusal> {
    let known = origin.digests.iter().find(|(of, _)| **of == *name);
    let why = match known.map(|(_, digest)| digest) {
        Some(Digest::Runs(digest) | Digest::OfTag(digest)) => return Ok(digest),
        Some(Digest::Several(digests)) => {
            let short: Vec<_> = digests.iter().filter_map(|d| short_digest(d)).collect();
            format!("its pods run more than one: {}", text::list(&short))
        }
        Some(Digest::Unknown(why)) => format!("its pods do not tell, and {why}"),
        None => "nobody was asked".into(),
    };
    let sentence = format!("Which digest of {image} {from} runs is not known: {why}.");
    let failure = Failure::new(FailureKind::Refused, sentence);
    Err(Refusal::still(
        failure.hint("only a digest is promoted; set-image writes a tag"),
    ))
}

/// Its pods run those very digests, and nothing else is under way: to write them would only make the pods anew.
fn runs_already(evidence: &Evidence, swaps: &[Swap]) -> bool {
    let there: Vec<_> = evidence
        .pods
        .iter()
        .filter(|pod| !pod.terminating && !pod.ended())
        .collect();
    let same = |swap: &Swap| {
        let wanted = ImageRef::parse(&swap.image);
        there.iter().all(|pod| {
            let mut its = pod.containers.iter().filter(|c| c.name == swap.container);
            its.next().is_some_and(|container| {
                let present = ImageRef::parse(&container.image);
                (present.repository, present.tag) == (wanted.repository, wanted.tag)
                    && registry_digest(&container.image_id) == wanted.digest
            })
        })
    };
    evidence.phase == Phase::Steady && !there.is_empty() && swaps.iter().all(same)
}

fn runs_there(evidence: &Evidence, origin: &Origin, (from, to): (&str, &str)) -> Refusal {
    let version = super::live::version_of(&origin.workload, None);
    let mut digests = origin
        .digests
        .iter()
        .filter_map(|(_, digest)| match digest {
            Digest::Runs(digest) | Digest::OfTag(digest) => short_digest(digest),
            Digest::Several(_) | Digest::Unknown(_) => None,
        });
    let digest = digests
        .next()
        .map_or_else(String::new, |d| format!(" ({d})"));
    let id = &evidence.workload.id;
    Refusal::say(format!(
        "{id} in {to} runs {version}{digest} already, as {from} does."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fleet, Verbatim};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{CheckId, Finding, Step, Verb, Verdict, check::CheckState, plan as make};
    use serde_json::json;

    const DIGEST: &str = "sha256:9f2c41aa00";

    fn template(containers: &Value) -> Value {
        json!({"metadata": {"labels": {"app": "checkout"}}, "spec": {"containers": containers}})
    }

    /// From staging, which runs `there`, to what the sample has: container web of shop/checkout:2.15.0.
    fn evidence(there: &Value, digest: &Digest) -> Evidence {
        let mut evidence = sample::evidence();
        let mut workload = evidence.workload.clone();
        workload.id.cluster = "staging-eu".into();
        evidence.request.verb = Verb::PromoteImage;
        evidence.request.target = Target::Promoted {
            from: workload.id.clone(),
            environments: ("staging".into(), "prod".into()),
        };
        let names = carried(there);
        let image = |(name, image): &(Box<str>, Box<str>)| crate::domain::Container {
            name: name.clone(),
            image: image.clone(),
            init: false,
        };
        workload.containers = names.iter().map(image).collect();
        evidence.origin = Some(Box::new(Origin {
            template: Verbatim(there.to_string().into()),
            phase: Phase::Steady,
            pods: Ok(Vec::new()),
            digests: names
                .into_iter()
                .map(|(name, _)| (name, digest.clone()))
                .collect(),
            since: None,
            soak: 1800,
            read_at: evidence.read_at,
            workload,
        }));
        evidence
    }

    fn web(image: &str) -> Value {
        template(&json!([{"name": "web", "image": image}]))
    }

    fn made(evidence: &Evidence) -> Result<Plan, Refusal> {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap())
    }

    fn said(plan: &Plan, id: CheckId) -> Verdict {
        let mut its = plan.checks.iter().filter(|check| check.id == id);
        match its.next().map(|check| &check.state) {
            Some(CheckState::Answered(verdict)) => verdict.clone(),
            other => panic!("{id:?}: {other:?}"),
        }
    }

    #[test]
    fn the_digest_is_written_in_the_repository_that_is_pulled_from_here() {
        let runs = || Digest::Runs(DIGEST.into());
        for (there, want) in [
            (
                "shop/checkout:2.16.0",
                "shop/checkout:2.16.0@sha256:9f2c41aa00",
            ),
            (
                "dev.example/team/checkout:2.16.0",
                "shop/checkout:2.16.0@sha256:9f2c41aa00",
            ),
            (
                "shop/checkout@sha256:9f2c41aa00",
                "shop/checkout@sha256:9f2c41aa00",
            ),
        ] {
            let plan = made(&evidence(&web(there), &runs())).unwrap();
            assert_eq!(&*plan.goal.containers[0].image, want);
            let Step::JsonPatch { body, .. } = &plan.steps[0] else {
                panic!("{:?}", plan.steps)
            };
            let field = r#""path":"/spec/template/spec/containers/0/image","value":"#;
            assert!(body.0.contains(&format!("{field}\"{want}\"")), "{}", body.0);
            let origin = said(&plan, CheckId::Origin);
            let moved = there.starts_with("dev");
            assert_eq!(
                origin.finding,
                if moved { Finding::Warn } else { Finding::Ok }
            );
            assert_eq!(
                origin.sentence.contains("rolldeck copy-image"),
                moved,
                "{}",
                origin.sentence
            );
            assert!(matches!(plan.request.target, Target::Promoted { .. }));
            let copies: Vec<_> = plan
                .offers
                .iter()
                .filter_map(|o| o.copies.as_deref())
                .collect();
            let copy = Asked::Copy {
                from: format!("dev.example/team/checkout@{DIGEST}"),
                to: "shop/checkout:2.16.0".into(),
            };
            assert_eq!(copies, if moved { vec![&copy] } else { vec![] });
            // Once the registry has it, nothing is offered.
            let has = Verdict {
                check: CheckId::Image,
                finding: Finding::Ok,
                sentence: String::new(),
            };
            assert!(plan.open_offers(&[has]).all(|offer| offer.copies.is_none()));
        }
    }

    #[test]
    fn those_of_the_same_repository_go_along_and_others_stay_and_are_said() {
        let there = template(&json!([
            {"name": "web", "image": "shop/checkout:2.16.0"},
            {"name": "proxy", "image": "mesh/proxy:1.2"},
            {"name": "worker", "image": "shop/checkout:2.16.0"}]));
        let mut evidence = evidence(&there, &Digest::Runs(DIGEST.into()));
        let here = template(&json!([
            {"name": "web", "image": "shop/checkout:2.15.0"},
            {"name": "worker", "image": "shop/checkout:2.15.0"},
            {"name": "proxy", "image": "mesh/proxy:1.1"}]));
        evidence.template = Verbatim(here.to_string().into());
        let plan = made(&evidence).unwrap();
        let Step::JsonPatch { body, what, .. } = &plan.steps[0] else {
            panic!("{:?}", plan.steps)
        };
        assert_eq!(body.0.matches(DIGEST).count(), 2, "{}", body.0);
        assert!(
            what.contains("web in ") && what.contains("worker in "),
            "{what}"
        );
        let origin = said(&plan, CheckId::Origin);
        assert_eq!(origin.finding, Finding::Warn);
        assert!(
            origin
                .sentence
                .contains("proxy stays 1.1 (staging has 1.2)"),
            "{}",
            origin.sentence
        );
    }

    #[test]
    fn what_is_not_known_or_not_the_same_or_there_already_is_refused() {
        let runs = || Digest::Runs(DIGEST.into());
        let two = Digest::Several(vec![DIGEST.into(), "sha256:77c01d00".into()]);
        let unknown = || Digest::Unknown("R: connection refused".into());
        let image = "shop/checkout:2.16.0";
        let other =
            template(&json!([{"name": "a", "image": image}, {"name": "web", "image": "x/y:1"}]));
        for (there, digest, want) in [
            (
                web(image),
                unknown(),
                "Which digest of shop/checkout:2.16.0 staging runs is not known: its pods do not tell, and R: connection refused.",
            ),
            (
                web(image),
                two,
                "Which digest of shop/checkout:2.16.0 staging runs is not known: its pods run more than one: 9f2c41 and 77c01d.",
            ),
            (
                web("shop/cart:2.16.0"),
                runs(),
                "Container web runs shop/checkout in prod, and shop/cart in staging: that is not the same image.",
            ),
            (other, runs(), ""),
        ] {
            match made(&evidence(&there, &digest)) {
                Err(refusal) => assert_eq!(refusal.failure.sentence, want),
                // The only container here takes what the main one there has.
                Ok(plan) => assert!(want.is_empty(), "{:?}", plan.arrow),
            }
        }
        let mut same = evidence(&web("shop/checkout:2.15.0"), &runs());
        same.template = Verbatim(
            web(&format!("shop/checkout:2.15.0@{DIGEST}"))
                .to_string()
                .into(),
        );
        assert_eq!(
            made(&same).unwrap_err().failure.sentence,
            "deploy/checkout in prod runs 2.15.0 (9f2c41) already, as staging does."
        );
    }

    #[test]
    fn the_registry_may_say_what_a_tag_is_now_and_that_warns() {
        let plan = made(&evidence(
            &web("shop/checkout:2.16.0"),
            &Digest::OfTag(DIGEST.into()),
        ));
        let origin = said(&plan.unwrap(), CheckId::Origin);
        assert_eq!(origin.finding, Finding::Warn);
        assert!(origin.sentence.contains("registry"), "{}", origin.sentence);
    }
}
