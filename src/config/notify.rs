//! How somebody who looks elsewhere learns that an action has ended.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Notify {
    /// The terminal's bell.
    pub bell: bool,
    /// A notification that the terminal shows.
    pub terminal: Terminal,
    /// A program and its arguments; what is to be said is added as the last one. No shell is in between.
    pub command: Vec<String>,
}

/// Terminals do not tell which of them they know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Terminal {
    #[default]
    None,
    /// With a text alone; `config.yaml.example` names terminals.
    Osc9,
    /// With a title and a text.
    Osc777,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            bell: true,
            terminal: Terminal::None,
            command: Vec::new(),
        }
    }
}
