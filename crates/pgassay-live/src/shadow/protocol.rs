//! Messages of the frontend/backend protocol (manual, "Message Formats"): read from a stream whole, and taken apart as far as a
//! recording needs.

use std::io::{self, Read};

/// Longer than any message of a migration, and short enough to be kept in memory.
const LONGEST: usize = 1 << 30;

/// A message with a type byte.
pub(crate) struct Message {
    pub kind: u8,
    /// With the type byte and the length in front, as it is sent on.
    pub raw: Vec<u8>,
}

impl Message {
    pub fn body(&self) -> Body<'_> {
        Body { bytes: self.raw.get(5..).unwrap_or_default() }
    }

    /// The next message; `None` at the end of the stream.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Message>> {
        let mut head = [0; 5];
        match stream.read(&mut head[..1])? {
            0 => return Ok(None),
            _ => stream.read_exact(&mut head[1..])?,
        }
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let rest = length.checked_sub(4).filter(|rest| *rest <= LONGEST).ok_or(io::ErrorKind::InvalidData)?;
        let mut raw = head.to_vec();
        raw.resize(5 + rest, 0);
        stream.read_exact(&mut raw[5..])?;
        Ok(Some(Message { kind: head[0], raw }))
    }
}

/// The first packet of a connection: a length and a code without a type byte.
pub(crate) struct Startup {
    pub code: u32,
    pub raw: Vec<u8>,
}

/// A startup packet is never longer (MAX_STARTUP_PACKET_LENGTH in pqcomm.h).
const LONGEST_STARTUP: usize = 10_000;

impl Startup {
    pub fn read(stream: &mut impl Read) -> io::Result<Startup> {
        let mut head = [0; 8];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let rest = length.checked_sub(8).filter(|rest| *rest <= LONGEST_STARTUP).ok_or(io::ErrorKind::InvalidData)?;
        let mut raw = head.to_vec();
        raw.resize(8 + rest, 0);
        stream.read_exact(&mut raw[8..])?;
        Ok(Startup { code: u32::from_be_bytes([head[4], head[5], head[6], head[7]]), raw })
    }
}

/// The fields of a message, from the front.
pub(crate) struct Body<'b> {
    bytes: &'b [u8],
}

impl<'b> Body<'b> {
    pub fn text(&mut self) -> String {
        let end = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(self.bytes.len());
        let text = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes = self.bytes.get(end + 1..).unwrap_or_default();
        text
    }

    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub fn int16(&mut self) -> Option<i16> {
        let (field, rest) = self.bytes.split_first_chunk::<2>()?;
        self.bytes = rest;
        Some(i16::from_be_bytes(*field))
    }

    pub fn int32(&mut self) -> Option<i32> {
        let (field, rest) = self.bytes.split_first_chunk::<4>()?;
        self.bytes = rest;
        Some(i32::from_be_bytes(*field))
    }

    pub fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (field, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(field)
    }
}

/// A message without anything but its kind and a few bytes.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&[kind], length.as_slice(), body].concat()
}
