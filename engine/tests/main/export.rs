//! Exports of logs: what is written is read again, damage is refused with its line, and logs are held
//! against a workflow without running anything.

use crashpoint::{
    Cause, CauseKind, CheckpointRow, ClaimRecord, Ctx, Event, ExportError, ExportLimits,
    ExportReader, ExportWriter, ExportedRun, IdHash, LogCheck, LogProblem, Mismatch, Nonce,
    Payloads, State, StepOutcome, SteppedTask, TaskError, Undone, Workflow, check_logs,
};
use expect_test::{Expect, expect};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Import {
    Load,
    Sort,
    Loaded,
}

/// A task that must not run.
struct Load;

impl SteppedTask<Import> for Load {
    type Cursor = u32;

    async fn step(&self, _: Ctx, _: Option<u32>) -> Result<StepOutcome<u32, Import>, TaskError> {
        panic!("a check runs no task")
    }
}

async fn sort(_: Ctx) -> Result<Import, TaskError> {
    panic!("a check runs no task")
}

fn import(version: u32) -> Workflow<Import> {
    Workflow::builder("import", version)
        .stepped(Import::Load, "load", Load)
        .task(Import::Sort, "sort", sort)
        .exit(Import::Loaded)
        .build()
        .expect("the workflow is valid")
}

fn claimed(workflow_id: &str) -> Event {
    let claim = ClaimRecord {
        id_hash: Some(IdHash::of(workflow_id)),
        run_id: Nonce([1; 16]),
        nonce: Nonce([1; 16]),
        definition: "import".into(),
        version: 1,
        fingerprint: 0,
        unix_ms: 1_767_225_600_000,
        exits: ["Loaded".into()].into(),
        input: Some(b"\"secret input\""[..].into()),
    };
    Event::Claimed {
        state: "Load".into(),
        claim,
    }
}

fn advanced(cursor: &[u8]) -> Event {
    Event::StepAdvanced {
        state: "Load".into(),
        task: "load".into(),
        cursor: cursor.into(),
    }
}

fn entered(state: &str, task: &str) -> Event {
    Event::Entered {
        state: state.into(),
        task: task.into(),
    }
}

fn rows(events: &[Event]) -> Vec<CheckpointRow> {
    let rows = events.iter().zip(0..);
    rows.map(|(event, sequence)| event.to_row(sequence))
        .collect()
}

fn exported(payloads: Payloads, runs: &[(&str, Vec<CheckpointRow>)]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut export = ExportWriter::new(&mut text, payloads).expect("memory does not fail");
    for (id, rows) in runs {
        export.begin_run(id).expect("memory does not fail");
        for row in rows {
            export.row(row.clone()).expect("memory does not fail");
        }
    }
    export.finish().expect("memory does not fail");
    text
}

fn read(text: &[u8]) -> Result<Vec<ExportedRun>, ExportError> {
    ExportReader::new(text).collect()
}

fn two_runs() -> Vec<(&'static str, Vec<CheckpointRow>)> {
    let loaded = [claimed("a"), advanced(b"7"), entered("Sort", "load")];
    vec![("a", rows(&loaded)), ("b", rows(&[claimed("b")]))]
}

#[test]
fn an_export_is_lines_of_json_in_printable_ascii() {
    let row = CheckpointRow::new(0, "Zürich\u{202e}", "a \"task\"\n\u{1f600}");
    let text = exported(Payloads::Kept, &[("run\u{1b}[2J", vec![row.clone()])]);
    let text = String::from_utf8(text).expect("ASCII");
    assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')));
    expect![[r#"
        {"export":{"version":1,"redacted":false}}
        {"run":{"id":"run\u001b[2J"}}
        {"row":{"sequence":0,"kind":"state_entry","state":"Z\u00fcrich\u202e","task":"a \"task\"\n\ud83d\ude00"}}
        {"end":{"runs":1,"rows":1}}
    "#]]
    .assert_eq(&text);
    let runs = read(text.as_bytes()).expect("it is whole");
    assert_eq!(runs[0].rows, [row]);
}

#[test]
fn an_export_without_runs_is_whole() {
    assert_eq!(
        read(&exported(Payloads::Kept, &[])).expect("it is whole"),
        []
    );
}

#[test]
fn every_cut_of_an_export_is_refused() {
    let text = exported(Payloads::Kept, &two_runs());
    assert_eq!(read(&text).expect("it is whole").len(), 2);
    for end in 0..text.len() {
        assert!(read(&text[..end]).is_err(), "cut after {end} bytes");
    }
}

#[test]
fn damage_is_refused_with_its_line() {
    let text = String::from_utf8(exported(Payloads::Kept, &two_runs())).expect("ASCII");
    let lines: Vec<&str> = text.lines().collect();
    let without = |lost: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != lost);
        let kept: Vec<&str> = kept.map(|(_, line)| *line).collect();
        kept.join("\n") + "\n"
    };
    let mut told = String::new();
    let mut check = |what: &str, text: &str| {
        let error = read(text.as_bytes()).expect_err(what);
        told.push_str(&format!("{what}: {error}\n"));
    };
    check("an empty text", "");
    check("another text", "# Logs\n");
    check("other JSON", "{\"runs\":[]}\n");
    check(
        "a later version",
        &text.replace("\"version\":1", "\"version\":2"),
    );
    check("a lost header", &without(0));
    check("a lost run", &without(1));
    check("a lost row", &without(3));
    check("a lost end", &without(lines.len() - 1));
    check("a run without rows", &without(6));
    check(
        "a second header",
        &text.replace("{\"run\":{\"id\":\"b\"}}", lines[0]),
    );
    check("a line after the end", &format!("{text}{}\n", lines[1]));
    check(
        "an unknown kind",
        &text.replace("step_cursor", "stepcursor"),
    );
    check("an unknown field", &text.replace("\"task\"", "\"tasks\""));
    check(
        "half a byte",
        &text.replace("\"blob\":\"37\"", "\"blob\":\"3\""),
    );
    check(
        "a digit in upper case",
        &text.replace("\"blob\":\"37\"", "\"blob\":\"3A\""),
    );
    expect![[r#"
        an empty text: line 1 of the export: the text is not an export: it does not begin with a header
        another text: line 1 of the export: the text is not an export: it does not begin with a header
        other JSON: line 1 of the export: the text is not an export: it does not begin with a header
        a later version: line 1 of the export: it has version 2, and this reader knows version 1
        a lost header: line 1 of the export: the text is not an export: it does not begin with a header
        a lost run: line 2 of the export: a line of this kind can't be here
        a lost row: line 7 of the export: the end counts 2 runs and 4 rows, and 2 and 3 were read
        a lost end: line 8 of the export: the export has no end: it was cut
        a run without rows: line 7 of the export: run "b" has no row
        a second header: line 6 of the export: a line of this kind can't be here
        a line after the end: line 9 of the export: a line of this kind can't be here
        an unknown kind: line 4 of the export: it is no line of an export: unknown row kind "stepcursor" at line 1 column 40
        an unknown field: line 3 of the export: it is no line of an export: unknown field `tasks`, expected one of `sequence`, `kind`, `state`, `task`, `blob` at line 1 column 58
        half a byte: line 4 of the export: it is no line of an export: a blob is not pairs of hexadecimal digits at line 1 column 82
        a digit in upper case: line 4 of the export: it is no line of an export: a blob is not pairs of hexadecimal digits at line 1 column 83
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_reader_holds_at_most_what_its_limits_say() {
    let text = exported(Payloads::Kept, &two_runs());
    let line_bytes = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    let limits = |line_bytes, run_bytes| ExportLimits {
        line_bytes,
        run_bytes,
    };
    let read = |limits| ExportReader::with_limits(&*text, limits).collect::<Result<Vec<_>, _>>();
    let defaults = ExportLimits::default();
    assert!(read(limits(line_bytes, defaults.run_bytes)).is_ok());
    let long_line = read(limits(line_bytes - 1, defaults.run_bytes)).expect_err("too long");
    assert_eq!(
        long_line.to_string(),
        format!(
            "line 3 of the export: it is longer than the limit of {} bytes",
            line_bytes - 1
        )
    );
    let long_run = read(limits(defaults.line_bytes, line_bytes + 1)).expect_err("too long");
    assert_eq!(
        long_run.to_string(),
        format!(
            "line 4 of the export: run \"a\" is longer than the limit of {} bytes",
            line_bytes + 1
        )
    );
}

#[test]
fn a_redacted_export_has_no_payload_and_the_same_run() {
    let cause = Cause {
        kind: CauseKind::Failure,
        message: "secret cause".into(),
    };
    let rolled_back = [
        claimed("a"),
        advanced(b"\"secret cursor\""),
        entered("Sort", "load"),
        Event::RollbackStarted {
            state: "Sort".into(),
            task: "sort".into(),
            cause,
            undo_open_visit: true,
        },
        Event::CompensationFailed {
            task: "sort".into(),
            undone: Undone::InDoubt(2),
            error: "secret error".into(),
        },
    ];
    let completed = Event::Completed {
        state: "Sort".into(),
        task: "load".into(),
        output: b"\"secret output\""[..].into(),
    };
    let runs = [
        ("a", rows(&rolled_back)),
        ("b", rows(&[claimed("b"), completed])),
    ];
    let secret = |rows: &[CheckpointRow]| {
        let blobs = rows.iter().filter_map(|row| row.output_blob.as_deref());
        let text = blobs.map(|blob| String::from_utf8_lossy(blob).into_owned());
        text.collect::<String>().contains("secret")
    };
    let kept = read(&exported(Payloads::Kept, &runs)).expect("it is whole");
    let redacted = read(&exported(Payloads::Redacted, &runs)).expect("it is whole");
    for (kept, redacted) in kept.iter().zip(&redacted) {
        assert!(secret(&kept.rows) && !secret(&redacted.rows));
        assert_eq!(redacted.payloads, Payloads::Redacted);
        let place = |run: &ExportedRun| {
            let state = crashpoint::rebuild_run(&run.workflow_id, &run.rows).expect("a legal log");
            (
                state.next_sequence(),
                state.header().map(|header| header.started_unix_ms),
            )
        };
        assert_eq!(place(kept), place(redacted));
    }
}

/// Checks the logs against version 2 of the import, which accepts version 1 if the builder does.
fn checked(payloads: Payloads, logs: &[(&str, Vec<CheckpointRow>)], version: u32) -> LogCheck {
    let text = exported(payloads, logs);
    check_logs(&import(version), ExportReader::new(&*text)).expect("the export is whole")
}

#[track_caller]
fn tells(check: &LogCheck, expected: &Expect) {
    expected.assert_eq(&check.to_string());
}

#[test]
fn each_log_that_does_not_fit_is_told_with_its_reason() {
    let mut other = rows(&[claimed("f")]);
    let Ok(Event::Claimed { state, claim }) = Event::from_row(&other[0]) else {
        panic!("the first row is a claim");
    };
    let claim = ClaimRecord {
        definition: "export".into(),
        ..claim
    };
    other[0] = Event::Claimed { state, claim }.to_row(0);
    let mut gap = rows(&[claimed("e"), advanced(b"7"), entered("Sort", "load")]);
    gap.remove(1);
    let logs = [
        ("a", rows(&[claimed("a"), advanced(b"7")])),
        ("b", rows(&[claimed("b"), advanced(b"\"seven\"")])),
        ("c", rows(&[claimed("c"), entered("Gone", "load")])),
        ("d", rows(&[claimed("a")])),
        ("e", gap),
        ("f", other),
    ];
    let check = checked(Payloads::Kept, &logs, 1);
    assert!(!check.all_fit());
    tells(
        &check,
        &expect![[r#"
        1 logs fit, 4 do not
          run "b" in "Load": the output or cursor of task "load" can't be read: invalid type: string "seven", expected u32 at line 1 column 7
          run "c" in "Gone": sequence 1 names the unknown state "Gone"
          run "d": the log is corrupt at sequence 0: the claim is of another workflow id: this is the log of another run
          run "e": the log is corrupt at sequence 2: expected sequence 1
          not checked: 1 of workflow "export""#]],
    );
    let first = &check.misfits[0].problem;
    assert!(matches!(first, LogProblem::Mismatch(Mismatch::Blob { .. })));
    // What is redacted can't be read, and is not held against the log.
    tells(
        &checked(Payloads::Redacted, &logs, 1),
        &expect![[r#"
        2 logs fit, 3 do not
          run "c" in "Gone": sequence 1 names the unknown state "Gone"
          run "d": the log is corrupt at sequence 0: the claim is of another workflow id: this is the log of another run
          run "e": the log is corrupt at sequence 2: expected sequence 1
          not checked: 1 of workflow "export"
          the export has no payloads: no output and no cursor was read"#]],
    );
    tells(
        &checked(Payloads::Kept, &logs[..1], 2),
        &expect![[r#"
        0 logs fit, 1 do not
          run "a" in "Load": the run has version 1, accepted are [2]"#]],
    );
}

#[test]
fn a_check_of_nothing_does_not_pass() {
    assert!(!checked(Payloads::Kept, &[], 1).all_fit());
    assert!(checked(Payloads::Kept, &two_runs(), 1).all_fit());
}

#[test]
fn an_export_that_is_damaged_is_an_error_of_the_check() {
    let text = exported(Payloads::Kept, &two_runs());
    let checked = check_logs(&import(1), ExportReader::new(&text[..text.len() - 2]));
    let error = checked.expect_err("the end is cut");
    assert_eq!(
        error.to_string(),
        "line 8 of the export: the export has no end: it was cut"
    );
}

proptest! {
    #[test]
    fn any_rows_are_read_as_they_were_written(
        runs in prop::collection::vec(
            (any::<String>(), prop::collection::vec(any_row(), 1..4)),
            0..4,
        ),
    ) {
        let written: Vec<(&str, Vec<CheckpointRow>)> =
            runs.iter().map(|(id, rows)| (id.as_str(), rows.clone())).collect();
        let read = read(&exported(Payloads::Kept, &written)).expect("it is whole");
        let read: Vec<_> = read.into_iter().map(|run| (run.workflow_id, run.rows)).collect();
        prop_assert_eq!(read, runs);
    }
}

fn any_row() -> impl Strategy<Value = CheckpointRow> {
    let kinds = prop::sample::select(crashpoint::RowKind::ALL);
    let blob = prop::option::of(prop::collection::vec(any::<u8>(), 0..16));
    let row = (any::<u64>(), any::<String>(), any::<String>(), blob, kinds);
    row.prop_map(
        |(sequence, state, task_id, output_blob, kind)| CheckpointRow {
            sequence,
            state,
            task_id,
            output_blob,
            kind,
        },
    )
}
