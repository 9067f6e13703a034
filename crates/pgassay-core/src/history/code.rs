//! The way through the code of a DO block or of a called routine.
//!
//! In: [`Code`], and the state of the walk where it starts. Every statement that may run becomes a step: certain, or conditional where
//! a guard that the model cannot decide, a loop, an early RETURN or an EXCEPTION clause stands between.

use std::sync::Arc;

use super::guard;
use super::raised::{is_taken, raised};
use super::replay::{Place, Ran, Replay};
use super::transaction::Checkpoint;
use crate::apply::{Problem, ProblemKind};
use crate::change::{
    Arm, Change, Code, Condition, Dynamic, Flow, Handler, Name, Nothing, PrintedName, Reach, Statement,
};
use crate::effect::{FailsWhen, Prediction};

/// Code and who keeps it: the file's statement, or the call.
#[derive(Debug, Clone)]
pub(super) enum CodeOf<'a> {
    Written(&'a Code),
    Called(Arc<Code>),
}

impl<'a> CodeOf<'a> {
    fn code(&self) -> &Code {
        match self {
            CodeOf::Written(code) => code,
            CodeOf::Called(code) => code,
        }
    }

    fn statement(&self, index: usize) -> Option<Ran<'a>> {
        match self {
            CodeOf::Written(code) => code.statements.get(index).map(Ran::Written),
            CodeOf::Called(code) => (index < code.statements.len()).then(|| Ran::Called(code.clone(), index)),
        }
    }
}

/// How code is left before its end.
#[derive(Debug, Clone, PartialEq)]
enum Leave {
    Return,
    Raise,
    Exit(Option<Name>),
}

/// How a part of the code ended.
#[derive(Debug, Default)]
struct End {
    /// What follows does not run.
    left: Option<Leave>,
    /// What follows may not run.
    may_leave: Vec<Leave>,
}

impl End {
    /// The end of what may not have run at all.
    fn perhaps(mut self) -> End {
        self.may_leave.extend(self.left.take());
        self
    }

    /// Takes in what a part that ran before says.
    fn after(&mut self, part: End) {
        self.may_leave.extend(part.may_leave);
        self.left = part.left;
    }

    /// Leaves that end here.
    fn absorb(&mut self, ends: impl Fn(&Leave) -> bool) {
        if self.left.as_ref().is_some_and(&ends) {
            self.left = None;
        }
        self.may_leave.retain(|leave| !ends(leave));
    }
}

impl<'a> Replay<'_, 'a> {
    /// Runs the code from its start.
    pub(super) fn code(&mut self, of: &CodeOf<'a>, place: Place) {
        let flow = of.code().flow.clone();
        let end = self.flow(of, &flow, place);
        if end.left == Some(Leave::Raise) && !place.conditional {
            self.raises(place);
        }
    }

    /// Code that raises an exception whichever way it takes: the statement that runs it is refused. A block around it may take the error.
    fn raises(&mut self, place: Place) {
        if !self.judged || self.subtransactions > 0 {
            return;
        }
        let Some(block) = place.block else { return };
        let Some(step) = self.steps.get_mut(block) else { return };
        let message = match &self.fires {
            Some(trigger) => format!("event trigger \"{}\" raises an exception at it", trigger.as_str()),
            None => "it raises an exception, whichever way its code takes".to_owned(),
        };
        let span = step.statement.span;
        let problem = Problem { kind: ProblemKind::Invalid, span, object: PrintedName::other(""), message };
        if !step.is_block() {
            return step.applied.problems.push(problem);
        }
        // What is said of a block is said of a statement in it.
        let change = Ok(Change::Nothing(Nothing { name: "raise", forbidden_in_transaction: false }));
        let statement = Statement { span, change, conditional: false, newer: Vec::new(), sent: None };
        let code = Code { statements: vec![statement], ..Code::default() };
        let raise = self.push(Ran::Called(Arc::new(code), 0), place, Prediction::default());
        self.steps[raise].applied.problems.push(problem);
    }

    fn flow(&mut self, of: &CodeOf<'a>, flow: &[Flow], place: Place) -> End {
        let mut end = End::default();
        for step in flow {
            let place = Place { conditional: place.conditional || !end.may_leave.is_empty(), ..place };
            let part = match step {
                Flow::Statement(index) => {
                    if let Some(statement) = of.statement(*index) {
                        self.statement(statement, place);
                    }
                    End::default()
                }
                Flow::Dynamic(text) => {
                    self.dynamic(text, matches!(of, CodeOf::Called(_)), place);
                    End::default()
                }
                Flow::Branch(arms) => self.branch(of, arms, place),
                Flow::Loop { condition, .. } if self.holds(condition) == Some(false) => End::default(),
                Flow::Loop { label, body, .. } => {
                    let mut part = self.flow(of, body, Place { conditional: true, ..place }).perhaps();
                    part.absorb(|leave| matches!(leave, Leave::Exit(to) if to.is_none() || to == label));
                    part
                }
                Flow::Block { label, body, handlers } => {
                    let mut part = self.protected(of, body, handlers, place);
                    part.absorb(|leave| matches!(leave, Leave::Exit(Some(to)) if label.as_ref() == Some(to)));
                    part
                }
                Flow::Return => End { left: Some(Leave::Return), ..End::default() },
                Flow::Raise => End { left: Some(Leave::Raise), ..End::default() },
                Flow::Exit { label, conditional } => {
                    let end = End { left: Some(Leave::Exit(label.clone())), ..End::default() };
                    if *conditional { end.perhaps() } else { end }
                }
            };
            end.after(part);
            if end.left.is_some() {
                break;
            }
        }
        end
    }

    /// The first arm whose condition holds, where the model knows; else every arm that may run.
    fn branch(&mut self, of: &CodeOf<'a>, arms: &[Arm], place: Place) -> End {
        let mut end = End::default();
        let mut perhaps = place.conditional;
        let mut ends = Vec::new();
        for arm in arms {
            let holds = self.holds(&arm.condition);
            if holds == Some(false) {
                continue;
            }
            let certain = holds == Some(true) && perhaps == place.conditional;
            let part = self.flow(of, &arm.body, Place { conditional: place.conditional || !certain, ..place });
            if certain {
                return part;
            }
            ends.push(part.perhaps());
            perhaps = true;
            if holds == Some(true) {
                break;
            }
        }
        ends.into_iter().for_each(|part| end.after(part));
        end
    }

    fn holds(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Otherwise => Some(true),
            Condition::Unknown => None,
            Condition::Known(tree) => guard::decide(tree, &self.world.schema, &self.world.session, self.version),
        }
    }

    /// A block with an EXCEPTION clause: an error in it undoes what the block did and runs the handler (manual, 41.6.8).
    fn protected(&mut self, of: &CodeOf<'a>, body: &[Flow], handlers: &[Handler], place: Place) -> End {
        if handlers.is_empty() {
            return self.flow(of, body, place);
        }
        let before: Checkpoint = self.world.checkpoint();
        let first = self.steps.len();
        self.subtransactions += 1;
        let mut end = self.flow(of, body, place);
        self.subtransactions -= 1;
        let failing = self.fails_since(first);
        if failing.is_some_and(|step| self.passes_by(step, handlers)) {
            return End { left: Some(Leave::Raise), ..End::default() };
        }
        let fails = end.left == Some(Leave::Raise) || failing.is_some();
        end.absorb(|leave| *leave == Leave::Raise);
        if let Some(step) = failing {
            // It is refused before it does its work.
            let prediction = &mut self.steps[step].prediction;
            prediction.work.clear();
            prediction.effect.scans.clear();
            prediction.effect.rewrites.clear();
            prediction.effect.index_builds.clear();
            prediction.failures.retain(|failure| failure.when == FailsWhen::Always);
        }
        // Whatever fails here is what the handler is for.
        for step in &mut self.steps[first..] {
            step.conditional = true;
        }
        if fails {
            self.world.go_back(before);
            end = End::default();
        }
        let place = Place { conditional: place.conditional || !fails || handlers.len() > 1, ..place };
        let mut ends: Vec<End> = Vec::new();
        for handler in handlers {
            ends.push(self.flow(of, &handler.body, place));
        }
        match (fails, ends.len()) {
            (true, 1) => end.after(ends.remove(0)),
            _ => ends.into_iter().for_each(|part| end.may_leave.extend(part.perhaps().may_leave)),
        }
        end
    }

    /// The first step since this one of which the model says that it is refused, whatever the rows are.
    fn fails_since(&self, first: usize) -> Option<usize> {
        let refused = |step: &super::Step| {
            let always = step.prediction.failures.iter().any(|failure| failure.when == FailsWhen::Always);
            !step.conditional && (always || !step.applied.problems.is_empty())
        };
        (first..self.steps.len()).find(|at| refused(&self.steps[*at]))
    }

    /// Whether no handler takes the error of a step.
    fn passes_by(&self, step: usize, handlers: &[Handler]) -> bool {
        let step = &self.steps[step];
        let failures = step.prediction.failures.iter().filter(|failure| failure.when == FailsWhen::Always);
        let messages = step.applied.problems.iter().map(|it| &it.message).chain(failures.map(|it| &it.message));
        // Which of several the server raises first is not known.
        let mut taken = messages.map(|it| raised(it).is_none_or(|raised| is_taken(raised, handlers)));
        !taken.any(|it| it)
    }

    /// A text that is put together when it runs may do anything to what is there.
    fn dynamic(&mut self, text: &Dynamic, called: bool, place: Place) {
        let reach = text.reach;
        self.world.schema.forget_rows();
        self.world.schema.complete &= reach == Reach::Nothing;
        if reach == Reach::All {
            self.world.schema.disturb();
        }
        // What triggers and functions do to rows by names that they are given is their daily work.
        let is_told = !called || reach != Reach::Nothing || text.removes.is_some();
        if let Some(step) = place.block.and_then(|block| self.steps.get_mut(block)).filter(|_| is_told) {
            // The rounds of a loop over constants have one place.
            if called || !step.dynamic.iter().any(|known| known.place == text.place) {
                step.dynamic.push(text.clone());
            }
        }
    }
}
