//! The version in the name of an image.

/// The names of images that are a PostgreSQL server whose tag begins with the server's version.
const SERVERS: [&str; 9] = [
    "postgres",
    "postgresql",
    "postgis",
    "supabase/postgres",
    "cimg/postgres",
    "circleci/postgres",
    "cloudnative-pg/postgresql",
    "pgautoupgrade",
    "pgrouting",
];

/// Those whose tag has the server's version after `pg`: `latest-pg16`, `pg16`, `0.8.0-pg17`.
const EXTENDED: [&str; 6] = ["timescaledb", "timescaledb-ha", "pgvector", "paradedb", "vchord-postgres", "age"];

/// The server's major version that an image has; `None` for another program, and where the tag names no version.
pub(super) fn version(image: &str) -> Option<u16> {
    let image = image.split('@').next()?;
    let (name, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let last = name.rsplit('/').next()?;
    let by_pg = || after_pg(tag);
    if SERVERS.contains(&last) || SERVERS.iter().any(|server| name.ends_with(&format!("/{server}")) || name == *server)
    {
        return leading(tag).or_else(by_pg);
    }
    EXTENDED.contains(&last).then(by_pg).flatten()
}

fn leading(text: &str) -> Option<u16> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

fn after_pg(tag: &str) -> Option<u16> {
    tag.split(['-', '_', '.']).find_map(|part| leading(part.strip_prefix("pg")?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn images_say_the_server_that_is_in_them() {
        let of = |image| version(image);
        assert_eq!(of("postgres:16-alpine"), Some(16));
        assert_eq!(of("docker.io/library/postgres:14.2@sha256:abc"), Some(14));
        assert_eq!(of("registry.example.com:5000/mirror/postgres:17"), Some(17));
        assert_eq!(of("postgis/postgis:15-3.4"), Some(15));
        assert_eq!(of("timescale/timescaledb:2.17.2-pg16"), Some(16));
        assert_eq!(of("pgvector/pgvector:pg17"), Some(17));
        assert_eq!(of("supabase/postgres:15.1.0.147"), Some(15));
        assert_eq!(of("cimg/postgres:14.0"), Some(14));
        for other in [
            "postgres",
            "postgres:latest",
            "registry:5000/postgres",
            "redis:7",
            "prom/postgres-exporter:v0.15",
            "pgvector/pgvector:0.8.0",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
