//! Every key of `pgassay.toml`: its type, default and meaning. The reader refuses what is not here, and the JSON schema and
//! `docs/configuration.md` say what is.

use std::collections::BTreeMap;

use super::settings::Level;
use crate::area::Area;
use crate::history::Completeness;
use crate::migration::{Framework, TransactionOverride};
use crate::rules::{ACCEPTABLE_TYPES, RuleOptions};

/// A key and what may stand behind it.
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written in the file; none where nothing is the default.
    pub default: Option<&'static str>,
    /// What it does, in one sentence.
    pub summary: &'static str,
}

/// What a value has to be.
pub enum Kind {
    Boolean,
    /// A whole number, 1 or more.
    Count,
    /// 14 to 18, as a number or a string.
    Version,
    /// A list of strings: paths from the file's folder on.
    Paths,
    /// A string: a path from the file's folder on.
    Path,
    /// A string as it is.
    Text,
    /// One of some words.
    Choice(fn() -> Vec<&'static str>),
    /// A list of some words.
    Choices(fn() -> Vec<&'static str>),
}

/// The keys at the top of the file.
pub const TOP: &[Key] = &[
    Key {
        name: "pg-version",
        kind: Kind::Version,
        default: None,
        summary: "Major version of the server the migrations will run on; without it, what the project's files say, else the oldest that was supported when pgassay was built",
    },
    Key {
        name: "paths",
        kind: Kind::Paths,
        default: None,
        summary: "Files and folders of migrations; without it, those that are found in the project",
    },
    Key {
        name: "base",
        kind: Kind::Paths,
        default: None,
        summary: "What exists before: dumps of the schema, or earlier migrations; read, not judged",
    },
    Key {
        name: "baseline",
        kind: Kind::Path,
        default: None,
        summary: "Leave out the findings that this file holds; --write-baseline makes it",
    },
    Key {
        name: "run",
        kind: Kind::Text,
        default: None,
        summary: "The command that runs all migrations: it runs on a throwaway server, and what it sends is judged",
    },
    Key {
        name: "framework",
        kind: Kind::Choice(frameworks),
        default: None,
        summary: "The migration tool; without it, recognised by its files",
    },
    Key {
        name: "transaction",
        kind: Kind::Choice(transactions),
        default: Some("\"auto\""),
        summary: "Which transaction the statements run in: as the tool does, one around each file, or none",
    },
    Key {
        name: "no-transaction",
        kind: Kind::Text,
        default: None,
        summary: "A line of this text in a migration keeps it out of a transaction, as an own runner reads it",
    },
    Key {
        name: "history",
        kind: Kind::Choice(histories),
        default: Some("\"auto\""),
        summary: "Whether the migrations, with the base, make everything that exists",
    },
    Key {
        name: "strict",
        kind: Kind::Boolean,
        default: Some("false"),
        summary: "Fail on statements that could not be read",
    },
    Key {
        name: "fail-on",
        kind: Kind::Choice(fail_ons),
        default: Some("\"error\""),
        summary: "The least severity that makes the exit code 1",
    },
    Key { name: "format", kind: Kind::Choice(formats), default: Some("\"text\""), summary: "How to show the result" },
];

/// The tables of the file, beside [`TOP`].
pub const SECTIONS: [(&str, &str); 6] = [
    ("variables", "Values of placeholders such as ${schema} or :schema"),
    ("rules", "A rule's severity, or a table with its severity and options"),
    ("overrides", "Other severities for some paths; of several that match, the last counts"),
    ("areas", "Which tables are payments, permissions or personal data, and which are internal or experiments"),
    ("modules", "Which tables belong together, and which module may use which"),
    ("accepted", "Findings of an audit that are known and accepted, each with a reason and perhaps an end"),
];

/// What every `[rules.<name>]` may hold, beside the rule's options.
pub const SEVERITY: Key = Key {
    name: "severity",
    kind: Kind::Choice(levels),
    default: None,
    summary: "The severity of the rule's findings, or off",
};

/// The options of rules.
pub const OPTIONS: &[(&str, Key)] = &[
    (
        "missing-lock-timeout",
        Key {
            name: "assume-timeout",
            kind: Kind::Boolean,
            default: Some("false"),
            summary: "The role or the connection sets lock_timeout: only a migration that switches it off is reported",
        },
    ),
    (
        "many-locks-in-transaction",
        Key {
            name: "max",
            kind: Kind::Count,
            default: Some("2"),
            summary: "So many tables in one transaction are an info, more are the rule's severity",
        },
    ),
    (
        "discouraged-types",
        Key {
            name: "allow",
            kind: Kind::Choices(acceptable_types),
            default: Some("[]"),
            summary: "Types that new columns may have all the same",
        },
    ),
    (
        "blocking-rewrite",
        Key {
            name: "brief-milliseconds",
            kind: Kind::Count,
            default: Some("500"),
            summary: "With --db or --snapshot: work that is estimated to take no longer is a warning at most",
        },
    ),
    (
        "blocking-rewrite",
        Key {
            name: "quiet-calls",
            kind: Kind::Count,
            default: Some("60"),
            summary: "With --db or --snapshot: brief work on a table with no more calls a minute is an info",
        },
    ),
    (
        "blocking-scan",
        Key {
            name: "brief-milliseconds",
            kind: Kind::Count,
            default: Some("500"),
            summary: "With --db or --snapshot: work that is estimated to take no longer is a warning at most",
        },
    ),
    (
        "blocking-scan",
        Key {
            name: "quiet-calls",
            kind: Kind::Count,
            default: Some("60"),
            summary: "With --db or --snapshot: brief work on a table with no more calls a minute is an info",
        },
    ),
    (
        "blocking-index-build",
        Key {
            name: "brief-milliseconds",
            kind: Kind::Count,
            default: Some("500"),
            summary: "With --db or --snapshot: work that is estimated to take no longer is a warning at most",
        },
    ),
    (
        "blocking-index-build",
        Key {
            name: "quiet-calls",
            kind: Kind::Count,
            default: Some("60"),
            summary: "With --db or --snapshot: brief work on a table with no more calls a minute is an info",
        },
    ),
    (
        "lock-behind-transaction",
        Key {
            name: "seconds",
            kind: Kind::Count,
            default: Some("10"),
            summary: "Seconds that a transaction has been open before a strong lock on its tables is reported",
        },
    ),
];

/// What an entry of `[[overrides]]` holds.
pub const OVERRIDE: [(&str, &str); 2] = [
    ("paths", "Patterns of files, from the file's folder on: * stays in a folder, ** goes below"),
    ("rules", "A severity, or off, for each rule"),
];

/// What an entry of `[modules.<name>]` holds.
pub const MODULE: [(&str, &str); 2] = [
    ("tables", "Tables and views of the module, as schema.table patterns"),
    ("may-use", "Names of the modules that it may use"),
];

/// What an entry of `[[accepted]]` holds; all but the last are needed.
pub const ACCEPTED: [(&str, &str); 4] = [
    ("object", "The object as the report prints it, or a pattern: public.locks.token, public.legacy_*"),
    ("rule", "The rule whose findings on it are accepted"),
    ("reason", "Why: it is shown with the report"),
    ("until", "The last day on which it counts, such as 2027-03-31"),
];

/// What an area's tables get.
pub fn area_summary(area: Area) -> &'static str {
    match area {
        Area::Payments => {
            "Tables of payments, as schema.table patterns: findings are never lowered, and allowed only with a reason"
        }
        Area::Permissions => "Tables of permissions: likewise",
        Area::PersonalData => "Tables of personal data: likewise",
        Area::Internal => {
            "Tables that only the team uses: findings are lowered a step, except data loss and failing statements"
        }
        Area::Experiment => "Tables of experiments: likewise",
    }
}

/// The options of one rule.
pub fn options_of(rule: &str) -> impl Iterator<Item = &'static Key> {
    OPTIONS.iter().filter(move |(of, _)| *of == rule).map(|(_, key)| key)
}

/// Names of the formats that `--format` has.
pub const FORMATS: &[&str] = &["text", "json", "sarif", "github", "gitlab", "junit", "markdown", "html", "gcc"];

pub const TRANSACTIONS: [(&str, TransactionOverride); 3] = [
    ("auto", TransactionOverride::Auto),
    ("per-file", TransactionOverride::PerFile),
    ("none", TransactionOverride::None),
];

pub const HISTORIES: [(&str, Completeness); 3] =
    [("auto", Completeness::Auto), ("complete", Completeness::Complete), ("partial", Completeness::Partial)];

/// The word for a value of [`TRANSACTIONS`] or [`HISTORIES`].
pub fn word_for<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| word)
}

/// Names of `fail-on`, as [`super::FailOn`] has them.
pub(super) fn fail_ons() -> Vec<&'static str> {
    super::FailOn::ALL.iter().map(|limit| limit.name()).collect()
}

fn formats() -> Vec<&'static str> {
    FORMATS.to_vec()
}

fn frameworks() -> Vec<&'static str> {
    Framework::ALL.iter().map(|framework| framework.name()).collect()
}

fn transactions() -> Vec<&'static str> {
    TRANSACTIONS.iter().map(|(name, _)| *name).collect()
}

fn histories() -> Vec<&'static str> {
    HISTORIES.iter().map(|(name, _)| *name).collect()
}

pub(super) fn levels() -> Vec<&'static str> {
    Level::ALL.iter().map(|level| level.name()).collect()
}

fn acceptable_types() -> Vec<&'static str> {
    ACCEPTABLE_TYPES.to_vec()
}

/// What a rule's option does to the rules.
pub(super) fn set_option(options: &mut RuleOptions, rule: &str, key: &str, value: &super::OptionValue) {
    use super::OptionValue::{Boolean, Count, Words};
    match (rule, key, value) {
        ("missing-lock-timeout", "assume-timeout", Boolean(assumed)) => options.assume_lock_timeout = *assumed,
        ("many-locks-in-transaction", "max", Count(most)) => options.most_locked_tables = *most,
        ("lock-behind-transaction", "seconds", Count(seconds)) => options.long_transaction_seconds = *seconds,
        (_, "brief-milliseconds", Count(limit)) => set_limit(&mut options.brief_milliseconds, rule, *limit),
        (_, "quiet-calls", Count(limit)) => set_limit(&mut options.quiet_calls, rule, *limit),
        ("discouraged-types", "allow", Words(types)) => options.accepted_types.clone_from(types),
        _ => {}
    }
}

/// Limits that several rules have, each its own.
fn set_limit(limits: &mut BTreeMap<&'static str, usize>, rule: &str, limit: usize) {
    if let Some((name, _)) = OPTIONS.iter().find(|(of, _)| *of == rule) {
        limits.insert(name, limit);
    }
}
