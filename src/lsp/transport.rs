//! Messages over standard input and output, framed as the base protocol says. What is no message is reported and passed over: one bad
//! message must not take an editor's server away.

use std::io::{self, BufRead, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use lsp_server::{Message, Notification};

/// What arrives.
pub enum Incoming {
    Message(Message),
    /// Why a frame could not be read as a message.
    Bad(String),
}

/// The largest message that is read. A longer one is passed over.
const LARGEST: usize = 256 * 1024 * 1024;

/// Reads on a thread of its own until the input ends.
pub fn listen() -> io::Result<Receiver<Incoming>> {
    let (sender, receiver) = channel();
    thread::Builder::new().name("lsp-reader".to_owned()).spawn(move || {
        let mut input = io::stdin().lock();
        // The receiver is gone, or the input has ended: nobody is left to read for.
        while let Ok(Some(incoming)) = read(&mut input) {
            if sender.send(incoming).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}

/// The next frame; none at the end of the input.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if line.is_empty() {
            if length.is_some() {
                break;
            }
            continue;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
            if length.is_none() {
                return Ok(Some(Incoming::Bad(format!("{line:?} gives no length"))));
            }
        }
    }
    let length = length.unwrap_or_default();
    if length > LARGEST {
        io::copy(&mut input.take(length as u64), &mut io::sink())?;
        return Ok(Some(Incoming::Bad(format!("a message of {length} bytes is too long"))));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Bad(format!("a message could not be read: {error}")),
    }))
}

/// Writes a message; false where nobody reads any more.
pub fn send(message: impl Into<Message>) -> bool {
    let mut out = io::stdout().lock();
    message.into().write(&mut out).and_then(|()| out.flush()).is_ok()
}

/// A line in the editor's log.
pub fn log(message: &str) {
    let parameters = serde_json::json!({ "type": 2, "message": message });
    send(Notification { method: "window/logMessage".to_owned(), params: parameters });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_frame_does_not_hide_the_next() {
        let good = r#"{"jsonrpc":"2.0","method":"exit"}"#;
        let text = format!(
            "Content-Length: 5\r\n\r\n{{oops\r\nContent-Length: x\r\n\r\nContent-Type: a\r\ncontent-length: {}\r\n\r\n{good}",
            good.len()
        );
        let mut input = text.as_bytes();
        let mut seen = Vec::new();
        while let Some(incoming) = read(&mut input).unwrap() {
            seen.push(match incoming {
                Incoming::Message(Message::Notification(it)) => it.method,
                Incoming::Message(_) => "other".to_owned(),
                Incoming::Bad(_) => "bad".to_owned(),
            });
        }
        assert_eq!(seen, ["bad", "bad", "exit"]);
    }
}
