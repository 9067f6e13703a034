//! A copy of the database for `--verify` that nobody has to make: a throwaway server with a dump restored.

use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::Context;
use pgassay::db::Reading;
use pgassay::shadow::{Installation, Options, Refusals, Server};
use pgassay::text::quoting::literal;
use tokio::runtime::Runtime;

const DATABASE: &str = "copy";
/// What the server gets for queries and for building indexes.
const SETTINGS: &[(&str, &str)] =
    &[("shared_buffers", "256MB"), ("max_wal_size", "4GB"), ("maintenance_work_mem", "256MB")];

/// A server with the rows of a dump; dropping it removes it.
pub struct Restored {
    server: Server,
}

/// A value of `--verify` that is a file or folder of pg_dump and no database.
/// What looks like a file and is none is no name of a database either.
///
/// # Errors
/// If there is no such file.
pub fn refuse_missing(value: &str) -> anyhow::Result<()> {
    let looks =
        value.contains('/') || [".dump", ".sql", ".tar", ".dmp", ".backup"].iter().any(|end| value.ends_with(end));
    if looks && !value.contains("://") && !value.contains('=') && !Path::new(value).exists() {
        anyhow::bail!("--verify: there is no file or folder {value}");
    }
    Ok(())
}

pub fn is_dump(value: &str) -> bool {
    let path = Path::new(value);
    path.is_file() || path.join("toc.dat").is_file()
}

impl Restored {
    /// # Errors
    /// If the server does not start, or nothing of the dump can be restored.
    pub fn from_dump(
        runtime: &Runtime,
        installation: &Installation,
        dump: &Path,
        reading: &Reading,
    ) -> anyhow::Result<Restored> {
        let settings = SETTINGS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let server = Server::start(installation, &Options { settings, ..Options::default() })?;
        let restored = Restored { server };
        runtime.block_on(restored.create(reading))?;
        eprintln!("restoring {} on a throwaway server", dump.display());
        let refusals = restored.restore(dump)?;
        runtime.block_on(restored.finish(dump, &refusals))?;
        Ok(restored)
    }

    /// How to reach it.
    pub fn url(&self) -> String {
        self.server.connection_string(DATABASE)
    }

    /// The database with the locale of the real one, or one near it, and its settings.
    async fn create(&self, reading: &Reading) -> anyhow::Result<()> {
        let session = self.server.connect("postgres").await?;
        let statistics = reading.planner.as_ref();
        let own = statistics
            .map(|it| format!("LC_COLLATE {} LC_CTYPE {}", literal(&it.locale.collate), literal(&it.locale.ctype)));
        let start = format!("CREATE DATABASE {DATABASE} TEMPLATE template0");
        let mut made = false;
        for locale in own.into_iter().chain(["ENCODING 'UTF8' LOCALE 'C.UTF-8'".to_owned(), String::new()]) {
            made = session.batch_execute(&format!("{start} {locale}")).await.is_ok();
            if made {
                break;
            }
        }
        anyhow::ensure!(made, "the database for the dump could not be made on the throwaway server");
        for (name, value) in statistics.iter().flat_map(|it| &it.settings).filter(|(name, _)| *name != "search_path") {
            // One that this version does not know changes nothing here.
            let _ = session.batch_execute(&format!("ALTER DATABASE {DATABASE} SET {name} = {}", literal(value))).await;
        }
        session.close().await;
        Ok(())
    }

    /// Restores it, and says what the server refused of it.
    fn restore(&self, dump: &Path) -> anyhow::Result<Refusals> {
        if is_archive(dump)? {
            let output = self.server.restore_archive(dump, DATABASE).context("--verify")?;
            return Ok(refusals(&String::from_utf8_lossy(&output.stderr)));
        }
        let file = std::fs::File::open(dump).with_context(|| format!("--verify: {}", dump.display()))?;
        let refusals = self.server.run_script(DATABASE, BufReader::new(file));
        refusals.with_context(|| format!("--verify: {}", dump.display()))
    }

    /// Says what could not be restored, and has the rest vacuumed and analyzed.
    async fn finish(&self, dump: &Path, refusals: &Refusals) -> anyhow::Result<()> {
        let session = self.server.connect(DATABASE).await?;
        let sql = "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
        let tables: i64 = session.query_one(sql, &[]).await?.get(0);
        if tables == 0 {
            let why = refusals.first.as_deref().unwrap_or("it holds none");
            anyhow::bail!("--verify: no table could be restored from {}: {why}", dump.display());
        }
        if let Some(first) = &refusals.first {
            let number = if refusals.count == 1 { "1 error".to_owned() } else { format!("{} errors", refusals.count) };
            eprintln!("note: {}: {number} while it was restored, the first: {first}", dump.display());
        }
        session.batch_execute("VACUUM ANALYZE").await?;
        session.close().await;
        Ok(())
    }
}

/// What pg_restore says that the server refused, or its own trouble.
fn refusals(said: &str) -> Refusals {
    let errors = said.lines().filter(|line| line.contains("ERROR:") || line.contains("error:"));
    let first = errors.clone().next().or_else(|| said.lines().next()).map(str::to_owned);
    Refusals { count: errors.count().max(usize::from(first.is_some())), first }
}

/// Whether pg_restore reads it: an archive of pg_dump's own formats, not a script.
fn is_archive(dump: &Path) -> anyhow::Result<bool> {
    if dump.is_dir() {
        return Ok(true);
    }
    let mut start = [0; 512];
    let mut file = std::fs::File::open(dump).with_context(|| format!("--verify: {}", dump.display()))?;
    let read = file.read(&mut start).with_context(|| format!("--verify: {}", dump.display()))?;
    let start = &start[..read];
    // Custom format; tar with the table of contents first.
    Ok(start.starts_with(b"PGDMP") || start.starts_with(b"toc.dat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_from_scripts() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("a file");
            path
        };
        assert!(is_archive(&of("a", b"PGDMP\x01\x0e")).expect("it is read"));
        assert!(!is_archive(&of("b", b"--\n-- PostgreSQL database dump\n--\n")).expect("it is read"));
        assert!(!is_archive(&of("c", b"")).expect("it is read"));
        assert!(is_dump(&of("d", b"").display().to_string()) && !is_dump("host=localhost dbname=shop"));
    }
}
