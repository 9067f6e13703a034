//! A session with a throwaway server that sends text as psql does, by the simple protocol, and learns from the server whether it waits for rows.
//!
//! In: SQL, and where rows of COPY come from. Out: what the server refuses. tokio-postgres loses step with the server when a COPY is refused.

use std::io::{self, BufReader, Write};
use std::time::Duration;

use super::protocol::{Message, message};
use super::{SUPERUSER, Server};
use crate::machine::{self, Socket};

/// Protocol 3.0.
const VERSION: i32 = 3 << 16;

/// A server that reads nothing for so long waits for us to read, or is gone.
const WRITTEN_WITHIN: Duration = Duration::from_secs(120);

/// Bytes of rows that are sent at once.
const LOT: usize = 64 * 1024;

pub(super) struct Wire {
    input: BufReader<Socket>,
    output: Socket,
}

impl Wire {
    /// Connects to a database of a server, which asks for no password.
    pub fn connect(server: &Server, database: &str) -> io::Result<Wire> {
        let output = machine::connect(&server.socket())?;
        output.set_write_timeout(Some(WRITTEN_WITHIN))?;
        let mut wire = Wire { input: BufReader::new(output.try_clone()?), output };
        let parameters = format!("user\0{SUPERUSER}\0database\0{database}\0client_encoding\0UTF8\0\0");
        let length = i32::try_from(parameters.len() + 8).map_err(io::Error::other)?;
        let start = [&length.to_be_bytes(), &VERSION.to_be_bytes(), parameters.as_bytes()].concat();
        wire.output.write_all(&start)?;
        match wire.answer(|_| Ok(false))? {
            None => Ok(wire),
            Some(refused) => Err(io::Error::other(refused)),
        }
    }

    /// Sends a text. Where the server waits for rows, `next` puts one line after the other into its argument, until it returns false.
    /// Returns what the server refused.
    pub fn send(
        &mut self,
        sql: &str,
        next: impl FnMut(&mut Vec<u8>) -> io::Result<bool>,
    ) -> io::Result<Option<String>> {
        self.output.write_all(&message(b'Q', &[sql.as_bytes(), b"\0"].concat()))?;
        self.answer(next)
    }

    /// Reads up to ReadyForQuery.
    fn answer(&mut self, mut next: impl FnMut(&mut Vec<u8>) -> io::Result<bool>) -> io::Result<Option<String>> {
        let mut refused = None;
        while let Some(message) = Message::read(&mut self.input)? {
            match message.kind {
                b'Z' => return Ok(refused),
                b'E' => drop(refused.get_or_insert_with(|| said(&message))),
                b'G' => self.rows(&mut next)?,
                _ => {}
            }
        }
        Err(refused.map_or(io::ErrorKind::UnexpectedEof.into(), io::Error::other))
    }

    fn rows(&mut self, next: &mut impl FnMut(&mut Vec<u8>) -> io::Result<bool>) -> io::Result<()> {
        let mut lot = Vec::with_capacity(2 * LOT);
        while next(&mut lot)? {
            if lot.len() >= LOT {
                self.output.write_all(&message(b'd', &lot))?;
                lot.clear();
            }
        }
        // After a row that it refuses, a server drops the others.
        self.output.write_all(&message(b'd', &lot))?;
        self.output.write_all(&message(b'c', &[]))
    }
}

/// The message of an ErrorResponse with its SQLSTATE.
fn said(error: &Message) -> String {
    let mut body = error.body();
    let (mut code, mut text) = (String::new(), String::new());
    while let Some(field) = body.byte().filter(|field| *field != 0) {
        match field {
            b'C' => code = body.text(),
            b'M' => text = body.text(),
            _ => drop(body.text()),
        }
    }
    format!("{text} (SQLSTATE {code})")
}
