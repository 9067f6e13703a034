//! Connection parameters, and where those come from that the connection string leaves out.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::DbError;
use super::parse::connection_string;

/// libpq's keywords with their environment variables (manual, "Parameter Key Words" and "Environment Variables").
const KEYWORDS: &[(&str, Option<&str>)] = &[
    ("application_name", None),
    ("channel_binding", Some("PGCHANNELBINDING")),
    ("client_encoding", None),
    ("connect_timeout", Some("PGCONNECT_TIMEOUT")),
    ("dbname", Some("PGDATABASE")),
    ("fallback_application_name", None),
    ("gssencmode", None),
    ("host", Some("PGHOST")),
    ("hostaddr", Some("PGHOSTADDR")),
    ("keepalives", None),
    ("keepalives_count", None),
    ("keepalives_idle", None),
    ("keepalives_interval", None),
    ("krbsrvname", None),
    ("load_balance_hosts", Some("PGLOADBALANCEHOSTS")),
    ("options", Some("PGOPTIONS")),
    ("passfile", Some("PGPASSFILE")),
    ("password", Some("PGPASSWORD")),
    ("port", Some("PGPORT")),
    ("requirepeer", Some("PGREQUIREPEER")),
    ("require_auth", Some("PGREQUIREAUTH")),
    ("service", Some("PGSERVICE")),
    ("servicefile", Some("PGSERVICEFILE")),
    ("ssl_max_protocol_version", Some("PGSSLMAXPROTOCOLVERSION")),
    ("ssl_min_protocol_version", Some("PGSSLMINPROTOCOLVERSION")),
    ("sslcert", Some("PGSSLCERT")),
    ("sslcertmode", Some("PGSSLCERTMODE")),
    ("sslcompression", None),
    ("sslcrl", Some("PGSSLCRL")),
    ("sslcrldir", Some("PGSSLCRLDIR")),
    ("sslkey", Some("PGSSLKEY")),
    ("sslmode", Some("PGSSLMODE")),
    ("sslnegotiation", Some("PGSSLNEGOTIATION")),
    ("sslpassword", None),
    ("sslrootcert", Some("PGSSLROOTCERT")),
    ("sslsni", Some("PGSSLSNI")),
    ("target_session_attrs", Some("PGTARGETSESSIONATTRS")),
    ("tcp_user_timeout", None),
    ("user", Some("PGUSER")),
];

/// What we cannot do, and must not leave out quietly, since it makes a connection safer.
const UNSUPPORTED: &[&str] = &["requirepeer", "require_auth", "sslcrl", "sslcrldir", "sslpassword"];

pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|(keyword, _)| *keyword == word)
}

/// Where to connect to, as whom and how. Its `Debug` shows no password.
#[derive(Clone, Default)]
pub struct Parameters {
    values: BTreeMap<String, String>,
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.values.iter().filter(|(key, _)| !key.contains("password"));
        f.debug_map().entries(shown).finish()
    }
}

impl Parameters {
    /// Reads a connection string and fills what it leaves out: from the service file, from the environment, then libpq's defaults.
    /// `env:NAME` stands for the string in that environment variable, which other users of the machine cannot see.
    ///
    /// # Errors
    /// [`DbError::Parameters`] or [`DbError::File`]; the message holds no password.
    pub fn read(text: &str) -> Result<Parameters, DbError> {
        let values = match text.strip_prefix("env:") {
            Some(name) => {
                let text = env::var(name).map_err(|_| {
                    DbError::Parameters(format!("the environment variable {name} is not set, or is not UTF-8"))
                })?;
                connection_string(&text)?
            }
            None => connection_string(text)?,
        };
        let mut parameters = Parameters { values };
        parameters.add_service()?;
        for (keyword, variable) in KEYWORDS {
            let value = variable.and_then(|variable| env::var(variable).ok()).filter(|value| !value.is_empty());
            if let Some(value) = value {
                parameters.values.entry((*keyword).to_owned()).or_insert(value);
            }
        }
        if let Some(unsupported) = UNSUPPORTED.iter().find(|key| parameters.get(key).is_some()) {
            return Err(DbError::Parameters(format!("{unsupported} is set, which pgassay does not support")));
        }
        if parameters.get("gssencmode") == Some("require") {
            return Err(DbError::Parameters("gssencmode=require is set, which pgassay does not support".to_owned()));
        }
        Ok(parameters)
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The role to connect as: the operating system's user where nothing names one.
    pub fn user(&self) -> String {
        let of_system = || env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_else(|_| "postgres".to_owned());
        self.get("user").map_or_else(of_system, str::to_owned)
    }

    pub fn database(&self) -> String {
        self.get("dbname").map_or_else(|| self.user(), str::to_owned)
    }

    /// The same server and role, another database.
    pub fn with_database(&self, name: &str) -> Parameters {
        let mut other = self.clone();
        other.values.insert("dbname".to_owned(), name.to_owned());
        other
    }

    /// Values of the named service, where the string leaves them out (manual, "The Connection Service File").
    fn add_service(&mut self) -> Result<(), DbError> {
        let from_environment = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let Some(service) = self.get("service").map(str::to_owned).or_else(|| from_environment("PGSERVICE")) else {
            return Ok(());
        };
        let own = self.get("servicefile").map(str::to_owned).or_else(|| from_environment("PGSERVICEFILE"));
        let own = own.map(PathBuf::from).or_else(|| home().map(|home| home.join(".pg_service.conf")));
        let of_system = from_environment("PGSYSCONFDIR").map(|folder| Path::new(&folder).join("pg_service.conf"));
        for path in own.into_iter().chain(of_system) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if let Some(found) = read_service(&text, &service) {
                for (key, value) in found {
                    if !is_keyword(&key) {
                        let message = format!("the service {service} has an unknown key {key:?}");
                        return Err(DbError::File { path, message });
                    }
                    self.values.entry(key).or_insert(value);
                }
                return Ok(());
            }
        }
        Err(DbError::Parameters(format!("no service file defines the service {service}")))
    }
}

/// The user's folder.
pub(super) fn home() -> Option<PathBuf> {
    env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The lines of one `[service]`.
fn read_service(text: &str, service: &str) -> Option<Vec<(String, String)>> {
    let mut found = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(_) if found.is_some() => break,
            Some(name) if name.trim() == service => found = Some(Vec::new()),
            Some(_) => {}
            None => {
                if let (Some(found), Some((key, value))) = (&mut found, line.split_once('=')) {
                    found.push((key.trim().to_owned(), value.trim().to_owned()));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_read_up_to_the_next() {
        let text = "# ours\n[a]\nhost=x\n[b]\nhost = y\nport=1\n[c]\nport=2\n";
        let found = read_service(text, "b").unwrap();
        assert_eq!(found, [("host".to_owned(), "y".to_owned()), ("port".to_owned(), "1".to_owned())]);
        assert!(read_service(text, "d").is_none());
    }

    #[test]
    fn debug_shows_no_password() {
        let parameters = Parameters { values: connection_string("host=h password=secret").unwrap() };
        assert!(!format!("{parameters:?}").contains("secret"));
    }
}
