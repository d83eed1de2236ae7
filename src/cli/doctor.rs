//! `rolldeck doctor`: what is right and wrong here. Exits 1 when something stands in the way.

use serde::Serialize;

use crate::config::Config;
use crate::engine::doctor;
use crate::plan::Finding;

use super::Outcome;
use super::args::{Doctor, Form};
use super::output;

pub async fn run(config: &Config, args: &Doctor) -> Outcome {
    let lines: Vec<_> = doctor::diagnose(config, &config.clusters())
        .await
        .into_iter()
        .map(|d| Line {
            finding: d.finding,
            about: d.about,
            sentence: d.sentence,
            hint: d.hint,
        })
        .collect();
    match args.output {
        Form::Json => output::json(&lines)?,
        Form::Lines => {
            for line in &lines {
                let word = output::finding(line.finding);
                output::line(&format!("{word:<11}{:<11} {}", line.about, line.sentence))?;
                if let Some(hint) = &line.hint {
                    output::line(&format!("{:<23}{hint}", ""))?;
                }
            }
        }
    }
    let blocked = lines.iter().any(|line| line.finding == Finding::Block);
    Ok(u8::from(blocked))
}

/// One finding, as JSON; the names are kept.
#[derive(Serialize)]
struct Line {
    finding: Finding,
    about: String,
    sentence: String,
    hint: Option<String>,
}
