//! Retries, the way back, and trying again what could not be undone.

use crashpoint::protocol::{
    Ended, Failure, FailureKind, Halt, Machine as _, Opening, Performed, Reply,
};
use crashpoint::{Event, Undone};
use expect_test::expect;

use super::{HOME, Hand, OTHER, SHIP, WALK, stuck, turned};

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
