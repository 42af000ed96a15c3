//! `crashpoint certify`: every law on a built-in store, several laws at a time.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use crashpoint_conformance::{Claim, Harness, Merged, Plan, Report, catalogue, run_while};

use crate::arguments::{CertifyArguments, Store};
use crate::certificate::stores::{self, Memory, Redb};
use crate::certificate::{Files, exit, show};
use crate::exit::{Exit, Failure};
use crate::process::interrupt::interrupt_flag;
use crate::process::progress::CertifyProgress;
use crate::text::escape;

pub(crate) fn run(arguments: &CertifyArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let CertifyArguments {
        store,
        path,
        output,
        // `jobs` below has its default.
        jobs: _,
    } = arguments;
    let files = Files::create(output)?;
    if let Some(folder) = path {
        std::fs::create_dir_all(folder).map_err(|error| Failure::File(folder.clone(), error))?;
        // Laws search the directory beside a store, so no part of its path may change.
        let folder = folder.canonicalize();
        stores::place_in(folder.map_err(Failure::Output)?);
    }
    let interrupted = interrupt_flag()?;
    let jobs = arguments.jobs();
    let report = match store {
        Store::Memory => {
            let plan = plan("memory", Memory::CLAIMS).jobs(jobs);
            certified::<Memory>("MemoryCheckpointStore", &plan, &interrupted)
        }
        Store::Redb => {
            let plan = plan("redb", Redb::CLAIMS).jobs(jobs);
            certified::<Redb>("RedbCheckpointStore", &plan, &interrupted)
        }
    };
    let merged = Merged {
        reports: vec![report],
        remarks: Vec::new(),
    };
    show(&merged, output, json, out)?;
    files.write(&merged)?;
    Ok(match exit(&merged) {
        Exit::Harness if interrupted.load(Ordering::Relaxed) => Exit::Interrupted,
        exit => exit,
    })
}

/// The claims of a store, and the arguments with which this command starts itself as a child
/// process: they lead to the same laws, and write no file.
fn plan(store: &str, claims: &[Claim]) -> Plan {
    let again = ["certify", "--store", store];
    Plan::new().claims(claims.iter().copied()).again(again)
}

fn certified<H: Harness>(name: &str, plan: &Plan, interrupted: &AtomicBool) -> Report {
    // Not before the first law: a child process does not reach it, and shows nothing.
    let mut progress = None;
    let report = run_while::<H>(plan, |law| {
        if interrupted.load(Ordering::Relaxed) {
            return ControlFlow::Break("Ctrl-C came before it".to_owned());
        }
        let new = || CertifyProgress::new(name, catalogue().len());
        progress.get_or_insert_with(new).begin(law);
        ControlFlow::Continue(())
    });
    if let Some(progress) = progress {
        progress.finish();
    }
    report.named(stores::name(name))
}

fn json(merged: &Merged) -> String {
    escape::json(&merged.reports[0]).expect("a report is plain data")
}
