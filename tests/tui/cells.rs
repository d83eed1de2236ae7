//! A buffer of cells as text that a person can review: the characters, then the styles as runs.

use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use rolldeck::app::Model;

/// What the model looks like at its own size.
pub fn drawn(model: &Model) -> Buffer {
    let backend = TestBackend::new(model.width, model.height);
    let mut terminal = Terminal::new(backend).unwrap();
    terminal
        .draw(|frame| rolldeck::ui::view(model, frame))
        .unwrap();
    terminal.backend().buffer().clone()
}

/// The characters, one line a row, without the spaces at the end.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = symbol.width().saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// `2: 4-11 bold red, 20-33 dim`; rows without any style are left out, and so are styles of blank cells.
pub fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let style = style(cell);
            let blank = cell.symbol() == " " && !cell.modifier.contains(Modifier::REVERSED);
            match runs.last_mut() {
                Some((_, end, last)) if *last == style && *end + 1 == x => *end = x,
                _ if blank || style.is_empty() => {}
                _ => runs.push((x, x, style)),
            }
        }
        if !runs.is_empty() {
            let runs: Vec<_> = runs
                .iter()
                .map(|(a, b, style)| format!("{a}-{b} {style}"))
                .collect();
            writeln!(out, "{y}: {}", runs.join(", ")).unwrap();
        }
    }
    out
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::REVERSED, "reversed"),
        (Modifier::UNDERLINED, "underlined"),
    ] {
        if cell.modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string().to_lowercase());
    }
    assert_eq!(cell.bg, Color::Reset, "no background is ever forced");
    words.join(" ")
}
