//! The lines above the keys: what is not as it should be beyond the rows themselves.

use crate::app::notes::{Note, Tone};

use super::super::theme::Role;
use super::pen::Pen;

pub fn draw(pen: &mut Pen<'_>, notes: &[Note]) {
    for (y, note) in (0..).zip(notes) {
        let role = match note.tone {
            Tone::Plain => Role::Plain,
            Tone::Warn => Role::Warn,
            Tone::Bad => Role::Bad,
            Tone::Aside => Role::Dim,
        };
        pen.line(1, y, &note.text, role);
    }
}
