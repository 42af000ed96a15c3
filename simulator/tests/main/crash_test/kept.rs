//! The regression test of a crash test that is made in a loop, a macro or a helper.

use crashpoint::{Ctx, TaskError};
use crashpoint_simulator::{CrashTest, crash_test, replay_in};
use expect_test::expect;

use super::{Mail, failure, mail_workflow};

/// A task that fails when it runs again, if it is the broken one.
fn mail(broken: bool) -> CrashTest<Mail> {
    crash_test(Mail::Send, &(), move |process| {
        let process = process.clone();
        let send = move |_: Ctx| {
            let again = process.count("runs") > 0;
            std::future::ready(match broken && again {
                true => Err(TaskError::fatal("it was sent already")),
                false => Ok(Mail::Sent),
            })
        };
        mail_workflow(send)
    })
}

/// The second of three is broken.
fn in_a_loop(broken: usize) {
    for number in 0..3 {
        let findings = mail(number == broken).crashes(1).samples(0).run();
        assert!(findings.schedules > 1, "only a whole run gets here");
    }
}

#[test]
fn the_kept_test_of_a_loop_names_its_function_and_the_number_of_the_crash_test() {
    let failed = failure(|| in_a_loop(1));
    let (_, kept) = failed.split_once("keep it, ").expect("a test to keep");
    expect![[r#"
        in the module of the test

            #[test]
            fn crashes_keep_the_ending_at_life1_append_1_before_crash() {
                crashpoint_simulator::replay_in(crate::crash_test::kept::the_kept_test_of_a_loop_names_its_function_and_the_number_of_the_crash_test, 2, "v1; at life1/append#1:before: crash");
            }"#]].assert_eq(kept);
}

const KEPT: &str = "v1; at life1/append#1:before: crash";

/// The text above with the function that it names.
#[test]
fn a_kept_test_replays_one_crash_test_of_a_function() {
    let failed = failure(|| replay_in(|| in_a_loop(1), 2, KEPT));
    assert!(failed.starts_with("a promise is broken\n"), "{failed}");
    // Corrected, it passes: the function ends with the replay.
    replay_in(|| in_a_loop(3), 2, KEPT);
}

#[test]
fn a_kept_test_of_too_few_crash_tests_fails() {
    let failed = failure(|| replay_in(|| in_a_loop(3), 4, KEPT));
    expect![[r#"crash test 4 was to replay "v1; at life1/append#1:before: crash", but the function runs only 3"#]].assert_eq(&failed);
}
