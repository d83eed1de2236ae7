//! `rolldeck rollback SERVICE`: back to what served.

use crate::config::Config;
use crate::plan::{OfferId, Target, Verb};

use super::Outcome;
use super::args::Rollback;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Rollback) -> Outcome {
    let asked = Asked {
        verb: Verb::Rollback,
        target: args.to.map_or(Target::Proposed, Target::Typed),
        offers: args
            .delete_pods
            .then_some(OfferId::DeletePods)
            .into_iter()
            .chain(args.git.offers())
            .collect(),
        git_patch: args.git.git_patch,
    };
    release::run(config, asked, args.release).await
}
