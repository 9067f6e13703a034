//! The body of a function or procedure, as a call of it runs it.
//!
//! In: the text that the catalog keeps, and the call's constant arguments. Out: [`Code`], in which every place is that of the call: the
//! text itself stands in another statement, often of another file.

use std::sync::Arc;

use super::plpgsql::read_plpgsql;
use super::variables::Variables;
use crate::change::{Code, Name, Statement, Unreadable};
use crate::source::Span;
use crate::sql::lex::literal::Literal;
use crate::sql::lex::token::{Origin, Text, tokenize};
use crate::sql::read::reader::Reader;
use crate::sql::read::routine::sql_body;
use crate::sql::script::read_text;

/// An input parameter, and the value of its argument where that is a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: Option<Name>,
    pub value: Option<Arc<str>>,
}

/// `None` for languages that are not read.
pub fn read_routine_body(language: &str, body: &str, parameters: &[Parameter], call: Span) -> Option<Code> {
    let text = Text { origin: Origin::At(call), ..Text::whole(call.file, body) };
    let mut variables = if language == "plpgsql" { Variables::of_plpgsql() } else { Variables::none() };
    for (index, parameter) in parameters.iter().enumerate() {
        let names = parameter.name.iter().cloned().chain([Name::new(&format!("${}", index + 1))]);
        for name in names {
            variables.declare(name.clone());
            variables.assign(&name, parameter.value.as_ref().map(|value| Literal::at(value.clone(), call)));
        }
    }
    let mut code = match language {
        "plpgsql" => read_plpgsql(&text, variables),
        "sql" => {
            let mut statements = sql_statements(&text);
            let changes = statements.iter_mut().filter_map(|statement| statement.change.as_mut().ok());
            changes.for_each(|change| variables.bind(change));
            Code::sequence(statements)
        }
        _ => return None,
    };
    code.statements.iter_mut().for_each(|statement| statement.span = call);
    Some(code)
}

/// One statement whose text stands for a place as a whole.
pub fn read_statement_at(text: &str, place: Span) -> Statement {
    let text = Text { origin: Origin::At(place), ..Text::whole(place.file, text) };
    let read = read_text(&text).into_iter().next();
    let nothing = || Unreadable::new("expected a statement".to_owned(), place);
    let change = read.map_or_else(|| Err(nothing()), |read| read.change);
    Statement { span: place, change, conditional: false, newer: Vec::new(), sent: None }
}

/// The statements of a string, of BEGIN ATOMIC … END, or of RETURN.
fn sql_statements(text: &Text) -> Vec<Statement> {
    if let Ok(tokens) = tokenize(text) {
        let mut reader = Reader::new(*text, tokens);
        if let Ok(Some(body)) = sql_body(&mut reader) {
            return body.statements;
        }
    }
    read_text(text)
}
