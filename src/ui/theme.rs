//! What a role looks like: 16 colours or modifiers only, one glyph a phase, and an ASCII form of every glyph of ours.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::config::{self, Display};
use crate::domain::{Color as Named, Level, Phase};
use crate::plan::Finding;

/// What a piece of text is for. Colour only repeats what the words and glyphs already say, and no background is
/// ever set, so that it reads on light and on dark terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// Titles and what the cursor is on.
    Strong,
    /// Labels, rules, and whatever is old.
    Dim,
    Good,
    Moving,
    Warn,
    Bad,
    /// A key that one may press.
    Key,
    /// What a search found.
    Found,
    /// A name with a colour of its own.
    Named(Named),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// `None`: words and glyphs alone.
    colors: Option<config::Theme>,
    pub ascii: bool,
}

impl Theme {
    pub fn new(display: &Display) -> Self {
        Self {
            colors: display.color.then_some(display.theme),
            ascii: display.ascii,
        }
    }

    pub fn style(self, role: Role) -> Style {
        let modifier = match role {
            Role::Plain | Role::Good | Role::Moving | Role::Warn | Role::Named(_) => {
                Modifier::empty()
            }
            Role::Strong | Role::Bad | Role::Key => Modifier::BOLD,
            Role::Dim => Modifier::DIM,
            Role::Found => Modifier::REVERSED,
        };
        let style = Style::new().add_modifier(modifier);
        match self.colors.and_then(|colors| named(colors, role)) {
            Some(color) => style.fg(of_terminal(color)),
            None => style,
        }
    }
}

fn named(colors: config::Theme, role: Role) -> Option<Named> {
    match role {
        Role::Good => Some(colors.good),
        Role::Moving => Some(colors.moving),
        Role::Warn => Some(colors.warn),
        Role::Bad => Some(colors.bad),
        Role::Key => Some(colors.key),
        Role::Named(color) => Some(color),
        Role::Plain | Role::Strong | Role::Dim | Role::Found => None,
    }
}

/// What ratatui calls it: its plain names are the dim half, and white is the brightest.
fn of_terminal(color: Named) -> Color {
    match color {
        Named::Black => Color::Black,
        Named::Red => Color::Red,
        Named::Green => Color::Green,
        Named::Yellow => Color::Yellow,
        Named::Blue => Color::Blue,
        Named::Magenta => Color::Magenta,
        Named::Cyan => Color::Cyan,
        Named::White => Color::Gray,
        Named::BrightBlack => Color::DarkGray,
        Named::BrightRed => Color::LightRed,
        Named::BrightGreen => Color::LightGreen,
        Named::BrightYellow => Color::LightYellow,
        Named::BrightBlue => Color::LightBlue,
        Named::BrightMagenta => Color::LightMagenta,
        Named::BrightCyan => Color::LightCyan,
        Named::BrightWhite => Color::White,
    }
}

/// A single-width sign without an emoji form, and how much it shouts.
pub fn phase(phase: Phase) -> (&'static str, Role) {
    match phase {
        Phase::Stalled => ("×", Role::Bad),
        Phase::Canary => ("◆", Role::Warn),
        Phase::Degraded => ("!", Role::Bad),
        Phase::RollingBack => ("<", Role::Moving),
        Phase::Rolling => (">", Role::Moving),
        Phase::Paused => ("=", Role::Warn),
        Phase::Unknown => ("?", Role::Warn),
        Phase::Steady => ("•", Role::Good),
        Phase::ScaledToZero => ("-", Role::Dim),
    }
}

pub fn finding(finding: Finding) -> (&'static str, Role) {
    let role = match finding {
        Finding::Ok => Role::Good,
        Finding::Warn | Finding::Unverified => Role::Warn,
        Finding::Block => Role::Bad,
    };
    (finding.word(), role)
}

pub fn level(level: Level) -> (&'static str, Role) {
    match level {
        Level::Open => ("open", Role::Plain),
        Level::Guarded => ("guarded", Role::Plain),
        Level::Protected => ("protected", Role::Warn),
    }
}

/// Every sign that our own screens are drawn with beyond ASCII, and what stands for it where only ASCII is shown.
/// All are one cell wide on both sides, so that the layout is the same.
const ASCII: [(&str, &str); 30] = [
    ("×", "x"),
    ("◆", "%"),
    ("•", "."),
    ("❯", "*"),
    ("→", ">"),
    ("›", "/"),
    ("·", "-"),
    ("…", "~"),
    ("█", "#"),
    ("░", "-"),
    ("─", "-"),
    ("│", "|"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("├", "+"),
    ("┤", "+"),
    ("↑", "^"),
    ("↓", "v"),
    ("≥", ">"),
    ("▏", "_"),
    ("▌", "+"),
    ("▁", "_"),
    ("▂", "."),
    ("▃", ":"),
    ("▄", "-"),
    ("▅", "="),
    ("▆", "+"),
    ("▇", "*"),
];

/// Puts the ASCII forms in place of our signs, cell by cell.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        if let Some((_, ascii)) = ASCII.iter().find(|(sign, _)| *sign == symbol) {
            cell.set_symbol(ascii);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn signs_are_one_cell_wide_both_ways() {
        for (sign, ascii) in ASCII {
            assert_eq!((sign.width(), ascii.len()), (1, 1), "{sign}");
        }
    }

    #[test]
    fn without_color_nothing_is_colored_and_what_shouts_still_does() {
        let theme = Theme::new(&Display {
            color: false,
            ..Display::default()
        });
        assert_eq!(theme.style(Role::Bad).fg, None);
        assert!(theme.style(Role::Bad).add_modifier.contains(Modifier::BOLD));
    }
}
