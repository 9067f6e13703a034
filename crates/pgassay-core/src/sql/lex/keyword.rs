//! Key words that cannot be every kind of name (manual, appendix "SQL Key Words"; PostgreSQL 18's list).

use std::sync::LazyLock;

use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword};
use sqlparser::tokenizer::{Token, Word};

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
    let lower = word.bytes().map(|letter| letter.to_ascii_lowercase());
    // The longest key word has 17 letters.
    word.len() <= 17 && list.binary_search_by(|probe| probe.bytes().cmp(lower.clone())).is_ok()
}

/// An unquoted word as sqlparser has it. Every word of every file is looked up among its key words: by the first letter first.
pub(super) fn word(raw: &str) -> Token {
    let upper = raw.bytes().map(|letter| letter.to_ascii_uppercase());
    let starts =
        upper.clone().next().map(|letter| KEYWORDS_FROM[usize::from(letter)]..KEYWORDS_FROM[usize::from(letter) + 1]);
    let starts = starts.unwrap_or_default();
    let found = ALL_KEYWORDS[starts.clone()].binary_search_by(|probe| probe.bytes().cmp(upper.clone()));
    let keyword = found.map_or(Keyword::NoKeyword, |at| ALL_KEYWORDS_INDEX[starts.start + at]);
    Token::Word(Word { value: raw.to_owned(), quote_style: None, keyword })
}

/// Where the key words that begin with each byte, or a later one, begin.
static KEYWORDS_FROM: LazyLock<[usize; 257]> = LazyLock::new(|| {
    std::array::from_fn(|letter| ALL_KEYWORDS.partition_point(|word| usize::from(word.as_bytes()[0]) < letter))
});

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

    #[test]
    fn words_are_looked_up_as_sqlparser_looks_them_up() {
        let lower: Vec<String> = ALL_KEYWORDS.iter().map(|word| word.to_ascii_lowercase()).collect();
        let parts = ALL_KEYWORDS.iter().map(|word| &word[..word.len() - 1]);
        let others = ["", "_", "z9", "ſelect", "SELECT1", "sélect", "größe", "\u{1F600}"];
        for raw in ALL_KEYWORDS.iter().copied().chain(lower.iter().map(String::as_str)).chain(parts).chain(others) {
            assert_eq!(word(raw), Token::make_word(raw, None), "{raw}");
        }
    }
}
