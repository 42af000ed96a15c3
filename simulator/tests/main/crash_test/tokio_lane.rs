//! Tasks that call tokio themselves, in the lane that has a paused runtime of it around each process.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint_engine::{Ctx, TaskError, Workflow};
use crashpoint_simulator::{CrashTest, Fault, LifeEnd, Process, crash_test_in};
use expect_test::expect;

use super::{Mail, failure, first_line};

/// A mail server that answers after a while, and knows the keys of what it has sent.
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

/// A crash test of a workflow with one task, which has to send one mail.
fn mail<F>(
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
            Workflow::builder("mail", 1)
                .task(Mail::Send, "send", send)
                .exit(Mail::Sent)
                .build()
                .expect("the workflow is well defined")
        },
    )
    .invariant("a mail is sent once", |server, outcome| {
        let sent = server.0.lock().expect("nobody panicked with it").len();
        match outcome {
            LifeEnd::Done(_) if sent != 1 => Err(format!("{sent} mails were sent")),
            _ => Ok(()),
        }
    })
    .tokio()
}

/// Crashes in the middle of the sleep, rivals beside it and leaps of the clock included.
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

#[test]
fn a_task_that_waits_for_what_it_spawned_passes() {
    let joins = mail(|_, ctx, server| async move {
        let key = ctx.idempotency_key();
        tokio::spawn(async move { server.send(key).await }).await?;
        Ok(Mail::Sent)
    });
    assert!(joins.run().schedules > 100);
}

/// tokio's time and the context's are one: whichever is waited for, the other has come as far.
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

/// Refused before a thread begins: when one is done nobody could draw.
#[test]
fn a_task_that_asks_tokio_for_a_thread_is_refused() {
    let blocks = mail(|_, _, _| async {
        tokio::task::spawn_blocking(|| ()).await?;
        Ok::<_, TaskError>(Mail::Sent)
    });
    let first = first_line(|| blocks.tasks_may_panic().run());
    let expected = "prefixes-resume: life 1 panicked in send: a task asked tokio for a thread";
    assert!(first.starts_with(expected), "{first}");
}

#[test]
fn what_is_spawned_for_ever_does_not_keep_a_life_from_being_called_stuck() {
    let waits = mail(|_, _, _| async {
        tokio::spawn(async {
            loop {
                tokio::time::sleep(Duration::from_secs(60 * 60)).await;
            }
        });
        std::future::pending::<Infallible>().await;
        Ok(Mail::Sent)
    });
    let first = first_line(|| waits.run());
    let expected = "prefixes-resume: a life waits for what never comes in send";
    assert!(first.starts_with(expected), "{first}");
}
