//! Values by number: what makes a state of the exploration a handful of integers.
//!
//! Two values have the same number exactly if they are equal; the hash only finds the place to look.
//! So nothing here can merge two states by a collision. The hash is fixed (no seed), so numbers are
//! the same in every process.

use std::hash::{Hash, Hasher};

/// An empty place of a table.
const VACANT: u32 = u32::MAX;

/// The number of places of a fresh table, a power of two.
const PLACES_MIN: usize = 64;

/// Numbers values in the order in which they come.
#[derive(Debug)]
pub(super) struct Interner<T> {
    values: Vec<T>,
    places: Vec<u32>,
}

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn new() -> Self {
        Self {
            values: Vec::new(),
            places: vec![VACANT; PLACES_MIN],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// # Panics
    ///
    /// Where `number` was not given out by this interner.
    pub(super) fn get(&self, number: u32) -> &T {
        &self.values[number as usize]
    }

    /// The number of `value`, and whether it is new.
    pub(super) fn intern(&mut self, value: T) -> (u32, bool) {
        let place = self.place_of(&value);
        match self.places[place] {
            VACANT => {
                let number = u32::try_from(self.values.len()).expect("under 2^32 values");
                self.values.push(value);
                self.places[place] = number;
                if self.values.len() * 8 > self.places.len() * 5 {
                    self.grow();
                }
                (number, true)
            }
            number => (number, false),
        }
    }

    /// Where `value` stands, or the empty place where it would.
    fn place_of(&self, value: &T) -> usize {
        let mask = self.places.len() - 1;
        let mut place = hash(value) & mask;
        loop {
            match self.places[place] {
                VACANT => return place,
                number if self.values[number as usize] == *value => return place,
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let mask = self.places.len() * 2 - 1;
        let mut places = vec![VACANT; mask + 1];
        for (number, value) in self.values.iter().enumerate() {
            let mut place = hash(value) & mask;
            while places[place] != VACANT {
                place = (place + 1) & mask;
            }
            places[place] = u32::try_from(number).expect("under 2^32 values");
        }
        self.places = places;
    }
}

/// A map on top of the same table, for memories of pure functions.
#[derive(Debug)]
pub(super) struct Memory<K, V> {
    keys: Interner<K>,
    values: Vec<V>,
}

impl<K: Hash + Eq, V: Copy> Memory<K, V> {
    pub(super) fn new() -> Self {
        Self {
            keys: Interner::new(),
            values: Vec::new(),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let number = self.keys.places[self.keys.place_of(key)];
        (number != VACANT).then(|| self.values[number as usize])
    }

    /// # Panics
    ///
    /// Where `key` is known already.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let (_, new) = self.keys.intern(key);
        assert!(new, "a memory is written once");
        self.values.push(value);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a hash is cut to a place")]
fn hash<T: Hash>(value: &T) -> usize {
    let mut mix = Mix(0);
    value.hash(&mut mix);
    mix.finish() as usize
}

/// A multiply-and-rotate hash without a seed. Its quality bears on the speed alone.
struct Mix(u64);

impl Mix {
    /// The golden ratio of 2^64, as in Fibonacci hashing.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(Self::FACTOR);
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(Self::FACTOR);
        mixed ^ (mixed >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.add(u64::from(value));
    }

    fn write_u16(&mut self, value: u16) {
        self.add(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.add(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.add(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.add(value as u64);
    }
}
