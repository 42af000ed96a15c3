//! Every log resumes.

use std::hash::Hash;

use crashpoint::protocol::{Command, Halt, Rules};

use crate::invariants::Moment;
use crate::model::Happening;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    match moment.happening {
        Happening::Sent { landed: true, .. } | Happening::Landed { .. } => {
            let log = moment.after.log;
            // Another invariant reports a log that is not legal.
            !moment.model.logs.is_legal(log) || moment.model.is_resumable(log)
        }
        Happening::Returned { life } => {
            let machine = moment.before.slots[usize::from(life)].life;
            let command = moment.model.lives.command(machine);
            !matches!(
                command,
                Command::Finish(Err(Halt::Corrupt(_) | Halt::Mismatch(_)))
            )
        }
        Happening::Sent { landed: false, .. } | Happening::Acted { .. } | Happening::Nothing => {
            true
        }
    }
}
