//! Servers that go wrong in every way there is, and what a person is told.

mod failures;
mod metrics;
mod secrets;
