//! A timer ends at the deadline in its row, whatever crashes and however clocks jump: the wall clock has
//! reached it, and no life waits beyond it.
//!
//! A timer may end late, when nobody had the run or a clock has jumped ahead.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "timers-keep-their-deadline",
    promise: "a timer ends at the deadline in its row, in every life",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.history().0.iter().enumerate() {
        let life = entry.life;
        let (What::Waits { task, visit, .. } | What::TimerEnded { task, visit, .. }) = &entry.what
        else {
            continue;
        };
        let deadline = case.log_at(place).and_then(|log| log.deadline(*visit));
        let Some(deadline) = deadline else {
            return Err(format!(
                "life {life} waits for {task} of visit {visit}, which has no durable deadline"
            ));
        };
        match &entry.what {
            What::Waits { until_unix_ms, .. } if *until_unix_ms > deadline => {
                let beyond = until_unix_ms - deadline;
                return Err(format!(
                    "life {life} waits for {task} of visit {visit} until {beyond} ms after its deadline"
                ));
            }
            What::TimerEnded { unix_ms, .. } if *unix_ms < deadline => {
                let early = deadline - unix_ms;
                return Err(format!(
                    "life {life} ended {task} of visit {visit} {early} ms before its deadline"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
