//! Faults that only the engine's own rows meet.

use crashpoint::{CheckpointRow, Error, RowKind, ScopeId};

use super::{Fault, Runs, Shelf};

/// A unique index lets a run have one claim.
#[derive(Default)]
pub(crate) struct OneClaim;

impl Fault for OneClaim {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let claims = |row: &CheckpointRow| row.kind == RowKind::Claim;
        if claims(&row) && runs.load(id).iter().any(claims) {
            return Err(Error::conflict(id, row.sequence));
        }
        runs.append(id, row)
    }
}

/// A claim counts as a lease: the last claim wins.
#[derive(Default)]
pub(crate) struct ClaimsOverwrite;

impl Fault for ClaimsOverwrite {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if row.kind == RowKind::Claim {
            runs.put(id, row);
            return Ok(());
        }
        runs.append(id, row)
    }
}

/// The ending of a run is kept after a clear.
#[derive(Default)]
pub(crate) struct KeepsEndings;

impl Fault for KeepsEndings {
    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        if let Some(run) = runs.0.get_mut(id) {
            run.rows.retain(|_, row| row.kind == RowKind::RolledBack);
        }
        Ok(())
    }
}

/// Claims an exclusive scope, and returns none.
#[derive(Default)]
pub(crate) struct NoScope;

impl Fault for NoScope {
    fn scope(_shelf: &Shelf) -> Option<ScopeId> {
        None
    }
}

/// A new scope for each call.
#[derive(Default)]
pub(crate) struct ScopeEachTime;

impl Fault for ScopeEachTime {
    fn scope(_shelf: &Shelf) -> Option<ScopeId> {
        Some(ScopeId::new())
    }
}

/// The mapping of kinds ends in a wildcard.
#[derive(Default)]
pub(crate) struct WildcardKinds;

impl Fault for WildcardKinds {
    fn kept(mut row: CheckpointRow) -> CheckpointRow {
        if row.kind.code() > RowKind::StepCursor.code() {
            row.kind = RowKind::StateEntry;
        }
        row
    }

    fn clear_if(&self, runs: &mut Runs, id: &str, first: &CheckpointRow) -> Result<bool, Error> {
        Ok(runs.clear_if_begun_with(id, first))
    }

    fn scope(_shelf: &Shelf) -> Option<ScopeId> {
        None
    }
}
