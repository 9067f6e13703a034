//! The code of a DO block or of a routine: its SQL statements, and what decides which of them run.

use std::sync::Arc;

use sqlparser::ast;

use super::{Name, Statement};
use crate::source::Span;

/// What the analysis can see of code: SQL statements, those of EXECUTE where the text is known, and the way through them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Code {
    /// In the order of the text, each with `conditional` set where it stands under IF, CASE, LOOP or an EXCEPTION handler.
    pub statements: Vec<Statement>,
    pub flow: Vec<Flow>,
    /// Statements whose text is only known when they run. They are reported, not guessed.
    pub dynamic: Vec<Span>,
    /// The statements of RETURN QUERY, by their index.
    pub returned: Vec<usize>,
}

/// A step of the way through the code.
#[derive(Debug, Clone, PartialEq)]
pub enum Flow {
    /// One of the code's statements, by its index.
    Statement(usize),
    Dynamic(Dynamic),
    /// IF and CASE: the first arm whose condition holds runs.
    Branch(Vec<Arm>),
    /// Runs any number of times, or never where the condition of a WHILE does not hold when it is reached.
    Loop {
        label: Option<Name>,
        condition: Condition,
        body: Vec<Flow>,
    },
    Block {
        label: Option<Name>,
        body: Vec<Flow>,
        handlers: Vec<Handler>,
    },
    /// RETURN.
    Return,
    /// RAISE EXCEPTION: goes to a handler, or fails the statement.
    Raise,
    /// EXIT of a loop or a labelled block; CONTINUE is an EXIT of one round.
    Exit {
        label: Option<Name>,
        conditional: bool,
    },
}

/// EXECUTE of a text that is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamic {
    pub place: Span,
    pub reach: Reach,
    /// The words it begins with, where they take rows or objects away: `DROP TABLE`.
    pub removes: Option<Arc<str>>,
}

/// What a text that begins as this one may change of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It begins as a query, a write of rows, or a grant.
    Nothing,
    /// It begins with CREATE: there is more than is known.
    More,
    All,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    pub condition: Condition,
    pub body: Vec<Flow>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// ELSE.
    Otherwise,
    /// With the values of variables in it where they are known.
    Known(Arc<ast::Expr>),
    /// Could not be read, or is a WHEN of a CASE with an operand.
    Unknown,
}

/// WHEN condition [OR …] THEN of an EXCEPTION clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    /// Lower case: `others`, `duplicate_column`; SQLSTATEs as their five characters in upper case.
    pub conditions: Vec<Arc<str>>,
    pub body: Vec<Flow>,
}

impl Code {
    /// Statements that run one after the other.
    pub fn sequence(statements: Vec<Statement>) -> Code {
        let flow = (0..statements.len()).map(Flow::Statement).collect();
        Code { statements, flow, ..Code::default() }
    }
}
