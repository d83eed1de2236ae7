//! `rolldeck promote` and `rolldeck abort`: what waits between two revisions goes on, or back.

use crate::config::Config;
use crate::plan::{Target, Verb};

use super::Outcome;
use super::args::{Git, Release};
use super::release::{self, Asked};

pub async fn run(config: &Config, verb: Verb, (git, release): (Git, Release)) -> Outcome {
    let asked = Asked::new(verb, Target::Proposed).by(git);
    release::run(config, asked, release).await
}
