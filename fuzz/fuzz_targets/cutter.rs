//! Cutting a script line by line, as it is restored: any text.
#![no_main]

use pgassay::sql::{Cut, Cutter};

fn look_at(cut: Option<Cut>, script: &str) {
    let Some(cut) = cut else { return };
    assert!(script.contains(&cut.text));
    let mut end = 0;
    for part in &cut.parts {
        let range = part.range();
        assert!(end <= range.start && range.start < range.end, "{range:?} after {end} in {:?}", cut.text);
        assert!(cut.text.get(range.clone()).is_some(), "{range:?} in {:?}", cut.text);
        end = range.end;
    }
}

libfuzzer_sys::fuzz_target!(|script: &str| {
    let mut cutter = Cutter::default();
    for line in script.split_inclusive('\n') {
        look_at(cutter.line(line), script);
    }
    look_at(cutter.end(), script);
});
