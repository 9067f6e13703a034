//! The list of forms.

use sqlparser::tokenizer::Token;

use super::{Form, Tokens, Wanted};

/// The forms whose first word begins like this one.
pub(super) fn starting_with(word: &str) -> &'static [Wanted] {
    match word.as_bytes().first().map(u8::to_ascii_lowercase) {
        Some(b'a') => A,
        Some(b'b' | b'c' | b'd') => B_TO_D,
        Some(b'e' | b'f' | b'g') => E_TO_G,
        Some(b'h' | b'i' | b'j' | b'l') => H_TO_L,
        Some(b'm') => M,
        Some(b'n') => N,
        Some(b'o' | b'p') => O_P,
        Some(b'r') => R,
        Some(b's') => S,
        Some(b't' | b'u' | b'v' | b'w') => T_TO_W,
        _ => &[],
    }
}

const fn form(
    word: &'static str,
    since: u16,
    name: &'static str,
    before: &'static str,
    test: fn(&Tokens, usize) -> Option<usize>,
) -> Wanted {
    Wanted { word, test, form: Form { since, refused_from: 0, name, before } }
}

pub(super) const OLD_AND_NEW: &str = "OLD and NEW in RETURNING";

/// A word that is an option in the statement's parentheses or list.
const OPTION: &str = "Leave the option out on older servers.";

static A: &[Wanted] = &[
    form("ANALYZE", 18, "ANALYZE ONLY", "Older servers analyze the children too: name the table alone.", |all, at| {
        (at == 0).then(|| (1..4).find(|next| all.is(*next, "ONLY"))).flatten().map(|only| only + 1)
    }),
    form("AT", 17, "AT LOCAL", "Write AT TIME ZONE current_setting('TimeZone').", |all, at| {
        all.words(at, &["AT", "LOCAL"]).filter(|_| at > 0)
    }),
    form(
        "ADMIN",
        16,
        "GRANT … WITH ADMIN TRUE or FALSE",
        "Write WITH ADMIN OPTION, or leave it out.",
        membership_option,
    ),
];

static B_TO_D: &[Wanted] = &[
    form("BUFFER_USAGE_LIMIT", 16, "BUFFER_USAGE_LIMIT", OPTION, vacuum_option),
    form("BUILTIN_LOCALE", 17, "BUILTIN_LOCALE", "Use the provider libc with the locale C.", option_of_database),
    form("COLLATION_VERSION", 15, "COLLATION_VERSION", OPTION, option_of_database),
    form(
        "DEFAULT",
        16,
        "COPY's option DEFAULT",
        "Copy into a table without the column, or mark it in the data.",
        copy_option,
    ),
    form("DISABLE_ON_ERROR", 15, "disable_on_error", OPTION, option_of_subscription),
];

static E_TO_G: &[Wanted] = &[
    form("ENFORCED", 18, "NOT ENFORCED", "Add the constraint NOT VALID, or leave it out.", |all, at| {
        let of_constraint = !matches!(all.before(at, 1), Token::Comma | Token::LParen) && all.defines_table();
        (of_constraint && !all.is(at + 1, "BOOLEAN")).then_some(at + 1)
    }),
    form("FAILOVER", 17, "failover", OPTION, option_of_subscription),
    form(
        "GENERATED",
        18,
        "a generated column without STORED",
        "Write STORED after the expression (it then rewrites the table), or compute the value in a view.",
        |all, at| {
            let opening = all.words(at, &["GENERATED", "ALWAYS", "AS"])?;
            let closing = all.closing(opening)?;
            (!all.is(closing + 1, "STORED")).then_some(closing + if all.is(closing + 1, "VIRTUAL") { 2 } else { 1 })
        },
    ),
    form(
        "GENERIC_PLAN",
        16,
        "EXPLAIN (GENERIC_PLAN)",
        "PREPARE the statement and set plan_cache_mode.",
        explain_option,
    ),
];

static H_TO_L: &[Wanted] = &[
    form(
        "ICU_LOCALE",
        15,
        "ICU_LOCALE",
        "Make a collation with the provider icu, and name it where it is wanted.",
        option_of_database,
    ),
    form("ICU_RULES", 16, "ICU_RULES", OPTION, option_of_database),
    form(
        "INHERIT",
        16,
        "GRANT … WITH INHERIT",
        "Older servers have the attribute INHERIT or NOINHERIT of the role that is granted to.",
        membership_option,
    ),
    form("INHERIT", 18, "ALTER CONSTRAINT … INHERIT", "Drop the constraint and add it anew.", |all, at| {
        let no = usize::from(all.follows(at, "NO"));
        let named = at >= 3 + no && all.is(at - 3 - no, "ALTER") && all.is(at - 2 - no, "CONSTRAINT");
        named.then_some(at + 1)
    }),
    form("IS", 16, "IS JSON", "Cast the text to jsonb in a function that catches the error.", |all, at| {
        let not = usize::from(all.is(at + 1, "NOT"));
        all.is(at + 1 + not, "JSON").then_some(at + 2 + not)
    }),
    form("JSON_OBJECT", 16, "JSON_OBJECT with keys", "Use json_build_object('key', value, …).", |all, at| {
        let close = all.closing(at + 1).filter(|_| *all.token(at + 1) == Token::LParen)?;
        let key = (at + 2..close).find(|next| *all.token(*next) == Token::Colon || all.is(*next, "VALUE"));
        key.map(|_| close + 1)
    }),
    form(
        "JSON_TABLE",
        17,
        "JSON_TABLE",
        "Use jsonb_to_recordset, or jsonb_path_query with a column for each path.",
        |all, at| {
            let close = all.closing(at + 1).filter(|_| *all.token(at + 1) == Token::LParen)?;
            (at..close).any(|next| all.is(next, "COLUMNS")).then_some(close + 1)
        },
    ),
    form("LARGE", 18, "default privileges of large objects", "Grant them when each is made.", |all, at| {
        all.words(at, &["LARGE", "OBJECTS"]).filter(|_| all.begins(&["ALTER", "DEFAULT", "PRIVILEGES"]))
    }),
    form("LIKE", 18, "LIKE in CREATE FOREIGN TABLE", "Write the columns out.", |all, at| {
        let first = matches!(all.before(at, 1), Token::Comma | Token::LParen);
        (first && all.depth(at) == 1 && all.begins(&["CREATE", "FOREIGN", "TABLE"])).then_some(at + 1)
    }),
    form("LOCALE_PROVIDER", 15, "LOCALE_PROVIDER", OPTION, option_of_database),
    form("LOG_VERBOSITY", 17, "COPY's option LOG_VERBOSITY", OPTION, copy_option),
];

static M: &[Wanted] = &[
    form(
        "MAINTAIN",
        17,
        "the privilege MAINTAIN",
        "Older servers let only the owner do it: grant the owner's role.",
        |all, at| {
            let list =
                all.begins(&["GRANT"]) || all.begins(&["REVOKE"]) || all.begins(&["ALTER", "DEFAULT", "PRIVILEGES"]);
            let ended = (0..at).any(|before| all.is(before, "ON") || all.is(before, "TO"));
            let of_default = all.is(0, "ALTER") && !(0..at).any(|before| all.is(before, "ON"));
            (list && (!ended || of_default) && (all.is(at + 1, "ON") || *all.token(at + 1) == Token::Comma))
                .then_some(at + 1)
        },
    ),
    form(
        "MATCHED",
        17,
        "WHEN NOT MATCHED BY",
        "Delete or update what is missing in the source by a statement of its own.",
        |all, at| {
            (all.follows(at, "NOT") && all.is_any(at + 2, &["SOURCE", "TARGET"]))
                .then(|| all.words(at, &["MATCHED", "BY"]))
                .flatten()
        },
    ),
    form("MEMORY", 17, "EXPLAIN (MEMORY)", OPTION, explain_option),
    form("MERGE", 15, "MERGE", "Write INSERT … ON CONFLICT, or an UPDATE and an INSERT.", |all, at| {
        let statement =
            at == 0 || all.begins(&["EXPLAIN"]) || matches!(all.before(at, 1), Token::RParen | Token::LParen);
        (statement && all.is(at + 1, "INTO")).then_some(at + 2)
    }),
    form("MERGE_ACTION", 17, "merge_action()", "Older servers do not say what was done to a row.", |all, at| {
        (*all.token(at + 1) == Token::LParen).then_some(at + 1)
    }),
];

static N: &[Wanted] = &[
    form(
        "NOT",
        18,
        "a NOT NULL constraint of the table",
        "Use ALTER COLUMN … SET NOT NULL; to keep the scan out of the lock, add CHECK (column IS NOT NULL) NOT VALID and validate it first.",
        |all, at| {
            all.words(at, &["NOT", "NULL"])?;
            let begins = |distance: usize| {
                matches!(all.before(at, distance), Token::Comma | Token::LParen)
                    || at.checked_sub(distance).is_some_and(|before| all.is(before, "ADD"))
            };
            let named = at >= 2 && all.is(at - 2, "CONSTRAINT") && begins(3);
            ((begins(1) || named) && all.defines_table()).then_some(at + 2)
        },
    ),
    form(
        "NULLS",
        15,
        "NULLS [NOT] DISTINCT",
        "Add a partial unique index for the rows where the column is NULL.",
        |all, at| all.words(at, &["NULLS", "NOT", "DISTINCT"]).or_else(|| all.words(at, &["NULLS", "DISTINCT"])),
    ),
];

static O_P: &[Wanted] = &[
    form(
        "ON_ERROR",
        17,
        "COPY's option ON_ERROR",
        "Copy into a table of text columns, and take over what can be cast.",
        copy_option,
    ),
    form("ONLY_DATABASE_STATS", 16, "ONLY_DATABASE_STATS", OPTION, vacuum_option),
    form("ORIGIN", 16, "origin", OPTION, option_of_subscription),
    form(
        "PARAMETER",
        15,
        "privileges on parameters",
        "Older servers let only superusers set them: use a SECURITY DEFINER function.",
        |all, at| ((all.begins(&["GRANT"]) || all.begins(&["REVOKE"])) && all.follows(at, "ON")).then_some(at + 1),
    ),
    form("PASSWORD_REQUIRED", 16, "password_required", OPTION, option_of_subscription),
    form("PERIOD", 18, "a foreign key with PERIOD", "Check the periods in a constraint trigger.", |all, at| {
        let list = all.opening(at)?;
        let named = matches!(all.token(at + 1), Token::Word(_)) && *all.token(at + 2) == Token::RParen;
        let of_key = all.follows(list, "KEY") || list >= 2 && all.is(list - 2, "REFERENCES");
        (named && of_key).then_some(at + 2)
    }),
    form("PROCESS_MAIN", 16, "PROCESS_MAIN", OPTION, vacuum_option),
    form(
        "PUBLICATION",
        15,
        "a column list or a row filter of a publication",
        "Publish the whole table, or a table that holds only what is wanted.",
        |all, at| {
            if at != 1 || !all.is_any(0, &["CREATE", "ALTER"]) {
                return None;
            }
            let with = (at..all.0.len()).find(|next| all.is(*next, "WITH")).unwrap_or(all.0.len());
            let tables = (at..with).find(|next| all.is(*next, "TABLE"))?;
            (tables..with)
                .find(|next| *all.token(*next) == Token::LParen && !all.is(*next - 1, "ONLY"))
                .and_then(|open| all.closing(open))
                .map(|close| close + 1)
        },
    ),
    form("PUBLISH_GENERATED_COLUMNS", 18, "publish_generated_columns", OPTION, publication_option),
];

static R: &[Wanted] = &[
    form(
        "REFRESH",
        15,
        "ALTER DATABASE … REFRESH COLLATION VERSION",
        "Older servers keep no version of the database's collation.",
        |all, at| all.words(at, &["REFRESH", "COLLATION", "VERSION"]).filter(|_| all.begins(&["ALTER", "DATABASE"])),
    ),
    form("REINDEX", 16, "REINDEX DATABASE without a name", "Name the database.", |all, at| {
        let kind = (1..all.0.len().min(8)).find(|next| all.is_any(*next, &["DATABASE", "SYSTEM"]))?;
        let last = if all.is(kind + 1, "CONCURRENTLY") { kind + 2 } else { kind + 1 };
        (at == 0 && *all.token(last) == Token::EOF).then_some(last)
    }),
    form("REJECT_LIMIT", 18, "COPY's option REJECT_LIMIT", OPTION, copy_option),
    form("RETURNING", 17, "MERGE … RETURNING", "Read the rows by a query of their own.", |all, at| {
        (all.begins(&["MERGE"]) && all.depth(at) == 0).then_some(at + 1)
    }),
    form(
        "RETURNING",
        18,
        OLD_AND_NEW,
        "Older servers return the new row of INSERT and UPDATE and the old one of DELETE: read the other before, or in a WITH query.",
        |all, at| {
            let named = |next: usize| all.is_any(next, &["OLD", "NEW"]);
            if all.is(at + 1, "WITH") && *all.token(at + 2) == Token::LParen && all.is_any(at + 3, &["OLD", "NEW"]) {
                return Some(at + 2);
            }
            // Another table may have the name; in a rule both mean its rows.
            if all.begins(&["CREATE", "RULE"]) {
                return None;
            }
            let alias = (0..at).any(named);
            let rows = (at + 1..all.0.len()).find(|next| named(*next) && *all.token(*next + 1) == Token::Period);
            rows.filter(|_| !alias).map(|row| row + 1)
        },
    ),
    form(
        "RULES",
        16,
        "collations with rules",
        "Use a locale that has the order, or sort by an expression.",
        |all, at| (all.begins(&["CREATE", "COLLATION"]) && *all.token(at + 1) == Token::Eq).then_some(at + 1),
    ),
    form("RUN_AS_OWNER", 16, "run_as_owner", OPTION, option_of_subscription),
];

static S: &[Wanted] = &[
    form(
        "SECURITY_INVOKER",
        15,
        "security_invoker",
        "Older servers read a view's tables as its owner: give the view an owner that row security applies to, or use a function.",
        |all, at| {
            (all.begins(&["CREATE", "VIEW"])
                || all.begins(&["ALTER", "VIEW"])
                || all.begins(&["CREATE", "RECURSIVE", "VIEW"]))
            .then(|| all.opening(at))
            .flatten()
            .map(|_| at + 1)
        },
    ),
    form("SERIALIZE", 17, "EXPLAIN (SERIALIZE)", OPTION, explain_option),
    form(
        "SET",
        15,
        "ON DELETE SET NULL or SET DEFAULT of some columns",
        "Older servers set every column of the key: use a trigger.",
        |all, at| {
            let deletes = all.follows(at, "DELETE") || all.follows(at, "UPDATE");
            let list = all.is_any(at + 1, &["NULL", "DEFAULT"]) && *all.token(at + 2) == Token::LParen;
            (deletes && list && all.defines_table()).then(|| all.closing(at + 2)).flatten().map(|close| close + 1)
        },
    ),
    form("SET", 15, "SET ACCESS METHOD", "Make a new table with the access method, and copy the rows.", |all, at| {
        all.words(at, &["SET", "ACCESS", "METHOD"]).filter(|end| !all.is(*end, "DEFAULT"))
    }),
    form("SET", 17, "SET ACCESS METHOD DEFAULT", "Name the access method.", |all, at| {
        all.words(at, &["SET", "ACCESS", "METHOD", "DEFAULT"])
    }),
    form("SET", 15, "unlogged sequences", "Leave the sequence logged.", |all, at| {
        (all.begins(&["ALTER", "SEQUENCE"]) && all.is_any(at + 1, &["LOGGED", "UNLOGGED"])).then_some(at + 2)
    }),
    form("SET", 16, "GRANT … WITH SET", "Older servers let every member set the role.", membership_option),
    form("SET", 16, "SET STORAGE DEFAULT", "Name the type's own storage.", |all, at| {
        all.words(at, &["SET", "STORAGE", "DEFAULT"])
    }),
    form("SET", 17, "SET EXPRESSION", "Drop the generated column and add it anew in one ALTER TABLE.", |all, at| {
        all.words(at, &["SET", "EXPRESSION"]).filter(|end| all.is(*end, "AS") && all.defines_table())
    }),
    form("SET", 17, "SET STATISTICS DEFAULT", "Write SET STATISTICS -1.", |all, at| {
        all.words(at, &["SET", "STATISTICS", "DEFAULT"])
    }),
    form("SKIP", 15, "ALTER SUBSCRIPTION … SKIP", "Use pg_replication_origin_advance.", |all, at| {
        all.begins(&["ALTER", "SUBSCRIPTION"]).then_some(at + 1)
    }),
    form("SKIP_DATABASE_STATS", 16, "SKIP_DATABASE_STATS", OPTION, vacuum_option),
    form("STATISTICS", 16, "CREATE STATISTICS without a name", "Name the statistics object.", |all, at| {
        (at == 1 && all.is(0, "CREATE") && (all.is(2, "ON") || *all.token(2) == Token::LParen)).then_some(2)
    }),
    form("STORAGE", 16, "STORAGE of a new column", "Set it afterwards: ALTER COLUMN … SET STORAGE.", |all, at| {
        let of_column = matches!(all.before(at, 1), Token::Word(_) | Token::RParen | Token::RBracket)
            && at > 0
            && !all.is_any(at - 1, &["SET", "INCLUDING", "EXCLUDING", "ADD", "COLUMN", "EXISTS", "ALTER", "DROP"]);
        let kind = all.is_any(at + 1, &["PLAIN", "EXTERNAL", "EXTENDED", "MAIN", "DEFAULT"]);
        (of_column && kind && all.defines_table()).then_some(at + 2)
    }),
    form("STRATEGY", 15, "STRATEGY", OPTION, option_of_database),
];

static T_TO_W: &[Wanted] = &[
    form("TABLES", 15, "publications of a schema's tables", "Name the tables.", |all, at| {
        let of_publication = at > 1 && all.is(1, "PUBLICATION") && all.is_any(0, &["CREATE", "ALTER"]);
        of_publication.then(|| all.words(at, &["TABLES", "IN", "SCHEMA"])).flatten()
    }),
    form("TWO_PHASE", 15, "two_phase", OPTION, option_of_subscription),
    form("UNLOGGED", 15, "unlogged sequences", "Leave the sequence logged.", |all, at| {
        (at == 1 && all.is(0, "CREATE")).then(|| all.words(at, &["UNLOGGED", "SEQUENCE"])).flatten()
    }),
    form(
        "VACUUM",
        18,
        "VACUUM ONLY",
        "Older servers never go on to the children of a table: leave ONLY out.",
        |all, at| (at == 0).then(|| (1..all.0.len()).find(|next| all.is(*next, "ONLY"))).flatten().map(|only| only + 1),
    ),
    form("WITHOUT", 18, "WITHOUT OVERLAPS", "Use EXCLUDE USING gist (… WITH =, period WITH &&).", |all, at| {
        all.words(at, &["WITHOUT", "OVERLAPS"])
    }),
];

/// 15 refuses what follows a number without a space; older servers take it for a name, and some run.
pub(super) static BASED_NUMBER: Form = Form {
    since: 16,
    refused_from: 15,
    name: "a number with underscores or in another base",
    before: "Write the number in plain digits.",
};

/// `1and`, `2years`.
pub(super) static JOINED_NUMBER: Form = Form {
    since: Form::NEVER,
    refused_from: 15,
    name: "a word right after a number",
    before: "Put a space between them.",
};

fn copy_option(all: &Tokens, at: usize) -> Option<usize> {
    let of_copy =
        all.begins(&["COPY"]) && all.depth(at) == 1 && matches!(all.before(at, 1), Token::LParen | Token::Comma);
    // COPY t (columns) FROM … (options)
    let behind = (0..at).any(|before| all.is_any(before, &["FROM", "TO"]));
    (of_copy && behind).then_some(at + 1)
}

/// WITH INHERIT TRUE, SET FALSE, ADMIN OPTION …; INHERIT OPTION FOR.
fn membership_option(all: &Tokens, at: usize) -> Option<usize> {
    let granted = all.begins(&["GRANT"]) && all.is_any(at + 1, &["TRUE", "FALSE"]);
    let optional = !all.is(at, "ADMIN") && all.is(at + 1, "OPTION");
    let listed = all.begins(&["GRANT"]) && all.follows(at, "WITH") && optional;
    let revoked = all.begins(&["REVOKE"]) && at == 1 && optional && all.is(at + 2, "FOR");
    (granted || listed || revoked).then_some(at + 2)
}

fn option_of_database(all: &Tokens, at: usize) -> Option<usize> {
    (all.begins(&["CREATE", "DATABASE"]) && at > 2).then_some(at + 1)
}

fn option_of_subscription(all: &Tokens, at: usize) -> Option<usize> {
    let of_subscription = all.begins(&["CREATE", "SUBSCRIPTION"]) || all.begins(&["ALTER", "SUBSCRIPTION"]);
    (of_subscription && all.depth(at) == 1).then_some(at + 1)
}

fn vacuum_option(all: &Tokens, at: usize) -> Option<usize> {
    (all.begins(&["VACUUM"]) || all.begins(&["ANALYZE"])).then(|| first_option(all, at)).flatten()
}

fn explain_option(all: &Tokens, at: usize) -> Option<usize> {
    all.begins(&["EXPLAIN"]).then(|| first_option(all, at)).flatten()
}

fn publication_option(all: &Tokens, at: usize) -> Option<usize> {
    let of_publication = all.is(1, "PUBLICATION") && all.depth(at) == 1;
    (of_publication && *all.token(at + 1) == Token::Eq).then_some(at + 1)
}

/// An option in the parentheses behind the first word.
fn first_option(all: &Tokens, at: usize) -> Option<usize> {
    let listed = matches!(all.before(at, 1), Token::LParen | Token::Comma);
    (listed && all.depth(at) == 1 && all.opening(at) == Some(1)).then_some(at + 1)
}
