//! The Docker engine: builds, tags, pushes and pulls, and what it has. It fails alone.

mod client;
mod context;
mod convert;
mod error;
mod ignored;

pub use client::{Build, Docker, Working};
pub use error::Error;
