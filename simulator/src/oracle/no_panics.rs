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
        "return an error in place of a panic. A task that needs tokio runs with CrashTest::tokio, of the feature \
         `tokio`. A simulation has no sockets: in place of tokio::net, or of a client over it such as reqwest or a \
         pool of sqlx, put a fake behind a trait of yours, and call it by Process::service. \
         CrashTest::tasks_may_panic accepts panics",
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
    let during = case.during(place);
    Err(format!("life {life} panicked{during}: {message}"))
}
