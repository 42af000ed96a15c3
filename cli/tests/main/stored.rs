//! `doctor`, `runs` and `show`: what they say of the file of a store, and that they only read it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Output;

use crashpoint::{
    CheckpointRow, CheckpointStore as _, ClaimRecord, Event, Nonce, RedbCheckpointStore,
    StoreError, StoreErrorKind,
};
use crashpoint_cli::exit::Exit;
use expect_test::{Expect, expect};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::command::{crashpoint, text};

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// A folder with the file of a store, for the commands that read one.
pub(crate) struct StoreFixture {
    folder: TempDir,
    file: PathBuf,
}

impl StoreFixture {
    fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("runs.redb");
        Self { folder, file }
    }

    fn with(runs: &[(&str, Vec<CheckpointRow>)]) -> Self {
        let fixture = Self::empty();
        let store = RedbCheckpointStore::new(&fixture.file).expect("a fresh file");
        append(&store, runs);
        fixture
    }

    fn path(&self) -> String {
        self.file.display().to_string()
    }

    /// The folder, in which the file is called `runs.redb`.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the command. `PATH` among its arguments stands for the file.
    pub(crate) fn run(&self, arguments: &str) -> Output {
        let path = self.path();
        let arguments = arguments.split(' ').map(|argument| match argument {
            "PATH" => &path,
            other => other,
        });
        crashpoint(&arguments.collect::<Vec<_>>())
    }

    /// Checks what the command prints, standard error below the rest, and its code.
    #[track_caller]
    pub(crate) fn check(&self, arguments: &str, expected: &Expect) {
        let before = std::fs::read(&self.file).ok();
        let output = self.run(arguments);
        let code = output.status.code().expect("it ends by itself");
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        let all = all.replace(&self.path(), "PATH");
        expected.assert_eq(&format!("{all}exits with {code}\n"));
        assert_eq!(std::fs::read(&self.file).ok(), before, "it is only read");
    }

    /// Does something to the file that a store never does.
    fn meddle(&self, with: impl FnOnce(&redb::WriteTransaction)) {
        let database = Database::create(&self.file).expect("nobody has it open");
        let transaction = database.begin_write().expect("nobody has it open");
        with(&transaction);
        transaction.commit().expect("it is written");
    }
}

fn append(store: &RedbCheckpointStore, runs: &[(&str, Vec<CheckpointRow>)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        for (id, rows) in runs {
            for row in rows {
                store.append(id, row.clone()).await.expect("it is free");
            }
        }
    });
}

/// 2026-01-01T00:00:00Z.
const BEGUN: u64 = 1_767_225_600_000;

fn rows(events: &[Event]) -> Vec<CheckpointRow> {
    let rows = events.iter().zip(0..);
    rows.map(|(event, sequence)| event.to_row(sequence))
        .collect()
}

fn claimed(life: u8) -> Event {
    claimed_at(life, BEGUN)
}

fn claimed_at(life: u8, unix_ms: u64) -> Event {
    let claim = ClaimRecord {
        id_hash: None,
        run_id: Nonce([1; 16]),
        nonce: Nonce([life; 16]),
        definition: "order".into(),
        version: 3,
        fingerprint: 0,
        unix_ms,
        exits: ["Shipped".into()].into(),
        input: (life == 1).then(|| b"1999"[..].into()),
    };
    Event::Claimed {
        state: "Charge".into(),
        claim,
    }
}

fn charged() -> Event {
    Event::Completed {
        state: "Ship".into(),
        task: "charge".into(),
        output: b"\"receipt\""[..].into(),
    }
}

fn shipped() -> Event {
    Event::Entered {
        state: "Shipped".into(),
        task: "ship".into(),
    }
}

/// A run that has ended, one that has not, and one whose log lacks a row.
fn three() -> Vec<(&'static str, Vec<CheckpointRow>)> {
    let mut gap = rows(&[claimed(1), charged(), shipped()]);
    gap.remove(1);
    vec![
        ("order-1", rows(&[claimed(1), charged(), shipped()])),
        ("order-2", rows(&[claimed(1), claimed(2), charged()])),
        ("order\n3", gap),
    ]
}

/// A store with a run that has ended and one that has not.
pub(crate) fn two_runs() -> StoreFixture {
    StoreFixture::with(&three()[..2])
}

/// A store with a run whose first life began when the clock said so.
pub(crate) fn begun_at(unix_ms: u64) -> StoreFixture {
    let rows = rows(&[claimed_at(1, unix_ms), charged(), shipped()]);
    StoreFixture::with(&[("order-1", rows)])
}

/// A store with `text` as every name and output; the log of the second run lacks its first row.
pub(crate) fn named(text: &str) -> StoreFixture {
    let mut claim = claimed(1);
    if let Event::Claimed { state, claim } = &mut claim {
        (*state, claim.definition) = (text.into(), text.into());
        claim.input = Some(text.as_bytes().into());
    }
    let done = Event::Completed {
        state: text.into(),
        task: text.into(),
        output: text.as_bytes().into(),
    };
    let log = rows(&[claim, done]);
    let broken = format!("broken {text}");
    StoreFixture::with(&[(text, log.clone()), (&*broken, log[1..].to_vec())])
}

#[test]
fn a_store_in_which_nothing_is_wrong() {
    let fixture = two_runs();
    fixture.check(
        "doctor PATH",
        &expect![[r#"
        2 runs, 6 rows: no problem found
        exits with 0
    "#]],
    );
    fixture.check(
        "doctor PATH --json",
        &expect![[r#"
            {"version":1,"healthy":true,"runs":2,"rows":6,"problem":null,"wrong":[]}
            exits with 0
        "#]],
    );
    let at = BEGUN + 3_600_000 + 61_000;
    fixture.check(
        &format!("runs PATH --at {at}"),
        &expect![[r#"
        done         rows 3     lives 1   age 1h 1m 1s         order-1 of order 3  Shipped
        running      rows 3     lives 2   age 1h 1m 1s         order-2 of order 3  Ship
        exits with 0
    "#]],
    );
    fixture.check(
        &format!("runs PATH --at {at} --json"),
        &expect![[r#"
            {"version":1,"runs":[{"run":"order-1","workflow":"order","workflow_version":3,"phase":"done","state":"Shipped","rows":3,"lives":1,"started_unix_ms":1767225600000,"age_ms":3661000},{"run":"order-2","workflow":"order","workflow_version":3,"phase":"running","state":"Ship","rows":3,"lives":2,"started_unix_ms":1767225600000,"age_ms":3661000}]}
            exits with 0
        "#]],
    );
    fixture.check(
        "show PATH order-1",
        &expect![[r#"
        order-1: order 3, 1 life, started 2026-01-01T00:00:00Z
        done Shipped
          #0   claim                   at Charge, life 0101010101010101, input 1999
          #1   compensation_completion charge -> Ship, output "receipt"
          #2   state_entry             ship -> Shipped
        exits with 0
    "#]],
    );
    fixture.check(
        "show PATH order-2 --json",
        &expect![[r#"
            {"version":1,"run":"order-2","workflow":"order","workflow_version":3,"phase":"running","state":"Ship","lives":2,"started_unix_ms":1767225600000,"error":null,"rows":[{"sequence":0,"kind":"claim","state":"Charge","task":"","blob_bytes":86},{"sequence":1,"kind":"claim","state":"Charge","task":"","blob_bytes":78},{"sequence":2,"kind":"compensation_completion","state":"Ship","task":"charge","blob_bytes":9}]}
            exits with 0
        "#]],
    );
    fixture.check(
        "show PATH order-9",
        &expect![[r#"
        error: no run "order-9" in this store
        exits with 2
    "#]],
    );
}

/// `doctor` kept the whole log of a run: 28 outputs of 50 MiB took 1.5 GB. Now it keeps the beginning of
/// each, and the numbers are those of the file.
#[test]
fn a_log_of_long_outputs_is_counted_whole_and_shown_in_part() {
    let long = Event::Completed {
        state: "Ship".into(),
        task: "charge".into(),
        output: vec![b'x'; 100_000].into(),
    };
    let fixture = StoreFixture::with(&[("order-1", rows(&[claimed(1), long, shipped()]))]);
    fixture.check(
        "doctor PATH",
        &expect![[r#"
            1 run, 3 rows: no problem found
            exits with 0
        "#]],
    );
    let shown = text(&fixture.run("show PATH order-1 --json").stdout);
    assert!(shown.contains("\"blob_bytes\":100000"), "{shown}");
    let shown = text(&fixture.run("show PATH order-1").stdout);
    let output = format!("output {}...\n", "x".repeat(72));
    assert!(shown.contains(&output), "{shown}");
}

#[test]
fn a_log_that_breaks_the_rules() {
    let fixture = StoreFixture::with(&three());
    fixture.check(
        "doctor PATH",
        &expect![[r#"
        log of run "order\n3" is corrupt at sequence 2: expected sequence 1
        3 runs, 8 rows; invalid: 1 run
        exits with 1
    "#]],
    );
    fixture.check(
        "doctor PATH --json",
        &expect![[r#"
            {"version":1,"healthy":false,"runs":3,"rows":8,"problem":null,"wrong":[{"run":"order\n3","reason":"log of run \"order\\n3\" is corrupt at sequence 2: expected sequence 1"}]}
            exits with 1
        "#]],
    );
    fixture.check(
        &format!("runs PATH --at {BEGUN}"),
        &expect![[r#"
        invalid      log of run "order\n3" is corrupt at sequence 2: expected sequence 1
        done         rows 3     lives 1   age 0s               order-1 of order 3  Shipped
        running      rows 3     lives 2   age 0s               order-2 of order 3  Ship
        exits with 1
    "#]],
    );
    fixture.check(
        "show PATH order\n3",
        &expect![[r#"
        order\n3: log of run "order\n3" is corrupt at sequence 2: expected sequence 1
          #0   claim                   at Charge, life 0101010101010101, input 1999
          #2   state_entry             ship -> Shipped
        exits with 1
    "#]],
    );
}

/// A store of two runs, in which a row of the first is damaged.
pub(crate) fn damaged() -> StoreFixture {
    let fixture = two_runs();
    fixture.meddle(|transaction| {
        let mut rows = transaction.open_table(ROWS).expect("a store has it");
        rows.insert(("order-1", 1), &[0; 40][..])
            .expect("it is written");
    });
    fixture
}

#[test]
fn a_row_that_is_damaged() {
    let fixture = damaged();
    fixture.check(
        "doctor PATH",
        &expect![[r#"
        checkpoint store: row 1 of run "order-1" is damaged: its checksum is 00000000 and should be 4f527b69
        2 runs, 3 rows; invalid: 1 run
        exits with 1
    "#]],
    );
    fixture.check(
        "runs PATH --at 0 --json",
        &expect![[r#"
            {"version":1,"runs":[{"run":"order-1","error":"checkpoint store: row 1 of run \"order-1\" is damaged: its checksum is 00000000 and should be 4f527b69"},{"run":"order-2","workflow":"order","workflow_version":3,"phase":"running","state":"Ship","rows":3,"lives":2,"started_unix_ms":1767225600000,"age_ms":0}]}
            exits with 1
        "#]],
    );
    fixture.check(
        "show PATH order-1",
        &expect![[r#"
        order-1: checkpoint store: row 1 of run "order-1" is damaged: its checksum is 00000000 and should be 4f527b69
          empty
        exits with 1
    "#]],
    );
}

/// A file of a format that comes after ours.
pub(crate) fn newer() -> StoreFixture {
    let fixture = StoreFixture::empty();
    fixture.meddle(|transaction| {
        let mut about = transaction.open_table(ABOUT).expect("a fresh table");
        about.insert("format", 2).expect("it is written");
    });
    fixture
}

/// A database of somebody else's.
fn foreign() -> StoreFixture {
    let fixture = StoreFixture::empty();
    fixture.meddle(|_| {});
    fixture
}

/// A file with these bytes.
fn bytes(bytes: impl AsRef<[u8]>) -> StoreFixture {
    let fixture = StoreFixture::empty();
    std::fs::write(&fixture.file, bytes).expect("it is written");
    fixture
}

fn shopping_list() -> StoreFixture {
    bytes("a list of things to buy\n".repeat(100))
}

/// A store whose file has become something else.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> StoreFixture {
    let fixture = StoreFixture::with(&three());
    let mut all = std::fs::read(&fixture.file).expect("it is there");
    change(&mut all);
    std::fs::write(&fixture.file, all).expect("it is written");
    fixture
}

/// A store of which no copy of an output is what was written: pages that are not used any more have
/// some too.
fn rotted() -> StoreFixture {
    changed(|all| {
        let copies = all.windows(7).enumerate();
        let copies: Vec<usize> = copies
            .filter_map(|(at, part)| (part == b"receipt").then_some(at))
            .collect();
        copies.iter().for_each(|at| all[*at] ^= 1);
    })
}

#[test]
fn a_file_that_is_none_of_ours_or_too_new() {
    newer().check(
        "doctor PATH",
        &expect![[r#"
        error: checkpoint store: PATH: the file has format 2, and this version reads format 1
        exits with 1
    "#]],
    );
    foreign().check(
        "runs PATH",
        &expect![[r#"
        error: checkpoint store: PATH: the file is a redb database but not a checkpoint store
        exits with 1
    "#]],
    );
    shopping_list().check(
        "show PATH order-1",
        &expect![[r#"
        error: checkpoint store: PATH: I/O error: Not a redb database: magic number mismatch
        exits with 1
    "#]],
    );
    bytes("").check(
        "doctor PATH",
        &expect![[r#"
        error: checkpoint store: PATH: the file is empty, which a store never is; remove it to begin a new store
        exits with 1
    "#]],
    );
    let missing = StoreFixture::empty();
    missing.check(
        "doctor PATH",
        &expect![[r#"
        error: checkpoint store: PATH: No such file or directory (os error 2)
        exits with 2
    "#]],
    );
    assert!(!missing.file.exists(), "nothing was made");
}

/// With a file that can't be opened, `doctor --json` printed nothing but a line on standard error, so
/// that a script got no document just when the file was bad.
#[test]
fn doctor_says_in_json_why_a_file_can_not_be_opened() {
    let bad = [
        (
            shopping_list(),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: I/O error: Not a redb database: magic number mismatch","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            bytes(""),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: the file is empty, which a store never is; remove it to begin a new store","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            foreign(),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: the file is a redb database but not a checkpoint store","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            newer(),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: the file has format 2, and this version reads format 1","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            changed(|all| all.truncate(100)),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: I/O error: unexpected end of file","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            changed(|all| all.truncate(all.len() / 2)),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: DB corrupted: File truncated below stored layout: file_len=28672, layout_len=57344","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            changed(|all| all[64..320].fill(0)),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: DB corrupted: Expected file format version <= 3, found 0","wrong":[]}
            exits with 1
        "#]],
        ),
        (
            rotted(),
            expect![[r#"
            {"version":1,"healthy":false,"runs":0,"rows":0,"problem":"checkpoint store: PATH: DB corrupted: Primary is corrupted despite 2-phase commit","wrong":[]}
            exits with 1
        "#]],
        ),
    ];
    for (fixture, expected) in bad {
        fixture.check("doctor PATH --json", &expected);
        // These have nothing to show, and say so as any command does that fails.
        for command in ["runs PATH --json", "show PATH order-1 --json"] {
            let output = fixture.run(command);
            assert_eq!(output.status.code(), Some(1), "{command}");
            assert_eq!(text(&output.stdout), "", "{command}");
        }
    }
}

#[test]
fn a_path_without_a_file_to_read_is_a_matter_of_the_call() {
    let folder = StoreFixture::empty();
    std::fs::create_dir(&folder.file).expect("a folder");
    let mut below = shopping_list();
    below.file.push("runs.redb");
    let used = StoreFixture::with(&three());
    let _store = RedbCheckpointStore::new(&used.file).expect("nobody has it open");
    let wrong = [
        (
            &StoreFixture::empty(),
            expect![[r#"
            error: checkpoint store: PATH: No such file or directory (os error 2)
            exits with 2
        "#]],
        ),
        (
            &folder,
            expect![[r#"
            error: checkpoint store: PATH: is a directory
            exits with 2
        "#]],
        ),
        (
            &below,
            expect![[r#"
            error: checkpoint store: PATH: Not a directory (os error 20)
            exits with 2
        "#]],
        ),
        (
            &used,
            expect![[r#"
            error: checkpoint store: PATH: the store is open already, here or in another process; a process that reads the file (a doctor, a copy) keeps it locked, too
            exits with 2
        "#]],
        ),
    ];
    for (fixture, expected) in wrong {
        for command in ["doctor PATH", "runs PATH", "show PATH order-1"] {
            fixture.check(command, &expected);
            fixture.check(&format!("{command} --json"), &expected);
        }
        let output = fixture.run("doctor PATH --json");
        assert_eq!(text(&output.stdout), "", "there is no verdict");
    }
}

/// A disk that failed was taken for a command that was called wrongly, which nobody can call rightly.
#[test]
fn a_disk_that_fails_is_a_finding_and_a_file_that_may_not_be_read_is_not() {
    let cause = |kind: ErrorKind| io::Error::from(kind);
    let unavailable = || StoreError::new(StoreErrorKind::Unavailable, "it can't be opened");
    for (kind, exit) in [
        (ErrorKind::NotFound, Exit::Usage),
        (ErrorKind::PermissionDenied, Exit::Usage),
        (ErrorKind::IsADirectory, Exit::Usage),
        (ErrorKind::NotADirectory, Exit::Usage),
        (ErrorKind::Other, Exit::Safety),
        (ErrorKind::TimedOut, Exit::Safety),
        (ErrorKind::StaleNetworkFileHandle, Exit::Safety),
    ] {
        let opened = unavailable().with_source(cause(kind));
        assert_eq!(Exit::of_unopened(&opened), exit, "{kind}");
        let read = unavailable().with_source(redb::Error::Io(cause(kind)));
        assert_eq!(Exit::of_unopened(&read), exit, "{kind}, as redb has it");
    }
    let failed_before = unavailable().with_source(redb::Error::PreviousIo);
    assert_eq!(Exit::of_unopened(&failed_before), Exit::Safety);
    // EIO, which has no kind of its own.
    let disk = io::Error::from_raw_os_error(5);
    let failed = unavailable().with_source(redb::Error::Io(disk));
    assert_eq!(Exit::of_unopened(&failed), Exit::Safety);
    assert_eq!(Exit::of_unopened(&unavailable()), Exit::Usage);
    let damaged = StoreError::new(StoreErrorKind::Damaged, "the file is empty");
    assert_eq!(Exit::of_unopened(&damaged), Exit::Safety);
}

#[test]
fn a_page_that_has_rotted() {
    let fixture = rotted();
    for command in ["doctor PATH", "runs PATH"] {
        let output = fixture.run(command);
        assert_eq!(output.status.code(), Some(1));
        let error = text(&output.stderr);
        assert!(error.starts_with("error: checkpoint store: "), "{error}");
    }
}

/// The file as a crash leaves it has to be repaired when it is opened. Here it is not.
#[test]
fn a_file_whose_process_has_crashed_is_read_and_stays_as_it_is() {
    let fixture = StoreFixture::empty();
    let crashed = StoreFixture::empty();
    let store = RedbCheckpointStore::new(&fixture.file).expect("a fresh file");
    append(&store, &three()[..2]);
    std::fs::copy(&fixture.file, &crashed.file).expect("it is copied");
    crashed.check(
        "doctor PATH",
        &expect![[r#"
        2 runs, 6 rows: no problem found
        exits with 0
    "#]],
    );
    fixture.check(
        "doctor PATH",
        &expect![[r#"
            error: checkpoint store: PATH: the store is open already, here or in another process; a process that reads the file (a doctor, a copy) keeps it locked, too
            exits with 2
        "#]],
    );
}
