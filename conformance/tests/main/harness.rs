//! Verdicts when the harness, a deadline or the claims are at fault, and not a single law.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, MemoryCheckpointStore, checkpoint_store};
use crashpoint_conformance::{
    BoxError, Harness, Hook, LawId, Options, Place, Plan, Report, Verdict, catalogue,
    catalogue_markdown, claim, run_all,
};

use crate::memory::Memory;
use crate::mutants::err::PanicsOnDuplicate;
use crate::mutants::pay::EmptyToNone;
use crate::mutants::{Broken, Mutated};

fn verdict(report: &Report, id: LawId) -> &Verdict {
    let law = report.laws().iter().find(|law| law.law.id == id);
    &law.unwrap().verdict
}

/// A store whose operations never end.
struct Deadlocks<const BLOCKING: bool>(Mutex<()>);

#[checkpoint_store]
impl<const BLOCKING: bool> CheckpointStore for Deadlocks<BLOCKING> {
    async fn append(&self, _workflow_id: &str, _row: CheckpointRow) -> Result<(), Error> {
        if BLOCKING {
            let _held = self.0.lock().unwrap();
            loop {
                std::thread::park();
            }
        }
        pending().await
    }

    async fn load_run(&self, _workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(Vec::new())
    }

    async fn clear(&self, _workflow_id: &str) -> Result<(), Error> {
        Ok(())
    }
}

impl<const BLOCKING: bool> Harness for Deadlocks<BLOCKING> {
    type Store = Self;

    async fn open(_place: &Place) -> Result<Self, BoxError> {
        Ok(Self(Mutex::default()))
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.operation_max = Duration::from_secs(1);
        options
    }
}

fn fails_by_name<H: Harness>() {
    let report = run_all::<H>(&Plan::new().only_laws([LawId::BAS_02]));
    assert!(!report.passed());
    let Verdict::Fail(message) = verdict(&report, LawId::BAS_02) else {
        panic!("{report}");
    };
    assert_eq!(
        message,
        "deadline passed at append of sequence 0, run \"run\": expected an answer within 1s, got \
         nothing"
    );
}

#[test]
fn the_advice_on_a_deadline_is_about_an_operation_that_does_not_end() {
    let laws = [LawId::BAS_02, LawId::BAS_07];
    let report = run_all::<Deadlocks<false>>(&Plan::new().only_laws(laws));
    for law in report.laws() {
        let Verdict::Fail(message) = &law.verdict else {
            panic!("{report}");
        };
        assert!(
            message.starts_with("deadline passed at append of sequence "),
            "{message}"
        );
        assert!(law.late);
        assert!(
            law.advice().contains("cause: The store waits for itself"),
            "{}",
            law.advice()
        );
        assert_ne!(law.advice(), law.law.advice());
        assert!(report.to_json().contains("\"late\":true"));
    }
    let broken = run_all::<Mutated<Broken<EmptyToNone>>>(&Plan::new().only_laws([LawId::PAY_01]));
    let law = &broken.laws()[0];
    assert!(!law.late);
    assert_eq!(law.advice(), law.law.advice());
}

#[test]
fn a_store_that_awaits_for_ever_fails_each_law_by_name() {
    fails_by_name::<Deadlocks<false>>();
}

#[test]
fn a_store_that_blocks_for_ever_fails_each_law_by_name() {
    fails_by_name::<Deadlocks<true>>();
}

/// A store that never ends with a large blob.
struct HangsOnLargeBlobs(MemoryCheckpointStore);

#[checkpoint_store]
impl CheckpointStore for HangsOnLargeBlobs {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        if row
            .output_blob
            .as_ref()
            .is_some_and(|blob| blob.len() > 1 << 20)
        {
            pending::<()>().await;
        }
        self.0.append(workflow_id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.0.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.0.clear(workflow_id).await
    }
}

impl Harness for HangsOnLargeBlobs {
    type Store = Self;

    async fn open(_place: &Place) -> Result<Self, BoxError> {
        Ok(Self(MemoryCheckpointStore::new()))
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.operation_max = Duration::from_secs(1);
        options.blob_bytes_max = Some(4 << 20);
        options
    }
}

/// A build for debugging that computes a checksum of some MiB is slow, and does not hang.
#[test]
fn an_operation_on_a_large_blob_has_more_time() {
    let plan = Plan::new()
        .claims([claim::limits])
        .only_laws([LawId::PAY_07]);
    let report = run_all::<HangsOnLargeBlobs>(&plan);
    let Verdict::Fail(message) = verdict(&report, LawId::PAY_07) else {
        panic!("{report}");
    };
    assert_eq!(
        message,
        "deadline passed at append of sequence 0, run \"run\": expected an answer within 3s, got \
         nothing"
    );
}

/// A harness that can't reach its server, or panics.
struct NoServer<const HANGS: bool>;

impl<const HANGS: bool> Harness for NoServer<HANGS> {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        if HANGS {
            pending::<()>().await;
        }
        Err("connection refused".into())
    }

    fn options() -> Options {
        Deadlocks::<false>::options()
    }
}

fn blames_the_harness<H: Harness>(words: &str) {
    let report = run_all::<H>(&Plan::new().only_laws([LawId::BAS_01, LawId::DUP_07]));
    for law in report.laws() {
        let Verdict::HarnessError(message) = &law.verdict else {
            panic!("{report}");
        };
        assert!(message.contains(words), "{message}");
    }
    assert!(!report.passed());
}

#[test]
fn a_store_that_can_not_be_opened_is_a_harness_error() {
    blames_the_harness::<NoServer<false>>("connection refused");
}

#[test]
fn an_open_that_hangs_is_a_harness_error() {
    blames_the_harness::<NoServer<true>>("deadline passed at opening the store");
}

/// A harness whose `open` panics.
struct PanicsInOpen;

impl Harness for PanicsInOpen {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        panic!("no configuration");
    }
}

#[test]
fn an_open_that_panics_is_a_harness_error() {
    blames_the_harness::<PanicsInOpen>("got a panic: no configuration");
    let report = run_all::<PanicsInOpen>(&Plan::new());
    assert_eq!(
        (report.count("pass"), report.level()),
        (0, None),
        "{report}"
    );
}

/// A harness that opens the same store at every place.
struct OnePlace;

impl Harness for OnePlace {
    type Store = std::sync::Arc<MemoryCheckpointStore>;

    async fn open(_place: &Place) -> Result<Self::Store, BoxError> {
        static ONE: Mutex<Option<std::sync::Arc<MemoryCheckpointStore>>> = Mutex::new(None);
        Ok(ONE.lock().unwrap().get_or_insert_default().clone())
    }
}

#[test]
fn a_harness_that_ignores_its_place_is_named_as_the_culprit() {
    let report = run_all::<OnePlace>(&Plan::new().only(["bas"]));
    let Verdict::HarnessError(message) = verdict(&report, LawId::BAS_08) else {
        panic!("{report}");
    };
    assert!(
        message.contains("does `open` ignore its place?"),
        "{message}"
    );
    assert_eq!(report.leads()[0].law, LawId::BAS_08, "{report}");
}

#[test]
fn an_expected_failure_that_passes_fails() {
    let plan = Plan::new()
        .only(["bas"])
        .expect_fail(LawId::BAS_01, "issue 7");
    let report = run_all::<Memory>(&plan);
    let verdict = verdict(&report, LawId::BAS_01);
    let message = "expected to fail (issue 7), but it passed".to_owned();
    assert_eq!(*verdict, Verdict::Fail(message));
    assert!(!report.passed());
}

#[test]
fn nothing_run_is_never_a_pass() {
    let mut plan = Plan::new().only(["ord"]);
    for law in catalogue().iter().filter(|law| law.group.key == "ord") {
        plan = plan.waive(law.id, "not today");
    }
    let report = run_all::<Memory>(&plan);
    assert!(
        report
            .laws()
            .iter()
            .all(|law| law.verdict == Verdict::Waived("not today".into()))
    );
    assert!(!report.passed());
    assert!(!run_all::<Memory>(&Plan::new().only(["no such group"])).passed());
}

#[test]
fn a_law_without_a_reason_is_neither_waived_nor_expected_to_fail() {
    let plan = Plan::new()
        .only_laws([LawId::PAY_01, LawId::BAS_01])
        .waive(LawId::BAS_01, " ")
        .expect_fail(LawId::PAY_01, "");
    let report = run_all::<Mutated<Broken<EmptyToNone>>>(&plan);
    let not_run = Verdict::NotRun("waived without a reason".to_owned());
    assert_eq!(*verdict(&report, LawId::BAS_01), not_run);
    assert_eq!(verdict(&report, LawId::PAY_01).word(), "fail");
}

/// A harness whose options leave the laws nothing to try.
struct TriesNothing;

impl Harness for TriesNothing {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Ok(MemoryCheckpointStore::new())
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.race_rounds_min = 0;
        options.race_budget = Duration::ZERO;
        options.poll_max = Duration::from_secs(3600);
        options
    }
}

#[test]
fn options_that_leave_nothing_to_try_are_inconclusive() {
    let laws = [LawId::DUP_07, LawId::CON_04, LawId::CLR_08, LawId::RUN_03];
    let report = run_all::<TriesNothing>(&Plan::new().only_laws(laws));
    assert_eq!(report.count("inconclusive"), laws.len(), "{report}");
    assert!(!report.passed());
}

#[test]
fn a_store_that_panics_fails_by_name() {
    let report = run_all::<Mutated<Broken<PanicsOnDuplicate>>>(&Plan::new().only(["dup"]));
    let Verdict::Fail(message) = verdict(&report, LawId::DUP_02) else {
        panic!("{report}");
    };
    assert_eq!(
        message,
        "at append of sequence 0, run \"run\": expected an answer, got a panic: internal error: \
         entered unreachable code: run \"run\" already has 0"
    );
}

#[test]
fn the_report_says_what_was_expected_and_what_came() {
    let report = run_all::<Mutated<Broken<EmptyToNone>>>(&Plan::new().only(["pay"]));
    let text = report.to_string();
    let expected = "fail          PAY-01 no blob and an empty blob stay apart (";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("blob of 0 bytes}, got 4 rows with"), "{text}");
    assert!(
        text.ends_with("FAILED (a part of the catalogue): 8 laws, 6 pass, 1 fail, 1 not_claimed"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["laws"][0]["verdict"], "fail");
    let reason = json["laws"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("expected 4 rows with"), "{reason}");
}

#[test]
fn a_claim_that_is_assumed_can_be_taken_back() {
    let plan = Plan::new().only(["eng"]).lacks([claim::engine_kinds]);
    let report = run_all::<Memory>(&plan);
    let not_claimed = Verdict::NotClaimed("engine_kinds".into());
    assert_eq!(*verdict(&report, LawId::ENG_01), not_claimed);
    assert_eq!(*verdict(&report, LawId::ENG_04), not_claimed);
    assert!(!report.passed());
    let report = run_all::<Memory>(&Plan::new().only(["eng"]));
    assert_eq!(*verdict(&report, LawId::ENG_04), Verdict::Pass);
}

#[test]
fn a_law_without_its_claim_is_reported_as_not_claimed() {
    let report = run_all::<Memory>(&Plan::new().only(["ord"]));
    let not_claimed = Verdict::NotClaimed("reopen".into());
    assert_eq!(*verdict(&report, LawId::ORD_12), not_claimed);
    assert!(report.passed());
}

#[test]
fn a_claim_that_is_not_kept_fails() {
    let report = run_all::<Memory>(&Plan::new().only(["ord"]).claims([claim::reopen]));
    let Verdict::Fail(message) = verdict(&report, LawId::ORD_12) else {
        panic!("{report}");
    };
    assert!(
        message.contains("after reopening: expected 8 rows"),
        "{message}"
    );
}

#[test]
fn the_report_is_json_with_a_verdict_for_each_law() {
    let report = run_all::<Memory>(&Plan::new().only(["clr"]));
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["contract"], "1.0");
    assert_eq!(json["passed"], true);
    assert_eq!(json["partial"], true);
    assert_eq!(json["laws"].as_array().unwrap().len(), 10);
    assert_eq!(json["laws"][0]["id"], "CLR-01");
    assert_eq!(json["laws"][0]["verdict"], "pass");
    assert_eq!(json["laws"][6]["verdict"], "not_claimed");
    assert_eq!(json["laws"][6]["reason"], "reopen");
}

#[test]
fn the_names_of_tests_begin_with_their_ids() {
    for law in catalogue() {
        let prefix = law.id.to_string().to_lowercase().replace('-', "_");
        assert!(law.name.starts_with(&prefix), "{}", law.name);
        assert!(prefix.starts_with(law.group.key), "{prefix}");
        assert_eq!(law.id.law().id, law.id);
    }
}

#[test]
fn laws_md_is_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/LAWS.md");
    let text = catalogue_markdown();
    if std::env::var_os("UPDATE_LAWS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == text,
        "LAWS.md is stale: run this test with UPDATE_LAWS=1"
    );
}

/// A harness with weak options, and a backend with settings.
struct Weak;

impl Harness for Weak {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Ok(MemoryCheckpointStore::new())
    }

    fn options() -> Options {
        let mut options = Options::default();
        options.race_budget = Duration::ZERO;
        let settings = [("server", "16.1"), ("synchronous_commit", "off")];
        options.environment = settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        options
    }
}

#[test]
fn the_certificate_names_versions_file_system_settings_and_changed_options() {
    let report = run_all::<Weak>(&Plan::new().only_laws([LawId::BAS_01]));
    let facts = report.environment();
    for (name, value) in [
        ("kit", env!("CARGO_PKG_VERSION")),
        ("server", "16.1"),
        ("synchronous_commit", "off"),
        ("option race_budget", "0ns"),
    ] {
        assert_eq!(
            facts.get(name).map(String::as_str),
            Some(value),
            "{facts:?}"
        );
    }
    assert!(!facts.contains_key("option law_max"), "{facts:?}");
    for name in ["build", "cores", "system"] {
        assert!(facts.contains_key(name), "{facts:?}");
    }
    #[cfg(target_os = "linux")]
    assert_ne!(facts["file system"], "unknown", "{facts:?}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["environment"]["server"], "16.1");
}

/// Its hooks say that they did their work, and do nothing.
struct DoesNothing;

impl Harness for DoesNothing {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Ok(MemoryCheckpointStore::new())
    }

    async fn crash_backend(_place: &Place) -> Result<Hook, BoxError> {
        Ok(Hook::Done)
    }

    async fn start_backend(_place: &Place) -> Result<Hook, BoxError> {
        Ok(Hook::Done)
    }

    async fn stop_leader(_place: &Place) -> Result<Hook, BoxError> {
        Ok(Hook::Done)
    }

    async fn start_node(_place: &Place) -> Result<Hook, BoxError> {
        Ok(Hook::Done)
    }

    fn options() -> Options {
        let mut options = Options::default();
        let stated = [("kit", "better"), ("server", "16.1")];
        let stated = stated.map(|(name, fact)| (name.to_owned(), fact.to_owned()));
        options.environment = stated.into();
        options
    }
}

#[test]
fn a_server_that_nobody_killed_has_shown_nothing() {
    let plan = Plan::new()
        .claims([claim::server_crash, claim::failover])
        .only(["srv"]);
    let report = run_all::<DoesNothing>(&plan);
    assert_eq!(report.count("pass"), 0, "{report}");
    let check = |law, word: &str, message: &str| {
        let verdict = verdict(&report, law);
        assert_eq!(verdict.word(), word, "{report}");
        assert!(verdict.reason().unwrap().contains(message), "{report}");
    };
    let killed = "an append succeeded: does it kill the server of this place?";
    check(LawId::SRV_01, "harness_error", killed);
    let stopped = "does `stop_leader` take it away";
    for law in [LawId::SRV_02, LawId::SRV_03, LawId::SRV_04] {
        check(law, "inconclusive", stopped);
    }
}

#[test]
fn a_harness_adds_to_what_the_kit_has_seen_and_replaces_none_of_it() {
    let report = run_all::<DoesNothing>(&Plan::new().only_laws([LawId::BAS_01]));
    let environment = report.environment();
    let seen = env!("CARGO_PKG_VERSION");
    assert_eq!(
        environment["kit"],
        format!("{seen} (the harness states better)")
    );
    assert_eq!(environment["server"], "16.1");
}
