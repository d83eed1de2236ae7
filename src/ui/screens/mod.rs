//! One file per screen and per box that lies over one.

pub mod batch;
pub mod board;
pub mod build;
pub mod builds;
pub mod changes;
pub mod doctor;
pub mod follow;
pub mod handover;
pub mod help;
pub mod image;
pub mod logs;
pub mod matrix;
pub mod nothing;
pub mod palette;
pub mod picker;
pub mod plan;
pub mod record;
pub mod service;
pub mod table;
pub mod text;
