//! Turns data into safe words: escaping, widths, cutting, ages and counts.

pub mod action;
pub mod canary;
pub mod changes;
mod charts;
pub mod commits;
mod describe;
mod escape;
mod hold;
pub mod matrix;
pub mod measured;
mod time;
mod width;
mod words;
mod wrap;

pub use charts::{chart_cells, chart_lines, chart_titles};
pub use describe::describe;
pub use escape::{escape, is_unsafe};
pub use hold::held;
pub use time::{
    age, clock, coarse_age, date, duration, millis, moment, of_deadline, seconds, typed_moment,
};
pub use width::{Ellipsis, clause, fit, fit_clause, fit_end, fit_with, pad, pad_left, width};
pub use words::{count, list, thousands};
pub use wrap::{pieces, searched, wrap};
