//! Tasks that call tokio themselves, in the lane with a paused tokio runtime around each process.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{CompensatableTask, Ctx, TaskError};
use crashpoint_simulator::choices::{Recorded, Seeded};
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{
    CrashTest, Fault, LifeEnd, Process, Settings, crash_test_in, simulate_with,
};
use expect_test::expect;

use super::tasks::undoable;
use super::{Mail, failure, first_line, in_tokio_lane, mail_workflow, token};

/// A mail server that answers after a while, and remembers the keys of sent mails.
#[derive(Default)]
struct Server(Mutex<Vec<String>>);

impl Server {
    async fn send(&self, key: String) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut sent = self.0.lock().expect("nobody panicked with it");
        if !sent.contains(&key) {
            sent.push(key);
        }
    }
}

/// A crash test of a workflow with one task, which must send one mail.
fn mail<F>(
    send: impl Fn(Process, Ctx, Arc<Server>) -> F + Clone + Send + Sync + 'static,
) -> CrashTest<Mail, Server>
where
    F: Future<Output = Result<Mail, TaskError>> + Send + 'static,
{
    sending(send).invariant("a mail is sent once", |server, outcome| {
        let sent = server.0.lock().expect("nobody panicked with it").len();
        match outcome {
            LifeEnd::Done(_) if sent != 1 => Err(format!("{sent} mails were sent")),
            _ => Ok(()),
        }
    })
}

/// A crash test of a workflow with one task.
fn sending<F>(
    send: impl Fn(Process, Ctx, Arc<Server>) -> F + Clone + Send + Sync + 'static,
) -> CrashTest<Mail, Server>
where
    F: Future<Output = Result<Mail, TaskError>> + Send + 'static,
{
    crash_test_in(
        Server::default,
        Mail::Send,
        &(),
        move |process, server: &Arc<Server>| {
            let (process, server, send) = (process.clone(), Arc::clone(server), send.clone());
            let send = move |ctx| send(process.clone(), ctx, Arc::clone(&server));
            mail_workflow(send)
        },
    )
    .tokio()
}

/// Includes crashes in the middle of the sleep, rivals beside it and leaps of the clock.
#[test]
fn a_task_may_limit_a_call_with_tokio() {
    let limited = mail(|_, ctx, server| async move {
        let sent = server.send(ctx.idempotency_key());
        tokio::time::timeout(Duration::from_secs(5), sent).await?;
        Ok(Mail::Sent)
    });
    let findings = limited.run();
    assert!(findings.schedules > 100, "{findings:?}");
    assert!(
        findings.fired.contains_key(&Fault::Takeover),
        "{findings:?}"
    );
    let mut points = findings.recorder.points();
    assert!(points.any(|point| point.contains("send:pending")));
}

/// The request goes on in the background, the run ends, and a crash takes the request with it.
#[test]
fn a_task_that_spawns_its_work_and_does_not_wait_for_it_is_found() {
    let spawns = || {
        mail(|_, ctx, server| async move {
            let key = ctx.idempotency_key();
            tokio::spawn(async move { server.send(key).await });
            Ok(Mail::Sent)
        })
    };
    let failed = failure(|| spawns().run());
    expect!["invariants: a mail is sent once: 0 mails were sent"]
        .assert_eq(failed.lines().next().unwrap_or_default());
}

/// Stops waiting for the spawned request, and takes back a mail that is not sent yet.
struct Impatient(Process);

impl CompensatableTask<Mail> for Impatient {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Mail, ()), TaskError> {
        let (process, limit) = (self.0.clone(), Duration::from_secs(1));
        let sent = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            process.effect(&ctx, "send the mail", "").await;
        });
        match tokio::time::timeout(limit, sent).await {
            Ok(_) => Ok((Mail::Sent, ())),
            Err(_) => Err(TaskError::fatal("no answer")),
        }
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.0.effect(&ctx, "take it back", "").await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.compensate(ctx, ()).await
    }
}

#[test]
fn an_effect_after_its_undo_is_reported_as_such() {
    let test = undoable(Impatient);
    expect!["all-or-nothing: rolled back, but the receiver that repeats everything still holds send (visit 0); send had an effect after it was undone: work that it had begun went on by itself"].assert_eq(&first_line(|| test.tokio().run()));
}

#[test]
fn a_task_that_waits_for_what_it_spawned_passes() {
    let joins = mail(|_, ctx, server| async move {
        let key = ctx.idempotency_key();
        tokio::spawn(async move { server.send(key).await }).await?;
        Ok(Mail::Sent)
    });
    assert!(joins.crashes(1).samples(100).run().schedules > 100);
}

/// tokio's time and the context's are one clock: a wait on either advances both.
#[test]
fn a_time_limit_shorter_than_the_call_never_ends_well() {
    let hurried = mail(|_, ctx, server| async move {
        let (begun, since) = (ctx.unix_ms(), tokio::time::Instant::now());
        let sent = server.send(ctx.idempotency_key());
        let late = tokio::time::timeout(Duration::from_secs(1), sent).await;
        assert!(late.is_err(), "the server answers after two seconds");
        ctx.sleep(Duration::from_millis(500)).await;
        let waited = since.elapsed().as_millis();
        assert!(waited >= 1_500, "{waited} ms by tokio's clock");
        let _ = begun;
        Ok(Mail::Sent)
    });
    expect!["invariants: a mail is sent once: 0 mails were sent"]
        .assert_eq(&first_line(|| hurried.run()));
}

/// Refused before a thread begins, because no draw could decide when it ends.
#[test]
fn a_task_that_asks_tokio_for_a_thread_is_refused() {
    let blocks = mail(|_, _, _| async {
        tokio::task::spawn_blocking(|| ()).await?;
        Ok::<_, TaskError>(Mail::Sent)
    });
    let first = first_line(|| blocks.tasks_may_panic().run());
    let expected = "no-hangs: life 1 was stopped in send: a task asked tokio for a thread";
    assert!(first.starts_with(expected), "{first}");
}

/// It was recorded a second time when the life was ended for it.
#[test]
fn a_refused_thread_is_reported_once() {
    let blocks = |spawned: bool| {
        mail(move |_, _, _| async move {
            let blocks = || tokio::task::spawn_blocking(|| ());
            match spawned {
                true => drop(tokio::spawn(async move { blocks().await })),
                false => drop(blocks()),
            }
            std::future::pending::<Infallible>().await;
            Ok(Mail::Sent)
        })
    };
    for spawned in [false, true] {
        let failed = failure(|| blocks(spawned).run());
        let lines = failed.lines().map(str::trim_start);
        let reports = lines.filter(|line| line.starts_with("life 1  STOPPED   a task asked"));
        assert_eq!(reports.count(), 1, "{failed}");
    }
}

// ---- spawned tasks ----

/// tokio reports a panic to whoever joins the task, and to nobody if nobody does.
#[test]
fn a_panic_of_a_spawned_task_fails_the_test_unless_it_may() {
    let panics = |joined: bool| {
        let panics = mail(move |_, ctx, server| async move {
            let spawned = tokio::spawn(async { panic!("the address is empty") });
            server.send(ctx.idempotency_key()).await;
            if joined {
                assert!(spawned.await.is_err(), "it has panicked");
            }
            Ok(Mail::Sent)
        });
        panics.crashes(1).samples(10)
    };
    for joined in [false, true] {
        expect!["no-panics: life 1 panicked in send: the address is empty (in a spawned task)"]
            .assert_eq(&first_line(|| panics(joined).run()));
        panics(joined).tasks_may_panic().run();
    }
}

#[test]
fn a_panic_after_the_end_of_the_run_fails_the_test() {
    let panics = mail(|_, ctx, server| async move {
        server.send(ctx.idempotency_key()).await;
        tokio::spawn(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            panic!("nobody is there")
        });
        Ok(Mail::Sent)
    });
    expect!["no-panics: life 1 panicked: nobody is there (in a spawned task)"]
        .assert_eq(&first_line(|| panics.run()));
}

/// It hung the test, because no time passes while anything is ready.
#[test]
fn a_spawned_task_that_only_yields_is_stopped() {
    let yields = |life_waits: bool| {
        mail(move |_, ctx, server| async move {
            tokio::spawn(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                loop {
                    tokio::task::yield_now().await;
                }
            });
            if life_waits {
                server.send(ctx.idempotency_key()).await;
            }
            Ok(Mail::Sent)
        })
    };
    let stopped = "a spawned task never waits for anything, and was stopped; while a task only \
                   yields, no time passes";
    assert_eq!(
        first_line(|| yields(true).run()),
        format!("no-hangs: life 1 never ended in send: {stopped}")
    );
    // The same after the end of the run.
    assert_eq!(
        first_line(|| yields(false).run()),
        format!("no-hangs: life 1 never ended: {stopped}")
    );
}

/// Many tasks that wake each other, and much work at one instant, are not a livelock.
#[test]
fn a_spawned_task_may_yield_often_before_it_waits() {
    let ring = mail(|_, ctx, server| async move {
        let mut spawned = Vec::new();
        for _ in 0..10 {
            spawned.push(tokio::spawn(async {
                for _ in 0..20 {
                    for _ in 0..50 {
                        tokio::task::yield_now().await;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }));
        }
        for spawned in spawned {
            spawned.await?;
        }
        server.send(ctx.idempotency_key()).await;
        Ok(Mail::Sent)
    });
    assert_eq!(ring.crashes(0).run().schedules, 1);
}

/// Its wake-up was lost: tokio wakes a yielded task when its runtime continues, and the runtime of
/// a single poll never did.
#[test]
fn a_task_may_yield_to_tokio() {
    let yields = mail(|_, ctx, server| async move {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        // More than tokio lets a task do without yielding.
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for message in 0..1_000 {
            sender.send(message)?;
        }
        drop(sender);
        while receiver.recv().await.is_some() {}
        server.send(ctx.idempotency_key()).await;
        Ok(Mail::Sent)
    });
    yields.run();
}

#[test]
fn a_task_that_only_yields_to_tokio_never_ends() {
    let yields = mail(|_, _, _| async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    expect!["no-hangs: life 1 never ended in send: it waited 1000 times, the last time without any time passing, and was stopped"]
        .assert_eq(&first_line(|| yields.run()));
}

#[test]
fn an_endless_spawned_task_does_not_hide_a_life_that_waits_for_ever() {
    let waits = mail(|_, _, _| async {
        tokio::spawn(async {
            loop {
                tokio::time::sleep(Duration::from_secs(24 * 60 * 60)).await;
            }
        });
        std::future::pending::<Infallible>().await;
        Ok(Mail::Sent)
    });
    let first = first_line(|| waits.run());
    let expected = "no-hangs: a life waits for ever in send";
    assert!(first.starts_with(expected), "{first}");
}

// ---- tasks that outlive their run ----

/// Ticks for ever, at this interval.
async fn heartbeat(ticks: Arc<AtomicU64>, every: Duration) {
    let mut interval = tokio::time::interval(every);
    loop {
        interval.tick().await;
        ticks.fetch_add(1, Ordering::Relaxed);
    }
}

/// The number of ticks of a heartbeat beside a run of two seconds, and after it.
fn ticks_left_behind(every: Duration) -> u64 {
    let ticks = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&ticks);
    let beats = mail(move |_, ctx, server| {
        let ticks = Arc::clone(&counted);
        async move {
            tokio::spawn(heartbeat(ticks, every));
            server.send(ctx.idempotency_key()).await;
            Ok(Mail::Sent)
        }
    });
    assert_eq!(beats.crashes(0).run().schedules, 1);
    ticks.load(Ordering::Relaxed)
}

#[test]
fn an_endless_spawned_task_ends_after_its_run() {
    let table = [
        ("a minute", Duration::from_secs(60)),
        ("a second", Duration::from_secs(1)),
        ("a millisecond", Duration::from_millis(1)),
    ];
    let table = table.map(|(name, every)| format!("{name}: {}", ticks_left_behind(every)));
    // In four simulations each: the schedule without faults is in two rounds, and runs twice in
    // both. tokio's timer wheel turns between two distant ticks, which is a wake-up as well.
    expect![[r#"
        a minute: 244
        a second: 1912
        a millisecond: 12004"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn a_life_that_waits_while_its_spawned_task_wakes_for_ever_never_ends() {
    let waits = mail(|_, _, _| async {
        tokio::spawn(heartbeat(Arc::default(), Duration::from_secs(1)));
        std::future::pending::<Infallible>().await;
        Ok(Mail::Sent)
    });
    expect!["no-hangs: life 1 never ended in send: its spawned tasks woke up 10000 times while it waited, and was stopped"]
        .assert_eq(&first_line(|| waits.run()));
}

// ---- determinism ----

fn recipe() -> Workload {
    in_tokio_lane(|process, ctx| async move {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (beside, within) = (process.clone(), ctx.clone());
        let spawned = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            beside.effect(&within, "send the mail", "").await;
            sender.send(()).is_ok()
        });
        tokio::time::timeout(Duration::from_secs(5), receiver).await??;
        ctx.sleep(Duration::from_secs(1)).await;
        let _ = spawned.await?;
        Ok(Mail::Sent)
    })
}

#[test]
fn the_same_draws_give_the_same_history() {
    let workload = recipe();
    let settings = Settings::within("c2t1e1".parse().expect("a budget"));
    let mut histories = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let (run, _) = simulate_with(&workload, &settings, Seeded::new(seed));
        let (again, _) = simulate_with(&workload, &settings, Seeded::new(seed));
        assert_eq!(run, again, "seed {seed}");
        let draws = run.tape.0.iter().map(|draw| draw.chosen).enumerate();
        let tape = draws.filter(|(_, chosen)| *chosen > 0).collect();
        let (replayed, _) = simulate_with(&workload, &settings, Recorded::sparse(tape));
        assert_eq!(run, replayed, "the tape of seed {seed}");
        histories.insert(format!("{:?}", run.history));
    }
    assert!(histories.len() > 50, "{} histories", histories.len());
}

// ---- mistakes ----

/// A register that accepts every write, behind a slow client.
fn register(mindful: bool) -> CrashTest<Mail, Server> {
    let test = sending(move |_, ctx, server: Arc<Server>| async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut written = server.0.lock().expect("nobody panicked with it");
        let token = format!("{:020}", ctx.fencing_token());
        if mindful && written.last().is_some_and(|last| *last > token) {
            return Err(TaskError::fatal("a newer life has written"));
        }
        written.push(token);
        Ok(Mail::Sent)
    });
    test.invariant("no life overwrites a newer one", |server, _| {
        let written = server.0.lock().expect("nobody panicked with it");
        match written.is_sorted() {
            true => Ok(()),
            false => Err("an older life has written after a newer one".to_owned()),
        }
    })
}

/// It wakes up after it was overtaken, and its clock is that of the overtaking life.
#[test]
fn a_zombie_that_sleeps_with_tokio_is_found_and_replayed() {
    assert!(register(true).run().schedules > 100);
    let failed = failure(|| register(false).run());
    let schedule = failed.split("\ntimeline\n").next().unwrap_or_default();
    expect![[r#"
        invariants: no life overwrites a newer one: an older life has written after a newer one
        the window: life 1 knows that row 0 (the claim of the run) is durable, and has not acted on it: another process takes over the run
        what to change: send runs in life 1 and again in life 2. If that breaks the invariant, send ctx.idempotency_key() with its request and let the receiver honour it, or ask first what was done
        found after 586 schedules; no fault can be left out (2 simulations)

        point of no return
          5 of 24 continuations break it, before any fault
          8 of 24 continuations break it, after the fault at life1/append#0:acked: takeover

        schedule
          at life1/append#0:acked: takeover (another process takes over the run)"#]]
    .assert_eq(schedule);
    let again = failure(|| register(false).replay(token(&failed)));
    assert!(
        again.contains("an older life has written after a newer one"),
        "{again}"
    );
    let story = register(true).replay(token(&failed));
    assert!(story.ends_with("violations\n  none\n"), "{story}");
}

#[tokio::test]
async fn a_crash_test_within_a_runtime_says_what_to_do() {
    let test = || mail(|_, _, _| async { Ok(Mail::Sent) });
    let expected = expect![
        "a crash test with tokio() brings a runtime for each of its processes, and can't be run within another: make it a plain #[test] and no #[tokio::test], or run it on a thread of its own"
    ];
    expected.assert_eq(&failure(|| test().run()));
    expected.assert_eq(&failure(|| test().replay("no fault")));
}
