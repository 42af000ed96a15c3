//! Pseudo-random draws from fixed seeds, so that a law does the same in every run.

/// A small generator (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Draws(u64);

impl Draws {
    /// A generator with these numbers as its seed.
    pub(crate) fn of(numbers: &[u64]) -> Self {
        numbers.iter().fold(Self(0x0c8a_5b01), |draws, number| {
            let mut next = Self(draws.0 ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            Self(next.next())
        })
    }

    /// Draws a number below `n`.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "nothing is less than 0");
        (self.next() % n as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The same bytes in each run, incompressible: Marsaglia's xorshift generator.
pub(crate) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(bytes / 8).flatten().collect()
}
