//! A buffer of cells as an SVG picture, in colours that read on a dark card.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

const CELL: (u32, u32) = (9, 20);
const MARGIN: u32 = 14;

pub fn svg(buffer: &Buffer) -> String {
    let width = u32::from(buffer.area.width) * CELL.0 + 2 * MARGIN;
    let height = u32::from(buffer.area.height) * CELL.1 + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"15\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let start = x;
            let look = look(&buffer[(x, y)]);
            let mut words = String::new();
            while x < buffer.area.width && self::look(&buffer[(x, y)]) == look {
                words.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            if words.trim().is_empty() {
                continue;
            }
            let left = MARGIN + u32::from(start) * CELL.0;
            let top = MARGIN + u32::from(y) * CELL.1 + 15;
            let cells = u32::from(x - start) * CELL.0;
            let words = words
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            writeln!(
                out,
                "<text x=\"{left}\" y=\"{top}\" textLength=\"{cells}\" xml:space=\"preserve\"{look}>{words}</text>"
            )
            .unwrap();
        }
    }
    out + "</svg>\n"
}

fn look(cell: &Cell) -> String {
    let color = match cell.fg {
        Color::Red => "#ff6b6b",
        Color::Green => "#7bd88f",
        Color::Yellow => "#f2c55c",
        Color::Blue => "#6cb6ff",
        Color::Cyan => "#5ad4e6",
        _ => "#d8dee9",
    };
    let bold = if cell.modifier.contains(Modifier::BOLD) {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let dim = if cell.modifier.contains(Modifier::DIM) {
        " opacity=\"0.6\""
    } else {
        ""
    };
    format!(" fill=\"{color}\"{bold}{dim}")
}
