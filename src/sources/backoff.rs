//! How long to wait before a server is asked again after a failure.

use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(30);

/// Doubles from 1 s to 30 s with each failure in a row, a quarter more or less: many clients that lost one
/// server must not all come back at once. Pure: the same seed gives the same waits.
pub fn wait(failures: u32, seed: u64) -> Duration {
    let steady = LONGEST.min(Duration::from_secs(1 << failures.min(5)));
    let draw = scatter(seed.wrapping_add(u64::from(failures))) % 501;
    let millis = u32::try_from(750 + draw).unwrap_or(1000);
    steady * millis / 1000
}

/// The finisher of splitmix64: neighbours in, strangers out.
fn scatter(seed: u64) -> u64 {
    let x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_differ_between_seeds() {
        for (failures, low, high) in [
            (0, 750, 1_250),
            (1, 1_500, 2_500),
            (4, 12_000, 20_000),
            (5, 22_500, 37_500),
            (u32::MAX, 22_500, 37_500),
        ] {
            for seed in 0..50 {
                let wait = wait(failures, seed).as_millis();
                assert!((low..=high).contains(&wait), "{failures} {seed}: {wait}");
            }
        }
        assert_eq!(wait(3, 7), wait(3, 7));
        assert_ne!(wait(3, 7), wait(3, 8));
    }
}
