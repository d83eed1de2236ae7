//! The embedded world: a cluster, its registry and its sources on loopback ports, for `rolldeck demo` and the tests.

pub mod audit;
pub mod clock;
pub mod cluster;
pub mod goal;
pub mod images;
pub mod kube;
pub mod logs;
pub mod project;
pub mod random;
pub mod registry;
pub mod repository;
pub mod scenario;
pub mod script;
pub mod world;
