//! The embedded API server: one store of JSON objects, one handler for all kinds.

pub mod defaults;
pub mod go_json;
pub mod kind;
mod managed_fields;
pub mod object;
pub mod refusal;
pub mod store;
pub mod write;
