//! Values as SQL writes them.

/// A string constant, for a server with `standard_conforming_strings`, which has been the default since 9.1.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
