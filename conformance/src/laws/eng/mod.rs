//! The engine on the store.
//!
//! The other laws check the contract clause by clause. These run real workflows, which shows faults for
//! which nobody wrote a clause.

mod cleared;
mod crashed;
mod kinds;
mod owned;
mod saga;
mod scope;

pub(crate) use cleared::eng_03_a_cleared_run_leaves_nothing_behind;
pub(crate) use crashed::eng_01_a_workflow_survives_a_crash_at_every_operation;
pub(crate) use kinds::eng_04_every_kind_of_the_engine_comes_back;
pub(crate) use owned::eng_02_a_run_has_one_owner;
pub(crate) use scope::{
    eng_05_a_scope_is_claimed_with_what_it_needs, eng_06_a_scope_keeps_other_processes_out,
};

use crashpoint::{Error, Outcome};

use crate::case::Session;
use crate::case::halting::{Halting, Point};
use crate::finding::expect::{Checked, Failure, broken};
use crate::laws::eng::saga::{Ending, Order, Saga, ended, engine};

/// Endings that a resume reports without changing the log.
const TERMINAL: [Ending; 2] = [Ending::Done, Ending::RolledBack];

/// Runs to `ending` without a crash. Returns the number of store operations.
async fn uninterrupted(store: &Session, ending: Ending) -> Result<u64, Failure> {
    let saga = Saga::new(format!("without a crash: {ending:?}"), ending);
    let halting = Halting::new(store, None);
    let got = saga.run(&engine(halting.clone())).await;
    ending.check(&got, "a run without a crash")?;
    saga.ledger.check(ending, 0, "a run without a crash")?;
    ends_the_same_again(store, &saga, "a run without a crash").await?;
    Ok(halting.operations())
}

/// Fails unless a resume reports the same ending, and changes neither log nor ledger.
async fn ends_the_same_again(store: &Session, saga: &Saga, when: &str) -> Checked {
    let (log, effects) = (store.load(&saga.id).await?, saga.ledger.len());
    let got = saga.resume(&engine(Halting::new(store, None))).await;
    let again = format!("{when}, resumed once more");
    saga.ending.check(&got, &again)?;
    store.holds(&saga.id, &log, &again).await?;
    let more = saga.ledger.after(effects);
    if more.is_empty() {
        return Ok(());
    }
    Err(broken(format!(
        "{again}: expected no effect of a run that has ended, got {more:?}"
    )))
}

/// A life ended before the point at which it should stop.
fn not_reached(point: Point, got: &Result<Outcome<Order>, Error>) -> Failure {
    let got = ended(got);
    broken(format!(
        "a life that should stop {point}: expected it to get there, got {got}"
    ))
}
