//! Prometheus: what was measured of the two sides of a canary, asked directly or through the API server.

mod client;
mod convert;
mod error;
mod server;

pub use client::Prometheus;
pub use error::Cause;
pub use server::answers;
