//! Recovery at start-up. A process leaves four runs behind; the next one resumes those that have not
//! ended, and prints what became of each.
//!
//!     cargo run --example recovery

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use crashpoint::{Ctx, Engine, Outcome, Recovery, RedbCheckpointStore, State, TaskError, Workflow};
use tokio::sync::Notify;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Parcel {
    Send,
    Sent,
}

/// A workflow whose task fails for good where its input says so. With `hangs` it announces itself
/// there and never ends.
fn parcels(name: &str, hangs: Option<Arc<Notify>>) -> Result<Workflow<Parcel>, Box<dyn Error>> {
    let send = move |ctx: Ctx| {
        let hangs = hangs.clone();
        async move {
            if let Some(begun) = hangs {
                begun.notify_one();
                std::future::pending::<()>().await;
            }
            match ctx.input::<String>()?.as_str() {
                "nowhere" => Err(TaskError::fatal("no such address")),
                _ => Ok(Parcel::Sent),
            }
        }
    };
    let builder = Workflow::builder(name, 1).task(Parcel::Send, "send", send);
    Ok(builder.exit(Parcel::Sent).build()?)
}

/// The first process: one run ends, three are under way when the process dies.
async fn first_process(file: &Path) -> Result<(), Box<dyn Error>> {
    let engine = Engine::new(RedbCheckpointStore::new(file)?);
    engine
        .run(&parcels("parcel", None)?, "parcel-1", Parcel::Send, "Oslo")
        .await?;
    let under_way = [
        ("parcel", "parcel-2", "Turin"),
        ("parcel", "parcel-3", "nowhere"),
        ("letter", "letter-1", "Kyoto"),
    ];
    for (name, id, address) in under_way {
        let begun = Arc::new(Notify::new());
        let workflow = parcels(name, Some(Arc::clone(&begun)))?;
        // To drop the future of a run is to crash it: nothing more of it happens.
        tokio::select! {
            ended = engine.run(&workflow, id, Parcel::Send, address) => drop(ended?),
            () = begun.notified() => println!("{id} is under way when the process dies"),
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("parcels.redb");
    first_process(&file).await?;

    // The next process knows the workflow of parcels. Nobody told it about letters.
    let engine = Engine::new(RedbCheckpointStore::new(&file)?);
    let parcels = parcels("parcel", None)?;
    let report = Recovery::new(&engine)
        .workflow(&parcels)
        .resume_all()
        .await?;
    println!("runs that had ended before: {}", report.ended);
    for (id, result) in &report.runs {
        match result {
            Ok(Outcome::Done(state)) => println!("{id} resumed, and is done: {state}"),
            Ok(Outcome::RolledBack(end)) => {
                println!("{id} resumed, and is rolled back: {}", end.cause.message);
            }
            Ok(Outcome::Stuck(end)) => println!("{id} is stuck: {:?}", end.leftovers),
            Err(error) => println!("{id} has not ended: {error}"),
        }
    }
    Ok(())
}
