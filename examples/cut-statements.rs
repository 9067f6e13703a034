//! Cuts texts into statements: a JSON array of texts in, the bytes of every statement out. For `scripts/compare-cutting`.

use pgassay::source::{FileId, SourceFile};
use pgassay::sql::read_script;

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("usage: cut-statements TEXTS.json"))?;
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(path)?)?;
    let cut = |text: &String| -> Vec<[u32; 2]> {
        let script = read_script(FileId(0), &SourceFile::new("text", text.as_str()));
        script.statements.iter().map(|statement| [statement.span.start, statement.span.end]).collect()
    };
    println!("{}", serde_json::to_string(&texts.iter().map(cut).collect::<Vec<_>>())?);
    Ok(())
}
