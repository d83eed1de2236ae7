//! The controllers that move a release by steps, one file each: wire JSON turned into the domain's canary.

pub mod argo;
pub mod flagger;
