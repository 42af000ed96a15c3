//! Values by number, so that a state of the exploration is a handful of integers.
//!
//! Two values have the same number exactly if they are equal, so no collision of hashes can merge
//! two states. The hash has no seed, so numbers are the same in every process.

use std::hash::Hash;

use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;

/// Numbers values in the order of their arrival.
#[derive(Debug)]
pub(super) struct Interner<T>(IndexSet<T, FxBuildHasher>);

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn new() -> Self {
        Self(IndexSet::default())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// # Panics
    ///
    /// If this interner did not assign `number`.
    pub(super) fn get(&self, number: u32) -> &T {
        &self.0[number as usize]
    }

    /// The number of `value`, and whether it is new.
    pub(super) fn intern(&mut self, value: T) -> (u32, bool) {
        let (number, new) = self.0.insert_full(value);
        let number = u32::try_from(number).expect("a scope has under 2^32 values");
        (number, new)
    }
}

/// The results of a pure function, each computed once.
#[derive(Debug)]
pub(super) struct Memory<K, V>(IndexMap<K, V, FxBuildHasher>);

impl<K: Hash + Eq, V: Copy> Memory<K, V> {
    pub(super) fn new() -> Self {
        Self(IndexMap::default())
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.0.get(key).copied()
    }

    /// # Panics
    ///
    /// If `key` has a result already.
    pub(super) fn insert(&mut self, key: K, value: V) {
        let known = self.0.insert(key, value);
        assert!(known.is_none(), "a memory is written once");
    }
}
