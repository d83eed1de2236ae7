//! What moves a release part-way, one file each: controllers by their wire JSON, and objects that somebody holds by hand.

use crate::domain::Workload;
use crate::domain::canary::Canary;

pub mod argo;
pub mod flagger;
pub mod pair;
mod partition;
mod paused;
pub mod route;

/// The canary that the object itself holds, without a controller of canaries.
pub fn own(workload: &Workload) -> Option<Canary> {
    paused::canary(workload).or_else(|| partition::canary(workload))
}
