//! One simulation: two or three drawn operations, and the recovery of what they leave.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};

use crashpoint::ScopeId;

use crate::choices::{Choices, Tape};
use crate::executor::{message_of, quietly};
use crate::history::Recorder;
use crate::operations::broken::{self, Broken};
use crate::operations::history::{History, What};
use crate::operations::logs::{file, logs};
use crate::operations::machine::{Machine, Syncs};
use crate::operations::operation::{OPERATIONS, Operation};
use crate::operations::state::{DRAWN, Placement, RECOVERY, State};
use crate::operations::storage::Storage;
use crate::operations::store::{Caller, Store};
use crate::sim::Settings;

/// The most polls of a simulation. The longest has about a thousand.
const POLLS_MAX: u32 = 20_000;

/// A simulation that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// The operations of the callers 1, 2 and so on. The first begins; each other begins at an instant
    /// of another, or after it.
    pub operations: Vec<Operation>,
    /// Where they ran.
    pub placement: Placement,
    /// The events.
    pub history: History,
    /// The choices.
    pub tape: Tape,
    pub(crate) recorder: Recorder,
    /// Claims older than this may be purged.
    pub(super) cutoff_unix_ms: u64,
}

/// Simulates what `choices` draw within the budget of the settings, over their store. It has crashes,
/// faults of the store, and switches between the operations, of which the first begins the second
/// operation. Over the embedded store it has power losses and failed syncs as well, and one process at a
/// time. With `broken`, an operation of the engine breaks its promise.
///
/// # Panics
///
/// Never: an operation that panics is an event.
pub fn simulate(
    settings: &Settings,
    choices: Arc<Mutex<dyn Choices>>,
    broken: Option<Broken>,
) -> Simulation {
    let (storage, more_processes) = match settings.store.disk() {
        None => (Storage::memory(logs()), Placement::Apart),
        Some(lie) => (
            Storage::Embedded(Machine::new(lie, file(), logs())),
            Placement::InTurn,
        ),
    };
    let state = Arc::new(State::new(storage, settings.budget, choices));
    let count = 2 + state.draw("plan/third", 2);
    // Each with the same label: the shrinker can take any of them away.
    let drawn = (0..count).map(|_| state.draw("plan/operation", OPERATIONS.len()));
    let operations: Vec<Operation> = drawn.map(|index| OPERATIONS[index]).collect();
    let placement = match state.draw("plan/processes", 2) {
        0 => Placement::OneProcess,
        _ => more_processes,
    };
    let cutoff_unix_ms = state.cutoff_unix_ms();
    state.place(placement);
    let numbered = DRAWN.zip(operations.iter().copied());
    if placement == Placement::InTurn {
        for drawn in numbered {
            run_together(&state, placement, vec![drawn], broken);
        }
    } else {
        run_together(&state, placement, numbered.collect(), broken);
    }
    state.heal();
    let recovery = vec![(RECOVERY, Operation::Recover)];
    run_together(&state, Placement::OneProcess, recovery, broken);
    if let Some(machine) = state.storage.machine() {
        machine.shut_down();
    }
    let mut changing = state.changing();
    let history = std::mem::take(&mut changing.history);
    let tape = std::mem::take(&mut changing.tape);
    let recorder = std::mem::take(&mut changing.recorder);
    Simulation {
        operations,
        placement,
        history,
        tape,
        recorder,
        cutoff_unix_ms,
    }
}

/// Runs operations beside each other until each has answered or died. An embedded store is opened
/// before.
fn run_together(
    state: &Arc<State>,
    placement: Placement,
    operations: Vec<(u8, Operation)>,
    broken: Option<Broken>,
) {
    let callers: Vec<u8> = operations.iter().map(|(number, _)| *number).collect();
    let first = callers[0];
    state.begin(callers);
    if let Some(machine) = state.storage.machine() {
        let syncs = Arc::downgrade(state) as Weak<dyn Syncs>;
        let events = machine.open(first, state.runtime(first), syncs);
        state.changing().history.0.extend(events);
    }
    let shared = ScopeId::new();
    for (number, operation) in operations {
        let scope = match placement {
            Placement::OneProcess | Placement::InTurn => shared.clone(),
            Placement::Apart => ScopeId::new(),
        };
        spawn(state, number, operation, scope, broken);
    }
    drive(state);
}

fn spawn(
    state: &Arc<State>,
    number: u8,
    operation: Operation,
    scope: ScopeId,
    broken: Option<Broken>,
) {
    let words = smol_str::format_smolstr!("{operation}");
    state.changing().words.insert(number, words);
    let caller = Caller::new(state, number);
    let store = Store::new(caller.clone(), scope);
    let state_of_task = Arc::clone(state);
    let task = async move {
        let state = state_of_task;
        state.record(number, What::Began(operation));
        let answer = broken::perform(operation, store, broken).await;
        state.record(number, What::Answered(answer));
        if state.storage.machine().is_some() && state.changing().active == [number] {
            caller.ends().await;
        }
        state.is_over(number);
    };
    state.executor.spawn(u32::from(number), Box::pin(task));
}

/// Polls until every operation has answered or died.
fn drive(state: &State) {
    for _ in 0..POLLS_MAX {
        let ready = state.executor.ready();
        let current = state.changing().current;
        let of_current = |task: &u64| state.executor.process_of(*task) == Some(u32::from(current));
        let task = ready.iter().copied().find(of_current);
        let Some(task) = task.or_else(|| ready.first().copied()) else {
            if state.executor.has_tasks() && state.executor.advance() {
                continue;
            }
            break;
        };
        let process = state.executor.process_of(task).expect("it is ready");
        let number = u8::try_from(process).expect("it is the number of a caller");
        state.changing().current = number;
        let poll = || catch_unwind(AssertUnwindSafe(|| state.executor.poll(task)));
        if let Err(panic) = quietly(poll) {
            state.record(number, What::Panicked(message_of(&*panic)));
            state.is_over(number);
            state.executor.kill(process);
        }
    }
    let hung = std::mem::take(&mut state.changing().active);
    for number in hung {
        state.record(number, What::Hung);
        state.executor.kill(u32::from(number));
    }
}
