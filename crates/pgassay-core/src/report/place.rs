//! Names of files as a code host knows them: relative to the root of the repository, with `/` between the parts.
//!
//! Text and JSON show a file as the user named it. The formats that a code host reads cannot: `../migrations/1.sql` or
//! `/builds/shop/migrations/1.sql` would match no file of the change.

/// Where a run happens; both are absolute. Without them, names stay as they are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    pub working_directory: Option<String>,
    /// The repository's root.
    pub root: Option<String>,
}

impl Paths {
    /// The name relative to the root; one outside of the root stays absolute, and the name of no file (`<stdin>`) as it is.
    pub fn relative(&self, name: &str) -> String {
        let (Some(working_directory), Some(root)) = (&self.working_directory, &self.root) else {
            return name.strip_prefix("./").unwrap_or(name).to_owned();
        };
        if !is_file(name) {
            return name.to_owned();
        }
        let absolute = if name.starts_with('/') { name.to_owned() } else { format!("{working_directory}/{name}") };
        let (parts, root) = (parts(&absolute), parts(root));
        match parts.strip_prefix(root.as_slice()) {
            Some(inside) => inside.join("/"),
            None => format!("/{}", parts.join("/")),
        }
    }
}

/// Whether a name is that of a file; standard input and commands are shown in angle brackets.
pub(super) fn is_file(name: &str) -> bool {
    !(name.starts_with('<') && name.ends_with('>'))
}

/// The parts of an absolute path, without `.` and `..`.
fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// A path as a URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded.
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_root() {
        let paths = Paths { working_directory: Some("/builds/shop/api".into()), root: Some("/builds/shop".into()) };
        assert_eq!(paths.relative("db/1.sql"), "api/db/1.sql");
        assert_eq!(paths.relative("./db/1.sql"), "api/db/1.sql");
        assert_eq!(paths.relative("../db/1.sql"), "db/1.sql");
        assert_eq!(paths.relative("/builds/shop/db/1.sql"), "db/1.sql");
        assert_eq!(paths.relative("/builds/shopping/1.sql"), "/builds/shopping/1.sql");
        assert_eq!(paths.relative("<stdin>"), "<stdin>");
        assert_eq!(Paths::default().relative("./db/1.sql"), "db/1.sql");
    }

    #[test]
    fn uris_hold_no_reserved_characters() {
        assert_eq!(uri("a b/ü\n\"%1:2.sql"), "a%20b/%C3%BC%0A%22%251%3A2.sql");
    }
}
