//! From an action of the record to what is asked for next: the way back, or the rest of it.

use crate::domain::release_record::{Action, Became, HelmRelease, Outcome, Replicas, Side, Stands};
use crate::domain::{Failure, FailureKind, Kind};

use super::build::Act;
use super::{Target, Verb, restore};

/// The request that undoes it; its plan is made from fresh reads like any other.
///
/// # Errors
/// There is none, and why.
pub fn inverse(action: &Action) -> Result<(Verb, Target), Failure> {
    let sending = &action.sending;
    let verb = verb(action)?;
    let is_rollout = sending.workload.kind == Kind::Rollout;
    if nothing_was_done(action) {
        let sentence = format!(
            "There is nothing to undo: this {verb} was not applied.",
            verb = verb.name()
        );
        return Err(refused(sentence));
    }
    match verb {
        Verb::Rollback | Verb::SetImage | Verb::PromoteImage => {
            Ok((Verb::Rollback, named(&sending.from, "it left")?))
        }
        Verb::Pause => Ok((Verb::Resume, Target::Proposed)),
        Verb::Resume if sending.analysis => Err(refused(
            "An analysis is not switched off by itself: a promotion does that, for one release.",
        )),
        Verb::Resume => Ok((Verb::Pause, Target::Proposed)),
        Verb::Restart => Err(refused(
            "A restart cannot be undone: its pods were made anew from the same template.",
        )),
        Verb::DeletePod => Err(refused("A pod that is gone does not come back.")),
        Verb::HelmRollback => release(action, |release| release.from),
        Verb::Promote => Err(refused(
            "A canary does not go back by one step: an abort takes all of it back.",
        )),
        Verb::PromoteFull => Err(refused(
            "What is promoted fully does not go back to its steps: a rollback takes it back.",
        )),
        // One without a controller went back by its template, or to another number of pods.
        Verb::Abort if sending.replicas.is_some() => {
            let Replicas { from, to, .. } = replicas(action)?;
            Ok((
                Verb::Scale,
                Target::Replicas {
                    shown: to,
                    to: from,
                },
            ))
        }
        Verb::Abort if sending.from.name != sending.to.name && !is_rollout => {
            Ok((Verb::Rollback, named(&sending.from, "it left")?))
        }
        // Its template stayed: the controller was told to give it up.
        Verb::Abort => Ok((Verb::Retry, Target::Proposed)),
        Verb::SetWeight => Err(refused(
            "A share is not taken back by itself: another is set, or an abort takes all of it back.",
        )),
        Verb::Retry => Ok((Verb::Abort, Target::Proposed)),
        Verb::Scale => {
            let replicas = replicas(action)?;
            let (shown, to) = (replicas.to, replicas.from);
            Ok((Verb::Scale, Target::Replicas { shown, to }))
        }
        Verb::ResumeSync => Err(refused(
            "A sync that was resumed is suspended again by the next plan that needs it.",
        )),
    }
}

/// The request for the same again, whose plan shows what is left of it.
///
/// # Errors
/// It came to its end.
pub fn rest(action: &Action) -> Result<(Verb, Target), Failure> {
    let verb = verb(action)?;
    if action.stands() == Stands::Verified {
        let sentence = "There is nothing left to do: it came to its end, verified.";
        return Err(refused(sentence));
    }
    let target = match verb {
        Verb::Rollback => named(&action.sending.to, "it went to")?,
        Verb::Pause
        | Verb::Resume
        | Verb::Restart
        | Verb::ResumeSync
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::Abort
        | Verb::Retry => Target::Proposed,
        Verb::SetWeight => {
            return Err(refused("The record does not keep the share: set it again."));
        }
        Verb::Scale => {
            let replicas = replicas(action)?;
            let (shown, to) = (replicas.from, replicas.to);
            Target::Replicas { shown, to }
        }
        Verb::DeletePod => {
            return Err(refused(
                "The record does not keep the pod: choose it again.",
            ));
        }
        Verb::SetImage => image(action)?,
        Verb::PromoteImage => {
            return Err(refused(
                "Promote it again where it came from: what runs there now is what counts.",
            ));
        }
        Verb::HelmRollback => return release(action, |release| release.to),
    };
    Ok((verb, target))
}

fn verb(action: &Action) -> Result<Verb, Failure> {
    let name = &action.sending.verb;
    if Act::is_verb(name) {
        return Err(refused(
            "What a server that builds was asked for is changed where the builds are shown.",
        ));
    }
    if name == restore::VERB {
        return Err(refused(
            "What a restore made has no way back here: there was nothing before it.",
        ));
    }
    Verb::named(name).ok_or_else(|| {
        refused(format!(
            "This version of rolldeck does not know the verb {name}."
        ))
    })
}

fn replicas(action: &Action) -> Result<Replicas, Failure> {
    let replicas = action.sending.replicas;
    replicas
        .ok_or_else(|| refused("The record keeps no number of replicas: an autoscaler sets it."))
}

fn image(action: &Action) -> Result<Target, Failure> {
    let image = action.sending.image.clone();
    let image = image.ok_or_else(|| {
        refused("This record does not keep the image that was asked for: ask for it again.")
    })?;
    Ok(Target::Image {
        container: Some(image.container),
        image: image.image,
    })
}

/// Another revision of the same release.
fn release(action: &Action, which: fn(&HelmRelease) -> u32) -> Result<(Verb, Target), Failure> {
    let release = action.sending.release.as_ref();
    let release =
        release.ok_or_else(|| refused("The record does not keep the revision of the release."))?;
    let target = Target::Release {
        newest: None,
        to: Some(which(release)),
    };
    Ok((Verb::HelmRollback, target))
}

fn named(side: &Side, which: &str) -> Result<Target, Failure> {
    if side.name.is_empty() {
        let version = &side.version;
        let sentence =
            format!("The record does not name the revision that {which}: {version} had none yet.");
        return Err(refused(sentence));
    }
    Ok(Target::Named(side.name.as_str().into()))
}

/// As far as anything tells.
fn nothing_was_done(action: &Action) -> bool {
    let none_accepted = |outcome| {
        let answered = action.answered.as_ref();
        answered.is_some_and(|line| line.outcome == outcome && line.accepted == 0)
    };
    match action.stands() {
        Stands::Refused => none_accepted(Outcome::Refused),
        Stands::NotBegun => true,
        Stands::Interrupted(became) => became == Became::NotApplied,
        Stands::Verified
        | Stands::NotVerified
        | Stands::Accepted
        | Stands::Unknown
        | Stands::Sent => false,
    }
}

fn refused(sentence: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Refused, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::release_record::SetImage;

    /// Sent, and nobody knows more.
    fn action(verb: &str) -> Action {
        let text = format!(
            r#"{{"id":"n","at":"2026-11-14T03:00:00Z","verb":"{verb}","workload":{{"cluster":"prod","namespace":"shop","kind":"Deployment","name":"web"}},"uid":"u","from":{{"number":42,"name":"web-bad","version":"2"}},"to":{{"number":41,"name":"","version":"1"}},"by":"me@here","serverUser":null,"reason":null,"overrideReason":null,"checks":[],"steps":[]}}"#
        );
        Action {
            sending: serde_json::from_str(&text).unwrap(),
            answered: None,
            found: None,
            ended: None,
            not_begun: None,
        }
    }

    #[test]
    fn an_image_is_asked_for_again_as_the_record_has_it() {
        let mut set = action("set-image");
        assert!(rest(&set).is_err(), "an earlier version did not keep it");
        set.sending.image = Some(SetImage {
            container: "web".into(),
            image: "shop/web:1".into(),
        });
        let image = Target::Image {
            container: Some("web".into()),
            image: "shop/web:1".into(),
        };
        assert_eq!(rest(&set), Ok((Verb::SetImage, image)));
        let left = Target::Named("web-bad".into());
        assert_eq!(inverse(&set), Ok((Verb::Rollback, left)));
    }

    #[test]
    fn what_flagger_was_told_is_undone_by_telling_it() {
        let mut abort = action("abort");
        let back = Target::Named("web-bad".into());
        assert_eq!(inverse(&abort), Ok((Verb::Rollback, back)), "half-way");
        abort.sending.to.name.clone_from(&abort.sending.from.name);
        assert_eq!(inverse(&abort), Ok((Verb::Retry, Target::Proposed)));
        let mut resume = action("resume");
        assert_eq!(inverse(&resume), Ok((Verb::Pause, Target::Proposed)));
        resume.sending.analysis = true;
        assert!(inverse(&resume).is_err());
    }

    #[test]
    fn a_release_goes_back_to_where_it_was() {
        let mut helm = action("helm-rollback");
        assert!(inverse(&helm).is_err() && rest(&helm).is_err());
        helm.sending.release = Some(HelmRelease {
            name: "web".into(),
            from: 3,
            to: 1,
        });
        let to = |to| {
            let target = Target::Release {
                newest: None,
                to: Some(to),
            };
            Ok((Verb::HelmRollback, target))
        };
        assert_eq!((inverse(&helm), rest(&helm)), (to(3), to(1)));
    }
}
