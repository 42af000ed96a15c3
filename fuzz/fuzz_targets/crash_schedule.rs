//! libFuzzer's driver of [`crashpoint_fuzz::crash_schedule`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::crash_schedule(input);
});
