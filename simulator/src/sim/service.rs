//! A service of the outside world: a fake of the test whose calls are crash points, and may go wrong.

use std::time::Duration;

use crashpoint::{Ctx, Runtime as _};
use smol_str::{SmolStr, format_smolstr};

use crate::fault::ServiceFault;
use crate::history::{Effect, Receiver, What};
use crate::sim::{Activity, Instant, Process};

/// How long a slow service takes to answer.
const SLOW: Duration = Duration::from_secs(60);

/// A service that the tasks of a process call. [`Process::service`] gives it a name.
///
/// The service itself is a fake of the test, in the test's world. A call asks the simulation before the
/// fake performs anything, and again before the task gets the answer: the process may crash there, the
/// service may refuse the request, the request or the answer may be lost, or the answer may come a minute
/// late.
///
/// ```
/// use std::collections::BTreeSet;
/// use std::sync::{Arc, Mutex};
///
/// use crashpoint::{Ctx, RetryPolicy, State, TaskError, Workflow};
/// use crashpoint_simulator::{Process, crash_test_in};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Mail {
///     Send,
///     Sent,
/// }
///
/// /// The keys of the mails that were sent.
/// type Server = Mutex<BTreeSet<String>>;
///
/// async fn send(process: Process, server: Arc<Server>, ctx: Ctx) -> Result<Mail, TaskError> {
///     let key = ctx.idempotency_key();
///     let server_of_mail = process.service("mail server");
///     server_of_mail
///         .call(&ctx, "send", move || server.lock().unwrap().insert(key))
///         .await?;
///     Ok(Mail::Sent)
/// }
///
/// let findings = crash_test_in(Server::default, Mail::Send, &(), |process, server| {
///     let (process, server) = (process.clone(), Arc::clone(server));
///     let task = move |ctx| send(process.clone(), Arc::clone(&server), ctx);
///     Workflow::builder("mail", 1)
///         .task(Mail::Send, "send", task)
///         .retry(RetryPolicy::fixed(3, std::time::Duration::ZERO))
///         .exit(Mail::Sent)
///         .build()
///         .unwrap()
/// })
/// .invariant("a mail is sent once", |server, _| match server.lock().unwrap().len() {
///     0 | 1 => Ok(()),
///     sent => Err(format!("{sent} mails were sent")),
/// })
/// .run();
/// assert!(findings.services.contains("mail server"));
/// ```
#[derive(Debug, Clone)]
pub struct Service<'a> {
    process: &'a Process,
    name: SmolStr,
    keys: Keys,
}

/// Whether a service performs a request once for each idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    Kept,
    None,
}

/// Why a call of a service has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The service has not performed the request.
    #[error("{service} refuses {request:?}")]
    Refused {
        /// The service.
        service: SmolStr,
        /// The request.
        request: SmolStr,
    },
    /// Nobody knows whether the service has performed the request.
    #[error("{service} does not answer {request:?}: it may have performed it or not")]
    Unanswered {
        /// The service.
        service: SmolStr,
        /// The request.
        request: SmolStr,
    },
}

impl Process {
    /// A service of the outside world with this name, for the tasks of this process to call.
    pub fn service(&self, name: &str) -> Service<'_> {
        Service {
            process: self,
            name: name.into(),
            keys: Keys::Kept,
        }
    }

    /// Puts a line into the timeline of a failure. It changes nothing else; a dead process writes none.
    /// Two runs of a schedule must have the same notes.
    pub fn note(&self, text: &str) {
        self.record(What::Noted(text.into()));
    }
}

impl Service<'_> {
    /// The service keeps no idempotency keys, so it performs a repeated request again. The promise
    /// `keyless-once` then says that no action sends it the same request twice: after a crash a task
    /// must [ask](Self::ask) whether the request was performed.
    #[must_use]
    pub fn without_keys(mut self) -> Self {
        self.keys = Keys::None;
        self
    }

    /// Sends a request, which `perform` performs at once at the fake. It is an effect: it appears in the
    /// timeline and in the ledger, and the undo of the task has to undo it at this service.
    ///
    /// # Errors
    ///
    /// If the schedule says so: the service refuses the request, or the request or its answer is lost.
    pub async fn call<T: Send>(
        &self,
        ctx: &Ctx,
        request: &str,
        perform: impl FnOnce() -> T + Send,
    ) -> Result<T, ServiceError> {
        let receiver = match self.keys {
            Keys::Kept => Receiver::Service(self.name.clone()),
            Keys::None => Receiver::WithoutKeys(self.name.clone()),
        };
        let performed = |process: &Process| {
            let answer = perform();
            process.receive(Effect::of(ctx, request, "", receiver));
            answer
        };
        self.exchange(ctx, request, performed).await
    }

    /// Asks a question, which `answer` answers at once from the fake. It changes nothing there and is no
    /// effect. Otherwise it is like a [call](Self::call).
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn ask<T: Send>(
        &self,
        ctx: &Ctx,
        question: &str,
        answer: impl FnOnce() -> T + Send,
    ) -> Result<T, ServiceError> {
        let answered = |process: &Process| {
            let text = format_smolstr!("asks {}: {question}", self.name);
            process.record(What::Noted(text));
            answer()
        };
        self.exchange(ctx, question, answered).await
    }

    async fn exchange<T: Send>(
        &self,
        ctx: &Ctx,
        request: &str,
        perform: impl FnOnce(&Process) -> T + Send,
    ) -> Result<T, ServiceError> {
        let Self { process, name, .. } = self;
        let unanswered = || ServiceError::Unanswered {
            service: name.clone(),
            request: request.into(),
        };
        let what = Activity::of(ctx);
        let faults = match process.sim().is_last_of_pivot(process.run(), ctx) {
            Some(true) => &[],
            Some(false) | None => ServiceFault::KINDS,
        };
        let fault = process.point(Instant::call(&what, faults)).await;
        match fault {
            Some(ServiceFault::Refused) => {
                return Err(ServiceError::Refused {
                    service: name.clone(),
                    request: request.into(),
                });
            }
            Some(ServiceFault::RequestLost) => return Err(unanswered()),
            Some(ServiceFault::AnswerLost | ServiceFault::Slow) | None => {}
        }
        assert!(
            !process.is_dead(),
            "a dead life never comes out of the instant before its call"
        );
        let answer = perform(process);
        if fault == Some(ServiceFault::Slow) {
            process.runtime().sleep(SLOW).await;
        }
        process.point(Instant::at(&what, "after-call")).await;
        match fault {
            Some(ServiceFault::AnswerLost) => Err(unanswered()),
            _ => Ok(answer),
        }
    }
}
