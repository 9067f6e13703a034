//! The documentation says what the program does: generated pages are up to date, links lead somewhere, and the shown output is real.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn pages_of_the_rules_are_up_to_date() {
    let docs = repository().join("docs");
    let pages = crate::rule_pages::all();
    let stale: Vec<&str> = pages
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(docs.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| path.as_str())
        .collect();
    assert!(stale.is_empty(), "out of date: {stale:?}; run cargo run --example develop -- generate");
    let wanted: BTreeSet<PathBuf> = pages.iter().map(|(path, _)| docs.join(path)).collect();
    for entry in std::fs::read_dir(docs.join("rules")).expect("docs/rules") {
        let path = entry.expect("a file").path();
        assert!(wanted.contains(&path), "{} is of no rule", path.display());
    }
}

/// README.md and everything in docs.
fn documents() -> Vec<PathBuf> {
    let mut found = vec![repository().join("README.md")];
    for folder in ["docs", "docs/rules", "docs/getting-started"] {
        let entries = std::fs::read_dir(repository().join(folder)).expect("a folder");
        found.extend(
            entries
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    found
}

/// What links name the headings of a page by.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|letter| letter.is_alphanumeric() || "-_".contains(*letter)).collect()
    })
}

#[test]
fn links_lead_to_files() {
    for document in documents() {
        let text = read(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            if target.contains("://") {
                continue;
            }
            let path = match target {
                "" => document.clone(),
                _ => document.parent().expect("a folder").join(target),
            };
            assert!(path.exists(), "{} links to {target}", document.display());
            let is_page = path.extension().is_some_and(|end| end == "md");
            let is_there = || headings(&read(&path)).any(|heading| heading == anchor);
            assert!(anchor.is_empty() || !is_page || is_there(), "{} links to {link}", document.display());
        }
    }
}

#[test]
fn the_book_has_every_page() {
    let docs = repository().join("docs");
    let summary = read(&docs.join("SUMMARY.md"));
    let mut folders = vec![docs.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let page = path.strip_prefix(&docs).expect("below docs").to_string_lossy().into_owned();
            let is_page = page.ends_with(".md") && page != "SUMMARY.md";
            assert!(!is_page || summary.contains(&format!("]({page})")), "{page} is missing: tests/support/book.rs");
        }
    }
}

#[test]
fn every_tool_and_format_has_a_row() {
    let has_row = |page: &str, name: &str| read(&repository().join(page)).contains(&format!("\n| `{name}`"));
    for tool in pgassay::migration::Framework::ALL {
        assert!(has_row("docs/frameworks.md", tool.name()), "docs/frameworks.md has no row for {tool}");
    }
    for format in pgassay::config::keys::FORMATS {
        assert!(has_row("docs/formats.md", format), "docs/formats.md has no row for {format}");
    }
}

#[test]
fn documented_rules_exist() {
    // The rules' own pages show a misspelt one on purpose.
    for document in documents().into_iter().filter(|path| !path.starts_with(repository().join("docs/rules"))) {
        let text = read(&document);
        for list in text.split("pgassay: allow").skip(1).filter_map(|rest| rest.split_once('(')?.1.split(')').next()) {
            for name in list.split(',').map(str::trim) {
                // The forms' placeholders.
                let known = ["rule", "rule[", "rule]", "…"].contains(&name) || pgassay::rules::find(name).is_some();
                assert!(known, "{} allows {name:?}", document.display());
            }
        }
    }
}

/// A ```text block whose first line is `$ pgassay …` holds what the program prints then, with `[…]` for left out lines.
#[test]
fn shown_output_is_real() {
    let mut shown = 0;
    for document in
        [repository().join("README.md"), repository().join("docs/guide.md"), repository().join("docs/json.md")]
    {
        let text = read(&document);
        for block in text.split("```").skip(1).step_by(2) {
            let Some((command, expected)) =
                block.split_once('\n').and_then(|(_, body)| body.strip_prefix("$ pgassay ")?.split_once('\n'))
            else {
                continue;
            };
            let output = Command::new(env!("CARGO_BIN_EXE_pgassay"))
                .args(command.split_whitespace())
                .current_dir(repository())
                .output()
                .expect("the binary runs");
            let output = String::from_utf8(output.stdout).expect("UTF-8");
            let mut rest = output.as_str();
            for part in expected.split("[…]\n").map(str::trim_end).filter(|part| !part.is_empty()) {
                let at = rest.find(part);
                let Some(at) = at else { panic!("{}: {command} does not print this:\n{part}", document.display()) };
                rest = &rest[at + part.len()..];
            }
            shown += 1;
        }
    }
    assert!(shown >= 2, "the documents show no output");
}
