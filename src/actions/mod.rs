//! The only room that acts: reads for a plan, checks that ask, the one function that writes, the record.

mod analyses;
mod beside;
mod build;
mod digests;
mod execute;
mod fresh;
mod gather;
mod hold;
mod image;
pub mod interrupted;
mod inventory;
mod keeper;
mod listener;
mod logins;
mod origin;
mod pages;
mod pair;
mod pin;
mod preflight;
mod presence;
pub mod record;
mod release;
mod restore;
mod send;
mod turn;

pub use build::{BuildOrder, build};
pub use digests::digests;
pub use execute::{Order, execute};
pub use gather::{GatherContext, gather, person, stamp};
pub use image::{ImageOrder, Makers, make_image, plan_image};
pub use inventory::inventories;
pub use origin::OriginContext;
pub use preflight::{Sources, preflight};
pub use record::Recorder;
pub use restore::{RestoreOrder, RestoreProgress, ask_restore, restore};
pub use send::{SendError, send};

#[cfg(test)]
mod tests;
