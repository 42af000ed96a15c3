//! Messages are bounded, whatever they quote.
//!
//! A refused duplicate of a run with an id of 1 MiB had a message of 6 MB, because each character of the
//! id was escaped.

use crashpoint::{
    BlobFault, BuildError, CheckpointRow, CheckpointStore as _, Error, IllegalEvent, Label,
    LogFault, MemoryCheckpointStore, Mismatch, RowFault, RowKind, State, StoreError,
    StoreErrorKind, TaskKind, Undone, Workflow,
};
use serde::ser::Error as _;

/// No message is longer, in bytes: it quotes at most four names, and the escape of a character has at
/// most ten bytes.
const MESSAGE_BYTES_MAX: usize = 6000;

/// A text of 1 MiB whose characters are escaped.
fn long() -> String {
    "\u{1}".repeat(1 << 20)
}

fn check(what: &str, message: &str) {
    assert!(
        message.len() <= MESSAGE_BYTES_MAX,
        "{what}: {} bytes",
        message.len()
    );
    assert!(message.contains("… (1048576 bytes)"), "{what}: {message}");
}

fn mismatches() -> Vec<Mismatch> {
    let label = || Label::from(long());
    vec![
        Mismatch::Workflow {
            expected: label(),
            found: label(),
        },
        Mismatch::UnknownState {
            sequence: 1,
            label: label(),
        },
        Mismatch::Label {
            sequence: 1,
            label: label(),
            message: long(),
        },
        Mismatch::UnknownTask {
            sequence: 1,
            task: label(),
        },
        Mismatch::TaskKind {
            task: label(),
            needed: TaskKind::Plain,
            found: TaskKind::Stepped,
        },
        Mismatch::Blob {
            task: label(),
            message: long(),
        },
        Mismatch::ForeignTask {
            sequence: 1,
            state: label(),
            expected: label(),
            found: label(),
        },
        Mismatch::OpenAtExit { label: label() },
    ]
}

fn faults() -> Vec<LogFault> {
    let label = || Label::from(long());
    let illegal = [
        IllegalEvent::ForeignDefinition {
            expected: label(),
            found: label(),
        },
        IllegalEvent::WrongState {
            expected: label(),
            found: label(),
        },
        IllegalEvent::StartsAtExit(label()),
        IllegalEvent::UndoOutOfOrder {
            expected: Some((label(), Undone::Completion(1))),
            found: label(),
        },
    ];
    let row = RowFault::FieldUnexpected(RowKind::RolledBack, "state", long().into());
    let illegal = illegal.into_iter().map(LogFault::Illegal);
    illegal.chain([LogFault::Row(row)]).collect()
}

/// Every variant of [`Error`] that quotes anything.
fn errors() -> Vec<Error> {
    let workflow_id = long;
    let store_error = || StoreError::new(StoreErrorKind::Other, long());
    let mut errors = vec![
        Error::checkpoint_store(long()),
        Error::conflict(&long(), 7),
        Error::unavailable(long()),
        Error::unknown_outcome(long()),
        store_error().into(),
        Error::AlreadyExists {
            workflow_id: workflow_id(),
        },
        Error::AlreadyRunning {
            workflow_id: workflow_id(),
        },
        Error::NotFound {
            workflow_id: workflow_id(),
        },
        Error::Fenced {
            workflow_id: workflow_id(),
        },
        Error::Suspended {
            workflow_id: workflow_id(),
            in_doubt: Some(u64::MAX),
            source: store_error(),
        },
        Error::InvalidStart {
            workflow_id: workflow_id(),
            state: long(),
            reason: "it is an exit",
        },
        Error::NotStuck {
            workflow_id: workflow_id(),
        },
        Error::Input {
            workflow_id: workflow_id(),
            source: serde_json::Error::custom(long()),
        },
        Error::UnknownWorkflow {
            workflow_id: workflow_id(),
            workflow: long(),
        },
        Error::DuplicateWorkflow { workflow: long() },
        Error::Panicked {
            workflow_id: workflow_id(),
            message: long(),
        },
    ];
    errors.extend(mismatches().into_iter().map(|source| Error::Mismatch {
        workflow_id: "order-1".to_owned(),
        source,
    }));
    errors.extend(faults().into_iter().map(|source| Error::CorruptLog {
        workflow_id: "order-1".to_owned(),
        sequence: 1,
        source,
    }));
    errors
}

#[test]
fn every_message_of_an_error_is_bounded() {
    for error in errors() {
        check(error.category(), &error.to_string());
        let wrapped = StoreError::from(error);
        check("as an error of a store", &wrapped.to_string());
    }
    let label = || Label::from(long());
    for error in [
        BuildError::Unhandled(label()),
        BuildError::DuplicateState(label()),
        BuildError::DuplicateTask(label()),
        BuildError::NoExit(label()),
        BuildError::StartIsExit(label()),
        BuildError::Unreachable(label(), vec![label()]),
        BuildError::DuplicateLabel(label()),
        BuildError::LabelMismatch(label()),
    ] {
        check("definition", &error.to_string());
    }
    let unknown = long().parse::<RowKind>().expect_err("it is no kind");
    check("row kind", &unknown.to_string());
    let blob = RowFault::Blob(RowKind::Claim, BlobFault::NotUtf8);
    assert!(blob.to_string().len() < MESSAGE_BYTES_MAX);
}

#[test]
fn a_short_text_is_quoted_whole() {
    let id = "ä".repeat(128);
    let error = Error::conflict(&id, 7).to_string();
    assert_eq!(
        error,
        format!("checkpoint store: run {id:?} already has sequence 7")
    );
    let error = Error::conflict(&format!("{id}b"), 7).to_string();
    let expected = format!("checkpoint store: run {id:?}… (257 bytes) already has sequence 7");
    assert_eq!(error, expected);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Mail {
    Send,
    Sent,
}

#[tokio::test]
async fn a_refused_duplicate_of_a_long_id_has_a_short_message() {
    let store = MemoryCheckpointStore::new();
    let row = CheckpointRow::new(0, "Start", "fetch");
    store
        .append(&long(), row.clone())
        .await
        .expect("it is free");
    let error = store.append(&long(), row).await.expect_err("it is taken");
    check("duplicate", &error.to_string());
    let name = long();
    let workflow =
        Workflow::builder(&name, 1).task(Mail::Send, &name, |_| async { Ok(Mail::Sent) });
    let error = workflow.build().expect_err("it has no exit");
    assert!(error.to_string().len() < MESSAGE_BYTES_MAX);
}
