//! What was read, what was not, and why: part of every report.

use serde::Serialize;

/// What a report says about its own reach.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// Every history that was read.
    pub read: Vec<ReadHistory>,
    /// What was not read, by reason.
    pub not_read: Vec<NotRead>,
    /// What was assumed and could be said: the server's version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assumed: String,
    /// What makes nothing to judge no mistake: nothing is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_new: Option<String>,
    /// How many of what was only read came with libraries: they say nothing about whether older migrations were set aside.
    #[serde(skip)]
    pub of_libraries: usize,
    /// The branch that new migrations are told from, where the repository has one.
    #[serde(skip)]
    pub main_branch: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadHistory {
    pub tool: &'static str,
    pub folder: String,
    pub judged: usize,
    /// Ran before: they build the schema.
    pub only_read: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotRead {
    /// For programs: `code`, `other-server`, `down`, `not-run`, `superseded`, `ignored`, `ending`, `trial`, `put-away`.
    pub reason: &'static str,
    /// "26 down files".
    pub what: String,
    pub files: usize,
    /// Some of the files.
    pub examples: Vec<String>,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Migrations that run and were not judged: a failure where everything has to be.
    pub is_gap: bool,
}

impl Coverage {
    /// Whether older migrations were set aside, so that all findings are about new ones.
    pub fn past_is_set_aside(&self) -> bool {
        self.read.iter().map(|history| history.only_read).sum::<usize>() > self.of_libraries
    }

    /// The gaps: migrations that run and were not judged.
    pub fn gaps(&self) -> impl Iterator<Item = &NotRead> {
        self.not_read.iter().filter(|kind| kind.is_gap)
    }

    /// One line a kind of file that was not read.
    pub fn lines(&self) -> Vec<String> {
        self.not_read.iter().map(NotRead::line).collect()
    }

    /// What was taken for what: "golang-migrate in db/migration (2 judged, 40 only read); PostgreSQL 14 (default)".
    pub fn summary(&self) -> String {
        let mut parts: Vec<String> = self.read.iter().take(MOST_NAMED).map(ReadHistory::line).collect();
        if self.read.len() > MOST_NAMED {
            let more = self.read.len() - MOST_NAMED;
            parts.push(format!("{more} more {}", if more == 1 { "history" } else { "histories" }));
        }
        if !self.assumed.is_empty() {
            parts.push(self.assumed.clone());
        }
        parts.join("; ")
    }
}

/// Histories that one line names.
const MOST_NAMED: usize = 4;

impl ReadHistory {
    fn line(&self) -> String {
        let judged = match (self.judged, self.only_read) {
            (judged, 0) => format!("{judged} judged"),
            (judged, old) => format!("{judged} judged, {old} only read"),
        };
        match self.folder.as_str() {
            "" => format!("{} ({judged})", self.tool),
            command if command.starts_with('`') => format!("what {command} sends ({judged})"),
            folder => format!("{} in {folder} ({judged})", self.tool),
        }
    }
}

impl NotRead {
    pub fn line(&self) -> String {
        let more = if self.files > self.examples.len() { ", …" } else { "" };
        let advice = self.advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default();
        format!("{} ({}{more}){advice}", self.what, self.examples.join(", "))
    }
}
