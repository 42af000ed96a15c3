//! No life, task, step or undo panics unless the schedule says so.
//!
//! The engine treats a panicking task as failed, so a test of nothing but rollbacks would pass. A
//! workload whose tasks may panic ([`Panics::Belong`](crate::sim::Panics)) records none of
//! these panics.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-panics",
    promise: "nothing panics unless the schedule says so",
    kind: Kind::Safety,
    advice: Some(
        "return an error in place of a panic; CrashTest::tasks_may_panic accepts panics, CrashTest::tokio brings a runtime",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut panics = case.history().select(|what| match what {
        What::Panicked(message) => Some(message),
        _ => None,
    });
    let Some((place, life, message)) = panics.next() else {
        return Ok(());
    };
    // The promise is broken, whatever the message.
    let (during, advice) = (case.during(place), advice(message));
    Err(format!("life {life} panicked{during}: {message}{advice}"))
}

/// Advice about a panic. tokio panics with a text only, so the text is the only way to recognise
/// it. It only decides whether the advice is printed: if another version of tokio has another text,
/// the verdict is the same without the advice.
fn advice(message: &str) -> &'static str {
    /// The panic message of tokio's time and tasks outside a tokio runtime.
    const OUTSIDE_OF_TOKIO: &str = "there is no reactor running";
    /// The panic message of tokio's sockets, timers of the system and signals in the tokio lane.
    const NO_IO: &str = "IO is disabled";
    if message.contains(NO_IO) {
        return "; a simulation has no sockets, so tokio::net, and clients over it such as reqwest or a \
                pool of sqlx, are refused: put a fake of the service into the world of the test, behind a \
                trait of yours, and call it by Process::service";
    }
    if message.contains(OUTSIDE_OF_TOKIO) {
        "; there is no runtime of tokio's in this simulation: CrashTest::tokio, of the feature \"tokio\", \
         brings one"
    } else {
        ""
    }
}
