//! Text for people: one line of it, numbers in it, words of names, tables, Markdown; and constants in SQL.
//!
//! Knows nothing of findings, plans or schemas.

pub mod layout;
pub mod markdown;
pub mod numbers;
pub mod page;
pub mod plain;
pub mod quoting;
pub mod secrets;
pub mod word_lists;
pub mod words;
