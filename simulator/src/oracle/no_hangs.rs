//! Every life comes to an end: it does not go in circles, wait for what never comes, or ask for what a
//! simulation does not have.

use crate::history::{Stopped, What};
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-hangs",
    promise: "every life comes to an end by itself",
    kind: Kind::Safety,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.history().0.iter().enumerate() {
        let life = entry.life;
        let during = || case.during(place);
        match &entry.what {
            What::Stopped(Stopped::Endless) => {
                return Err(format!(
                    "life {life} goes in circles{}: it was stopped",
                    during()
                ));
            }
            What::Stopped(why @ Stopped::Spinning) => {
                return Err(format!(
                    "life {life} goes in circles{}: {why}; where it yields until something comes, no time \
                     passes until then",
                    during()
                ));
            }
            What::Stopped(why @ Stopped::WantsThread) => {
                return Err(format!("life {life} was stopped{}: {why}", during()));
            }
            What::Stalled => {
                return Err(format!(
                    "a life waits for what never comes{}: nothing in the simulation is left that could \
                     wake it, and nothing outside of it, such as a thread, is waited for",
                    during()
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
