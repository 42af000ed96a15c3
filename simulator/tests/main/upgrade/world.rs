//! The world of an upgrade test: what reaches it alone is compared, and its invariants hold at every
//! instant. Each mistake has a twin without it, which passes.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use crashpoint::{Ctx, TaskError, Workflow};
use crashpoint_simulator::{Process, UpgradeTest, upgrade_test_in};

use super::{Mail, failure};

/// What a mail server has got.
type Server = Mutex<Vec<String>>;

fn all(server: &Server) -> Vec<String> {
    server.lock().expect("nobody panicked with it").clone()
}

fn put(server: &Server, line: String) {
    server.lock().expect("nobody panicked with it").push(line);
}

/// A number that differs in each run, as a random id does.
fn drawn_by_the_system() -> String {
    RandomState::new().hash_one(0).to_string()
}

/// Writes and sends a mail. A version sends what `line` returns.
fn mail(
    process: &Process,
    server: &Arc<Server>,
    version: u32,
    line: fn(&Ctx) -> String,
) -> Workflow<Mail> {
    let process = process.clone();
    let write = move |ctx: Ctx| {
        let process = process.clone();
        async move {
            process.effect(&ctx, "write the mail", "").await;
            Ok::<_, TaskError>(Mail::Send)
        }
    };
    let server = Arc::clone(server);
    let send = move |ctx: Ctx| {
        put(&server, line(&ctx));
        async { Ok::<_, TaskError>(Mail::Sent) }
    };
    Workflow::builder("mail", version)
        .accepts([1])
        .task(Mail::Write, "write", write)
        .task(Mail::Send, "send", send)
        .exit(Mail::Sent)
        .build()
        .expect("the workflow is valid")
}

/// An upgrade from a version that sends the key to one that sends what `line` returns.
fn sending(line: fn(&Ctx) -> String) -> UpgradeTest<Mail, Mail, Server> {
    upgrade_test_in(Server::default, Mail::Write, &(), |process, server| {
        mail(process, server, 1, Ctx::idempotency_key)
    })
    .to_in(Mail::Write, &(), move |process, server| {
        mail(process, server, 2, line)
    })
    .crashes(1)
}

#[track_caller]
fn check_found(test: UpgradeTest<Mail, Mail, Server>) {
    let failure = failure(|| test.run());
    let expected = "the workflow is not deterministic: ";
    assert!(failure.starts_with(expected), "{failure}");
    assert!(failure.contains("\n  first  world "), "{failure}");
}

/// The upgrade test had a subject of its own, without the words of its world. So what differed there from
/// run to run went unseen.
#[test]
fn what_the_new_release_draws_from_the_system_is_found_in_the_world_alone() {
    check_found(sending(|_| drawn_by_the_system()).show_world());
    sending(Ctx::idempotency_key).show_world().run();
}

#[test]
fn the_fingerprint_of_a_world_is_compared_without_showing_the_world() {
    let copy = |server: &Server| Mutex::new(all(server));
    check_found(sending(|_| drawn_by_the_system()).fingerprint(all, copy));
    sending(Ctx::idempotency_key).fingerprint(all, copy).run();
}

/// At the end of each run the mails are there, so only the instants show that there were none before.
#[test]
fn an_invariant_of_every_instant_is_asked_in_an_upgrade_test() {
    let never_empty = |server: &Server| match all(server).is_empty() {
        true => Err("there is no mail"),
        false => Ok(()),
    };
    let broken = sending(Ctx::idempotency_key).always("there is a mail", never_empty);
    let failure = failure(|| broken.run());
    let expected = "invariants: there is a mail: there is no mail (at an instant of life 1";
    assert!(failure.contains(expected), "{failure}");
    let keys_only = |server: &Server| match all(server).iter().all(|key| key.len() <= 64) {
        true => Ok(()),
        false => Err("a mail is no key"),
    };
    let kept = sending(Ctx::idempotency_key).always("each mail is a key", keys_only);
    kept.run();
}
