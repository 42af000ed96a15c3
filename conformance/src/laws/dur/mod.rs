//! Durability: what was acknowledged is there for whoever opens the place next, however the last one
//! ended.

mod killed;
mod reopened;
mod traced;

pub(crate) use self::killed::{
    dur_03_acknowledged_rows_survive_a_kill, dur_04_an_unacknowledged_row_is_whole_or_absent,
    dur_05_a_kill_inside_clear_leaves_all_or_nothing, dur_06_after_a_kill_the_store_opens_unaided,
    dur_14_acknowledged_rows_are_durable_in_order,
};
pub(crate) use self::reopened::{
    dur_01_rows_survive_reopening, dur_02_rows_survive_twenty_reopenings,
};
pub(crate) use self::traced::dur_07_a_kill_at_every_system_call_is_survived;
