//! The password file (manual, "The Password File").

use std::fs;
use std::path::PathBuf;

use super::super::DbError;
use super::parameters::{Parameters, home};

/// The password for a place, if the file has one. A file that others can read is not used, as libpq does not use it: then the
/// second value says so.
pub(super) fn password(
    parameters: &Parameters,
    host: &str,
    port: u16,
) -> Result<(Option<String>, Option<String>), DbError> {
    let named = parameters.get("passfile").map(PathBuf::from);
    let Some(path) = named.or_else(|| home().map(|home| home.join(".pgpass"))) else { return Ok((None, None)) };
    let Ok(metadata) = fs::metadata(&path) else { return Ok((None, None)) };
    if !metadata.is_file() {
        return Ok((None, Some(format!("the password file {} is not a plain file", path.display()))));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o077 != 0 {
            let problem = format!(
                "the password file {} has group or world access and is not used; permissions should be 0600 or less",
                path.display()
            );
            return Ok((None, Some(problem)));
        }
    }
    let text =
        fs::read_to_string(&path).map_err(|error| DbError::File { path: path.clone(), message: error.to_string() })?;
    // A Unix socket in the default folder, and no host at all, are called localhost there.
    let host = if host.starts_with('/') && !text.contains(host) { "localhost" } else { host };
    let wanted = [host, &port.to_string(), &parameters.database(), &parameters.user()];
    Ok((find(&text, wanted), None))
}

/// The password of the first line that matches.
fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [host, port, database, user, password] = fields.as_slice() else { return None };
        let matches = [host, port, database, user].iter().zip(wanted).all(|(field, it)| *field == "*" || *field == it);
        (matches && !password.is_empty()).then(|| password.clone())
    })
}

/// Five fields; a backslash takes the next character as it is. What stands behind the fourth colon is the password.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 5 => fields.push(String::new()),
            ':' => break,
            '\\' => {
                if let (Some(last), Some(next)) = (fields.last_mut(), characters.next()) {
                    last.push(next);
                }
            }
            other => {
                if let Some(last) = fields.last_mut() {
                    last.push(other);
                }
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_line_that_matches_counts() {
        let text = "# comment\ndb:5432:shop:ann:one\n*:*:shop:ann:t\\:w\\\\o\n*:*:*:*:three\n";
        let of = |host, user| find(text, [host, "5432", "shop", user]);
        assert_eq!(of("db", "ann").as_deref(), Some("one"));
        assert_eq!(of("other", "ann").as_deref(), Some("t:w\\o"));
        assert_eq!(of("db", "bob").as_deref(), Some("three"));
        assert_eq!(find("db:5432:shop:ann\n", ["db", "5432", "shop", "ann"]), None);
    }
}
