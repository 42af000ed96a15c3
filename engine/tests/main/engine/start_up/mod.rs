//! What an earlier process left behind is found, told and taken up.

mod alive;
mod pace;
mod panics;
mod report;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{
    CheckpointRow, CheckpointStore, Ctx, Engine, Error, ListRuns, MemoryCheckpointStore, ScopeId,
    State, TaskError, Workflow, checkpoint_store,
};
use futures_util::future::BoxFuture;

use crate::support::stalls;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Import {
    Copy,
    Copied,
}

/// A workflow with one task.
fn import<F: Future<Output = ()> + Send + 'static>(
    name: &str,
    version: u32,
    copy: impl Fn(Ctx) -> F + Send + Sync + 'static,
) -> Workflow<Import> {
    let copy = move |ctx| {
        let copied = copy(ctx);
        async move {
            copied.await;
            Ok::<_, TaskError>(Import::Copied)
        }
    };
    let builder = Workflow::builder(name, version).task(Import::Copy, "copy", copy);
    builder.exit(Import::Copied).build().expect("it is valid")
}

/// Begins the run and drops it in its task.
async fn crashed(engine: &Engine, name: &str, version: u32, workflow_id: &str) {
    let hanging = import(name, version, |_| std::future::pending());
    let mut run = Box::pin(engine.run(&hanging, workflow_id, Import::Copy, &()));
    stalls(&mut run).await;
}

/// How often the tasks of each run were begun.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<String, usize>>>);

impl Counts {
    fn count(&self, workflow_id: &str) {
        let mut counts = self.0.lock().expect("counting does not panic");
        *counts.entry(workflow_id.to_owned()).or_default() += 1;
    }

    fn taken(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.0.lock().expect("counting does not panic"))
    }

    /// An import whose task counts itself and then takes a second.
    fn import(&self) -> Workflow<Import> {
        let counts = self.clone();
        import("import", 1, move |ctx: Ctx| {
            counts.count(ctx.workflow_id());
            async move { ctx.sleep(Duration::from_secs(1)).await }
        })
    }
}

type Hook = dyn Fn(&str, &str) -> BoxFuture<'static, Result<(), Error>> + Send + Sync;

/// A store in memory that calls back before each of its operations, with its name and the id.
struct Hooked {
    rows: Arc<MemoryCheckpointStore>,
    /// Whether it says that one process has it.
    exclusive: bool,
    hook: Box<Hook>,
}

impl Hooked {
    fn new<F>(
        rows: &Arc<MemoryCheckpointStore>,
        hook: impl Fn(&str, &str) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self {
            rows: Arc::clone(rows),
            exclusive: true,
            hook: Box::new(move |operation, id| Box::pin(hook(operation, id))),
        }
    }
}

#[checkpoint_store]
impl CheckpointStore for Hooked {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        (self.hook)("append", workflow_id).await?;
        self.rows.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        (self.hook)("load", workflow_id).await?;
        self.rows.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.rows.clear(workflow_id).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.exclusive.then(|| self.rows.exclusive_scope())?
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[checkpoint_store]
impl ListRuns for Hooked {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        (self.hook)("list", after.unwrap_or_default()).await?;
        let listing = self.rows.as_listing().expect("memory lists");
        listing.run_ids(after, limit).await
    }
}

async fn lengths(store: &MemoryCheckpointStore, ids: &[&str]) -> Vec<usize> {
    let mut lengths = Vec::new();
    for id in ids {
        lengths.push(store.load_run(id).await.expect("memory loads").len());
    }
    lengths
}
