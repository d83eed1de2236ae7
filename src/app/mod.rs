//! What a person does and sees, as a pure machine: events in, effects out, a model in between.

pub mod answering;
pub mod clusters;
pub mod deliveries;
pub mod effect;
pub mod event;
pub mod field;
mod filter;
pub mod handover;
pub mod image_picker;
pub mod intent;
pub mod keymap;
pub mod layout;
pub mod logs;
pub mod model;
pub mod notes;
pub mod notification;
mod settle;
pub mod table;
pub mod update;
pub mod way_back;
pub mod wishes;
pub mod words;

pub use effect::Effect;
pub use event::Event;
pub use keymap::Key;
pub use model::Model;
pub use settle::settle;
pub use update::{stop_at, update};
