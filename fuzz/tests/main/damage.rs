//! Damages an input from a seed, in place of libFuzzer.

/// The input with a few bytes inserted, removed, cut off or changed.
pub(crate) fn damaged(input: &[u8], draw: &mut SplitMix) -> Vec<u8> {
    let mut input = input.to_vec();
    for _ in 0..=draw.below(4) {
        let index = draw.below(input.len() + 1);
        match draw.below(4) {
            0 => input.insert(index, draw.byte()),
            1 => input.truncate(index.max(1)),
            2 if index < input.len() => drop(input.remove(index)),
            _ if index < input.len() => input[index] ^= 1 << draw.below(8),
            _ => {}
        }
    }
    input
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}
