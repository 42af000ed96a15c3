//! What is left of creations that were killed.
//!
//! A hostile week found that 39 of 60 killed creations left a draft in the folder, and that nobody removed
//! it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use crashpoint::disk::{Directory, Disk};
use crashpoint::{Error, RedbCheckpointStore};

use super::{append, inline, load, row};

fn open(disk: &impl Disk) -> Result<RedbCheckpointStore, Error> {
    RedbCheckpointStore::on_disk(disk, inline())
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.into_string().expect("it is ours"))
        .collect()
}

#[test]
fn an_opening_removes_the_drafts_of_its_file_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(open(&Directory::new(&path)).expect("a fresh file"));
    let others = [
        "store2AbC123.creating",
        "storeAbC12.creating",
        "storeAbC1234.creating",
        "storeAb-123.creating",
        "storeAbC123.creating.old",
        "other",
    ];
    for name in ["storeAbC123.creating", "storeZZZZZZ.creating"]
        .iter()
        .chain(&others)
    {
        fs::write(folder.path().join(name), "half of a da").expect("it is written");
    }
    fs::create_dir(folder.path().join("storefolder.creating")).expect("a folder");
    drop(open(&Directory::new(&path)).expect("it is whole"));
    let mut left: BTreeSet<String> = others.map(str::to_owned).into();
    left.extend(["store", "storefolder.creating"].map(str::to_owned));
    assert_eq!(names(folder.path()), left);
}

#[test]
fn a_creation_leaves_nothing_but_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&Directory::new(&folder.path().join("store"))).expect("a fresh file"));
    assert_eq!(names(folder.path()), ["store".to_owned()].into());
}

/// A folder in which a rival creates the store, and opens it again, right after our draft.
struct Slow<'a>(Directory<'a>, &'a Path);

impl<'a> Disk for Slow<'a> {
    type File = <Directory<'a> as Disk>::File;
    type Draft = <Directory<'a> as Disk>::Draft;

    fn name(&self) -> String {
        self.0.name()
    }

    fn open(&self) -> io::Result<Option<Self::File>> {
        self.0.open()
    }

    fn draft(&self) -> io::Result<Self::Draft> {
        let draft = self.0.draft()?;
        for sequence in 0..2 {
            let rival = open(&Directory::new(self.1)).expect("the place is free");
            append(&rival, "order-1", row(sequence)).expect("a free sequence");
        }
        Ok(draft)
    }

    fn open_draft(&self, draft: &Self::Draft) -> io::Result<Self::File> {
        self.0.open_draft(draft)
    }

    fn publish(&self, draft: Self::Draft) -> io::Result<()> {
        self.0.publish(draft)
    }
}

#[test]
fn a_creation_whose_draft_was_removed_opens_the_store_of_whoever_was_faster() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = open(&Slow(Directory::new(&path), &path)).expect("the rival has closed it");
    assert_eq!(load(&store, "order-1").expect("whole"), [row(0), row(1)]);
}

#[test]
fn a_draft_that_was_removed_is_published_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let place = Directory::new(&path);
    let draft = place.draft().expect("a folder");
    drop(open(&Directory::new(&path)).expect("a fresh file"));
    drop(open(&Directory::new(&path)).expect("it is whole"));
    let published = place.publish(draft).expect_err("the name is taken");
    assert_eq!(published.kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_folder_that_is_not_there_is_said_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("missing").join("store");
    let error = open(&Directory::new(&path)).expect_err("there is no folder");
    let message = error.to_string();
    assert!(message.contains("No such file or directory"), "{message}");
}
