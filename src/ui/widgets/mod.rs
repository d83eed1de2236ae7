//! The parts that screens are put together from.

pub mod bar;
pub mod change;
pub mod frame_box;
pub mod header;
pub mod hints;
pub mod input;
pub mod notes;
pub mod pen;
pub mod spark;
pub mod table;
