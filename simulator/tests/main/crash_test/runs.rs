//! Several runs over one world: mistakes that a single run can't show, each beside its correct twin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crashpoint::{CompensatableTask, Ctx, State, Task, TaskError, Workflow};
use crashpoint_simulator::{CrashTest, Ending, Group, Process, crash_test_in};
use expect_test::expect;

use super::{Mail, failure, first_line, mail_workflow};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Purchase {
    Buy,
    Bought,
}

/// A shop with one item, whose orders are counted and whose door has one key.
#[derive(Default)]
struct Shop(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// The keys of the orders that have the item.
    sold: BTreeSet<String>,
    /// The number of counted requests, as a task has written it.
    count: usize,
    /// What each request has counted, by key.
    counted: BTreeMap<String, usize>,
    /// The id of the run that holds the door.
    door: Option<String>,
}

impl Shop {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("nobody panicked with it")
    }

    /// Whether this run holds the door from now on.
    fn enters(&self, run: &str) -> bool {
        let mut books = self.books();
        books.door.get_or_insert_with(|| run.to_owned()) == run
    }

    fn leaves(&self, run: &str) {
        self.books().door.take_if(|holder| holder == run);
    }
}

/// Whether a task leaves an instant between what it reads and what it writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    AnEffect,
}

/// Takes the item, or finds it sold out. An order that goes on after a crash keeps what it has.
async fn reserve(
    process: Process,
    shop: Arc<Shop>,
    ctx: Ctx,
    between: Between,
) -> Result<Purchase, TaskError> {
    let key = ctx.idempotency_key();
    let is_left = |books: &Books| books.sold.is_empty() || books.sold.contains(&key);
    let asked = is_left(&shop.books());
    if between == Between::AnEffect {
        process.effect(&ctx, "log the request", "").await;
    }
    let mut books = shop.books();
    let is_left = match between {
        Between::Nothing => is_left(&books),
        Between::AnEffect => asked,
    };
    if !is_left {
        return Err(TaskError::fatal("sold out"));
    }
    books.sold.insert(key);
    Ok(Purchase::Bought)
}

/// A workflow with one task.
fn purchase(name: &str, task: impl Task<Purchase>) -> Workflow<Purchase> {
    Workflow::builder("order", 1)
        .task(Purchase::Buy, name, task)
        .exit(Purchase::Bought)
        .build()
        .expect("the workflow is well defined")
}

/// An order of the item.
fn order(between: Between) -> impl Fn(&Process, &Arc<Shop>) -> Workflow<Purchase> + Send + Sync {
    move |process, shop| {
        let (process, shop) = (process.clone(), Arc::clone(shop));
        let reserve = move |ctx| reserve(process.clone(), Arc::clone(&shop), ctx, between);
        purchase("reserve", reserve)
    }
}

/// A mail about the item, which counts itself among the requests.
fn counted_mail(between: Between) -> impl Fn(&Process, &Arc<Shop>) -> Workflow<Mail> + Send + Sync {
    move |process, shop| {
        let (process, shop) = (process.clone(), Arc::clone(shop));
        let send = move |ctx: Ctx| {
            let (process, shop) = (process.clone(), Arc::clone(&shop));
            async move {
                count(&process, &shop, &ctx, between).await;
                Ok::<_, TaskError>(Mail::Sent)
            }
        };
        mail_workflow(send)
    }
}

/// Adds this request to the count, once.
async fn count(process: &Process, shop: &Shop, ctx: &Ctx, between: Between) {
    let read = shop.books().count;
    if between == Between::AnEffect {
        process.effect(ctx, "log the request", "").await;
    }
    let mut books = shop.books();
    let count = match between {
        Between::Nothing => books.count,
        Between::AnEffect => read,
    };
    let new = count + 1;
    if books.counted.insert(ctx.idempotency_key(), new).is_none() {
        books.count = new;
    }
}

fn sold_once(shop: &Shop, ending: &Ending<'_>) -> Result<(), String> {
    let sold = shop.books().sold.len();
    match ending.done() {
        0 | 1 if sold <= 1 => Ok(()),
        done => Err(format!("{done} orders are done, and {sold} have the item")),
    }
}

fn one_order(between: Between) -> CrashTest<Purchase, Shop> {
    crash_test_in(Shop::default, Purchase::Buy, "ada", order(between))
}

/// Two orders of the only item.
fn two_orders(between: Between) -> CrashTest<Purchase, Shop> {
    one_order(between)
        .also(Purchase::Buy, "bob", order(between))
        .ending_invariant("the item is sold once", sold_once)
}

#[test]
fn only_two_orders_show_that_the_last_item_is_sold_twice() {
    let alone = one_order(Between::AnEffect);
    let alone = alone.ending_invariant("the item is sold once", sold_once);
    alone.run();
    let head = |failed: &str| {
        let head = failed.split("\ntimeline\n").next().unwrap_or_default();
        head.to_owned()
    };
    let failed = failure(|| two_orders(Between::AnEffect).run());
    expect![[r#"
        invariants: the item is sold once: 2 orders are done, and 2 have the item
        the window: life 1 of run-1 runs reserve, and its effect has not happened yet: life 2 runs next
        what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
        found after 679 schedules; no fault can be left out (1 simulation)

        point of no return
          2 of 24 continuations break it, before any fault
         13 of 24 continuations break it, after the fault at life1@run-1/reserve:before-effect: switch=life2: likely from here on

        schedule
          at life1@run-1/reserve:before-effect: switch=life2 (life 2 runs next)
        runs
          run-1  done in Bought  lives 1, 3
          run-2  done in Bought  lives 2, 4"#]].assert_eq(&head(&failed));
}

#[test]
fn two_orders_that_ask_and_take_at_once_pass() {
    let findings = two_orders(Between::Nothing).run();
    assert_eq!(findings.violations, []);
    let kinds = findings.fired.keys().map(|fault| fault.group());
    let groups: BTreeSet<_> = kinds.collect();
    for group in [Group::Switch, Group::Crash] {
        assert!(groups.contains(&group), "{groups:?}");
    }
}

fn count_is_right(shop: &Shop, ending: &Ending<'_>) -> Result<(), String> {
    let (counted, done) = (shop.books().count, ending.done());
    let began = shop.books().counted.len();
    match (done..=began).contains(&counted) {
        true => Ok(()),
        false => Err(format!("{done} runs are done, and {counted} are counted")),
    }
}

/// Two different workflows read, change and write one counter.
#[test]
fn two_workflows_lose_an_update_of_the_counter_that_they_share() {
    let both = |between| {
        crash_test_in(Shop::default, Mail::Send, &(), counted_mail(between))
            .also(
                Purchase::Buy,
                "bob",
                move |process: &Process, shop: &Arc<Shop>| {
                    let (process, shop) = (process.clone(), Arc::clone(shop));
                    let charge = move |ctx: Ctx| {
                        let (process, shop) = (process.clone(), Arc::clone(&shop));
                        async move {
                            count(&process, &shop, &ctx, between).await;
                            Ok::<_, TaskError>(Purchase::Bought)
                        }
                    };
                    purchase("charge", charge)
                },
            )
            .ending_invariant("each request is counted", count_is_right)
    };
    expect!["invariants: each request is counted: 2 runs are done, and 1 are counted"]
        .assert_eq(&first_line(|| both(Between::AnEffect).run()));
    both(Between::Nothing).run();
}

/// A charge whose undo is missing for a visit in doubt.
struct Charge(Process);

impl CompensatableTask<Purchase> for Charge {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Purchase, ()), TaskError> {
        self.0.effect(&ctx, "charge the card", "").await;
        Ok((Purchase::Bought, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.0.effect(&ctx, "refund the card", "").await;
        Ok(())
    }
}

/// The first run has no mistake; the oracles judge the second as well.
#[test]
fn each_run_is_judged_and_the_failure_says_which() {
    let test = || {
        crash_test_in(
            Shop::default,
            Mail::Send,
            &(),
            counted_mail(Between::Nothing),
        )
        .also(Purchase::Buy, &(), |process, _| {
            Workflow::builder("order", 1)
                .compensatable(Purchase::Buy, "charge", Charge(process.clone()))
                .exit(Purchase::Bought)
                .build()
                .expect("the workflow is well defined")
        })
    };
    let failed = failure(|| test().run());
    expect![[r#"
        all-or-nothing: run-2: rolled back, but the receiver that honours keys still holds charge (visit 0); whether charge was done was in doubt, and its compensate_in_doubt left it
        the promise: a done run has every effect, a rolled back run none, a stuck run those that it reports
        the window: life 2 of run-2 runs charge, and the attempt begins: the attempt does its work and then reports an error
        what to change: let the undo undo every effect that the task may have had, by ctx.do_idempotency_key(). A visit of unknown outcome is undone by compensate_in_doubt, which does nothing by default
        found after 2,040 schedules; no fault can be left out (2 simulations)

        point of no return
          2 of 24 continuations break it, before any fault
         12 of 24 continuations break it, after the fault at life2@run-2/charge:attempt: attempt-error-after: likely from here on

        schedule
          at life2@run-2/charge:attempt: attempt-error-after (the attempt does its work and then reports an error)
        runs
          run-1  done in Sent  lives 1, 3
          run-2  rolled back  lives 2, 4
        timeline
          life 1  begins as a new run
          life 1  sends     #0   claim                   at Send, life 0000000000000001, input null
          life 1  durable   #0
          life 1  begins    send (visit 0)
          life 1  sends     #1   state_entry             send -> Sent
          life 1  durable   #1
          life 1  returns   done in Sent
          life 2  begins as a new run
          life 2  sends     #0   claim                   at Buy, life 0000000000000002, input null
          life 2  durable   #0
          life 2  begins    charge (visit 0)
          life 2  FAULT     at life2@run-2/charge:attempt: attempt-error-after (the attempt does its work and then reports an error)
          life 2  effect    charge the card
          life 2  fails     charge
          life 2  sends     #1   rollback_start          charge failed: simulated: the attempt fails after its work is done
          life 2  durable   #1
          life 2  begins    undo charge (visit 0)
          life 2  sends     #2   compensated             charge of visit 0, in doubt
          life 2  durable   #2
          life 2  sends     #3   rolled_back
          life 2  durable   #3
          life 2  returns   rolled back
          life 3  begins by resuming, after the last fault, and returns: done in Sent
          life 4  begins by resuming, after the last fault, and returns: rolled back
        log of run-1
          #0   claim                   at Send, life 0000000000000001, input null
          #1   state_entry             send -> Sent
        log of run-2
          #0   claim                   at Buy, life 0000000000000002, input null
          #1   rollback_start          charge failed: simulated: the attempt fails after its work is done
          #2   compensated             charge of visit 0, in doubt
          #3   rolled_back
        ledger
          life 2  charge the card []  visit 0  key 2bd96289

        replay it
          CRASHPOINT_REPLAY=3.crash-test.memory.c1e1.10x2.73e2e519 cargo test -p crashpoint-simulator --test main crash_test::runs::each_run_is_judged_and_the_failure_says_which -- --exact

        keep it, in the module of the test

            #[test]
            fn all_or_nothing_at_life2_run_2_charge_attempt_attempt_error_after() {
                crashpoint_simulator::replay_in(crate::crash_test::runs::each_run_is_judged_and_the_failure_says_which, 1, "v1; at life2@run-2/charge:attempt: attempt-error-after");
            }"#]].assert_eq(&failed);
    let words = failed
        .split('"')
        .find(|text| text.starts_with("v1; at life"));
    let words = words.expect("the failure keeps its schedule in words");
    let again = failure(|| test().replay(words));
    assert!(again.contains("all-or-nothing: run-2: "), "{again}");
}

/// Holds the door while it works. A run that waits for the door is not stuck: the holder, whose process has
/// died, is resumed beside it and gives the door back.
#[test]
fn a_run_is_resumed_while_another_waits_for_it() {
    let visitor = |process: &Process, shop: &Arc<Shop>| {
        let (process, shop) = (process.clone(), Arc::clone(shop));
        let visit = move |ctx: Ctx| {
            let (process, shop) = (process.clone(), Arc::clone(&shop));
            async move {
                let own = process.workflow_id().to_owned();
                while !shop.enters(&own) {
                    ctx.sleep(Duration::from_secs(1)).await;
                }
                process.effect(&ctx, "look around", "").await;
                shop.leaves(&own);
                Ok::<_, TaskError>(Mail::Sent)
            }
        };
        Workflow::builder("visit", 1)
            .task(Mail::Send, "visit", visit)
            .exit(Mail::Sent)
            .build()
            .expect("the workflow is well defined")
    };
    let crashed = "v1; at life1@run-1/visit:before-effect: crash";
    let test =
        || crash_test_in(Shop::default, Mail::Send, &(), visitor).also(Mail::Send, &(), visitor);
    let story = test().replay(crashed);
    assert!(story.contains("run-2  done in Sent"), "{story}");
}

#[test]
fn an_invariant_gets_the_outcome_of_every_run() {
    let test = two_orders(Between::Nothing).ending_invariant("there are two", |_, ending| {
        let ends: Vec<String> = ending.outcomes().iter().map(ToString::to_string).collect();
        match ends.len() {
            2 => Ok(()),
            _ => Err(ends.join(", ")),
        }
    });
    test.crashes(1).samples(0).run();
}

/// A test in which nobody gets the item shows nothing.
#[test]
fn a_test_in_which_no_run_is_ever_done_fails() {
    let nobody = |_: &Process, _: &Arc<Shop>| {
        let reserve = async |_: Ctx| Err::<Purchase, _>(TaskError::fatal("sold out"));
        purchase("reserve", reserve)
    };
    let test = || {
        crash_test_in(Shop::default, Purchase::Buy, &(), nobody).also(Purchase::Buy, &(), nobody)
    };
    expect!["calm-is-done: run-1: the run is rolled back: reserve failed: sold out"]
        .assert_eq(&first_line(|| test().run()));
    test().may_never_be_done().crashes(1).samples(0).run();
}
