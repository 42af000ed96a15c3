//! libFuzzer's driver of [`crashpoint_fuzz::journal_lines`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::journal_lines(input);
});
