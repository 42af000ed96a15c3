//! Worlds that can be compared and copied by themselves.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Mutex, PoisonError, RwLock};

/// A world of a test that says whether it is equal to another and copies itself, for
/// [`CrashTest::merges_worlds`](crate::CrashTest::merges_worlds).
///
/// A lock around a value that is `Clone` and `Hash` is one. The standard types that share changeable state
/// (`Arc` around a lock, atomics, cells) have no `Hash`, so the copy of such a value shares nothing with the
/// original. A type of your own must keep to the same: [`copy`](Self::copy) shares nothing that changes,
/// and [`fingerprint`](Self::fingerprint) has every part that makes a difference.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use crashpoint_simulator::Mergeable;
///
/// let bank = Mutex::new(BTreeMap::from([("ada", 20)]));
/// let copy = bank.copy();
/// assert_eq!(copy.fingerprint(), bank.fingerprint());
/// copy.lock().unwrap().insert("bob", 10);
/// assert_ne!(copy.fingerprint(), bank.fingerprint());
/// ```
pub trait Mergeable: Send + Sync + 'static {
    /// A hash of the world. Worlds with equal fingerprints must behave the same from then on.
    fn fingerprint(&self) -> u64;

    /// A deep copy.
    fn copy(&self) -> Self;
}

impl<T: Clone + Hash + Send + 'static> Mergeable for Mutex<T> {
    fn fingerprint(&self) -> u64 {
        hashed(&*self.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn copy(&self) -> Self {
        let world = self.lock().unwrap_or_else(PoisonError::into_inner);
        Self::new(world.clone())
    }
}

impl<T: Clone + Hash + Send + Sync + 'static> Mergeable for RwLock<T> {
    fn fingerprint(&self) -> u64 {
        hashed(&*self.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn copy(&self) -> Self {
        let world = self.read().unwrap_or_else(PoisonError::into_inner);
        Self::new(world.clone())
    }
}

fn hashed(world: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}
