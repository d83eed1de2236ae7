//! What a person sees: snapshots of every screen, hostile words, how quiet it is, and the picture of the README.

mod batch;
mod builds;
mod by_hand;
mod canary;
mod cells;
mod changes;
mod clusters;
mod commits;
mod flagger;
mod hostile;
mod images;
mod kept;
mod matrix;
mod night;
mod plans;
mod quiet;
mod readme;
mod record;
mod snapshots;
mod stateful;
mod svg;
