//! The workflow of these laws: every kind of task, forward and rolling back, with a ledger of its outside
//! effects.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crashpoint::{
    AppendRetry, CheckpointStore, CompensatableTask, Ctx, Direction, Engine, Error, Outcome, State,
    StepOutcome, SteppedTask, TaskError, Workflow,
};

use crate::finding::expect::{Checked, broken};

/// The states of the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, State)]
pub(crate) enum Order {
    Reserve,
    Charge,
    Pack,
    Import,
    Ship,
    Shipped,
}

/// How a run should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    RolledBack,
    /// One undo fails.
    Stuck,
}

impl Ending {
    fn input(self) -> &'static str {
        match self {
            Self::Done => "to the end",
            Self::RolledBack => "and back",
            Self::Stuck => "and not all the way back",
        }
    }

    /// All effects of a run without a crash, in order.
    fn effects(self) -> &'static [&'static str] {
        const BACK: [&str; 10] = [
            "do reserve",
            "do charge",
            "do pack: receipt of charge",
            "do import from 0",
            "do import from 1",
            "do import from 2",
            "do ship",
            "undo ship in doubt",
            "undo charge: receipt of charge",
            "undo reserve: receipt of reserve",
        ];
        match self {
            Self::Done => &BACK[..7],
            Self::RolledBack | Self::Stuck => &BACK,
        }
    }

    /// Fails unless a life ended like this. `when` begins the message.
    pub(crate) fn check(self, got: &Result<Outcome<Order>, Error>, when: &str) -> Checked {
        let as_expected = match (self, got) {
            (Self::Done, Ok(Outcome::Done(state))) => *state == Order::Shipped,
            (Self::RolledBack, Ok(Outcome::RolledBack(back))) => back.task == "ship",
            (Self::Stuck, Ok(Outcome::Stuck(stuck))) => stuck.leftovers.len() == 1,
            _ => false,
        };
        if as_expected {
            return Ok(());
        }
        let expected = match self {
            Self::Done => "the run to be done",
            Self::RolledBack => "the run to be rolled back",
            Self::Stuck => "the run to be stuck",
        };
        let got = ended(got);
        Err(broken(format!("{when}: expected {expected}, got {got}")))
    }
}

/// Describes how a life ended.
pub(crate) fn ended(got: &Result<Outcome<Order>, Error>) -> String {
    match got {
        Ok(Outcome::Done(state)) => format!("done in {state:?}"),
        Ok(Outcome::RolledBack(back)) => {
            let (task, message) = (&back.task, &back.cause.message);
            format!("rolled back since {task:?} failed: {message}")
        }
        Ok(Outcome::Stuck(stuck)) => format!("stuck: {:?}", stuck.leftovers),
        Err(error) => format!("the error \"{error}\""),
    }
}

/// One effect on the outside world.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Effect {
    action: String,
    key: String,
}

/// The outside world, which survives every crash.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Vec<Effect>>);

impl Ledger {
    fn enter(&self, ctx: &Ctx, detail: &str) {
        let mut action = match ctx.direction() {
            Direction::Do => format!("do {}", ctx.task()),
            Direction::Undo => format!("undo {}", ctx.task()),
        };
        let _ = write!(action, "{detail}");
        let key = ctx.idempotency_key();
        self.effects().push(Effect { action, key });
    }

    /// The number of effects.
    pub(crate) fn len(&self) -> usize {
        self.effects().len()
    }

    /// Describes the effects after the first `count`.
    pub(crate) fn after(&self, count: usize) -> Vec<String> {
        let effects = self.effects();
        let later = effects.iter().skip(count);
        later.map(|effect| effect.action.clone()).collect()
    }

    /// Fails unless the effects are those of a run to `ending`, in order and each with one key, with at
    /// most `repeats` repeated effects.
    pub(crate) fn check(&self, ending: Ending, repeats: usize, when: &str) -> Checked {
        let effects = self.effects();
        let mut once: Vec<&Effect> = Vec::new();
        for effect in effects.iter() {
            if !once.contains(&effect) {
                once.push(effect);
            }
        }
        let got: Vec<&str> = once.iter().map(|effect| &*effect.action).collect();
        let expected = ending.effects();
        if got != expected {
            return Err(broken(format!(
                "{when}: expected the effects {expected:?}, got {got:?}"
            )));
        }
        let more = effects.len() - once.len();
        if more > repeats {
            let all: Vec<&str> = effects.iter().map(|effect| &*effect.action).collect();
            return Err(broken(format!(
                "{when}: expected at most {repeats} repeated effects, got {more} in {all:?}"
            )));
        }
        Ok(())
    }

    fn effects(&self) -> MutexGuard<'_, Vec<Effect>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One run of the workflow, over any number of lives.
pub(crate) struct Saga {
    pub(crate) id: String,
    pub(crate) ending: Ending,
    pub(crate) ledger: Arc<Ledger>,
    workflow: Workflow<Order>,
}

impl Saga {
    pub(crate) fn new(id: impl Into<String>, ending: Ending) -> Self {
        let ledger = Arc::<Ledger>::default();
        Self {
            id: id.into(),
            ending,
            workflow: workflow(&ledger),
            ledger,
        }
    }

    /// A life that begins or continues the run.
    pub(crate) fn run_or_resume(&self, engine: &Engine) -> impl Life {
        engine.run_or_resume(
            &self.workflow,
            &self.id,
            Order::Reserve,
            self.ending.input(),
        )
    }

    /// A life that begins the run.
    pub(crate) fn run(&self, engine: &Engine) -> impl Life {
        engine.run(
            &self.workflow,
            &self.id,
            Order::Reserve,
            self.ending.input(),
        )
    }

    /// A life that continues the run.
    pub(crate) fn resume(&self, engine: &Engine) -> impl Life {
        engine.resume_from(&self.workflow, &self.id)
    }
}

/// The future of a life.
pub(crate) trait Life:
    Future<Output = Result<Outcome<Order>, Error>> + Send + 'static
{
}

impl<F: Future<Output = Result<Outcome<Order>, Error>> + Send + 'static> Life for F {}

/// An engine that retries without a delay when the store fails.
pub(crate) fn engine(store: impl CheckpointStore) -> Engine {
    let retry = AppendRetry {
        delay: Duration::ZERO,
        ..AppendRetry::default()
    };
    Engine::new(store).with_append_retry(retry)
}

fn workflow(ledger: &Arc<Ledger>) -> Workflow<Order> {
    let booking = |next| Booking {
        ledger: Arc::clone(ledger),
        next,
    };
    let import = Import(Arc::clone(ledger));
    let ledger = Arc::clone(ledger);
    let pack = move |ctx: Ctx| {
        let ledger = Arc::clone(&ledger);
        async move {
            let receipt: String = ctx.output("charge")?;
            ledger.enter(&ctx, &format!(": {receipt}"));
            Ok(Order::Import)
        }
    };
    Workflow::builder("crashpoint law", 1)
        .compensatable(Order::Reserve, "reserve", booking(Order::Charge))
        .compensatable(Order::Charge, "charge", booking(Order::Pack))
        .task(Order::Pack, "pack", pack)
        .stepped(Order::Import, "import", import)
        .compensatable(Order::Ship, "ship", booking(Order::Shipped))
        .exit(Order::Shipped)
        .build()
        .expect("the workflow of the laws is well defined")
}

/// Books something. In a run that should roll back, `ship` fails after its effect.
struct Booking {
    ledger: Arc<Ledger>,
    next: Order,
}

impl CompensatableTask<Order> for Booking {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
        self.ledger.enter(&ctx, "");
        let input: String = ctx.input()?;
        if ctx.task() == "ship" && input != Ending::Done.input() {
            return Err(TaskError::fatal("the parcel is too heavy"));
        }
        Ok((self.next, format!("receipt of {}", ctx.task())))
    }

    async fn compensate(&self, ctx: Ctx, output: String) -> Result<(), TaskError> {
        self.ledger.enter(&ctx, &format!(": {output}"));
        let input: String = ctx.input()?;
        if ctx.task() == "charge" && input == Ending::Stuck.input() {
            return Err(TaskError::fatal("the bank is closed"));
        }
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.ledger.enter(&ctx, " in doubt");
        Ok(())
    }
}

/// A stepped task of three steps.
struct Import(Arc<Ledger>);

impl SteppedTask<Order> for Import {
    type Cursor = u64;

    async fn step(
        &self,
        ctx: Ctx,
        cursor: Option<u64>,
    ) -> Result<StepOutcome<u64, Order>, TaskError> {
        let from = cursor.unwrap_or_default();
        self.0.enter(&ctx, &format!(" from {from}"));
        match from {
            0 | 1 => Ok(StepOutcome::More(from + 1)),
            _ => Ok(StepOutcome::Done(Order::Ship)),
        }
    }
}
