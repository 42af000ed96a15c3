//! A reminder: a plain task, a timer for a duration, a timer until an instant, and a compensatable task.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    CompensatableTask, Ctx, Retention, RunData, State, TaskError, Timer, Wake, Workflow,
};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing};

/// Longer than a life waits at a time, so that it crashes in the middle, too. It is also longer than the
/// hour by which a clock jumps.
const WAIT: Duration = Duration::from_secs(7 * 60 * 60);
/// From the reminder to the instant before which nothing is closed.
const GRACE: Duration = Duration::from_secs(8 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Reminder {
    Remind,
    Wait,
    Grace,
    Close,
    Closed,
}

pub(super) fn recipe() -> Recipe<impl State> {
    Recipe {
        name: "reminder",
        about: "two timers between two tasks",
        workflow: Arc::new(workflow),
        start: Reminder::Remind,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    }
}

fn workflow(process: &Process) -> Workflow<Reminder> {
    let reminding = process.clone();
    let remind = move |ctx: Ctx| {
        let process = reminding.clone();
        async move {
            process.effect(&ctx, "send a reminder", "").await;
            let grace = process.timer(GRACE).as_millis();
            let grace = u64::try_from(grace).expect("it is a matter of hours");
            Ok::<_, TaskError>((Reminder::Wait, ctx.unix_ms() + grace))
        }
    };
    let wait = Timer::after(process.timer(WAIT));
    let grace = Timer::by(|data: &RunData| Ok(Wake::AtUnixMs(data.output("remind")?)));
    let close = Close {
        process: process.clone(),
    };
    let workflow = Workflow::builder("reminder", 1)
        .task_with_output(Reminder::Remind, "remind", remind)
        .to([Reminder::Wait])
        .timer(Reminder::Wait, "wait", wait, Reminder::Grace)
        .timer(Reminder::Grace, "grace", grace, Reminder::Close)
        .compensatable(Reminder::Close, "close", close)
        .to([Reminder::Closed])
        .exit(Reminder::Closed)
        .build();
    workflow.expect("the workload is well defined")
}

/// Closes the account. Its output, which its undo passes on, is the visit.
struct Close {
    process: Process,
}

impl CompensatableTask<Reminder> for Close {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Reminder, u64), TaskError> {
        self.process.effect(&ctx, "close the account", "").await;
        Ok((Reminder::Closed, ctx.visit()))
    }

    async fn compensate(&self, ctx: Ctx, visit: u64) -> Result<(), TaskError> {
        let visit = visit.to_string();
        self.process
            .effect(&ctx, "reopen the account", &visit)
            .await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.process
            .effect(&ctx, "reopen the account", "in doubt")
            .await;
        Ok(())
    }
}
