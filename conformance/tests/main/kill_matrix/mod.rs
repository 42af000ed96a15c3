//! Each mutant is killed by the law named for it, with that message, and by no law that it keeps.
//!
//! A line says which laws *must* object: the one that is named, and those after `also`. With
//! `maybe racing`, other laws that are [sensitive to scheduling](Sensitivity::Scheduling) *may* object, and are
//! not asked. No other law may. A mutant with `spares` breaks what most laws stand on; the line names laws that must
//! pass all the same.
//!
//! A law that catches a mutant by a race is run many times, and [`power`] says how often it must do so.

mod controls;
mod journal;
mod line;
pub(crate) mod power;

use std::num::NonZeroUsize;

use crashpoint_conformance::{Claim, Law, LawId, Plan, Sensitivity, catalogue, claim, run_all};

use self::line::{Kill, check, judged, tests_again};
use crate::mutants::disk::InFile;
use crate::mutants::drafts::InDrafts;
use crate::mutants::outage::Breakable;
use crate::mutants::replicated::InNodes;
use crate::mutants::segments::InSegments;
use crate::mutants::server::Served;
use crate::mutants::shown::InShowing;
use crate::mutants::trees::InTrees;
use crate::mutants::{
    Broken, Faithful, Mutant, Mutated, bas, can, clr, concurrency, damaged, disk, dup, dur, eng,
    err, indexed, iso, lst, ord, outage, pay, prf, racing, replicated, run, segments, trees,
};

/// A line of the matrix, for whoever lists them.
pub(crate) struct Named {
    pub(crate) mutant: &'static str,
    pub(crate) by: LawId,
    pub(crate) saying: &'static str,
    /// How often the law is run where its finding depends on scheduling.
    pub(crate) rounds: u32,
    /// The other laws that must catch it.
    pub(crate) also: &'static [LawId],
    pub(crate) races: bool,
    pub(crate) spares: &'static [LawId],
}

/// A line of the matrix as a value.
macro_rules! named {
    ($name:ident $by:ident $saying:literal $rounds:expr, [$($also:ident)*] [$($racing:ident)?] [$($spared:ident)*]) => {
        Named {
            mutant: stringify!($name),
            by: LawId::$by,
            saying: $saying,
            rounds: $rounds,
            also: &[$(LawId::$also),*],
            races: races!($($racing)?),
            spares: &[$(LawId::$spared),*],
        }
    };
}

/// Whether a line says `maybe racing`.
macro_rules! races {
    () => {
        false
    };
    (racing) => {
        true
    };
}

/// The matrix: one test for each mutant, and the list that says which laws have one.
macro_rules! matrix {
    ($(
        $name:ident: $store:ty => $by:ident $saying:literal
        $(, also $($also:ident)+)? $(, maybe $racing:ident)? $(, spares: $($spared:ident)+)?;
    )*) => {
        $(
            #[test]
            fn $name() {
                check::<$store>(&Kill {
                    mutant: stringify!($name),
                    by: LawId::$by,
                    saying: $saying,
                    also: &[$($(LawId::$also),+)?],
                    races: races!($($racing)?),
                    spares: &[$($(LawId::$spared),+)?],
                });
            }
        )*

        pub(crate) const NAMED: &[Named] = &[$(
            named!($name $by $saying <$store as Mutant>::ROUNDS, [$($($also)+)?] [$($racing)?] [$($($spared)+)?])
        ),*];
    };
}

matrix! {
    err_on_unknown: Broken<bas::ErrOnUnknown> => BAS_01 "expected Ok, got the error \"checkpoint store: no such run\"", also CLR_10 BAS_05 BAS_08 DUP_12 CLR_01 CLR_03 CLR_06 CLR_07 CLR_09 RUN_01 RUN_02 RUN_07 ENG_03 CAN_02 CON_09 ERR_07, maybe racing;
    forgets_task: Broken<bas::ForgetsTask> => BAS_02 "task \"\"", spares: BAS_01 BAS_08 DUP_01 DUP_02 CLR_01 ERR_01 ERR_02 RUN_03;
    ack_before_write: Broken<bas::AckBeforeWrite> => BAS_03 "right after append 1 returned: expected 1 row", spares: BAS_01 DUP_01 DUP_02 DUP_07 ERR_01 ERR_02 RUN_03;
    copies_on_clone: bas::CopiesOnClone => BAS_04 "through the store's clone: expected 1 row";
    creates_on_load: Broken<bas::CreatesOnLoad> => BAS_05 "that was never written: expected an empty run", also BAS_01 BAS_08 CLR_06 CLR_09 ENG_03 CAN_02 CON_09, maybe racing;
    leaks_cursors: Broken<bas::LeaksCursors> => BAS_05 "expected Ok, got the error \"checkpoint store: no cursor left\"", maybe racing;
    gives_away: Broken<bas::GivesAway> => BAS_06 "after a caller changed its copy: expected 4 rows", spares: BAS_01 BAS_02 ORD_01 PAY_01 CLR_01 DUP_01 ERR_02;

    descending: Broken<ord::Descending> => ORD_01 "appended in order: expected 20 rows", spares: BAS_01 DUP_01 DUP_07 CLR_01 ERR_01 RUN_03;
    insertion_order: Broken<ord::InsertionOrder> => ORD_02 "appended out of order", also ORD_12 DUP_10, maybe racing;
    text_key: Broken<ord::TextKey> => ORD_03 "sequences of several lengths", also ORD_01 ORD_02 ORD_04 ORD_06 ORD_09 ORD_10 ORD_11 ORD_12 ISO_02 PAY_04 PAY_05 CLR_08 DUR_01 DUR_02 ENG_01 ENG_02 ENG_03, maybe racing;
    dense_only: Broken<ord::DenseOnly> => ORD_04 "gap in the sequence", also ORD_02 ORD_03 ORD_06 ORD_08 ORD_12 DUP_10 ISO_02 CLR_01, maybe racing;
    starts_at_zero: Broken<ord::StartsAtZero> => ORD_05 "the run has no row 0", also ORD_02 ORD_03 ORD_07 ORD_12 DUP_10 DUP_11 ERR_05, maybe racing;
    i64_cast: Broken<ord::I64Cast> => ORD_06 "around i64::MAX and u64::MAX", also ORD_12;
    float_sequence: Broken<ord::FloatSequence> => ORD_07 "expected Ok", also ORD_06;
    u32_sequence: Broken<ord::U32Sequence> => ORD_08 "expected Ok", also ORD_03 ORD_06 ORD_07 ORD_12 DUP_11 CLR_01;
    limit_1000: Broken<ord::Limit1000> => ORD_09 "expected 10300 rows", also DUR_01, maybe racing;
    limit_10000: Broken<ord::Limit10000> => ORD_09 "expected 10300 rows with {sequence 10000";
    limit_4096_above_1_mib: Broken<ord::Limit4096Above1MiB> => ORD_09 "expected 10300 rows with {sequence 4096";
    page_4_mib: Broken<ord::Page4MiB> => ORD_10 "expected 80 rows", also ORD_09 PAY_07;
    newest_segment_first: Broken<ord::NewestSegmentFirst> => ORD_11 "interleaved with two others", also ORD_02 ORD_12 CON_09, maybe racing;
    unordered_after_reopen: Broken<ord::UnorderedAfterReopen> => ORD_12 "after reopening";

    upsert: Broken<dup::Upsert> => DUP_01 "expected a rejection, got Ok", also DUP_13 DUP_02 DUP_05 DUP_07 DUP_09 DUP_11 DUP_12 ERR_01 ERR_05 ERR_06 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02, maybe racing;
    insert_ignore: Broken<dup::InsertIgnore> => DUP_01 "expected a rejection, got Ok", also DUP_13 DUP_02 DUP_05 DUP_07 DUP_09 DUP_11 DUP_12 ERR_01 ERR_05 ERR_06 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02, maybe racing;
    idempotent_ok: Broken<dup::IdempotentOk> => DUP_02 "expected a rejection, got Ok", also DUP_11 ERR_01 ERR_05 ERR_06, maybe racing;
    rejects_but_overwrites: Broken<dup::RejectsButOverwrites> => DUP_03 "after a rejection at sequence 2", also DUP_05 DUP_09 DUP_12 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02, maybe racing;
    rolls_back_the_run: Broken<dup::RollsBackTheRun> => DUP_03 "after a rejection at its only row: expected 1 row", also DUP_04 DUP_11 DUP_12 CAN_03 ERR_01 ENG_01 ENG_02, maybe racing;
    leaks_transaction: Broken<dup::LeaksTransaction> => DUP_04 "a transaction is open", also DUP_01 DUP_02 DUP_12 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02, maybe racing;
    checks_last_only: Broken<dup::ChecksLastOnly> => DUP_05 "expected a rejection, got Ok", also DUP_09 ENG_01 ENG_02, maybe racing;
    global_sequence: Broken<dup::GlobalSequence> => DUP_06 "expected Ok", also CLR_10 ORD_11 DUP_04 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_10 ISO_14 ISO_15 ISO_16 CLR_04 CLR_07 RUN_01 RUN_02 RUN_07 DUR_01 DUR_02 ENG_01 ENG_02 ENG_03 ENG_04 CON_09 PAY_08, maybe racing;
    check_then_insert: racing::CheckThenInsert => DUP_07 "expected exactly one Ok, got", maybe racing;
    check_await_insert: racing::CheckAwaitInsert => DUP_07 "tasks on one runtime", maybe racing;
    shared_staging: racing::SharedStaging => DUP_08 "expected the row of the contender that got Ok", also RUN_01, maybe racing;
    dup_index_in_memory: Broken<dup::DupIndexInMemory> => DUP_09 "expected a rejection, got Ok", also DUP_13 CON_09;
    index_of_its_own: Broken<dup::IndexOfItsOwn> => DUP_13 "expected exactly one Ok, got 2", also CON_09;
    taken_for_ever: Broken<dup::TakenForEver> => DUP_10 "expected Ok", also CLR_10 CLR_05 CLR_06 CLR_09 DUR_01 ENG_03 CON_09, maybe racing;
    max_unprotected: Broken<dup::MaxUnprotected> => DUP_11 "expected a rejection, got Ok";
    leaks_permits: Broken<dup::LeaksPermits> => DUP_12 "no permit left", maybe racing;

    prefix_clear: Broken<iso::PrefixClear> => ISO_01 "run \"order-\" after a clear of run \"order\": expected 2 rows", also ISO_02 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_14 ISO_15 ISO_16 CLR_04 ISO_17;
    concat_key: Broken<iso::ConcatKey> => ISO_02 "expected 3 rows";
    lower_case: Broken<iso::LowerCase> => ISO_03 "expected Ok", also ISO_08 ISO_10 ISO_11 ISO_15 CLR_04;
    trim: Broken<iso::Trim> => ISO_04 "expected Ok", also ISO_11 CLR_04;
    like_clear: Broken<iso::LikeClear> => ISO_05 "after a clear of run \"a%\"", also ISO_02;
    glob_clear: Broken<iso::GlobClear> => ISO_06 "after a clear of run \"a*\"", also ISO_07;
    strips_quotes: Broken<iso::StripsQuotes> => ISO_07 "expected Ok";
    injectable_clear: Broken<iso::InjectableClear> => ISO_07 "after a clear of run \"' OR '1'='1\"";
    path_join: Broken<iso::PathJoin> => ISO_08 "expected nothing outside of its place";
    unescaped_percent: Broken<iso::UnescapedPercent> => ISO_02 "to run \"a%2F1\": expected Ok";
    cut_at_nul: Broken<iso::CutAtNul> => ISO_09 "\"a\\0\"";
    composes: Broken<iso::Composes> => ISO_10 "expected Ok";
    empty_is_default: Broken<iso::EmptyIsDefault> => ISO_11 "run \"default\" beside its lookalikes: expected an empty run";
    truncate_id: Broken<iso::TruncateId> => ISO_12 "(256 bytes)", also ISO_13;
    length_and_prefix: Broken<iso::LengthAndPrefix> => ISO_13 "(201 bytes)";
    parses_numbers: Broken<iso::ParsesNumbers> => ISO_14 "\"01\"";
    meta_is_a_run: Broken<iso::MetaIsARun> => ISO_15 "run \"meta\"";
    short_hash: Broken<iso::ShortHash> => ISO_16 "expected Ok", also ERR_05 ISO_17, maybe racing;
    hashes_long_ids: Broken<iso::HashesLongIds> => ISO_17 "(320 bytes)";
    crc_32_key: Broken<iso::Crc32Key> => ISO_17 "run \"buckeroo\" beside its lookalikes", also ERR_05;

    empty_to_none: Broken<pay::EmptyToNone> => PAY_01 "blob of 0 bytes";
    utf8_lossy: Broken<pay::Utf8Lossy> => PAY_02 "blob of 256 bytes", also PAY_05 PAY_06 PAY_07 ENG_01 ENG_02 ENG_03 ENG_04 PAY_08;
    kind_from_blob: Broken<pay::KindFromBlob> => PAY_03 "state_entry, blob of 3 bytes", also PAY_01 ENG_01 ENG_02 ENG_03 ENG_04;
    name_cut_at_nul: Broken<pay::NameCutAtNul> => PAY_04 "state \"nul\\0inside\"";
    name_cut_at_255: Broken<pay::NameCutAt255> => PAY_04 "(255 bytes)", also CAN_01 CAN_03 CON_03;
    shares_blobs: Broken<pay::SharesBlobs> => PAY_05 "{sequence 19, state \"state\"";
    run_length_16: Broken<pay::RunLength16> => PAY_05 "blob of 0 bytes", also ORD_10;
    truncate_64k: Broken<pay::Truncate64K> => PAY_05 "got 36 rows with {sequence 16", also ORD_10 PAY_06 PAY_07;
    drops_large_blobs: Broken<pay::DropsLargeBlobs> => PAY_06 "expected 2 rows with {sequence 0, state \"state\", task \"task\", compensation_completion, blob of 1048576 bytes", also PAY_07;
    drops_silently: pay::DropsSilently => PAY_07 "beyond the declared limit of 2097152, got Ok";
    refuses_halfway: pay::RefusesHalfway => PAY_07 "after a blob beyond the limit: expected 1 row";
    blobs_by_content: Broken<pay::BlobsByContent> => PAY_08 "beside a run with the same blobs that was cleared: expected 6 rows";
    skips_equal_rows: Broken<pay::SkipsEqualRows> => PAY_08 "of rows that are equal but for their sequence: expected 6 rows";
    numbers_labels: Broken<pay::NumbersLabels> => PAY_04 "state \"Plain\"";
    takes_returns: Broken<pay::TakesReturns> => PAY_04 "state \"return\\r\"";

    keeps_max: Broken<clr::KeepsMax> => CLR_01 "expected an empty run";
    keeps_large_blobs: Broken<clr::KeepsLargeBlobs> => CLR_01 "expected an empty run with no row, got 1 row with {sequence 10";
    err_on_unknown_clear: Broken<clr::ErrOnUnknownClear> => CLR_02 "no such run", also ERR_07;
    err_on_second_clear: Broken<clr::ErrOnSecondClear> => CLR_03 "already cleared", also CLR_10 CLR_02 ERR_07;
    clear_all: Broken<clr::ClearAll> => CLR_04 "after a clear of run \"run\": expected 3 rows", spares: BAS_02 ORD_01 DUP_01 PAY_01 CLR_01 ERR_01 RUN_05;
    tombstone: Broken<clr::Tombstone> => CLR_05 "in its second life: expected 5 rows", also CLR_10 DUP_10 CLR_09 CON_09, maybe racing;
    clear_early_ack: Broken<clr::ClearEarlyAck> => CLR_06 "right after clear 0 returned: expected an empty run", also CLR_10 DUP_12 CLR_01 CLR_07 CLR_09 RUN_01 RUN_02 RUN_07 ENG_03 CON_09, maybe racing;
    cache_survives_clear: Broken<clr::CacheSurvivesClear> => CLR_06 "right after clear 0 returned: expected an empty run", also DUP_12 CAN_04 RUN_01 RUN_02 RUN_07 ENG_03 CON_09, maybe racing;
    clear_in_memory: Broken<clr::ClearInMemory> => CLR_07 "cleared before reopening: expected an empty run", also DUR_01 CON_09;
    clear_row_by_row: racing::ClearRowByRow => CLR_08 "rows or none, got", maybe racing;
    clear_in_pages: concurrency::Remote<concurrency::ClearInPages> => CLR_08 "expected all 2500 rows or none", maybe racing;
    load_in_pages: concurrency::Remote<concurrency::LoadInPages> => CLR_08 "expected all 2500 rows or none", maybe racing;
    clear_limit_1000: Broken<clr::ClearLimit1000> => CLR_09 "expected an empty run", maybe racing;
    only_looks: Broken<clr::OnlyLooks> => CLR_10 "after a clear under a condition that it meets: expected an empty run";

    clear_beside_the_lock: concurrency::Remote<concurrency::ClearBesideTheLock> => CON_01 "expected answers that one order of these operations explains, got\n", maybe racing;
    index_cleared_later: concurrency::Remote<concurrency::IndexClearedLater> => CON_01 "-> conflict", also CON_09;
    two_shards: concurrency::Remote<concurrency::TwoShards> => CON_02 "expected the first rows of it, got sequences", maybe racing;
    torn_append: concurrency::Remote<concurrency::TornAppend> => CON_03 "blob of 0 bytes", maybe racing;
    two_replicas: concurrency::Remote<concurrency::TwoReplicas> => CON_04 "expected the second to show", also CON_09, maybe racing;
    lost_update: concurrency::Remote<concurrency::LostUpdate> => CON_05 "appended at once, each its own: expected", maybe racing;
    staged_by_sequence: concurrency::Remote<concurrency::StagedBySequence> => CON_06 "written beside the runs of others", also RUN_01, maybe racing;
    two_connections: concurrency::Remote<concurrency::TwoConnections> => CON_07 "among 256 at once";
    readers_first: concurrency::Remote<concurrency::ReadersFirst> => CON_08 "expected an append to wait for at most";
    handle_cache: concurrency::Remote<concurrency::HandleCache> => CON_09 "through handle 0, after an append of sequence 1 through handle 1 returned: expected 2 rows", maybe racing;
    replica_by_handle: concurrency::Remote<concurrency::ReplicaByHandle> => CON_10 "through two handles", maybe racing;

    half_append: concurrency::Remote<can::HalfAppend> => CAN_01 "expected its row whole or absent", maybe racing;
    eager_append: can::EagerAppend => CAN_02 "after futures that were never polled: expected 2 rows";
    reserves_first: concurrency::Remote<can::ReservesFirst> => CAN_03 "and rejected when sent again: expected 1 row", maybe racing;
    leaks_connections: concurrency::Remote<can::LeaksConnections> => CAN_04 "no connection left";
    clear_in_steps: concurrency::Remote<can::ClearInSteps> => CAN_05 "after a clear dropped after 1 poll: expected all 12 rows or none, got";
    second_replica_later: concurrency::Remote<can::SecondReplicaLater> => CAN_06 "expected a row that was shown to stay", also CAN_03 CON_09, maybe racing;
    detached_write: concurrency::Remote<can::DetachedWrite<false>> => CAN_07 "after a clear returned: expected an empty run", maybe racing;
    detached_write_fenced: concurrency::Remote<can::DetachedWrite<true>> => CAN_08 "after a load without its row: expected an empty run";
    pool_lets_a_write_pass_a_clear: concurrency::Remote<can::Pooled<false>> => CAN_07 "after a clear returned: expected an empty run", maybe racing;
    pool_hides_late_writes: concurrency::Remote<can::Pooled<false>> => CAN_08 "after a load without its row: expected an empty run", maybe racing;

    memory_only: Broken<dur::MemoryOnly> => DUR_01 "run \"first\" after reopening: expected 7 rows", also DUP_13 DUR_02 ORD_12 DUP_09 CLR_07 CON_09, maybe racing;
    thousand_after_reopen: Broken<dur::ThousandAfterReopen> => DUR_01 "run \"large\" after reopening: expected 1100 rows", also ORD_12;
    tombstone_by_sequence: Broken<dur::TombstoneBySequence> => DUR_01 "run \"second life\" after a clear, three appends and reopening: expected 3 rows";
    empty_blob_after_reopen: Broken<dur::EmptyBlobAfterReopen> => DUR_01 "run \"Order\" after reopening: expected 6 rows with {sequence 1";
    decodes_ids_when_opened: Broken<dur::DecodesIdsWhenOpened> => DUR_01 "run \"a%2Fb\" after reopening: expected 6 rows";
    ten_segments: Broken<dur::TenSegments> => DUR_02 "after reopening 10 of 20: expected 3 rows";

    wrong_category: Broken<err::WrongCategory> => ERR_01 "got \"already_exists\"", also ERR_05 ERR_06;
    panics_on_duplicate: Broken<err::PanicsOnDuplicate> => ERR_02 "got a panic: internal error", also DUP_13 DUP_01 DUP_02 DUP_03 DUP_04 DUP_05 DUP_07 DUP_08 DUP_09 DUP_11 DUP_12 ERR_01 ERR_05 ERR_06 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02, maybe racing;
    anonymous_conflict: Broken<err::AnonymousConflict> => ERR_05 "expected it to name \"order-4711\"";
    untyped_conflict: Broken<err::UntypedConflict> => ERR_06 "expected Some(Conflict), got Some(Other)";
    times_out_at_times: Broken<err::TimesOutAtTimes> => ERR_07 "the statement took too long", maybe racing;

    blocks_in_place: run::BlocksInPlace => RUN_01 "got a panic", also RUN_03 RUN_06;
    four_slots: run::FourSlots => RUN_02 "no slot for this worker";
    sleeps_in_poll: run::SleepsInPoll => RUN_03 "expected an append to hold the thread";
    handle_capture: concurrency::Remote<run::HandleCapture> => RUN_04 "was cancelled", maybe racing;
    thread_bound: run::ThreadBound => RUN_05 "polled by another thread", maybe racing;
    owns_runtime: run::OwnsRuntime => RUN_06 "got a panic";
    needs_tokio: run::NeedsTokio => RUN_07 "got a panic";

    one_claim: Broken<eng::OneClaim> => ENG_01 "expected the run to be done", also ENG_02 ENG_03, maybe racing;
    claims_overwrite: Broken<eng::ClaimsOverwrite> => ENG_02 "expected", also ENG_01, maybe racing;
    keeps_endings: Broken<eng::KeepsEndings> => ENG_03 "expected an empty run";
    no_scope: Broken<eng::NoScope> => ENG_03 "expected Some from `exclusive_scope`, got None", also CLR_10;
    scope_each_time: Broken<eng::ScopeEachTime> => ENG_03 "expected the same one each time";
    wildcard_kinds: Broken<eng::WildcardKinds> => ENG_04 "got 1 row with {sequence 0, state \"Reserve\", task \"\", state_entry", also ENG_01 ENG_02 ENG_03;
}

/// A kill that spares no law.
macro_rules! kill {
    ($name:ident $by:ident $saying:literal [$($also:ident)*] [$($racing:ident)?]) => {
        Kill {
            mutant: stringify!($name),
            by: LawId::$by,
            saying: $saying,
            also: &[$(LawId::$also),*],
            races: races!($($racing)?),
            spares: &[],
        }
    };
}

/// The second matrix: stores in files, whose process is killed. The test is its own child.
macro_rules! killed {
    ($(
        $name:ident: $habit:ty => $by:ident $saying:literal
        $(, also $($also:ident)+)? $(, maybe $racing:ident)?;
    )*) => {
        $(
            #[test]
            fn $name() {
                let kill = kill!($name $by $saying [$($($also)+)?] [$($racing)?]);
                let test = concat!("kill_matrix::", stringify!($name));
                judged(&kill, &run_all::<InFile<$habit>>(&durability(test)));
            }
        )*

        pub(crate) const NAMED_KILLED: &[Named] =
            &[$(named!($name $by $saying 1, [$($($also)+)?] [$($racing)?] [])),*];
    };
}

killed! {
    flush_on_drop: disk::FlushOnDrop => DUR_03 "expected all of them, got 0 rows without sequence 0", also DUR_07 DUR_08 DUR_11 DUR_15, maybe racing;
    header_then_body: disk::HeaderThenBody => DUR_04 "blob of 0 bytes", also DUR_07 DUR_11 DUR_15;
    deletes_row_by_row: disk::DeletesRowByRow => DUR_05 "expected all 12 rows or none, got", also DUR_07 DUR_11 DUR_15;
    deletes_in_batches: disk::DeletesInBatches => DUR_05 "expected all 1100 rows or none, got";
    stale_lock_file: disk::StaleLockFile => DUR_06 "after SIGKILL of a child, the harness could not open the store", also DUR_03 DUR_04 DUR_05 DUR_07 DUR_14 DUR_15;
    rewrites_in_place: disk::RewritesInPlace => DUR_07 "killed at its write number", also DUR_11, maybe racing;
    appends_behind_a_torn_tail: disk::AppendsBehindATornTail => DUR_07 "opened again: after dropping the store, the harness could not open the store", also DUR_11;
    blob_must_be_new: disk::BlobMustBeNew => DUR_07 "opened again: append of {sequence 2", also DUR_11 DUR_15;
    buffer_for_each_run: disk::BufferForEachRun => DUR_14 "expected every row before the last that is there, got append";
    no_sync: disk::NoSync => DUR_08 "and before the acknowledgement, got \"log\" (1 time, not synced)", also DUR_15;
    syncs_too_early: disk::SyncsTooEarly => DUR_08 "and before the acknowledgement, got \"log\" (1 time, synced before the last of them)", also DUR_15;
    no_directory_sync: disk::NoDirectorySync => DUR_09 "left a new file \"log\" with synced data in it", also DUR_15;
    ignores_eio: disk::IgnoresEio => DUR_10 "answered EIO: expected an error, got Ok";
    eio_is_a_conflict: disk::EioIsAConflict => DUR_10 "expected an error of the disk, got a conflict";
    ignores_enospc: disk::IgnoresEnospc => DUR_11 "whose write of \"log\" (number 0) failed in step 0, opened again: expected [";
    goes_on: disk::GoesOn => DUR_13 "whose fdatasync of \"log\" answered EIO: expected loads and appends to be refused until the store is opened again, got";
    writes_once: disk::WritesOnce => DUR_11 "whose write of \"log\" (number 2) had room for half in step 2, opened again: expected [";
    index_on_drop: indexed::IndexOnDrop => DUR_07 "a listing of the place of a child killed at its ", also DUR_03 DUR_11 DUR_15;
    clears_without_sync: disk::ClearsWithoutSync => DUR_15 "of whose files only synced data was left, after 5 acknowledged steps: expected [], got [";
}

/// The third matrix: what only some stores claim, in the groups that are named, or of these only the laws that
/// are named.
macro_rules! claimed {
    ($(
        $name:ident: $harness:ty, claiming [$($claim:ident)+], in [$($group:literal)+]
        $(only [$($only:ident)+])? => $by:ident $saying:literal $(, also $($also:ident)+)? $(, maybe $racing:ident)?;
    )*) => {
        $(
            #[test]
            fn $name() {
                let kill = kill!($name $by $saying [$($($also)+)?] [$($racing)?]);
                let test = concat!("kill_matrix::", stringify!($name));
                let plan = in_groups(test, &[$(claim::$claim),+], &[$($group),+]);
                let only: &[LawId] = &[$($(LawId::$only),+)?];
                if kill.by.law().sensitivity == Sensitivity::Time {
                    power::check_cost::<$harness>(&kill, &plan);
                }
                judged(&kill, &run_all::<$harness>(&beside(plan, &kill, only)));
            }
        )*

        pub(crate) const NAMED_CLAIMED: &[Named] =
            &[$(named!($name $by $saying 1, [$($($also)+)?] [$($racing)?] [])),*];
    };
}

claimed! {
    retries_for_ever: Breakable<outage::RetriesForEver>, claiming [outage], in ["bas" "dup" "clr" "err"] => ERR_03 "deadline passed at append of sequence 4, run \"before\"", also ERR_04;
    down_is_empty: Breakable<outage::DownIsEmpty>, claiming [outage], in ["bas" "dup" "clr" "err"] => ERR_03 "while the backend was down: expected 4 rows";
    acknowledges_meanwhile: Breakable<outage::AcknowledgesMeanwhile>, claiming [outage], in ["bas" "dup" "clr" "err"] => ERR_03 "an append to run \"before\" while the backend was down: expected an error, got Ok";
    clears_meanwhile: Breakable<outage::ClearsMeanwhile>, claiming [outage], in ["bas" "dup" "clr" "err"] => ERR_03 "a clear of run \"before\" while the backend was down: expected an error, got Ok";
    never_reconnects: Breakable<outage::NeverReconnects>, claiming [outage], in ["bas" "dup" "clr" "err"] => ERR_04 "once the backend was back, tried 50 times: expected Ok";
    reconnects_to_nothing: Breakable<outage::ReconnectsToNothing>, claiming [outage], in ["bas" "dup" "clr" "err"] => ERR_04 "once the backend was back: expected 4 rows";

    believes_anything: InFile<damaged::BelievesAnything>, claiming [reopen corruption], in ["bas" "dur"] => DUR_12 "expected an error or the rows as written, got 8 rows with {sequence 3";
    skips_bad_rows: InFile<damaged::SkipsBadRows>, claiming [reopen corruption], in ["bas" "dur"] => DUR_12 "got 7 rows with no such row";
    panics_on_bad_rows: InFile<damaged::PanicsOnBadRows>, claiming [reopen corruption], in ["bas" "dur"] => DUR_12 "expected an error, got a panic: a line is no line";

    shows_what_failed: InDrafts<true>, claiming [reopen process_crash power_loss], in ["bas" "dur"] => DUR_13 "whose file it gave up: expected a load that shows 0 rows, got 1";
    shows_before_its_sync: InShowing<true>, claiming [reopen process_crash power_loss], in ["bas" "dur"] => DUR_17 "while the fdatasync of \"journal\" of a child was under way: expected 1 row, as a load had shown meanwhile, got an empty run";
    forgets_ancestors: InTrees<trees::ForgetsAncestors>, claiming [reopen process_crash power_loss], in ["bas" "dur"] => DUR_09 "expected a sync of the place before the acknowledgement", also DUR_15;
    syncs_another_file: InTrees<trees::SyncsAnotherFile>, claiming [reopen process_crash power_loss], in ["bas" "dur"] => DUR_15 "of whose files only synced data was left, after 1 acknowledged step: expected [{sequence 0", also DUR_09;
    uses_draft_again: InTrees<trees::UsesDraftAgain>, claiming [reopen process_crash], in ["bas" "dur"] => DUR_07 "and opened a second time: expected 2 rows with {sequence 0, state \"retried state plain 0\"";

    removes_the_log_first: InSegments<segments::RemovesFirst>, claiming [reopen process_crash power_loss], in ["dur"] only [DUR_01 DUR_18 DUR_19] => DUR_18 "of a child with a log of several MiB, killed at its ";
    forgets_a_new_segment: InSegments<segments::ForgetsNewName>, claiming [reopen process_crash power_loss], in ["dur"] only [DUR_01 DUR_15 DUR_18 DUR_19] => DUR_19 "of whose files only synced data was left, after ";
    forgets_its_draft: InSegments<segments::ForgetsDraft>, claiming [reopen process_crash power_loss], in ["dur"] only [DUR_01 DUR_15 DUR_18 DUR_19] => DUR_19 "of whose files only synced data was left, after ";
    compacts_what_comes_meanwhile: InSegments<segments::ReplacesNewest>, claiming [reopen], in ["bas" "dur"] only [BAS_03 DUR_01 DUR_20] => DUR_20 "after maintenance 1 of 3 beside 4 writers, opened again: expected";

    in_a_static_of_the_process: Mutated<Broken<Faithful>>, claiming [reopen], in ["bas" "dur"] => DUR_16 "expected 5 rows, got 0: are they in the memory of this process?";
    scope_without_a_lock: InFile<disk::Careful>, claiming [reopen exclusive_scope settled], in ["bas" "eng"] => ENG_06 "expected its opening or its loads to be refused, got 5 rows";
    scope_without_a_claim: Mutated<Broken<eng::ScopeEachTime>>, claiming [settled], in ["bas" "eng"] => ENG_05 "expected None from a store that does not claim `exclusive_scope`, got Some";
    scope_that_does_not_settle: Mutated<Broken<Faithful>>, claiming [exclusive_scope], in ["bas" "eng"] => ENG_05 "does not claim `settled`";

    orders_by_letter: Mutated<Broken<lst::OrdersByLetter>>, claiming [listing], in ["bas" "lst"] => LST_01 "a listing of ids that arrived in another order: expected";
    lists_rows: Mutated<Broken<lst::ListsRows>>, claiming [listing], in ["bas" "lst"] => LST_01 "expected 17 ids with \"a b\", got 26 with \"a\"", also LST_03;
    no_listing: Mutated<concurrency::Remote<can::Pooled<true>>>, claiming [listing], in ["bas" "lst"] => LST_01 "expected Some from `as_listing`, got None", also LST_02 LST_03 LST_04;
    lists_after_again: Mutated<Broken<lst::ListsAfterAgain>>, claiming [listing], in ["bas" "lst"] => LST_02 "a page of 1 ids after Some(\"run 00\"): expected 1 ids with \"run 01\", got 1 with \"run 00\"", also LST_04;
    lists_ten: Mutated<Broken<lst::ListsTen>>, claiming [listing], in ["bas" "lst"] => LST_02 "a page of 24 ids after None: expected 24 ids with \"run 10\", got 10 with no id";
    lists_cleared: Mutated<Broken<lst::ListsCleared>>, claiming [listing], in ["bas" "lst"] => LST_03 "a listing after two clears: expected 1 ids with";
    lists_cleared_after_reopen: Mutated<Broken<lst::ListsClearedAfterReopen>>, claiming [listing reopen], in ["bas" "lst"] => LST_03 "a listing after reopening: expected 2 ids with \"kept\", got 4 with \"cleared\"";
    pages_by_position: Mutated<Broken<lst::PagesByPosition>>, claiming [listing], in ["bas" "lst"] => LST_04 "expected every run that stayed, got none of";

    fetches_one_more: Mutated<Broken<lst::FetchesOneMore>>, claiming [listing], in ["bas" "lst"] => LST_02 "a page of as many ids as `usize` has: expected 25 ids with \"run 00\", got 0 with no id";
    lists_by_handle: Mutated<Broken<lst::ListsByHandle>>, claiming [many_handles listing], in ["bas" "con" "lst"] only [BAS_03 LST_01 LST_02 LST_03 LST_04] => CON_09 "a listing through handle 1, after an append of sequence 0 through handle 0 returned: expected 1 ids with \"run\", got 0";

    compares_sequences: Mutated<Broken<clr::ComparesSequences>>, claiming [many_handles], in ["bas" "clr"] => CLR_10 "on a store of several handles: expected false, since it begins with";
    meets_any_row: Mutated<Broken<clr::MeetsAnyRow>>, claiming [many_handles], in ["bas" "clr"] => CLR_10 "on a store of several handles: expected false, since it begins with";
    keeps_the_default: Mutated<Broken<eng::NoScope>>, claiming [many_handles], in ["bas" "clr"] => CLR_10 "on a store of several handles: expected false, since it begins with";

    two_writers_of_one_file: InFile<disk::Careful>, claiming [reopen many_processes], in ["bas" "dup"] => DUP_14 "2 processes append to sequence 0 of run \"contended\" at once: expected exactly one Ok, got 2";

    acknowledges_from_memory: Served<16>, claiming [server_crash], in ["bas" "srv"] => SRV_01 "under 8 writers (kill 1 of 5): expected its ";

    acknowledges_at_the_leader: InNodes<replicated::AtTheLeader>, claiming [failover], in ["bas" "srv"] => SRV_02 "of 3 under 4 writers: expected its ", also SRV_03;
    denies_a_lost_answer: InNodes<replicated::Denies>, claiming [failover], in ["bas" "srv"] => SRV_02 "of which no answer was `UnknownOutcome`: expected Ok or an error of the backend, got a conflict", also SRV_03 SRV_04;
    stale_at_first: InNodes<replicated::StaleAtFirst>, claiming [failover], in ["bas" "srv"] => SRV_03 "of 3: expected at least ";
    nobody_takes_over: InNodes<replicated::NobodyElse>, claiming [failover], in ["bas" "srv"] => SRV_04 "after the leader went away: expected 12 more rows of each of 4 writers within 1s";

    stalls_at_times: Mutated<concurrency::Remote<prf::StallsAtTimes>>, claiming [reopen], in ["bas" "pay" "clr" "prf"] => PRF_01 "expected at most 100 times their p50";
    rewrite_whole_run: Mutated<Broken<prf::RewriteWholeRun>>, claiming [reopen], in ["bas" "pay" "clr" "prf"] => PRF_02 "expected at most 8 times what they take in a run of ten";
    scans_everything: Mutated<Broken<prf::ScansEverything>>, claiming [reopen], in ["bas" "pay" "clr" "prf"] => PRF_03 "expected at most 8 times what they take beside one";
    steps_back: Mutated<concurrency::Remote<prf::StepsBack>>, claiming [reopen], in ["bas" "pay" "clr" "prf"] => PRF_04 "expected at most 32 times what 32 appends to one take";
    room_for_any_row: InFile<prf::RoomForAnyRow>, claiming [reopen on_disk], in ["bas" "prf"] => PRF_05 "expected at most 16 times that in files, got";
}

fn in_groups(test: &str, claims: &[Claim], groups: &[&'static str]) -> Plan {
    let plan = Plan::new().claims(claims.iter().copied());
    plan.only(groups.iter().copied()).again(tests_again(test))
}

/// The same plan with the laws that are named; without names all but those that measure time, and those that
/// write several MiB many times. The law that the line is about is in it either way.
fn beside(plan: Plan, kill: &Kill, only: &[LawId]) -> Plan {
    let asked = |law: &&Law| match only {
        [] => law.sensitivity != Sensitivity::Time && !LONG.contains(&law.id) || law.id == kill.by,
        _ => only.contains(&law.id) || law.id == kill.by,
    };
    let laws = catalogue().iter().filter(asked);
    plan.only_laws(laws.map(|law| law.id)).jobs(ONE_AT_A_TIME)
}

/// Laws that write several MiB many times. Their own mutants, and a store without a fault, are stores of segments.
const LONG: [LawId; 3] = [LawId::DUR_18, LawId::DUR_19, LawId::DUR_20];

/// The lines of the matrix already use every core, and threads that race wait for each other.
const ONE_AT_A_TIME: NonZeroUsize = NonZeroUsize::MIN;

/// The laws of a place that outlives its process.
fn durability(test: &str) -> Plan {
    // A line of these files has no checksum: those that have one, or should have, are in `claimed!`.
    let every = Claim::ALL.iter().copied();
    let elsewhere = [Claim::Corruption, Claim::ServerCrash, Claim::Failover];
    let claims = every.filter(|claim| !elsewhere.contains(claim));
    let short = catalogue().iter().map(|law| law.id);
    let short = short.filter(|law| !LONG.contains(law));
    let plan = Plan::new().claims(claims).only(["bas", "dur"]);
    let plan = plan.only_laws(short);
    plan.jobs(ONE_AT_A_TIME).again(tests_again(test))
}

/// Laws that no store of this matrix can break, and why.
pub(crate) const EXEMPT: &[(LawId, &str)] = &[
    (LawId::BAS_07, "a store that breaks it does not compile"),
    (
        LawId::BAS_08,
        "broken by a harness, not by a store: see harness.rs",
    ),
];

/// Whether a law is in [`everything`]. Some ask a child of this process, which finds no shelf.
fn everything_has(law: LawId) -> bool {
    let asks_a_child = matches!(law, LawId::DUR_16 | LawId::ENG_06);
    law.law().group.key != "prf" && !asks_a_child && !LONG.contains(&law)
}

/// Every claim that a store in memory can make.
pub(crate) fn everything() -> Plan {
    let every = Claim::ALL.iter().copied();
    // The shelves of these stores are gone with the process, and have no hooks; see `killed!` and
    // `claimed!`.
    let elsewhere = |claim: &Claim| {
        matches!(
            claim,
            Claim::ProcessCrash
                | Claim::PowerLoss
                | Claim::ServerCrash
                | Claim::Failover
                | Claim::ManyProcesses
                | Claim::Outage
                | Claim::Corruption
                | Claim::Listing
                | Claim::OnDisk
        )
    };
    // The laws of cost append 20,000 rows: their own mutants are in `claimed!`, and a store without a
    // fault keeps them, in `controls`.
    let laws = catalogue().iter().filter(|law| everything_has(law.id));
    Plan::new()
        .claims(every.filter(|claim| !elsewhere(claim)))
        .only_laws(laws.map(|law| law.id))
        .jobs(ONE_AT_A_TIME)
}
