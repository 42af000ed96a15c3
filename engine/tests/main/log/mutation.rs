//! Logs that were tampered with: what is rebuilt is a state or a typed error, never a panic.
//!
//! A log that is still legal after a change is no failure: without its tail it is what a crash
//! leaves, and a user's blob has no checksum of ours. What must hold is that a refusal has a name
//! and that nothing behind the fold, the check against a definition included, trips over it.

use std::collections::BTreeMap;

use crashpoint::protocol::{Command, Life, LifeOptions, Machine as _, Opening, Reply};
use crashpoint::{
    AppendRetry, CheckpointRow, CompensatableTask, Ctx, Event, IllegalEvent, LogFault, Nonce,
    Phase, Retention, RowKind, RunState, State, StepOutcome, SteppedTask, TaskError, Workflow,
    rebuild,
};
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::{
    claim_record, compensated, compensation_failed, completed, entered, first_claim, polled,
    produced, rollback_started, routed, rows, stepped, timer_started,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Trip {
    #[state(rename = "book")]
    Book,
    #[state(rename = "walk")]
    Walk,
    #[state(rename = "shipped")]
    Home,
}

struct Book;

impl CompensatableTask<Trip> for Book {
    type Output = u64;

    async fn run(&self, _ctx: Ctx) -> Result<(Trip, u64), TaskError> {
        Ok((Trip::Walk, 7))
    }

    async fn compensate(&self, _ctx: Ctx, _: u64) -> Result<(), TaskError> {
        Ok(())
    }
}

struct Walk;

impl SteppedTask<Trip> for Walk {
    type Cursor = u64;

    async fn step(&self, _: Ctx, _: Option<u64>) -> Result<StepOutcome<u64, Trip>, TaskError> {
        Ok(StepOutcome::Done(Trip::Home))
    }
}

fn workflow() -> Workflow<Trip> {
    Workflow::builder("order", 1)
        .compensatable(Trip::Book, "book", Book)
        .stepped(Trip::Walk, "walk", Walk)
        .exit(Trip::Home)
        .build()
        .expect("the definition is valid")
}

/// What may follow `state` in the run `run`.
fn candidates(state: &RunState, run: u8) -> Vec<Event> {
    let again = |at: &str| {
        let mut claim = claim_record(Nonce([run + 1; 16]));
        claim.run_id = Nonce([run; 16]);
        Event::Claimed {
            state: at.into(),
            claim,
        }
    };
    match state.phase() {
        Phase::Unclaimed => {
            let Event::Claimed { state, mut claim } = first_claim("book") else {
                unreachable!("a claim is a claim");
            };
            claim.run_id = Nonce([run; 16]);
            claim.nonce = claim.run_id;
            vec![Event::Claimed { state, claim }]
        }
        Phase::Forward(visit) if &*visit.state == "book" => vec![
            completed("walk", "book", b"null"),
            completed("book", "book", b"null"),
            completed("walk", "book", b"null"),
            completed("shipped", "book", b"null"),
            rollback_started("book", "book", true),
            again("book"),
        ],
        Phase::Forward(visit) => vec![
            match visit.deadline_unix_ms {
                None => timer_started("walk", "walk", 7),
                Some(_) => stepped("walk", "walk", b"2"),
            },
            polled(
                "walk",
                "walk",
                visit.polled.map_or(0, |before| before.rounds + 1),
                Some(9),
            ),
            stepped("walk", "walk", b"1"),
            entered("book", "walk"),
            entered("shipped", "walk"),
            produced("book", "walk", b"1"),
            routed("book", "walk"),
            rollback_started("walk", "walk", false),
            again("walk"),
        ],
        Phase::RollingBack(rollback) => match rollback.pending.last() {
            Some(due) => vec![
                compensated(&due.task, due.undone),
                compensated(&due.task, due.undone),
                compensation_failed(&due.task, due.undone),
                again(&rollback.state),
            ],
            None if rollback.failed.is_empty() => vec![Event::RolledBack],
            None => vec![again(&rollback.state)],
        },
        Phase::Done { .. } | Phase::RolledBack { .. } => vec![],
    }
}

fn legal_log(run: u8) -> impl Strategy<Value = Vec<CheckpointRow>> {
    prop::collection::vec(any::<Index>(), 2..20).prop_map(move |choices| {
        let (mut state, mut events) = (RunState::new(), Vec::new());
        for choice in choices {
            let candidates = candidates(&state, run);
            if candidates.is_empty() {
                break;
            }
            let event = choice.get(&candidates).clone();
            state.apply(&event).expect("a candidate is legal");
            events.push(event);
        }
        rows(&events)
    })
}

/// One way to tamper with a log.
#[derive(Debug, Clone)]
enum Mutation {
    LoseTail(Index),
    Drop(Index),
    Duplicate(Index),
    Swap(Index),
    ChangeKind(Index, RowKind),
    ChangeState(Index, &'static str),
    ChangeTask(Index, &'static str),
    CutBlob(Index, Index),
    FlipBit(Index, Index, u8),
    Splice(Index, Index),
}

impl Mutation {
    fn name(&self) -> &'static str {
        match self {
            Self::LoseTail(_) => "lose tail",
            Self::Drop(_) => "drop",
            Self::Duplicate(_) => "duplicate",
            Self::Swap(_) => "swap",
            Self::ChangeKind(..) => "change kind",
            Self::ChangeState(..) => "change state",
            Self::ChangeTask(..) => "change task",
            Self::CutBlob(..) => "cut blob",
            Self::FlipBit(..) => "flip bit",
            Self::Splice(..) => "splice",
        }
    }

    fn apply(&self, log: &mut Vec<CheckpointRow>, other: &[CheckpointRow]) {
        let length = log.len();
        match self {
            Self::LoseTail(at) => log.truncate(at.index(length)),
            Self::Drop(at) => _ = log.remove(at.index(length)),
            Self::Duplicate(at) => {
                let row = at.get(log).clone();
                log.insert(at.index(length), row);
            }
            Self::Swap(at) if length > 1 => {
                let at = at.index(length - 1);
                log.swap(at, at + 1);
            }
            Self::Swap(_) => {}
            Self::ChangeKind(at, kind) => log[at.index(length)].kind = *kind,
            Self::ChangeState(at, state) => log[at.index(length)].state = (*state).to_owned(),
            Self::ChangeTask(at, task) => log[at.index(length)].task_id = (*task).to_owned(),
            Self::CutBlob(at, end) => {
                with_blob(log, at, |blob| blob.truncate(end.index(blob.len())));
            }
            Self::FlipBit(at, place, bit) => with_blob(log, at, |blob| {
                let place = place.index(blob.len());
                blob[place] ^= 1 << bit;
            }),
            Self::Splice(at, from) => {
                log.truncate(at.index(length));
                log.extend_from_slice(&other[from.index(other.len())..]);
            }
        }
    }
}

/// Changes the blob of a row that has one, the first such row from `at` on, around the end.
fn with_blob(log: &mut [CheckpointRow], at: &Index, change: impl FnOnce(&mut Vec<u8>)) {
    let start = at.index(log.len());
    let (before, after) = log.split_at_mut(start);
    let mut blobs = after
        .iter_mut()
        .chain(before)
        .filter_map(|row| row.output_blob.as_mut());
    if let Some(blob) = blobs.find(|blob| !blob.is_empty()) {
        change(blob);
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    let states = || select(vec!["book", "walk", "shipped", "elsewhere", ""]);
    let tasks = || select(vec!["book", "walk", "another", ""]);
    proptest::prop_oneof![
        3 => index().prop_map(Mutation::LoseTail),
        2 => index().prop_map(Mutation::Drop),
        2 => index().prop_map(Mutation::Duplicate),
        2 => index().prop_map(Mutation::Swap),
        1 => (index(), select(RowKind::ALL)).prop_map(|(at, kind)| Mutation::ChangeKind(at, kind)),
        1 => (index(), states()).prop_map(|(at, state)| Mutation::ChangeState(at, state)),
        1 => (index(), tasks()).prop_map(|(at, task)| Mutation::ChangeTask(at, task)),
        1 => (index(), index()).prop_map(|(at, end)| Mutation::CutBlob(at, end)),
        2 => (index(), index(), 0..8u8).prop_map(|(at, place, bit)| Mutation::FlipBit(at, place, bit)),
        2 => (index(), index()).prop_map(|(at, from)| Mutation::Splice(at, from)),
    ]
}

/// A log that was tampered with; half of them are made dense again, as a store that numbers the
/// rows by itself would.
#[derive(Debug, Clone)]
struct Tampered {
    mutation: Mutation,
    changed: bool,
    log: Vec<CheckpointRow>,
}

fn tampered() -> impl Strategy<Value = Tampered> {
    (legal_log(1), legal_log(5), mutation(), any::<bool>()).prop_map(
        |(original, other, mutation, renumber)| {
            let mut log = original.clone();
            mutation.apply(&mut log, &other);
            if renumber {
                (0..)
                    .zip(&mut log)
                    .for_each(|(place, row)| row.sequence = place);
            }
            Tampered {
                mutation,
                changed: log != original,
                log,
            }
        },
    )
}

/// Lets a life load the log, and answers what it made of it in one word.
fn loaded_by_a_life(log: &[CheckpointRow], opening: Opening) -> String {
    let workflow = workflow();
    let options = LifeOptions {
        workflow_id: "trip-1",
        definition: workflow.definition(),
        retention: Retention::Keep,
        append_retry: AppendRetry::default(),
    };
    let mut life = Life::new(opening, Nonce([77; 16]), 0, options);
    life.on(Reply::Loaded(Ok(log.to_vec())), options);
    if let Command::Append(_) = life.command() {
        life.on(Reply::Appended(Ok(())), options);
    }
    format!("{:?}", life.command())
}

/// Exhaustive, so that a new variant has to be hit as well.
fn name(illegal: &IllegalEvent) -> &'static str {
    match illegal {
        IllegalEvent::FirstRowNotClaim => "FirstRowNotClaim",
        IllegalEvent::ClaimWithoutInput => "ClaimWithoutInput",
        IllegalEvent::RepeatedClaimWithInput => "RepeatedClaimWithInput",
        IllegalEvent::RunIdNotNonce => "RunIdNotNonce",
        IllegalEvent::ForeignRun => "ForeignRun",
        IllegalEvent::ForeignDefinition { .. } => "ForeignDefinition",
        IllegalEvent::WrongState { .. } => "WrongState",
        IllegalEvent::StartsAtExit(_) => "StartsAtExit",
        IllegalEvent::AfterTerminal => "AfterTerminal",
        IllegalEvent::SecondTimer => "SecondTimer",
        IllegalEvent::PollGoesBack => "PollGoesBack",
        IllegalEvent::ForwardAfterRollback => "ForwardAfterRollback",
        IllegalEvent::SecondRollback => "SecondRollback",
        IllegalEvent::UndoBeforeRollback => "UndoBeforeRollback",
        IllegalEvent::UndoOutOfOrder { .. } => "UndoOutOfOrder",
        IllegalEvent::RolledBackTooEarly(_) => "RolledBackTooEarly",
    }
}

/// How many variants [`name`] tells apart.
const ILLEGAL_EVENTS: usize = 16;

/// How many logs the counts below are made of: the rarest refusal is met dozens of times.
const TAMPERED_LOGS: u32 = 20_000;

#[test]
fn one_in_five_tampered_logs_is_legal_and_the_rest_breaks_every_rule() {
    let mut runner = TestRunner::deterministic();
    let mut by_mutation: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut refusals: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut tried, mut accepted) = (0, 0);
    for _ in 0..TAMPERED_LOGS {
        let tampered = tampered().new_tree(&mut runner).expect("a log").current();
        if !tampered.changed {
            continue;
        }
        let counts = by_mutation.entry(tampered.mutation.name()).or_default();
        counts.0 += 1;
        tried += 1;
        match rebuild(&tampered.log) {
            Ok(_) => {
                counts.1 += 1;
                accepted += 1;
            }
            Err(corrupt) => {
                let refusal = match &corrupt.fault {
                    LogFault::OtherId => unreachable!("`rebuild` knows no id"),
                    LogFault::Gap { .. } => "(gap)",
                    LogFault::Row(_) => "(row fault)",
                    LogFault::Illegal(illegal) => name(illegal),
                };
                *refusals.entry(refusal).or_default() += 1;
            }
        }
    }
    println!("{accepted} of {tried} tampered logs are legal");
    for (mutation, (tried, accepted)) in &by_mutation {
        println!("  {mutation:14} {accepted:6} of {tried:6}");
    }
    for (refusal, count) in &refusals {
        println!("  {refusal:24} {count:6}");
    }
    assert!(accepted * 5 >= tried, "{accepted} of {tried} are legal");
    assert_eq!(by_mutation.len(), 10, "every mutation was tried");
    assert_eq!(refusals.len(), ILLEGAL_EVENTS + 2, "every refusal was met");
}

proptest! {
    #[test]
    fn a_tampered_log_gives_a_state_or_a_named_fault(tampered in tampered()) {
        if let Err(corrupt) = rebuild(&tampered.log) {
            assert!(tampered.log.iter().any(|row| row.sequence == corrupt.sequence));
            assert!(!corrupt.to_string().is_empty());
        }
    }

    #[test]
    fn a_life_that_loads_a_tampered_log_goes_on_or_halts(tampered in tampered()) {
        for opening in [Opening::Resume, Opening::RetryStuck] {
            assert!(!loaded_by_a_life(&tampered.log, opening).is_empty());
        }
    }

    #[test]
    fn every_prefix_of_a_legal_log_is_legal(log in legal_log(1)) {
        for end in 0..=log.len() {
            let state = rebuild(&log[..end]).expect("a prefix is legal");
            assert_eq!(state.next_sequence(), end as u64);
        }
    }
}
