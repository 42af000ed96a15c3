//! What the kit finds in databases that stores here are made of: `docs/findings.md` tells it. A finding that a
//! release has fixed fails here.

use correct_stores::fjall_rows::Fjall;
use correct_stores::lmdb::Lmdb;
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

/// The failure of a law. `test` is the name of the test, which children of the kit run again.
fn failure<H: Harness>(test: &str, claim: Claim, law: LawId) -> String {
    let plan = Plan::new()
        .claims([claim])
        .only_laws([law])
        .again([test, "--exact"]);
    let report = run_all::<H>(&plan);
    match report.laws() {
        [law] => match &law.verdict {
            Verdict::Fail(message) => message.clone(),
            verdict => panic!("expected a failure, got {verdict:?}"),
        },
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
