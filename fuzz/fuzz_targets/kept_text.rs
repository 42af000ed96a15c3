//! libFuzzer's driver of [`crashpoint_fuzz::kept_text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::kept_text(input);
});
