//! The checks of a simulated run: one file for each promise.
//!
//! An oracle reads the history of a whole simulation, never the engine. It shares only the row
//! codec and the transition function with the engine, and other oracles check these.
//!
//! | oracle | promise |
//! |---|---|
//! | `fold-equality` | the live state equals the state that the log rebuilds to |
//! | `prefixes-resume` | every prefix of a log can be resumed |
//! | `no-panics` | nothing panics unless the schedule says so |
//! | `no-hangs` | every life ends by itself |
//! | `no-state-skipped` | a state is left only after its task has run |
//! | `visits-rerun` | a visit runs again only after a crash or takeover, never once its exit is durable |
//! | `edges` | consecutive entries are edges of the graph |
//! | `log-is-dense` | rows are dense from 0, and a row never changes |
//! | `one-writer` | a life that was taken over writes nothing and begins at most one more action |
//! | `storage-faults-stay-out` | a store fault starts no rollback |
//! | `terminal-absorbs` | an ended run gives the same answer for ever, and nothing is written to it |
//! | `refusals-do-nothing` | a log that is corrupt or does not match is left alone |
//! | `releases-carry-logs` | each release carries the logs of the other, except where the upgrade permits a refusal |
//! | `liveness` | the run ends once nothing fails |
//! | `ends-in-time` | after the last fault the run ends within the lives and the time that the test allows |
//! | `all-or-nothing` | a done run has every effect, a rolled back run none, a stuck run those that it reports |
//! | `direction` | no forward action begins after the start of a rollback |
//! | `undo-order` | undos run in reverse order, each after the previous is settled |
//! | `undo-once` | a recorded undo never runs again |
//! | `coverage` | a rollback undoes exactly what was done, and an open visit as in doubt |
//! | `undo-bytes` | an undo receives the durable output of its own visit |
//! | `cursor` | a step receives the last durable cursor of its own visit |
//! | `step-order` | steps leave no gap, and each begins only after the previous is durable |
//! | `outcome-is-durable` | an outcome is returned only after its row is durable |
//! | `pinned-row` | a sent row is never replaced by another |
//! | `keys` | an idempotency key is the same for the same action, and for no other |
//! | `keyless-once` | a service that keeps no keys performs a request of an action once |
//! | `no-false-fence` | a life is fenced only by another life |
//! | `cancellation` | a cancelled life begins nothing but undos |
//! | `routers-do-nothing` | a router has no effect |
//! | `timers-keep-their-deadline` | a timer ends at the deadline in its row, in every life |
//! | `polls-go-on` | a poll keeps its deadline and its recorded rounds in every life |
//! | `store-keeps-rows` | a store shows every durable row and no other, whatever crashes |
//! | `values-read-back` | every input, output and cursor reads back from its JSON |
//! | `stuck-has-a-cause` | a run gets stuck only if an undo was made to fail |
//! | `crashes-keep-the-ending` | a run that crashes is done or rolled back as it would be without the crash |
//! | `calm-is-done` | a run in which nothing goes wrong is done |
//! | `invariants` | the invariants of the test hold, at every instant or when the run has ended |

mod all_or_nothing;
mod calm_is_done;
mod cancellation;
mod case;
mod coverage;
mod crashes_keep_the_ending;
mod cursor;
mod direction;
mod edges;
mod ends_in_time;
mod fold_equality;
mod invariants;
mod keyless_once;
mod keys;
mod liveness;
mod log;
mod log_is_dense;
mod no_false_fence;
mod no_hangs;
mod no_panics;
mod no_state_skipped;
mod one_writer;
mod outcome_is_durable;
mod pinned_row;
mod polls_go_on;
mod prefixes_resume;
mod refusals_do_nothing;
mod releases_carry_logs;
mod routers_do_nothing;
mod step_order;
mod storage_faults_stay_out;
mod store_keeps_rows;
mod stuck_has_a_cause;
mod terminal_absorbs;
mod timers_keep_their_deadline;
mod undo_bytes;
mod undo_once;
mod undo_order;
mod values_read_back;
mod visits_rerun;

use crate::history::LifeEnd;
use crate::sim::{Run, Workload, run_id};

pub use case::Case;
pub use log::{Log, Owed, Stored, VisitRecord};

/// A promise, and its check.
#[derive(Debug, Clone, Copy)]
pub struct Oracle {
    /// Its name in reports.
    pub name: &'static str,
    /// The promise, in one line.
    pub promise: &'static str,
    /// The kind of the promise.
    pub kind: Kind,
    /// What the author of a workflow changes if it is broken; `None` if no workflow can break it.
    advice: Option<&'static str>,
    check: fn(&Case<'_>) -> Result<(), String>,
}

impl Oracle {
    /// Whether a workflow can break the promise, so that its author can mend it.
    pub(crate) fn is_for_authors(&self) -> bool {
        self.advice.is_some()
    }

    /// What to change if the promise is broken.
    pub fn advice(&self) -> &'static str {
        self.advice.unwrap_or(
            "no workflow can break this promise. A store of your own can: certify it by crashpoint-conformance. \
             Over another store it is a mistake of the engine or of the simulator, so please report it",
        )
    }
}

/// The kind of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something bad never happens.
    Safety,
    /// Something good eventually happens.
    Liveness,
}

/// The name of the oracle for the subject's own invariants.
pub const INVARIANTS: &str = invariants::ORACLE.name;

/// The oracle with this name.
pub fn named(name: &str) -> Option<&'static Oracle> {
    ORACLES.iter().find(|oracle| oracle.name == name)
}

/// Every oracle.
pub const ORACLES: &[Oracle] = &[
    fold_equality::ORACLE,
    prefixes_resume::ORACLE,
    no_panics::ORACLE,
    no_hangs::ORACLE,
    no_state_skipped::ORACLE,
    visits_rerun::ORACLE,
    edges::ORACLE,
    log_is_dense::ORACLE,
    one_writer::ORACLE,
    storage_faults_stay_out::ORACLE,
    terminal_absorbs::ORACLE,
    refusals_do_nothing::ORACLE,
    releases_carry_logs::ORACLE,
    liveness::ORACLE,
    ends_in_time::ORACLE,
    all_or_nothing::ORACLE,
    direction::ORACLE,
    undo_order::ORACLE,
    undo_once::ORACLE,
    coverage::ORACLE,
    undo_bytes::ORACLE,
    cursor::ORACLE,
    step_order::ORACLE,
    outcome_is_durable::ORACLE,
    pinned_row::ORACLE,
    keys::ORACLE,
    keyless_once::ORACLE,
    no_false_fence::ORACLE,
    cancellation::ORACLE,
    routers_do_nothing::ORACLE,
    timers_keep_their_deadline::ORACLE,
    polls_go_on::ORACLE,
    store_keeps_rows::ORACLE,
    values_read_back::ORACLE,
    stuck_has_a_cause::ORACLE,
    crashes_keep_the_ending::ORACLE,
    calm_is_done::ORACLE,
    invariants::ORACLE,
];

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The oracle.
    pub oracle: &'static str,
    /// How the promise is broken.
    pub message: String,
}

/// Checks a simulation of `workload` with every oracle.
///
/// If the store lost a row of the log, which no store may, only the oracle for that is used. If a
/// life was stopped, only the oracle that reports it is used.
///
/// If the simulation has several runs, each run is judged as if it had been alone, and its message begins with
/// its id. The world and the time belong to all of them.
pub fn judge(workload: &Workload, run: &Run) -> Vec<Verdict> {
    let whole = Case::new(workload, run);
    let only = if whole.history().is_endless() {
        Some(no_hangs::ORACLE.name)
    } else {
        whole
            .lost_a_row()
            .then_some(refusals_do_nothing::ORACLE.name)
    };
    let asked = ORACLES
        .iter()
        .filter(|oracle| only.is_none_or(|only| oracle.name == only));
    if !run.is_of_several() {
        let verdicts = asked.filter_map(|it| it.verdict(&whole));
        return with_the_store_first(workload, verdicts.collect());
    }
    let (of_all, of_each): (Vec<&Oracle>, Vec<&Oracle>) =
        asked.partition(|oracle| OF_ALL_RUNS.contains(&oracle.name));
    let mut verdicts: Vec<Verdict> = of_all.iter().filter_map(|it| it.verdict(&whole)).collect();
    for (index, definition) in workload.definitions().enumerate() {
        let others_done = run.outcomes().enumerate().filter(|(other, (_, outcome))| {
            *other != index && matches!(outcome, Some(LifeEnd::Done(_)))
        });
        let by_others = others_done.count() > 0 || run.history.faults().next().is_some();
        let own = run.of_run(index);
        let case = Case::of_several(workload, &own, definition, by_others);
        let broken = of_each.iter().filter_map(|it| it.verdict(&case));
        verdicts.extend(broken.map(|verdict| verdict.of_run(index)));
    }
    with_the_store_first(workload, verdicts)
}

/// The verdict about a user's own store first: a store that breaks its contract breaks other promises by it.
fn with_the_store_first(workload: &Workload, mut verdicts: Vec<Verdict>) -> Vec<Verdict> {
    if workload.own_store.is_some() {
        verdicts.sort_by_key(|verdict| verdict.oracle != store_keeps_rows::ORACLE.name);
    }
    verdicts
}

/// The oracles of what belongs to all runs of a simulation.
const OF_ALL_RUNS: [&str; 2] = [INVARIANTS, ends_in_time::ORACLE.name];

impl Oracle {
    /// How the promise is broken, if it is.
    fn verdict(&self, case: &Case<'_>) -> Option<Verdict> {
        let message = (self.check)(case).err()?;
        let oracle = self.name;
        Some(Verdict { oracle, message })
    }
}

impl Verdict {
    /// The verdict about one of several runs.
    fn of_run(mut self, run: usize) -> Self {
        self.message = format!("{}: {}", run_id(run), self.message);
        self
    }
}
