//! The files with which a rule or a tool begins.
//!
//! In: the repository and a name. Out: whole texts of files, new and changed; nothing is written. A test runs it, so that it keeps up
//! with the lists that it adds to.

use std::collections::BTreeMap;
use std::path::Path;

/// Paths below the repository, with their new texts.
pub type Files = BTreeMap<String, String>;

const MIGRATION_RULE: &str = r#"//! What it looks for, in a sentence.

use crate::finding::{Advice, Category, Evidence, Finding, Severity};
use crate::rules::context::StepContext;
use crate::rules::{Example, Rule};

pub static RULE: Rule = Rule {
    name: "{name}",
    category: Category::Hygiene,
    severity: Severity::Warning,
    summary: "What it finds, in one line",
    explanation: "Why it matters and what to do, in a few sentences.",
    fires: Example { given: "CREATE TABLE accounts (id bigint PRIMARY KEY);", migration: "SELECT 1;" },
    quiet: Example { given: "CREATE TABLE accounts (id bigint PRIMARY KEY);", migration: "SELECT 2;" },
};

pub(super) fn check(context: &StepContext, findings: &mut Vec<Finding>) {
    if !applies(context) {
        return;
    }
    let mut finding = RULE.finding(context.step.span(), "what will happen, to what");
    finding.evidence.push(Evidence::assumed("how that is known"));
    finding.advice = Advice::text("What to do instead.");
    findings.push(finding);
}

/// Whether the models say it: a rule reads what a statement does and works out nothing itself.
fn applies(_context: &StepContext) -> bool {
    false
}
"#;

const SCHEMA_RULE: &str = r#"//! What it looks for, in a sentence.

use super::{Discovery, SchemaContext};
use crate::contract::Subject;
use crate::finding::{Advice, Category, Evidence, Severity};
use crate::rules::{Example, Rule};
use crate::schema::Relation;

pub static RULE: Rule = Rule {
    name: "{name}",
    category: Category::Hygiene,
    severity: Severity::Warning,
    summary: "What it finds, in one line",
    explanation: "Why it matters and what to do, in a few sentences.",
    fires: Example { given: "", migration: "CREATE TABLE accounts (id bigint PRIMARY KEY);" },
    quiet: Example { given: "", migration: "CREATE TABLE customers (id bigint PRIMARY KEY);" },
};

pub(super) fn check(context: &SchemaContext, found: &mut Vec<Discovery>) {
    for table in context.tables().filter(|table| applies(table)) {
        let message = format!("what is wrong with {}", table.name);
        let mut discovery = context.discovery(&RULE, Subject::Relation(table.id), message);
        discovery.finding.evidence.push(Evidence::declared("how that is known"));
        discovery.finding.advice = Advice::text("What to do about it.");
        found.push(discovery);
    }
}

/// Whether the table is so; what rules/schema/ask knows already is asked there.
fn applies(_table: &Relation) -> bool {
    false
}
"#;

const TOOL: &str = r#"//! {name}: which files it runs, in which order, and how it sends them.
//!
//! Recognised by what no other tool has. Each file is sent statement by statement, in a transaction.

use super::folder::Folder;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Framework, TransactionMode};

pub(super) struct {Type};

impl Tool for {Type} {
    fn framework(&self) -> Framework {
        Framework::{Type}
    }

    /// Not known yet: no folder.
    fn detect(&self, _folder: &Folder) -> bool {
        false
    }

    /// By the number that each name begins with.
    fn order(&self, folder: &Folder) -> Order {
        Order::by_number("{name}", folder.own_sql().map(|file| Entry::new(file.stem(), file)))
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::Wrapped)
    }
}
"#;

const TREE: &str = "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);\n";

/// Where each exhaustive list of tools goes on: a file, the line in front of which a new one stands, and its line.
const LISTS: &[(&str, &str, &str)] = &[
    ("crates/pgassay-core/src/migration/mod.rs", "    /// A dump of the schema", "    {Type} \"{name}\","),
    (
        "crates/pgassay-core/src/migration/mod.rs",
        "            | Framework::StructureSql => false,",
        "            | Framework::{Type}",
    ),
    (
        "crates/pgassay-core/src/migration/own_tables.rs",
        "            Framework::Plain | Framework::Hasura | Framework::GraphileMigrate => &[],",
        NO_TABLES,
    ),
    (
        "crates/pgassay-core/src/migration/own_tables.rs",
        "            Framework::Sqitch | Framework::StructureSql | Framework::Plain | Framework::Hasura => \"\",",
        NO_DDL,
    ),
    ("crates/pgassay-core/src/migration/outside.rs", "            // Only for all files,", NO_WAY),
    (
        "crates/pgassay-core/src/rules/migration/out_of_order_migration.rs",
        "        Framework::StructureSql => None,",
        NO_ANSWER,
    ),
    ("crates/pgassay-live/src/collect/tools.rs", "    &structure_sql::StructureSql,", "    &{module}::{Type},"),
    ("tests/pure/frameworks.rs", "    structure_sql \"structure-sql\"", "    {module} \"{name}\""),
];

const NO_TABLES: &str = "            // Not known yet.\n            Framework::{Type} => &[],";
const NO_DDL: &str = "            // Not known yet.\n            Framework::{Type} => \"\",";
const NO_WAY: &str = "            // Not known yet.\n            Framework::{Type} => None,";
const NO_ANSWER: &str = "        // Not known yet.\n        Framework::{Type} => None,";

/// A rule with examples that do not make it speak, which tests/pure/rules.rs reports.
pub fn new_rule(root: &Path, name: &str, schema: bool) -> Result<Files, String> {
    let names = Names::of(name)?;
    if pgassay::rules::find(name).is_some() {
        return Err(format!("there is a rule {name}"));
    }
    let mut tree = Tree::of(root);
    let (folder, text, line) = match schema {
        true => ("schema", SCHEMA_RULE, "    Entry::schema(&{module}::RULE, Needs::Schema, {module}::check),"),
        false => ("migration", MIGRATION_RULE, "    Entry::step(&{module}::RULE, {module}::check),"),
    };
    let folder = format!("crates/pgassay-core/src/rules/{folder}");
    tree.create(&format!("{folder}/{}.rs", names.module), &names.fill(text))?;
    let registry = format!("{folder}/mod.rs");
    tree.declare(&registry, &names.module)?;
    let list = tree.line(&registry, 0, "pub const ALL: ")?;
    tree.insert(&registry, list, "];", &names.fill(line))?;
    Ok(tree.files)
}

/// A tool that recognises no folder, which tests/pure/frameworks.rs reports.
pub fn new_tool(root: &Path, name: &str) -> Result<Files, String> {
    let names = Names::of(name)?;
    if name.parse::<pgassay::migration::Framework>().is_ok() {
        return Err(format!("there is a tool {name}"));
    }
    let mut tree = Tree::of(root);
    let collect = "crates/pgassay-live/src/collect";
    tree.create(&format!("{collect}/{}.rs", names.module), &names.fill(TOOL))?;
    tree.create(&format!("migrations-examples/frameworks/{name}/migrations/1_customers.sql"), TREE)?;
    tree.declare(&format!("{collect}/mod.rs"), &names.module)?;
    let tools = format!("{collect}/tools.rs");
    let import = tree.line(&tools, 0, "use super::{")?;
    tree.insert(&tools, import, "};", &names.fill("    {module},"))?;
    for (path, before, line) in LISTS {
        tree.insert(path, 0, before, &names.fill(line))?;
    }
    Ok(tree.files)
}

/// A name as it is spelled in each place.
struct Names {
    kebab: String,
    module: String,
    type_name: String,
}

impl Names {
    fn of(name: &str) -> Result<Names, String> {
        let is_word = |word: &str| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        };
        if !name.split('-').all(is_word) {
            return Err(format!("{name:?} isn't kebab-case"));
        }
        let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
        Ok(Names {
            kebab: name.to_owned(),
            module: name.replace('-', "_"),
            type_name: name.split('-').map(capital).collect(),
        })
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{name}", &self.kebab).replace("{module}", &self.module).replace("{Type}", &self.type_name)
    }
}

/// The repository, with the changes so far.
struct Tree<'r> {
    root: &'r Path,
    files: Files,
}

impl Tree<'_> {
    fn of(root: &Path) -> Tree<'_> {
        Tree { root, files: Files::new() }
    }

    fn create(&mut self, path: &str, text: &str) -> Result<(), String> {
        for taken in [path, path.trim_end_matches(".rs")] {
            if self.root.join(taken).exists() {
                return Err(format!("{taken} exists"));
            }
        }
        self.files.insert(path.to_owned(), text.to_owned());
        Ok(())
    }

    fn lines(&self, path: &str) -> Result<Vec<String>, String> {
        let text = match self.files.get(path) {
            Some(text) => text.clone(),
            None => std::fs::read_to_string(self.root.join(path)).map_err(|error| format!("{path}: {error}"))?,
        };
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The first line from `from` on that begins so.
    fn line(&self, path: &str, from: usize, beginning: &str) -> Result<usize, String> {
        let lines = self.lines(path)?;
        let found = lines.iter().enumerate().skip(from).find(|(_, line)| line.starts_with(beginning));
        found.map(|(at, _)| at).ok_or_else(|| format!("{path} has no line that begins with {beginning:?}"))
    }

    /// Puts a line in front of the first from `from` on that begins with `before`.
    fn insert(&mut self, path: &str, from: usize, before: &str, line: &str) -> Result<(), String> {
        let at = self.line(path, from, before)?;
        let mut lines = self.lines(path)?;
        lines.insert(at, line.to_owned());
        self.files.insert(path.to_owned(), lines.join("\n") + "\n");
        Ok(())
    }

    /// Adds `mod` in the order of the alphabet.
    fn declare(&mut self, path: &str, module: &str) -> Result<(), String> {
        let lines = self.lines(path)?;
        let declared = |line: &String| {
            let line = line.strip_suffix(';')?;
            line.starts_with(['m', 'p']).then(|| line.split_once("mod ").map(|(_, name)| name.to_owned()))?
        };
        let later = lines.iter().find(|line| declared(line).is_some_and(|name| name.as_str() > module));
        let last = lines.iter().rev().find(|line| declared(line).is_some());
        match (later.cloned(), last.cloned()) {
            (Some(later), _) => self.insert(path, 0, &later, &format!("mod {module};")),
            (None, Some(last)) => {
                let at = self.line(path, 0, &last)?;
                let mut lines = self.lines(path)?;
                lines.insert(at + 1, format!("mod {module};"));
                self.files.insert(path.to_owned(), lines.join("\n") + "\n");
                Ok(())
            }
            (None, None) => Err(format!("{path} declares no module")),
        }
    }
}
