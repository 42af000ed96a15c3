//! Where a child's system calls can't be seen: the laws about them say so, and are not passed.

use crate::case::Case;
use crate::finding::expect::{Checked, Failure};

macro_rules! not_here {
    ($($law:ident)*) => {$(
        pub(crate) fn $law(_case: &Case) -> Checked {
            let message = "a child's system calls are seen on Linux with glibc on x86-64 only";
            Err(Failure::NotRun(message.to_owned()))
        }
    )*};
}

not_here! {
    dur_07_a_kill_at_every_system_call_is_survived
    dur_08_data_is_synced_before_the_acknowledgement
    dur_09_the_directory_is_synced_when_a_file_is_created
    dur_10_a_failed_sync_is_an_error
    dur_11_a_full_disk_is_an_error
    dur_13_after_a_failed_sync_the_store_refuses
}
