//! Cutting a text into statements and tokens, and reading them.
#![no_main]

#[path = "../../tests/support/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| {
    properties::statements_are_in_order(text);
    properties::tokens_are_in_order(text);
});
