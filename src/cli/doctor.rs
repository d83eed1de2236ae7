//! `rolldeck doctor`: what is right and wrong here. Exits 1 when something stands in the way.

use serde::Serialize;

use crate::app::event::Diagnosis;
use crate::app::update::doctor::report;
use crate::config::Config;
use crate::engine::doctor;
use crate::plan::Finding;
use crate::plan::push::hook::Hook;

use super::Outcome;
use super::args::{Doctor, Form};
use super::output;

pub async fn run(config: &Config, args: &Doctor) -> Outcome {
    let service = args.service.as_deref();
    let found = doctor::diagnose(config, &config.clusters(), service).await;
    let blocked = found.iter().any(|one| one.finding == Finding::Block);
    match args.output {
        Form::Json => {
            let lines: Vec<_> = found.into_iter().map(Line::from).collect();
            output::json(&lines)?;
        }
        Form::Lines => {
            for line in found.iter().flat_map(report) {
                output::line(&line)?;
            }
        }
    }
    Ok(u8::from(blocked))
}

/// One finding, as JSON; the names are kept.
#[derive(Serialize)]
struct Line {
    finding: Finding,
    about: String,
    sentence: String,
    hint: Option<String>,
    /// What is to be installed so that a push reaches its build.
    #[serde(skip_serializing_if = "Option::is_none")]
    hook: Option<Box<Hook>>,
}

impl From<Diagnosis> for Line {
    fn from(found: Diagnosis) -> Self {
        Self {
            finding: found.finding,
            about: found.about,
            sentence: found.sentence,
            hint: found.hint,
            hook: found.hook,
        }
    }
}
