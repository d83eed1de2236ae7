//! `rolldeck rollback SERVICE`: back to what served.

use crate::config::Config;
use crate::plan::{OfferId, Target, Verb};

use super::Outcome;
use super::args::Rollback;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Rollback) -> Outcome {
    let (verb, target) = match args.helm {
        None => (
            Verb::Rollback,
            args.to.map_or(Target::Proposed, Target::Typed),
        ),
        Some(to) => {
            let to = Some(to).filter(|to| *to > 0);
            (Verb::HelmRollback, Target::Release { newest: None, to })
        }
    };
    let asked = Asked {
        offers: args
            .delete_pods
            .then_some(OfferId::DeletePods)
            .into_iter()
            .chain(args.git.offers())
            .chain(args.hold_job.map(|_| OfferId::HoldJob))
            .collect(),
        git_patch: args.git.git_patch,
        hold_for: args.hold_job,
        ..Asked::new(verb, target)
    };
    release::run(config, asked, args.release).await
}
