//! What the tests and benchmarks stand on: a control plane, a terminal, a proxy that misbehaves, and waiting for conditions.
#![allow(
    dead_code, // each binary uses its own part
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods, // deadlines of tests are real time
    clippy::missing_panics_doc
)]

pub mod api;
pub mod argo_rollouts;
pub mod audit;
pub mod built;
pub mod certificates;
pub mod control_plane;
pub mod counter;
pub mod fake;
pub mod fixtures;
pub mod flagger;
pub mod gateway_api;
pub mod hostile;
pub mod hudson;
pub mod keeper;
pub mod prometheus;
pub mod proxy;
pub mod pty;
pub mod registries;
pub mod relay;
pub mod terminal_bytes;
pub mod tunnel;
pub mod wait;
