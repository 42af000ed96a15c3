//! libFuzzer's driver of [`crashpoint_fuzz::store_ops`].
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    crashpoint_fuzz::store_ops(input);
});
