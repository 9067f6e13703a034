//! What was given to read: a file, standard input, or SQL on the command line; whole, or a log in pieces.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::path::Path;

use anyhow::Context;
use pgassay::plan::{self, Piece, Pieces};

pub(super) struct Source {
    /// How messages call it.
    pub name: String,
    bytes: Box<dyn BufRead>,
}

impl Source {
    pub(super) fn open(argument: Option<&str>) -> anyhow::Result<Source> {
        let (name, bytes): (&str, Box<dyn BufRead>) = match argument {
            None | Some("-") => {
                if argument.is_none() && io::stdin().is_terminal() {
                    anyhow::bail!("give a plan or SQL: a file, the SQL itself, or - to type it and end with Ctrl-D");
                }
                ("standard input", Box::new(io::stdin().lock()))
            }
            Some(sql) if sql.contains(char::is_whitespace) && !Path::new(sql).exists() => {
                ("the argument", Box::new(Cursor::new(sql.to_owned())))
            }
            Some(file) => {
                let bytes = File::open(file).with_context(|| format!("{file} could not be read"))?;
                (file, Box::new(BufReader::new(bytes)))
            }
        };
        Ok(Source { name: name.to_owned(), bytes })
    }

    /// Its name and all of it.
    pub(super) fn text(mut self) -> anyhow::Result<(String, String)> {
        let mut bytes = Vec::new();
        self.bytes.read_to_end(&mut bytes).with_context(|| format!("{} could not be read", self.name))?;
        Ok((self.name, plan::text_of(&bytes)))
    }

    /// Hands it over in pieces, of which one is held at a time.
    pub(super) fn each_piece(&mut self, mut take: impl FnMut(Piece)) -> anyhow::Result<()> {
        let unread = || format!("{} could not be read", self.name);
        let mut pieces = Pieces::default();
        if plan::is_wide(self.bytes.fill_buf().with_context(unread)?) {
            let mut bytes = Vec::new();
            self.bytes.read_to_end(&mut bytes).with_context(unread)?;
            plan::text_of(&bytes).split_inclusive('\n').filter_map(|line| pieces.add(line)).for_each(&mut take);
        } else {
            let mut line = Vec::new();
            while self.bytes.read_until(b'\n', &mut line).with_context(unread)? > 0 {
                pieces.add(&String::from_utf8_lossy(&line)).into_iter().for_each(&mut take);
                line.clear();
            }
        }
        take(pieces.finish());
        Ok(())
    }
}
