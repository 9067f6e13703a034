//! Writes docs/rules.md, docs/rules/<rule>.md, docs/effects-by-version.md and docs/SUMMARY.md from the rules' own text and the model: `cargo run --example generate-docs`.
//!
//! tests/documentation.rs fails when they are out of date.

#[path = "../tests/support/rule_pages.rs"]
mod rule_pages;

fn main() -> std::io::Result<()> {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let folder = docs.join("rules");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for (path, text) in rule_pages::all() {
        std::fs::write(docs.join(path), text)?;
    }
    Ok(())
}
