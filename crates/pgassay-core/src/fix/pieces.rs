//! Items to pieces: what shares a migration, what commits before what, and what waits for code.

use super::items::{self, Item, Items};
use super::{Later, Piece, Ways, batches, inverse};
use crate::change::{Change, ObjectKind, Reset, Set};
use crate::finding::{FixStep, PlanOfChange, PlannedMigration, StepTransaction};

/// How long a transaction waits for a lock, where the migration says nothing.
const TIMEOUT: &str = "SET LOCAL lock_timeout = '2s'";

/// The same where each statement commits by itself.
const SESSION_TIMEOUT: &str = "SET lock_timeout = '2s'";

pub(super) fn assemble(items: &Items, ways: Ways) -> (Vec<Piece>, Vec<Later>) {
    let mut assembler = Assembler {
        wants_timeout: items.limit.is_some(),
        together: items.together,
        unwrapped: items.unwrapped,
        in_file: ways.in_file,
        ..Assembler::default()
    };
    for item in &items.items {
        assembler.item(item);
    }
    assembler.flush();
    let Assembler { mut now, mut later, .. } = assembler;
    if ways.shared {
        apart(&mut now, &mut later);
    }
    (now, later)
}

/// As [`assemble`], but nothing overtakes what waits for code: what comes after it may need that to be gone.
pub(super) fn assemble_patiently(items: &Items, ways: Ways) -> (Vec<Piece>, Vec<Later>) {
    let mut assembler = Assembler {
        wants_timeout: items.limit.is_some(),
        together: items.together,
        unwrapped: items.unwrapped,
        in_file: ways.in_file,
        patient: true,
        ..Assembler::default()
    };
    let mut waiting: Vec<Piece> = Vec::new();
    for item in &items.items {
        let is_waiting = !assembler.later.is_empty();
        if is_waiting && !matches!(item, Item::Steps(..)) {
            // In a transaction of its own, after what it waited for.
            let done = assembler.now.len();
            assembler.item(item);
            assembler.flush();
            waiting.extend(assembler.now.drain(done..));
            continue;
        }
        let done = assembler.now.len();
        let known: Vec<usize> = assembler.later.iter().map(|later| later.pieces.len()).collect();
        assembler.item(item);
        if is_waiting {
            waiting.extend(assembler.now.drain(done..));
            // What these steps have to wait for is the same deploy, after what came before them.
            if let Some(first) = assembler.later.first_mut() {
                waiting.extend(first.pieces.drain(known.first().copied().unwrap_or(0)..));
            }
        }
    }
    assembler.flush();
    let Assembler { mut now, mut later, .. } = assembler;
    if let Some(first) = later.first_mut() {
        first.pieces.append(&mut waiting);
    }
    if ways.shared {
        apart(&mut now, &mut later);
    }
    (now, later)
}

/// What has to be committed before the next begins cannot go out in one run.
fn apart(now: &mut Vec<Piece>, later: &mut Vec<Later>) {
    const ONCE: &str = "the deploy before it is out: the tool runs all pending migrations in one transaction";
    let rest: Vec<Piece> = if now.len() > 1 { now.split_off(1) } else { Vec::new() };
    let alone = rest.into_iter().map(|piece| Later { once: ONCE.to_owned(), pieces: vec![piece] });
    let after = std::mem::take(later);
    later.extend(alone);
    for Later { once, pieces } in after {
        let mut once = once;
        for piece in pieces {
            later.push(Later { once: std::mem::replace(&mut once, ONCE.to_owned()), pieces: vec![piece] });
        }
    }
}

#[derive(Default)]
struct Assembler {
    wants_timeout: bool,
    together: bool,
    unwrapped: bool,
    /// The pieces follow one another in one session.
    in_file: bool,
    /// All that comes after something which waits does so, and is put there by the caller.
    patient: bool,
    now: Vec<Piece>,
    later: Vec<Later>,
    /// Statements that share the transaction which is open.
    open: Vec<String>,
    /// Settings that the migration made so far.
    settings: Vec<(String, Set)>,
}

impl Assembler {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Setting(text, set) => {
                self.settings.push((text.clone(), set.clone()));
                if !self.open.is_empty() {
                    self.open.push(text.clone());
                }
            }
            Item::Keep(text) if !self.patient && !self.later.is_empty() && drops_part(text) => {
                self.flush();
                let statements = self.limits(true).into_iter().chain([text.clone()]).collect();
                let piece = Piece { statements, alone: false, together: true, down: Vec::new() };
                if let Some(first) = self.later.first_mut() {
                    first.pieces.push(piece);
                }
            }
            Item::Keep(text) => match items::change_of(text) {
                Some(Change::Reset(reset)) => self.reset(text, &reset),
                _ => {
                    self.begin();
                    self.open.push(text.clone());
                }
            },
            Item::Apart(text) => {
                self.flush();
                self.begin();
                self.open.push(text.clone());
                self.flush();
            }
            Item::Alone(text) => {
                self.flush();
                self.now.push(Piece {
                    statements: self.session().chain([text.clone()]).collect(),
                    alone: true,
                    together: false,
                    down: inverse::of(text),
                });
            }
            Item::Steps(comments, steps) => self.steps(comments, steps),
        }
    }

    /// What was set does not go into what comes after it. A transaction of its own has nothing to take back.
    fn reset(&mut self, text: &str, reset: &Reset) {
        let goes = |set: &Set| reset.parameter.as_ref().is_none_or(|parameter| *parameter == set.parameter);
        self.settings.retain(|(_, set)| !goes(set));
        if !self.open.is_empty() {
            self.open.push(text.to_owned());
        } else if self.in_file {
            let statements = vec![text.to_owned()];
            self.now.push(Piece { statements, alone: true, together: false, down: Vec::new() });
        }
    }

    fn begin(&mut self) {
        if self.open.is_empty() {
            self.open = self.limits(false);
        }
    }

    /// What each transaction starts with. A new one takes the limits only as far as it goes itself.
    fn limits(&self, local: bool) -> Vec<String> {
        let sets_limit = self.settings.iter().any(|(_, set)| is_limit(set));
        let mut limits: Vec<String> = self
            .settings
            .iter()
            .filter(|(_, set)| !local || is_limit(set))
            .map(|(text, set)| if local && !set.local { as_local(text) } else { text.clone() })
            .collect();
        if self.wants_timeout && !sets_limit {
            limits.push(if local || self.together { TIMEOUT } else { SESSION_TIMEOUT }.to_owned());
        }
        limits
    }

    /// Who runs what commits by itself, and where it finds names. Elsewhere than in one session nothing else goes with it.
    fn session(&self) -> impl Iterator<Item = String> {
        let reach = self.settings.iter().filter(|(_, set)| self.in_file && !set.local && is_of_session(set));
        reach.map(|(text, _)| text.clone())
    }

    fn flush(&mut self) {
        let mut statements = std::mem::take(&mut self.open);
        if !statements.is_empty() {
            // The limit is not that of what comes after it in the session.
            if self.unwrapped && statements.first().is_some_and(|it| it == SESSION_TIMEOUT) {
                statements.push("RESET lock_timeout".to_owned());
            }
            self.now.push(Piece { statements, alone: self.unwrapped, together: self.together, down: Vec::new() });
        }
    }

    fn steps(&mut self, comments: &str, steps: &[FixStep]) {
        self.flush();
        let plan = PlanOfChange::of(steps);
        let mut waiting = 0;
        for (number, deploy) in plan.deploys.iter().enumerate() {
            let mut pieces: Vec<Piece> = deploy.migrations.iter().map(|it| self.piece(it)).collect();
            if let (0, Some(migration), Some(piece)) = (number, deploy.migrations.first(), pieces.first_mut()) {
                // After the limits, which are of the whole transaction.
                let limits = piece.statements.len().saturating_sub(migration.steps.len());
                if let Some(first) = piece.statements.get_mut(limits).filter(|_| !comments.is_empty()) {
                    *first = format!("{comments}\n{first}");
                }
            }
            match deploy.code_before {
                None => self.now.extend(pieces),
                Some(once) => {
                    self.wait(waiting, once, pieces);
                    waiting += 1;
                }
            }
        }
    }

    /// Deploys of several statements go out together, each with its own number in its plan.
    fn wait(&mut self, number: usize, once: &str, pieces: Vec<Piece>) {
        match self.later.get_mut(number) {
            Some(later) => {
                if !later.once.split("; ").any(|known| known == once) {
                    later.once = format!("{}; {once}", later.once);
                }
                later.pieces.extend(pieces);
            }
            None => self.later.push(Later { once: once.to_owned(), pieces }),
        }
    }

    fn piece(&self, migration: &PlannedMigration<'_>) -> Piece {
        let down = inverse::of_steps(&migration.steps);
        let written = migration.steps.iter().map(|step| step.sql.trim_end().trim_end_matches(';').to_owned());
        if migration.repeat {
            let statements = migration.steps.iter().map(|step| batches::script(step)).collect();
            return Piece { statements, alone: true, together: false, down };
        }
        if migration.transaction == StepTransaction::None {
            return Piece { statements: self.session().chain(written).collect(), alone: true, together: false, down };
        }
        Piece { statements: self.limits(true).into_iter().chain(written).collect(), alone: false, together: true, down }
    }
}

/// Whether it takes away what a column, a default or a trigger is made of: one that waits may be what still uses it, also where a history
/// leaves open what exists.
fn drops_part(text: &str) -> bool {
    use ObjectKind::{Domain, Function, Procedure, Routine, Sequence, Type};
    let kinds = [Domain, Function, Procedure, Routine, Sequence, Type];
    matches!(items::change_of(text), Some(Change::Drop(drop)) if kinds.contains(&drop.kind))
}

/// Whether statements mean something else, or are not allowed, without it.
pub(super) fn is_of_session(set: &Set) -> bool {
    matches!(&*set.parameter, "role" | "session_authorization" | "search_path")
}

fn is_limit(set: &Set) -> bool {
    matches!(&*set.parameter, "lock_timeout" | "statement_timeout")
}

/// The setting as one of the transaction only: what comes after it in the session may need another.
fn as_local(text: &str) -> String {
    let at = text.to_ascii_uppercase().find("SET").unwrap_or(0);
    let rest = text.get(at + 3..).unwrap_or_default().trim_start();
    let rest = match rest.get(..7) {
        Some(word) if word.eq_ignore_ascii_case("session") => rest.get(7..).unwrap_or_default().trim_start(),
        _ => rest,
    };
    format!("SET LOCAL {rest}")
}
