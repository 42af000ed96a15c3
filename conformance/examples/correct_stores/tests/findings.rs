//! What the kit finds in databases that stores here are made of: `docs/findings.md` tells it. A finding that a
//! release has fixed fails here.

use std::fs::File;

use correct_stores::fjall_rows::Fjall;
use correct_stores::lmdb::{EnvironmentFlags, Lmdb};
use correct_stores::shared::Threaded;
use crashpoint_conformance::{
    BoxError, Claim, Harness, LawId, Place, Plan, Verdict, claim, run_all,
};

struct OnFjall;

impl Harness for OnFjall {
    type Store = Threaded<Fjall>;

    async fn open(place: &Place) -> Result<Self::Store, BoxError> {
        Ok(Threaded::start(Fjall::open(place.path())?, None)?)
    }
}

struct OnLmdb;

impl Harness for OnLmdb {
    type Store = Threaded<Lmdb>;

    async fn open(place: &Place) -> Result<Self::Store, BoxError> {
        Ok(Threaded::start(Lmdb::open(place.path())?, None)?)
    }
}

/// LMDB that writes through mapped memory, in a directory that is synced once it is open. With `LATER` the kernel
/// writes the memory back when it likes.
struct OnMappedLmdb<const LATER: bool>;

impl<const LATER: bool> Harness for OnMappedLmdb<LATER> {
    type Store = Threaded<Lmdb>;

    async fn open(place: &Place) -> Result<Self::Store, BoxError> {
        let mut flags = EnvironmentFlags::WRITE_MAP;
        flags.set(EnvironmentFlags::MAP_ASYNC, LATER);
        // The file is as long as the map from the first, and the kit copies it for each moment of a power loss.
        let rows = Lmdb::open_with(place.path(), flags, 8 << 20)?;
        File::open(place.path())?.sync_all()?;
        Ok(Threaded::start(rows, None)?)
    }
}

/// The failure of a law. `test` is the name of the test, which children of the kit run again.
fn failure<H: Harness>(test: &str, claim: Claim, law: LawId) -> String {
    match verdict::<H>(test, claim, law) {
        Verdict::Fail(message) => message,
        verdict => panic!("expected a failure, got {verdict:?}"),
    }
}

fn verdict<H: Harness>(test: &str, claim: Claim, law: LawId) -> Verdict {
    let plan = Plan::new()
        .claims([claim])
        .only_laws([law])
        .again([test, "--exact"]);
    let report = run_all::<H>(&plan);
    match report.laws() {
        [law] => law.verdict.clone(),
        laws => panic!("expected one law, got {}", laws.len()),
    }
}

#[test]
fn fjall_killed_while_it_creates_its_files_never_opens_again() {
    let test = "fjall_killed_while_it_creates_its_files_never_opens_again";
    let message = failure::<OnFjall>(test, claim::process_crash, LawId::DUR_07);
    assert!(message.contains("could not open the store"), "{message}");
}

#[test]
fn lmdb_does_not_sync_its_directory() {
    let test = "lmdb_does_not_sync_its_directory";
    let message = failure::<OnLmdb>(test, claim::power_loss, LawId::DUR_09);
    assert!(
        message.contains("expected a sync of the place"),
        "{message}"
    );
}

/// Flags that a user sets: LMDB says that `MDB_MAPASYNC` may lose the newest commits.
#[test]
fn lmdb_that_leaves_its_map_to_the_kernel_loses_acknowledged_rows() {
    let test = "lmdb_that_leaves_its_map_to_the_kernel_loses_acknowledged_rows";
    let message = failure::<OnMappedLmdb<true>>(test, claim::power_loss, LawId::DUR_15);
    assert!(message.contains("only synced data was left"), "{message}");
}

#[test]
fn lmdb_that_syncs_its_map_keeps_acknowledged_rows() {
    let test = "lmdb_that_syncs_its_map_keeps_acknowledged_rows";
    let verdict = verdict::<OnMappedLmdb<false>>(test, claim::power_loss, LawId::DUR_15);
    assert_eq!(verdict, Verdict::Pass);
}
