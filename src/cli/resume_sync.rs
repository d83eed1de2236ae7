//! `rolldeck resume-sync SERVICE`: what a rolldeck suspended keeps the service as git has it again.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::Release;
use super::release::{self, Asked};

pub async fn run(config: &Config, args: Release) -> Outcome {
    let asked = Asked::new(Verb::ResumeSync, Target::Proposed);
    release::run(config, asked, args).await
}
