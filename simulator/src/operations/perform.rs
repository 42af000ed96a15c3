//! How a caller performs each operation with a real engine.

use crashpoint::{Error, Outcome, Recovery, Retention};

use crate::operations::fleet::{Course, KNOWN};
use crate::operations::history::{Answer, Ending, Failed};
use crate::operations::operation::Operation;
use crate::operations::store::Store;
use crate::operations::workflow::{Job, workflow};

/// The number of runs that a recovery of the simulation resumes at a time.
const CONCURRENCY: usize = 2;

impl Operation {
    /// Performs the operation with the engine of a store.
    pub(super) async fn perform(self, store: Store) -> Answer {
        let engine = store.engine();
        let job = workflow(KNOWN, store.caller());
        match self {
            Self::Recover => {
                let recovery = Recovery::new(&engine).workflow(&job);
                let recovered = recovery.concurrency(CONCURRENCY).resume_all().await;
                answer(recovered, |report| Answer::Recovered {
                    ended: report.ended,
                    runs: report.runs.into_iter().map(reported).collect(),
                })
            }
            Self::Purge => {
                let purged = engine.purge(store.caller().cutoff_unix_ms()).await;
                answer(purged, |report| Answer::Purged {
                    purged: report.purged,
                    kept: report.kept,
                    corrupt: report.corrupt,
                    failed: report.failed.into_keys().collect(),
                })
            }
            Self::Status(id) => answer(engine.status(id).await, |it| Answer::of_status(&it)),
            Self::Unfinished => answer(engine.unfinished().await, Answer::of_unfinished),
            Self::RunAndClear(id) => match engine.with_retention(Retention::ClearWhenDone) {
                Ok(engine) => {
                    let input = Course::Succeeds;
                    let life = engine.run_or_resume(&job, id, Job::Reserve, &input);
                    ended(life.await)
                }
                Err(refused) => Answer::Failed(Failed::of(&refused)),
            },
            Self::RunOrResume(id) => {
                let input = Course::Succeeds;
                let life = engine.run_or_resume(&job, id, Job::Reserve, &input);
                ended(life.await)
            }
            Self::RetryStuck(id) => ended(engine.retry_stuck(&job, id).await),
        }
    }
}

/// The answer of a life.
pub(super) fn ended(life: Result<Outcome<Job>, Error>) -> Answer {
    answer(life, |outcome| {
        Answer::Outcome(Ending::of(outcome, |state| {
            crashpoint::State::label(*state).into()
        }))
    })
}

fn answer<T>(result: Result<T, Error>, ok: impl FnOnce(T) -> Answer) -> Answer {
    match result {
        Ok(value) => ok(value),
        Err(error) => Answer::Failed(Failed::of(&error)),
    }
}

/// What a recovery reports of a run.
fn reported(
    (id, run): (String, Result<Outcome<String>, Error>),
) -> (String, Result<Ending, Failed>) {
    let run = run.map(|outcome| Ending::of(outcome, |state| state.as_str().into()));
    (id, run.map_err(|error| Failed::of(&error)))
}
