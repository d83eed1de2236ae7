//! Whether the object is there and still the one that was shown, and if not, who moved what.

use jiff::Timestamp;

use crate::domain::version::version;
use crate::domain::{Container, Failure, FailureKind, Fleet, TemplateHash};
use crate::plan::{Autoscaling, Evidence, Refusal, Target, patch};
use crate::text;

/// # Errors
/// A sentence that says who moved the object from what to what, or that it goes.
pub fn refuse(fleet: &Fleet, evidence: &Evidence, now: Timestamp) -> Result<(), Refusal> {
    let (request, workload) = (&evidence.request, &evidence.workload);
    if workload.deleting {
        return Err(Refusal::say(format!("{} is being deleted.", workload.id)));
    }
    if workload.uid != request.uid {
        return Err(moved(format!(
            "{} was deleted and created again since it was shown.",
            workload.id
        )));
    }
    if workload.template == request.shown {
        return scaled(evidence);
    }
    let live = version(
        &workload.containers,
        workload.version_label.as_deref(),
        shown(fleet, evidence).map(|(containers, _)| containers),
    );
    let from = shown(fleet, evidence).map(|(containers, label)| {
        let before = version(containers, label, Some(&workload.containers));
        format!(" from {before}")
    });
    let who = match &workload.written_by {
        Some((manager, at)) => format!(
            "{manager} moved {}{} to {live}, {} ago",
            workload.id,
            from.unwrap_or_default(),
            text::age(*at, now)
        ),
        None => format!(
            "{} was moved{} to {live} by somebody unknown",
            workload.id,
            from.unwrap_or_default()
        ),
    };
    Err(moved(format!("{who}, after it was shown.")))
}

/// What an autoscaler moves is no surprise: then its bounds are what is written.
fn scaled(evidence: &Evidence) -> Result<(), Refusal> {
    let (now, id) = (evidence.workload.desired, &evidence.workload.id);
    match (&evidence.request.target, &evidence.autoscaling) {
        (Target::Replicas { shown, .. }, Autoscaling::None | Autoscaling::Unknown(_))
            if *shown != now =>
        {
            Err(moved(format!(
                "{id} was scaled from {shown} to {now}, after it was shown."
            )))
        }
        _ => Ok(()),
    }
}

/// The containers and version label of the template that was shown: of the row, or of the revision that holds
/// the very same bytes beside its hash label.
fn shown<'a>(
    fleet: &'a Fleet,
    evidence: &'a Evidence,
) -> Option<(&'a [Container], Option<&'a str>)> {
    let shown = evidence.request.shown;
    let row = fleet
        .workload(&evidence.workload.id)
        .filter(|w| w.template == shown);
    if let Some(row) = row {
        return Some((&row.containers, row.version_label.as_deref()));
    }
    evidence.revisions.iter().find_map(|fresh| {
        let bare = patch::template_of_revision(&fresh.template.0).ok()?;
        (TemplateHash::of(&bare) == shown).then_some((
            &*fresh.revision.containers,
            fresh.revision.version_label.as_deref(),
        ))
    })
}

fn moved(sentence: String) -> Refusal {
    Refusal {
        failure: Failure::new(FailureKind::Refused, sentence),
        moved: true,
    }
}
