//! Names of collations that a server may bring.

/// pg_collation's own rows, and the aliases of locales that `locale -a` may list (locale.alias of the GNU C library):
/// initdb imports those too (`pg_import_system_collations`).
const COLLATIONS: &[&str] = &[
    "C",
    "POSIX",
    "default",
    "unicode",
    "ucs_basic",
    "pg_c_utf8",
    "pg_unicode_fast",
    "bokmal",
    "catalan",
    "croatian",
    "czech",
    "danish",
    "dansk",
    "deutsch",
    "dutch",
    "eesti",
    "estonian",
    "finnish",
    "french",
    "galego",
    "galician",
    "german",
    "greek",
    "hebrew",
    "hrvatski",
    "hungarian",
    "icelandic",
    "italian",
    "japanese",
    "korean",
    "lithuanian",
    "norwegian",
    "nynorsk",
    "polish",
    "portuguese",
    "romanian",
    "russian",
    "slovak",
    "slovene",
    "slovenian",
    "spanish",
    "swedish",
    "thai",
    "turkish",
];

/// Whether the server may bring a collation of that name: `C`, `de-x-icu`, `de_DE.utf8`, `german`.
pub fn may_be_locale(name: &str) -> bool {
    let of_country = |(language, country): (&str, &str)| {
        matches!(language.len(), 2 | 3)
            && country.len() >= 2
            && country.bytes().take(2).all(|it| it.is_ascii_uppercase())
    };
    COLLATIONS.contains(&name) || name.contains(['-', '.', '@']) || name.split_once('_').is_some_and(of_country)
}
