//! One file per verb: each turns a request and fresh reads into a plan, or refuses in words.

pub mod rollback;
