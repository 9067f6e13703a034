//! Statements that touch no relation, and EXPLAIN and CALL.

use sqlparser::tokenizer::Token;

use super::data;
use super::reader::{Reader, Result};
use super::statement::read_statement;
use crate::change::{Call, Change, CreateOther, Nothing, ObjectKind};
use crate::sql::lex::keyword::QUERY;
use crate::sql::script::read_tokens;

pub(super) fn read(reader: &mut Reader) -> Result<Change> {
    let Token::Word(word) = reader.peek() else { return Err(reader.error("a statement")) };
    match word.value.to_ascii_lowercase().as_str() {
        "explain" => explain(reader),
        "call" => call(reader),
        "prepare" => prepare(reader),
        "execute" => execute(reader),
        "deallocate" => deallocate(reader),
        "declare" => declare(reader),
        "fetch" | "move" => fetch(reader),
        "close" => named(reader, "close"),
        "listen" => named(reader, "listen"),
        "unlisten" => named(reader, "unlisten"),
        "notify" => notify(reader),
        "checkpoint" => words(reader, "checkpoint"),
        "show" => words(reader, "show"),
        "load" => load(reader),
        "security" => words(reader, "security-label"),
        "import" => import(reader),
        _ => Err(reader.error("a statement")),
    }
}

fn nothing(name: &'static str) -> Result<Change> {
    Ok(Change::Nothing(Nothing { name, forbidden_in_transaction: false }))
}

fn explain(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("EXPLAIN")?;
    let mut analyze = false;
    let options = reader.at(&Token::LParen) && !QUERY.iter().any(|w| reader.at_nth_word(1, w));
    if options && *reader.peek_nth(1) != Token::LParen {
        let options = reader.parenthesized(|reader| reader.comma_separated(explain_option))?;
        analyze = options.into_iter().any(|analyze| analyze);
    } else {
        analyze |= reader.take_any_word(&["ANALYZE", "ANALYSE"]).is_some();
        reader.take_word("VERBOSE");
    }
    const EXPLAINED: &[&str] = &[
        "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "DECLARE", "CREATE", "REFRESH",
        "EXECUTE",
    ];
    if !reader.at_any_word(EXPLAINED) && !reader.at(&Token::LParen) {
        return Err(reader.error("a statement that has a plan"));
    }
    let change = Box::new(read_statement(reader)?);
    Ok(Change::Explain { analyze, change })
}

/// Whether the option turns ANALYZE on.
fn explain_option(reader: &mut Reader) -> Result<bool> {
    let name = reader.ident_or_any_keyword()?;
    let off =
        reader.at_any_word(&["FALSE", "OFF"]) || matches!(reader.peek(), Token::Number(digits, _) if digits == "0");
    while !matches!(reader.peek(), Token::Comma | Token::RParen | Token::EOF) {
        reader.advance();
    }
    Ok(matches!(name.name.as_str(), "analyze" | "analyse") && !off)
}

/// The arguments of CALL are read as those of SELECT.
fn call(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_word("CALL")?;
    let name = reader.position();
    let procedure = reader.function_name()?;
    reader.restore(name);
    reader.expression()?;
    let mut tokens: Vec<_> = (start..reader.position()).map(|at| reader.parser.token_at(at).clone()).collect();
    if let Some(first) = tokens.first_mut() {
        first.token = Token::make_keyword("SELECT");
    }
    match read_tokens(reader.text, tokens, None)? {
        Change::Select(select) => Ok(Change::Call(Call { procedure, tree: select.tree })),
        _ => Err(reader.error("a procedure")),
    }
}

fn prepare(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("PREPARE")?;
    let name = reader.ident()?;
    if reader.at(&Token::LParen) {
        reader.parenthesized(|reader| reader.comma_separated(Reader::type_name))?;
    }
    reader.expect_word("AS")?;
    let change = Box::new(data::rows(reader)?);
    Ok(Change::Prepare { name, change })
}

fn execute(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("EXECUTE")?;
    let name = reader.ident()?;
    if reader.at(&Token::LParen) {
        reader.parenthesized(|reader| reader.comma_separated(Reader::expression))?;
    }
    Ok(Change::Execute(name))
}

fn deallocate(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("DEALLOCATE")?;
    reader.take_word("PREPARE");
    let all = reader.at_word("ALL");
    let name = reader.ident_or_any_keyword()?;
    Ok(Change::Deallocate((!all).then_some(name)))
}

fn declare(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("DECLARE")?;
    let name = reader.ident()?;
    while reader.take_any_word(&["BINARY", "ASENSITIVE", "INSENSITIVE", "NO", "SCROLL"]).is_some() {}
    reader.expect_word("CURSOR")?;
    let hold = reader.take_words(&["WITH", "HOLD"]);
    _ = hold || reader.take_words(&["WITHOUT", "HOLD"]);
    reader.expect_word("FOR")?;
    Ok(Change::DeclareCursor { name, hold, change: Box::new(data::rows(reader)?) })
}

/// FETCH and MOVE: a direction, FROM or IN, a cursor.
fn fetch(reader: &mut Reader) -> Result<Change> {
    let name = if reader.at_word("FETCH") { "fetch" } else { "move" };
    reader.advance();
    while !reader.at_end() && !matches!(reader.peek_nth(1), Token::EOF) {
        match reader.peek() {
            Token::Word(_) => reader.advance(),
            _ => drop(reader.integer()?),
        }
    }
    reader.ident()?;
    nothing(name)
}

fn named(reader: &mut Reader, name: &'static str) -> Result<Change> {
    reader.advance();
    if !reader.take(&Token::Mul) {
        reader.ident_or_any_keyword()?;
    }
    nothing(name)
}

fn notify(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("NOTIFY")?;
    reader.ident()?;
    if reader.take(&Token::Comma) {
        reader.string_literal()?;
    }
    nothing("notify")
}

fn load(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("LOAD")?;
    reader.string_literal()?;
    nothing("load")
}

/// Whatever follows changes nothing that the models follow.
fn words(reader: &mut Reader, name: &'static str) -> Result<Change> {
    if name == "security-label" {
        reader.expect_words(&["SECURITY", "LABEL"])?;
    }
    if name == "checkpoint" {
        reader.advance();
        if reader.at(&Token::LParen) {
            reader.skip_parenthesized()?;
        }
        return nothing(name);
    }
    reader.advance();
    reader.skip_rest();
    nothing(name)
}

/// IMPORT FOREIGN SCHEMA makes foreign tables that only the other server knows.
fn import(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["IMPORT", "FOREIGN", "SCHEMA"])?;
    reader.skip_rest();
    let (kind, name) = (ObjectKind::ForeignTable, None);
    Ok(Change::CreateOther(CreateOther {
        kind,
        name,
        if_not_exists: false,
        or_replace: false,
        forbidden_in_transaction: false,
    }))
}
