//! An import in steps that resumes after its process was killed.
//!
//! The program starts itself as a child process. The child imports two records and is killed while
//! it imports the third. The parent then resumes the run from the file: it repeats the third record
//! and no other.
//!
//!     cargo run --example stepped_import

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crashpoint::{
    Ctx, Engine, RedbCheckpointStore, State, StepOutcome, SteppedTask, TaskError, Workflow,
};

const RECORDS: [&str; 5] = ["Ada", "Barbara", "Charles", "Donald", "Edsger"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Import {
    Copy,
    Copied,
}

/// Imports a record in each step. The cursor counts the records that are done.
struct Copy {
    /// The record at which this process hangs until it is killed.
    hangs_at: Option<usize>,
}

impl SteppedTask<Import> for Copy {
    type Cursor = usize;

    async fn step(
        &self,
        _ctx: Ctx,
        done: Option<usize>,
    ) -> Result<StepOutcome<usize, Import>, TaskError> {
        let next = done.unwrap_or(0);
        let Some(name) = RECORDS.get(next) else {
            return Ok(StepOutcome::Done(Import::Copied));
        };
        println!("  imports record {next}, {name}");
        if self.hangs_at == Some(next) {
            std::future::pending::<()>().await;
        }
        Ok(StepOutcome::More(next + 1))
    }
}

async fn import(file: &Path, hangs_at: Option<usize>) -> Result<(), Box<dyn Error>> {
    let workflow = Workflow::builder("import", 1)
        .stepped(Import::Copy, "copy", Copy { hangs_at })
        .exit(Import::Copied)
        .build()?;
    let engine = Engine::new(RedbCheckpointStore::new(file)?);
    let run = engine.run_or_resume(&workflow, "import-1", Import::Copy, &());
    println!("  ended: {:?}", run.await?);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    if let Some(file) = std::env::args_os().nth(1) {
        return import(Path::new(&file), Some(2)).await;
    }
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("import.redb");

    println!("first process:");
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg(&file).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().ok_or("the child has no output")?).lines();
    for line in lines {
        let line = line?;
        println!("{line}");
        if line.contains("record 2") {
            child.kill()?;
        }
    }
    println!("  killed: {}", child.wait()?);

    println!("second process:");
    import(&file, None).await
}
