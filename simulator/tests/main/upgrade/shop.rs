//! The services and the tasks of the workflows whose upgrades are tested.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint::{CompensatableTask, Ctx, State, StepOutcome, SteppedTask, Task, TaskError};
use crashpoint_simulator::LifeEnd;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A bank, a warehouse and a table of imported lines. All of them keep idempotency keys.
#[derive(Default)]
pub(super) struct Shop(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// Whether a charge stands, by key. A refunded key is never charged again.
    charges: BTreeMap<String, bool>,
    /// The names of the work that was done.
    done: BTreeSet<&'static str>,
    /// The imported lines, by key.
    lines: BTreeMap<String, u64>,
}

impl Shop {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("nothing panics with the books")
    }

    fn charge(&self, key: String) {
        self.books().charges.entry(key).or_insert(true);
    }

    fn refund(&self, key: String) {
        self.books().charges.insert(key, false);
    }

    fn has_done(&self, work: &str) -> bool {
        self.books().done.contains(work)
    }
}

/// The card is charged once for a done order, and never for an order that is rolled back.
pub(super) fn charged_once(shop: &Shop, end: &LifeEnd) -> Result<(), String> {
    let charges = shop.books().charges.values().filter(|it| **it).count();
    match end {
        LifeEnd::Done(_) if charges != 1 => Err(format!("done, and charged {charges} times")),
        LifeEnd::RolledBack if charges != 0 => {
            Err(format!("rolled back, and {charges} charges stand"))
        }
        _ => Ok(()),
    }
}

/// A done order was packed.
pub(super) fn packed(shop: &Shop, end: &LifeEnd) -> Result<(), &'static str> {
    match end {
        LifeEnd::Done(_) if !shop.has_done("pack") => Err("done, and never packed"),
        _ => Ok(()),
    }
}

/// Version 2 charged no order before its validation.
pub(super) fn charged_if_valid(shop: &Shop, _: &LifeEnd) -> Result<(), &'static str> {
    match shop.has_done(UNVALIDATED) {
        true => Err("an order was charged that nobody had validated"),
        false => Ok(()),
    }
}

/// A done import has each of the three lines, once.
pub(super) fn imported(shop: &Shop, end: &LifeEnd) -> Result<(), String> {
    let mut lines: Vec<u64> = shop.books().lines.values().copied().collect();
    lines.sort_unstable();
    match end {
        LifeEnd::Done(_) if lines != [0, 1, 2] => Err(format!("done, and imported {lines:?}")),
        _ => Ok(()),
    }
}

/// The output of a charge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) cents: u64,
}

/// A later output: a field more, which an old output lacks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ReceiptWithCurrency {
    pub(super) cents: u64,
    pub(super) currency: String,
}

/// The same with a default for old outputs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ReceiptWithPayment {
    pub(super) cents: u64,
    #[serde(default)]
    pub(super) payment: Option<String>,
}

/// The idempotency key of a charge.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// The engine's.
    Engine,
    /// A key of the author's own.
    Own,
}

/// The work that must not happen: a charge that nobody validated.
const UNVALIDATED: &str = "charge without validation";

/// Who validates an order before it is charged.
#[derive(Clone, Copy)]
pub(super) enum Validation {
    /// Nobody.
    None,
    /// A state before.
    Before,
    /// The charge itself, if no state before did.
    IfMissing,
}

/// Charges the card.
pub(super) struct Charge<S, O> {
    pub(super) shop: Arc<Shop>,
    pub(super) next: S,
    pub(super) receipt: O,
    pub(super) key: Key,
    /// Whether the undo of an output refunds.
    pub(super) refunds: fn(&O) -> bool,
    /// Whether the undo of an attempt in doubt refunds.
    pub(super) refunds_in_doubt: bool,
    pub(super) validation: Validation,
}

impl<S: State> Charge<S, Receipt> {
    pub(super) fn new(shop: &Arc<Shop>, next: S) -> Self {
        Charge::with_output(shop, next, Receipt { cents: 1999 })
    }
}

impl<S: State, O> Charge<S, O> {
    pub(super) fn with_output(shop: &Arc<Shop>, next: S, receipt: O) -> Self {
        Self {
            shop: Arc::clone(shop),
            next,
            receipt,
            key: Key::Engine,
            refunds: |_| true,
            refunds_in_doubt: true,
            validation: Validation::None,
        }
    }

    fn key(&self, ctx: &Ctx) -> String {
        match self.key {
            Key::Engine => ctx.do_idempotency_key(),
            Key::Own => format!("order {}", ctx.workflow_id()),
        }
    }
}

impl<S, O> CompensatableTask<S> for Charge<S, O>
where
    S: State,
    O: Serialize + DeserializeOwned + Clone + Send + Sync + 'static,
{
    type Output = O;

    async fn run(&self, ctx: Ctx) -> Result<(S, O), TaskError> {
        match self.validation {
            Validation::Before if !self.shop.has_done("validate") => {
                self.shop.books().done.insert(UNVALIDATED);
            }
            Validation::IfMissing => _ = self.shop.books().done.insert("validate"),
            Validation::None | Validation::Before => {}
        }
        self.shop.charge(self.key(&ctx));
        Ok((self.next, self.receipt.clone()))
    }

    async fn compensate(&self, ctx: Ctx, receipt: O) -> Result<(), TaskError> {
        if (self.refunds)(&receipt) {
            self.shop.refund(self.key(&ctx));
        }
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        if self.refunds_in_doubt {
            self.shop.refund(self.key(&ctx));
        }
        Ok(())
    }
}

/// Charges the card and forgets how to refund it.
pub(super) fn charge_for_good<S: State>(shop: &Arc<Shop>, next: S) -> impl Task<S> {
    let shop = Arc::clone(shop);
    move |ctx: Ctx| {
        shop.charge(ctx.idempotency_key());
        async move { Ok::<_, TaskError>(next) }
    }
}

/// Work that needs no undo.
pub(super) fn work<S: State>(shop: &Arc<Shop>, work: &'static str, next: S) -> impl Task<S> {
    let shop = Arc::clone(shop);
    move |_: Ctx| {
        shop.books().done.insert(work);
        async move { Ok::<_, TaskError>(next) }
    }
}

/// A cursor, and the number of the line that it stands for.
pub(super) trait Cursor: Serialize + DeserializeOwned + Send + 'static {
    fn at_line(line: u64) -> Self;
    fn line(&self) -> u64;
}

impl Cursor for u64 {
    fn at_line(line: u64) -> Self {
        line
    }

    fn line(&self) -> u64 {
        *self
    }
}

/// A cursor in another unit under the same type: a line has ten bytes.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Bytes(u64);

impl Cursor for Bytes {
    fn at_line(line: u64) -> Self {
        Self(line * 10)
    }

    fn line(&self) -> u64 {
        self.0.div_ceil(10)
    }
}

/// A cursor of another type.
#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    line: u64,
}

impl Cursor for Line {
    fn at_line(line: u64) -> Self {
        Self { line }
    }

    fn line(&self) -> u64 {
        self.line
    }
}

/// A cursor of another type that reads the old cursor too.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum LineOrNumber {
    Line { line: u64 },
    Number(u64),
}

impl Cursor for LineOrNumber {
    fn at_line(line: u64) -> Self {
        Self::Line { line }
    }

    fn line(&self) -> u64 {
        let (Self::Line { line } | Self::Number(line)) = self;
        *line
    }
}

/// Imports three lines, a line in each step.
pub(super) struct Load<S, C> {
    shop: Arc<Shop>,
    next: S,
    cursor: std::marker::PhantomData<fn() -> C>,
}

impl<S: State, C: Cursor> Load<S, C> {
    pub(super) fn new(shop: &Arc<Shop>, next: S) -> Self {
        Self {
            shop: Arc::clone(shop),
            next,
            cursor: std::marker::PhantomData,
        }
    }
}

impl<S: State, C: Cursor> SteppedTask<S> for Load<S, C> {
    type Cursor = C;

    async fn step(&self, ctx: Ctx, cursor: Option<C>) -> Result<StepOutcome<C, S>, TaskError> {
        let line = cursor.map_or(0, |cursor| cursor.line());
        let lines = &mut self.shop.books().lines;
        lines.entry(ctx.idempotency_key()).or_insert(line);
        Ok(match line {
            0 | 1 => StepOutcome::More(C::at_line(line + 1)),
            _ => StepOutcome::Done(self.next),
        })
    }
}
