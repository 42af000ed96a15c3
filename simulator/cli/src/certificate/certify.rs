//! `crashpoint certify`: every law on a store of ours, one after the other.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crashpoint_conformance::{Claim, Harness, Merged, Plan, Report, catalogue, run_while};

use crate::arguments::{CertifyArguments, Store};
use crate::certificate::stores::{self, Memory, Redb};
use crate::certificate::{Files, exit, show};
use crate::exit::{Exit, Failure};
use crate::interrupt::at_ctrl_c;
use crate::progress::CertifyProgress;

pub(crate) fn run(arguments: &CertifyArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let files = Files::create(&arguments.shape)?;
    if let Some(folder) = &arguments.path {
        std::fs::create_dir_all(folder).map_err(|error| Failure::File(folder.clone(), error))?;
        // Laws look for what a store leaves beside its directory: no part of a path may move.
        let folder = folder.canonicalize();
        stores::place_in(folder.map_err(Failure::Output)?);
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    at_ctrl_c(move || {
        flag.store(true, Ordering::Relaxed);
        true
    })?;
    let report = match arguments.store {
        Store::Memory => certified::<Memory>("MemoryCheckpointStore", Memory::CLAIMS, &interrupted),
        Store::Redb => certified::<Redb>("RedbCheckpointStore", Redb::CLAIMS, &interrupted),
    };
    let merged = Merged {
        reports: vec![report],
        remarks: Vec::new(),
    };
    show(
        &merged,
        &arguments.shape,
        |merged| merged.reports[0].to_json(),
        out,
    )?;
    files.write(&merged)?;
    Ok(match exit(&merged) {
        Exit::Harness if interrupted.load(Ordering::Relaxed) => Exit::Interrupted,
        exit => exit,
    })
}

fn certified<H: Harness>(name: &str, claims: &[Claim], interrupted: &AtomicBool) -> Report {
    let plan = Plan::new().claims(claims.iter().copied());
    let mut progress = CertifyProgress::new(name, catalogue().len());
    let report = run_while::<H>(&plan, |law| {
        if interrupted.load(Ordering::Relaxed) {
            return ControlFlow::Break("Ctrl-C came before it".to_owned());
        }
        progress.begins(law);
        ControlFlow::Continue(())
    });
    progress.finish();
    report.named(stores::name(name))
}
