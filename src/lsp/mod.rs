//! `pgassay lsp`: the language server.
//!
//! In: messages of an editor. Out: diagnostics while typing, and answers. Every answer is that of the [`Project`](crate::project::Project),
//! the same that `pgassay check` gives. Nothing an editor sends ends the server but its own `exit`.

mod actions;
mod answers;
mod complete;
mod diagnostics;
mod navigate;
mod place;
mod server;
mod transport;

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde_json::Value;

use crate::project::Setup;
use server::Server;
use transport::{Incoming, log, send};

/// Finds out what a folder's configuration says, from within it.
pub type Opener = Box<dyn Fn(&Path) -> anyhow::Result<Setup>>;

/// Serves until the editor says exit, or its end of the pipe is closed. True: it said shutdown before.
pub fn serve(opener: Opener) -> anyhow::Result<bool> {
    let mut room = Room {
        server: Server::new(opener),
        incoming: transport::listen()?,
        waiting: VecDeque::new(),
        cancelled: HashSet::new(),
        state: State::New,
    };
    while room.state != State::Exit {
        room.fetch();
        match room.waiting.pop_front() {
            Some(message) => room.handle(message),
            // Nothing to answer: now the diagnostics of what was typed, then a part of the histories that nobody asked for yet.
            None => {
                let works = guarded(|| room.server.publish_next() || room.server.prepare()).unwrap_or(false);
                if !works && !room.wait() {
                    break;
                }
            }
        }
    }
    Ok(room.server.was_shut_down)
}

/// So long nothing is typed before other files are judged again.
const IDLE: Duration = Duration::from_millis(300);

#[derive(PartialEq, Eq, Clone, Copy)]
enum State {
    New,
    Running,
    ShutDown,
    Exit,
}

struct Room {
    server: Server,
    incoming: Receiver<Incoming>,
    waiting: VecDeque<Message>,
    cancelled: HashSet<RequestId>,
    state: State,
}

impl Room {
    /// Takes in all that has arrived, so that what is cancelled is known before it is begun.
    fn fetch(&mut self) {
        while let Ok(incoming) = self.incoming.try_recv() {
            self.take(incoming);
        }
    }

    /// Waits for a message; false at the end of the input. While nothing is typed, the files are judged that come after what was.
    fn wait(&mut self) -> bool {
        let received = match self.server.has_later() {
            true => self.incoming.recv_timeout(IDLE),
            false => self.incoming.recv().map_err(RecvTimeoutError::from),
        };
        match received {
            Ok(incoming) => {
                self.take(incoming);
                true
            }
            Err(RecvTimeoutError::Timeout) => {
                guarded(|| self.server.publish_later());
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Bad(why) => log(&format!("pgassay: {why}")),
            Incoming::Message(Message::Notification(note)) if note.method == "$/cancelRequest" => {
                let id = note.params.get("id").cloned().and_then(|id| serde_json::from_value(id).ok());
                let is_waiting = |id: &RequestId| {
                    self.waiting.iter().any(|message| matches!(message, Message::Request(request) if request.id == *id))
                };
                self.cancelled.extend(id.filter(is_waiting));
            }
            Incoming::Message(message) => self.waiting.push_back(message),
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.request(request),
            Message::Notification(note) => self.notification(note),
            // An answer to a request of ours: none of them matters.
            Message::Response(_) => {}
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        let refuse = |code: ErrorCode, message: &str| Response::new_err(id.clone(), code as i32, message.to_owned());
        let response = match (self.state, request.method.as_str()) {
            _ if self.cancelled.remove(&id) => refuse(ErrorCode::RequestCanceled, "cancelled"),
            (State::New, "initialize") => {
                self.state = State::Running;
                self.answer(request)
            }
            (State::New, _) => refuse(ErrorCode::ServerNotInitialized, "initialize comes first"),
            (State::Running, "initialize") => refuse(ErrorCode::InvalidRequest, "is initialized already"),
            (State::Running, "shutdown") => {
                self.state = State::ShutDown;
                self.server.was_shut_down = true;
                Response::new_ok(id.clone(), Value::Null)
            }
            (State::Running, _) => self.answer(request),
            (State::ShutDown | State::Exit, _) => refuse(ErrorCode::InvalidRequest, "is shut down"),
        };
        send(response);
    }

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        match guarded(|| self.server.answer(&method, params)) {
            Some(Ok(value)) => Response::new_ok(id, value),
            Some(Err(refused)) => Response::new_err(id, refused.code as i32, refused.message),
            None => {
                Response::new_err(id, ErrorCode::InternalError as i32, format!("{method} failed; please report it"))
            }
        }
    }

    fn notification(&mut self, note: Notification) {
        match (self.state, note.method.as_str()) {
            (_, "exit") => self.state = State::Exit,
            (State::Running, _) => {
                if let Some(Err(refused)) = guarded(|| self.server.note(&note.method, note.params)) {
                    log(&format!("pgassay: {}: {}", note.method, refused.message));
                }
            }
            _ => {}
        }
    }
}

/// Why a message is refused.
pub struct Refused {
    pub code: ErrorCode,
    pub message: String,
}

/// A mistake of ours in one answer is no reason to leave the editor alone; none where there was one.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
