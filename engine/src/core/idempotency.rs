//! Stable keys for a task's outside effects.

use sha2::{Digest, Sha256};

use crate::core::claim::Nonce;

/// The domain of the hash. A change of the hashed data changes it.
const DOMAIN: &[u8] = b"crashpoint idempotency key v1";

/// Every effect has a key, and a formatter for each byte of it was a tenth of a simulation.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The forward action of a task, or its compensation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The forward action.
    Do,
    /// The compensation.
    Undo,
}

/// The key of an action of a visit: 64 hexadecimal digits. It is the same in every life, and no other
/// action has it.
///
/// Hashed are the workflow id, the run id (so that a restarted id has new keys), the visit (the
/// sequence of the row that entered it), the task, the branch (none yet), the number of cursors
/// that the visit has, and the direction.
pub fn idempotency_key(
    workflow_id: &str,
    run_id: Nonce,
    visit: u64,
    task: &str,
    cursors: u64,
    direction: Direction,
) -> String {
    let mut hasher = Sha256::new();
    let branch: &[u8] = b"";
    for field in [
        DOMAIN,
        workflow_id.as_bytes(),
        &run_id.0,
        task.as_bytes(),
        branch,
    ] {
        hasher.update((field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.update(visit.to_le_bytes());
    hasher.update(cursors.to_le_bytes());
    hasher.update([direction as u8]);
    let digest: [u8; 32] = hasher.finalize().into();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let hex = digits.map(|digit| char::from(HEX[usize::from(digit)]));
    let key: String = hex.collect();
    debug_assert_eq!(key.len(), 2 * digest.len(), "a byte is two digits");
    key
}
