//! `rolldeck restart SERVICE`: every pod anew, with the same template.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Release;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Release) -> Outcome {
    let asked = Asked::new(Verb::Restart, Target::Proposed);
    release::run(config, asked, args).await
}
