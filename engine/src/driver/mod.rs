//! The only loop that awaits: it performs the commands of the pure machine.
//!
//! `store.rs` performs its storage commands, `perform.rs` its actions. No decision is taken here.

mod perform;
mod permits;
mod store;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{self, Either};

use crate::cancel::CancelToken;
use crate::core::{
    AppendRetry, Command, Ended, Halt, LifeOptions, Machine, Nonce, Opening, Phase, Reply,
    Retention, Rules, StoreFailed, Verdict, Wait,
};
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::foreign::contained;
use crate::observe::spans::{Visits, in_life};
use crate::observe::{LifeId, Observation, Observer};
use crate::recovery::{CheckpointRow, CheckpointStore};
use crate::runtime::Runtime;
use crate::scope::{Intent, LifeGuard, ScopeId};
use crate::task::LifeContext;
use crate::workflow::Flow;

pub(crate) use permits::{Permit, Permits};

/// The environment of lives.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) store: Arc<dyn CheckpointStore>,
    /// The lives of this engine and its clones, for a store that has no scope of its own.
    pub(crate) lives: ScopeId,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observers: Arc<[Arc<dyn Observer>]>,
    pub(crate) retention: Retention,
    pub(crate) append_retry: AppendRetry,
    pub(crate) cancel: CancelToken,
}

/// What a life needs in order to begin.
pub(crate) struct Admission {
    /// Its entry in the registry.
    pub(crate) guard: LifeGuard,
    /// Its permit, where the number of active lives is limited.
    pub(crate) permit: Option<Permit>,
}

/// One life, driven.
struct Driver<'a, M> {
    environment: &'a Environment,
    flow: &'a Flow,
    options: LifeOptions<'a>,
    life: M,
    id: LifeId<'a>,
    context: Arc<LifeContext>,
    visits: Visits,
    permit: Option<Permit>,
    /// The last error of the store, for the error of a suspended life.
    store_error: Option<StoreError>,
}

/// Runs a life to its end.
pub(crate) async fn live<R: Rules>(
    environment: Environment,
    admission: Admission,
    flow: Arc<Flow>,
    opening: Opening,
    rules: R,
) -> Result<Ended, Error> {
    let Admission { guard, permit } = admission;
    let options = LifeOptions {
        workflow_id: guard.workflow_id(),
        definition: &flow.definition,
        retention: environment.retention,
        append_retry: environment.append_retry,
    };
    let nonce = Nonce(environment.runtime.entropy());
    let unix_ms = environment.runtime.unix_ms();
    let context = Arc::new(LifeContext {
        workflow_id: guard.workflow_id().into(),
        runtime: Arc::clone(&environment.runtime),
        cancel: environment.cancel.clone(),
        fenced: AtomicBool::new(false),
    });
    let life = rules.begin(opening, nonce, unix_ms, options);
    let (workflow_id, workflow) = (guard.workflow_id(), &*flow.definition.name);
    let id = LifeId {
        workflow_id,
        workflow,
        nonce,
    };
    let driver = Driver {
        environment: &environment,
        flow: &flow,
        options,
        life,
        id,
        context,
        visits: Visits::default(),
        permit,
        store_error: None,
    };
    in_life(id, driver.run()).await
}

impl Environment {
    /// A place for a life in the registry of the store's scope, or else of the engine's own.
    pub(crate) fn enter(&self, workflow_id: &str) -> Result<LifeGuard, Error> {
        let guard = self.scope().enter(workflow_id, self.intent());
        guard.ok_or_else(|| already_running(workflow_id))
    }

    /// As [`enter`](Self::enter), if no life of the id is active.
    pub(crate) fn enter_alone(&self, workflow_id: &str) -> Result<LifeGuard, Error> {
        let guard = self.scope().enter_alone(workflow_id, self.intent());
        guard.ok_or_else(|| already_running(workflow_id))
    }

    /// A place for a purge, which clears the log of an ended run.
    pub(crate) fn enter_to_clear(&self, workflow_id: &str) -> Result<LifeGuard, Error> {
        let guard = self.scope().enter(workflow_id, Intent::Clear);
        guard.ok_or_else(|| already_running(workflow_id))
    }

    fn scope(&self) -> ScopeId {
        let exclusive = self.store.exclusive_scope();
        exclusive.unwrap_or_else(|| self.lives.clone())
    }

    fn intent(&self) -> Intent {
        match self.retention {
            Retention::Keep => Intent::Keep,
            Retention::ClearWhenDone => Intent::Clear,
        }
    }
}

fn already_running(workflow_id: &str) -> Error {
    Error::AlreadyRunning {
        workflow_id: workflow_id.to_owned(),
    }
}

impl<M: Machine> Driver<'_, M> {
    async fn run(mut self) -> Result<Ended, Error> {
        loop {
            if self.environment.cancel.is_cancelled() {
                self.life.cancel(self.options);
            }
            let reply = match self.life.command() {
                Command::Load => {
                    let loaded = self.load().await;
                    Reply::Loaded(self.remembering(loaded))
                }
                Command::Append(row) => match self.append_unless_cancelled(row).await {
                    Some(appended) => Reply::Appended(self.remembering(appended)),
                    None => continue,
                },
                Command::ReadClock => Reply::Clock {
                    unix_ms: self.environment.runtime.unix_ms(),
                },
                Command::Pause(duration) => {
                    self.pause(duration).await;
                    Reply::Paused
                }
                Command::Perform { work, attempt } => {
                    Reply::Performed(self.perform(work, attempt).await)
                }
                Command::Clear => {
                    self.clear().await;
                    Reply::Cleared
                }
                Command::Finish(verdict) => {
                    let verdict = verdict.clone();
                    return self.over(verdict);
                }
            };
            let (opening, rows) = (self.life.is_opening(), self.life.state().next_sequence());
            self.life.on(reply, self.options);
            assert!(
                opening || self.life.state().next_sequence() >= rows,
                "what a life knows to be durable stays so"
            );
            if !opening && self.life.state().next_sequence() > rows {
                let state = self.life.state();
                let sequence = state.next_sequence() - 1;
                self.observe(&Observation::Applied { sequence, state });
            }
        }
    }

    /// Appends the row. A cancellation drops the append only if the machine says so, which no faithful
    /// life does.
    async fn append_unless_cancelled(&self, row: &CheckpointRow) -> Option<Result<(), StoreError>> {
        let append = self.append(row);
        if !self.life.cancellation_drops_append() {
            return Some(append.await);
        }
        match future::select(pin!(append), pin!(self.environment.cancel.cancelled())).await {
            Either::Left((result, _)) => Some(result),
            Either::Right(_) => None,
        }
    }

    /// Keeps the error of the store. The machine learns only that the operation failed.
    fn remembering<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreFailed> {
        result.map_err(|error| {
            self.store_error = Some(error);
            StoreFailed
        })
    }

    /// Waits. A life that waits for a deadline or for the next round of a poll has no permit meanwhile.
    async fn pause(&mut self, duration: Duration) {
        let waits = self.observe_wait(duration);
        let cancelled = self.environment.cancel.cancelled();
        let sleep = self.environment.runtime.sleep(duration);
        let ends_early = self.life.cancellation_ends_pause();
        let pause = async {
            if ends_early {
                future::select(sleep, pin!(cancelled)).await;
            } else {
                sleep.await;
            }
        };
        match self.permit.take_if(|_| waits) {
            Some(permit) => self.permit = Some(permit.lent(pause).await),
            None => pause.await,
        }
    }

    /// Whether the pause is a wait of the run, and not of the life for the store or for another attempt.
    /// The observers are told of it.
    fn observe_wait(&self, duration: Duration) -> bool {
        let Some(wait) = self.life.wait() else {
            return false;
        };
        let Phase::Forward(open) = self.life.state().phase() else {
            unreachable!("only a run that goes forward waits");
        };
        let state = self.flow.definition.state_of_label(&open.state);
        let task = state.and_then(|state| self.flow.definition.task(state));
        let task = &*task.expect("the open state was checked").name;
        let visit = open.id;
        self.observe(&match wait {
            Wait::Deadline { deadline_unix_ms } => Observation::Waiting {
                task,
                visit,
                deadline_unix_ms,
                duration,
            },
            Wait::Round { rounds } => Observation::Pending {
                task,
                visit,
                rounds,
                duration,
            },
        });
        true
    }

    /// An observer gives nothing back to a life, its panic neither. The others are told all the same.
    fn observe(&self, observation: &Observation<'_>) {
        for observer in &*self.environment.observers {
            let told = contained(|| observer.on(self.id, observation));
            drop(told);
        }
    }

    fn over(self, verdict: Verdict) -> Result<Ended, Error> {
        if verdict == Err(Halt::Fenced) {
            self.context.fenced.store(true, Ordering::Release);
        }
        self.observe(&Observation::Over { verdict: &verdict });
        verdict.map_err(|halt| self.error(halt))
    }

    fn error(self, halt: Halt) -> Error {
        let workflow_id = self.context.workflow_id.to_string();
        match halt {
            Halt::AlreadyExists => Error::AlreadyExists { workflow_id },
            Halt::NotFound => Error::NotFound { workflow_id },
            Halt::NotStuck => Error::NotStuck { workflow_id },
            Halt::Fenced => Error::Fenced { workflow_id },
            Halt::Suspended { in_doubt } => {
                let silent = || StoreError::new(StoreErrorKind::Other, "the append did not land");
                let source = self.store_error.unwrap_or_else(silent);
                Error::Suspended {
                    workflow_id,
                    in_doubt,
                    source,
                }
            }
            Halt::Mismatch(source) => Error::Mismatch {
                workflow_id,
                source,
            },
            Halt::Corrupt(corrupt) => Error::CorruptLog {
                workflow_id,
                sequence: corrupt.sequence,
                source: corrupt.fault,
            },
        }
    }
}
