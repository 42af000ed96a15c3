//! Faults that a crash test leaves out.

use std::collections::BTreeSet;
use std::time::Duration;

use crashpoint::{CompensatableTask, Ctx, RetryPolicy, TaskError, Workflow};
use crashpoint_simulator::{
    AttemptFault, Crash, CrashTest, Fault, Group, LifeEnd, Process, StoreFault, crash_test,
};
use expect_test::expect;

use super::{Order, failure};

/// Charges the card, and refunds it.
struct Charge(Process);

impl CompensatableTask<Order> for Charge {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        self.0.effect(&ctx, "charge", "").await;
        Ok((Order::Pack, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.0.effect(&ctx, "refund", "").await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.0.effect(&ctx, "refund", "").await;
        Ok(())
    }
}

/// Charges, and ships with this many attempts. What is shipped can't be taken back.
fn ships(attempts: u32) -> CrashTest<Order> {
    let test = crash_test(Order::Charge, &(), move |process| {
        let charge = Charge(process.clone());
        let process = process.clone();
        let ship = move |ctx: Ctx| {
            let process = process.clone();
            async move {
                process.effect(&ctx, "ship", "").await;
                Ok::<_, TaskError>(Order::Shipped)
            }
        };
        Workflow::builder("order", 1)
            .compensatable(Order::Charge, "charge", charge)
            .task(Order::Pack, "ship", ship)
            .retry(RetryPolicy::fixed(attempts, Duration::ZERO))
            .exit(Order::Shipped)
            .build()
            .expect("the workflow is well defined")
    });
    test.ending_invariant("nothing is shipped that is not paid", |(), ending| {
        let mut effects = ending.history().effects();
        let shipped = effects.any(|(.., effect)| effect.name == "ship");
        match ending.outcome() {
            LifeEnd::RolledBack if shipped => Err("it is shipped, and the money is refunded"),
            _ => Ok(()),
        }
    })
}

/// The kinds of faults that fired.
fn fired(test: CrashTest<Order>) -> BTreeSet<Fault> {
    test.run().fired.into_keys().collect()
}

/// The pivot is retried until it succeeds, and its cancellation is handled elsewhere: a correct design,
/// which was accused.
#[test]
fn a_pivot_never_fails_for_good() {
    let failed = failure(|| ships(3).without(Fault::Cancel).run());
    let head: Vec<&str> = failed.lines().take(3).collect();
    expect![[r#"
        invariants: nothing is shipped that is not paid: it is shipped, and the money is refunded
        the window: life 1 runs ship, and the attempt begins: the attempt does its work and then reports a fatal error
        what to change: the rollback undoes charge: let an undo take back all that its task may have done. What a task without an undo has done stays"#]]
    .assert_eq(&head.join("\n"));
    for attempts in [1, 2, 3] {
        let pivot = ships(attempts)
            .without(Fault::Cancel)
            .never_fails_for_good("ship");
        let findings = pivot.run();
        // Other tasks fail as before, and other attempts of the pivot.
        for fault in [
            AttemptFault::Error,
            AttemptFault::FatalAfter,
            AttemptFault::Panic,
        ] {
            assert!(findings.fired.contains_key(&fault.into()), "{fault:?}");
        }
    }
}

#[test]
fn what_is_left_out_never_happens_and_is_printed() {
    let left_out = || ships(1).never_fails_for_good("ship").without(Fault::Cancel);
    let stale = Fault::Store(StoreFault::StaleLoad);
    let findings = left_out()
        .without([Group::Clock, Group::Takeover])
        .without(stale)
        .run();
    for fault in findings.fired.keys() {
        let group = fault.group();
        assert!(
            ![Group::Clock, Group::Takeover, Group::Cancel].contains(&group),
            "{fault}"
        );
        assert_ne!(*fault, stale);
    }
    let printed = findings.to_string();
    let (_, printed) = printed.split_once("; left out: ").expect("it is printed");
    expect!["takeover, cancel, stale-load, clock-ahead, clock-back, sleep, and whatever makes ship fail for good"].assert_eq(printed);
    let broken = left_out().invariant("nothing ends", |(), _| Err("it ended"));
    let failed = failure(|| broken.run());
    expect!["the window: in every schedule; nothing has to go wrong"]
        .assert_eq(failed.lines().nth(1).unwrap_or_default());
    let story = left_out().replay("at life1/append#1:before: crash");
    assert!(
        story.starts_with("left out of every schedule: cancel"),
        "{story}"
    );
}

#[test]
fn only_the_chosen_faults_happen() {
    let crashes = fired(ships(1).only(Group::Crash));
    assert_eq!(crashes, BTreeSet::from([Fault::Crash(Crash::Process)]));
    let refused = Fault::Store(StoreFault::Refused);
    let findings = ships(1).only(refused).run();
    assert_eq!(
        findings.fired.keys().copied().collect::<Vec<_>>(),
        [refused]
    );
    // A schedule without a crash has no crash point to cover.
    assert_eq!(findings.recorder.total(), 0);
}

/// Each budget is exhausted once: without cancellations, a crash with a cancellation is a crash.
#[test]
fn a_campaign_of_faults_that_are_left_out_is_not_explored() {
    let crashes = |test: CrashTest<Order>| {
        let findings = test.only(Group::Crash).samples(0).run();
        (findings.schedules, findings.fired)
    };
    let (schedules, fired) = crashes(ships(1));
    let crashed: u64 = fired.values().sum();
    assert!(
        schedules <= crashed + 2,
        "{schedules} schedules with {crashed} crashes"
    );
}

#[test]
fn a_pivot_that_the_workflow_does_not_have_is_refused() {
    let failed = failure(|| ships(1).never_fails_for_good("shop").run());
    expect![[r#"never_fails_for_good names the task "shop", which the workflow does not have"#]]
        .assert_eq(&failed);
}

#[test]
fn a_fault_that_is_left_out_does_not_happen_in_a_schedule_in_words_either() {
    let failed = failure(|| {
        ships(1)
            .without(Fault::Cancel)
            .replay("at life1/append#1:before: cancel")
    });
    expect!["at life1/append#1:before: cancel: this crash test leaves such faults out"]
        .assert_eq(&failed);
}
