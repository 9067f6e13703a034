//! Properties of reading and judging, on texts that are made from a seed: the same at every run.

use crate::properties::{
    laid_out, nothing_panics, parts_are_in_order, statements_are_in_order, tokens_are_in_order, verdict,
};
use pgassay::rules::ALL;
use pgassay::source::{FileId, SourceFile};
use pgassay::sql::read_script;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// The statements of the list that the server takes, each with its text.
fn statements() -> Vec<&'static str> {
    let text = include_str!("../ddl/accepted.sql");
    let source = SourceFile::new("accepted.sql", text);
    let script = read_script(FileId(0), &source);
    script.statements.iter().map(|statement| &text[statement.span.range()]).collect()
}

/// What readers take for the end of something.
const BITS: &[&str] = &[
    "'",
    "''",
    "\"",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "$a$",
    "\\",
    "\n",
    "\r",
    "\0",
    "E'",
    "U&'",
    "(",
    ")",
    "[",
    "]",
    ",",
    "::",
    "é",
    "注",
    "\u{202e}",
    "\u{a0}",
    " COPY t FROM stdin;\n",
    "\n\\.\n",
    "BEGIN",
    "END",
    "ATOMIC",
    " AS ",
    "1e",
    "0x",
    "$1",
    ":a",
    "{{",
    "${x}",
];

/// A text with pieces of it moved, left out and put in.
fn spoiled(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(characters.len() + 1);
        match random.below(3) {
            0 => drop(characters.drain(at..(at + random.below(12)).min(characters.len()))),
            1 => drop(characters.splice(at..at, random.pick(BITS).chars())),
            _ => {
                let from = random.below(characters.len());
                let moved: Vec<char> = characters[from..(from + 9).min(characters.len())].to_vec();
                characters.splice(at..at, moved);
            }
        }
    }
    characters.into_iter().collect()
}

#[test]
fn spoiled_texts_are_read_in_order() {
    let statements = statements();
    let mut random = Random(20_26);
    for _ in 0..6_000 {
        let two = format!("{};\n{}", random.pick(&statements), random.pick(&statements));
        let text = spoiled(&mut random, &two);
        statements_are_in_order(&text);
        tokens_are_in_order(&text);
        parts_are_in_order(&text);
    }
}

#[test]
fn spoiled_texts_are_judged_without_panic() {
    let statements = statements();
    let mut random = Random(4711);
    for _ in 0..400 {
        let statement = format!("{};", random.pick(&statements));
        let text = spoiled(&mut random, &statement);
        nothing_panics(&text);
    }
}

/// Statements one after the other are those of their parts.
#[test]
fn joined_texts_have_the_statements_of_both() {
    let statements = statements();
    let texts = |text: &str| -> Vec<String> {
        let source = SourceFile::new("text.sql", text);
        let script = read_script(FileId(0), &source);
        script.statements.iter().map(|statement| text[statement.span.range()].to_owned()).collect()
    };
    let mut random = Random(7);
    for _ in 0..2_000 {
        let (one, other) = (random.pick(&statements), random.pick(&statements));
        let both: Vec<String> = texts(one).into_iter().chain(texts(other)).collect();
        assert_eq!(texts(&format!("{one};\n{other};\n")), both);
    }
}

#[test]
fn layout_changes_no_verdict() {
    for rule in ALL {
        for example in [&rule.fires, &rule.quiet] {
            // What a comment allows, and places in bodies, are not of the tokens.
            if example.migration.contains("--") || example.migration.contains('\\') {
                continue;
            }
            let plain = verdict(example.given, example.migration);
            let other = laid_out(example.migration);
            assert_eq!(verdict(example.given, &other), plain, "{}:\n{}\n{other}", rule.name, example.migration);
        }
    }
}

/// What is said of the comments themselves, which no comment allows.
const OF_COMMENTS: &[&str] = &["allow-without-reason", "unknown-rule", "unused-suppression"];

/// An allow comment removes the findings of its rule and no others.
#[test]
fn allowing_a_rule_removes_its_findings_only() {
    let mut allowed = 0;
    for rule in ALL {
        let (given, migration) = (rule.fires.given, rule.fires.migration);
        let plain = verdict(given, migration);
        let names: std::collections::BTreeSet<_> = plain.iter().map(|(name, ..)| *name).collect();
        for name in names.into_iter().filter(|name| !OF_COMMENTS.contains(name)) {
            let text = format!("-- pgassay: allow-file({name}) it is known\n{migration}");
            let rest: Vec<_> = plain.iter().filter(|(of, ..)| *of != name).cloned().collect();
            assert_eq!(verdict(given, &text), rest, "{name} in\n{migration}");
            allowed += 1;
        }
    }
    assert!(allowed > 50, "{allowed}");
}

/// What was rolled back was never there.
#[test]
fn a_rollback_leaves_what_was_before() {
    let statements = statements();
    let mut random = Random(99);
    for rule in ALL {
        let (given, migration) = (rule.fires.given, rule.fires.migration);
        let undone = random.pick(&statements);
        let source = SourceFile::new("text.sql", undone);
        // Code may do what nobody reads, and that may end the transaction.
        let head = undone.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let script = read_script(FileId(0), &source);
        let certain = script.statements.iter().all(|statement| statement.change.is_ok());
        if !certain
            || matches!(
                &*head,
                "BEGIN"
                    | "COMMIT"
                    | "END"
                    | "START"
                    | "ROLLBACK"
                    | "ABORT"
                    | "PREPARE"
                    | "DO"
                    | "CALL"
                    | "SET"
                    | "LOAD"
            )
        {
            continue;
        }
        let before = format!("{given}\nBEGIN;\n{undone};\nROLLBACK;\n");
        assert_eq!(verdict(&before, migration), verdict(given, migration), "{} after {undone}", rule.name);
    }
}
