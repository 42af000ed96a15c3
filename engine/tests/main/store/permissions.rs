//! Who may read the file of a store.
//!
//! A hostile week found that files were readable by everybody, and that whoever can read a file can keep
//! the service from starting, since a reader locks it.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crashpoint::{RedbCheckpointStore, RedbOptions};

fn mode_of(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("a file");
    metadata.permissions().mode() & 0o777
}

#[test]
fn a_new_file_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(RedbCheckpointStore::new(&path).expect("a fresh file"));
    assert_eq!(mode_of(&path), 0o600);
}

#[test]
fn a_new_file_has_the_mode_that_was_asked_for_less_the_mask() {
    for mode in [0o600, 0o640, 0o660, 0o644, 0o777] {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("store"), folder.path().join("other"));
        drop(RedbOptions::new().mode(mode).open(&path).expect("fresh"));
        let created = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&other);
        drop(created.expect("a fresh file"));
        assert_eq!(mode_of(&path), mode_of(&other), "{mode:#o}");
    }
}

#[test]
fn a_file_that_exists_keeps_its_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(RedbCheckpointStore::new(&path).expect("a fresh file"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
    drop(RedbOptions::new().mode(0o660).open(&path).expect("whole"));
    assert_eq!(mode_of(&path), 0o644);
}

#[test]
fn a_mode_out_of_range_is_refused_by_its_name() {
    for mode in [0, 0o444, 0o200, 0o060, 0o1600, 0o7777, u32::MAX] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let error = RedbOptions::new().mode(mode).open(&path);
        let error = error.expect_err("it is refused").to_string();
        let expected = format!(
            "checkpoint store: {}: mode {mode:#o} is not allowed; it must be 0o600..=0o777, and its \
             owner must be able to read and write",
            path.display()
        );
        assert_eq!(error, expected);
        assert!(!path.exists(), "{mode:#o}");
    }
}
