//! Judging a text as a migration.
#![no_main]

#[path = "../../tests/support/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::nothing_panics(text));
