//! Reading pgassay.toml.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = pgassay::config::parse(text);
});
