//! The table of the laws. The tests of [`certify!`](crate::certify), the
//! [`catalogue`](crate::catalogue()), `LAWS.md` and the kill matrix are generated from it.
//!
//! An id, once released, never changes its meaning.

use std::fmt;

use super::capability::Claim;
use super::claim;

/// Version of the contract that the catalogue enforces.
pub(crate) const CONTRACT: &str = "1.0";

/// Hands the whole table to the macro `callback`, after the arguments in brackets:
/// `__catalogue! { (callback) [arguments] }`.
///
/// A group is: key, module of its checks and of its guide, level (unless a claim decides it), title, laws.
///
/// A law is: id, name of the test and of the check, kind, claim (or `always`), how the check runs,
/// sentence. `task` runs on a runtime that the kit starts, `thread` on a bare thread. `traced` is a
/// `thread` that traces system calls, on systems where the kit can do so. `task_race` and
/// `race` do the same for a check whose result also depends on scheduling, `task_alone` and `alone` for
/// a check that measures time and must run alone.
#[doc(hidden)]
#[macro_export]
macro_rules! __catalogue {
    (($($callback:tt)*) [$($arguments:tt)*]) => { $($callback)*! { [$($arguments)*]
        bas bas Contract "append and load" {
            BAS_01 bas_01_an_unknown_id_loads_as_an_empty_run Contract always task
                "an unknown id loads as an empty run";
            BAS_02 bas_02_every_field_comes_back_as_appended Contract always task
                "every field of a row comes back as appended";
            BAS_03 bas_03_a_row_is_visible_once_append_returned Contract always task
                "a row is visible to the next load once append returned Ok";
            BAS_04 bas_04_rows_are_visible_through_every_clone Contract always task
                "rows are visible through every clone and `Arc` of a store";
            BAS_05 bas_05_loading_changes_nothing Implied always task
                "loading changes nothing, also for an unknown id";
            BAS_06 bas_06_loaded_rows_are_the_callers_own Implied always task
                "rows returned are the caller's own";
            BAS_07 bas_07_store_and_futures_move_between_threads Contract always task_race
                "the trait object is `Send + Sync + 'static`, its futures are `Send`";
            BAS_08 bas_08_every_place_is_fresh_and_separate Contract always task
                "the harness gives every law a fresh and separate place";
        }
        ord ord Contract "order" {
            ORD_01 ord_01_rows_appended_in_order_load_in_order Contract always task
                "rows appended in order load in order";
            ORD_02 ord_02_rows_appended_in_any_order_load_ascending Contract always task
                "rows appended in any order load in ascending order";
            ORD_03 ord_03_order_is_numeric Contract always task
                "order is numeric across 9/10, 255/256, 65535/65536 and 2^32";
            ORD_04 ord_04_gaps_are_kept Contract always task
                "gaps are kept, nothing is renumbered";
            ORD_05 ord_05_a_run_may_start_above_zero Contract always task
                "a run may start above zero";
            ORD_06 ord_06_sequences_above_i64_max_are_ordinary Contract always task
                "`i64::MAX`, `i64::MAX+1` and `u64::MAX` are ordinary sequences";
            ORD_07 ord_07_sequences_around_2_pow_53_stay_apart Contract always task
                "2^53 and 2^53+1 stay apart";
            ORD_08 ord_08_sequences_around_u32_max_stay_apart Contract always task
                "`u32::MAX` and its neighbours stay apart";
            ORD_09 ord_09_ten_thousand_rows_load_whole Contract always task
                "a run of 10,000 rows loads whole";
            ORD_10 ord_10_a_run_of_5_mib_loads_whole Contract always task
                "a run larger than any page (5 MiB) loads whole";
            ORD_11 ord_11_interleaved_ids_keep_their_order Contract always task
                "interleaved ids each keep their order";
            ORD_12 ord_12_order_survives_reopening Capability reopen task
                "order survives reopening";
        }
        dup dup Contract "duplicates" {
            DUP_01 dup_01_another_row_at_a_taken_sequence_is_rejected Contract always task
                "another row at a taken sequence is rejected";
            DUP_02 dup_02_the_identical_row_is_rejected_too Contract always task
                "the identical row at a taken sequence is rejected too";
            DUP_03 dup_03_a_rejection_leaves_the_original_unchanged Contract always task
                "after a rejection the original row is unchanged, byte for byte";
            DUP_04 dup_04_a_rejection_leaves_the_store_working Contract always task
                "after a rejection the store goes on working";
            DUP_05 dup_05_a_middle_row_is_protected Contract always task
                "a middle row is protected as the last one is";
            DUP_06 dup_06_ids_have_sequences_of_their_own Contract always task
                "the same sequence under another id is accepted";
            DUP_07 dup_07_of_racing_appends_exactly_one_wins Contract always race
                "of racing appends to one sequence exactly one wins";
            DUP_08 dup_08_the_row_stored_is_the_winners Contract always race
                "the row stored is the winner's";
            DUP_09 dup_09_rejection_survives_reopening Capability reopen task
                "rejection survives reopening";
            DUP_10 dup_10_a_cleared_sequence_is_free_again Contract always task
                "after clear the sequence is free again";
            DUP_11 dup_11_u64_max_is_protected_too Contract always task
                "`u64::MAX` is protected too";
            DUP_12 dup_12_a_thousand_rejections_leave_nothing_stuck Implied always task
                "a thousand rejections leave nothing stuck";
            DUP_13 dup_13_two_handles_have_one_winner Capability many_handles race
                "two handles on one place have one winner";
            DUP_14 dup_14_two_processes_have_one_winner Capability many_processes race
                "two processes on one place: one winner, or the second open is refused";
        }
        iso iso Contract "isolation of ids" {
            ISO_01 iso_01_prefixes_stay_apart Contract always task
                "ids that are prefixes of each other stay apart";
            ISO_02 iso_02_separators_smuggle_nothing Contract always task
                "separators inside ids (`a:1`, `a/1`, `a#1`, trailing digits) smuggle nothing";
            ISO_03 iso_03_case_matters Contract always task
                "case matters";
            ISO_04 iso_04_outer_spaces_matter Contract always task
                "leading and trailing spaces matter";
            ISO_05 iso_05_sql_wildcards_are_ordinary Contract always task
                "SQL wildcards are ordinary characters";
            ISO_06 iso_06_glob_characters_are_ordinary Contract always task
                "glob characters are ordinary characters";
            ISO_07 iso_07_quotes_and_sql_are_ordinary Contract always task
                "quotes and SQL fragments are ordinary characters";
            ISO_08 iso_08_paths_stay_inside_the_place Contract always task
                "`../x`, absolute paths, `.` and reserved names stay inside the place";
            ISO_09 iso_09_nul_bytes_are_kept_or_refused Contract always task
                "NUL bytes: kept or refused with an error";
            ISO_10 iso_10_unicode_is_not_normalised Contract always task
                "composed, decomposed, zero-width, right-to-left and emoji ids stay apart";
            ISO_11 iso_11_the_empty_id_is_kept_or_refused Contract always task
                "the empty id is an id, or is refused";
            ISO_12 iso_12_long_ids_are_faithful_or_refused Contract always task
                "ids of 255, 256, 1 Ki and 64 Ki bytes: faithful or refused";
            ISO_13 iso_13_long_ids_with_a_common_prefix_stay_apart Contract always task
                "long ids that share a long prefix stay apart";
            ISO_14 iso_14_numeric_ids_are_not_parsed Contract always task
                "`1`, `01`, `1.0` stay apart";
            ISO_15 iso_15_the_backends_own_names_are_ordinary Contract always task
                "the backend's own table and key names are ordinary ids";
            ISO_16 iso_16_five_thousand_ids_stay_apart Contract always task
                "five thousand ids stay apart";
            ISO_17 iso_17_ids_with_equal_hashes_stay_apart Contract always task
                "ids with the same CRC-32, FNV-1a or other short hash stay apart";
        }
        pay pay Contract "fidelity of payload" {
            PAY_01 pay_01_no_blob_and_an_empty_blob_stay_apart Contract always task
                "no blob and an empty blob stay apart";
            PAY_02 pay_02_all_byte_values_come_back Contract always task
                "all 256 byte values come back";
            PAY_03 pay_03_every_kind_with_and_without_a_blob Contract always task
                "every kind of the reference contract comes back, with and without a blob";
            PAY_04 pay_04_states_and_task_ids_are_any_text Contract always task
                "states and task ids: empty, unicode, newline, NUL, 64 KiB";
            PAY_05 pay_05_blobs_at_block_edges_come_back Contract always task
                "blobs at block edges (4095..4097, 65535..65537) come back";
            PAY_06 pay_06_a_blob_of_1_mib_comes_back Contract always task
                "a blob of 1 MiB comes back";
            PAY_07 pay_07_the_declared_limit_holds Capability limits task
                "16 MiB, or an error at the declared limit that leaves no row";
            PAY_08 pay_08_equal_rows_stay_rows_of_their_own Contract always task
                "rows that are equal but for their sequence or id are rows of their own";
        }
        clr clr Contract "clear" {
            CLR_01 clr_01_clear_removes_every_row Contract always task
                "clear removes every row of the id";
            CLR_02 clr_02_clearing_an_unknown_id_succeeds Contract always task
                "clearing an unknown id is Ok";
            CLR_03 clr_03_clearing_twice_succeeds Implied always task
                "clearing twice is Ok";
            CLR_04 clr_04_clear_leaves_other_ids_alone Contract always task
                "clear leaves every other id alone, lookalikes included";
            CLR_05 clr_05_a_cleared_run_starts_again_from_zero Contract always task
                "after clear a run starts again from zero";
            CLR_06 clr_06_nothing_is_left_once_clear_returned Contract always task
                "nothing is left to load once clear returned";
            CLR_07 clr_07_clear_survives_reopening Capability reopen task
                "clear survives reopening";
            CLR_08 clr_08_a_load_beside_a_clear_sees_all_or_nothing Implied always race
                "a concurrent load sees the run whole or gone";
            CLR_09 clr_09_a_large_run_clears Contract always task
                "a large run clears";
            CLR_10 clr_10_a_clear_under_a_condition_looks_at_the_first_row Contract always task
                "a clear of a run that begins with a row clears that run and no other";
        }
        lst lst Contract "listing" {
            LST_01 lst_01_every_run_is_listed_in_order Capability listing task
                "every id that has a row is listed once, in ascending order of its bytes";
            LST_02 lst_02_pages_end_where_they_say Capability listing task
                "a page begins after its bound, has at most its limit of ids, and fewer only at the end";
            LST_03 lst_03_a_run_without_rows_is_not_listed Capability listing task
                "an id without rows is not listed: cleared, loaded or rejected";
            LST_04 lst_04_paging_misses_no_run_that_stays Capability listing task
                "paging while runs come and go lists every run that stays, and none twice";
        }
        con concurrency Concurrency "concurrency" {
            CON_01 con_01_small_histories_are_linearizable Implied always race
                "small concurrent histories are linearizable, id by id";
            CON_02 con_02_every_load_beside_a_writer_is_a_prefix Implied always race
                "with one sequential writer every load is a prefix";
            CON_03 con_03_no_row_is_torn Contract always race
                "no torn rows";
            CON_04 con_04_reads_do_not_go_backwards Implied always race
                "reads do not go backwards";
            CON_05 con_05_distinct_sequences_of_one_run_all_land Contract always race
                "distinct sequences of one run all land";
            CON_06 con_06_distinct_ids_all_land Contract always race
                "distinct ids all land";
            CON_07 con_07_more_callers_than_connections_make_progress Implied always race
                "more callers than connections make progress";
            CON_08 con_08_readers_do_not_starve_writers Advisory always thread
                "readers do not starve writers";
            CON_09 con_09_a_handle_shows_what_another_has_done Capability many_handles task
                "what one handle has done, the next load through another shows";
            CON_10 con_10_reads_do_not_go_backwards_across_handles Capability many_handles race
                "reads through several handles do not go backwards";
        }
        can can Concurrency "cancellation" {
            CAN_01 can_01_a_dropped_append_is_whole_or_absent Implied atomic_cancellation task_race
                "an append dropped after any number of polls is whole or absent";
            CAN_02 can_02_a_future_never_polled_has_no_effect Implied always task
                "a future never polled has no effect";
            CAN_03 can_03_a_retry_agrees_with_what_load_shows Implied atomic_cancellation task_race
                "after a dropped append, retrying agrees with what load shows";
            CAN_04 can_04_a_thousand_dropped_futures_leave_the_store_usable Implied always task_race
                "a thousand dropped futures leave the store usable";
            CAN_05 can_05_dropped_loads_and_clears_too Implied atomic_cancellation task_race
                "dropped loads and clears leave runs whole, too";
            CAN_06 can_06_the_state_settles Implied always task_race
                "the state settles once nothing runs";
            CAN_07 can_07_a_dropped_append_does_not_outlive_a_clear Capability fenced_cancellation task_race
                "a dropped append does not land after a later clear returned";
            CAN_08 can_08_nothing_lands_late Capability settled task_race
                "nothing lands late: once a load has returned without a row whose append was dropped, it never appears";
        }
        dur dur Reopening "durability" {
            DUR_01 dur_01_rows_survive_reopening Capability reopen task
                "rows survive dropping and reopening";
            DUR_02 dur_02_rows_survive_twenty_reopenings Capability reopen task
                "twenty reopenings in a row";
            DUR_03 dur_03_acknowledged_rows_survive_a_kill Capability process_crash race
                "acknowledged rows survive SIGKILL of the process";
            DUR_04 dur_04_an_unacknowledged_row_is_whole_or_absent Capability process_crash race
                "an unacknowledged row is whole or absent after SIGKILL";
            DUR_05 dur_05_a_kill_inside_clear_leaves_all_or_nothing Capability process_crash race
                "SIGKILL inside clear: all or nothing";
            DUR_06 dur_06_after_a_kill_the_store_opens_unaided Capability process_crash thread
                "after SIGKILL the store opens unaided";
            DUR_07 dur_07_a_kill_at_every_system_call_is_survived Capability process_crash traced
                "SIGKILL at every write, sync, rename and unlink of the child";
            DUR_08 dur_08_data_is_synced_before_the_acknowledgement Capability power_loss traced
                "data is synced before the acknowledgement";
            DUR_09 dur_09_the_directory_is_synced_when_a_file_is_created Capability power_loss traced
                "the directory is synced when a file is created";
            DUR_10 dur_10_a_failed_sync_is_an_error Capability power_loss traced
                "EIO from a sync is an error of the append that waited on it, and stays one";
            DUR_11 dur_11_a_full_disk_is_an_error Capability power_loss traced
                "ENOSPC is an error and leaves earlier rows whole";
            DUR_12 dur_12_a_corrupt_row_is_a_loud_error Capability corruption task
                "a corrupt row is a loud error, never a panic, never skipped";
            DUR_13 dur_13_after_a_failed_sync_the_store_refuses Capability power_loss traced
                "what a load has shown survives: after a failed sync the store refuses loads and appends until it is reopened";
            DUR_14 dur_14_acknowledged_rows_are_durable_in_order Capability process_crash race
                "an acknowledged row implies that every row acknowledged before it is durable";
            DUR_15 dur_15_after_a_power_loss_acknowledged_rows_are_there Capability power_loss traced
                "a power loss that leaves nothing but synced data leaves every acknowledged row";
            DUR_16 dur_16_rows_are_there_for_another_process Capability reopen thread
                "rows of a store that was dropped are there for another process";
            DUR_17 dur_17_a_load_shows_only_what_is_synced Capability power_loss traced
                "while the sync of an append is under way, no load shows a row that a power loss would take";
            DUR_18 dur_18_a_kill_while_a_large_log_is_maintained_is_survived Capability process_crash traced
                "SIGKILL while a log of several MiB is rotated and compacted";
            DUR_19 dur_19_a_power_loss_while_a_large_log_is_maintained_is_survived Capability power_loss traced
                "a power loss while a log of several MiB is rotated and compacted leaves every acknowledged row";
            DUR_20 dur_20_maintenance_beside_writers_changes_no_row Capability reopen task_race
                "maintenance beside writers changes no row";
        }
        err err Contract "errors" {
            ERR_01 err_01_a_rejection_has_the_stores_category Implied always task
                "a rejection has the category `checkpoint_store`";
            ERR_02 err_02_nothing_panics Contract always task
                "nothing panics";
            ERR_03 err_03_a_backend_that_is_down_is_an_error Capability outage task
                "a backend that is down is an error, in bounded time";
            ERR_04 err_04_a_backend_that_comes_back_is_used_again Capability outage task
                "a backend that comes back is used again";
            ERR_05 err_05_messages_name_id_and_sequence Advisory always task
                "messages name the id and the sequence";
            ERR_06 err_06_a_duplicate_is_a_typed_conflict Advisory always task
                "a duplicate is a typed conflict, apart from \"unavailable\" and \"unknown outcome\"";
            ERR_07 err_07_a_healthy_store_answers_no_errors Contract always task
                "a healthy store answers three thousand operations without an error";
        }
        run run Contract "runtimes" {
            RUN_01 run_01_works_on_a_current_thread_runtime Implied always thread
                "works on a current-thread runtime";
            RUN_02 run_02_works_with_1_2_and_8_workers Implied always race
                "works with 1, 2 and 8 workers";
            RUN_03 run_03_the_executor_is_never_blocked Implied always alone
                "a heartbeat on the same runtime keeps beating";
            RUN_04 run_04_a_store_outlives_its_runtime Capability outlives_runtime thread
                "a store outlives the runtime that created it";
            RUN_05 run_05_futures_move_between_threads Implied always thread
                "futures may move between threads";
            RUN_06 run_06_a_store_is_dropped_inside_async_code Implied always thread
                "dropping a store inside async code is fine";
            RUN_07 run_07_works_outside_of_tokio Capability any_executor thread
                "works outside of tokio";
        }
        prf prf Contract "cost" {
            PRF_01 prf_01_no_append_in_a_hundred_stalls Advisory always task_alone
                "append p50 and p99: no append in a hundred stalls";
            PRF_02 prf_02_an_append_costs_the_same_in_a_long_run Advisory always task_alone
                "an append costs the same at row 10 and at row 10,000";
            PRF_03 prf_03_a_load_costs_the_same_beside_many_ids Advisory always task_alone
                "a load costs the same beside one other id and beside 10,000";
            PRF_04 prf_04_eight_ids_get_as_much_done_as_one Advisory always task_alone
                "throughput from one id to eight: together they get as much done";
            PRF_05 prf_05_bytes_on_disk_for_a_byte_of_payload Advisory on_disk task
                "bytes on disk for a byte of payload";
        }
        eng eng Contract "the engine on the store" {
            ENG_01 eng_01_a_workflow_survives_a_crash_at_every_operation Implied engine_kinds task
                "a real workflow crashes at every operation of the store and resumes on it";
            ENG_02 eng_02_a_run_has_one_owner Implied engine_kinds race
                "two lives race for one run: one owner, no effect by the other";
            ENG_03 eng_03_a_cleared_run_leaves_nothing_behind Capability exclusive_scope task
                "under `ClearWhenDone` a finished run leaves nothing behind";
            ENG_04 eng_04_every_kind_of_the_engine_comes_back Implied engine_kinds task
                "every row kind of the engine comes back as itself";
            ENG_05 eng_05_a_scope_is_claimed_with_what_it_needs Implied always task
                "a store that declares an exclusive scope claims it, and claims that nothing lands late";
            ENG_06 eng_06_a_scope_keeps_other_processes_out Capability exclusive_scope thread
                "while a store with an exclusive scope is open, another process does not see its rows";
        }
        srv srv PowerLoss "servers" {
            SRV_01 srv_01_acknowledged_rows_survive_a_kill_of_the_server Capability server_crash task_race
                "rows that a server acknowledged survive its kill under load, five times over";
            SRV_02 srv_02_acknowledged_rows_survive_a_failover Capability failover task_race
                "no acknowledged row is lost when the leader goes away under load, and when it comes back";
            SRV_03 srv_03_reads_do_not_go_backwards_at_a_failover Capability failover task_race
                "reads do not go backwards at a failover: a new leader shows what the old one had shown";
            SRV_04 srv_04_progress_returns_after_a_failover Capability failover task_race
                "after a failover operations succeed again within the bound that the harness states";
        }
    } };
}

macro_rules! needs {
    (always) => {
        None
    };
    ($claim:ident) => {
        Some(claim::$claim)
    };
}

macro_rules! define_ids {
    ([] $($key:ident $module:ident $level:ident $title:literal { $(
        $id:ident $name:ident $kind:ident $claim:ident $runs:ident $sentence:literal;
    )* })*) => {
        /// The id of a law, written `DUP-02` in reports and `DUP_02` in code.
        #[expect(non_camel_case_types, reason = "the ids are written as in the catalogue")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum LawId {
            $($(
                #[doc = $sentence]
                $id,
            )*)*
        }

        impl LawId {
            /// Every law, in the order of the table.
            pub(crate) const ALL: &[Self] = &[$($(Self::$id,)*)*];

            /// The claim without which the law does not run.
            pub(crate) const fn claim(self) -> Option<Claim> {
                match self {
                    $($(Self::$id => needs!($claim),)*)*
                }
            }
        }
    };
}

__catalogue! { (define_ids) [] }

impl fmt::Display for LawId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").replace('_', "-"))
    }
}
