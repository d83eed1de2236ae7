//! Everything that can be tested without a server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod cli;
mod demo;
mod engine;
mod support;
mod tidy;
mod tui;
