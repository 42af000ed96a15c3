//! Mistakes of users, and the message of the crash test about each.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint::protocol::Faithful;
use crashpoint::{CompensatableTask, Ctx, Retention, State, Task, TaskError, Workflow};
use crashpoint_simulator::workload::{Length, Recipe, Sharing, Workload};
use crashpoint_simulator::{
    ClockFault, CrashTest, Fault, Findings, Lane, LifeEnd, Process, crash_test, crash_test_in,
};
use expect_test::{Expect, expect};

mod bounded;
mod bounds;
mod chosen;
mod endings;
mod kept;
mod own_store;
mod protocol;
mod replayed;
mod runs;
mod sampled;
mod services;
mod sources;
mod spawned;
mod tasks;
mod tokio_lane;
mod worlds;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Pack,
    Shipped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Mail {
    Send,
    Sent,
}

/// A bank and a warehouse that survive crashes.
#[derive(Default)]
struct Services {
    /// Cents charged to the card, by key; `None` for a refunded key, which cannot be charged again:
    /// an overtaken life may still try.
    charged: Mutex<BTreeMap<String, i64>>,
    balance: Mutex<i64>,
    reserved: Mutex<i64>,
    packed: Mutex<u32>,
}

/// The mistake in the saga.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The refund is paid on every request.
    RefundIsRepeated,
    /// The charge ignores that it was made before.
    ChargeIsRepeated,
    /// The refund is recorded before it is paid.
    RefundIsForgotten,
}

struct Charge {
    services: Arc<Services>,
    process: Process,
    mistake: Mistake,
}

impl Charge {
    async fn refund(&self, ctx: &Ctx) {
        let key = ctx.do_idempotency_key();
        if self.mistake == Mistake::RefundIsForgotten {
            // The record first, and the money in another call: nobody repairs a crash between the
            // two.
            let noted = self
                .services
                .charged
                .lock()
                .expect("nobody panicked with it")
                .insert(key, 0);
            self.process.effect(ctx, "note the refund", "").await;
            if let Some(cents) = noted {
                *self
                    .services
                    .balance
                    .lock()
                    .expect("nobody panicked with it") += cents;
            }
            return;
        }
        let mut charged = self
            .services
            .charged
            .lock()
            .expect("nobody panicked with it");
        match self.mistake {
            Mistake::RefundIsRepeated => {
                *self
                    .services
                    .balance
                    .lock()
                    .expect("nobody panicked with it") += 1999;
            }
            _ => {
                *self
                    .services
                    .balance
                    .lock()
                    .expect("nobody panicked with it") += charged.insert(key, 0).unwrap_or(0);
            }
        }
    }
}

impl CompensatableTask<Order> for Charge {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        let mut charged = self
            .services
            .charged
            .lock()
            .expect("nobody panicked with it");
        let key = ctx.idempotency_key();
        let fresh = !charged.contains_key(&key);
        if fresh {
            charged.insert(key, 1999);
        }
        if fresh || self.mistake == Mistake::ChargeIsRepeated {
            *self
                .services
                .balance
                .lock()
                .expect("nobody panicked with it") -= 1999;
        }
        Ok((Order::Pack, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.refund(&ctx).await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        if self.mistake == Mistake::RefundIsRepeated {
            // This undo checks first; the other forgets to.
            let key = ctx.do_idempotency_key();
            let charged = self
                .services
                .charged
                .lock()
                .expect("nobody panicked with it")
                .insert(key, 0);
            *self
                .services
                .balance
                .lock()
                .expect("nobody panicked with it") += charged.unwrap_or(0);
            return Ok(());
        }
        self.refund(&ctx).await;
        Ok(())
    }
}

fn order(mistake: Mistake) -> CrashTest<Order, Services> {
    let test = crash_test_in(
        Services::default,
        Order::Charge,
        &(),
        move |process, services: &Arc<Services>| {
            let charge = Charge {
                services: Arc::clone(services),
                process: process.clone(),
                mistake,
            };
            let services = Arc::clone(services);
            let pack = move |_: Ctx| {
                let services = Arc::clone(&services);
                async move {
                    *services.packed.lock().expect("nobody panicked with it") = 1;
                    *services.reserved.lock().expect("nobody panicked with it") = 1;
                    Ok::<_, TaskError>(Order::Shipped)
                }
            };
            order_workflow(charge, pack)
        },
    );
    test.invariant(
        "the card is charged once or not at all",
        |services, outcome| {
            let expected = match outcome {
                LifeEnd::Done(_) => -1999,
                // The refund has failed: somebody is notified.
                LifeEnd::Stuck(_) => return Ok(()),
                _ => 0,
            };
            let balance = *services.balance.lock().expect("nobody panicked with it");
            if balance == expected {
                Ok(())
            } else {
                Err(format!("{outcome}, and the balance is {balance} cents"))
            }
        },
    )
}

/// A workflow with one task.
fn mail_workflow(send: impl Task<Mail>) -> Workflow<Mail> {
    Workflow::builder("mail", 1)
        .task(Mail::Send, "send", send)
        .exit(Mail::Sent)
        .build()
        .expect("the workflow is well defined")
}

/// A workflow that charges, and packs then.
fn order_workflow(
    charge: impl CompensatableTask<Order>,
    pack: impl Task<Order>,
) -> Workflow<Order> {
    Workflow::builder("order", 1)
        .compensatable(Order::Charge, "charge", charge)
        .task(Order::Pack, "pack", pack)
        .exit(Order::Shipped)
        .build()
        .expect("the workflow is well defined")
}

/// A workload in the tokio lane of a workflow with one task.
fn in_tokio_lane<F>(send: impl Fn(Process, Ctx) -> F + Clone + Send + Sync + 'static) -> Workload
where
    F: Future<Output = Result<Mail, TaskError>> + Send + 'static,
{
    let recipe = Recipe {
        name: "tokio",
        about: "a task in the tokio lane",
        workflow: Arc::new(move |process: &Process| {
            let (process, send) = (process.clone(), send.clone());
            mail_workflow(move |ctx| send(process.clone(), ctx))
        }),
        start: Mail::Send,
        input: serde_json::json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    };
    Workload {
        lane: Lane::Tokio,
        ..recipe.under(Faithful)
    }
}

/// The message with which a crash test panics.
fn failure<T>(test: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test))
        .err()
        .expect("the test fails");
    *panic.downcast::<String>().expect("a panic in words")
}

/// The first line of that message.
fn first_line<T>(test: impl FnOnce() -> T) -> String {
    failure(test).lines().next().unwrap_or_default().to_owned()
}

/// The token with which a failure is replayed.
fn token(failed: &str) -> &str {
    let replay = failed.lines().find_map(|line| {
        let line = line.trim().strip_prefix("CRASHPOINT_REPLAY=")?;
        line.split(' ').next()
    });
    replay.expect("the failure says how it is replayed")
}

/// The part of a failure that a test compares.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// The whole failure.
    Whole,
    /// The violation and the schedule; the rest is the same for every failure.
    Schedule,
}

fn check(mistake: Mistake, look: Look, expected: &Expect) {
    let mut failure = failure(|| order(mistake).run());
    if look == Look::Schedule {
        let timeline = failure.find("\ntimeline\n").expect("there is a timeline");
        failure.truncate(timeline);
    }
    // The line of the crash test in this file is not part of the claim.
    let lines = failure.lines().map(|line| match line.split_once(".rs:") {
        Some((file, _)) => format!("{file}.rs:LINE in it"),
        None => line.to_owned(),
    });
    expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_saga_without_a_mistake_passes() {
    let findings = order(Mistake::None).run();
    assert_eq!(findings.recorder.covered(), findings.recorder.total());
    expect!["2098 schedules"].assert_eq(&format!("{} schedules", findings.schedules));
}

#[test]
fn an_undo_that_is_not_idempotent_is_caught() {
    check(
        Mistake::RefundIsRepeated,
        Look::Whole,
        &expect![[r#"
            invariants: the card is charged once or not at all: rolled back, and the balance is 1999 cents
            the window: life 1 runs pack, and the attempt begins: the attempt fails before it begins; then life 1 has sent row 3 (charge is undone), which is not durable yet: the process crashes
            what to change: the undo of charge runs in life 1 and again in life 2. If that breaks the invariant, let it find that nothing is left to undo: the receiver knows ctx.do_idempotency_key()
            found after 379 schedules; no fault can be left out (15 simulations)

            point of no return
              0 of 24 continuations break it, before any fault
              1 of 24 continuations break it, after the fault at life1/pack:attempt: attempt-error
             24 of 24 continuations break it, after the fault at life1/append#3:before: crash: inevitable from here on

            schedule
              at life1/pack:attempt: attempt-error (the attempt fails before it begins)
              at life1/append#3:before: crash (the process crashes)
            timeline
              life 1  begins as a new run
              life 1  sends     #0   claim                   at Charge, life 0000000000000001, input null
              life 1  durable   #0
              life 1  begins    charge (visit 0)
              life 1  sends     #1   compensation_completion charge -> Pack, output null
              life 1  durable   #1
              life 1  begins    pack (visit 1)
              life 1  FAULT     at life1/pack:attempt: attempt-error (the attempt fails before it begins)
              life 1  fails     pack
              life 1  sends     #2   rollback_start          pack failed: simulated: the attempt fails before it begins
              life 1  durable   #2
              life 1  begins    undo charge (visit 0)
              life 1  sends     #3   compensated             charge of #1
              life 1  FAULT     at life1/append#3:before: crash (the process crashes)
              life 2  begins by resuming
              life 2  loads     3 rows
              life 2  sends     #3   claim                   at Pack, life 0000000000000002
              life 2  durable   #3
              life 2  begins    undo charge (visit 0, again)
              life 2  sends     #4   compensated             charge of #1
              life 2  durable   #4
              life 2  sends     #5   rolled_back
              life 2  durable   #5
              life 2  returns   rolled back
              life 3  begins by resuming, after the last fault, and returns: rolled back
            log
              #0   claim                   at Charge, life 0000000000000001, input null
              #1   compensation_completion charge -> Pack, output null
              #2   rollback_start          pack failed: simulated: the attempt fails before it begins
              #3   claim                   at Pack, life 0000000000000002
              #4   compensated             charge of #1
              #5   rolled_back
            ledger
              no effect went through Process::effect or a Process::service

            replay it
              CRASHPOINT_REPLAY=3.crash-test.memory.c1e1.7x1,11x1.a374ea9e cargo test -p crashpoint-simulator --test main crash_test::an_undo_that_is_not_idempotent_is_caught -- --exact

            keep it, in the module of the test

                #[test]
                fn the_card_is_charged_once_or_not_at_all_at_life1_pack_attempt_attempt_error_at() {
                    crashpoint_simulator::replay_in(crate::crash_test::an_undo_that_is_not_idempotent_is_caught, 1, "v1; at life1/pack:attempt: attempt-error; at life1/append#3:before: crash");
                }"#]],
    );
}

#[test]
fn a_task_that_charges_twice_is_caught() {
    check(
        Mistake::ChargeIsRepeated,
        Look::Schedule,
        &expect![[r#"
            invariants: the card is charged once or not at all: done in Shipped, and the balance is -3998 cents
            the window: life 1 has sent row 1 (charge -> Pack), which is not durable yet: the process crashes
            what to change: charge runs in life 1 and again in life 2. If that breaks the invariant, send ctx.idempotency_key() with its request and let the receiver honour it, or ask first what was done
            found after 41 schedules; no fault can be left out (1 simulation)

            point of no return
              2 of 24 continuations break it, before any fault
             24 of 24 continuations break it, after the fault at life1/append#1:before: crash: inevitable from here on

            schedule
              at life1/append#1:before: crash (the process crashes)"#]],
    );
}

#[test]
fn a_mistake_that_needs_two_things_to_go_wrong_is_caught() {
    check(
        Mistake::RefundIsForgotten,
        Look::Schedule,
        &expect![[r#"
            invariants: the card is charged once or not at all: rolled back, and the balance is -1999 cents
            the window: life 1 runs charge, and the attempt begins: the attempt does its work and then reports an error; then life 1 undoes charge, and its effect has happened: the process crashes
            what to change: the undo of charge runs in life 1 and again in life 2. If that breaks the invariant, let it find that nothing is left to undo: the receiver knows ctx.do_idempotency_key()
            found after 395 schedules; no fault can be left out (10 simulations)

            point of no return
              0 of 24 continuations break it, before any fault
              2 of 24 continuations break it, after the fault at life1/charge:attempt: attempt-error-after
             24 of 24 continuations break it, after the fault at life1/undo charge:after-effect: crash: inevitable from here on

            schedule
              at life1/charge:attempt: attempt-error-after (the attempt does its work and then reports an error)
              at life1/undo charge:after-effect: crash (the process crashes)"#]],
    );
}

#[test]
fn the_regression_test_fails_until_the_mistake_is_corrected() {
    let failure_of = failure(|| order(Mistake::ChargeIsRepeated).run());
    let token = failure_of
        .lines()
        .find(|line| line.contains("crashpoint_simulator::replay_in("))
        .and_then(|line| line.split('"').nth(1))
        .expect("the failure has a test to keep")
        .to_owned();
    let again = failure(|| order(Mistake::ChargeIsRepeated).replay(&token));
    assert!(again.starts_with("a promise is broken\n"), "{again}");
    assert!(
        again.contains("invariants: the card is charged once"),
        "{again}"
    );
    let story = order(Mistake::None).replay(&token);
    assert!(story.ends_with("violations\n  none\n"), "{story}");
}

/// A schedule in words survives changes of the workflow that shift every draw of a token.
#[test]
fn a_schedule_in_words_is_replayed_and_fails_if_it_does_not_happen() {
    let words = "at life1/append#1:before: crash";
    let failed = failure(|| order(Mistake::ChargeIsRepeated).replay(words));
    assert!(failed.starts_with("a promise is broken\n"), "{failed}");
    order(Mistake::None).replay(words);
    let failed = failure(|| order(Mistake::None).replay("at life7/gone: crash"));
    expect!["this fault did not fire: at life7/gone: crash; the simulation did not reach an instant of this name"].assert_eq(&failed);
}

#[test]
fn a_token_of_another_test_is_refused() {
    let check = |token: &str, expected: Expect| {
        expected.assert_eq(&first_line(|| order(Mistake::None).replay(token)));
    };
    check(
        "1.crash-test.memory.c2.3x1.72e06129",
        expect![[r#"the token has version "1", this simulator reads version 3"#]],
    );
    check(
        "3.crash-test.memory.c2.3x1.72e06120",
        expect![
            "the replay differs from the recorded schedule; the workload or the engine has changed since it was recorded"
        ],
    );
    check(
        "3.order.memory.c2.3x1.72e06129",
        expect![[
            r#""3.order.memory.c2.3x1.72e06129" belongs to the workload "order", not to a crash test"#
        ]],
    );
    check(
        "no token",
        expect![[
            r#""no token" is not a token: expected VERSION.WORKLOAD.STORE.BUDGET.DRAWS.FINGERPRINT"#
        ]],
    );
}

#[test]
fn an_invariant_that_panics_is_a_violation_with_its_words() {
    let failure = failure(|| {
        crash_test(Mail::Send, &(), |_| {
            let send = async |_: Ctx| Ok::<_, TaskError>(Mail::Sent);
            mail_workflow(send)
        })
        .invariant("two is three", |_: &(), _| {
            assert_eq!(2, 3, "arithmetic");
            Ok::<_, String>(())
        })
        .run()
    });
    assert!(
        failure.starts_with("invariants: two is three: assertion"),
        "{failure}"
    );
    assert!(failure.contains("arithmetic"), "{failure}");
}

// ---- merging ----

impl Services {
    fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
        value.lock().expect("nobody panicked with it")
    }

    /// Everything that makes a difference.
    fn fingerprint(&self) -> (BTreeMap<String, i64>, [i64; 2], u32) {
        let numbers = [*Self::lock(&self.balance), *Self::lock(&self.reserved)];
        (
            Self::lock(&self.charged).clone(),
            numbers,
            *Self::lock(&self.packed),
        )
    }

    /// Independent services in the same state.
    fn copy(&self) -> Self {
        let (charged, [balance, reserved], packed) = self.fingerprint();
        Self {
            charged: Mutex::new(charged),
            balance: Mutex::new(balance),
            reserved: Mutex::new(reserved),
            packed: Mutex::new(packed),
        }
    }
}

fn merged(mistake: Mistake) -> CrashTest<Order, Services> {
    order(mistake).fingerprint(Services::fingerprint, Services::copy)
}

#[test]
fn a_world_with_a_fingerprint_is_continued_once_for_each_state() {
    let table = [1, 2, 3].map(|crashes| {
        let (all, few) = (
            order(Mistake::None).crashes(crashes).run(),
            merged(Mistake::None).crashes(crashes).run(),
        );
        let points = |findings: &Findings| {
            let points = findings.recorder.points().map(str::to_owned);
            points.collect::<Vec<_>>()
        };
        assert_eq!(points(&few).len(), few.recorder.covered());
        assert!(all.merged < few.merged);
        // Crash points behind a merged crash are not counted.
        let known = points(&all);
        assert!(points(&few).iter().all(|point| known.contains(point)));
        format!(
            "{crashes} crashes: {} schedules, {} merged; {} without merging",
            few.schedules, few.merged, all.schedules
        )
    });
    expect![[r#"
        1 crashes: 2048 schedules, 235 merged; 2064 without merging
        2 crashes: 2074 schedules, 260 merged; 2098 without merging
        3 crashes: 2154 schedules, 379 merged; 2276 without merging"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn merging_by_a_fingerprint_finds_every_mistake_with_the_same_words() {
    for mistake in [
        Mistake::RefundIsRepeated,
        Mistake::ChargeIsRepeated,
        Mistake::RefundIsForgotten,
    ] {
        let broken = |failure: String| failure.lines().next().map(str::to_owned);
        let (all, few) = (
            failure(|| order(mistake).run()),
            failure(|| merged(mistake).run()),
        );
        assert_eq!(broken(few), broken(all));
    }
}

/// The docs warn of this: with a fingerprint that ignores everything, a mistake that needs two
/// crashes goes undetected. So the fingerprint is used.
#[test]
fn a_fingerprint_that_ignores_everything_merges_different_states() {
    let blind = order(Mistake::None).fingerprint(|_| (), Services::copy);
    let (blind, seeing) = (blind.run(), merged(Mistake::None).run());
    assert!(blind.merged > seeing.merged);
    assert!(blind.schedules < seeing.schedules);
}

// ---- clocks ----

/// How long an offer is valid, in milliseconds.
const OFFER_MS: u64 = 10 * 60 * 1000;

/// Makes an offer, and accepts it if it is still valid: by the wall clock, whose difference it
/// trusts or checks.
fn offer(careful: bool) -> CrashTest<Order, Mutex<Vec<u64>>> {
    let test = crash_test_in(
        || Mutex::new(Vec::new()),
        Order::Charge,
        &(),
        move |process, ages: &Arc<Mutex<Vec<u64>>>| {
            let (ages, process) = (Arc::clone(ages), process.clone());
            let take_up = move |ctx: Ctx| {
                let (ages, process) = (Arc::clone(&ages), process.clone());
                async move {
                    let made_ms: u64 = ctx.output("make").expect("it was made");
                    process.effect(&ctx, "look at the clock", "").await;
                    let age_ms = match careful {
                        true => ctx.unix_ms().saturating_sub(made_ms).min(OFFER_MS),
                        false => ctx.unix_ms().wrapping_sub(made_ms),
                    };
                    ages.lock().expect("nobody panicked with it").push(age_ms);
                    Ok::<_, TaskError>(Order::Shipped)
                }
            };
            Workflow::builder("offer", 1)
                .compensatable(Order::Charge, "make", MakeOffer)
                .task(Order::Pack, "take up", take_up)
                .exit(Order::Shipped)
                .build()
                .expect("the workflow is well defined")
        },
    );
    test.invariant("no offer is older than it can be", |ages, _| {
        let ages = ages.lock().expect("nobody panicked with it");
        match ages.iter().find(|age_ms| **age_ms > OFFER_MS) {
            Some(age_ms) => Err(format!("it is {age_ms} ms old")),
            None => Ok(()),
        }
    })
}

struct MakeOffer;

impl CompensatableTask<Order> for MakeOffer {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Order, u64), TaskError> {
        Ok((Order::Pack, ctx.unix_ms()))
    }

    async fn compensate(&self, _: Ctx, _: u64) -> Result<(), TaskError> {
        Ok(())
    }
}

#[test]
fn a_task_that_trusts_the_wall_clock_is_caught() {
    offer(true).run();
    let failure = failure(|| offer(false).run());
    let schedule: Vec<&str> = failure.lines().take(4).collect();
    expect![[r#"
        invariants: no offer is older than it can be: it is 3600000 ms old
        the window: life 1 has sent row 1 (make -> Pack), which is not durable yet: the wall clock jumps an hour ahead
        what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
        found after 1,530 schedules; no fault can be left out (1 simulation)"#]].assert_eq(&schedule.join("\n"));
}

/// The task does not survive any of the jumps: ahead, back, and all clocks at once.
#[test]
fn every_jump_of_a_clock_makes_a_difference() {
    let jumps = ClockFault::KINDS.iter().copied().map(Fault::Clock);
    for jump in jumps {
        let words = format!("at life1/take up:before-effect: {jump}");
        offer(true).replay(&words);
        let failure = failure(|| offer(false).replay(&words));
        assert!(failure.starts_with("a promise is broken"), "{failure}");
    }
}
