//! `rolldeck pause|resume|promote|abort|retry SERVICE`: what is paused or waits goes on, or not.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Release;
use super::release::{self, Asked};

/// `verb` is one of these.
pub async fn run(config: &Config, verb: Verb, args: Release) -> Outcome {
    let asked = Asked::new(verb, Target::Proposed);
    release::run(config, asked, args).await
}
