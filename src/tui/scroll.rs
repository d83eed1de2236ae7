//! Rows that moved up or down together: the terminal moves them itself, and only what is new has to be sent.

use ratatui::buffer::{Buffer, Cell};

/// Moving is told in some twenty bytes, as many as a changed row or two take.
const WORTH: usize = 3;

/// The rows from `top` to `bottom` move down by so many rows, or up when it is below zero. What moves out of them is
/// lost, and what they leave is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scroll {
    pub top: u16,
    pub bottom: u16,
    pub down: i32,
}

/// The move after which the fewest rows have to be written.
pub fn find(shown: &Buffer, next: &Buffer) -> Option<Scroll> {
    let height = i32::from(shown.area.height);
    let same = |from: i32, to: i32| row(shown, from) == row(next, to);
    let changed: Vec<i32> = (0..height).filter(|y| !same(*y, *y)).collect();
    if changed.len() < WORTH {
        return None;
    }
    let candidates = (1 - height..height).filter(|down| *down != 0);
    let scrolls = candidates.filter_map(|down| {
        let moved = |to: &&i32| (0..height).contains(&(**to - down)) && same(**to - down, **to);
        let first = *changed.iter().find(moved)?;
        let last = *changed.iter().rev().find(moved)?;
        let (top, bottom) = (first.min(first - down), last.max(last - down));
        let region = top..=bottom;
        let before = changed.iter().filter(|y| region.contains(y)).count();
        let stays = |to: &i32| region.contains(&(to - down)) && same(to - down, *to);
        let after = region.clone().filter(|to| !stays(to)).count();
        let scroll = Scroll {
            top: u16::try_from(top).ok()?,
            bottom: u16::try_from(bottom).ok()?,
            down,
        };
        Some((before.saturating_sub(after), scroll))
    });
    let (saved, scroll) = scrolls.max_by_key(|(saved, scroll)| (*saved, -scroll.down.abs()))?;
    (saved >= WORTH).then_some(scroll)
}

impl Scroll {
    /// To be told when the cursor may go anywhere and nothing is written with a background. It ends in the corner.
    pub fn sequence(self) -> String {
        let (top, bottom, count) = (self.top + 1, self.bottom + 1, self.down.unsigned_abs());
        let verb = if self.down > 0 { 'L' } else { 'M' };
        format!("\x1b[{top};{bottom}r\x1b[{top}H\x1b[{count}{verb}\x1b[r")
    }

    /// What the terminal makes of it.
    pub fn apply(self, shown: &mut Buffer) {
        let width = usize::from(shown.area.width);
        let (top, bottom) = (usize::from(self.top), usize::from(self.bottom));
        let rows = &mut shown.content[top * width..(bottom + 1) * width];
        let cells = width * usize::try_from(self.down.unsigned_abs()).unwrap_or(0);
        let left = if self.down > 0 {
            rows.rotate_right(cells);
            &mut rows[..cells]
        } else {
            rows.rotate_left(cells);
            let kept = rows.len() - cells;
            &mut rows[kept..]
        };
        left.fill(Cell::EMPTY);
    }
}

fn row(buffer: &Buffer, y: i32) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let start = usize::try_from(y).unwrap_or(0) * width;
    &buffer.content[start..start + width]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&'static str]) -> Buffer {
        Buffer::with_lines(lines.to_vec())
    }

    #[test]
    fn rows_that_moved_are_found_with_what_is_between_them() {
        let before = lines(&["top", "a", "b", "c", "d", "e", "f", "end"]);
        for (after, want) in [
            (
                ["top", "b", "c", "d", "e", "f", "g", "end"],
                Some((1, 6, -1)),
            ),
            (
                ["top", "x", "y", "a", "b", "c", "d", "end"],
                Some((1, 6, 2)),
            ),
            (
                ["new", "x", "a", "b", "!", "d", "e", "end"],
                Some((1, 6, 1)),
            ),
            (
                ["top", "a", "x", "b", "c", "d", "e", "end"],
                Some((2, 6, 1)),
            ),
            (["top", "a", "b", "c", "e", "d", "f", "end"], None),
            (["top", "1", "2", "3", "4", "5", "6", "end"], None),
        ] {
            let found = find(&before, &lines(&after));
            let found = found.map(|s| (s.top, s.bottom, s.down));
            assert_eq!(found, want, "{after:?}");
        }
        assert_eq!(find(&before, &before), None);
    }

    #[test]
    fn what_moves_leaves_empty_rows() {
        for (down, want) in [(1, ["0", "", "1", "2", "4"]), (-2, ["0", "3", "", "", "4"])] {
            let scroll = Scroll {
                top: 1,
                bottom: 3,
                down,
            };
            let mut shown = lines(&["0", "1", "2", "3", "4"]);
            scroll.apply(&mut shown);
            assert_eq!(shown, lines(&want), "{down}");
        }
    }
}
