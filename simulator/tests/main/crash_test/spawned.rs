//! Workflows that spawn tasks: their schedules end, their clocks are one, and the order of their
//! tasks is drawn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{Ctx, TaskError};
use crashpoint_simulator::choices::{Recorded, Seeded};
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{
    ClockFault, CrashTest, Fault, LifeEnd, Process, Settings, crash_test_in, simulate_with,
};
use expect_test::expect;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Mail, failure, first_line, in_tokio_lane, mail_workflow, token};

const SECOND: Duration = Duration::from_secs(1);

/// The state of a service outside of the process: an order, or a counter.
type World = Mutex<Vec<String>>;

type Task = fn(Process, Ctx, Arc<World>) -> BoxFuture<'static, Result<Mail, TaskError>>;

/// A crash test in the tokio lane of a workflow with this one task.
fn one_task(task: Task) -> CrashTest<Mail, World> {
    let workflow = move |process: &Process, world: &Arc<World>| {
        let (process, world) = (process.clone(), Arc::clone(world));
        let send = move |ctx| task(process.clone(), ctx, Arc::clone(&world));
        mail_workflow(send)
    };
    crash_test_in(World::default, Mail::Send, &(), workflow).tokio()
}

/// Sends once, however often it is called.
async fn send(process: &Process, ctx: &Ctx, world: &World, what: &str) {
    process.effect(ctx, what, "").await;
    sleep(SECOND).await;
    let mut sent = world.lock().expect("nobody panicked with it");
    let key = format!("{what} {}", ctx.idempotency_key());
    if !sent.contains(&key) {
        sent.push(key);
    }
}

// ---- every schedule ends ----

fn joins(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        tokio::spawn(async move { send(&process, &ctx, &world, "mail").await }).await?;
        Ok(Mail::Sent)
    }
    .boxed()
}

fn joins_a_set(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let mut set = JoinSet::new();
        for what in ["mail", "invoice"] {
            let (process, ctx, world) = (process.clone(), ctx.clone(), Arc::clone(&world));
            set.spawn(async move { send(&process, &ctx, &world, what).await });
        }
        while let Some(joined) = set.join_next().await {
            joined?;
        }
        Ok(Mail::Sent)
    }
    .boxed()
}

fn answers_on_a_channel(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let (sender, mut receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for what in ["mail", "invoice"] {
                send(&process, &ctx, &world, what).await;
                if sender.send(what).await.is_err() {
                    return;
                }
            }
        });
        while receiver.recv().await.is_some() {}
        Ok(Mail::Sent)
    }
    .boxed()
}

fn leaves_a_task_behind(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let (beside, within) = (process.clone(), ctx.clone());
        tokio::spawn(async move {
            for _ in 0..3 {
                sleep(7 * SECOND).await;
                // A task may look on after the end.
                _ = (&beside, &within);
            }
        });
        send(&process, &ctx, &world, "mail").await;
        Ok(Mail::Sent)
    }
    .boxed()
}

fn spawns_within_a_spawned_task(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let outer = tokio::spawn(async move {
            let inner = tokio::spawn(async move { send(&process, &ctx, &world, "mail").await });
            inner.await
        });
        outer.await??;
        Ok(Mail::Sent)
    }
    .boxed()
}

fn limits_a_spawned_task(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let sent = tokio::spawn(async move { send(&process, &ctx, &world, "mail").await });
        // More than the longest leap of a clock.
        timeout(24 * 60 * 60 * SECOND, sent).await??;
        Ok(Mail::Sent)
    }
    .boxed()
}

fn selects_between_two(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let (sender, receiver) = oneshot::channel::<()>();
        let within = ctx.clone();
        let sent = tokio::spawn(async move {
            send(&process, &within, &world, "mail").await;
            _ = sender.send(());
        });
        tokio::select! {
            biased;
            answer = receiver => answer?,
            () = ctx.sleep(24 * 60 * 60 * SECOND) => return Err(TaskError::fatal("no answer")),
        }
        sent.await?;
        Ok(Mail::Sent)
    }
    .boxed()
}

/// Three of them hung. After the run had ended, the runtime of one life had no task left and stopped
/// at once, at the present instant. The runtime of its rival was ahead and waited for it. So no
/// time passed any more.
#[test]
fn a_thousand_seeds_of_spawning_workflows_end() {
    let table: [(&str, Task, usize); 7] = [
        ("joins", joins, 1),
        ("joins a set", joins_a_set, 2),
        ("answers on a channel", answers_on_a_channel, 2),
        ("leaves a task behind", leaves_a_task_behind, 1),
        (
            "spawns within a spawned task",
            spawns_within_a_spawned_task,
            1,
        ),
        ("limits a spawned task", limits_a_spawned_task, 1),
        ("selects between two", selects_between_two, 1),
    ];
    for (name, task, sends) in table {
        let test = one_task(task).invariant("everything is sent once", move |world, outcome| {
            let sent = world.lock().expect("nobody panicked with it").len();
            match outcome {
                LifeEnd::Done(_) if sent != sends => Err(format!("{sent} were sent")),
                _ => Ok(()),
            }
        });
        let findings = test.crashes(1).samples(150).run();
        assert_eq!(findings.sampled, 150, "{name}");
    }
}

// ---- one clock ----

/// Compares the two clocks at this moment, which is within a poll. The context's clock is that of
/// the process, without the error of its wall clock.
fn compare(process: &Process, begun: (Duration, Instant), world: &World) {
    let by_process = process.runtime().now() - begun.0;
    let by_tokio = begun.1.elapsed();
    if by_process != by_tokio {
        let found = format!("{by_process:?} by the process, {by_tokio:?} by tokio");
        world.lock().expect("nobody panicked with it").push(found);
    }
}

fn compares_the_clocks(
    process: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        let begun = (process.runtime().now(), Instant::now());
        let (beside, within, found) = (process.clone(), ctx.clone(), Arc::clone(&world));
        let spawned = tokio::spawn(async move {
            for _ in 0..3 {
                compare(&beside, begun, &found);
                sleep(Duration::from_millis(10)).await;
                compare(&beside, begun, &found);
                beside.effect(&within, "beside", "").await;
            }
        });
        for _ in 0..3 {
            compare(&process, begun, &world);
            let since = Instant::now();
            sleep(Duration::from_millis(10)).await;
            assert!(since.elapsed() >= Duration::from_millis(10));
            compare(&process, begun, &world);
            ctx.sleep(Duration::from_millis(7)).await;
            compare(&process, begun, &world);
            process.effect(&ctx, "mail", "").await;
            compare(&process, begun, &world);
        }
        spawned.await?;
        compare(&process, begun, &world);
        Ok(Mail::Sent)
    }
    .boxed()
}

/// After a leap of an hour tokio's clock showed the past until the life waited. So the timers that
/// the task began in the meantime were due at once.
#[test]
fn the_clocks_of_the_context_and_of_tokio_are_one_at_every_poll() {
    let test =
        one_task(compares_the_clocks).invariant("the clocks are one", |world, _| {
            match world.lock().expect("nobody panicked with it").first() {
                None => Ok(()),
                Some(found) => Err(found.clone()),
            }
        });
    let findings = test.crashes(1).samples(1_000).run();
    assert!(findings.fired[&Fault::Clock(ClockFault::Sleep)] > 100);
}

// ---- lives that never end ----

#[test]
fn a_life_that_waits_in_a_circle_is_stopped_and_its_wait_is_named() {
    let circle: Task = |_, ctx, _| {
        async move {
            loop {
                ctx.sleep(SECOND).await;
            }
        }
        .boxed()
    };
    expect!["no-hangs: life 1 never ended in send: it waited 1000 times, the last time for 1s, and was stopped"].assert_eq(&first_line(|| one_task(circle).run()));
}

fn locks(world: &World) -> bool {
    let mut locked = world.lock().expect("nobody panicked with it");
    let free = locked.is_empty();
    locked.push("locked".to_owned());
    free
}

/// The lock outlives the life that took it.
fn takes_a_lock(
    _: Process,
    ctx: Ctx,
    world: Arc<World>,
) -> BoxFuture<'static, Result<Mail, TaskError>> {
    async move {
        while !locks(&world) {
            ctx.sleep(SECOND).await;
        }
        ctx.sleep(SECOND).await;
        world.lock().expect("nobody panicked with it").clear();
        Ok(Mail::Sent)
    }
    .boxed()
}

#[test]
fn a_life_that_waits_for_the_lock_of_a_dead_life_is_stopped() {
    expect!["no-hangs: life 2 never ended in send: it waited 1000 times, the last time for 1s, and was stopped"].assert_eq(&first_line(|| one_task(takes_a_lock).run()));
}

/// Waits for an hour, and polls hundreds of times.
#[test]
fn a_life_that_waits_long_and_often_passes() {
    let patient: Task = |process, ctx, world| {
        async move {
            ctx.sleep(60 * 60 * SECOND).await;
            for _ in 0..300 {
                ctx.sleep(SECOND).await;
            }
            send(&process, &ctx, &world, "mail").await;
            Ok(Mail::Sent)
        }
        .boxed()
    };
    assert_eq!(one_task(patient).crashes(0).run().schedules, 1);
    let bounded = || one_task(patient).crashes(0).waits_max(100).run();
    assert!(first_line(bounded).starts_with("no-hangs: life 1 never ended in send"));
}

// ---- orders ----

/// Two tasks write one register; the author believes that the first to begin is the first to
/// write.
async fn write(process: &Process, ctx: &Ctx, world: &World, what: &str) {
    process.effect(ctx, what, "").await;
    world
        .lock()
        .expect("nobody panicked with it")
        .push(what.to_owned());
}

fn in_order(test: CrashTest<Mail, World>) -> CrashTest<Mail, World> {
    test.invariant("the first is written first", |world, outcome| {
        let written = world.lock().expect("nobody panicked with it");
        match written.first().map(String::as_str) {
            Some("second") if matches!(outcome, LifeEnd::Done(_)) => {
                Err("the second was written first".to_owned())
            }
            _ => Ok(()),
        }
    })
}

fn races() -> [(&'static str, Task); 4] {
    [
        ("spawned tasks", |process, ctx, world| {
            async move {
                let mut spawned = Vec::new();
                for what in ["first", "second"] {
                    let (process, ctx, world) = (process.clone(), ctx.clone(), Arc::clone(&world));
                    let write = async move { write(&process, &ctx, &world, what).await };
                    spawned.push(tokio::spawn(write));
                }
                for spawned in spawned {
                    spawned.await?;
                }
                Ok(Mail::Sent)
            }
            .boxed()
        }),
        ("a spawned task and its life", |process, ctx, world| {
            async move {
                let (beside, within, there) = (process.clone(), ctx.clone(), Arc::clone(&world));
                let spawned =
                    tokio::spawn(async move { write(&beside, &within, &there, "second").await });
                write(&process, &ctx, &world, "first").await;
                spawned.await?;
                Ok(Mail::Sent)
            }
            .boxed()
        }),
        ("the branches of try_join!", |process, ctx, world| {
            async move {
                let first = async {
                    write(&process, &ctx, &world, "first").await;
                    Ok::<_, TaskError>(())
                };
                let second = async {
                    write(&process, &ctx, &world, "second").await;
                    Ok(())
                };
                tokio::try_join!(first, second)?;
                Ok(Mail::Sent)
            }
            .boxed()
        }),
        (
            "the branches of an unbiased select!",
            |process, ctx, world| {
                async move {
                    tokio::select! {
                        () = write(&process, &ctx, &world, "first") => {}
                        () = write(&process, &ctx, &world, "second") => {}
                    }
                    Ok(Mail::Sent)
                }
                .boxed()
            },
        ),
    ]
}

/// They ran in the order in which they were woken, always.
#[test]
fn a_race_of_tasks_that_one_order_shows_is_found() {
    for (name, task) in races() {
        let failed = failure(|| in_order(one_task(task)).samples(0).run());
        let expected = "invariants: the first is written first: the second was written first";
        assert!(failed.starts_with(expected), "{name}: {failed}");
        assert!(failed.contains(": order=1"), "{name}: {failed}");
        let token = token(&failed);
        let replayed = failure(|| in_order(one_task(task)).replay(token));
        assert!(replayed.contains(expected), "{name}: {replayed}");
    }
}

/// A workload whose task races with what it spawned and with the branches of an unbiased `select!`.
fn racing() -> Workload {
    in_tokio_lane(|process, ctx| async move {
        let (beside, within) = (process.clone(), ctx.clone());
        let spawned = tokio::spawn(async move {
            beside.effect(&within, "spawned", "").await;
            sleep(SECOND).await;
            beside.effect(&within, "spawned again", "").await;
        });
        tokio::select! {
            _ = process.effect(&ctx, "first", "") => {}
            _ = process.effect(&ctx, "second", "") => {}
        }
        spawned.await?;
        Ok(Mail::Sent)
    })
}

/// tokio polls the branches of the `select!` in an order of its own, and the same draws give the
/// same schedule.
#[test]
fn samples_show_each_order_of_racing_tasks_and_replay() {
    let workload = racing();
    let settings = Settings::within("c1t1o3".parse().expect("a budget"));
    let mut first_effects = BTreeMap::new();
    for seed in 0..300 {
        let (run, _) = simulate_with(&workload, &settings, Seeded::new(seed));
        let (again, _) = simulate_with(&workload, &settings, Recorded::new(run.tape.clone()));
        assert_eq!(run, again, "seed {seed}");
        if let Some((.., effect)) = run.history.effects().next() {
            *first_effects.entry(effect.name.to_string()).or_insert(0) += 1;
        }
    }
    let names: Vec<&str> = first_effects.keys().map(String::as_str).collect();
    assert_eq!(names, ["first", "second", "spawned"], "{first_effects:?}");
}

/// Without `o` in its budget a schedule has no order to choose, so a tape or a token of an earlier
/// version has the same draws.
#[test]
fn a_budget_without_orders_draws_none() {
    let settings = Settings::within("c1t1".parse().expect("a budget"));
    for seed in 0..50 {
        let (run, _) = simulate_with(&racing(), &settings, Seeded::new(seed));
        let labels = run.tape.0.iter().map(|draw| draw.label.as_str());
        let orders: Vec<&str> = labels.filter(|label| label.ends_with(", order")).collect();
        assert_eq!(orders, [] as [&str; 0], "seed {seed}");
    }
}
