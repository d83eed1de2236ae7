//! The embedded API server: one store of JSON objects, one handler for all kinds.

mod answer;
pub mod defaults;
pub mod delete;
mod discovery;
pub mod disruption;
pub mod go_json;
pub mod kind;
mod list;
mod log;
mod managed_fields;
pub mod object;
mod patch;
mod protobuf;
mod query;
pub mod quota;
pub mod refusal;
mod review;
mod route;
pub mod selector;
mod server;
pub mod store;
mod table;
#[cfg(test)]
mod tests;
mod validation;
mod verbs;
mod watch;
pub mod write;

pub use route::{Rights, User};
pub use server::serve;
