//! Columns that give way when it gets narrow: which are shown, where, and how wide.

use super::pen::cells;

/// What one column would like.
#[derive(Debug, Clone, Copy)]
pub struct Column<K> {
    pub key: K,
    pub title: &'static str,
    /// It is no use narrower than this.
    pub least: u16,
    /// It says what matters in this: all columns get this before one gets more.
    pub wants: u16,
    /// Wider than this it gains nothing.
    pub most: u16,
    /// Columns with the highest number go first; those with 0 stay.
    pub goes: u8,
}

impl<K> Column<K> {
    /// Wide enough for its title and all of `words`, and at its least `small` cells.
    pub fn holding<'a>(
        words: impl Iterator<Item = &'a str>,
        key: K,
        title: &'static str,
        small: u16,
        goes: u8,
    ) -> Self {
        let most = words.map(cells).max().unwrap_or(0).max(cells(title));
        Self {
            key,
            title,
            least: most.min(small),
            wants: most,
            most,
            goes,
        }
    }
}

/// A column in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<K> {
    pub key: K,
    pub title: &'static str,
    pub x: u16,
    pub width: u16,
}

/// Cells between two columns.
const GAP: u16 = 2;

/// Cells beyond its least that a column which stays gets before one that may go is shown.
const EASE: u16 = 4;

/// Drops columns until the others fit in `width` cells with some ease, then hands what is left to those that want more, in order,
/// then to those that would gain by more; the last takes the rest.
pub fn place<K: Copy>(columns: &[Column<K>], width: u16) -> Vec<Placed<K>> {
    let mut kept: Vec<Column<K>> = columns.to_vec();
    while at_ease(&kept) > width {
        let Some(first) = (0..kept.len())
            .filter(|&i| kept[i].goes > 0)
            .max_by_key(|&i| kept[i].goes)
        else {
            break;
        };
        kept.remove(first);
    }
    let mut spare = width.saturating_sub(needed(&kept));
    let mut widths: Vec<u16> = kept.iter().map(|column| column.least).collect();
    for enough in [|c: &Column<K>| c.wants, |c: &Column<K>| c.most] {
        for (column, width) in kept.iter().zip(&mut widths) {
            let more = spare.min(enough(column).saturating_sub(*width));
            *width += more;
            spare -= more;
        }
    }
    if let Some(last) = widths.last_mut() {
        *last += spare;
    }
    let mut x = 0;
    let mut placed = Vec::with_capacity(kept.len());
    for (column, column_width) in kept.iter().zip(widths) {
        placed.push(Placed {
            key: column.key,
            title: column.title,
            x,
            width: column_width.min(width.saturating_sub(x)),
        });
        x += column_width + GAP;
    }
    placed
}

fn needed<K>(columns: &[Column<K>]) -> u16 {
    columns.iter().map(|column| column.least).sum::<u16>() + gaps(columns)
}

/// As [`needed`], with something more for those that stay: their words are not cut for the sake of one that may go.
fn at_ease<K>(columns: &[Column<K>]) -> u16 {
    let eased = columns.iter().map(|column| match column.goes {
        0 => column.wants.min(column.least + EASE),
        _ => column.least,
    });
    eased.sum::<u16>() + gaps(columns)
}

fn gaps<K>(columns: &[Column<K>]) -> u16 {
    GAP * u16::try_from(columns.len().saturating_sub(1)).unwrap_or(0)
}

/// `3 above`, `12 below`: what a list does not show.
pub fn scroll_mark(offset: usize, shown: usize, total: usize) -> Option<String> {
    let below = total.saturating_sub(offset + shown);
    match (offset, below) {
        (0, 0) => None,
        (above, 0) => Some(format!("↑ {above}")),
        (0, below) => Some(format!("↓ {below}")),
        (above, below) => Some(format!("↑ {above} ↓ {below}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<char>; 3] = [
        Column {
            key: 'a',
            title: "A",
            least: 5,
            wants: 6,
            most: 10,
            goes: 0,
        },
        Column {
            key: 'b',
            title: "B",
            least: 5,
            wants: 5,
            most: 5,
            goes: 1,
        },
        Column {
            key: 'c',
            title: "C",
            least: 5,
            wants: 9,
            most: 9,
            goes: 0,
        },
    ];

    fn keys(width: u16) -> Vec<(char, u16, u16)> {
        place(&COLUMNS, width)
            .iter()
            .map(|p| (p.key, p.x, p.width))
            .collect()
    }

    #[test]
    fn the_least_wanted_column_goes_first_and_nothing_leaves_the_area() {
        assert_eq!(keys(30), [('a', 0, 10), ('b', 12, 5), ('c', 19, 11)]);
        assert_eq!(keys(24), [('a', 0, 6), ('b', 8, 5), ('c', 15, 9)]);
        assert_eq!(
            keys(23),
            [('a', 0, 10), ('c', 12, 11)],
            "b would cut a or c"
        );
        assert_eq!(keys(3), [('a', 0, 3), ('c', 7, 0)]);
    }
}
