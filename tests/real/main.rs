//! Tests on a real Kubernetes control plane. `tests/control_plane/build` compiles it once; a missing one fails them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod action;
mod connection;
mod feed;
mod names;
mod plane;
#[path = "../support/mod.rs"]
mod support;
mod write;
