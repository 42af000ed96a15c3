//! An append in doubt, and a claim that another life may win.

use crashpoint::protocol::{Halt, Machine as _, Opening, Performed, Reply};
use crashpoint::{CheckpointRow, Mismatch, rebuild};
use expect_test::expect;

use super::{HOME, Hand, OTHER, SHIP, WALK, claim_of_another};

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
