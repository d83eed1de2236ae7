//! One file per verb: each turns a request and fresh reads into a plan, or refuses in words.

pub mod canary;
pub mod delete_pod;
pub mod helm_rollback;
mod live;
pub mod pause;
pub mod promotion;
pub mod restart;
pub mod resume;
pub mod resume_sync;
pub mod rollback;
pub mod scale;
pub mod set_image;
