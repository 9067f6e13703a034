//! What a session carries besides the schema: settings that change what statements mean or do.

use std::sync::Arc;

use imbl::OrdMap;

use super::Schema;
use crate::change::{Change, Name, Reset, Set};

/// Settings in force for the statement at hand. Which of them a ROLLBACK or the end of a transaction undoes is for
/// `history` to follow.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Schemas in order; `"$user"` is the role where one is set, and left out elsewhere. `pg_catalog` is in it only where it was written: elsewhere it is searched first.
    /// Temporary objects are kept under the schema name `pg_temp`, which is looked up first unless it was written.
    pub search_path: Vec<Name>,
    /// In milliseconds; `None` and 0 both wait for ever.
    pub lock_timeout: Option<u64>,
    /// In milliseconds; `None` and 0 both are no limit.
    pub statement_timeout: Option<u64>,
    /// TimeZone when a migration sets it; the server's own otherwise.
    pub time_zone: Option<Arc<str>>,
    /// check_function_bodies.
    pub check_function_bodies: bool,
    /// default_tablespace, default_table_access_method when set.
    pub default_tablespace: Option<Name>,
    pub default_access_method: Option<Name>,
    /// session_replication_role = replica: triggers and foreign keys do not fire.
    pub replica_role: bool,
    pub role: Option<Name>,
    /// The search_path as it was set, with `"$user"`.
    written_path: Vec<Name>,
    /// What PREPARE keeps until DEALLOCATE.
    pub prepared: OrdMap<Name, Arc<Change>>,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            search_path: vec![Name::from("pg_temp"), Name::from("public")],
            lock_timeout: None,
            statement_timeout: None,
            time_zone: None,
            check_function_bodies: true,
            default_tablespace: None,
            default_access_method: None,
            replica_role: false,
            role: None,
            written_path: vec![Name::from("pg_temp"), Name::from("$user"), Name::from("public")],
            prepared: OrdMap::new(),
        }
    }
}

impl Session {
    /// SET, with the values as PostgreSQL reads them; a value it would refuse changes nothing.
    pub fn set(&mut self, set: &Set) {
        self.set_to(&set.parameter, &set.values);
    }

    fn set_to(&mut self, parameter: &str, values: &[Arc<str>]) {
        let Some(first) = values.first() else { return self.reset_parameter(parameter, &Session::default()) };
        let name = || Some(Name::new(first)).filter(|_| !first.is_empty());
        match parameter {
            "search_path" => self.set_path(search_path(values)),
            "lock_timeout" => self.lock_timeout = milliseconds(first).or(self.lock_timeout),
            "statement_timeout" => self.statement_timeout = milliseconds(first).or(self.statement_timeout),
            "timezone" => self.time_zone = Some(first.clone()),
            "check_function_bodies" => {
                self.check_function_bodies = boolean(first).unwrap_or(self.check_function_bodies)
            }
            "default_tablespace" => self.default_tablespace = name(),
            "default_table_access_method" => self.default_access_method = name(),
            "session_replication_role" => self.replica_role = first.eq_ignore_ascii_case("replica"),
            "role" => self.set_role(name().filter(|role| *role != "none")),
            "session_authorization" => self.set_role(name().filter(|role| *role != "default")),
            _ => {}
        }
    }

    /// A session as it begins: with what ALTER DATABASE and ALTER ROLE … SET gave it, and all else as the server has it.
    pub fn started(schema: &Schema) -> Session {
        let mut session = Session::default();
        for (parameter, value) in schema.session_settings.iter() {
            session.set_to(parameter, std::slice::from_ref(value));
        }
        session
    }

    /// The session with this search_path.
    pub fn with_path(mut self, path: Vec<Name>) -> Session {
        if path != self.search_path {
            self.set_path(path);
        }
        self
    }

    /// The session with a schema that is searched before the others.
    pub fn with_first(self, schema: &Name) -> Session {
        let mut path = self.written_path.clone();
        path.retain(|other| other != schema);
        let behind_temporary = usize::from(path.first().is_some_and(|first| *first == "pg_temp"));
        path.insert(behind_temporary, schema.clone());
        self.with_path(path)
    }

    fn set_path(&mut self, path: Vec<Name>) {
        self.written_path = path;
        self.follow_role();
    }

    fn set_role(&mut self, role: Option<Name>) {
        self.role = role;
        self.follow_role();
    }

    fn follow_role(&mut self) {
        let meant = |name: &Name| if *name == "$user" { self.role.clone() } else { Some(name.clone()) };
        self.search_path = self.written_path.iter().filter_map(meant).collect();
    }

    /// RESET, RESET ALL and DISCARD ALL: what the session started with.
    pub fn reset(&mut self, reset: &Reset, defaults: &Session) {
        match &reset.parameter {
            Some(parameter) => self.reset_parameter(parameter, defaults),
            // RESET ALL leaves the role and what is prepared alone; DISCARD ALL does not.
            None if reset.discard_all => *self = defaults.clone(),
            None => {
                *self = Session { role: self.role.clone(), prepared: self.prepared.clone(), ..defaults.clone() };
                self.follow_role();
            }
        }
    }

    /// Follows PREPARE and DEALLOCATE, which no ROLLBACK undoes; other changes are left alone.
    pub fn prepare(&mut self, change: &Change) {
        match change {
            Change::Prepare { name, change } => {
                drop(self.prepared.insert(name.name.clone(), Arc::new((**change).clone())))
            }
            Change::Deallocate(Some(name)) => drop(self.prepared.remove(&name.name)),
            Change::Deallocate(None) => self.prepared.clear(),
            _ => {}
        }
    }

    /// Whether pg_catalog is searched before every schema of the search_path: it is not written there.
    pub fn catalog_is_first(&self) -> bool {
        !self.search_path.iter().any(|schema| *schema == "pg_catalog")
    }

    fn reset_parameter(&mut self, parameter: &str, defaults: &Session) {
        match parameter {
            "search_path" => self.set_path(defaults.written_path.clone()),
            "lock_timeout" => self.lock_timeout = defaults.lock_timeout,
            "statement_timeout" => self.statement_timeout = defaults.statement_timeout,
            "timezone" => self.time_zone = defaults.time_zone.clone(),
            "check_function_bodies" => self.check_function_bodies = defaults.check_function_bodies,
            "default_tablespace" => self.default_tablespace = defaults.default_tablespace.clone(),
            "default_table_access_method" => self.default_access_method = defaults.default_access_method.clone(),
            "session_replication_role" => self.replica_role = defaults.replica_role,
            "role" | "session_authorization" => self.set_role(defaults.role.clone()),
            _ => {}
        }
    }
}

/// Schemas in order. A single value may hold a whole list, as `SET search_path = 'a, b'` of set_config() and pg_dump does.
fn search_path(values: &[Arc<str>]) -> Vec<Name> {
    let list = match values {
        [only] if only.contains(',') || only.contains('"') => identifiers(only),
        _ => values.iter().map(|value| Name::new(value)).collect(),
    };
    let temporary = Name::from("pg_temp");
    let written = list.contains(&temporary);
    let first = (!written).then_some(temporary);
    let skipped = |name: &Name| *name == "";
    first.into_iter().chain(list.into_iter().filter(|name| !skipped(name))).collect()
}

/// A comma-separated list of identifiers in a string (`SplitIdentifierString`).
fn identifiers(text: &str) -> Vec<Name> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"').unwrap_or(quoted.len());
                (Name::new(&quoted[..end]), quoted.get(end + 1..).unwrap_or_default())
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Name::folded(rest[..end].trim()), &rest[end..])
            }
        };
        found.push(name);
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or_default().trim_start();
    }
    found
}

/// A time in milliseconds, with the units that `parse_int` (guc.c) knows: us, ms, s, min, h, d.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let factor = match text[digits..].trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    Some((number * factor).round() as u64)
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" | "t" | "y" => Some(true),
        "off" | "false" | "no" | "0" | "f" | "n" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_path_in_one_string_is_a_list() {
        let path = |values: &[&str]| -> Vec<String> {
            let values: Vec<Arc<str>> = values.iter().map(|value| Arc::from(*value)).collect();
            search_path(&values).iter().map(|name| name.as_str().to_owned()).collect()
        };
        assert_eq!(path(&["$user", "App", "public"]), ["pg_temp", "$user", "App", "public"]);
        assert_eq!(path(&["\"$user\", \"App\", Public"]), ["pg_temp", "$user", "App", "public"]);
        assert_eq!(path(&[""]), ["pg_temp"]);
        assert_eq!(path(&["public", "pg_temp"]), ["public", "pg_temp"]);
        assert_eq!(path(&["mine", "pg_catalog"]), ["pg_temp", "mine", "pg_catalog"]);
    }

    #[test]
    fn user_in_the_search_path_is_the_role() {
        let set = |session: &mut Session, parameter: &str, value: &str| {
            let span = crate::source::Span::new(crate::source::FileId(0), 0, 0);
            session.set(&Set { parameter: parameter.into(), values: vec![value.into()], local: false, span });
        };
        let mut session = Session::default();
        assert_eq!(session.search_path, ["pg_temp", "public"].map(Name::from));
        set(&mut session, "role", "app");
        assert_eq!(session.search_path, ["pg_temp", "app", "public"].map(Name::from));
        set(&mut session, "search_path", "other, \"$user\"");
        assert_eq!(session.search_path, ["pg_temp", "other", "app"].map(Name::from));
        set(&mut session, "role", "none");
        assert_eq!(session.search_path, ["pg_temp", "other"].map(Name::from));
    }

    #[test]
    fn timeouts_are_read_with_their_units() {
        assert_eq!(milliseconds("5s"), Some(5_000));
        assert_eq!(milliseconds("250"), Some(250));
        assert_eq!(milliseconds("1.5 min"), Some(90_000));
        assert_eq!(milliseconds("soon"), None);
    }
}
