//! `crashpoint probe`: the fast laws of the kit on an embedded store, in its own file. It writes runs of its
//! own and clears them.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crashpoint::RedbCheckpointStore;
use crashpoint_conformance::{LawId, Probe, ProbeError, Verdict};
use serde::Serialize;

use crate::arguments::StoredArguments;
use crate::exit::{Exit, Failure};
use crate::store;
use crate::text::{counted, escape};

#[derive(Serialize)]
struct ProbeReport {
    version: u32,
    passed: bool,
    laws: Vec<String>,
    /// The law to look at first.
    law: Option<String>,
    verdict: Option<&'static str>,
    reason: Option<String>,
    /// The other laws that did not pass.
    also: Vec<String>,
    /// Runs of the probe that are still in the store.
    left: Vec<String>,
}

pub(crate) fn run(arguments: &StoredArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let StoredArguments { path, json } = arguments;
    let probe = Probe::new(&opened(path)?);
    let laws: Vec<LawId> = probe.laws().collect();
    let found = probe.run_blocking().err();
    let exit = found.as_ref().map_or(Exit::Clean, exit);
    if *json {
        let report = ProbeReport {
            version: 1,
            passed: found.is_none(),
            laws: words(&laws),
            law: found.as_ref().map(|error| error.law().to_string()),
            verdict: found.as_ref().map(|error| error.verdict().word()),
            reason: found
                .as_ref()
                .and_then(|error| error.verdict().reason().map(str::to_owned)),
            also: found
                .as_ref()
                .map_or_else(Vec::new, |error| words(error.also())),
            left: found.map_or_else(Vec::new, |error| error.left().to_vec()),
        };
        let json = escape::json(&report).map_err(std::io::Error::from)?;
        writeln!(out, "{json}")?;
        return Ok(exit);
    }
    match found {
        None => writeln!(out, "{}: no law broken", counted(laws.len() as u64, "law"))?,
        Some(error) => writeln!(out, "{}", escape::message(&error.to_string()))?,
    }
    Ok(exit)
}

/// Opens a store that exists. Its file is read first, since an opening for writing would create it.
fn opened(path: &Path) -> Result<Arc<RedbCheckpointStore>, Failure> {
    drop(store::open(path)?);
    let opened = RedbCheckpointStore::new(path);
    opened
        .map(Arc::new)
        .map_err(|error| store::unopened(&error))
}

fn exit(error: &ProbeError) -> Exit {
    match error.verdict() {
        Verdict::Fail(_) => Exit::Safety,
        _ => Exit::Harness,
    }
}

fn words(laws: &[LawId]) -> Vec<String> {
    laws.iter().map(ToString::to_string).collect()
}
