//! Image registries: what they have, by the distribution API of the OCI. Each fails alone.

mod cache;
mod challenge;
mod client;
mod convert;
mod copy;
mod error;
mod exchange;
mod login;
mod place;
mod rounds;

pub use client::Registries;
pub use error::Error;
pub use login::{Login, PullSecret};
pub use rounds::Rounds;

#[cfg(test)]
mod tests;
