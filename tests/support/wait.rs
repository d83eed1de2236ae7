//! Waiting for conditions, never for a time.

use std::time::{Duration, Instant};

/// Generous: a condition that holds is seen at once, and only a failing test waits this long.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Asks until there is an answer.
///
/// # Panics
/// After [`DEADLINE`], naming what was waited for.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "waited {DEADLINE:?} for: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
