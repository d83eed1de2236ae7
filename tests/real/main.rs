//! Tests on a real Kubernetes control plane. `tests/control_plane/build` compiles it once; a missing one fails them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]
// `plane` and `place` are what they are; a day in a test is told from its morning to its evening.
#![allow(clippy::similar_names, clippy::too_many_lines)]

mod action;
mod argo;
mod builds;
mod chain;
mod changes;
mod chaos;
mod charts;
mod checks;
mod clusters;
mod comparison;
mod connection;
#[path = "../contract/mod.rs"]
mod contract;
mod describe;
mod docker;
mod ending;
mod evicting;
mod feed;
mod flagger;
mod foreign;
mod git;
mod handover;
mod held;
mod helm;
mod hostile;
mod imaging;
mod interrupted;
mod jenkins;
mod kept_canaries;
mod kinds;
mod making;
mod matrix;
mod merged_log;
mod metrics;
mod names;
mod notified;
mod outage;
mod pairs;
mod paused;
mod pausing;
mod plane;
mod pod;
mod presence;
mod promotion;
mod registry;
mod requests;
mod restarting;
mod restore;
mod rights;
mod rollback;
mod scaling;
mod screen;
mod session;
mod several;
mod shapes;
#[path = "../contract/on_plane.rs"]
mod side;
mod source_repo;
mod sources_away;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod tunnel;
mod usage;
