//! Key words that cannot be every kind of name (manual, appendix "SQL Key Words"; PostgreSQL 18's list).

/// The words that a query begins with.
pub(in crate::sql) const QUERY: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE"];

/// Whether an unquoted word may name a column or a table: unreserved words, and those that only functions and types may not use.
pub fn can_name_column(word: &str) -> bool {
    !contains(RESERVED, word) && !contains(TYPE_OR_FUNCTION, word)
}

/// Whether an unquoted word may name a function.
pub(in crate::sql) fn can_name_function(word: &str) -> bool {
    !contains(RESERVED, word)
}

/// Whether an unquoted word may name what is selected without AS before it.
pub(super) fn can_be_bare_label(word: &str) -> bool {
    !contains(AS_LABEL, word)
}

fn contains(list: &[&str], word: &str) -> bool {
    // The longest key word has 17 letters.
    word.len() <= 17 && list.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast", "check", "collate",
    "column", "constraint", "create", "current_catalog", "current_date", "current_role", "current_time", "current_timestamp",
    "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "false", "fetch", "for",
    "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into", "lateral", "leading", "limit",
    "localtime", "localtimestamp", "not", "null", "offset", "on", "only", "or", "order", "placing", "primary", "references",
    "returning", "select", "session_user", "some", "symmetric", "system_user", "table", "then", "to", "trailing", "true",
    "union", "unique", "user", "using", "variadic", "when", "where", "window", "with",
];

#[rustfmt::skip]
const TYPE_OR_FUNCTION: &[&str] = &[
    "authorization", "binary", "collation", "concurrently", "cross", "current_schema", "freeze", "full", "ilike", "inner",
    "is", "isnull", "join", "left", "like", "natural", "notnull", "outer", "overlaps", "right", "similar", "tablesample",
    "verbose",
];

#[rustfmt::skip]
const AS_LABEL: &[&str] = &[
    "array", "as", "char", "character", "create", "day", "except", "fetch", "filter", "for", "from", "grant", "group", "having",
    "hour", "intersect", "into", "isnull", "limit", "minute", "month", "notnull", "offset", "on", "order", "over", "overlaps",
    "precision", "returning", "second", "to", "union", "varying", "where", "window", "with", "within", "without", "year",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(RESERVED.is_sorted() && TYPE_OR_FUNCTION.is_sorted() && AS_LABEL.is_sorted());
        assert!(can_name_column("Values") && !can_name_column("USER") && !can_name_column("left"));
        assert!(can_name_function("left") && !can_name_function("user"));
    }
}
