//! Everything that can be tested without a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod cli;
mod contract;
mod counts;
mod demo;
mod engine;
mod servers;
#[path = "contract/on_demo.rs"]
mod side;
mod support;
mod tidy;
mod tui;
