//! `rolldeck weight SERVICE N`: another share for a canary that a person moves.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Weight;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Weight) -> Outcome {
    let asked = Asked::new(Verb::SetWeight, Target::Weight(args.percent)).by(args.git);
    release::run(config, asked, args.release).await
}
