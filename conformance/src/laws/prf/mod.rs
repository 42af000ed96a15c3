//! Cost: it must not grow with the data around it. All of this is advice.
//!
//! No bound is in seconds, since the machine may be busy. Each law compares two costs that are measured in
//! turn within one run, as medians of many, and fails only if each of several tries exceeds a generous
//! bound. So it misses a factor of two, and a cost that is in both; the benchmarks of the feature `bench`
//! show those.

mod alone;
mod beside;
mod disk;
mod measure;

pub(crate) use self::alone::{
    prf_01_no_append_in_a_hundred_stalls, prf_02_an_append_costs_the_same_in_a_long_run,
};
pub(crate) use self::beside::{
    prf_03_a_load_costs_the_same_beside_many_ids, prf_04_eight_ids_get_as_much_done_as_one,
};
pub(crate) use self::disk::prf_05_bytes_on_disk_for_a_byte_of_payload;
