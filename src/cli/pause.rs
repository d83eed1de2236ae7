//! `rolldeck pause|resume|retry SERVICE`: what goes on stands still, and what stands still goes on.

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
