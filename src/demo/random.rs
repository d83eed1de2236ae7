//! Names and uids from a seed: the same seed makes the same world.

/// `SplitMix64`: small, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound.max(1)
    }

    /// As the server generates the end of a name: no vowels, no look-alikes.
    pub fn suffix(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..length)
            .map(|_| {
                let at = self.below(LETTERS.len() as u64);
                char::from(LETTERS[usize::try_from(at).unwrap_or(0)])
            })
            .collect()
    }

    /// `8-4-4-4-12` hexadecimal digits, version 4.
    pub fn uid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        let time = format!("{:08x}-{:04x}", high >> 32, (high >> 16) & 0xffff);
        let variant = (low >> 48) & 0x3fff | 0x8000;
        let node = low & 0xffff_ffff_ffff;
        format!("{time}-4{:03x}-{variant:04x}-{node:012x}", high & 0x0fff)
    }
}
