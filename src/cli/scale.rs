//! `rolldeck scale SERVICE N`: another number of replicas, or other bounds for the autoscaler.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Scale;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Scale) -> Outcome {
    let asked = Asked {
        verb: Verb::Scale,
        // What it is scaled to now is read first.
        target: Target::Replicas {
            shown: 0,
            to: args.replicas,
        },
        offers: args.git.offers(),
        git_patch: args.git.git_patch,
        hold_for: None,
    };
    release::run(config, asked, args.release).await
}
