//! The deploys that wait for code, in a file that the next run takes up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::append::append;
use super::files::Folder;
use super::{Later, Piece, Written};

/// Its name, in the working directory.
pub const PLAN_FILE: &str = "pgassay-plan.json";

/// The version of the file's form.
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    version: u32,
    pub plans: Vec<Waiting>,
}

/// What is left of one migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The file that it was split from.
    pub migration: PathBuf,
    pub tool: String,
    /// The number of the first deploy that waits.
    pub next: usize,
    pub deploys: Vec<Later>,
    /// What takes all of it back.
    #[serde(default)]
    pub down: String,
    #[serde(default)]
    pub down_alone: bool,
    /// What verifies all of it, where the tool keeps that apart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verify: String,
    /// The words that the tool knows it by, where a file holds several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub header: String,
}

/// Why a plan file cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum WrongPlan {
    #[error("it is not a plan of pgassay: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("it has the form {0}, and this pgassay reads {VERSION}")]
    Newer(u32),
}

impl Default for PlanFile {
    fn default() -> PlanFile {
        PlanFile { version: VERSION, plans: Vec::new() }
    }
}

impl PlanFile {
    pub fn read(text: &str) -> Result<PlanFile, WrongPlan> {
        let plan: PlanFile = serde_json::from_str(text)?;
        if plan.version == VERSION { Ok(plan) } else { Err(WrongPlan::Newer(plan.version)) }
    }

    /// As text, with the end of line that editors expect.
    pub fn print(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

/// A deploy that waited and goes out now: its files come at the end of the folder.
#[derive(Clone, Copy)]
pub(super) struct Due<'a> {
    pub waiting: &'a Waiting,
    /// What the running code does before it.
    pub once: &'a str,
    pub pieces: &'a [Piece],
    /// Nothing waits after it.
    pub is_last: bool,
    pub folder: &'a Folder,
    /// 14 digits, in UTC.
    pub now: &'a str,
}

impl Due<'_> {
    /// The file of the migration that it is the rest of, for messages.
    pub fn shown(&self) -> std::path::Display<'_> {
        self.waiting.migration.display()
    }

    /// What takes all of the migration back, where this ends it.
    pub fn whole_back(&self) -> Option<&str> {
        Some(self.waiting.down.as_str()).filter(|down| self.is_last && !down.trim().is_empty())
    }
}

impl Waiting {
    /// Takes up the next deploy: its files, at the end of the folder. `now` is 14 digits, in UTC. Once nothing waits any more the plan is
    /// done.
    pub fn take(&mut self, folder: &Folder, now: &str) -> Result<Written, String> {
        if self.deploys.is_empty() {
            return Ok(Written { changes: Vec::new(), paths: Vec::new() });
        }
        let deploy = self.deploys.remove(0);
        let (once, pieces, is_last) = (deploy.once.as_str(), deploy.pieces.as_slice(), self.deploys.is_empty());
        let written = append(&Due { waiting: self, once, pieces, is_last, folder, now });
        match written {
            Ok(written) => {
                self.next += 1;
                Ok(written)
            }
            Err(why) => {
                self.deploys.insert(0, deploy);
                Err(why)
            }
        }
    }
}
