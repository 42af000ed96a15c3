//! The production runtime keeps the contract of the seam.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crashpoint::{Runtime, TokioRuntime};
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_sleep_takes_its_time_on_tokio_s_clock() {
    let runtime = TokioRuntime::new();
    let begun = Instant::now();
    runtime.sleep(Duration::from_secs(3600)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(3600));
    assert!(runtime.unix_ms() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_blocking_work_goes_on_in_its_caller() {
    let runtime = TokioRuntime::new();
    let blocking = runtime.blocking(Box::new(|| panic!("a bug")));
    let joined = std::panic::AssertUnwindSafe(blocking).catch_unwind().await;
    let panic = joined.expect_err("it panicked");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a bug"));
}

#[tokio::test]
async fn blocking_work_is_awaited_and_finishes_when_it_is_dropped() {
    let runtime = TokioRuntime::new();
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    runtime
        .blocking(Box::new(move || seen.store(true, Ordering::SeqCst)))
        .await;
    assert!(flag.load(Ordering::SeqCst));

    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let (done, is_done) = oneshot::channel();
    let mut work = runtime.blocking(Box::new(move || {
        may_go.recv().expect("the test says go");
        done.send(()).expect("the test listens");
    }));
    assert!(futures_util::poll!(&mut work).is_pending());
    drop(work);
    go.send(()).expect("the work waits");
    is_done.await.expect("the work finished");
}

#[test]
fn entropy_does_not_repeat() {
    let runtime = TokioRuntime::new();
    let drawn: BTreeSet<[u8; 16]> = (0..1000).map(|_| runtime.entropy()).collect();
    assert_eq!(drawn.len(), 1000);
}
