//! The pure machine, driven by hand: every answer of a store, and what a life asks for next.

mod doubt;
mod ending;
mod rollback;

use std::fmt::Write as _;
use std::time::Duration;

use crashpoint::protocol::{
    Command, Ended, Failure, FailureKind, Halt, Life, LifeOptions, Machine as _, Opening,
    Performed, Reply, StoreFailed, Work,
};
use crashpoint::{
    AppendRetry, CheckpointRow, CompensatableTask, Ctx, Nonce, Retention, RetryPolicy, State,
    StepOutcome, SteppedTask, TaskError, Workflow, rebuild,
};
use expect_test::{Expect, expect};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Trip {
    Book,
    Walk,
    Ship,
    Home,
}

const BOOK: usize = 0;
const WALK: usize = 1;
const SHIP: usize = 2;
const HOME: usize = 3;

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
        Ok(StepOutcome::Done(Trip::Ship))
    }
}

fn workflow() -> Workflow<Trip> {
    let twice = RetryPolicy::fixed(2, Duration::from_secs(3));
    Workflow::builder("trip", 1)
        .compensatable(Trip::Book, "book", Book)
        .undo_retry(twice)
        .stepped(Trip::Walk, "walk", Walk)
        .compensatable(Trip::Ship, "ship", Book)
        .retry(twice)
        .to([Trip::Book, Trip::Home])
        .exit(Trip::Home)
        .build()
        .expect("the definition is valid")
}

/// A life and the log that it writes, told what to answer by the test.
struct Hand {
    workflow: Workflow<Trip>,
    life: Life,
    retention: Retention,
    log: Vec<CheckpointRow>,
}

fn options(workflow: &Workflow<Trip>, retention: Retention) -> LifeOptions<'_> {
    let append_retry = AppendRetry {
        sends_max: 3,
        delay: Duration::from_millis(10),
    };
    LifeOptions {
        workflow_id: "trip-1",
        definition: workflow.definition(),
        retention,
        append_retry,
    }
}

const ME: Nonce = Nonce([1; 16]);
const OTHER: Nonce = Nonce([2; 16]);

impl Hand {
    fn open(opening: Opening, nonce: Nonce, log: &[CheckpointRow]) -> Self {
        let (workflow, retention) = (workflow(), Retention::Keep);
        let life = Life::new(opening, nonce, 5, options(&workflow, retention));
        Self {
            workflow,
            life,
            retention,
            log: log.to_vec(),
        }
    }

    fn run() -> Self {
        let opening = Opening::Run {
            state: "Book".into(),
            input: b"null".as_slice().into(),
        };
        Self::open(opening, ME, &[])
    }

    /// A run whose first claim is durable.
    fn claimed() -> Self {
        let mut hand = Self::run();
        hand.acknowledge();
        hand
    }

    fn resume(log: &[CheckpointRow]) -> Self {
        let mut hand = Self::open(Opening::Resume, OTHER, log);
        hand.load();
        hand
    }

    fn on(&mut self, reply: Reply) -> &mut Self {
        self.life.on(reply, options(&self.workflow, self.retention));
        self
    }

    fn cancel(&mut self) -> &mut Self {
        self.life.cancel(options(&self.workflow, self.retention));
        self
    }

    fn sent(&self) -> CheckpointRow {
        match self.life.command() {
            Command::Append(row) => row.clone(),
            other => panic!("{other:?} is an append"),
        }
    }

    /// The row becomes durable, and the store says so.
    fn acknowledge(&mut self) -> &mut Self {
        self.log.push(self.sent());
        self.on(Reply::Appended(Ok(())))
    }

    /// The store answers an error; whether the row is durable is up to the test.
    fn fail(&mut self) -> &mut Self {
        self.sent();
        self.on(Reply::Appended(Err(StoreFailed)))
    }

    fn load(&mut self) -> &mut Self {
        assert_eq!(self.life.command(), Command::Load);
        let log = self.log.clone();
        self.on(Reply::Loaded(Ok(log)))
    }

    fn fail_to_load(&mut self) -> &mut Self {
        assert_eq!(self.life.command(), Command::Load);
        self.on(Reply::Loaded(Err(StoreFailed)))
    }

    fn performed(&mut self, performed: Performed) -> &mut Self {
        assert!(matches!(self.life.command(), Command::Perform { .. }));
        self.on(Reply::Performed(performed))
    }

    /// The task completes and its row is durable.
    fn goes_to(&mut self, next: usize, output: Option<&[u8]>) -> &mut Self {
        let output = output.map(Into::into);
        self.performed(Performed::Completed { next, output })
            .acknowledge()
    }

    fn fails(&mut self, kind: FailureKind) -> &mut Self {
        let message = "no".to_owned();
        self.performed(Performed::Failed(Failure { kind, message }))
    }

    fn undone(&mut self) -> &mut Self {
        self.performed(Performed::Undone).acknowledge()
    }

    fn asks(&mut self, expected: &Expect) -> &mut Self {
        expected.assert_eq(&in_words(&self.life));
        self
    }

    fn halted(&self) -> &Halt {
        match self.life.command() {
            Command::Finish(Err(halt)) => halt,
            other => panic!("{other:?} is a halt"),
        }
    }
}

fn in_words(life: &Life) -> String {
    match life.command() {
        Command::Load => "load".to_owned(),
        Command::Append(row) => {
            format!("append #{} {} {:?}", row.sequence, row.kind, row.state)
        }
        Command::Pause(duration) => format!("pause {duration:?}"),
        Command::ReadClock => "read the clock".to_owned(),
        Command::Perform { work, attempt } => {
            let mut words = match work {
                Work::Do { state, visit } => {
                    let cursor = visit.cursor.as_deref().map(String::from_utf8_lossy);
                    format!("do {state} visit {} cursor {cursor:?}", visit.id)
                }
                Work::Undo { state, undo } => format!("undo {state} {:?}", undo.undone),
            };
            _ = write!(words, " attempt {attempt}");
            words
        }
        Command::Clear => "clear".to_owned(),
        Command::Finish(Ok(ended)) => match ended {
            Ended::Done { state } => format!("done {state}"),
            Ended::RolledBack { state, cause, .. } => format!("rolled back {state}: {cause}"),
            Ended::Stuck { failed, .. } => format!("stuck with {}", failed.len()),
        },
        Command::Finish(Err(halt)) => format!("halt {halt:?}"),
    }
}

/// Row 1 of another life that claimed the run after row 0.
fn claim_of_another(log: &[CheckpointRow]) -> CheckpointRow {
    let mut thief = Hand::open(Opening::Resume, Nonce([9; 16]), log);
    thief.load();
    thief.sent()
}

#[test]
fn a_run_claims_without_loading_and_ends_at_an_exit() {
    let mut hand = Hand::run();
    hand.asks(&expect![[r#"append #0 claim "Book""#]])
        .acknowledge()
        .asks(&expect!["do 0 visit 0 cursor None attempt 1"])
        .goes_to(WALK, Some(b"7"))
        .asks(&expect!["do 1 visit 1 cursor None attempt 1"])
        .performed(Performed::Stepped {
            cursor: b"1".as_slice().into(),
        })
        .asks(&expect![[r#"append #2 step_cursor "Walk""#]])
        .acknowledge()
        .asks(&expect![[r#"do 1 visit 1 cursor Some("1") attempt 1"#]])
        .goes_to(SHIP, None)
        .goes_to(HOME, Some(b"8"))
        .asks(&expect!["done Home"]);
    assert_eq!(rebuild(&hand.log).as_ref(), Ok(hand.life.state()));
}

/// A run that completed `book` twice and turned around in an open `ship`.
fn turned() -> Hand {
    let mut hand = Hand::claimed();
    hand.goes_to(SHIP, Some(b"1"))
        .goes_to(BOOK, Some(b"2"))
        .goes_to(SHIP, Some(b"3"))
        .fails(FailureKind::Fatal)
        .acknowledge();
    hand
}

fn stuck() -> Hand {
    let mut hand = turned();
    hand.undone()
        .fails(FailureKind::Fatal)
        .acknowledge()
        .undone()
        .fails(FailureKind::Fatal)
        .acknowledge();
    hand
}
