//! Endings to which no fault leads: a run that is never done, gets stuck, or is rolled back by a crash.
//! Each mistake has a twin without it, which passes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{
    CompensatableTask, Ctx, RetryPolicy, State, StepOutcome, SteppedTask, TaskError, Workflow,
};
use crashpoint_simulator::{CrashTest, Ending, Fault, LifeEnd, crash_test, crash_test_in};
use expect_test::{Expect, expect};

use super::tasks::undoable;
use super::{Mail, Order, failure, first_line, mail_workflow, order_workflow};

/// The first line of a failure, and the schedule.
fn head<T>(test: impl FnOnce() -> T) -> String {
    let failure = failure(test);
    let (head, _) = failure.split_once("\ntimeline\n").expect("a timeline");
    let (first, _) = head.split_once('\n').expect("some lines");
    let (_, schedule) = head.split_once("\nschedule\n").expect("a schedule");
    format!("{first}\n{schedule}")
}

fn check<S: State, W: Send + Sync + 'static>(test: CrashTest<S, W>, expected: &Expect) {
    expected.assert_eq(&head(|| test.run()));
}

// ---- never done ----

/// The second task reads the output of the first, as this type.
fn reads<T: serde::de::DeserializeOwned + Send + 'static>() -> CrashTest<Order> {
    crash_test(Order::Charge, &(), |process| {
        let process = process.clone();
        let pack = move |ctx: Ctx| {
            let process = process.clone();
            async move {
                let receipt = ctx.output::<T>("charge").map(drop);
                // The error of the engine is lost, as with `anyhow`.
                receipt.map_err(|error| TaskError::fatal(format!("{error:?}")))?;
                process.effect(&ctx, "pack", "").await;
                Ok(Order::Shipped)
            }
        };
        order_workflow(Receipt, pack)
    })
}

/// Gives a receipt.
struct Receipt;

impl CompensatableTask<Order> for Receipt {
    type Output = String;

    async fn run(&self, _: Ctx) -> Result<(Order, String), TaskError> {
        Ok((Order::Pack, "receipt".to_owned()))
    }

    async fn compensate(&self, _: Ctx, _: String) -> Result<(), TaskError> {
        Ok(())
    }
}

/// The task reads a number where a text was written. Its run rolled back in every schedule, and the test
/// passed.
#[test]
fn a_workflow_that_is_never_done_fails_its_test() {
    check(
        reads::<u32>(),
        &expect![[r#"
            calm-is-done: the run is rolled back: pack failed: Fatal(Unserializable("the output of \\"charge\\": invalid type: string \\"receipt\\", expected u32 at line 1 column 9"))
              no fault"#]],
    );
    reads::<u32>().may_never_be_done().run();
    reads::<String>().run();
}

// ---- values that do not read back ----

/// Sends, and puts this into the output.
struct Measured(f64);

impl CompensatableTask<Mail> for Measured {
    type Output = f64;

    async fn run(&self, _: Ctx) -> Result<(Mail, f64), TaskError> {
        Ok((Mail::Sent, self.0))
    }

    async fn compensate(&self, _: Ctx, _: f64) -> Result<(), TaskError> {
        Ok(())
    }
}

/// Two steps, with the number of mails to each address as the cursor.
struct Counting<K>(fn() -> K);

impl<K> SteppedTask<Mail> for Counting<K>
where
    K: serde::Serialize + serde::de::DeserializeOwned + Ord + Send + 'static,
{
    type Cursor = BTreeMap<K, u32>;

    async fn step(
        &self,
        _: Ctx,
        cursor: Option<Self::Cursor>,
    ) -> Result<StepOutcome<Self::Cursor, Mail>, TaskError> {
        Ok(match cursor {
            None => StepOutcome::More(BTreeMap::from([((self.0)(), 1)])),
            Some(_) => StepOutcome::Done(Mail::Sent),
        })
    }
}

fn counting<K>(key: fn() -> K) -> CrashTest<Mail>
where
    K: serde::Serialize + serde::de::DeserializeOwned + Ord + Send + 'static,
{
    crash_test(Mail::Send, &(), move |_| {
        Workflow::builder("mail", 1)
            .stepped(Mail::Send, "send", Counting(key))
            .exit(Mail::Sent)
            .build()
            .expect("the workflow is well defined")
    })
}

#[test]
fn an_output_that_does_not_survive_its_json_is_named() {
    check(
        undoable(|_| Measured(f64::NAN)),
        &expect![[r#"
            values-read-back: life 1 met a value that can't be stored or read in send: the output can't be serialized or read back: invalid type: null, expected f64 at line 1 column 4
              no fault"#]],
    );
    undoable(|_| Measured(0.5)).run();
}

#[test]
fn a_cursor_that_does_not_survive_its_json_is_named() {
    check(
        counting(|| ("ada".to_owned(), 1)),
        &expect![[r#"
            values-read-back: life 1 met a value that can't be stored or read in send: the cursor can't be serialized or read back: key must be a string
              no fault"#]],
    );
    counting(|| "ada".to_owned()).run();
}

// ---- stuck ----

/// The balance of an account, and the keys of what was paid back.
#[derive(Default)]
struct Bank {
    balance: Mutex<i64>,
    refunded: Mutex<Vec<String>>,
}

struct Charge {
    bank: Arc<Bank>,
    /// Whether a second refund of a charge is refused, in place of ignored.
    is_strict: bool,
}

impl Charge {
    fn refund(&self, ctx: &Ctx) -> Result<(), TaskError> {
        let mut refunded = self.bank.refunded.lock().expect("nobody panicked with it");
        let key = ctx.do_idempotency_key();
        if refunded.contains(&key) {
            return match self.is_strict {
                true => Err(TaskError::fatal("it is refunded already")),
                false => Ok(()),
            };
        }
        refunded.push(key);
        *self.bank.balance.lock().expect("nobody panicked with it") += 10;
        Ok(())
    }
}

impl CompensatableTask<Order> for Charge {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        let refunded = self.bank.refunded.lock().expect("nobody panicked with it");
        if !refunded.contains(&ctx.idempotency_key()) {
            *self.bank.balance.lock().expect("nobody panicked with it") -= 10;
        }
        Ok((Order::Pack, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.refund(&ctx)
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.refund(&ctx)
    }
}

fn refunds(is_strict: bool) -> CrashTest<Order, Bank> {
    crash_test_in(Bank::default, Order::Charge, &(), move |_, bank| {
        let charge = Charge {
            bank: Arc::clone(bank),
            is_strict,
        };
        let pack = async |_: Ctx| Ok(Order::Shipped);
        order_workflow(charge, pack)
    })
}

/// Its run was stuck after a crash, which no oracle minded.
#[test]
fn an_undo_that_refuses_to_run_again_fails_the_test() {
    check(
        refunds(true),
        &expect![[r#"
            stuck-has-a-cause: the undo of charge fails by itself: it is refunded already
              at life1/charge:attempt: attempt-error (the attempt fails before it begins)
              at life1/append#2:before: crash (the process crashes)"#]],
    );
    refunds(true).may_get_stuck().run();
    // Undos that the schedule makes fail leave it stuck, as they must.
    let findings = refunds(false).run();
    assert!(
        findings
            .fired
            .keys()
            .any(|it| matches!(it, Fault::Attempt(_)))
    );
}

// ---- crashes that change the ending ----

/// A service that creates an account once, and says so the second time.
fn creates(is_careful: bool) -> CrashTest<Mail, Mutex<bool>> {
    crash_test_in(
        || Mutex::new(false),
        Mail::Send,
        &(),
        move |_, exists| {
            let exists = Arc::clone(exists);
            let create = move |_: Ctx| {
                let mut exists = exists.lock().expect("nobody panicked with it");
                let existed = std::mem::replace(&mut *exists, true);
                std::future::ready(match existed && !is_careful {
                    true => Err(TaskError::fatal("the account exists")),
                    false => Ok(Mail::Sent),
                })
            };
            Workflow::builder("account", 1)
                .task(Mail::Send, "create", create)
                .exit(Mail::Sent)
                .build()
                .expect("the workflow is well defined")
        },
    )
}

#[test]
fn a_crash_that_turns_done_into_rolled_back_fails_the_test() {
    check(
        creates(false),
        &expect![[r#"
            crashes-keep-the-ending: the run is rolled back: create failed: the account exists; without the crash it is done in Sent
              at life1/append#1:before: crash (the process crashes)"#]],
    );
    let accepted = creates(false).crashes_may_change_the_ending();
    accepted.run();
    creates(true).run();
}

/// A workflow that is refused, unless a crash hides the refusal.
#[test]
fn a_crash_that_turns_rolled_back_into_done_fails_the_test() {
    let refused = |forgets: bool| {
        crash_test(Mail::Send, &(), move |process| {
            let process = process.clone();
            let send = move |_: Ctx| {
                let asked = process.count("asked") > 0;
                std::future::ready(match asked && forgets {
                    true => Ok(Mail::Sent),
                    false => Err(TaskError::fatal("it is refused")),
                })
            };
            mail_workflow(send)
        })
        .may_never_be_done()
    };
    check(
        refused(true),
        &expect![[r#"
            crashes-keep-the-ending: the run is done in Sent; without the crash it is rolled back
              at life1/append#1:before: crash (the process crashes)"#]],
    );
    refused(false).run();
}

// ---- invariants that know what went wrong ----

/// A run may be stuck only where its undo was made to fail, and says how often.
#[test]
fn an_invariant_knows_what_went_wrong() {
    let only_after = |ending: &Ending<'_>| match ending.outcome() {
        LifeEnd::Stuck(_) if ending.failed_undos("charge") == 0 => Err("stuck, and nothing failed"),
        LifeEnd::RolledBack
            if ending.failed_attempts("charge") + ending.failed_attempts("pack") == 0
                && !ending.is_cancelled() =>
        {
            Err("rolled back, and nothing failed")
        }
        _ if ending.is_calm() && !ending.schedule().0.is_empty() => Err("calm with a fault"),
        _ if ending.crashes() > 3 || ending.store_faults() > 2 => Err("more than is possible"),
        _ => Ok(()),
    };
    refunds(false)
        .ending_invariant("an ending has a cause", move |_, ending| only_after(ending))
        .run();
    let wrong =
        refunds(false).ending_invariant("nothing is ever rolled back", |_, ending| {
            match (ending.outcome(), ending.failed_attempts("charge")) {
                (LifeEnd::RolledBack, failed) => Err(format!("{failed} attempts of charge failed")),
                _ => Ok(()),
            }
        });
    expect!["invariants: nothing is ever rolled back: 1 attempts of charge failed"]
        .assert_eq(&first_line(|| wrong.run()));
}

/// With two attempts, an attempt that fails changes nothing.
#[test]
fn a_policy_that_retries_hides_one_failure() {
    let test = crash_test(Mail::Send, &(), |process| {
        let process = process.clone();
        let send = move |_: Ctx| {
            let first = process.count("attempts") == 0;
            std::future::ready(match first {
                true => Err(TaskError::retry("the server is busy")),
                false => Ok(Mail::Sent),
            })
        };
        Workflow::builder("mail", 1)
            .task(Mail::Send, "send", send)
            .retry(RetryPolicy::fixed(3, Duration::ZERO))
            .exit(Mail::Sent)
            .build()
            .expect("the workflow is well defined")
    });
    test.run();
}
