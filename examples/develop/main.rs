//! What a developer of pgassay runs: writes generated documents, and begins a rule or a migration tool.
//!
//!     cargo run --example develop -- generate
//!     cargo run --example develop -- new-rule NAME [--schema]
//!     cargo run --example develop -- new-tool NAME
//!
//! What `new-rule` and `new-tool` write compiles; tests then name what is missing. docs/contributing.md says more.

mod scaffold;

#[path = "../../tests/support/rule_pages.rs"]
mod rule_pages;

use std::path::Path;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write docs/rules.md, docs/rules, docs/effects-by-version.md, docs/SUMMARY.md and pgassay.schema.json
    Generate,
    /// Begin a rule: its file, with a check that finds nothing yet, and its line in the registry
    NewRule {
        /// kebab-case
        name: String,
        /// About schemas, not about migrations
        #[arg(long)]
        schema: bool,
    },
    /// Begin a migration tool: its file, that recognises no folder yet, and its lines in the lists of tools
    NewTool {
        /// kebab-case, as on the command line
        name: String,
    },
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match Arguments::parse().command {
        Command::Generate => generate(root),
        Command::NewRule { name, schema } => {
            write(root, scaffold::new_rule(root, &name, schema).map_err(anyhow::Error::msg)?)?;
            println!("\nNext: its text, its examples and its check, until `cargo test --test pure rules` passes; then");
            println!("`cargo run --example develop -- generate`, and `INSTA_UPDATE=always cargo test --test pure`.");
            Ok(())
        }
        Command::NewTool { name } => {
            write(root, scaffold::new_tool(root, &name).map_err(anyhow::Error::msg)?)?;
            println!("\nNext: how its folders are recognised, ordered and split, and a project of it in");
            println!("migrations-examples/frameworks/{name}, until `cargo test --test pure frameworks` passes;");
            println!("then the facts marked \"not known\", and a row in docs/frameworks.md.");
            Ok(())
        }
    }
}

fn write(root: &Path, files: scaffold::Files) -> std::io::Result<()> {
    for (path, text) in files {
        let whole = root.join(&path);
        if let Some(folder) = whole.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let verb = if whole.exists() { "changed" } else { "made" };
        std::fs::write(whole, text)?;
        println!("{verb} {path}");
    }
    Ok(())
}

fn generate(root: &Path) -> anyhow::Result<()> {
    let docs = root.join("docs");
    let folder = docs.join("rules");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for (path, text) in rule_pages::all() {
        std::fs::write(docs.join(path), text)?;
    }
    let schema = serde_json::to_string_pretty(&pgassay::config::json_schema())?;
    std::fs::write(root.join("pgassay.schema.json"), format!("{schema}\n"))?;
    Ok(())
}
