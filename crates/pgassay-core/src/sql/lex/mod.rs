//! Text to tokens: statements split at semicolons, tokens with their places, words that are keywords, literals.

pub(super) mod dialect;
pub(super) mod keyword;
pub(super) mod lexis;
pub(super) mod literal;
pub(super) mod normal;
pub(super) mod split;
pub(super) mod token;
