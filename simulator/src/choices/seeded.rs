//! Choices from a seed.
//!
//! The generator is xoshiro256++ (Blackman and Vigna, 2019), seeded by `SplitMix64`. It is written
//! here and not taken from a dependency, because a seed must mean the same in every later release.

use crate::choices::{Choices, PLAN};

/// Draws from a seed. Most draws are `0`; the seed also decides how many, so some seeds are calm
/// and others are not. Draws before the simulation ([`PLAN`]) are uniform.
#[derive(Debug, Clone)]
pub struct Seeded {
    state: [u64; 4],
    /// One draw in `calm` may be interesting.
    calm: u64,
}

impl Seeded {
    /// The choices of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut splitmix = seed;
        let state = std::array::from_fn(|_| {
            splitmix = splitmix.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (splitmix ^ (splitmix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        });
        let mut seeded = Self { state, calm: 1 };
        seeded.calm = [2, 8, 32][seeded.below(3)];
        seeded
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number in `0..n`, uniformly distributed (Lemire's method with rejection).
    fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                let drawn = (product >> 64) as u64;
                assert!(drawn < n, "the high half of a product with n is below n");
                return drawn as usize;
            }
        }
    }
}

impl Choices for Seeded {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        if !label.starts_with(PLAN) && !self.next_u64().is_multiple_of(self.calm) {
            return 0;
        }
        self.below(n)
    }
}
