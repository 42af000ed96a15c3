//! libFuzzer's driver of [`crashpoint_fuzz::row_codec`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::row_codec(input);
});
