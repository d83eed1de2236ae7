//! What is shown, and in which colours.

use serde::{Deserialize, Serialize};

use crate::domain::Color;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// False with `NO_COLOR` or a terminal that has none.
    pub color: bool,
    /// `--ascii`, TERM=linux, CJK locales: only ASCII glyphs.
    pub ascii: bool,
    pub theme: Theme,
    /// The columns of the board, in this order; `None`: all that say something here.
    pub columns: Option<Vec<Column>>,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            color: true,
            ascii: false,
            theme: Theme::default(),
            columns: None,
        }
    }
}

/// The colour of each role. Words and glyphs say the same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Theme {
    /// Verified, ready, steady.
    pub good: Color,
    /// What is on its way.
    pub moving: Color,
    /// What asks for attention.
    pub warn: Color,
    /// What is broken or blocked.
    pub bad: Color,
    /// A key that one may press.
    pub key: Color,
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            good: Color::Green,
            moving: Color::Blue,
            warn: Color::Yellow,
            bad: Color::Red,
            key: Color::Cyan,
        }
    }
}

/// A column of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    Namespace,
    Service,
    Environment,
    Version,
    Rollout,
    Ready,
    Changed,
    Build,
    Why,
}
