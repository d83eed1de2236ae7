//! `rolldeck restart SERVICE`: every pod anew, with the same template.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Release;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Release) -> Outcome {
    let asked = Asked {
        verb: Verb::Restart,
        target: Target::Proposed,
        offers: Vec::new(),
        git_patch: None,
        hold_for: None,
    };
    release::run(config, asked, args).await
}
