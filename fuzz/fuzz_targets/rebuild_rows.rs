//! libFuzzer's driver of [`crashpoint_fuzz::rebuild_rows`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::rebuild_rows(input);
});
