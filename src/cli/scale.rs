//! `rolldeck scale SERVICE N`: another number of replicas, or other bounds for the autoscaler.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Scale;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Scale) -> Outcome {
    // What it is scaled to now is read first.
    let target = Target::Replicas {
        shown: 0,
        to: args.replicas,
    };
    let asked = Asked::new(Verb::Scale, target).by(args.git);
    release::run(config, asked, args.release).await
}
