//! Helpers for tests of a workflow that need no simulator: what a run did, and a store that fails when you say so.
//!
//! The simulator tries every crash point by itself. These helpers are for the one path that a test is about.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use crashpoint::testing::{AppendFault, FailingStore, Recorder};
//! use crashpoint::{Ctx, Engine, Error, MemoryCheckpointStore, State, TaskError, Workflow};
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
//! enum Mail { Write, Send, Sent }
//!
//! let workflow = Workflow::builder("mail", 1)
//!     .task(Mail::Write, "write", async |_: Ctx| Ok::<_, TaskError>(Mail::Send))
//!     .task(Mail::Send, "send", async |_: Ctx| Ok::<_, TaskError>(Mail::Sent))
//!     .exit(Mail::Sent)
//!     .build()?;
//!
//! // The store is lost from the second append on, so the run is suspended after its first task.
//! let store = Arc::new(FailingStore::new(MemoryCheckpointStore::new()).fail_from(2, AppendFault::Lost));
//! let recorder = Recorder::new();
//! let engine = Engine::new(Arc::clone(&store)).with_observer(recorder.clone());
//! let suspended = engine.run(&workflow, "mail-1", Mail::Write, &()).await;
//! assert!(matches!(suspended, Err(Error::Suspended { .. })));
//! recorder.assert_path("mail-1", [Mail::Write]);
//!
//! store.heal();
//! engine.resume_from(&workflow, "mail-1").await?;
//! recorder.assert_path("mail-1", [Mail::Write, Mail::Send, Mail::Sent]);
//! // No row said that it was written, so it was written twice.
//! assert_eq!(recorder.attempts("mail-1").len(), 3);
//! # Ok(())
//! # }
//! ```

mod failing;
mod recorder;

pub use self::failing::{AppendFault, FailingStore};
pub use self::recorder::{Attempt, AttemptEnd, Recorder};
