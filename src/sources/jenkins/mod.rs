//! Jenkins: what is built, by which job, and the writes that start and stop it.

mod client;
mod convert;
pub mod error;
mod image;
mod log;
mod poll;
mod read;
mod servers;
mod wire;
mod write;

pub use client::{Client, Flavour, connect};
pub use error::Error;
pub use log::{LogPiece, LogReader};
pub use poll::{Look, Pace, Poller};
pub use servers::Servers;
pub use write::Stop;
