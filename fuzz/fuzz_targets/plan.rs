//! Reading plans out of a text, and what is said of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    for plan in pgassay::plan::read_all(text).plans {
        let _ = pgassay::plan::advise(&plan, &pgassay::plan::Shares::of(&plan));
    }
});
