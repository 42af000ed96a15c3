//! libFuzzer's driver of [`crashpoint_fuzz::damaged_file`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::damaged_file(input);
});
