//! `rolldeck config`: the settings in force, and from where each comes.

use serde::Serialize;

use crate::config::{Env, Overrides, explain};

use super::Outcome;
use super::args::{Form, Settings};
use super::output;

pub fn run(overrides: &Overrides, env: Env<'_>, args: &Settings) -> Outcome {
    let settings = explain(overrides, env).map_err(|error| error.failure())?;
    match args.output {
        Form::Json => {
            let rows = settings.into_iter().map(|setting| Row {
                name: setting.name,
                value: setting.value,
                from: setting.from,
            });
            output::json(&rows.collect::<Vec<_>>())?;
        }
        Form::Lines => {
            let row = |s: crate::config::Setting| vec![s.name, s.value, s.from];
            let rows: Vec<_> = settings.into_iter().map(row).collect();
            output::table(&["SETTING", "VALUE", "FROM"], &rows)?;
        }
    }
    Ok(0)
}

/// One setting, as JSON; the names are kept.
#[derive(Serialize)]
struct Row {
    name: String,
    value: String,
    from: String,
}
