//! rolldeck: a release console for the terminal.
//!
//! in: API bytes -> `sources::kube` -> `domain::Change` -> `app::update` -> `Model` -> `ui::view`.
//! out: key -> `Intent` -> `Effect` -> `engine` -> `actions` -> `sources` -> API. What a write did comes back as
//! news from the feeds. Which room may use which is checked by `tests/tidy.rs`.

pub mod actions;
pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod plan;
pub mod sources;
pub mod text;
pub mod tui;
pub mod ui;
