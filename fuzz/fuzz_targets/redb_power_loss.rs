//! libFuzzer's driver of [`crashpoint_fuzz::redb_power_loss`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::redb_power_loss(input);
});
