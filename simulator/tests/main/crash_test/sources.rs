//! What a task reads past the simulation: refused, found because the schedules run twice, or not noticed.
//! `docs/determinism.md` has a row for each source, and names the test that shows it.

use std::collections::BTreeSet;
use std::future::ready;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crashpoint::{Ctx, TaskError};
use crashpoint_simulator::{CrashTest, Process, crash_test};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Mail, first_line, mail_workflow};

type Text = BoxFuture<'static, String>;

/// A crash test of a workflow with one task, whose effect has the text that `read` gives.
fn reading(read: impl Fn() -> Text + Clone + Send + Sync + 'static) -> CrashTest<Mail> {
    crash_test(Mail::Send, &(), move |process: &Process| {
        let (process, read) = (process.clone(), read.clone());
        let send = move |ctx: Ctx| {
            let (process, text) = (process.clone(), read());
            async move {
                process.effect(&ctx, "send the mail", &text.await).await;
                Ok::<_, TaskError>(Mail::Sent)
            }
        };
        mail_workflow(send)
    })
}

#[track_caller]
fn check_found(test: CrashTest<Mail>) {
    let first = first_line(|| test.run());
    let expected = "the workflow is not deterministic: ";
    assert!(first.starts_with(expected), "{first}");
}

/// The lint of the wall clock fires as well, or else the expectation would be a warning.
#[test]
#[expect(clippy::disallowed_methods, reason = "to see that it is found")]
fn the_time_of_the_system_is_found() {
    check_found(reading(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        ready(format!("{now:?}")).boxed()
    }));
}

/// Nobody frees what the first run allocated, so the second run gets other memory.
#[test]
fn an_address_in_memory_is_found() {
    check_found(reading(|| {
        let leaked: &'static u8 = Box::leak(Box::new(0));
        ready(format!("{leaked:p}")).boxed()
    }));
}

#[test]
fn a_file_that_changes_between_two_runs_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mails");
    check_found(reading(move || {
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path);
        let written = file.and_then(|mut file| file.write_all(b"."));
        written.expect("the file can be written");
        let length = std::fs::metadata(&path).expect("the file exists").len();
        ready(length.to_string()).boxed()
    }));
}

/// A token of such a schedule may not reproduce on another machine.
#[test]
fn a_file_and_a_variable_that_never_change_go_unnoticed() {
    let findings = reading(|| {
        let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let manifest = std::fs::read_to_string(format!("{folder}/Cargo.toml"));
        ready(manifest.expect("the manifest can be read")).boxed()
    });
    assert!(findings.run().repeated > 0, "schedules ran twice");
}

/// Only the lint refuses it: the task waits for the thread, so both runs are the same.
#[test]
#[expect(clippy::disallowed_methods, reason = "to see that the lint fires")]
fn a_thread_that_its_task_joins_goes_unnoticed() {
    let findings = reading(|| {
        let thread = std::thread::spawn(|| "joined".to_owned());
        ready(thread.join().expect("the thread ends")).boxed()
    });
    assert!(findings.run().repeated > 0, "schedules ran twice");
}

// ---- in the lane of tokio ----

/// 64 choices between two futures that are ready: tokio draws each from its own seed.
#[test]
fn a_select_without_biased_is_found() {
    let drawn = || async {
        let mut drawn = String::new();
        for _ in 0..64 {
            tokio::select! {
                () = ready(()) => drawn.push('a'),
                () = ready(()) => drawn.push('b'),
            }
        }
        drawn
    };
    check_found(reading(move || drawn().boxed()).tokio());
}

#[test]
fn a_select_with_biased_is_the_same_twice() {
    let findings = reading(|| {
        async {
            tokio::select! {
                biased;
                () = ready(()) => "a".to_owned(),
                () = ready(()) => "b".to_owned(),
            }
        }
        .boxed()
    });
    assert!(findings.tokio().run().repeated > 0, "schedules ran twice");
}

/// The order of waking is fixed, so an error that needs the other order is never found.
#[test]
fn tasks_that_are_spawned_on_tokio_run_in_one_order() {
    let orders: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let seen = Arc::clone(&orders);
    let spawning = reading(move || {
        let seen = Arc::clone(&seen);
        async move {
            let order: Arc<Mutex<String>> = Arc::default();
            let spawned = ['a', 'b'].map(|name| {
                let order = Arc::clone(&order);
                tokio::spawn(async move {
                    order.lock().expect("nobody panicked with it").push(name);
                })
            });
            for task in spawned {
                task.await.expect("the task ends");
            }
            let order = order.lock().expect("nobody panicked with it").clone();
            let mut seen = seen.lock().expect("nobody panicked with it");
            seen.insert(order.clone());
            order
        }
        .boxed()
    });
    let spawning = spawning.tokio().crashes(1).samples(10);
    assert!(spawning.run().schedules > 10);
    let orders = orders.lock().expect("nobody panicked with it");
    assert_eq!(*orders, BTreeSet::from(["ab".to_owned()]));
}

/// The runtime has no driver of input and output.
#[test]
fn a_socket_of_tokio_is_refused() {
    let binds = reading(|| {
        async {
            let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await;
            format!("{socket:?}")
        }
        .boxed()
    });
    let first = first_line(|| binds.tokio().run());
    let expected = "no-panics: life 1 panicked in send: ";
    assert!(first.starts_with(expected), "{first}");
    assert!(first.contains("IO is disabled"), "{first}");
}
