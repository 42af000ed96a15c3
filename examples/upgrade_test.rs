//! An upgrade test: version 2 of a saga goes on from every log that version 1 can leave.
//!
//! Version 2 gives a charge an idempotency key of its own. By itself that is correct. But a run of
//! version 1 may have charged under the engine's key and crashed before it recorded the charge; then
//! version 2 charges again. The test prints the schedule. With the old key the upgrade passes, and
//! the report says what happens to runs in each state.
//!
//!     cargo run --release --example upgrade_test

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::panic::{catch_unwind, set_hook};
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
use crashpoint_simulator::{LifeEnd, UpgradeTest, upgrade_test_in};

/// The fake of a service: whether a charge stands, by the idempotency key of its request.
#[derive(Default)]
struct Bank(Mutex<BTreeMap<String, bool>>);

impl Bank {
    fn charges(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.0.lock().expect("nothing panics here")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Pack,
    Packed,
}

/// The key under which the bank knows a charge.
#[derive(Clone, Copy)]
enum Key {
    Engine,
    Own,
}

struct Charge {
    bank: Arc<Bank>,
    key: Key,
}

impl Charge {
    fn key(&self, ctx: &Ctx) -> String {
        match self.key {
            Key::Engine => ctx.do_idempotency_key(),
            Key::Own => format!("order {}", ctx.workflow_id()),
        }
    }

    /// A refunded key is never charged again.
    fn refund(&self, ctx: &Ctx) {
        self.bank.charges().insert(self.key(ctx), false);
    }
}

impl CompensatableTask<Order> for Charge {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        self.bank.charges().entry(self.key(&ctx)).or_insert(true);
        Ok((Order::Pack, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.refund(&ctx);
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.refund(&ctx);
        Ok(())
    }
}

fn order(bank: &Arc<Bank>, version: u32, key: Key) -> Workflow<Order> {
    let bank = Arc::clone(bank);
    Workflow::builder("order", version)
        .accepts([1])
        .compensatable(Order::Charge, "charge", Charge { bank, key })
        .task(Order::Pack, "pack", |_: Ctx| async { Ok(Order::Packed) })
        .exit(Order::Packed)
        .build()
        .expect("the workflow is valid")
}

/// A done order has one charge, an order that is rolled back has none.
fn charged_once(bank: &Bank, end: &LifeEnd) -> Result<(), String> {
    let charges = bank.charges().values().filter(|stands| **stands).count();
    match (end, charges) {
        (LifeEnd::Done(_), 1) | (LifeEnd::RolledBack, 0) | (LifeEnd::Stuck(_), _) => Ok(()),
        (end, charges) => Err(format!("{end}, and {charges} charges stand")),
    }
}

/// The upgrade to a version 2 with this key.
fn upgrade(key: Key) -> UpgradeTest<Order, Order, Bank> {
    upgrade_test_in(Bank::default, Order::Charge, &(), |_, bank| {
        order(bank, 1, Key::Engine)
    })
    .to_in(Order::Charge, &(), move |_, bank| order(bank, 2, key))
    .invariant("an order is charged once", charged_once)
}

fn main() {
    println!("With the old key:\n{}", upgrade(Key::Engine).run());

    // In a test of yours the panic fails the test. Here its message is printed.
    set_hook(Box::new(|_| {}));
    let panic = catch_unwind(|| upgrade(Key::Own).run()).expect_err("an order is charged twice");
    let message = panic.downcast_ref::<String>();
    println!(
        "With a key of its own:\n{}",
        message.expect("the message is a text")
    );
}
