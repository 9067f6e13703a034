//! CREATE and ALTER of functions and procedures.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::reader::{Reader, Result};
use super::{alter_object, setting};
use crate::catalog::Volatility;
use crate::change::{
    AlterRoutine, Argument, ArgumentMode, Change, CreateRoutine, Ident, Name, ObjectKind, RoutineName, Statement,
    TypeName, Unreadable,
};
use crate::source::Span;
use crate::sql::lex::literal::Literal;
use crate::sql::newer::newer;
use crate::sql::script::{read_text, read_tokens};

pub(super) fn create_routine(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_word("CREATE")?;
    let or_replace = reader.or_replace()?;
    let procedure = reader.take_word("PROCEDURE");
    if !procedure {
        reader.expect_word("FUNCTION")?;
    }
    let name = reader.function_name().map_err(|_| reader.error("the name of a function"))?;
    let arguments = arguments(reader)?;
    let (returns, returns_table) = if procedure { (None, Vec::new()) } else { result(reader)? };
    let mut options = Options::default();
    while option(reader, &mut options)? {}
    if let Some(body) = sql_body(reader)? {
        options.body = Some(body);
    }
    if options.language.is_none() && options.body.as_ref().is_some_and(|it| it.literal.is_some()) {
        return Err(Unreadable::invalid("no language specified", reader.span_from(start)));
    }
    let sets = returns.as_ref().is_some_and(|it| it.set_of) || !returns_table.is_empty();
    if let Some(span) = options.rows.filter(|_| !sets) {
        return Err(Unreadable::invalid("ROWS is not applicable when function does not return a set", span));
    }
    let language = options.language.unwrap_or(Name::new("sql"));
    let body = options.body.unwrap_or_else(|| Body::empty(reader.span()));
    let statements = match &body.literal {
        Some(literal) if language == "sql" => read_text(&literal.text()),
        _ => body.statements,
    };
    Ok(Change::CreateRoutine(Box::new(CreateRoutine {
        name,
        procedure,
        or_replace,
        arguments,
        returns,
        returns_table,
        language,
        volatility: options.volatility.unwrap_or_default(),
        strict: options.strict.unwrap_or(false),
        security_definer: options.security_definer.unwrap_or(false),
        settings: options.settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        body: body.text,
        body_span: body.span,
        statements,
        span: reader.span_from(start),
    })))
}

/// `(arguments)`, with their defaults.
fn arguments(reader: &mut Reader) -> Result<Vec<Argument>> {
    reader.expect(&Token::LParen)?;
    if reader.take(&Token::RParen) {
        return Ok(Vec::new());
    }
    let mut variadic = false;
    let arguments = reader.comma_separated(|reader| {
        let start = reader.position();
        let mut argument = argument(reader)?;
        if reader.take_word("DEFAULT") || reader.take(&Token::Eq) {
            argument.default = Some(reader.expression()?);
        }
        unlike_parameter(&argument, variadic)
            .map_or(Ok(()), |message| Err(Unreadable::invalid(message, reader.span_from(start))))?;
        variadic |= argument.mode == ArgumentMode::Variadic;
        Ok(argument)
    })?;
    reader.expect(&Token::RParen)?;
    Ok(arguments)
}

/// What no parameter may be (`interpret_function_parameter_list`, functioncmds.c).
fn unlike_parameter(argument: &Argument, after_variadic: bool) -> Option<&'static str> {
    if argument.data_type.set_of {
        return Some("functions cannot accept set arguments");
    }
    if argument.mode == ArgumentMode::Out {
        return argument.default.as_ref().map(|_| "only input parameters can have default values");
    }
    after_variadic.then_some("VARIADIC parameter must be the last input parameter")
}

/// `[mode] [name] type` or `name mode type`.
pub(super) fn argument(reader: &mut Reader) -> Result<Argument> {
    let mut mode = argument_mode(reader);
    let mut name = None;
    if let Some(found) = argument_name(reader) {
        name = Some(found);
        mode = mode.or_else(|| argument_mode(reader));
    }
    Ok(Argument { mode: mode.unwrap_or_default(), name, data_type: reader.type_name()?, default: None })
}

fn argument_mode(reader: &mut Reader) -> Option<ArgumentMode> {
    Some(match reader.take_any_word(&["IN", "OUT", "INOUT", "VARIADIC"])? {
        "IN" if reader.take_word("OUT") => ArgumentMode::InOut,
        "IN" => ArgumentMode::In,
        "OUT" => ArgumentMode::Out,
        "INOUT" => ArgumentMode::InOut,
        _ => ArgumentMode::Variadic,
    })
}

/// A name is there when a type can be read behind it; `double precision` and the like are types alone.
fn argument_name(reader: &mut Reader) -> Option<Ident> {
    let start = reader.position();
    let whole = reader.type_name().is_ok() && at_end_of_argument(reader);
    reader.restore(start);
    if whole {
        return None;
    }
    let name = reader.function_ident().ok();
    if name.is_none() {
        reader.restore(start);
    }
    name
}

fn at_end_of_argument(reader: &Reader) -> bool {
    let at_token = matches!(reader.peek(), Token::Comma | Token::RParen | Token::Eq | Token::EOF);
    at_token || reader.at_any_word(&["DEFAULT", "ORDER"])
}

type ResultTypes = (Option<TypeName>, Vec<(Ident, TypeName)>);

fn result(reader: &mut Reader) -> Result<ResultTypes> {
    if !reader.at_word("RETURNS") || reader.at_words(&["RETURNS", "NULL", "ON"]) {
        return Ok((None, Vec::new()));
    }
    reader.expect_word("RETURNS")?;
    if !reader.take_word("TABLE") {
        return Ok((Some(reader.type_name()?), Vec::new()));
    }
    let columns = reader.parenthesized(|reader| {
        reader.comma_separated(|reader| {
            let name = reader.function_ident().map_err(|_| reader.error("a column name"))?;
            Ok((name, reader.type_name()?))
        })
    })?;
    Ok((None, columns))
}

/// What the options of CREATE and ALTER have said so far.
#[derive(Default)]
struct Options {
    language: Option<Name>,
    volatility: Option<Volatility>,
    strict: Option<bool>,
    security_definer: Option<bool>,
    settings: Vec<(Arc<str>, Option<Arc<str>>)>,
    body: Option<Body>,
    /// Where ROWS is written.
    rows: Option<Span>,
    cost: Option<Span>,
    parallel: Option<Ident>,
}

/// Notes an option that may be there once (`errorConflictingDefElem`, parse_node.c).
fn once<T>(reader: &Reader, start: usize, slot: &mut Option<T>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Unreadable::invalid("conflicting or redundant options", reader.span_from(start))),
    }
}

pub(in crate::sql) struct Body {
    text: Arc<str>,
    span: Span,
    /// A body given as a string: read when its language turns out to be SQL.
    literal: Option<Literal>,
    pub(in crate::sql) statements: Vec<Statement>,
}

impl Body {
    fn empty(span: Span) -> Body {
        Body { text: "".into(), span: Span { end: span.start, ..span }, literal: None, statements: Vec::new() }
    }
}

/// Reads one option of CREATE FUNCTION; false when none stands here.
fn option(reader: &mut Reader, options: &mut Options) -> Result<bool> {
    let start = reader.position();
    if common_option(reader, options)? {
        return Ok(true);
    }
    match reader.take_any_word(&["LANGUAGE", "TRANSFORM", "WINDOW", "AS"]) {
        Some("LANGUAGE") => {
            let language = setting::word_or_string(reader)?;
            once(reader, start, &mut options.language, language)?;
        }
        Some("TRANSFORM") => {
            reader.comma_separated(|reader| {
                reader.expect_words(&["FOR", "TYPE"])?;
                reader.type_name()
            })?;
        }
        Some("WINDOW") => {}
        Some(_) => {
            let body = string_body(reader)?;
            once(reader, start, &mut options.body, body)?;
        }
        None => return Ok(false),
    }
    Ok(true)
}

/// The options that CREATE and ALTER share; false when none stands here.
fn common_option(reader: &mut Reader, options: &mut Options) -> Result<bool> {
    const FLAGS: &[&[&str]] = &[&["LEAKPROOF"], &["NOT", "LEAKPROOF"]];
    if FLAGS.iter().any(|words| reader.take_words(words)) {
        return Ok(true);
    }
    let start = reader.position();
    if reader.take_words(&["CALLED", "ON", "NULL", "INPUT"]) {
        once(reader, start, &mut options.strict, false)?;
    } else if reader.take_words(&["RETURNS", "NULL", "ON", "NULL", "INPUT"]) || reader.take_word("STRICT") {
        once(reader, start, &mut options.strict, true)?;
    } else if let Some(word) = reader.take_any_word(&["IMMUTABLE", "STABLE", "VOLATILE"]) {
        let volatility = match word {
            "IMMUTABLE" => Volatility::Immutable,
            "STABLE" => Volatility::Stable,
            _ => Volatility::Volatile,
        };
        once(reader, start, &mut options.volatility, volatility)?;
    } else if reader.at_any_word(&["EXTERNAL", "SECURITY"]) {
        let definer = security(reader)?;
        once(reader, start, &mut options.security_definer, definer)?;
    } else if let Some(word) = reader.take_any_word(&["COST", "ROWS"]) {
        let at_number = reader.position();
        reader.number()?;
        let number = reader.text_from(at_number).trim();
        if number.starts_with('-') || number.parse::<f64>() == Ok(0.0) {
            return Err(Unreadable::invalid(format!("{word} must be positive"), reader.span_from(start)));
        }
        let slot = if word == "ROWS" { &mut options.rows } else { &mut options.cost };
        once(reader, start, slot, reader.span_from(start))?;
    } else if reader.take_word("SUPPORT") {
        reader.object_name_as("a function")?;
    } else if reader.take_word("PARALLEL") {
        let word = reader.ident()?;
        if !matches!(word.name.as_str(), "safe" | "restricted" | "unsafe") {
            let message = "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE";
            return Err(Unreadable::invalid(message, word.span));
        }
        once(reader, start, &mut options.parallel, word)?;
    } else if reader.at_any_word(&["SET", "RESET"]) {
        if let Some(setting) = setting::set_or_reset(reader)? {
            options.settings.push(setting);
        }
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn security(reader: &mut Reader) -> Result<bool> {
    reader.take_word("EXTERNAL");
    reader.expect_word("SECURITY")?;
    match reader.take_any_word(&["DEFINER", "INVOKER"]) {
        Some(word) => Ok(word == "DEFINER"),
        None => Err(reader.error("DEFINER or INVOKER")),
    }
}

/// `AS 'body'`, or `AS 'object file', 'symbol'`.
fn string_body(reader: &mut Reader) -> Result<Body> {
    let literal = reader.literal()?;
    if reader.take(&Token::Comma) {
        reader.string_literal()?;
    }
    Ok(Body { text: literal.value.clone(), span: literal.span, literal: Some(literal), statements: Vec::new() })
}

/// `RETURN expression`, or `BEGIN ATOMIC … END`.
pub(in crate::sql) fn sql_body(reader: &mut Reader) -> Result<Option<Body>> {
    let start = reader.position();
    let statements = if reader.at_word("RETURN") {
        vec![returned(reader)?]
    } else if reader.take_words(&["BEGIN", "ATOMIC"]) {
        atomic_body(reader)?
    } else {
        return Ok(None);
    };
    Ok(Some(Body { text: reader.text_from(start).into(), span: reader.span_from(start), literal: None, statements }))
}

/// The statements up to the END that closes the body; a statement may be RETURN expression.
fn atomic_body(reader: &mut Reader) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    while !reader.take_word("END") {
        if reader.take(&Token::SemiColon) {
            continue;
        }
        if reader.at_word("RETURN") {
            statements.push(returned(reader)?);
        } else {
            let end = end_of_statement(reader);
            statements.extend(reader.statements_until(end));
        }
        if !reader.at(&Token::SemiColon) {
            return Err(reader.error("';'"));
        }
    }
    Ok(statements)
}

/// `RETURN expression` runs as `SELECT expression` (`makeSQLFunctionBody`; transformReturnStmt, analyze.c).
fn returned(reader: &mut Reader) -> Result<Statement> {
    let start = reader.position();
    reader.expect_word("RETURN")?;
    reader.expression()?;
    let mut tokens: Vec<_> = (start..reader.position()).map(|at| reader.parser.token_at(at).clone()).collect();
    if let Some(first) = tokens.first_mut() {
        first.token = Token::make_keyword("SELECT");
    }
    let newer = newer(&reader.text, &tokens);
    let change = read_tokens(reader.text, tokens, None);
    Ok(Statement { span: reader.span_from(start), change, conditional: false, newer, sent: None })
}

/// The position of the semicolon that ends the statement which begins here; a CASE has an END of its own.
fn end_of_statement(reader: &mut Reader) -> usize {
    let start = reader.position();
    while !matches!(reader.peek(), Token::SemiColon | Token::EOF) {
        reader.advance();
    }
    let end = reader.position();
    reader.restore(start);
    end
}

pub(super) fn alter_routine(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_word("ALTER")?;
    let kind = match reader.take_any_word(&["FUNCTION", "PROCEDURE", "ROUTINE"]) {
        Some("FUNCTION") => ObjectKind::Function,
        Some("PROCEDURE") => ObjectKind::Procedure,
        _ => ObjectKind::Routine,
    };
    let routine = routine_name(reader)?;
    let at_options = reader.position();
    if reader.at_any_word(&["RENAME", "OWNER", "DEPENDS", "NO"]) || reader.at_words(&["SET", "SCHEMA"]) {
        return alter_object::shared(reader, start, kind, routine.into());
    }
    let mut options = Options::default();
    while common_option(reader, &mut options)? {}
    if reader.position() == at_options {
        return Err(reader.error("an option of a function, RENAME TO, OWNER TO or SET SCHEMA"));
    }
    reader.take_word("RESTRICT");
    let Options { volatility, strict, security_definer, settings, .. } = options;
    Ok(Change::AlterRoutine(AlterRoutine { routine, volatility, strict, security_definer, settings }))
}

/// `name`, or `name(arguments)`: only input arguments tell routines apart.
pub(super) fn routine_name(reader: &mut Reader) -> Result<RoutineName> {
    let name = reader.function_name().map_err(|_| reader.error("the name of a function"))?;
    if !reader.at(&Token::LParen) {
        return Ok(RoutineName { name, arguments: None });
    }
    reader.expect(&Token::LParen)?;
    let mut types = Vec::new();
    if !reader.at(&Token::RParen) {
        for argument in reader.comma_separated(argument)? {
            if argument.mode != ArgumentMode::Out {
                types.push(argument.data_type);
            }
        }
    }
    reader.expect(&Token::RParen)?;
    Ok(RoutineName { name, arguments: Some(types) })
}
