//! The embedded world: what is planted, and every scenario played in a terminal to its goal.

mod changes;
mod images;
pub mod kubectl;
pub mod planted;
mod play;
mod registry;
mod serve;
mod shapes;
