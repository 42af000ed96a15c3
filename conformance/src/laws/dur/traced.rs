//! SIGKILL at every system call that changes what a file system holds: the windows that a clock never
//! hits.

use crate::case::Case;
use crate::expect::{Checked, Failure};

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub(crate) fn dur_07_a_kill_at_every_system_call_is_survived(_case: &Case) -> Checked {
    let message = "a child's system calls are seen on Linux with glibc on x86-64 only";
    Err(Failure::NotRun(message.to_owned()))
}

/// The calls of one child beyond which they are no longer tried one by one.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
const CALLS_MAX: usize = 400;

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) fn dur_07_a_kill_at_every_system_call_is_survived(case: &Case) -> Checked {
    use super::killed::judge_at;
    use crate::child::traced::{End, kill_at};
    use crate::child::{Part, Running};

    for fatal in 0..CALLS_MAX {
        let place = case.another_place()?;
        let running = Running::start(case, Part::Script, &place)?;
        let (call, steps) = match kill_at(running, fatal)? {
            End::Killed { call, steps } => (call, steps),
            End::Whole if fatal == 0 => {
                let message = "the child made no system call that changes a file: does the store \
                               keep its rows elsewhere?";
                return Err(Failure::Inconclusive(message.to_owned()));
            }
            End::Whole => return Ok(()),
        };
        let when = format!("killed at its {call} number {fatal}, after {steps} acknowledged steps");
        judge_at(case, &place, async |store| {
            script::judge(store, steps, &when).await
        })?;
    }
    Err(Failure::Inconclusive(format!(
        "the child makes more than {CALLS_MAX} system calls that change a file; it was killed at each \
         of those"
    )))
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod script {
    use crashpoint_engine::CheckpointRow;

    use crate::case::Session;
    use crate::child::{Step, script};
    use crate::expect::{Checked, Failure, broken, describe, quote};

    /// What the script leaves of a run after its first `steps` steps.
    fn after(steps: u64, id: &str) -> Vec<CheckpointRow> {
        let mut rows = Vec::new();
        for step in script().into_iter().take(steps as usize) {
            match step {
                Step::Append(run, row) if run == id => rows.push(row),
                Step::Clear(run) if run == id => rows.clear(),
                Step::Append(..) | Step::Clear(_) => {}
            }
        }
        rows
    }

    /// Fails unless the store holds what the acknowledged steps left, or that and the one step that was
    /// under way; and goes on working.
    pub(super) async fn judge(store: &Session, steps: u64, when: &str) -> Checked {
        let ids = ["one", "other"];
        let loaded = [store.load(ids[0]).await?, store.load(ids[1]).await?];
        let is_after = |steps| (0..ids.len()).all(|run| loaded[run] == after(steps, ids[run]));
        if is_after(steps) || is_after(steps + 1) {
            let next = loaded[1].last().map_or(0, |row| row.sequence + 1);
            return store.append(ids[1], &crate::expect::row(next)).await;
        }
        Err(difference(&loaded, &ids, steps, when))
    }

    fn difference(
        loaded: &[Vec<CheckpointRow>; 2],
        ids: &[&str; 2],
        steps: u64,
        when: &str,
    ) -> Failure {
        let in_words = |rows: &[CheckpointRow]| {
            let rows: Vec<String> = rows.iter().map(describe).collect();
            format!("[{}]", rows.join(", "))
        };
        let wrong = (0..ids.len()).find(|&run| {
            let id = ids[run];
            loaded[run] != after(steps, id) && loaded[run] != after(steps + 1, id)
        });
        let run = wrong.unwrap_or(0);
        let id = ids[run];
        let before = in_words(&after(steps, id));
        let next = in_words(&after(steps + 1, id));
        let came = in_words(&loaded[run]);
        broken(format!(
            "run {} of a child {when}: expected {before} or {next}, came {came}",
            quote(id)
        ))
    }
}
