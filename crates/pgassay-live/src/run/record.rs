//! What a command sent, as the proxy saw it.

use std::sync::{Mutex, PoisonError};

/// One statement, or one string of several, as it was sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    /// Sessions are numbered from 0 in the order in which they were opened.
    pub session: usize,
    pub sql: String,
    pub parameters: Vec<Parameter>,
    /// As a string of the simple protocol; else prepared and executed.
    pub is_simple: bool,
    /// Executions between two Syncs of one session have one number: without a transaction block, they commit together.
    pub batch: usize,
    /// What the server answered: a command tag for every statement of a string.
    pub tags: Vec<String>,
    /// SQLSTATE and message.
    pub error: Option<(String, String)>,
}

/// A parameter's value as it was bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `None`: NULL.
    pub bytes: Option<Vec<u8>>,
    pub is_binary: bool,
    /// The type's OID; 0 where nobody said it.
    pub type_oid: u32,
}

/// All that was sent, in the order in which it reached the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    pub statements: Vec<Sent>,
    pub sessions: usize,
}

/// A recording while it is made, by many sessions at once.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    recording: Mutex<Recording>,
}

impl Recorder {
    pub fn open_session(&self) -> usize {
        self.with(|recording| {
            recording.sessions += 1;
            recording.sessions - 1
        })
    }

    /// Adds a statement before it is sent on; its place in the list.
    pub fn add(&self, sent: Sent) -> usize {
        self.with(|recording| {
            recording.statements.push(sent);
            recording.statements.len() - 1
        })
    }

    pub fn answered(&self, place: usize, answer: impl FnOnce(&mut Sent)) {
        self.with(|recording| {
            if let Some(sent) = recording.statements.get_mut(place) {
                answer(sent);
            }
        });
    }

    pub fn take(&self) -> Recording {
        self.with(std::mem::take)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Recording) -> T) -> T {
        work(&mut self.recording.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
