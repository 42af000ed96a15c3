//! The target `kept_text`: what people keep and paste (tapes, tokens, schedules, faults, budgets, exports of
//! logs) is read as what it says, or refused. No text panics a parser, and what was read is written and read again as
//! the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use crashpoint::{ExportError, ExportReader, ExportWriter, ExportedRun, Payloads};
use crashpoint_simulator::workload::named;
use crashpoint_simulator::{
    BadLine, Budget, Fault, Possible, Schedule, Settings, Source, TapeFile, Token, run_seed,
};

use crate::Seed;

/// How many of the parsers read the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Read {
    /// Tapes.
    pub tapes: usize,
    /// Tokens, schedules, faults and budgets.
    pub words: usize,
    /// Logs of exports.
    pub logs: usize,
}

/// Reads `input` with each parser.
///
/// # Panics
///
/// If a parser panics, or reads its own text as something else.
pub fn kept_text(input: &[u8]) -> Read {
    Read {
        logs: check_export(input, export),
        ..check_kept_text(input, TapeFile::from_bytes)
    }
}

/// Reads a whole export.
///
/// # Errors
///
/// If it is damaged.
pub fn export(input: &[u8]) -> Result<Vec<ExportedRun>, ExportError> {
    ExportReader::new(input).collect()
}

/// Reads an export, writes its logs and reads them again. Returns the number of logs.
///
/// # Panics
///
/// If they are other logs.
pub fn check_export<E>(input: &[u8], read: impl Fn(&[u8]) -> Result<Vec<ExportedRun>, E>) -> usize {
    let Ok(logs) = read(input) else { return 0 };
    let payloads = logs.first().map_or(Payloads::Kept, |log| log.payloads);
    let again = read(&written(payloads, &logs)).ok();
    match payloads {
        Payloads::Kept => assert_eq!(
            again.as_ref(),
            Some(&logs),
            "an export is read as it was written"
        ),
        // Somebody may have written payloads into it; they are gone after the first writing.
        Payloads::Redacted => {
            let once = again.expect("a redacted export is read again");
            let twice = read(&written(payloads, &once)).ok();
            assert_eq!(twice, Some(once), "an export is read as it was written");
        }
    }
    logs.len()
}

fn written(payloads: Payloads, logs: &[ExportedRun]) -> Vec<u8> {
    let mut text = Vec::new();
    let write = |text: &mut Vec<u8>| {
        let mut export = ExportWriter::new(text, payloads)?;
        for log in logs {
            export.begin_run(&log.workflow_id)?;
            for row in &log.rows {
                export.row(row.clone())?;
            }
        }
        export.finish()
    };
    write(&mut text).expect("memory does not fail");
    text
}

/// The same with another reader of tapes.
///
/// # Panics
///
/// As [`kept_text`].
pub fn check_kept_text<E>(input: &[u8], tape: impl Fn(&[u8]) -> Result<TapeFile, E>) -> Read {
    let text = String::from_utf8_lossy(input);
    let mut read = Read {
        words: [
            reads::<Token>(&text),
            reads::<Schedule>(&text),
            reads::<Fault>(&text),
            reads::<Budget>(&text),
        ]
        .into_iter()
        .map(usize::from)
        .sum(),
        tapes: usize::from(reads_tape(input, &tape)),
        logs: 0,
    };
    // A fuzzer does not find the fingerprint, so the target adds it.
    if let Some(signed) = with_fingerprint(&text) {
        read.tapes += usize::from(reads_tape(signed.as_bytes(), &tape));
    }
    read
}

/// Whether `T` reads the text.
fn reads<T: FromStr + Display + PartialEq + Debug>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else {
        return false;
    };
    let written = value.to_string();
    let again = written.parse::<T>();
    assert_eq!(
        again.ok(),
        Some(value),
        "it is read as it was written: {written:?}"
    );
    true
}

fn reads_tape<E>(input: &[u8], read: impl Fn(&[u8]) -> Result<TapeFile, E>) -> bool {
    let Ok(tape) = read(input) else { return false };
    let written = tape.to_string();
    let again = read(written.as_bytes()).ok();
    assert_eq!(
        again,
        Some(tape),
        "a tape is read as it was written: {written:?}"
    );
    true
}

/// The tape with the fingerprint of its draws, if only that is wrong.
fn with_fingerprint(text: &str) -> Option<String> {
    let error = text.parse::<TapeFile>().err()?;
    let BadLine::Fingerprint { found, .. } = error.what else {
        return None;
    };
    let before = text.rfind("fingerprint ")?;
    Some(format!("{}fingerprint {found}\n", &text[..before]))
}

/// A tape, a token and an export of two workloads, and words.
pub(crate) fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = ["linear", "order"]
        .into_iter()
        .flat_map(of_workload)
        .collect();
    let words = [
        ("a-fault", "crash"),
        ("a-budget", "c2f1d1e1t1p2x1j1b1"),
        ("a-schedule", "v1; at life1/append#3:before: crash"),
        ("a-token-of-version-2", "2.order.memory.c1.7x1.9f0c61d2"),
    ];
    seeds.extend(words.map(|(name, text)| Seed {
        name: name.to_owned(),
        input: text.into(),
    }));
    seeds
}

fn of_workload(name: &str) -> [Seed; 4] {
    let workload = named(name).expect("a built-in workload");
    let settings = Settings {
        budget: "c2f1".parse().expect("a budget"),
        ..Settings::default()
    };
    let (trial, settings) = run_seed(Source::Fixed(&workload), &settings, Possible::All, 1);
    let tape = TapeFile::of(name, &settings, &trial.tape).to_string();
    let token = Token::of(name, &settings, &trial.tape).to_string();
    let log = |payloads| ExportedRun {
        workflow_id: "run-1".to_owned(),
        rows: trial.run.log.clone(),
        payloads,
    };
    let export = |payloads| written(payloads, &[log(payloads)]);
    let seeds = [
        ("tape", tape.into_bytes()),
        ("token", token.into_bytes()),
        ("export", export(Payloads::Kept)),
        ("redacted-export", export(Payloads::Redacted)),
    ];
    seeds.map(|(what, input)| Seed {
        name: format!("{name}-{what}"),
        input,
    })
}
