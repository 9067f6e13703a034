//! One session of the command: which statement each answer of the server belongs to.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::record::{Parameter, Recorder, Sent};
use crate::shadow::protocol::Message;

/// What the session has prepared, and what it waits for.
pub(super) struct SessionState {
    number: usize,
    recorder: Arc<Recorder>,
    prepared: HashMap<String, Prepared>,
    portals: HashMap<String, (String, Vec<Parameter>)>,
    waiting: VecDeque<Waiting>,
    batch: usize,
}

#[derive(Clone, Default)]
struct Prepared {
    sql: String,
    types: Vec<u32>,
}

/// A message whose answer is still to come.
enum Waiting {
    /// Parse, Bind, Close: one answer, of no interest.
    Other,
    /// Describe of a prepared statement, by its name; of a portal without.
    Describe(Option<String>),
    /// The first answer of a parse, with what is refused where it is refused.
    Parse(String),
    Execute(usize),
    Simple(usize),
    Sync,
}

impl SessionState {
    pub fn new(recorder: Arc<Recorder>) -> SessionState {
        let number = recorder.open_session();
        SessionState {
            number,
            recorder,
            prepared: HashMap::new(),
            portals: HashMap::new(),
            waiting: VecDeque::new(),
            batch: 0,
        }
    }

    /// A message of the command, before it is sent on.
    pub fn command_sent(&mut self, message: &Message) {
        let mut body = message.body();
        match message.kind {
            b'Q' => {
                self.batch += 1;
                let place = self.add(Sent { sql: body.text(), is_simple: true, ..Sent::default() });
                self.waiting.push_back(Waiting::Simple(place));
            }
            b'P' => {
                let (name, sql) = (body.text(), body.text());
                let count = body.int16().unwrap_or_default();
                let types = (0..count).map_while(|_| body.int32()).map(|oid| oid as u32).collect();
                self.waiting.push_back(Waiting::Parse(sql.clone()));
                self.prepared.insert(name, Prepared { sql, types });
            }
            b'B' => self.bind(message),
            b'E' => {
                let (sql, parameters) = self.portals.get(&body.text()).cloned().unwrap_or_default();
                let place = self.add(Sent { sql, parameters, ..Sent::default() });
                self.waiting.push_back(Waiting::Execute(place));
            }
            b'D' => {
                let is_statement = body.byte() == Some(b'S');
                let name = body.text();
                self.waiting.push_back(Waiting::Describe(is_statement.then_some(name)));
            }
            b'C' => self.waiting.push_back(Waiting::Other),
            b'S' => {
                self.batch += 1;
                self.waiting.push_back(Waiting::Sync);
            }
            _ => {}
        }
    }

    fn bind(&mut self, message: &Message) {
        let mut body = message.body();
        let (portal, name) = (body.text(), body.text());
        let prepared = self.prepared.get(&name).cloned().unwrap_or_default();
        let formats: Vec<i16> = (0..body.int16().unwrap_or_default()).map_while(|_| body.int16()).collect();
        let count = body.int16().unwrap_or_default().max(0) as usize;
        let mut parameters = Vec::new();
        for index in 0..count {
            let Some(length) = body.int32() else { break };
            let bytes = usize::try_from(length).ok().and_then(|length| body.take(length)).map(<[u8]>::to_vec);
            // One format stands for all.
            let format = formats.get(index).or(formats.first().filter(|_| formats.len() == 1));
            let type_oid = prepared.types.get(index).copied().unwrap_or_default();
            parameters.push(Parameter { bytes, is_binary: format == Some(&1), type_oid });
        }
        self.portals.insert(portal, (prepared.sql, parameters));
        self.waiting.push_back(Waiting::Other);
    }

    fn add(&mut self, sent: Sent) -> usize {
        self.recorder.add(Sent { session: self.number, batch: self.batch, ..sent })
    }

    /// A message of the server.
    pub fn server_sent(&mut self, message: &Message) {
        let mut body = message.body();
        match message.kind {
            // ParseComplete, BindComplete, CloseComplete.
            b'1' | b'2' | b'3' => {
                self.waiting.pop_front();
            }
            b't' => {
                let count = body.int16().unwrap_or_default();
                let types: Vec<u32> = (0..count).map_while(|_| body.int32()).map(|oid| oid as u32).collect();
                if let Some(Waiting::Describe(Some(name))) = self.waiting.front()
                    && let Some(prepared) = self.prepared.get_mut(name)
                {
                    prepared.types = types;
                }
            }
            // NoData and RowDescription end the answer to a Describe; of a SELECT in a simple string, there is none.
            b'n' | b'T' => {
                if matches!(self.waiting.front(), Some(Waiting::Describe(_))) {
                    self.waiting.pop_front();
                }
            }
            // CommandComplete, EmptyQueryResponse, PortalSuspended.
            b'C' | b'I' | b's' => {
                let tag = if message.kind == b'C' { body.text() } else { String::new() };
                let place = match self.waiting.front() {
                    Some(Waiting::Simple(place)) => Some(*place),
                    Some(Waiting::Execute(place)) => {
                        let place = *place;
                        self.waiting.pop_front();
                        Some(place)
                    }
                    _ => None,
                };
                if let Some(place) = place {
                    self.recorder.answered(place, |sent| sent.tags.push(tag));
                }
            }
            b'E' => self.error(message),
            b'Z' => {
                while let Some(done) = self.waiting.pop_front() {
                    if matches!(done, Waiting::Simple(_) | Waiting::Sync) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }

    /// After an error the server skips all messages up to the next Sync.
    fn error(&mut self, message: &Message) {
        let mut body = message.body();
        let (mut code, mut text) = (String::new(), String::new());
        while let Some(field) = body.byte().filter(|field| *field != 0) {
            let value = body.text();
            match field {
                b'C' => code = value,
                b'M' => text = value,
                _ => {}
            }
        }
        let error = (code, text);
        if let Some(Waiting::Parse(sql)) = self.waiting.front() {
            let refused = Sent { sql: sql.clone(), error: Some(error.clone()), ..Sent::default() };
            self.add(refused);
        }
        for waiting in &self.waiting {
            match waiting {
                Waiting::Execute(place) | Waiting::Simple(place) => {
                    self.recorder.answered(*place, |sent| sent.error = Some(error.clone()));
                    if matches!(waiting, Waiting::Simple(_)) {
                        break;
                    }
                }
                Waiting::Sync => break,
                Waiting::Other | Waiting::Describe(_) | Waiting::Parse(_) => {}
            }
        }
    }
}
