//! A kept schedule of a crash test that a test function makes in a loop, a macro or a helper.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// The number of crash tests that this thread has begun.
    static BEGUN: Cell<usize> = const { Cell::new(0) };
    static WANTED: RefCell<Option<Wanted>> = const { RefCell::new(None) };
}

/// The schedule to replay, and the number of its crash test, from 1.
#[derive(Debug, Clone)]
struct Wanted {
    number: usize,
    schedule: String,
}

/// The payload of the unwinding that ends a test function after its replay.
struct Replayed;

/// Calls a test function and replays one schedule of one of its crash tests: of the first, the second, and
/// so on, in the order in which they run. The function ends with this replay; the crash tests before it run
/// as usual. The regression test of a failure calls this where the crash test is made in a loop, a
/// macro or a helper, so that its text can't be given back alone.
///
/// ```
/// # use crashpoint::{Ctx, State, Workflow};
/// # use crashpoint_simulator::{crash_test, replay_in};
/// # #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// # enum Mail { Send, Sent }
/// fn mails_are_sent() {
///     for start in [Mail::Send, Mail::Send] {
///         let test = crash_test(start, &(), |_| {
///             Workflow::builder("mail", 1)
///                 .task(Mail::Send, "send", async |_: Ctx| Ok(Mail::Sent))
///                 .exit(Mail::Sent)
///                 .build()
///                 .unwrap()
///         });
///         test.samples(0).run();
///     }
/// }
///
/// replay_in(mails_are_sent, 2, "v1; at life1/append#1:before: crash");
/// ```
///
/// # Panics
///
/// As [`CrashTest::replay`](crate::CrashTest::replay), if the function panics before, or if it runs fewer
/// crash tests.
#[track_caller]
pub fn replay_in<T>(test: impl FnOnce() -> T, number: usize, schedule: &str) {
    let wanted = Wanted {
        number,
        schedule: schedule.to_owned(),
    };
    BEGUN.set(0);
    WANTED.set(Some(wanted));
    let ended = catch_unwind(AssertUnwindSafe(|| drop(test())));
    let begun = BEGUN.replace(0);
    let unmet = WANTED.take();
    match ended {
        Err(payload) if payload.is::<Replayed>() => {}
        Err(payload) => resume_unwind(payload),
        Ok(()) => {
            assert!(
                unmet.is_none(),
                "crash test {number} was to replay {schedule:?}, but the function runs only {begun}"
            );
        }
    }
}

/// The crash test that begins now: its number on this thread, and the schedule that it is to replay.
pub(super) fn begin() -> (usize, Option<String>) {
    let number = BEGUN.get() + 1;
    BEGUN.set(number);
    let schedule = WANTED.with_borrow_mut(|wanted| {
        let is_wanted = wanted.as_ref().is_some_and(|it| it.number == number);
        let wanted = if is_wanted { wanted.take() } else { None };
        wanted.map(|wanted| wanted.schedule)
    });
    (number, schedule)
}

/// Ends the test function that [`replay_in`] calls.
pub(super) fn end() -> ! {
    let payload: Box<dyn Any + Send> = Box::new(Replayed);
    resume_unwind(payload)
}
