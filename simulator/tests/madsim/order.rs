//! The order saga: charge, reserve, ship.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::Direction;
use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
use madsim::rand::Rng as _;

use crate::world::{Activity, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
pub(crate) enum Order {
    Charge,
    Reserve,
    Ship,
    Done,
}

/// The outcome of an order without crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Succeeds,
    /// The shipment has its effect, then its task fails for good.
    FailsAfterShipping,
}

pub(crate) fn workflow(world: &Arc<World>, script: Script) -> Workflow<Order> {
    let leg = |effect, next, fails| Leg {
        world: Arc::clone(world),
        effect,
        next,
        fails,
    };
    let fails = script == Script::FailsAfterShipping;
    Workflow::builder("order", 1)
        .compensatable(
            Order::Charge,
            "charge",
            leg("charge", Order::Reserve, false),
        )
        .to([Order::Reserve])
        .compensatable(
            Order::Reserve,
            "reserve",
            leg("reserve", Order::Ship, false),
        )
        .to([Order::Ship])
        .compensatable(Order::Ship, "ship", leg("ship", Order::Done, fails))
        .to([Order::Done])
        .exit(Order::Done)
        .build()
        .expect("the definition is valid")
}

/// One effect at the receiver, with time for a kill before it and after it.
struct Leg {
    world: Arc<World>,
    effect: &'static str,
    next: Order,
    fails: bool,
}

impl Leg {
    async fn around<T>(&self, ctx: &Ctx, effect: impl FnOnce(&World) -> T) -> T {
        let activity = |effected| Activity::Acting {
            direction: ctx.direction(),
            effected,
        };
        self.world.set_activity(activity(false));
        ctx.sleep(short()).await;
        let result = effect(&self.world);
        self.world.set_activity(activity(true));
        ctx.sleep(short()).await;
        result
    }

    async fn undo(&self, ctx: &Ctx, key: String) {
        assert_eq!(ctx.direction(), Direction::Undo);
        self.around(ctx, |world| world.ledger().undo(key)).await;
    }
}

impl CompensatableTask<Order> for Leg {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
        let cents: u64 = ctx.input()?;
        assert_eq!(cents, 1999);
        let key = ctx.idempotency_key();
        let perform = |world: &World| world.ledger().perform(key.clone(), self.effect);
        self.around(&ctx, perform).await.map_err(TaskError::fatal)?;
        if self.fails {
            return Err(TaskError::fatal("no such address"));
        }
        Ok((self.next, key))
    }

    async fn compensate(&self, ctx: Ctx, key: String) -> Result<(), TaskError> {
        assert_eq!(
            key,
            ctx.do_idempotency_key(),
            "the output is that of this visit"
        );
        self.undo(&ctx, key).await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.undo(&ctx, ctx.do_idempotency_key()).await;
        Ok(())
    }
}

fn short() -> Duration {
    Duration::from_millis(madsim::rand::thread_rng().gen_range(1..20))
}
