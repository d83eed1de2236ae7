//! How what one environment runs stands to what another does, in words of three lengths.

use jiff::Timestamp;

use super::{age, coarse_age, count};
use crate::domain::image::short_digest;
use crate::domain::matrix::{Beside, Running};

/// In a few cells: `-2 9d` is two versions behind, the first of which came there nine days ago.
pub fn short(beside: Beside, now: Timestamp) -> String {
    match beside {
        Beside::Same => "=".into(),
        Beside::SameName => "~=".into(),
        Beside::InPart => "part".into(),
        Beside::OtherDigest => "not =".into(),
        Beside::Behind(drift) => format!("-{} {}", drift.versions, coarse_age(drift.since, now)),
        Beside::Ahead(drift) => format!("+{} {}", drift.versions, coarse_age(drift.since, now)),
        Beside::Apart => "differs".into(),
    }
}

/// Where there is room for it.
pub fn roomy(beside: Beside, now: Timestamp) -> String {
    match beside {
        Beside::Same => "same".into(),
        Beside::SameName => "~same".into(),
        Beside::InPart => "in part".into(),
        Beside::OtherDigest => "other digest".into(),
        Beside::Behind(drift) => {
            format!(
                "{} behind, {}",
                drift.versions,
                coarse_age(drift.since, now)
            )
        }
        Beside::Ahead(drift) => {
            format!("{} ahead, {}", drift.versions, coarse_age(drift.since, now))
        }
        Beside::Apart => "differs".into(),
    }
}

/// In full, with the environment that it is set against and what that runs.
pub fn sentence(beside: Beside, (name, there): (&str, &Running), now: Timestamp) -> String {
    let runs = || format!("{name}, which runs {}", version(there));
    let apart = |versions, since, way: &str| {
        let versions = count(versions, "version");
        format!("{versions}, {} {way} {}", age(since, now), runs())
    };
    match beside {
        Beside::Same => format!("the same digest as {name}"),
        Beside::SameName => {
            format!("called as in {name}; whether it is the same nobody knows without both digests")
        }
        Beside::InPart => format!("the same as {name}, of a part of its pods"),
        Beside::OtherDigest => format!(
            "the same version as in {name} by another digest: {}",
            runs()
        ),
        Beside::Behind(drift) => apart(drift.versions, drift.since, "behind"),
        Beside::Ahead(drift) => apart(drift.versions, drift.since, "ahead of"),
        Beside::Apart => format!("another than {}", runs()),
    }
}

/// `2.14.1 (77c01d)`, and `?` for a digest that nobody knows.
pub fn version(running: &Running) -> String {
    let digests: Vec<_> = running
        .digests
        .iter()
        .filter_map(|d| short_digest(d))
        .collect();
    match digests.as_slice() {
        [] => format!("{} (digest not known)", running.version),
        some => format!("{} ({})", running.version, some.join(", ")),
    }
}
