//! A crash test of a saga with a world of its own: a bank that remembers its charges.
//!
//! The test runs the saga under every crash and every single fault. The careful saga passes. The
//! careless saga forgets that a crash may hide whether the bank has charged, and the test prints
//! the schedule that leaves a charge behind.
//!
//!     cargo run --release --example crash_test

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::panic::{catch_unwind, set_hook};
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
use crashpoint_simulator::{CrashTest, LifeEnd, crash_test_in};

/// The fake of a service: whether a charge stands, by the idempotency key of its request.
#[derive(Default)]
struct Bank(Mutex<BTreeMap<String, bool>>);

impl Bank {
    /// Charges once for each key, and never for a key that was refunded: a process that lost the
    /// run to another may still send its request late.
    fn charge(&self, key: String) {
        self.charges().entry(key).or_insert(true);
    }

    fn refund(&self, key: String) {
        self.charges().insert(key, false);
    }

    fn charges(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.0.lock().expect("nothing panics here")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Charged,
}

struct Charge {
    bank: Arc<Bank>,
    is_careful: bool,
}

impl CompensatableTask<Order> for Charge {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        self.bank.charge(ctx.idempotency_key());
        Ok((Order::Charged, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.bank.refund(ctx.do_idempotency_key());
        Ok(())
    }

    /// The rollback started before the engine learnt whether the task had charged.
    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        if self.is_careful {
            self.bank.refund(ctx.do_idempotency_key());
        }
        Ok(())
    }
}

fn order(bank: &Arc<Bank>, is_careful: bool) -> Workflow<Order> {
    let bank = Arc::clone(bank);
    Workflow::builder("order", 1)
        .compensatable(Order::Charge, "charge", Charge { bank, is_careful })
        .exit(Order::Charged)
        .build()
        .expect("the workflow is valid")
}

/// A charge stands if and only if the order is done.
fn charge_matches_outcome(bank: &Bank, end: &LifeEnd) -> Result<(), &'static str> {
    let stands = bank.charges().values().any(|stands| *stands);
    match (stands, end) {
        (false, LifeEnd::Done(_)) => Err("the order is done, and nothing was charged"),
        (true, LifeEnd::RolledBack) => Err("the order is rolled back, and a charge stands"),
        _ => Ok(()),
    }
}

fn saga(is_careful: bool) -> CrashTest<Order, Bank> {
    let workflow = move |_: &_, bank: &Arc<Bank>| order(bank, is_careful);
    crash_test_in(Bank::default, Order::Charge, &(), workflow)
        .invariant("a charge matches its order", charge_matches_outcome)
}

fn main() {
    println!("The careful saga passes: {}", saga(true).run());

    // In a test of yours the panic fails the test. Here its message is printed.
    set_hook(Box::new(|_| {}));
    let panic = catch_unwind(|| saga(false).run()).expect_err("a charge is left behind");
    let message = panic.downcast_ref::<String>();
    println!(
        "\nThe careless saga fails:\n{}",
        message.expect("the message is a text")
    );
}
