//! The engine on the store: what it does with one, and what it has to find there.
//!
//! The other laws ask for each clause of the contract; these run real workflows, so that what no
//! clause was written for shows as well.

mod cleared;
mod crashed;
mod kinds;
mod owned;
mod saga;

pub(crate) use cleared::eng_03_a_cleared_run_leaves_nothing_behind;
pub(crate) use crashed::eng_01_a_workflow_survives_a_crash_at_every_operation;
pub(crate) use kinds::eng_04_every_kind_of_the_engine_comes_back;
pub(crate) use owned::eng_02_a_run_has_one_owner;

use crashpoint::{Error, Outcome};

use crate::case::Session;
use crate::case::halting::{Halting, Point};
use crate::finding::expect::{Checked, Failure, broken};
use crate::laws::eng::saga::{Ending, Order, Saga, ended, engine};

/// Endings that a resume tells without a change of the log.
const TERMINAL: [Ending; 2] = [Ending::Done, Ending::RolledBack];

/// Runs to `ending` without a crash; how many operations of the store that takes.
async fn uninterrupted(store: &Session, ending: Ending) -> Result<u64, Failure> {
    let saga = Saga::new(format!("without a crash: {ending:?}"), ending);
    let halting = Halting::new(store, None);
    let got = saga.run(&engine(halting.clone())).await;
    ending.check(&got, "a run without a crash")?;
    saga.ledger.check(ending, 0, "a run without a crash")?;
    ends_the_same_again(store, &saga, "a run without a crash").await?;
    Ok(halting.operations())
}

/// Fails unless a resume tells the ending again, and leaves log and world alone.
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

/// A life that ended before the instant at which it was to stop.
fn not_reached(point: Point, got: &Result<Outcome<Order>, Error>) -> Failure {
    let got = ended(got);
    broken(format!(
        "a life that was to stop {point}: expected it to get there, got {got}"
    ))
}
