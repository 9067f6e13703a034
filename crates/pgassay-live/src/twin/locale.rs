//! Making the twin's database with the locale of the real one, or the nearest that the machine has.
//!
//! The locale decides about the order of texts in histograms, and whether a plain index serves LIKE 'abc%'.

use super::TwinError;
use super::build::Gap;
use crate::db::server_message;
use crate::facts::planner::Locale;
use crate::shadow::{Server, Session};

pub(super) const DATABASE: &str = "twin";

/// Creates the database. Returns a gap where the locale is another.
pub(super) async fn create_database(server: &Server, locale: &Locale) -> Result<Option<Gap>, TwinError> {
    let session = server.connect("postgres").await?;
    let result = create(&session, server.installation().major(), locale).await;
    session.close().await;
    result
}

async fn create(session: &Session, major: u16, locale: &Locale) -> Result<Option<Gap>, TwinError> {
    let text = crate::text::quoting::literal;
    let encoding = if locale.encoding.is_empty() { "UTF8" } else { &locale.encoding };
    let start = format!("CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING {}", text(encoding));
    let libc = format!("LC_COLLATE {} LC_CTYPE {}", text(&locale.collate), text(&locale.ctype));
    let named = |name: &str| locale.locale.as_deref().map(|it| format!("{name} {}", text(it))).unwrap_or_default();
    let exact = match locale.provider.as_str() {
        "i" if major >= 15 => format!("LOCALE_PROVIDER icu {} {libc}", named("ICU_LOCALE")),
        "b" if major >= 17 => format!("LOCALE_PROVIDER builtin {} {libc}", named("BUILTIN_LOCALE")),
        _ if major >= 15 => format!("LOCALE_PROVIDER libc {libc}"),
        _ => libc,
    };
    let mut wanted = vec![exact];
    if locale.provider == "i" && major >= 15 {
        wanted.push(format!("LOCALE_PROVIDER icu {} LOCALE 'C'", named("ICU_LOCALE")));
    }
    if locale.provider == "b" && major >= 17 {
        wanted.push(format!("LOCALE_PROVIDER builtin {} LOCALE 'C'", named("BUILTIN_LOCALE")));
    }
    for attempt in &wanted {
        if session.batch_execute(&format!("{start} {attempt}")).await.is_ok() {
            return Ok(None);
        }
    }
    // Any locale but C keeps LIKE from using plain indexes, as the database's own does.
    let provider = if major >= 15 { "LOCALE_PROVIDER libc " } else { "" };
    let near = format!("CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' {provider}LOCALE 'C.UTF-8'");
    if session.batch_execute(&near).await.is_err() {
        let plain = format!("CREATE DATABASE {DATABASE} TEMPLATE template0");
        session.batch_execute(&plain).await.map_err(|error| refused("its database", &error))?;
    }
    Ok(Some(Gap {
        what: format!("the locale {}", locale.locale.as_deref().unwrap_or(&locale.collate)),
        reason: "this machine's server does not have it: texts sort by code point, so ranges of texts may be estimated otherwise".to_owned(),
    }))
}

pub(super) fn refused(part: &str, error: &tokio_postgres::Error) -> TwinError {
    let (code, message) = server_message(error);
    TwinError::Refused { part: part.to_owned(), code, message }
}
