//! Text to tokens by PostgreSQL's lexical rules: statements split at semicolons, tokens with their places, words that are keywords, literals.

mod copy_data;
pub(super) mod cutter;
pub(super) mod dialect;
pub(super) mod keyword;
pub(super) mod lexer;
pub(super) mod literal;
pub(super) mod normal;
mod own_grammar;
mod psql;
mod special;
pub(super) mod split;
mod string_setting;
pub(super) mod token;
