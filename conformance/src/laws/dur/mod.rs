//! Durability: acknowledged rows are there when the place is opened again, however the last store ended.

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod aftermath;
mod corrupt;
mod killed;
mod listed;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod long;
mod maintained;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod power;
mod process;
mod reopened;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod script;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod shown;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod traced;

pub(crate) use self::corrupt::dur_12_a_corrupt_row_is_a_loud_error;
pub(crate) use self::killed::{
    dur_03_acknowledged_rows_survive_a_kill, dur_04_an_unacknowledged_row_is_whole_or_absent,
    dur_05_a_kill_inside_clear_leaves_all_or_nothing, dur_06_after_a_kill_the_store_opens_unaided,
    dur_14_acknowledged_rows_are_durable_in_order,
};
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) use self::long::{
    dur_18_a_kill_while_a_large_log_is_maintained_is_survived,
    dur_19_a_power_loss_while_a_large_log_is_maintained_is_survived,
};
pub(crate) use self::maintained::dur_20_maintenance_beside_writers_changes_no_row;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) use self::power::{
    dur_08_data_is_synced_before_the_acknowledgement,
    dur_09_the_directory_is_synced_when_a_file_is_created, dur_10_a_failed_sync_is_an_error,
    dur_11_a_full_disk_is_an_error, dur_13_after_a_failed_sync_the_store_refuses,
    dur_15_after_a_power_loss_acknowledged_rows_are_there,
};
pub(crate) use self::process::dur_16_rows_are_there_for_another_process;
pub(crate) use self::reopened::{
    dur_01_rows_survive_reopening, dur_02_rows_survive_twenty_reopenings,
};
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) use self::shown::dur_17_a_load_shows_only_what_is_synced;
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub(crate) use self::traced::dur_07_a_kill_at_every_system_call_is_survived;

/// The check of every law that traces system calls, on systems where the kit can't: it is not run.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub(crate) fn not_traced(_case: &crate::case::Case) -> crate::finding::expect::Checked {
    let message = "the kit traces system calls only on Linux with glibc on x86-64";
    Err(crate::finding::expect::Failure::NotRun(message.to_owned()))
}
