//! The pure machine, driven by hand: every answer of a store, and what a life asks for next.

use std::fmt::Write as _;
use std::time::Duration;

use crashpoint_engine::protocol::{
    Command, Ended, Failure, FailureKind, Faithful, Halt, Life, Opening, Performed, Plan, Reply,
    StoreFailed, Work,
};
use crashpoint_engine::{
    AppendRetry, CheckpointRow, CompensatableTask, Ctx, Event, Mismatch, Nonce, Retention,
    RetryPolicy, State, StepOutcome, SteppedTask, TaskError, Undone, Workflow, rebuild,
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
    type Output = ();

    async fn run(&self, _ctx: Ctx) -> Result<(Trip, ()), TaskError> {
        Ok((Trip::Walk, ()))
    }

    async fn compensate(&self, _ctx: Ctx, (): ()) -> Result<(), TaskError> {
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
    life: Life<Faithful>,
    retention: Retention,
    log: Vec<CheckpointRow>,
}

fn plan(workflow: &Workflow<Trip>, retention: Retention) -> Plan<'_> {
    let append_retry = AppendRetry {
        sends_max: 3,
        delay: Duration::from_millis(10),
    };
    Plan {
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
        let life = Life::new(Faithful, opening, nonce, 5, plan(&workflow, retention));
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
        self.life.on(reply, plan(&self.workflow, self.retention));
        self
    }

    fn cancel(&mut self) -> &mut Self {
        self.life.cancel(plan(&self.workflow, self.retention));
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

fn in_words(life: &Life<Faithful>) -> String {
    match life.command() {
        Command::Load => "load".to_owned(),
        Command::Append(row) => {
            format!("append #{} {} {:?}", row.sequence, row.kind, row.state)
        }
        Command::Pause(duration) => format!("pause {duration:?}"),
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

// ---- an append in doubt ----

#[test]
fn a_durable_row_whose_acknowledgement_was_lost_is_gone_on_from() {
    let mut hand = Hand::claimed();
    hand.performed(Performed::Completed {
        next: WALK,
        output: Some(b"7".as_slice().into()),
    });
    let row = hand.sent();
    hand.log.push(row);
    hand.fail()
        .asks(&expect!["load"])
        .load()
        .asks(&expect!["do 1 visit 1 cursor None attempt 1"]);
}

#[test]
fn an_absent_row_is_sent_again_unchanged_until_the_budget_is_spent() {
    let mut hand = Hand::claimed();
    hand.performed(Performed::Completed {
        next: WALK,
        output: Some(b"7".as_slice().into()),
    });
    let first = hand.sent();
    for _ in 1..3 {
        hand.fail()
            .load()
            .asks(&expect!["pause 10ms"])
            .on(Reply::Paused);
        assert_eq!(hand.sent(), first);
    }
    hand.fail().load();
    assert_eq!(hand.halted(), &Halt::Suspended { in_doubt: Some(1) });
    assert_eq!(hand.life.state().next_sequence(), 1);
}

#[test]
fn a_failed_read_back_suspends_with_the_row_in_doubt() {
    let mut hand = Hand::claimed();
    hand.goes_to(WALK, Some(b"7"))
        .performed(Performed::Stepped {
            cursor: b"1".as_slice().into(),
        })
        .fail()
        .fail_to_load();
    assert_eq!(hand.halted(), &Halt::Suspended { in_doubt: Some(2) });
}

/// What the log shows beside or instead of the row in doubt; every one of these is a takeover.
#[test]
fn a_log_that_another_life_has_touched_fences() {
    let read_back = |change: fn(&mut Vec<CheckpointRow>, CheckpointRow)| {
        let mut hand = Hand::claimed();
        hand.performed(Performed::Completed {
            next: WALK,
            output: Some(b"7".as_slice().into()),
        });
        let row = hand.sent();
        change(&mut hand.log, row);
        hand.fail().load();
        hand.halted().clone()
    };
    let overtaken = read_back(|log, row| {
        log.push(row);
        let next = claim_of_another(log);
        log.push(next);
    });
    let taken = read_back(|log, _| log.push(claim_of_another(log)));
    let rewritten = read_back(|log, row| {
        log[0].state = "Ship".to_owned();
        log.push(row);
    });
    let beyond = read_back(|log, row| {
        log.push(CheckpointRow {
            sequence: row.sequence + 1,
            ..row
        });
    });
    let cleared = read_back(|log, _| log.clear());
    for halt in [overtaken, taken, rewritten, beyond, cleared] {
        assert_eq!(halt, Halt::Fenced);
    }
}

// ---- claiming ----

#[test]
fn a_run_whose_id_has_a_log_already_exists() {
    let mut other = Hand::claimed();
    other.goes_to(WALK, Some(b"7"));
    let mut hand = Hand::open(
        Opening::Run {
            state: "Book".into(),
            input: b"null".as_slice().into(),
        },
        OTHER,
        &other.log,
    );
    hand.fail().load();
    assert_eq!(hand.halted(), &Halt::AlreadyExists);
}

#[test]
fn a_first_claim_in_doubt_is_resolved_like_any_row() {
    let mut lost = Hand::run();
    lost.fail().load().asks(&expect!["pause 10ms"]);
    let mut durable = Hand::run();
    durable.log.push(durable.sent());
    durable
        .fail()
        .load()
        .asks(&expect!["do 0 visit 0 cursor None attempt 1"]);
    let mut unreadable = Hand::run();
    unreadable.fail().fail_to_load();
    assert_eq!(unreadable.halted(), &Halt::Suspended { in_doubt: Some(0) });
}

#[test]
fn a_lost_claim_is_tried_again_on_the_new_log_eight_times() {
    let mut hand = Hand::resume(&Hand::claimed().log);
    for lost in 1..=8 {
        assert_eq!(hand.sent().sequence, lost);
        let winner = claim_of_another(&hand.log);
        hand.log.push(winner);
        hand.fail().load();
        if lost < 8 {
            hand.load();
        }
    }
    assert_eq!(hand.halted(), &Halt::Fenced);
}

#[test]
fn a_resume_that_lost_its_claim_to_an_ending_tells_it() {
    let mut first = Hand::claimed();
    first.goes_to(SHIP, Some(b"7"));
    let mut second = Hand::resume(&first.log);
    first.goes_to(HOME, Some(b"8"));
    second.log = first.log;
    second.fail().load().load().asks(&expect!["done Home"]);
}

#[test]
fn a_claim_that_was_overtaken_is_not_tried_again() {
    let mut hand = Hand::resume(&Hand::claimed().log);
    hand.log.push(hand.sent());
    let next = claim_of_another(&hand.log);
    hand.log.push(next);
    hand.fail().load();
    assert_eq!(hand.halted(), &Halt::Fenced);
}

#[test]
fn a_resume_checks_everything_before_it_claims() {
    let mut unreadable = Hand::open(Opening::Resume, OTHER, &[]);
    unreadable.fail_to_load();
    assert_eq!(unreadable.halted(), &Halt::Suspended { in_doubt: None });
    assert_eq!(Hand::resume(&[]).halted(), &Halt::NotFound);

    let mut log = Hand::claimed().log;
    log[0].state = "Nowhere".to_owned();
    let unknown = Mismatch::UnknownState {
        sequence: 0,
        label: "Nowhere".into(),
    };
    assert_eq!(Hand::resume(&log).halted(), &Halt::Mismatch(unknown));
    log[0].sequence = 1;
    assert!(matches!(Hand::resume(&log).halted(), Halt::Corrupt(_)));
}

#[test]
fn a_resume_goes_on_with_the_last_durable_cursor() {
    let mut first = Hand::claimed();
    first
        .goes_to(WALK, Some(b"7"))
        .performed(Performed::Stepped {
            cursor: b"41".as_slice().into(),
        })
        .acknowledge();
    let mut second = Hand::resume(&first.log);
    second
        .asks(&expect![[r#"append #3 claim "Walk""#]])
        .acknowledge()
        .asks(&expect![[r#"do 1 visit 1 cursor Some("41") attempt 1"#]]);
    assert_eq!(rebuild(&second.log).as_ref(), Ok(second.life.state()));
}

// ---- retries ----

#[test]
fn an_action_is_attempted_as_often_as_its_policy_says() {
    let mut hand = Hand::claimed();
    hand.goes_to(SHIP, Some(b"7"))
        .asks(&expect!["do 2 visit 1 cursor None attempt 1"])
        .fails(FailureKind::Timeout)
        .asks(&expect!["pause 3s"])
        .on(Reply::Paused)
        .asks(&expect!["do 2 visit 1 cursor None attempt 2"])
        .fails(FailureKind::Retry)
        .asks(&expect![[r#"append #2 rollback_start "Ship""#]]);
    let turned = Event::from_row(&hand.sent()).expect("our own row");
    assert!(matches!(
        turned,
        Event::RollbackStarted { cause, undo_open_visit: true, .. }
            if cause.to_string() == "failed: no"
    ));
}

#[test]
fn a_fatal_failure_is_not_attempted_again() {
    let mut hand = Hand::claimed();
    hand.goes_to(SHIP, Some(b"7"))
        .fails(FailureKind::Fatal)
        .asks(&expect![[r#"append #2 rollback_start "Ship""#]]);
}

#[test]
fn a_task_that_leaves_its_edges_has_failed_for_good() {
    let mut hand = Hand::claimed();
    hand.goes_to(SHIP, Some(b"7"))
        .performed(Performed::Completed {
            next: WALK,
            output: Some(b"8".as_slice().into()),
        });
    let turned = Event::from_row(&hand.sent()).expect("our own row");
    let Event::RollbackStarted { cause, .. } = turned else {
        panic!("{turned:?} starts the rollback");
    };
    expect!["failed: ship went to Walk, which is not among its edges"]
        .assert_eq(&cause.to_string());
}

#[test]
fn an_error_that_is_too_long_is_cut_at_a_character() {
    let mut hand = Hand::claimed();
    let message = "ä".repeat(3000);
    hand.performed(Performed::Failed(Failure {
        kind: FailureKind::Fatal,
        message,
    }));
    let turned = Event::from_row(&hand.sent()).expect("our own row");
    let Event::RollbackStarted { cause, .. } = turned else {
        panic!("{turned:?} starts the rollback");
    };
    assert_eq!(&*cause.message, "ä".repeat(2048));
}

// ---- rolling back ----

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

#[test]
fn a_rollback_undoes_the_open_visit_first_and_the_rest_in_reverse() {
    turned()
        .asks(&expect!["undo 2 InDoubt(3) attempt 1"])
        .undone()
        .asks(&expect!["undo 0 Completion(3) attempt 1"])
        .undone()
        .asks(&expect!["undo 2 Completion(2) attempt 1"])
        .undone()
        .asks(&expect!["undo 0 Completion(1) attempt 1"])
        .undone()
        .asks(&expect![[r#"append #9 rolled_back """#]])
        .acknowledge()
        .asks(&expect!["rolled back Ship: failed: no"]);
}

#[test]
fn the_next_undo_waits_for_the_row_of_the_last_one() {
    let mut hand = turned();
    hand.performed(Performed::Undone)
        .asks(&expect![[r#"append #5 compensated """#]])
        .fail()
        .asks(&expect!["load"])
        .load()
        .asks(&expect!["pause 10ms"]);
}

#[test]
fn an_undo_that_fails_for_good_does_not_stop_the_others() {
    let mut hand = turned();
    hand.undone()
        .fails(FailureKind::Retry)
        .asks(&expect!["pause 3s"])
        .on(Reply::Paused)
        .asks(&expect!["undo 0 Completion(3) attempt 2"])
        .fails(FailureKind::Timeout)
        .asks(&expect![[r#"append #6 compensation_failed """#]])
        .acknowledge()
        .undone()
        .undone()
        .asks(&expect!["stuck with 1"]);
    let failed = hand.life.state().ended();
    let Some(Ended::Stuck { failed, .. }) = failed else {
        panic!("{failed:?} is stuck");
    };
    assert_eq!(failed[0].undo.undone, Undone::Completion(3));
}

#[test]
fn a_resumed_rollback_repeats_no_undo_that_is_recorded() {
    let mut first = turned();
    first.undone();
    Hand::resume(&first.log)
        .asks(&expect![[r#"append #6 claim "Ship""#]])
        .acknowledge()
        .asks(&expect!["undo 0 Completion(3) attempt 1"]);
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

#[test]
fn retrying_a_stuck_run_tries_just_what_failed_in_the_same_order() {
    let mut retry = Hand::open(Opening::RetryStuck, OTHER, &stuck().log);
    retry
        .load()
        .asks(&expect![[r#"append #9 claim "Ship""#]])
        .acknowledge()
        .asks(&expect!["undo 0 Completion(3) attempt 1"])
        .undone()
        .asks(&expect!["undo 0 Completion(1) attempt 1"])
        .undone()
        .acknowledge()
        .asks(&expect!["rolled back Ship: failed: no"]);
}

#[test]
fn only_a_stuck_run_can_be_retried() {
    let mut done = Hand::claimed();
    done.goes_to(HOME, Some(b"1"));
    for log in [done.log, Hand::claimed().log, turned().log] {
        let mut retry = Hand::open(Opening::RetryStuck, OTHER, &log);
        retry.load();
        assert_eq!(retry.halted(), &Halt::NotStuck);
    }
    let mut unknown = Hand::open(Opening::RetryStuck, OTHER, &[]);
    unknown.load();
    assert_eq!(unknown.halted(), &Halt::NotFound);
}

#[test]
fn an_ending_is_told_without_a_claim_however_often_it_is_asked_for() {
    let mut done = Hand::claimed();
    done.goes_to(HOME, Some(b"1"));
    let mut rolled_back = turned();
    rolled_back
        .undone()
        .undone()
        .undone()
        .undone()
        .acknowledge();
    for ended in [done, rolled_back, stuck()] {
        for _ in 0..3 {
            let resumed = Hand::resume(&ended.log);
            assert_eq!(resumed.life.command(), ended.life.command());
        }
    }
}

// ---- cancelling ----

#[test]
fn a_cancellation_waits_for_the_append_in_flight() {
    let mut hand = Hand::claimed();
    hand.performed(Performed::Completed {
        next: SHIP,
        output: Some(b"7".as_slice().into()),
    })
    .cancel()
    .asks(&expect![[r#"append #1 compensation_completion "Ship""#]])
    .fail()
    .cancel()
    .asks(&expect!["load"])
    .load()
    .cancel()
    .asks(&expect!["pause 10ms"])
    .on(Reply::Paused)
    .asks(&expect![[r#"append #1 compensation_completion "Ship""#]])
    .acknowledge()
    .asks(&expect![[r#"append #2 rollback_start "Ship""#]]);
}

#[test]
fn an_exit_entry_in_flight_wins_over_a_cancellation() {
    let mut hand = Hand::claimed();
    hand.performed(Performed::Completed {
        next: HOME,
        output: Some(b"7".as_slice().into()),
    })
    .cancel()
    .acknowledge()
    .asks(&expect!["done Home"]);
}

#[test]
fn a_cancellation_before_the_claim_turns_around_right_after_it() {
    let mut hand = Hand::run();
    hand.cancel()
        .asks(&expect![[r#"append #0 claim "Book""#]])
        .acknowledge()
        .asks(&expect![[r#"append #1 rollback_start "Book""#]]);
}

#[test]
fn a_cancelled_run_is_not_attempted_again() {
    let mut hand = Hand::claimed();
    hand.goes_to(SHIP, Some(b"7"))
        .cancel()
        .fails(FailureKind::Retry)
        .asks(&expect![[r#"append #2 rollback_start "Ship""#]]);
    let mut pausing = Hand::claimed();
    pausing
        .goes_to(SHIP, Some(b"7"))
        .fails(FailureKind::Retry)
        .cancel()
        .on(Reply::Paused)
        .asks(&expect![[r#"append #2 rollback_start "Ship""#]]);
}

#[test]
fn a_cancellation_changes_nothing_in_a_rollback() {
    turned()
        .cancel()
        .asks(&expect!["undo 2 InDoubt(3) attempt 1"])
        .fails(FailureKind::Fatal)
        .acknowledge()
        .asks(&expect!["undo 0 Completion(3) attempt 1"]);
}

// ---- retention ----

#[test]
fn a_log_is_cleared_after_a_terminal_row_and_never_of_a_stuck_run() {
    let mut hand = Hand::claimed();
    hand.retention = Retention::ClearWhenDone;
    hand.goes_to(HOME, Some(b"7"))
        .asks(&expect!["clear"])
        .on(Reply::Cleared)
        .asks(&expect!["done Home"]);

    let mut resumed = Hand::open(Opening::Resume, OTHER, &stuck().log);
    resumed.retention = Retention::ClearWhenDone;
    resumed.load().asks(&expect!["stuck with 2"]);
}

#[test]
#[should_panic(expected = "Paused does not answer Appending")]
fn a_reply_to_another_command_is_a_bug_of_the_driver() {
    Hand::run().on(Reply::Paused);
}
