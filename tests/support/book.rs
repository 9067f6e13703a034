//! The contents of the book that mdBook makes of docs/: docs/SUMMARY.md.

/// Parts of the book, with the titles and files of their chapters.
const PARTS: &[(&str, &[(&str, &str)])] = &[
    (
        "Getting started",
        &[
            ("Guide", "guide.md"),
            ("SQL migrations", "getting-started/sql.md"),
            ("Django", "getting-started/django.md"),
            ("Rails", "getting-started/rails.md"),
            ("Knex and TypeORM", "getting-started/knex.md"),
            ("Coming from another linter", "coming-from.md"),
            ("Comparison", "comparison.md"),
        ],
    ),
    (
        "Migrations",
        &[
            ("What is new", "what-is-new.md"),
            ("Migration tools", "frameworks.md"),
            ("Migrations in code", "code-migrations.md"),
            ("Proving", "prove.md"),
            ("Fixing", "fix.md"),
            ("Effects by version", "effects-by-version.md"),
            ("What is not predicted exactly", "effects.md"),
            ("Configuration", "configuration.md"),
        ],
    ),
    (
        "Databases",
        &[
            ("Audit", "audit.md"),
            ("Databases and snapshots", "database.md"),
            ("Hot queries", "queries.md"),
            ("Plans", "plan.md"),
            ("The twin", "twin.md"),
        ],
    ),
    (
        "Around it",
        &[
            ("Editors", "editors.md"),
            ("Coding agents", "agents.md"),
            ("Formats", "formats.md"),
            ("JSON", "json.md"),
            ("Security", "security.md"),
            ("Performance", "performance.md"),
            ("Exit codes", "exit-codes.md"),
            ("Stability", "stability.md"),
        ],
    ),
    (
        "For contributors",
        &[("Architecture", "architecture.md"), ("Contributing", "contributing.md"), ("Releasing", "releasing.md")],
    ),
];

/// The file and its text. `rules` are the names of the rules' pages.
pub fn summary<'r>(rules: impl Iterator<Item = &'r str>) -> (String, String) {
    let mut text = "# Summary\n".to_owned();
    for (part, chapters) in PARTS {
        text.push_str(&format!("\n# {part}\n\n"));
        for (title, file) in *chapters {
            text.push_str(&format!("- [{title}]({file})\n"));
        }
    }
    text.push_str("\n# Rules\n\n- [All rules](rules.md)\n");
    for rule in rules {
        text.push_str(&format!("  - [{rule}](rules/{rule}.md)\n"));
    }
    ("SUMMARY.md".to_owned(), text)
}
