//! Every life ends: it does not loop for ever, wait for something that never comes, or request what
//! a simulation does not have.

use crate::history::{Stopped, What};
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-hangs",
    promise: "every life ends by itself",
    kind: Kind::Safety,
    advice: Some(
        "bound the loop, or put what the task waits for into the world of the test. CrashTest::waits_max allows more \
         waits, for something that happens later",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.history().0.iter().enumerate() {
        let life = entry.life;
        let during = || case.during(place);
        match &entry.what {
            What::Stopped(Stopped::Endless) => {
                return Err(format!(
                    "life {life} never ended{}: it was stopped",
                    during()
                ));
            }
            What::Stopped(why @ Stopped::Spinning) => {
                return Err(format!(
                    "life {life} never ended{}: {why}; while a task only yields, no time passes",
                    during()
                ));
            }
            What::Stopped(why @ (Stopped::Circling { .. } | Stopped::Woken { .. })) => {
                return Err(format!(
                    "life {life} never ended{}: {why}, and was stopped",
                    during()
                ));
            }
            What::Stopped(why @ Stopped::WantsThread) => {
                return Err(format!("life {life} was stopped{}: {why}", during()));
            }
            What::Stalled => {
                return Err(format!(
                    "a life waits for ever{}: nothing in the simulation can wake it, and a simulation does \
                     not wait for anything outside, such as a thread",
                    during()
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
