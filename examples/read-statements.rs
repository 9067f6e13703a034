//! What pgassay reads of files' statements: one JSON object a line, with the place, and the change as Rust prints it or why it was not
//! read. For `scripts/compare-reading`.

use std::io::Write;

use pgassay::source::{FileId, SourceFile};
use pgassay::sql::read_script;
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for path in std::env::args().skip(1) {
        let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        for statement in read_script(FileId(0), &SourceFile::new(path.as_str(), text.as_str())).statements {
            let place = [statement.span.start, statement.span.end];
            let read = match statement.change {
                Ok(change) => json!({ "file": path, "place": place, "read": format!("{change:?}") }),
                Err(unreadable) => json!({ "file": path, "place": place, "unreadable": unreadable.message }),
            };
            writeln!(out, "{read}")?;
        }
    }
    Ok(out.flush()?)
}
