//! An exclusive scope: who declares one claims it, and has its place to itself.

use crate::case::Case;
use crate::child::{Role, Running, SHOWN, Started};
use crate::contract::capability::Claim;
use crate::finding::expect::{Checked, broken, rows};
use crate::runtime::{Workers, start};

pub(crate) async fn eng_05_a_scope_is_claimed_with_what_it_needs(case: &Case) -> Checked {
    let store = case.open().await?;
    let claims = |claim| case.subject.claims.contains(&claim);
    if store.store().exclusive_scope().is_none() {
        return Ok(());
    }
    for claim in [Claim::ExclusiveScope, Claim::Settled] {
        if !claims(claim) {
            return Err(broken(format!(
                "`exclusive_scope` of the store: expected None from a store that does not claim `{}`, got \
                 Some",
                claim.word()
            )));
        }
    }
    Ok(())
}

pub(crate) fn eng_06_a_scope_keeps_other_processes_out(case: &Case) -> Checked {
    let runtime = start(Workers::Pool(2))?;
    let store = runtime.block_on(async {
        let store = case.open().await?;
        store.append_all(SHOWN, &rows(0..5)).await?;
        Ok(store)
    })?;
    let seen = match Running::try_start(case, Role::Loads, case.place())? {
        Started::Ready(child) => child.rows_seen()?.unwrap_or(0),
        Started::Refused(_) => 0,
    };
    drop(store);
    case.close_inside(runtime.handle());
    if seen == 0 {
        return Ok(());
    }
    Err(broken(format!(
        "another process that opens the place of a store with an exclusive scope: expected its opening or \
         its loads to be refused, got {seen} rows of run \"{SHOWN}\""
    )))
}
