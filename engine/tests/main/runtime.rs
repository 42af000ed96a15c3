//! The production runtime keeps the contract of the seam.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crashpoint::{Runtime, TaskHandle, TokioRuntime};
use futures_util::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Sets its flag when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sleep_takes_its_time_on_tokio_s_clock() {
    let runtime = TokioRuntime::new();
    let begun = Instant::now();
    let earlier = runtime.now();
    runtime.sleep(Duration::from_secs(3600)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(3600));
    assert_eq!(runtime.now() - earlier, Duration::from_secs(3600));
    assert!(runtime.unix_ms() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_spawned_task_runs_beside_its_caller_and_is_joined() {
    let runtime = TokioRuntime::default();
    let (done, is_done) = oneshot::channel();
    let handle = runtime.spawn(Box::pin(async move {
        done.send(7).expect("the test listens");
    }));
    assert_eq!(format!("{handle:?}"), "TaskHandle { finished: false }");
    assert_eq!(is_done.await, Ok(7), "it runs before it is joined");
    handle.await;
}

#[tokio::test(start_paused = true)]
async fn dropping_a_handle_aborts_its_task() {
    let runtime = TokioRuntime::new();
    let flag = Arc::new(AtomicBool::new(false));
    let dropped = Dropped(Arc::clone(&flag));
    let (begun, has_begun) = oneshot::channel();
    let handle = runtime.spawn(Box::pin(async move {
        let _dropped = dropped;
        begun.send(()).expect("the test listens");
        std::future::pending::<()>().await;
    }));
    has_begun.await.expect("the task begins");
    assert!(!flag.load(Ordering::SeqCst));
    drop(handle);
    tokio::task::yield_now().await;
    assert!(flag.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_joined_handle_aborts_nothing() {
    let aborted = Arc::new(AtomicBool::new(false));
    let handle = |joined: bool| {
        let aborted = Arc::clone(&aborted);
        let end = async move {
            if !joined {
                std::future::pending::<()>().await;
            }
        };
        TaskHandle::new(end, move || aborted.store(true, Ordering::SeqCst))
    };
    handle(true).await;
    assert!(!aborted.load(Ordering::SeqCst));
    drop(handle(false));
    assert!(aborted.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_panic_goes_on_in_whoever_joins() {
    let runtime = TokioRuntime::new();
    let handle = runtime.spawn(Box::pin(async { panic!("a bug") }));
    let blocking = runtime.blocking(Box::new(|| panic!("another bug")));
    for (joined, expected) in [
        (
            std::panic::AssertUnwindSafe(handle).catch_unwind().await,
            "a bug",
        ),
        (
            std::panic::AssertUnwindSafe(blocking).catch_unwind().await,
            "another bug",
        ),
    ] {
        let panic = joined.expect_err("it panicked");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&expected));
    }
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
