//! A stream to a server on which tokio-postgres stays in step after a COPY that the server refuses.
//!
//! In and out: the bytes of the protocol. Where the server refuses a COPY FROM STDIN before it asks for rows, it has answered the Sync that
//! was sent along; tokio-postgres sends CopyFail and a second Sync, whose ReadyForQuery would be taken for the answer to the next request.
//! Both are left out here.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(super) struct InStep<S> {
    stream: S,
    sent: Messages,
    received: Messages,
    answer: Answer,
    /// What is sent now goes to the server.
    passes: bool,
    /// CopyFail was left out, and the Sync after it is not needed either.
    leaves_out_sync: bool,
    /// What the server has not taken yet.
    waiting: VecDeque<u8>,
}

/// What the server said to the statement that was sent last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Unanswered,
    /// It waits for rows, or did: the first Sync came in between and was not answered.
    Rows,
    Refused,
}

/// Finds where one message ends and the next begins, whatever pieces the bytes come in.
struct Messages {
    /// The type byte and the length, as far as they are there.
    head: Vec<u8>,
    /// How much of the body is to come.
    rest: usize,
    /// The first message of a client has no type byte.
    untyped: bool,
}

/// Some bytes of a message.
enum Piece<'b> {
    /// The head, whole.
    Head {
        kind: u8,
        bytes: Vec<u8>,
    },
    Body(&'b [u8]),
}

impl Messages {
    fn new(untyped: bool) -> Messages {
        Messages { head: Vec::with_capacity(5), rest: 0, untyped }
    }

    /// Takes the next piece off the front; none where a head is not whole.
    fn next<'b>(&mut self, bytes: &mut &'b [u8]) -> Option<Piece<'b>> {
        if self.rest > 0 && !bytes.is_empty() {
            let (body, after) = bytes.split_at(self.rest.min(bytes.len()));
            (*bytes, self.rest) = (after, self.rest - body.len());
            return Some(Piece::Body(body));
        }
        let whole = if self.untyped { 4 } else { 5 };
        let (more, after) = bytes.split_at((whole - self.head.len()).min(bytes.len()));
        self.head.extend_from_slice(more);
        *bytes = after;
        if self.head.len() < whole {
            return None;
        }
        let length = self.head.last_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
        self.rest = (length as usize).saturating_sub(4);
        let kind = if self.untyped { 0 } else { self.head[0] };
        self.untyped = false;
        Some(Piece::Head { kind, bytes: std::mem::replace(&mut self.head, Vec::with_capacity(5)) })
    }
}

impl<S> InStep<S> {
    pub fn new(stream: S) -> InStep<S> {
        InStep {
            stream,
            sent: Messages::new(true),
            received: Messages::new(false),
            answer: Answer::Unanswered,
            passes: true,
            leaves_out_sync: false,
            waiting: VecDeque::new(),
        }
    }

    fn send(&mut self, mut bytes: &[u8]) {
        while let Some(piece) = self.sent.next(&mut bytes) {
            match piece {
                Piece::Head { kind, bytes } => {
                    self.passes = self.is_wanted(kind);
                    if self.passes {
                        self.waiting.extend(bytes);
                    }
                }
                Piece::Body(body) if self.passes => self.waiting.extend(body),
                Piece::Body(_) => {}
            }
        }
    }

    fn is_wanted(&mut self, kind: u8) -> bool {
        match kind {
            // Bind
            b'B' => {
                self.answer = Answer::Unanswered;
                true
            }
            // CopyFail
            b'f' if self.answer == Answer::Refused => {
                self.leaves_out_sync = true;
                false
            }
            // Sync
            b'S' => !std::mem::take(&mut self.leaves_out_sync),
            _ => true,
        }
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while let Some(piece) = self.received.next(&mut bytes) {
            let Piece::Head { kind, .. } = piece else { continue };
            match (kind, self.answer) {
                // CopyInResponse
                (b'G', _) => self.answer = Answer::Rows,
                // ErrorResponse
                (b'E', Answer::Unanswered) => self.answer = Answer::Refused,
                _ => {}
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> InStep<S> {
    /// Hands on what waits.
    fn hand_on(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let (front, _) = self.waiting.as_slices();
            let taken = ready!(Pin::new(&mut self.stream).poll_write(context, front))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting.drain(..taken);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for InStep<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, into))?;
        this.receive(into.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InStep<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.hand_on(context))?;
        this.send(bytes);
        // What the server does not take at once goes with the next write, or a flush.
        match this.hand_on(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.hand_on(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.hand_on(context))?;
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::super::protocol::message;
    use super::*;

    /// What of the client's messages reaches the server, in pieces of a length, where the server answers before the last two.
    fn sent(answer: &[u8], length: usize) -> Vec<u8> {
        let mut stream = InStep::new(());
        let before = [&8u32.to_be_bytes()[..], &[0, 3, 0, 0], &message(b'B', b"x"), &message(b'S', b"")].concat();
        let after = [message(b'f', b"no\0"), message(b'S', b""), message(b'Q', b"SELECT 1\0")].concat();
        before.chunks(length).for_each(|piece| stream.send(piece));
        answer.chunks(length).for_each(|piece| stream.receive(piece));
        after.chunks(length).for_each(|piece| stream.send(piece));
        let all: Vec<u8> = stream.waiting.into_iter().collect();
        assert_eq!(all[..before.len()], before);
        all[before.len()..].to_vec()
    }

    #[test]
    fn a_failed_copy_is_told_to_the_server_only_where_it_waits_for_rows() {
        let ready = message(b'Z', b"T");
        let refused = [message(b'E', b"SERROR\0\0"), ready.clone()].concat();
        let asked = [message(b'2', b""), message(b'G', &[0, 0, 0]), message(b'E', b"SERROR\0\0")].concat();
        for length in [1, 3, 4096] {
            assert_eq!(sent(&refused, length), message(b'Q', b"SELECT 1\0"));
            let fail = [message(b'f', b"no\0"), message(b'S', b""), message(b'Q', b"SELECT 1\0")].concat();
            assert_eq!(sent(&asked, length), fail);
            assert_eq!(sent(&message(b'2', b""), length), fail, "no answer yet");
        }
    }
}
