//! A life acts on a run only after its claim is durable, and appends nothing after the claim of a later
//! life. So of two retries of a stuck run, one owns it.

use crashpoint::RowKind;

use crate::operations::history::What;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "one-retry",
    promise: "a run that two callers resume or retry has one owner at a time",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let entries = case.entries();
    for (place, entry) in entries.iter().enumerate() {
        let (id, acts) = match &entry.what {
            What::Landed { row, .. } if row.kind == RowKind::Claim => continue,
            What::Landed { id, .. } => (id, false),
            What::Effect { id, .. } => (id, true),
            _ => continue,
        };
        let claims = entries[..place].iter().filter(|claim| {
            matches!(&claim.what, What::Landed { id: of, row } if of == id && row.kind == RowKind::Claim)
        });
        let claims: Vec<u8> = claims.map(|claim| claim.caller).collect();
        if acts && !claims.contains(&entry.caller) {
            return Err(format!("{entry}, and has not claimed it"));
        }
        if !acts && claims.last() != Some(&entry.caller) {
            return Err(format!("{entry}, after the claim of another life"));
        }
    }
    Ok(())
}
