//! A row of small bars: how a value went.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar a point, from nothing to `most`; a blank where there was no value.
pub fn spark(points: &[Option<u64>], most: u64) -> String {
    let bar = |point: &Option<u64>| match *point {
        None => ' ',
        Some(0) => LEVELS[0],
        Some(value) if value >= most => LEVELS[7],
        Some(value) => {
            let level = u128::from(value) * 6 / u128::from(most);
            LEVELS[1 + usize::try_from(level).unwrap_or(0)]
        }
    };
    points.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn only_nothing_is_at_the_bottom_and_only_the_most_at_the_top() {
        let points = [Some(0), Some(1), None, Some(500), Some(999), Some(1000)];
        assert_eq!(spark(&points, 1000), "▁▂ ▅▇█");
        assert_eq!(spark(&[Some(0), Some(0)], 0), "▁▁");
        assert_eq!(spark(&[Some(9)], 3), "█");
    }
}
