//! No module imports one above it: reads the imports of every file, and holds them against the list of levels.
//!
//! The list is the map in the documentation of the library and in docs/architecture.md. What only tests import is left out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// From the top down. A module imports those of lower levels only, and none of its own level.
const LEVELS: &[&[&str]] = &[
    &["cli"],
    &["lsp", "mcp"],
    &["project"],
    &["prove"],
    &["whatif"],
    &["twin"],
    &["db"],
    &["run"],
    &["collect", "shadow"],
    &["git"],
    &["examples", "fix"],
    &["audit", "baseline", "check"],
    &["report"],
    &["config"],
    &["rules"],
    &["facts", "history"],
    &["effect", "finding"],
    &["advisor", "apply", "contract"],
    &["expression", "migration", "plan"],
    &["area", "schema", "sql"],
    &["change"],
    &["catalog"],
    &["machine", "source", "stack", "text", "version", "walk"],
];

/// Roots of crates, whose own files belong to no level.
const ROOTS: &[&str] = &["lib", "main"];

/// What opens a file, a socket or a process, or asks the machine for anything.
const IO: &[&str] = &["std::fs", "std::net", "std::process", "std::env::", "SystemTime"];

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

/// The modules that a file's text names with `crate::` or a name of one of our crates in front.
fn imports(text: &str) -> BTreeSet<String> {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let code: String = text[..tests].lines().map(|line| line.split("//").next().unwrap_or(line)).collect();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("::") {
        let name = code[..at].rsplit(|letter| !is_word(letter)).next().unwrap_or_default();
        if name != "crate" && !name.starts_with("pgassay") {
            continue;
        }
        let rest = &code[at + 2..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(rest.split(|letter| !is_word(letter)).next().unwrap_or_default().to_owned());
            continue;
        };
        let mut depth = 0;
        let top_level = group.chars().take_while(|letter| {
            depth += i32::from(*letter == '{') - i32::from(*letter == '}');
            depth >= 0
        });
        let mut nested = 0;
        let names: String = top_level
            .filter(|letter| {
                nested += i32::from(*letter == '{');
                let keep = nested == 0;
                nested -= i32::from(*letter == '}');
                keep
            })
            .collect();
        found.extend(names.split(',').map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()));
    }
    found
}

/// What a module may not import, of all that a file of it does.
fn forbidden(module: &str, text: &str) -> Vec<String> {
    let Some(own) = level(module) else { return vec![format!("{module} has no level")] };
    let upward = |name: &String| name != module && level(name).is_some_and(|other| other <= own);
    imports(text).into_iter().filter(upward).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The folders with the sources of all crates.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = std::fs::read_dir(root.join("crates")).into_iter().flatten().flatten();
    std::iter::once(root.join("src")).chain(crates.map(|entry| entry.path().join("src"))).collect()
}

#[test]
fn no_module_imports_one_above_it() {
    let (mut wrong, mut read) = (Vec::new(), BTreeSet::new());
    for source in sources() {
        let mut paths = Vec::new();
        files(&source, &mut paths);
        for path in paths {
            let inside = path.strip_prefix(&source).expect("a file of the folder");
            let first = inside.iter().next().and_then(|part| part.to_str()).expect("a name in UTF-8");
            let module = first.trim_end_matches(".rs");
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
            if ROOTS.contains(&module) || stem == "tests" || stem.ends_with("_tests") {
                continue;
            }
            read.insert(module.to_owned());
            let text = std::fs::read_to_string(&path).expect("a source file");
            let names = forbidden(module, &text);
            wrong.extend(names.into_iter().map(|name| format!("{} imports {name}", path.display())));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let listed: BTreeSet<String> = LEVELS.concat().into_iter().map(str::to_owned).collect();
    assert_eq!(read, listed, "the modules that there are, and the list of levels");
}

/// A dependency that does I/O is kept out by the manifest of the crate; this keeps out what the standard library has.
#[test]
fn the_core_opens_no_file_socket_or_process() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/pgassay-core");
    let mut paths = Vec::new();
    files(&core.join("src"), &mut paths);
    assert!(paths.len() > 300, "{} files", paths.len());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for line in text.lines().map(|line| line.split("//").next().unwrap_or_default()) {
            let io = IO.iter().find(|io| line.contains(**io));
            assert_eq!(io, None, "{}: {line}", path.display());
        }
    }
    let manifest = std::fs::read_to_string(core.join("Cargo.toml")).expect("a manifest");
    for name in ["tokio", "rustls", "tempfile", "rustix", "walkdir", "pgassay-live"] {
        assert!(!manifest.contains(name), "{name}");
    }
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    for text in [
        "use crate::check::check;",
        "use crate::{sql::{read_section, split}, check};",
        "fn f() { let x: pgassay_core::check::Job = todo!(); }",
        "use pgassay::{\n    source::Span,\n    check::{self, Job},\n};",
    ] {
        assert_eq!(forbidden("sql", text), ["check"], "{text}");
    }
    assert_eq!(forbidden("sql", "use crate::schema::Schema; // of the same level"), ["schema"]);
    for text in [
        "use crate::change::Change;\nuse crate::sql::split;",
        "// crate::check is above",
        "mod a {}\n#[cfg(test)]\nmod tests {\n    use crate::check::check;\n}",
        "use other::check::check;",
    ] {
        assert_eq!(forbidden("sql", text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(forbidden("news", ""), ["news has no level"]);
}

/// A file that no other names is not compiled: neither its rules nor its tests run.
#[test]
fn every_file_is_a_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tests = ["tests/pure", "tests/server"].map(|folder| root.join(folder));
    for source in sources().into_iter().chain(tests) {
        let mut paths = Vec::new();
        files(&source, &mut paths);
        for path in paths {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
            if ROOTS.contains(&stem) {
                continue;
            }
            let own = if stem == "mod" { path.parent().expect("a folder") } else { &path };
            let folder = own.parent().expect("a folder");
            let name = own.file_stem().and_then(|stem| stem.to_str()).expect("a name in UTF-8");
            let parents = ["mod.rs", "lib.rs", "main.rs"].map(|file| folder.join(file));
            let beside = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
            let by_path = format!("#[path = \"{name}.rs\"]");
            let is_named = |file: &PathBuf| {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                let declares = |line: &str| line.trim_start().ends_with(&format!("mod {name};"));
                let own_path = |line: &str| line.trim() == by_path;
                let may_declare = parents.contains(file) || file == &folder.with_extension("rs");
                text.lines().any(|line| may_declare && declares(line) || own_path(line))
            };
            let above = std::iter::once(folder.with_extension("rs"));
            assert!(beside.chain(above).any(|file| is_named(&file)), "{} is no module of any other", path.display());
        }
    }
}

/// The map as the documents show it.
fn map() -> String {
    LEVELS.iter().map(|level| format!("    {}\n", level.join(", "))).collect()
}

#[test]
fn the_documents_show_the_same_levels() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let architecture = std::fs::read_to_string(root.join("docs/architecture.md")).expect("docs/architecture.md");
    assert!(architecture.contains(&map()), "docs/architecture.md does not hold:\n{}", map());
    let library = std::fs::read_to_string(root.join("src/lib.rs")).expect("src/lib.rs");
    let comments: String = map().lines().map(|line| format!("//! {}\n", line.trim_start())).collect();
    assert!(library.contains(&comments), "src/lib.rs does not hold:\n{comments}");
}
