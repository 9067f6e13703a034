//! `atlas.sum`: the sums by which Atlas knows that no migration was changed.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The file's text for these migrations, by name and content, in the order of their names (`NewHashFile`, sql/migrate/dir.go).
pub(super) fn atlas(mut files: Vec<(&Path, &str)>) -> String {
    files.sort_by_key(|(path, _)| path.file_name());
    let mut all = Sha256::new();
    let mut running = Sha256::new();
    let mut lines = String::new();
    for (path, text) in files {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        running.update(name.as_bytes());
        running.update(text.as_bytes());
        let sum = STANDARD.encode(running.clone().finalize());
        all.update(name.as_bytes());
        all.update(sum.as_bytes());
        lines.push_str(&format!("{name} h1:{sum}\n"));
    }
    format!("h1:{}\n{lines}", STANDARD.encode(all.finalize()))
}
