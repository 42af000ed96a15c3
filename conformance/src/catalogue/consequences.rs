//! Which laws fail together, by the faults of the kill matrix. Reports say with this which law to look at
//! first.
//!
//! `UPDATE_EXPECT=1 cargo test -p crashpoint-conformance --test main pages` writes the table from the matrix.
//! A fault with `all but` breaks what most laws stand on. The laws that it surely fails were seen, and the
//! matrix checks them.

use super::{LawId, Sensitivity};

/// A fault of the kill matrix.
#[derive(Debug, Clone, Copy)]
pub struct Consequence {
    /// The name of its mutant.
    pub mutant: &'static str,
    /// The law that is about it.
    pub by: LawId,
    /// The laws that fail because of it.
    pub also: &'static [LawId],
    /// The laws that may fail because of it.
    pub may: May,
}

/// The laws that may fail because of a fault, beside those that do.
#[derive(Debug, Clone, Copy)]
pub enum May {
    /// None.
    Nothing,
    /// Laws whose results depend on scheduling.
    Racing,
    /// Every law but these.
    AllBut(&'static [LawId]),
}

impl Consequence {
    /// Whether the failure of `law` says nothing new beside this fault.
    pub fn explains(&self, law: LawId) -> bool {
        let may = match self.may {
            May::Nothing => false,
            May::Racing => law.law().sensitivity == Sensitivity::Scheduling,
            May::AllBut(spared) => !spared.contains(&law),
        };
        may || self.also.contains(&law)
    }
}

/// Whether a fault that is about the law `by` fails `law` as well.
pub(super) fn entails(by: LawId, law: LawId) -> bool {
    let faults = CONSEQUENCES.iter().filter(|fault| fault.by == by);
    faults.into_iter().any(|fault| fault.also.contains(&law))
}

macro_rules! may {
    () => {
        May::Nothing
    };
    (racing) => {
        May::Racing
    };
    (all but $($spared:ident)+) => {
        May::AllBut(&[$(LawId::$spared),+])
    };
}

macro_rules! consequences {
    ($($mutant:ident: $by:ident => [$($also:ident)*] [$($may:tt)*];)*) => {
        /// The faults that fail more than one law, or may.
        pub const CONSEQUENCES: &[Consequence] = &[$(
            Consequence {
                mutant: stringify!($mutant),
                by: LawId::$by,
                also: &[$(LawId::$also),*],
                may: may!($($may)*),
            },
        )*];
    };
}

consequences! {
    err_on_unknown: BAS_01 => [CLR_10 BAS_05 BAS_08 DUP_12 CLR_01 CLR_03 CLR_06 CLR_07 CLR_09 RUN_01 RUN_02 RUN_07 ENG_03 CAN_02 CON_09 ERR_07] [racing];
    forgets_task: BAS_02 => [BAS_03 BAS_04 BAS_05 BAS_06 ORD_01 ORD_02 ORD_03 ORD_04 ORD_05 ORD_06 ORD_07 ORD_08 ORD_09 ORD_10 ORD_11 ORD_12 DUP_03 DUP_04 DUP_05 DUP_06 DUP_09 DUP_10 DUP_11 DUP_12 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_13 ISO_14 ISO_15 ISO_16 PAY_01 PAY_02 PAY_03 PAY_04 PAY_05 PAY_06 PAY_07 CLR_02 CLR_04 CLR_05 CLR_07 CLR_09 CAN_02 DUR_01 DUR_02 RUN_01 RUN_04 RUN_05 RUN_07 ENG_01 ENG_03 ENG_04] [all but BAS_01 BAS_08 DUP_01 DUP_02 CLR_01 ERR_01 ERR_02 RUN_03];
    ack_before_write: BAS_03 => [BAS_02 BAS_04 BAS_05 BAS_06 ORD_01 ORD_02 ORD_03 ORD_04 ORD_05 ORD_06 ORD_07 ORD_08 ORD_09 ORD_10 ORD_11 ORD_12 DUP_04 DUP_06 DUP_09 DUP_10 DUP_12 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_13 ISO_14 ISO_15 ISO_16 PAY_01 PAY_02 PAY_03 PAY_04 PAY_05 PAY_06 PAY_07 CLR_02 CLR_05 CLR_06 CLR_07 CLR_09 CAN_02 DUR_01 DUR_02 RUN_01 RUN_04 RUN_05 ENG_01 ENG_04] [all but BAS_01 DUP_01 DUP_02 DUP_07 ERR_01 ERR_02 RUN_03];
    creates_on_load: BAS_05 => [BAS_01 BAS_08 CLR_06 CLR_09 ENG_03 CAN_02 CON_09] [racing];
    leaks_cursors: BAS_05 => [] [racing];
    gives_away: BAS_06 => [BAS_03 BAS_04 BAS_05 ORD_12 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_13 ISO_14 ISO_15 ISO_16 CAN_02 DUR_02 RUN_01 RUN_07 ENG_01 ENG_03] [all but BAS_01 BAS_02 ORD_01 PAY_01 CLR_01 DUP_01 ERR_02];
    descending: ORD_01 => [BAS_02 BAS_03 BAS_04 BAS_05 BAS_06 ORD_02 ORD_03 ORD_04 ORD_05 ORD_06 ORD_07 ORD_08 ORD_09 ORD_10 ORD_11 ORD_12 DUP_03 DUP_05 DUP_06 DUP_09 DUP_10 DUP_12 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_13 ISO_14 ISO_15 PAY_01 PAY_02 PAY_03 PAY_04 PAY_05 PAY_06 CLR_04 CLR_05 CLR_07 CAN_02 DUR_01 DUR_02 RUN_01 RUN_04 RUN_05 RUN_07 ENG_01 ENG_03] [all but BAS_01 DUP_01 DUP_07 CLR_01 ERR_01 RUN_03];
    insertion_order: ORD_02 => [ORD_12 DUP_10] [racing];
    text_key: ORD_03 => [ORD_01 ORD_02 ORD_04 ORD_06 ORD_09 ORD_10 ORD_11 ORD_12 ISO_02 PAY_04 PAY_05 CLR_08 DUR_01 DUR_02 ENG_01 ENG_02 ENG_03] [racing];
    dense_only: ORD_04 => [ORD_02 ORD_03 ORD_06 ORD_08 ORD_12 DUP_10 ISO_02 CLR_01] [racing];
    starts_at_zero: ORD_05 => [ORD_02 ORD_03 ORD_07 ORD_12 DUP_10 DUP_11 ERR_05] [racing];
    i64_cast: ORD_06 => [ORD_12] [];
    float_sequence: ORD_07 => [ORD_06] [];
    u32_sequence: ORD_08 => [ORD_03 ORD_06 ORD_07 ORD_12 DUP_11 CLR_01] [];
    limit_1000: ORD_09 => [DUR_01] [racing];
    page_4_mib: ORD_10 => [ORD_09 PAY_07] [];
    newest_segment_first: ORD_11 => [ORD_02 ORD_12 CON_09] [racing];
    upsert: DUP_01 => [DUP_13 DUP_02 DUP_05 DUP_07 DUP_09 DUP_11 DUP_12 ERR_01 ERR_05 ERR_06 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02] [racing];
    insert_ignore: DUP_01 => [DUP_13 DUP_02 DUP_05 DUP_07 DUP_09 DUP_11 DUP_12 ERR_01 ERR_05 ERR_06 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02] [racing];
    idempotent_ok: DUP_02 => [DUP_11 ERR_01 ERR_05 ERR_06] [racing];
    rejects_but_overwrites: DUP_03 => [DUP_05 DUP_09 DUP_12 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02] [racing];
    rolls_back_the_run: DUP_03 => [DUP_04 DUP_11 DUP_12 CAN_03 ERR_01 ENG_01 ENG_02] [racing];
    leaks_transaction: DUP_04 => [DUP_01 DUP_02 DUP_12 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02] [racing];
    checks_last_only: DUP_05 => [DUP_09 ENG_01 ENG_02] [racing];
    global_sequence: DUP_06 => [CLR_10 ORD_11 DUP_04 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_10 ISO_14 ISO_15 ISO_16 CLR_04 CLR_07 RUN_01 RUN_02 RUN_07 DUR_01 DUR_02 ENG_01 ENG_02 ENG_03 ENG_04 CON_09 PAY_08] [racing];
    shared_staging: DUP_08 => [RUN_01] [racing];
    dup_index_in_memory: DUP_09 => [DUP_13 CON_09] [];
    index_of_its_own: DUP_13 => [CON_09] [];
    taken_for_ever: DUP_10 => [CLR_10 CLR_05 CLR_06 CLR_09 DUR_01 ENG_03 CON_09] [racing];
    leaks_permits: DUP_12 => [] [racing];
    prefix_clear: ISO_01 => [ISO_02 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_14 ISO_15 ISO_16 CLR_04 ISO_17] [];
    lower_case: ISO_03 => [ISO_08 ISO_10 ISO_11 ISO_15 CLR_04] [];
    trim: ISO_04 => [ISO_11 CLR_04] [];
    like_clear: ISO_05 => [ISO_02] [];
    glob_clear: ISO_06 => [ISO_07] [];
    truncate_id: ISO_12 => [ISO_13] [];
    short_hash: ISO_16 => [ERR_05 ISO_17] [racing];
    crc_32_key: ISO_17 => [ERR_05] [];
    utf8_lossy: PAY_02 => [PAY_05 PAY_06 PAY_07 ENG_01 ENG_02 ENG_03 ENG_04 PAY_08] [];
    kind_from_blob: PAY_03 => [PAY_01 ENG_01 ENG_02 ENG_03 ENG_04] [];
    name_cut_at_255: PAY_04 => [CAN_01 CAN_03 CON_03] [];
    run_length_16: PAY_05 => [ORD_10] [];
    truncate_64k: PAY_05 => [ORD_10 PAY_06 PAY_07] [];
    drops_large_blobs: PAY_06 => [PAY_07] [];
    err_on_unknown_clear: CLR_02 => [ERR_07] [];
    err_on_second_clear: CLR_03 => [CLR_10 CLR_02 ERR_07] [];
    clear_all: CLR_04 => [DUP_04 ISO_01 ISO_02 ISO_03 ISO_04 ISO_05 ISO_06 ISO_07 ISO_08 ISO_09 ISO_10 ISO_11 ISO_12 ISO_13 ISO_14 ISO_15 ISO_16 CLR_02 CLR_07 RUN_01 RUN_07 ENG_03] [all but BAS_02 ORD_01 DUP_01 PAY_01 CLR_01 ERR_01 RUN_05];
    tombstone: CLR_05 => [CLR_10 DUP_10 CLR_09 CON_09] [racing];
    clear_early_ack: CLR_06 => [CLR_10 DUP_12 CLR_01 CLR_07 CLR_09 RUN_01 RUN_02 RUN_07 ENG_03 CON_09] [racing];
    cache_survives_clear: CLR_06 => [DUP_12 CAN_04 RUN_01 RUN_02 RUN_07 ENG_03 CON_09] [racing];
    clear_in_memory: CLR_07 => [DUR_01 CON_09] [];
    clear_limit_1000: CLR_09 => [] [racing];
    index_cleared_later: CON_01 => [CON_09] [];
    two_replicas: CON_04 => [CON_09] [racing];
    staged_by_sequence: CON_06 => [RUN_01] [racing];
    handle_cache: CON_09 => [] [racing];
    second_replica_later: CAN_06 => [CAN_03 CON_09] [racing];
    memory_only: DUR_01 => [DUP_13 DUR_02 ORD_12 DUP_09 CLR_07 CON_09] [racing];
    thousand_after_reopen: DUR_01 => [ORD_12] [];
    wrong_category: ERR_01 => [ERR_05 ERR_06] [];
    panics_on_duplicate: ERR_02 => [DUP_13 DUP_01 DUP_02 DUP_03 DUP_04 DUP_05 DUP_07 DUP_08 DUP_09 DUP_11 DUP_12 ERR_01 ERR_05 ERR_06 RUN_01 RUN_02 RUN_07 ENG_01 ENG_02] [racing];
    times_out_at_times: ERR_07 => [] [racing];
    blocks_in_place: RUN_01 => [RUN_03 RUN_06] [];
    handle_capture: RUN_04 => [] [racing];
    thread_bound: RUN_05 => [] [racing];
    one_claim: ENG_01 => [ENG_02 ENG_03] [racing];
    claims_overwrite: ENG_02 => [ENG_01] [racing];
    no_scope: ENG_03 => [CLR_10] [];
    wildcard_kinds: ENG_04 => [ENG_01 ENG_02 ENG_03] [];
    flush_on_drop: DUR_03 => [DUR_07 DUR_08 DUR_11 DUR_15] [racing];
    header_then_body: DUR_04 => [DUR_07 DUR_11 DUR_15] [];
    deletes_row_by_row: DUR_05 => [DUR_07 DUR_11 DUR_15] [];
    stale_lock_file: DUR_06 => [DUR_03 DUR_04 DUR_05 DUR_07 DUR_14 DUR_15] [];
    rewrites_in_place: DUR_07 => [DUR_11] [racing];
    appends_behind_a_torn_tail: DUR_07 => [DUR_11] [];
    blob_must_be_new: DUR_07 => [DUR_11 DUR_15] [];
    no_sync: DUR_08 => [DUR_15] [];
    syncs_too_early: DUR_08 => [DUR_15] [];
    no_directory_sync: DUR_09 => [DUR_15] [];
    index_on_drop: DUR_07 => [DUR_03 DUR_11 DUR_15] [];
    retries_for_ever: ERR_03 => [ERR_04] [];
    forgets_ancestors: DUR_09 => [DUR_15] [];
    syncs_another_file: DUR_15 => [DUR_09] [];
    lists_rows: LST_01 => [LST_03] [];
    no_listing: LST_01 => [LST_02 LST_03 LST_04] [];
    lists_after_again: LST_02 => [LST_04] [];
    acknowledges_at_the_leader: SRV_02 => [SRV_03] [];
    denies_a_lost_answer: SRV_02 => [SRV_03 SRV_04] [];
}
