//! Invariants of every instant, bounds on lives and time, and the embedded store under a crash test. Each
//! mistake has a twin without it, which passes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{Ctx, RetryPolicy, TaskError, Workflow};
use crashpoint_simulator::{CrashTest, Group, Process, StoreKind, crash_test, crash_test_in};
use expect_test::{Expect, expect};

use super::{Mail, failure, mail_workflow};

#[track_caller]
fn check<W: Send + Sync + 'static>(test: CrashTest<Mail, W>, expected: &Expect) {
    let failure = failure(|| test.run());
    let (head, _) = failure.split_once("\nfound after ").expect("a number");
    expected.assert_eq(head);
}

// ---- at every instant ----

/// The stock of a shop, which is lent and given back.
type Stock = Mutex<i64>;

/// Moves an item out of the stock and back in, in this order or in the other.
fn lends(takes_first: bool) -> CrashTest<Mail, Stock> {
    let test = crash_test_in(
        || Mutex::new(0),
        Mail::Send,
        &(),
        move |process: &Process, stock: &Arc<Stock>| {
            let (process, stock) = (process.clone(), Arc::clone(stock));
            let send = move |ctx: Ctx| {
                let (process, stock) = (process.clone(), Arc::clone(&stock));
                async move {
                    let shop = process.service("shop");
                    let change = |by: i64| *stock.lock().expect("nobody panicked with it") += by;
                    let (first, then) = if takes_first { (-1, 1) } else { (1, -1) };
                    // A crash between the two leaves the stock as the first call left it.
                    *stock.lock().expect("nobody panicked with it") = 0;
                    shop.call(&ctx, "first", || change(first)).await?;
                    shop.call(&ctx, "then", || change(then)).await?;
                    Ok::<_, TaskError>(Mail::Sent)
                }
            };
            Workflow::builder("lend", 1)
                .task(Mail::Send, "lend", send)
                .retry(RetryPolicy::fixed(9, Duration::ZERO))
                .exit(Mail::Sent)
                .build()
                .expect("the workflow is well defined")
        },
    );
    // Two lives at once may break it, and so may a cancellation between the calls.
    test.never_fails_for_good("lend").only(Group::Crash)
}

/// At the end of every schedule the stock is right, so an invariant of the end sees nothing.
#[test]
fn an_invariant_of_every_instant_sees_what_is_right_again_at_the_end() {
    let is_there = |stock: &Stock| match *stock.lock().expect("nobody panicked with it") {
        ..0 => Err("less than nothing is there"),
        _ => Ok(()),
    };
    check(
        lends(true).always("the stock is there", is_there),
        &expect![[r#"
            invariants: the stock is there: less than nothing is there (at an instant of life 1 in lend)
            the window: in every schedule; nothing has to go wrong
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            left out of every schedule: everything but crash and power-loss, and whatever makes lend fail for good"#]],
    );
    lends(false).always("the stock is there", is_there).run();
    let at_the_end = lends(true).invariant("the stock is there", move |stock, _| is_there(stock));
    at_the_end.run();
}

// ---- bounds ----

/// Waits this long before it sends.
fn waits(time: Duration) -> CrashTest<Mail> {
    crash_test(Mail::Send, &(), move |_| {
        let send = move |ctx: Ctx| async move {
            ctx.sleep(time).await;
            Ok::<_, TaskError>(Mail::Sent)
        };
        mail_workflow(send)
    })
}

#[test]
fn a_run_that_takes_longer_than_it_may_is_caught() {
    let hour = Duration::from_secs(60 * 60);
    check(
        waits(hour).ends_within(2, hour / 2),
        &expect![[r#"
            ends-in-time: virtual time after the last fault: 3600s; the test allows 1800s
            the promise: after the last fault the run ends within the lives and the time that the test allows
            the window: in every schedule; nothing has to go wrong
            what to change: shorten what the run waits for, or allow more by CrashTest::ends_within"#]],
    );
    // A slow store takes a minute by itself, three times in some samples.
    waits(hour).ends_within(3, 2 * hour).run();
}

#[test]
fn a_run_that_needs_more_lives_than_it_may_is_caught() {
    let second = Duration::from_secs(1);
    check(
        waits(second).ends_within(0, Duration::from_secs(60 * 60)),
        &expect![[r#"
            ends-in-time: lives after the last fault: 1; the test allows 0
            the promise: after the last fault the run ends within the lives and the time that the test allows
            the window: in every schedule; nothing has to go wrong
            what to change: shorten what the run waits for, or allow more by CrashTest::ends_within"#]],
    );
}

// ---- the embedded store ----

/// Puts its key into the world, once or each time.
fn puts(once: bool) -> CrashTest<Mail, Mutex<Vec<String>>> {
    let world = || Mutex::new(Vec::new());
    let test = crash_test_in(
        world,
        Mail::Send,
        &(),
        move |_, sent: &Arc<Mutex<Vec<String>>>| {
            let sent = Arc::clone(sent);
            let send = move |ctx: Ctx| {
                let key = ctx.idempotency_key();
                let mut sent = sent.lock().expect("nobody panicked with it");
                if !once || !sent.contains(&key) {
                    sent.push(key);
                }
                std::future::ready(Ok::<_, TaskError>(Mail::Sent))
            };
            mail_workflow(send)
        },
    );
    let test = test.invariant("a mail is sent once", |sent, _| {
        match sent.lock().expect("nobody panicked with it").len() {
            0 | 1 => Ok(()),
            sent => Err(format!("{sent} mails were sent")),
        }
    });
    test.over(StoreKind::Redb).samples(20)
}

/// The commit of the store has instants of its own, at each call of the disk.
#[test]
fn a_crash_test_runs_over_the_embedded_store_on_its_disk() {
    let findings = puts(true).run();
    let mut places = findings.recorder.places();
    assert!(places.any(|(place, _)| place.operation == "open"));
    assert!(findings.recorder.total() > 60, "{findings}");
    check(
        puts(false),
        &expect![[r#"
            invariants: a mail is sent once: 2 mails were sent
            the window: life 1 has sent row 1 (send -> Sent), which is not durable yet: the process crashes
            what to change: send runs in life 1 and again in life 2. If that breaks the invariant, send ctx.idempotency_key() with its request and let the receiver honour it, or ask first what was done"#]],
    );
    puts(true).replay("at life1/append#1:before: crash");
}
