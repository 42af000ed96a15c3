//! Operations that break their promise: mutants that an oracle must catch. Each is broken at its
//! edge; the lives below it are the engine's own.

use std::collections::BTreeMap;
use std::fmt;

use crashpoint::{CheckpointStore as _, ListRuns as _, Status, StatusPhase};

use crate::fault::Budget;
use crate::operations::fleet::{Course, KNOWN, MIXED};
use crate::operations::history::{Answer, Ending, Failed};
use crate::operations::machine::Answers;
use crate::operations::operation::Operation;
use crate::operations::perform::ended;
use crate::operations::store::Store;
use crate::operations::workflow::{Job, workflow};
use crate::sim::{Settings, StoreKind};

/// A broken operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// A recovery resumes the runs one after the other, and the first error ends it.
    RecoveryStops,
    /// A report leaves out the runs of unknown workflows.
    ReportForgets,
    /// A report calls every run that it cannot resume ended.
    ReportCallsEnded,
    /// A purge clears stuck runs too.
    PurgeTakesStuck,
    /// A purge clears every ended run, whatever its time and the lives of its process.
    PurgeTakesYoung,
    /// A purge does not ask for the lives of its process.
    PurgeIgnoresLives,
    /// A purge clears a run although another process has cleared it and begun it again.
    PurgeClearsBlindly,
    /// A status resumes the run.
    StatusClaims,
    /// A status takes a stuck run for a run that rolled back.
    StatusLies,
    /// `run_or_resume` clears the log of an existing run and begins again.
    RunsAgain,
    /// A retry takes a refused append for a success.
    RetryIgnoresFence,
    /// A listing of unfinished runs leaves out the runs that it can't read.
    UnfinishedForgets,
    /// A life answers from the log that the store shows, whichever run it is of.
    BelievesOtherLog,
    /// An engine that clears the log of a run when it is done clears it when it begins.
    ClearsAtOnce,
    /// A life takes a copy of its own row for another life's.
    CopyFences,
    /// A purge answers before its clears have reached the disk.
    PurgeAnswersEarly,
    /// A life answers before its rows have reached the disk.
    LifeAnswersEarly,
    /// A status reads a row that is on its way to the disk.
    StatusReadsAhead,
}

/// Every broken operation, with the oracle that must catch it.
pub const BROKEN: &[(Broken, &str)] = &[
    (Broken::RecoveryStops, "no-run-stops-another"),
    (Broken::ReportForgets, "reports-are-true"),
    (Broken::ReportCallsEnded, "reports-are-true"),
    (Broken::PurgeTakesStuck, "purge-takes-ended-runs"),
    (Broken::PurgeTakesYoung, "purge-takes-ended-runs"),
    (Broken::PurgeIgnoresLives, "purge-takes-ended-runs"),
    (Broken::PurgeClearsBlindly, "purge-takes-ended-runs"),
    (Broken::StatusClaims, "status-claims-nothing"),
    (Broken::StatusLies, "status-is-true"),
    (Broken::RunsAgain, "one-outcome"),
    (Broken::RetryIgnoresFence, "one-retry"),
    (Broken::UnfinishedForgets, "unfinished-is-true"),
    (Broken::BelievesOtherLog, "other-logs-are-corrupt"),
    (Broken::ClearsAtOnce, "clears-when-done"),
    (Broken::CopyFences, "one-outcome"),
    (Broken::PurgeAnswersEarly, "answers-are-durable"),
    (Broken::LifeAnswersEarly, "answers-are-durable"),
    (Broken::StatusReadsAhead, "status-is-true"),
];

impl Broken {
    /// The broken operation with this name, such as `StatusLies`.
    pub fn named(name: &str) -> Option<Self> {
        let mut broken = BROKEN.iter().map(|(broken, _)| *broken);
        broken.find(|broken| broken.to_string() == name)
    }

    /// Whether a simulation of this operation can show it.
    pub(crate) fn breaks(self, operation: Operation) -> bool {
        match self {
            Self::RecoveryStops | Self::ReportForgets | Self::ReportCallsEnded => {
                operation == Operation::Recover
            }
            Self::PurgeTakesStuck
            | Self::PurgeTakesYoung
            | Self::PurgeIgnoresLives
            | Self::PurgeClearsBlindly
            | Self::PurgeAnswersEarly => operation == Operation::Purge,
            Self::StatusClaims | Self::StatusLies | Self::StatusReadsAhead => {
                matches!(operation, Operation::Status(_))
            }
            Self::RunsAgain | Self::CopyFences | Self::LifeAnswersEarly => {
                matches!(operation, Operation::RunOrResume(_))
            }
            Self::RetryIgnoresFence => matches!(operation, Operation::RetryStuck(_)),
            Self::UnfinishedForgets => operation == Operation::Unfinished,
            Self::BelievesOtherLog => operation == Operation::RunOrResume(MIXED),
            Self::ClearsAtOnce => matches!(operation, Operation::RunAndClear(_)),
        }
    }

    /// The least that has to happen for it to show, and the store over which it does.
    pub(crate) fn settings(self) -> Settings {
        let (store, faults, crashes, preemptions) = match self {
            Self::PurgeAnswersEarly | Self::LifeAnswersEarly => (StoreKind::Redb, 0, 1, 0),
            Self::StatusReadsAhead => (StoreKind::Redb, 0, 0, 2),
            Self::CopyFences => (StoreKind::Memory, 1, 0, 0),
            _ => (StoreKind::Memory, 0, 0, 2),
        };
        let budget = Budget {
            faults,
            crashes,
            preemptions,
            ..Budget::NONE
        };
        Settings {
            store,
            ..Settings::within(budget)
        }
    }
}

impl fmt::Display for Broken {
    /// Its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Performs the operation, or its mutant.
pub(super) async fn perform(
    operation: Operation,
    mut store: Store,
    broken: Option<Broken>,
) -> Answer {
    match (broken, operation) {
        (Some(Broken::RecoveryStops), Operation::Recover) => recover_until_an_error(store).await,
        (Some(Broken::ReportForgets), Operation::Recover) => {
            let answer = operation.perform(store).await;
            without(answer, "unknown_workflow", 0)
        }
        (Some(Broken::ReportCallsEnded), Operation::Recover) => {
            let answer = operation.perform(store).await;
            without(answer, "corrupt_log", 1)
        }
        (Some(Broken::PurgeTakesStuck), Operation::Purge) => {
            let cutoff_unix_ms = store.caller().cutoff_unix_ms();
            let taken = |status: &Status| {
                let ended = matches!(
                    status.phase,
                    StatusPhase::Done { .. } | StatusPhase::RolledBack | StatusPhase::Stuck { .. }
                );
                ended && status.started_unix_ms < cutoff_unix_ms
            };
            purge(store, taken).await
        }
        (Some(Broken::PurgeTakesYoung), Operation::Purge) => {
            let taken = |status: &Status| {
                matches!(
                    status.phase,
                    StatusPhase::Done { .. } | StatusPhase::RolledBack
                )
            };
            purge(store, taken).await
        }
        (Some(Broken::PurgeIgnoresLives), Operation::Purge) => {
            operation.perform(store.in_a_scope_of_its_own()).await
        }
        (Some(Broken::PurgeClearsBlindly), Operation::Purge) => {
            store.clears_blindly = true;
            operation.perform(store).await
        }
        (Some(Broken::UnfinishedForgets), Operation::Unfinished) => {
            match operation.perform(store).await {
                Answer::Unfinished(mut runs) => {
                    runs.retain(|_, run| run.is_ok());
                    Answer::Unfinished(runs)
                }
                answer => answer,
            }
        }
        (Some(Broken::BelievesOtherLog), Operation::RunOrResume(MIXED)) => {
            let rows = store.load_run(MIXED).await.unwrap_or_default();
            match Ending::of_rows(rows.iter()) {
                Some(ending) => Answer::Outcome(ending),
                None => operation.perform(store).await,
            }
        }
        (Some(Broken::ClearsAtOnce), Operation::RunAndClear(id)) => {
            if let Err(error) = store.clear(id).await {
                return Answer::Failed(Failed::of(&error));
            }
            operation.perform(store).await
        }
        (Some(Broken::CopyFences), Operation::RunOrResume(_)) => {
            let caller = store.caller().clone();
            let answer = operation.perform(store).await;
            match caller.met_a_copy() {
                true => Answer::Failed(Failed {
                    category: "fenced",
                    message: "another life has taken over".to_owned(),
                }),
                false => answer,
            }
        }
        (Some(Broken::StatusClaims), Operation::Status(id)) => {
            let (engine, job) = (store.engine(), workflow(KNOWN, store.caller()));
            // Its answer does not matter: the run is resumed either way.
            _ = engine.resume_from(&job, id).await;
            operation.perform(store).await
        }
        (Some(Broken::StatusLies), Operation::Status(_)) => match operation.perform(store).await {
            Answer::Status {
                rows,
                ending: Ending::Stuck,
            } => Answer::Status {
                rows,
                ending: Ending::RolledBack,
            },
            answer => answer,
        },
        (Some(Broken::RunsAgain), Operation::RunOrResume(id)) => {
            if let Err(error) = store.clear(id).await {
                return Answer::Failed(Failed::of(&error));
            }
            let (engine, job) = (store.engine(), workflow(KNOWN, store.caller()));
            ended(engine.run(&job, id, Job::Reserve, &Course::Succeeds).await)
        }
        (Some(Broken::RetryIgnoresFence), Operation::RetryStuck(_)) => {
            store.ignores_conflicts = true;
            operation.perform(store).await
        }
        (Some(Broken::PurgeAnswersEarly), Operation::Purge) => {
            store.clears = Answers::Early;
            operation.perform(store).await
        }
        (Some(Broken::LifeAnswersEarly), Operation::RunOrResume(_)) => {
            store.appends = Answers::Early;
            operation.perform(store).await
        }
        (Some(Broken::StatusReadsAhead), _) => {
            store.reads_ahead = matches!(operation, Operation::Status(_));
            store.queues = !store.reads_ahead;
            operation.perform(store).await
        }
        _ => operation.perform(store).await,
    }
}

/// Resumes the runs one after the other until one fails.
async fn recover_until_an_error(store: Store) -> Answer {
    let (engine, job) = (store.engine(), workflow(KNOWN, store.caller()));
    let ids = match store.run_ids(None, usize::MAX).await {
        Ok(ids) => ids,
        Err(error) => return Answer::Failed(Failed::of(&error)),
    };
    let mut runs = BTreeMap::new();
    for id in ids {
        let outcome = match engine.resume_from(&job, &id).await {
            Ok(outcome) => outcome,
            Err(error) => return Answer::Failed(Failed::of(&error)),
        };
        let ending = Ending::of(outcome, |state| crashpoint::State::label(*state).into());
        runs.insert(id, Ok(ending));
    }
    Answer::Recovered { ended: 0, runs }
}

/// The report without the runs that failed so. Each of them counts as `ended`, or not at all.
fn without(answer: Answer, category: &str, ended_each: u64) -> Answer {
    let Answer::Recovered {
        mut ended,
        mut runs,
    } = answer
    else {
        return answer;
    };
    runs.retain(|_, run| {
        let is_left_out = run.as_ref().is_err_and(|it| it.category == category);
        ended += ended_each * u64::from(is_left_out);
        !is_left_out
    });
    Answer::Recovered { ended, runs }
}

/// Clears every run with such a status.
async fn purge(store: Store, taken: impl Fn(&Status) -> bool) -> Answer {
    let (mut purged, mut kept, mut corrupt) = (0, 0, Vec::new());
    let ids = store.run_ids(None, usize::MAX).await.unwrap_or_default();
    for id in ids {
        let rows = store.load_run(&id).await.unwrap_or_default();
        match Status::of_log(&id, &rows) {
            Err(_) => corrupt.push(id),
            Ok(status) if taken(&status) && store.clear(&id).await.is_ok() => purged += 1,
            Ok(_) => kept += 1,
        }
    }
    Answer::Purged {
        purged,
        kept,
        corrupt,
        failed: Vec::new(),
    }
}
