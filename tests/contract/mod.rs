//! What the embedded cluster promises to do as a real one does: each behaviour is written once, as a test that both
//! binaries contain. In `cargo test` the place is the embedded cluster, in `cargo test --test real` the control plane.

#![allow(
    clippy::similar_names, // `path` and `patch`, `pod` and `pods`
    clippy::too_many_lines, // tables of cases
    clippy::print_stderr, // that a test did not run
    clippy::trivially_copy_pass_by_ref // filters of iterators take references
)]

mod answers;
mod by_hand;
mod canaries;
mod changes;
mod deployments;
mod disruptions;
mod fates;
mod garbage;
mod lists;
mod logs;
mod patches;
mod rights;
mod rollouts;
mod stateful;
mod watches;
mod writes;

pub mod http;
pub mod kubectl;
pub mod place;
pub mod registry;
pub mod shape;
