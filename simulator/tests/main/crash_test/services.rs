//! Services that tasks call through the simulation: crash points, faults, and receivers without keys.
//! Each mistake has a twin without it, which passes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{CompensatableTask, Ctx, RetryPolicy, TaskError, Workflow};
use crashpoint_simulator::{
    CrashTest, Fault, LifeEnd, Process, ServiceError, ServiceFault, crash_test_in,
};
use expect_test::{Expect, expect};

use super::{Order, failure};

/// The first line of a failure, and the schedule.
#[track_caller]
fn check<W: Send + Sync + 'static>(test: CrashTest<Order, W>, expected: &Expect) {
    let failure = failure(|| test.run());
    let (head, _) = failure.split_once("\ntimeline\n").expect("a timeline");
    let (first, _) = head.split_once('\n').expect("some lines");
    let (_, schedule) = head.split_once("\nschedule\n").expect("a schedule");
    expected.assert_eq(&format!("{first}\n{schedule}"));
}

/// A bank and a warehouse: what they hold, by the key of the request, and what they refuse from now on.
#[derive(Default)]
struct Services {
    held: Mutex<BTreeMap<(&'static str, String), bool>>,
}

impl Services {
    /// Takes a request once, and never after its undo.
    fn take(&self, service: &'static str, key: String) {
        let mut held = self.held.lock().expect("nobody panicked with it");
        held.entry((service, key)).or_insert(true);
    }

    fn give_back(&self, service: &'static str, key: String) {
        let mut held = self.held.lock().expect("nobody panicked with it");
        held.insert((service, key), false);
    }

    fn has(&self, service: &'static str, key: String) -> bool {
        let held = self.held.lock().expect("nobody panicked with it");
        held.get(&(service, key)).copied().unwrap_or_default()
    }

    fn number_held(&self) -> usize {
        let held = self.held.lock().expect("nobody panicked with it");
        held.values().filter(|held| **held).count()
    }
}

/// The mistake of a saga.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The undo forgets the warehouse.
    ForgetsTheWarehouse,
    /// A lost answer is taken for a refusal: nothing is undone.
    TakesSilenceForNo,
}

struct Buy {
    process: Process,
    services: Arc<Services>,
    mistake: Mistake,
}

impl Buy {
    async fn call(&self, ctx: &Ctx, service: &'static str) -> Result<(), ServiceError> {
        let (services, key) = (&self.services, ctx.idempotency_key());
        let called = self.process.service(service);
        let request = move || services.take(service, key);
        called.call(ctx, "take", request).await
    }

    async fn undo(&self, ctx: &Ctx, service: &'static str) -> Result<(), ServiceError> {
        let (services, key) = (&self.services, ctx.do_idempotency_key());
        let called = self.process.service(service);
        let request = move || services.give_back(service, key);
        called.call(ctx, "give back", request).await
    }

    async fn undo_all(&self, ctx: &Ctx) -> Result<(), TaskError> {
        self.undo(ctx, "bank").await?;
        if self.mistake != Mistake::ForgetsTheWarehouse {
            self.undo(ctx, "warehouse").await?;
        }
        Ok(())
    }
}

impl CompensatableTask<Order> for Buy {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        self.call(&ctx, "bank").await?;
        self.call(&ctx, "warehouse").await?;
        Ok((Order::Pack, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.undo_all(&ctx).await
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        if self.mistake == Mistake::TakesSilenceForNo {
            let (services, key) = (&self.services, ctx.do_idempotency_key());
            let bank = self.process.service("bank");
            let asked = bank.ask(&ctx, "is it charged?", move || services.has("bank", key));
            if asked.await.is_ok_and(|charged| charged) {
                self.undo_all(&ctx).await?;
            }
            return Ok(());
        }
        self.undo_all(&ctx).await
    }
}

fn order(mistake: Mistake) -> CrashTest<Order, Services> {
    let test = crash_test_in(
        Services::default,
        Order::Charge,
        &(),
        move |process, services| {
            let buy = Buy {
                process: process.clone(),
                services: Arc::clone(services),
                mistake,
            };
            Workflow::builder("order", 1)
                .compensatable(Order::Charge, "buy", buy)
                .undo_retry(RetryPolicy::fixed(4, Duration::ZERO))
                .task(Order::Pack, "pack", async |_: Ctx| Ok(Order::Shipped))
                .exit(Order::Shipped)
                .build()
                .expect("the workflow is well defined")
        },
    );
    test.invariant(
        "everything is held, or nothing",
        |services, outcome| match (services.number_held(), outcome) {
            (2, LifeEnd::Done(_)) | (0, LifeEnd::RolledBack) | (_, LifeEnd::Stuck(_)) => Ok(()),
            (held, outcome) => Err(format!("{outcome}, and {held} are held")),
        },
    )
}

#[test]
fn a_saga_over_services_passes_and_meets_every_fault_of_them() {
    let findings = order(Mistake::None).run();
    assert_eq!(
        findings.services.iter().collect::<Vec<_>>(),
        ["bank", "warehouse"]
    );
    for fault in ServiceFault::KINDS {
        assert!(
            findings.fired.contains_key(&Fault::from(*fault)),
            "{fault:?}"
        );
    }
    let points: Vec<&str> = findings.recorder.points().collect();
    for point in [
        "life1/buy:before-call",
        "life1/buy:after-call",
        "life1/buy.2:before-call",
    ] {
        assert!(points.contains(&point), "{point} is missing in {points:?}");
    }
}

#[test]
fn an_undo_that_forgets_one_of_two_services_is_caught_without_an_invariant() {
    check(
        order(Mistake::ForgetsTheWarehouse),
        &expect![[r#"
            all-or-nothing: rolled back, but the receiver that honours keys still holds buy (visit 0) at warehouse; whether buy was done was in doubt, and its compensate_in_doubt left it
              at life1/buy:attempt: attempt-error-after (the attempt does its work and then reports an error)"#]],
    );
}

#[test]
fn a_lost_answer_that_is_taken_for_a_refusal_is_caught() {
    check(
        order(Mistake::TakesSilenceForNo),
        &expect![[r#"
            all-or-nothing: rolled back, but the receiver that honours keys still holds buy (visit 0) at warehouse; whether buy was done was in doubt, and its compensate_in_doubt left it
              at life1/buy:attempt: attempt-error-after (the attempt does its work and then reports an error)
              at life1/undo buy.3:before-call: crash (the process crashes)"#]],
    );
}

#[test]
fn a_call_and_a_question_appear_in_the_story() {
    let calm =
        order(Mistake::TakesSilenceForNo).replay("v1; at life1/buy.2:before-call: service-refused");
    expect![[r#"
        schedule
          at life1/buy.2:before-call: service-refused (the service refuses the request, which has no effect)
        timeline
          life 1  begins as a new run
          life 1  sends     #0   claim                   at Charge, life 0000000000000001, input null
          life 1  durable   #0
          life 1  begins    buy (visit 0)
          life 1  effect    bank: take
          life 1  FAULT     at life1/buy.2:before-call: service-refused (the service refuses the request, which has no effect)
          life 1  fails     buy
          life 1  sends     #1   rollback_start          buy failed: warehouse refuses "take"
          life 1  durable   #1
          life 1  begins    undo buy (visit 0)
          life 1  notes     asks bank: is it charged?
          life 1  effect    bank: give back
          life 1  effect    warehouse: give back
          life 1  sends     #2   compensated             buy of visit 0, in doubt
          life 1  durable   #2
          life 1  sends     #3   rolled_back
          life 1  durable   #3
          life 1  returns   rolled back
          life 2  begins by resuming, after the last fault, and returns: rolled back
        log
          #0   claim                   at Charge, life 0000000000000001, input null
          #1   rollback_start          buy failed: warehouse refuses "take"
          #2   compensated             buy of visit 0, in doubt
          #3   rolled_back
        ledger
          life 1  bank: take  visit 0  key 6dff2f80
          life 1  bank: give back  visit 0  key 9e93135b
          life 1  warehouse: give back  visit 0  key 9e93135b
        violations
          none
    "#]].assert_eq(&calm);
}

// ---- services without keys ----

/// The number of parcels that a carrier took. It keeps no keys.
type Carrier = Mutex<u32>;

fn parcel(asks: bool) -> CrashTest<Order, Carrier> {
    let test = crash_test_in(
        Carrier::default,
        Order::Pack,
        &(),
        move |process, carrier| {
            let (process, carrier) = (process.clone(), Arc::clone(carrier));
            let pack = move |ctx: Ctx| {
                let (process, carrier) = (process.clone(), Arc::clone(&carrier));
                async move {
                    let service = process.service("carrier").without_keys();
                    let parcels = || *carrier.lock().expect("nobody panicked with it");
                    if asks && service.ask(&ctx, "how many?", parcels).await? > 0 {
                        process.note("the carrier has the parcel");
                        return Ok(Order::Shipped);
                    }
                    let take = || *carrier.lock().expect("nobody panicked with it") += 1;
                    service.call(&ctx, "take a parcel", take).await?;
                    Ok::<_, TaskError>(Order::Shipped)
                }
            };
            Workflow::builder("parcel", 1)
                .task(Order::Pack, "pack", pack)
                .retry(RetryPolicy::fixed(5, Duration::ZERO))
                .exit(Order::Shipped)
                .exit(Order::Charge)
                .build()
                .expect("the workflow is well defined")
        },
    );
    test.never_fails_for_good("pack").without(Fault::Cancel)
}

#[test]
fn a_second_request_at_a_service_without_keys_is_caught() {
    check(
        parcel(false),
        &expect![[r#"
            keyless-once: carrier has performed "take a parcel" of pack twice, for life 1 and again for life 2
              at life1/pack:after-call: crash (the process crashes)"#]],
    );
    let findings = parcel(true).run();
    assert!(
        findings
            .fired
            .contains_key(&Fault::from(ServiceFault::AnswerLost))
    );
}

#[test]
fn a_note_is_a_line_of_the_timeline() {
    let story = parcel(true).replay("v1; at life1/pack.2:after-call: crash");
    assert!(
        story.contains("  life 2  notes     the carrier has the parcel\n"),
        "{story}"
    );
}

// ---- two writes ----

/// Two accounts.
type Accounts = Mutex<[i64; 2]>;

/// The accounts, and the key of the transfer that was made.
type Transfer = (Accounts, Mutex<Option<String>>);

/// How the money is moved from one to the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    /// Both writes in one call, once for each key.
    InOneCall,
    /// Each write in a call of its own.
    InTwoCalls,
    /// Both writes at once, without the simulation.
    Silently,
}

fn transfer(how: Move) -> CrashTest<Order, Transfer> {
    let world = || (Accounts::default(), Mutex::default());
    let test = crash_test_in(
        world,
        Order::Pack,
        &(),
        move |process, world: &Arc<Transfer>| {
            let (process, world) = (process.clone(), Arc::clone(world));
            let pack = move |ctx: Ctx| {
                let (process, world) = (process.clone(), Arc::clone(&world));
                async move {
                    let (accounts, seen) = &*world;
                    let write = |account: usize, cents: i64| {
                        accounts.lock().expect("nobody panicked with it")[account] += cents;
                    };
                    let key = ctx.idempotency_key();
                    let is_new = seen
                        .lock()
                        .expect("nobody panicked with it")
                        .replace(key)
                        .is_none();
                    let bank = process.service("bank");
                    match how {
                        _ if !is_new => {}
                        Move::InOneCall => {
                            let both = || {
                                write(0, -5);
                                write(1, 5);
                            };
                            both();
                        }
                        Move::InTwoCalls => {
                            bank.call(&ctx, "take", || write(0, -5)).await?;
                            bank.call(&ctx, "give", || write(1, 5)).await?;
                        }
                        Move::Silently => {
                            write(0, -5);
                            write(1, 5);
                        }
                    }
                    Ok::<_, TaskError>(Order::Shipped)
                }
            };
            Workflow::builder("transfer", 1)
                .task(Order::Pack, "pack", pack)
                .exit(Order::Shipped)
                .exit(Order::Charge)
                .build()
                .expect("the workflow is well defined")
        },
    );
    test.invariant("no money is lost", |(accounts, _), _| {
        let accounts = accounts.lock().expect("nobody panicked with it");
        match accounts.iter().sum::<i64>() {
            0 => Ok(()),
            lost => Err(format!("{lost} cents")),
        }
    })
}

/// Two writes of a fake without a call between them are one write for every crash: the docs say so.
#[test]
fn a_crash_comes_between_two_calls_and_never_between_two_silent_writes() {
    check(
        transfer(Move::InTwoCalls),
        &expect![[r#"
        invariants: no money is lost: -5 cents
          at life1/pack:after-call: crash (the process crashes)"#]],
    );
    transfer(Move::Silently).run();
    transfer(Move::InOneCall).run();
}
