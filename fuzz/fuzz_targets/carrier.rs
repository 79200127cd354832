//! libFuzzer's program of this target.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| awg_fuzz::carrier(data));
