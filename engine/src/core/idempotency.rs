//! Stable keys for a task's outside effects.

use sha2::{Digest, Sha256};

use crate::core::claim::Nonce;

/// The domain of the hash. A change of the hashed data changes it.
const DOMAIN: &[u8] = b"crashpoint idempotency key v1";

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
/// It is hashed in one call and formatted in two: in an unoptimized build a call for each field and
/// each digit was a tenth of a simulation.
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
    let mut hashed = Vec::new();
    let branch: &[u8] = b"";
    for field in [
        DOMAIN,
        workflow_id.as_bytes(),
        &run_id.0,
        task.as_bytes(),
        branch,
    ] {
        hashed.extend_from_slice(&(field.len() as u64).to_le_bytes());
        hashed.extend_from_slice(field);
    }
    hashed.extend_from_slice(&visit.to_le_bytes());
    hashed.extend_from_slice(&cursors.to_le_bytes());
    hashed.push(direction as u8);
    let digest: [u8; 32] = Sha256::digest(hashed).into();
    let (halves, _) = digest.as_chunks::<16>();
    let halves = halves.iter().map(|half| u128::from_be_bytes(*half));
    let key: String = halves.map(|half| format!("{half:032x}")).collect();
    debug_assert_eq!(key.len(), 2 * digest.len(), "a byte is two digits");
    key
}
