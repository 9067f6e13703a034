//! Rewrites constructs of PostgreSQL that sqlparser does not know into ones that it reads.

use sqlparser::tokenizer::TokenWithSpan;

pub(super) fn repair(_tokens: Vec<TokenWithSpan>, _text: &str) -> Option<Vec<TokenWithSpan>> {
    None
}
