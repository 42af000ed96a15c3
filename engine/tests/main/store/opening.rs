//! What opening refuses, in words that an operator can use, and what it leaves as it was.

use std::fs;
use std::path::Path;

use crashpoint::{CheckpointStore as _, RedbCheckpointStore, RedbReader, StoreErrorKind};
use redb::TableDefinition;

use super::{ABOUT, kind_of, row};

/// Opens `store` in a fresh folder that `prepare` has filled; the message has no path in it.
fn check(prepare: impl FnOnce(&Path), kind: StoreErrorKind, expected: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    prepare(&path);
    let before = fs::read(&path).ok();
    let error = RedbCheckpointStore::new(&path).expect_err("it is refused");
    let message = error.to_string();
    let place = path.display().to_string();
    let expected = format!("checkpoint store: {place}: {expected}");
    assert_eq!(message, expected);
    assert_eq!(kind_of(&error), Some(kind), "{message}");
    let names = fs::read_dir(folder.path()).expect("the folder is there");
    let expected = usize::from(path.exists());
    assert_eq!(names.count(), expected, "nothing was left behind");
    let is_database = before
        .as_ref()
        .is_some_and(|bytes| bytes.starts_with(b"redb"));
    if !is_database {
        assert_eq!(
            fs::read(&path).ok(),
            before,
            "what is no database is left alone"
        );
    }
}

/// A database that somebody made with redb.
fn made(path: &Path, with: impl FnOnce(&redb::WriteTransaction)) {
    let database = redb::Database::create(path).expect("a fresh file");
    let transaction = database.begin_write().expect("nobody else has it");
    with(&transaction);
    transaction.commit().expect("it is written");
}

fn made_with_format(path: &Path, format: u64) {
    made(path, |transaction| {
        let mut about = transaction.open_table(ABOUT).expect("a fresh table");
        about.insert("format", format).expect("it is written");
    });
}

#[test]
fn an_empty_file() {
    check(
        |path| fs::write(path, "").expect("it is written"),
        StoreErrorKind::Damaged,
        "the file is empty, which a store never is; remove it to begin a new store",
    );
}

#[test]
fn a_file_that_is_no_database() {
    for text in ["x".to_owned(), "a list of things to buy\n".repeat(1000)] {
        check(
            |path| fs::write(path, text).expect("it is written"),
            StoreErrorKind::Damaged,
            "I/O error: Not a redb database: magic number mismatch",
        );
    }
}

#[test]
fn a_file_that_was_cut_short() {
    let truncated = "DB corrupted: File truncated below stored layout: file_len=";
    let cases = [
        (
            8,
            "I/O error: Not a redb database: magic number mismatch".to_owned(),
        ),
        (100, "I/O error: failed to fill whole buffer".to_owned()),
        (320, format!("{truncated}320, layout_len=73728")),
        (5000, format!("{truncated}5000, layout_len=73728")),
    ];
    for (length, expected) in cases {
        check(
            |path| {
                drop(RedbCheckpointStore::new(path).expect("a fresh file"));
                let bytes = fs::read(path).expect("it is there");
                fs::write(path, &bytes[..length]).expect("it is written");
            },
            StoreErrorKind::Damaged,
            &expected,
        );
    }
}

#[test]
fn a_database_of_somebody_else() {
    let foreign = "checkpoint store: PATH: the file is a redb database but not a checkpoint store";
    let others: [fn(&Path); 5] = [
        |path| made(path, |_| {}),
        |path| {
            made(path, |transaction| {
                let rows: TableDefinition<'_, &str, &str> = TableDefinition::new("customers");
                transaction.open_table(rows).expect("a fresh table");
            });
        },
        // The same names, other types.
        |path| {
            made(path, |transaction| {
                let about: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
                transaction.open_table(about).expect("a fresh table");
            });
        },
        |path| {
            made(path, |transaction| {
                transaction.open_table(ABOUT).expect("a fresh table");
            });
        },
        |path| made_with_format(path, 1),
    ];
    for prepare in others {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        prepare(&path);
        let error = RedbCheckpointStore::new(&path).expect_err("it is refused");
        let message = error
            .to_string()
            .replace(&path.display().to_string(), "PATH");
        assert_eq!(message, foreign);
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Damaged));
    }
}

#[test]
fn a_format_that_is_newer() {
    check(
        |path| made_with_format(path, 2),
        StoreErrorKind::Other,
        "the file has format 2, and this version reads format 1",
    );
}

#[test]
fn a_format_that_is_none() {
    check(
        |path| {
            made_with_format(path, 0);
        },
        StoreErrorKind::Damaged,
        "the file is a redb database but not a checkpoint store",
    );
}

#[test]
fn a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("missing").join("store");
    let error = RedbCheckpointStore::new(&path).expect_err("nobody makes folders");
    assert_eq!(
        kind_of(&error),
        Some(StoreErrorKind::Unavailable),
        "{error}"
    );
    assert!(error.to_string().contains("No such file"), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_folder_in_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = RedbCheckpointStore::new(folder.path()).expect_err("it is no file");
    assert_eq!(
        kind_of(&error),
        Some(StoreErrorKind::Unavailable),
        "{error}"
    );
}

/// The superuser may do everything, so there is nothing to see for it.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(RedbCheckpointStore::new(&path).expect("a fresh file"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).expect("it is ours");
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        return;
    }
    let error = RedbCheckpointStore::new(&path).expect_err("it is read-only");
    assert_eq!(
        kind_of(&error),
        Some(StoreErrorKind::Unavailable),
        "{error}"
    );
    assert!(error.to_string().contains("ermission"), "{error}");
}

#[tokio::test]
async fn a_store_that_is_open_already() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let first = RedbCheckpointStore::new(&path).expect("a fresh file");
    first
        .append("order-1", row(0))
        .await
        .expect("a free sequence");
    for _ in 0..2 {
        let error = RedbCheckpointStore::new(&path).expect_err("it is open");
        let message = error
            .to_string()
            .replace(&path.display().to_string(), "PATH");
        let expected = "checkpoint store: PATH: the store is open already, here or in another process; a process that reads the file (a doctor, a copy) keeps it locked, too";
        assert_eq!(message, expected);
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
    }
    first
        .append("order-1", row(1))
        .await
        .expect("it is not disturbed");
    drop(first);
    let again = RedbCheckpointStore::new(&path).expect("it is closed");
    let rows = again.load_run("order-1").await.expect("it is whole");
    assert_eq!(rows, [row(0), row(1)]);
}

/// Whoever looks at the file keeps the store closed, and not somebody else from looking.
#[test]
fn a_store_that_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(RedbCheckpointStore::new(&path).expect("a fresh file"));
    let before = fs::read(&path).expect("it is there");
    let mut one = RedbReader::open(&path).expect("nobody has it open");
    let mut other = RedbReader::open(&path).expect("both only read");
    let error = RedbCheckpointStore::new(&path).expect_err("it would write");
    assert!(error.to_string().contains("is open already"), "{error}");
    for reader in [&mut one, &mut other] {
        let ids = reader.run_ids(None, 10).expect("it is whole");
        assert_eq!(ids, Vec::<String>::new());
        assert_eq!(reader.load_run("order-1").expect("it is whole"), []);
    }
    drop((one, other));
    assert_eq!(fs::read(&path).expect("it is there"), before);
    drop(RedbCheckpointStore::new(&path).expect("it is closed"));
}

/// A pipe as the path of a reader waited for a writer that never came, and a device was called an empty
/// file, with the advice to remove it.
#[cfg(unix)]
#[test]
fn a_path_that_leads_to_no_regular_file_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("the system has mkfifo").success());
    for path in [&*pipe, Path::new("/dev/zero"), Path::new("/dev/null")] {
        let opened = RedbCheckpointStore::new(path).expect_err("it is no file");
        let read = RedbReader::open(path).expect_err("it is no file");
        for error in [opened, read] {
            let message = format!(
                "checkpoint store: {}: is not a regular file",
                path.display()
            );
            assert_eq!(error.to_string(), message);
            assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
        }
    }
}

#[tokio::test]
async fn a_reader_visits_the_rows_that_it_would_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = RedbCheckpointStore::new(&path).expect("a fresh file");
    for (id, sequence) in [("order-1", 0), ("order-2", 0), ("order-1", 1)] {
        let appended = store.append(id, row(sequence)).await;
        appended.expect("it is free");
    }
    drop(store);
    let mut reader = RedbReader::open(&path).expect("nobody has it open");
    for (id, expected) in [("order-1", vec![row(0), row(1)]), ("order-3", vec![])] {
        let mut visited = Vec::new();
        let read = reader.visit_run(id, |row| visited.push(row));
        read.expect("it is whole");
        assert_eq!(visited, expected);
        assert_eq!(reader.load_run(id).expect("it is whole"), expected);
    }
}

#[test]
fn scopes_differ_between_stores_and_not_within_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = |name| RedbCheckpointStore::new(folder.path().join(name)).expect("a fresh file");
    let (one, other) = (store("one"), store("other"));
    assert!(one.exclusive_scope().is_some());
    assert_eq!(one.exclusive_scope(), one.exclusive_scope());
    assert_ne!(one.exclusive_scope(), other.exclusive_scope());
    assert_eq!(format!("{one:?}"), "RedbCheckpointStore { .. }");
}

#[tokio::test]
async fn the_name_of_the_file_is_free() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["runs.redb", "no extension", ".hidden", "ünï", "a.creating"] {
        let path = folder.path().join(name);
        let store = RedbCheckpointStore::new(&path).expect(name);
        store.append("order-1", row(0)).await.expect(name);
        assert!(path.exists(), "{name}");
    }
}
