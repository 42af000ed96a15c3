//! Cancelling, and what is done once a run has ended.

use crashpoint::Retention;
use crashpoint::protocol::{FailureKind, Opening, Performed, Reply};
use expect_test::expect;

use super::{HOME, Hand, OTHER, SHIP, stuck, turned};

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
