//! Reading a snapshot file: any bytes.
#![no_main]

use std::io::Write;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(bytes).and_then(|()| file.flush()).is_ok() {
        let _ = pgassay::db::snapshot::read(file.path());
    }
});
