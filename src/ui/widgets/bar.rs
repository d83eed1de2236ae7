//! A bar of blocks: how much of something is done.

/// `done` of `of` in `cells` blocks. It is full only when all is done and empty only when nothing is.
pub fn bar(done: u32, of: u32, cells: u16) -> String {
    let cells = u64::from(cells);
    let (done, of) = (u64::from(done.min(of)), u64::from(of));
    let full = match (done * cells).checked_div(of) {
        None => 0,
        Some(0) if done > 0 => 1,
        Some(full) => full,
    };
    let full = usize::try_from(full.min(cells)).unwrap_or(0);
    let cells = usize::try_from(cells).unwrap_or(0);
    "█".repeat(full) + &"░".repeat(cells - full)
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn full_only_when_done_and_empty_only_when_not_begun() {
        for (done, of, want) in [
            (0, 6, "░░░░░"),
            (1, 100, "█░░░░"),
            (3, 6, "██░░░"),
            (5, 6, "████░"),
            (6, 6, "█████"),
            (7, 6, "█████"),
            (0, 0, "░░░░░"),
        ] {
            assert_eq!(bar(done, of, 5), want, "{done}/{of}");
        }
    }
}
