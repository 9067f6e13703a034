//! Connection strings: URLs and lists of key=value (manual, "Connection Strings").

use std::collections::BTreeMap;

use super::super::DbError;
use super::parameters::is_keyword;

/// Parameters of URLs that other programs understand and that say nothing about the connection itself.
const FOREIGN: &[&str] = &[
    "connection_limit",
    "currentSchema",
    "pgbouncer",
    "pool",
    "pool_max_conns",
    "pool_timeout",
    "prepareThreshold",
    "schema",
    "socket_timeout",
    "statement_cache_size",
];

fn wrong(message: impl Into<String>) -> DbError {
    DbError::Parameters(format!("the connection string is wrong: {}", message.into()))
}

/// Reads a connection string. What is neither URL nor key=value is the name of a database, as for psql.
pub(super) fn connection_string(text: &str) -> Result<BTreeMap<String, String>, DbError> {
    let text = text.trim();
    if let Some((scheme, rest)) = text.split_once("://") {
        // SQLAlchemy and others name the driver: postgresql+psycopg.
        let scheme = scheme.split('+').next().unwrap_or_default();
        return match scheme {
            "postgres" | "postgresql" => url(rest),
            "jdbc:postgresql" => url(rest),
            _ => Err(wrong("it is no URL of PostgreSQL: postgresql://user@host:port/database")),
        };
    }
    if text.contains('=') {
        return key_values(text);
    }
    // With a slash or the scheme missing it would be shown as the name of a database, password and all.
    if text.contains('@') || text.contains(":/") {
        return Err(wrong(
            "it looks like a URL, and does not begin with postgresql://; such a database is named by dbname=…",
        ));
    }
    let mut found = BTreeMap::new();
    if !text.is_empty() {
        found.insert("dbname".to_owned(), text.to_owned());
    }
    Ok(found)
}

/// What stands behind `postgresql://`.
fn url(rest: &str) -> Result<BTreeMap<String, String>, DbError> {
    let mut found = BTreeMap::new();
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A Unix socket's folder in the place of the host is percent-encoded, so that the first slash starts the path.
    let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
    // The rest of a password that was not encoded would be taken for host, port or database, and shown.
    if !authority.contains('@') && path.contains('@') {
        return Err(wrong("there is an @ after the first slash; in a password / is written %2F, and @ %40"));
    }
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (Some(user), hosts),
        None => (None, authority),
    };
    if let Some(user) = user {
        let (name, password) = user.split_once(':').map_or((user, None), |(name, password)| (name, Some(password)));
        put(&mut found, "user", decode(name)?);
        if let Some(password) = password {
            put(&mut found, "password", decode(password)?);
        }
    }
    let places: Vec<(String, String)> = hosts.split(',').map(host_and_port).collect::<Result<_, _>>()?;
    let joined = |pick: fn(&(String, String)) -> &str| places.iter().map(pick).collect::<Vec<_>>().join(",");
    if places.iter().any(|(host, _)| !host.is_empty()) {
        put(&mut found, "host", joined(|(host, _)| host));
    }
    if places.iter().any(|(_, port)| !port.is_empty()) {
        put(&mut found, "port", joined(|(_, port)| port));
    }
    put(&mut found, "dbname", decode(path)?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| wrong("a parameter after ? has no value"))?;
        let key = decode(key)?;
        match key.as_str() {
            // JDBC's way to ask for TLS.
            "ssl" if value == "true" => put(&mut found, "sslmode", "require".to_owned()),
            key if FOREIGN.contains(&key) => {}
            key if is_keyword(key) => put(&mut found, key, decode(value)?),
            key => return Err(wrong(format!("it has an unknown parameter {key:?}"))),
        }
    }
    Ok(found)
}

/// An empty value is no value.
fn put(found: &mut BTreeMap<String, String>, key: &str, value: String) {
    if !value.is_empty() {
        found.insert(key.to_owned(), value);
    }
}

fn host_and_port(text: &str) -> Result<(String, String), DbError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(inside) => {
            let (host, behind) = inside.split_once(']').ok_or_else(|| wrong("an IPv6 address has no closing ]"))?;
            (host, behind.strip_prefix(':').unwrap_or_default())
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    // What stands there may be a password with a / or ? in it.
    if !port.is_empty() && port.parse::<u16>().is_err() {
        return Err(wrong("a port is no number; in a password / is written %2F, ? %3F, and @ %40"));
    }
    Ok((decode(host)?, port.to_owned()))
}

/// Percent-decoding; the error does not repeat the text, which may be a password.
fn decode(text: &str) -> Result<String, DbError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = behind;
            continue;
        }
        let digit = |at: usize| behind.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) if high * 16 + low != 0 => bytes.push((high * 16 + low) as u8),
            _ => return Err(wrong("a % is not followed by two hexadecimal digits; in a password write %25")),
        }
        rest = &behind[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))
}

/// `host=localhost dbname='my shop'`.
fn key_values(text: &str) -> Result<BTreeMap<String, String>, DbError> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, behind) = rest.split_once('=').ok_or_else(|| wrong("a key has no = after it"))?;
        let key = key.trim();
        if !is_keyword(key) {
            // A password with a space in it, without quotes, ends up here: it is not repeated.
            return Err(wrong("it has an unknown key; values with spaces need quotes"));
        }
        let (value, behind) = value(behind.trim_start())?;
        put(&mut found, key, value);
        rest = behind.trim_start();
    }
    Ok(found)
}

/// A value, quoted or up to the next space; a backslash takes the next character as it is.
fn value(text: &str) -> Result<(String, &str), DbError> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            space if space.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            other => value.push(other),
        }
    }
    if quoted { Err(wrong("a quoted value has no end")) } else { Ok((value, "")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match connection_string(text) {
            Ok(found) => found.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn urls() {
        assert_eq!(read("postgresql://"), "");
        assert_eq!(
            read("postgres://ann:p%40ss@db:6432/shop?sslmode=require"),
            "dbname=shop host=db password=p@ss port=6432 sslmode=require user=ann"
        );
        assert_eq!(read("postgresql://a,b:5433/x"), "dbname=x host=a,b port=,5433");
        assert_eq!(read("postgresql://[::1]:5433/x"), "dbname=x host=::1 port=5433");
        assert_eq!(read("postgresql://%2Fvar%2Frun/x"), "dbname=x host=/var/run");
        assert_eq!(read("postgresql:///x?host=/var/run&schema=public"), "dbname=x host=/var/run");
        assert_eq!(read("postgresql+asyncpg://u@h/x"), "dbname=x host=h user=u");
    }

    #[test]
    fn key_value_lists() {
        assert_eq!(
            read("host=localhost dbname='my \\'shop' password=a\\ b"),
            "dbname=my 'shop host=localhost password=a b"
        );
        assert_eq!(read("host = h  port=''"), "host=h");
        assert_eq!(read("shop"), "dbname=shop");
    }

    #[test]
    fn mistakes_never_repeat_a_password() {
        for wrong in
            ["postgres://u:se%zzcret@h/x", "password=my secret host=x", "mysql://u:secret@h/x", "password='secret"]
        {
            let message = connection_string(wrong).unwrap_err().to_string();
            assert!(!message.contains("secret") && !message.contains("se%"), "{message}");
        }
    }
}
