//! Cutting a script line by line, as it is restored: any text.
#![no_main]

#[path = "../../tests/support/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::parts_are_in_order(text));
