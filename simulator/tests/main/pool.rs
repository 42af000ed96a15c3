//! One pool of workers: the same findings on any number of threads.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crashpoint::{Ctx, State, TaskError, Workflow};
use crashpoint_simulator::{
    Pool, Possible, Repeat, Settings, Source, crash_test, explore_on, explore_seeds_on, workload,
};

fn pools() -> [Pool; 3] {
    [1, 2, 4].map(|threads| Pool::new(NonZeroUsize::new(threads).expect("more than none")))
}

/// Checks that the result is equal in every pool.
fn check<R: PartialEq + std::fmt::Debug>(work: impl Fn(Pool) -> R) -> R {
    let [one, two, four] = pools().map(work);
    assert_eq!(one, two, "two threads");
    assert_eq!(one, four, "four threads");
    one
}

#[test]
fn findings_of_an_exploration_are_equal_for_one_two_and_four_threads() {
    for (name, budget) in [("order", "c1f1"), ("order~TerminalAbsorbs", "c1")] {
        let workload = workload::named(name).expect("it is built in");
        let settings = Settings {
            repeat: Repeat::OneIn(7),
            ..Settings::within(budget.parse().expect("a budget"))
        };
        let whole = check(|pool| explore_on(pool, &workload, &settings));
        assert_eq!(whole.violations.is_empty(), name == "order");
        // A limit of schedules within a part, at its end, and before the first part.
        for schedules_max in [1, 2, 3, 17, 40, whole.schedules, whole.schedules + 1] {
            let limited = Settings {
                schedules_max,
                ..settings.clone()
            };
            let findings = check(|pool| explore_on(pool, &workload, &limited));
            assert!(findings.schedules <= schedules_max, "{schedules_max}");
            let expected = whole.schedules.min(schedules_max);
            assert_eq!(findings.schedules, expected, "{name} up to {schedules_max}");
        }
    }
}

#[test]
fn findings_of_seeds_are_equal_for_one_two_and_four_threads() {
    for (name, is_sound) in [("order", true), ("order~TerminalAbsorbs", false)] {
        let workload = workload::named(name).expect("it is built in");
        let settings = Settings::within("c2f2".parse().expect("a budget"));
        let source = Source::Fixed(&workload);
        let findings =
            check(|pool| explore_seeds_on(pool, source, &settings, Possible::Swarm, 0..300));
        assert_eq!(findings.violations.is_empty(), is_sound);
        assert_eq!(findings.schedules == 300, is_sound);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Mail {
    Send,
    Sent,
}

#[test]
fn a_crash_test_reports_the_same_failure_on_any_number_of_threads() {
    let failure = check(|pool| {
        let threads = NonZeroUsize::new(pool.threads()).expect("more than none");
        let test = crash_test(Mail::Send, &(), |process| {
            let process = process.clone();
            let send = move |ctx: Ctx| {
                let process = process.clone();
                async move {
                    process.effect(&ctx, "send a mail", "hello").await;
                    Ok::<_, TaskError>(Mail::Sent)
                }
            };
            Workflow::builder("mail", 1)
                .task(Mail::Send, "send", send)
                .exit(Mail::Sent)
                .build()
                .expect("the workflow is well defined")
        })
        .threads(threads)
        .invariant("a rival never comes", |(), outcome| match outcome {
            crashpoint_simulator::LifeEnd::Done(_) => Ok(()),
            other => Err(other.to_string()),
        });
        let panic = catch_unwind(AssertUnwindSafe(|| test.run())).expect_err("it fails");
        let failure = panic.downcast::<String>().expect("a failure has words");
        // Behind this it is kept by its number within the test function.
        let story = failure.split("keep it").next();
        story.unwrap_or_default().to_owned()
    });
    assert!(
        failure.starts_with("invariants: a rival never comes: "),
        "{failure}"
    );
}

#[test]
fn results_come_in_the_order_of_their_items_and_stop_at_a_break() {
    let items: Vec<u64> = (0..1_000).collect();
    let squares = check(|pool| pool.map(&items, |item| item * item));
    assert_eq!(squares[999], 999 * 999);
    let seen = check(|pool| {
        let mut seen = Vec::new();
        pool.in_order(
            &items,
            |item| *item,
            |item| {
                seen.push(item);
                match item {
                    20 => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                }
            },
        );
        seen
    });
    assert_eq!(seen, (0..=20).collect::<Vec<u64>>());
}

#[test]
fn a_panic_in_one_worker_reaches_the_caller_and_the_others_stop() {
    let items: Vec<u64> = (0..100).collect();
    for pool in pools() {
        let begun = AtomicU64::new(0);
        let work = |item: &u64| {
            begun.fetch_add(1, Ordering::Relaxed);
            assert!(*item != 7, "item {item} is broken");
            *item
        };
        let mut seen = 0;
        let mapped = catch_unwind(AssertUnwindSafe(|| {
            pool.in_order(&items, work, |_| {
                seen += 1;
                ControlFlow::Continue(())
            });
        }));
        let panic = mapped.expect_err("a worker panics");
        let message = panic.downcast::<String>().expect("it has words");
        assert_eq!(*message, "item 7 is broken", "{} threads", pool.threads());
        assert_eq!(seen, 7, "those before it are seen");
        assert!(begun.load(Ordering::Relaxed) >= 8);
    }
}

#[test]
fn a_panic_of_the_caller_ends_the_workers() {
    for pool in pools() {
        let endless = |seen: u64| assert!(seen < 50, "enough");
        let ended = catch_unwind(AssertUnwindSafe(|| {
            pool.as_ready(
                None,
                None,
                |number| number,
                |result| {
                    let (number, _) = result.expect("there is no tick");
                    endless(number);
                    ControlFlow::Continue(())
                },
            );
        }));
        assert!(ended.is_err());
    }
}
