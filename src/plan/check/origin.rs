//! What is carried over from which container to which, how its digest is known, and what stays as it is.

use serde_json::Value;

use super::{CheckId, Finding, Verdict};
use crate::domain::image::short_digest;
use crate::domain::{ImageRef, WorkloadId};
use crate::plan::kubectl::place;
use crate::plan::verbs::promotion::carried;
use crate::plan::verbs::set_image::{Swap, containers};
use crate::plan::{Digest, Origin};
use crate::text;

/// What the plan writes, and where it comes from.
pub struct Carried<'a> {
    pub origin: &'a Origin,
    /// Where it comes from and where it goes to.
    pub environments: &'a (String, String),
    pub swaps: &'a [Swap],
    pub there: &'a Value,
    pub here: &'a Value,
    pub to: &'a WorkloadId,
}

/// `9f2c41 as staging runs it: web and worker`; a warning with what a person should know of it.
pub fn verdict(carried: &Carried<'_>) -> Verdict {
    let (from, to) = carried.environments;
    let digests = carried.origin.digests.iter();
    let of_tag = digests
        .clone()
        .any(|(_, digest)| matches!(digest, Digest::OfTag(_)));
    let images = carried.swaps.iter().map(|swap| &swap.image);
    let mut short: Vec<_> = images.filter_map(|image| short_digest(image)).collect();
    short.dedup();
    let names: Vec<_> = carried.swaps.iter().map(|swap| &*swap.container).collect();
    let what = format!("{} ({})", text::list(&short), text::list(&names));
    let mut words = vec![if of_tag {
        format!(
            "{what} is what the registry has for the tag now: the pods of {from} do not tell which digest they run"
        )
    } else {
        format!("{what} is what {from} runs")
    }];
    words.extend(moved(carried));
    words.extend(staying(carried, (from, to)));
    Verdict {
        check: CheckId::Origin,
        finding: if of_tag || words.len() > 1 {
            Finding::Warn
        } else {
            Finding::Ok
        },
        sentence: words.join("; "),
    }
}

impl Carried<'_> {
    /// The repositories that it is pulled from there and here, when they are two.
    pub fn elsewhere(&self) -> Option<(String, &str)> {
        let there = main(self.there)?;
        let here = ImageRef::parse(&self.swaps.first()?.image).repository;
        (there != here).then_some((there, here))
    }
}

/// Another registry has to have it first.
fn moved(carried: &Carried<'_>) -> Option<String> {
    let (from, to) = carried.environments;
    let (there, here) = carried.elsewhere()?;
    let id = &carried.origin.workload.id;
    let place = place(&id.cluster, &id.namespace);
    Some(format!(
        "{to} pulls from {here} and {from} from {there}: where it is not there yet, rolldeck copy-image {id} {here}{place} comes first"
    ))
}

fn main(template: &Value) -> Option<String> {
    let all = carried(template);
    let (_, image) = all.first()?;
    Some(ImageRef::parse(image).repository.to_owned())
}

/// What runs beside it and is another one there.
fn staying(of: &Carried<'_>, (from, _): (&str, &str)) -> Vec<String> {
    let image = |template: &Value, field: &str| {
        let image = template.pointer(field).and_then(Value::as_str);
        image.unwrap_or_default().to_owned()
    };
    let carried = carried(of.there);
    let beside =
        containers(of.there).filter(|(_, name)| carried.iter().all(|(n, _)| **n != **name));
    let differs = beside.filter_map(|(field, name)| {
        let there = image(of.there, &field);
        let Some((field, _)) = containers(of.here).find(|(_, other)| *other == name) else {
            return Some(format!("container {name} of {from} is not here"));
        };
        let here = image(of.here, &field);
        let end = |image: &str| {
            let parts = ImageRef::parse(image);
            let digest = parts.digest.and_then(short_digest);
            parts.tag.or(digest).unwrap_or("latest").to_owned()
        };
        (here != there).then(|| format!("{name} stays {} ({from} has {})", end(&here), end(&there)))
    });
    differs.collect()
}
