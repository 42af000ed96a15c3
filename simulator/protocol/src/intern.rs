//! Values by number: what makes a state of the exploration a handful of integers.
//!
//! Two values have the same number exactly if they are equal; the hash only finds the place to look.
//! So nothing here can merge two states by a collision. The hash is fixed (no seed), so numbers are
//! the same in every process.

use std::hash::{Hash, Hasher};

/// The number of places of a fresh table, a power of two.
const PLACES_MIN: usize = 64;

/// A place of a table: a number with the hash of its value, so that a search rarely looks at a
/// value that is not the one, and growing looks at none.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u32,
    hash: u32,
}

impl Place {
    const VACANT: Self = Self {
        number: u32::MAX,
        hash: 0,
    };

    fn is_vacant(self) -> bool {
        self.number == Self::VACANT.number
    }
}

/// Numbers values in the order in which they come.
#[derive(Debug)]
pub(super) struct Interner<T> {
    values: Vec<T>,
    places: Vec<Place>,
}

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn new() -> Self {
        Self {
            values: Vec::new(),
            places: vec![Place::VACANT; PLACES_MIN],
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

    /// The number of `value`, if it has one.
    pub(super) fn find(&self, value: &T) -> Option<u32> {
        let place = self.places[self.place_of(value, hash(value))];
        (!place.is_vacant()).then_some(place.number)
    }

    /// The number of `value`, and whether it is new.
    pub(super) fn intern(&mut self, value: T) -> (u32, bool) {
        let hash = hash(&value);
        let place = self.place_of(&value, hash);
        let known = self.places[place];
        if !known.is_vacant() {
            return (known.number, false);
        }
        let number = u32::try_from(self.values.len()).expect("under 2^32 values");
        assert!(number != Place::VACANT.number, "under 2^32 - 1 values");
        self.values.push(value);
        self.places[place] = Place { number, hash };
        // At most five of eight places are taken: searches stay short.
        if self.values.len() * 8 > self.places.len() * 5 {
            self.grow();
        }
        (number, true)
    }

    /// Where `value` stands, or the empty place where it would.
    fn place_of(&self, value: &T, hash: u32) -> usize {
        let mask = self.places.len() - 1;
        let mut index = hash as usize & mask;
        loop {
            let place = self.places[index];
            let is_it = || place.hash == hash && self.values[place.number as usize] == *value;
            if place.is_vacant() || is_it() {
                return index;
            }
            index = (index + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let mask = self.places.len() * 2 - 1;
        let mut places = vec![Place::VACANT; mask + 1];
        for &place in self.places.iter().filter(|place| !place.is_vacant()) {
            let mut index = place.hash as usize & mask;
            while !places[index].is_vacant() {
                index = (index + 1) & mask;
            }
            places[index] = place;
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
        let number = self.keys.find(key)?;
        Some(self.values[number as usize])
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

#[expect(
    clippy::cast_possible_truncation,
    reason = "a hash is cut to its low half"
)]
fn hash<T: Hash>(value: &T) -> u32 {
    let mut mix = Mix(0);
    value.hash(&mut mix);
    mix.finish() as u32
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
