//! A service that keeps no idempotency keys gets a request of an action once.
//!
//! Nobody at such a service drops a repeated request, so a task that runs again must ask first. Where two
//! lives overlapped, both may have asked before either acted, and no task can do better: these runs are
//! not judged.

use std::collections::BTreeMap;

use crate::history::Receiver;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "keyless-once",
    promise: "a service that keeps no keys performs a request of an action once",
    kind: Kind::Safety,
    advice: Some(
        "nobody at such a service drops a repeated request: ask it whether the request was performed before the task \
         sends it again",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if case.lives_overlapped() {
        return Ok(());
    }
    let mut performed = BTreeMap::new();
    for (_, life, effect) in case.history().effects() {
        let Receiver::WithoutKeys(service) = &effect.receiver else {
            continue;
        };
        let (task, request) = (&effect.task, &effect.name);
        if let Some(first) = performed.insert((service, &effect.key, request), life) {
            return Err(format!(
                "{service} has performed {request:?} of {task} twice, for life {first} and again for life \
                 {life}"
            ));
        }
    }
    Ok(())
}
