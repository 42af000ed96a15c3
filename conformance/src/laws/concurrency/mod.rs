//! Concurrency: concurrent calls must have the effect of the same calls in some order.

mod handles;
mod histories;
mod pool;
mod together;
mod watched;

pub(crate) use self::handles::con_09_a_handle_shows_what_another_has_done;
pub(crate) use self::histories::con_01_small_histories_are_linearizable;
pub(crate) use self::pool::{
    con_07_more_callers_than_connections_make_progress, con_08_readers_do_not_starve_writers,
};
pub(crate) use self::together::{
    con_05_distinct_sequences_of_one_run_all_land, con_06_distinct_ids_all_land,
};
pub(crate) use self::watched::{
    con_02_every_load_beside_a_writer_is_a_prefix, con_03_no_row_is_torn,
    con_04_reads_do_not_go_backwards, con_10_reads_do_not_go_backwards_across_handles,
};
