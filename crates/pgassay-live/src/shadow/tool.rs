//! pg_restore in a box: it runs nothing by itself, but the archive says which files it reads, and its C code reads whatever is in it.
//!
//! In: a server, and an archive of pg_dump's. Out: what pg_restore said. The archive is copied into the server's folder, all that the box shows.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use super::installation::candidates;
use super::{Server, ShadowError};
use crate::machine;

const PROGRAM: &str = "pg_restore";

impl Server {
    /// Restores an archive (custom, tar or a folder) in a database of this server, without owners and privileges.
    ///
    /// # Errors
    /// [`ShadowError`] if pg_restore is not there or does not run, or the archive cannot be copied. What it says of its work is no error.
    pub fn restore_archive(&self, archive: &Path, database: &str) -> Result<Output, ShadowError> {
        let program = self.find_program().ok_or(ShadowError::NoProgram {
            program: PROGRAM,
            instead: "make a script of the archive with pg_restore --file=dump.sql, or dump one",
        })?;
        let inside = self.folder().join("archive");
        let copied = copy(archive, &inside, self.ids());
        let failed = |source| ShadowError::Archive { archive: archive.to_owned(), source };
        let output = copied.map_err(failed).and_then(|()| self.run(&program, &inside, database));
        // It may be large.
        let _ = if inside.is_dir() { fs::remove_dir_all(&inside) } else { fs::remove_file(&inside) };
        output
    }

    fn run(&self, program: &Path, archive: &Path, database: &str) -> Result<Output, ShadowError> {
        let url = self.connection_string(database);
        let (mut command, confined) = self.boxed(program);
        command.args(["--no-owner", "--no-privileges", "--dbname", &url]).arg(archive);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let output = confined.spawn(&mut command, self.folder(), true).and_then(|mut started| {
            // Its end would be the program's.
            let _orders = started.child.stdin.take();
            started.child.wait_with_output()
        });
        output.map_err(|source| ShadowError::Launch { program: program.to_owned(), source })
    }

    /// The server's own, or that of another version. Debian's in /usr/bin is a script that looks for one.
    fn find_program(&self) -> Option<PathBuf> {
        let own = self.installation().bin().to_owned();
        std::iter::once(own).chain(candidates()).find_map(|bin| {
            let program = fs::canonicalize(bin.join(PROGRAM)).ok()?;
            (program.is_file() && program.file_name().is_some_and(|name| name == PROGRAM)).then_some(program)
        })
    }
}

/// Copies a file, or the files of a folder. Links in it are not followed.
fn copy(from: &Path, to: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            if !entry.file_type()?.is_file() {
                let name = entry.file_name();
                return Err(io::Error::other(format!("{} in it is not a file", name.display())));
            }
            copy(&entry.path(), &to.join(entry.file_name()), owner)?;
        }
    } else {
        fs::copy(from, to)?;
    }
    owner.map_or(Ok(()), |owner| machine::give(to, owner))
}
