//! CREATE TRIGGER, CREATE RULE, CREATE and ALTER POLICY.

use std::sync::Arc;

use sqlparser::tokenizer::Token;

use super::alter_object;
use super::constraint::{self, Attribute};
use super::reader::{Reader, Result};
use crate::change::{
    AlterPolicy, Change, CreateEventTrigger, CreatePolicy, CreateRule, CreateTrigger, Expression, Ident, ObjectKind,
    ObjectReference, RuleEvent, Statement, Transition, TriggerEvent, TriggerTiming, Unreadable,
};

pub(super) fn create_trigger(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_word("CREATE")?;
    let or_replace = reader.or_replace()?;
    let constraint = reader.take_word("CONSTRAINT");
    reader.expect_word("TRIGGER")?;
    if or_replace && constraint {
        let message = "CREATE OR REPLACE CONSTRAINT TRIGGER is not supported";
        return Err(Unreadable::invalid(message, reader.span_from(start)));
    }
    let name = reader.ident_as("the name of a trigger")?;
    let timing = match reader.take_any_word(&["BEFORE", "AFTER", "INSTEAD"]) {
        Some("BEFORE") => TriggerTiming::Before,
        Some("AFTER") => TriggerTiming::After,
        Some(_) => reader.expect_word("OF").map(|()| TriggerTiming::InsteadOf)?,
        None => return Err(reader.error("BEFORE, AFTER or INSTEAD OF")),
    };
    if constraint && timing != TriggerTiming::After {
        return Err(Unreadable::invalid("a constraint trigger must be AFTER: a syntax error", reader.span_from(start)));
    }
    let events = trigger_events(reader)?;
    reader.expect_word("ON")?;
    let table = reader.object_name_as("the name of a table")?;
    let from = if reader.take_word("FROM") { Some(reader.object_name_as("the name of a table")?) } else { None };
    let transitions = transition_tables(reader)?;
    let (deferrable, initially_deferred) = trigger_attributes(reader, constraint)?;
    let for_each_row = for_each_row(reader)?;
    if constraint && !for_each_row {
        let message = "a constraint trigger must be FOR EACH ROW: a syntax error";
        return Err(Unreadable::invalid(message, reader.span_from(start)));
    }
    let condition = if reader.take_word("WHEN") { Some(reader.parenthesized(Reader::expression)?) } else { None };
    reader.expect_word("EXECUTE")?;
    if reader.take_any_word(&["FUNCTION", "PROCEDURE"]).is_none() {
        return Err(reader.error("FUNCTION or PROCEDURE"));
    }
    let function = reader.function_name().map_err(|_| reader.error("the name of a function"))?;
    let arguments = trigger_arguments(reader)?;
    Ok(Change::CreateTrigger(Box::new(CreateTrigger {
        name,
        or_replace,
        table,
        constraint,
        deferrable,
        initially_deferred,
        timing,
        events,
        for_each_row,
        condition,
        function,
        arguments,
        from,
        transitions,
    })))
}

/// `CREATE EVENT TRIGGER name ON event [WHEN TAG IN (values) AND …] EXECUTE FUNCTION function()`.
pub(super) fn create_event_trigger(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "EVENT", "TRIGGER"])?;
    let name = reader.ident_as("the name of an event trigger")?;
    reader.expect_word("ON")?;
    let event = reader.ident_or_any_keyword()?;
    let mut tags: Vec<Arc<str>> = Vec::new();
    if reader.take_word("WHEN") {
        loop {
            reader.ident()?;
            reader.expect_word("IN")?;
            let values = reader.parenthesized(|reader| reader.comma_separated(Reader::string_literal))?;
            tags.extend(values.iter().map(|value| Arc::from(value.to_uppercase())));
            if !reader.take_word("AND") {
                break;
            }
        }
    }
    reader.expect_word("EXECUTE")?;
    if reader.take_any_word(&["FUNCTION", "PROCEDURE"]).is_none() {
        return Err(reader.error("FUNCTION or PROCEDURE"));
    }
    let function = reader.function_name()?;
    reader.expect(&Token::LParen)?;
    reader.expect(&Token::RParen)?;
    Ok(Change::CreateEventTrigger(CreateEventTrigger { name, event, tags, function }))
}

fn trigger_events(reader: &mut Reader) -> Result<Vec<TriggerEvent>> {
    let mut events = Vec::new();
    loop {
        events.push(match reader.take_any_word(&["INSERT", "DELETE", "UPDATE", "TRUNCATE"]) {
            Some("INSERT") => TriggerEvent::Insert,
            Some("DELETE") => TriggerEvent::Delete,
            Some("TRUNCATE") => TriggerEvent::Truncate,
            Some(_) if reader.take_word("OF") => TriggerEvent::Update(reader.comma_separated(Reader::ident)?),
            Some(_) => TriggerEvent::Update(Vec::new()),
            None => return Err(reader.error("INSERT, UPDATE, DELETE or TRUNCATE")),
        });
        if !reader.take_word("OR") {
            return Ok(events);
        }
    }
}

/// `REFERENCING OLD TABLE AS name …`.
fn transition_tables(reader: &mut Reader) -> Result<Vec<Transition>> {
    let mut found: Vec<Transition> = Vec::new();
    if !reader.take_word("REFERENCING") {
        return Ok(found);
    }
    loop {
        let start = reader.position();
        let Some(row) = reader.take_any_word(&["OLD", "NEW"]) else { return Err(reader.error("OLD or NEW")) };
        let kind = reader.take_any_word(&["TABLE", "ROW"]).ok_or_else(|| reader.error("TABLE"))?;
        reader.take_word("AS");
        let transition = Transition { new: row == "NEW", name: reader.ident()? };
        let message = if kind == "ROW" {
            Some("ROW variable naming in the REFERENCING clause is not supported".to_owned())
        } else if found.iter().any(|it| it.new == transition.new) {
            Some(format!("{row} TABLE cannot be specified multiple times"))
        } else if found.iter().any(|it| it.name.name == transition.name.name) {
            Some("OLD TABLE name and NEW TABLE name cannot be the same".to_owned())
        } else {
            None
        };
        if let Some(message) = message {
            return Err(Unreadable::invalid(message, reader.span_from(start)));
        }
        found.push(transition);
        if !reader.at_any_word(&["OLD", "NEW"]) {
            return Ok(found);
        }
    }
}

/// Whether it is deferrable, and deferred at first. INITIALLY DEFERRED makes it deferrable.
fn trigger_attributes(reader: &mut Reader, constraint: bool) -> Result<(bool, bool)> {
    let (mut deferrable, mut deferred) = (false, false);
    loop {
        let start = reader.position();
        match constraint::attribute(reader)? {
            Some(Attribute::Deferrable(yes)) if constraint => deferrable = yes,
            Some(Attribute::InitiallyDeferred(yes)) if constraint => deferred = yes,
            Some(_) => {
                let message = format!("triggers cannot be marked {}", reader.text_from(start));
                return Err(Unreadable::invalid(message, reader.span_from(start)));
            }
            None => return Ok((deferrable || deferred, deferred)),
        }
    }
}

fn for_each_row(reader: &mut Reader) -> Result<bool> {
    if !reader.take_word("FOR") {
        return Ok(false);
    }
    reader.take_word("EACH");
    match reader.take_any_word(&["ROW", "STATEMENT"]) {
        Some(word) => Ok(word == "ROW"),
        None => Err(reader.error("ROW or STATEMENT")),
    }
}

/// Words, numbers and strings: the function gets them all as text.
fn trigger_arguments(reader: &mut Reader) -> Result<Vec<Arc<str>>> {
    reader.expect(&Token::LParen)?;
    if reader.take(&Token::RParen) {
        return Ok(Vec::new());
    }
    let arguments = reader.comma_separated(Reader::setting_value)?;
    reader.expect(&Token::RParen)?;
    Ok(arguments)
}

pub(super) fn create_rule(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    let or_replace = reader.or_replace()?;
    reader.expect_word("RULE")?;
    let name = reader.ident_as("the name of a rule")?;
    reader.expect_words(&["AS", "ON"])?;
    let event = rule_event(reader)?;
    reader.expect_word("TO")?;
    let table = reader.object_name_as("the name of a table")?;
    let condition = if reader.take_word("WHERE") { Some(rule_condition(reader)?) } else { None };
    reader.expect_word("DO")?;
    let instead = reader.take_any_word(&["INSTEAD", "ALSO"]) == Some("INSTEAD");
    let actions = rule_actions(reader)?;
    Ok(Change::CreateRule(CreateRule { name, or_replace, table, event, instead, condition, actions }))
}

fn rule_event(reader: &mut Reader) -> Result<RuleEvent> {
    command(reader).ok_or_else(|| reader.error("SELECT, INSERT, UPDATE or DELETE"))
}

fn command(reader: &mut Reader) -> Option<RuleEvent> {
    Some(match reader.take_any_word(&["SELECT", "INSERT", "UPDATE", "DELETE"])? {
        "SELECT" => RuleEvent::Select,
        "INSERT" => RuleEvent::Insert,
        "UPDATE" => RuleEvent::Update,
        _ => RuleEvent::Delete,
    })
}

/// The condition ends at DO, which is reserved.
fn rule_condition(reader: &mut Reader) -> Result<Expression> {
    let start = reader.position();
    while !reader.at_end() && !reader.at_word("DO") {
        reader.advance();
    }
    let end = reader.position();
    reader.restore(start);
    reader.expression_until(end)
}

/// `NOTHING`, one statement, or several in parentheses.
fn rule_actions(reader: &mut Reader) -> Result<Vec<Statement>> {
    if reader.take_word("NOTHING") {
        return Ok(Vec::new());
    }
    let start = reader.position();
    if reader.at_end() {
        return Err(reader.error("NOTHING or a statement"));
    }
    let query_in_parentheses =
        reader.at(&Token::LParen) && (reader.at_nth_word(1, "SELECT") || *reader.peek_nth(1) == Token::LParen);
    if !reader.at(&Token::LParen) || query_in_parentheses {
        return one_action(reader);
    }
    reader.skip_parenthesized()?;
    let end = reader.position() - 1;
    reader.restore(start + 1);
    let actions = reader.statements_until(end);
    reader.restore(end);
    reader.expect(&Token::RParen)?;
    Ok(actions)
}

fn one_action(reader: &mut Reader) -> Result<Vec<Statement>> {
    let start = reader.position();
    reader.skip_rest();
    let end = reader.position();
    reader.restore(start);
    let actions = reader.statements_until(end);
    reader.restore(end);
    Ok(actions)
}

pub(super) fn create_policy(reader: &mut Reader) -> Result<Change> {
    reader.expect_words(&["CREATE", "POLICY"])?;
    let name = reader.ident_as("the name of a policy")?;
    reader.expect_word("ON")?;
    let table = reader.object_name_as("the name of a table")?;
    let restrictive = reader.take_word("AS") && policy_kind(reader)?;
    let command = if reader.take_word("FOR") && !reader.take_word("ALL") {
        Some(command(reader).ok_or_else(|| reader.error("ALL, SELECT, INSERT, UPDATE or DELETE"))?)
    } else {
        None
    };
    let roles = if reader.take_word("TO") { reader.roles()? } else { Vec::new() };
    let (using, with_check) = policy_expressions(reader)?;
    Ok(Change::CreatePolicy(CreatePolicy { name, table, restrictive, command, roles, using, with_check }))
}

fn policy_kind(reader: &mut Reader) -> Result<bool> {
    match reader.take_any_word(&["PERMISSIVE", "RESTRICTIVE"]) {
        Some(word) => Ok(word == "RESTRICTIVE"),
        None => Err(reader.error("PERMISSIVE or RESTRICTIVE")),
    }
}

fn policy_expressions(reader: &mut Reader) -> Result<(Option<Expression>, Option<Expression>)> {
    let using = if reader.take_word("USING") { Some(reader.parenthesized(Reader::expression)?) } else { None };
    if !reader.take_word("WITH") {
        return Ok((using, None));
    }
    reader.expect_word("CHECK")?;
    Ok((using, Some(reader.parenthesized(Reader::expression)?)))
}

pub(super) fn alter_policy(reader: &mut Reader) -> Result<Change> {
    let start = reader.position();
    reader.expect_words(&["ALTER", "POLICY"])?;
    let if_exists = reader.if_exists();
    let name: Ident = reader.ident_as("the name of a policy")?;
    reader.expect_word("ON")?;
    let table = reader.object_name_as("the name of a table")?;
    if if_exists || reader.at_word("RENAME") {
        let object = ObjectReference {
            span: name.span.to(table.span),
            name: super::ddl::unqualified(name),
            arguments: None,
            on: Some(table),
        };
        return alter_object::shared(reader, start, ObjectKind::Policy, object);
    }
    let roles = if reader.take_word("TO") { Some(reader.roles()?) } else { None };
    let (using, with_check) = policy_expressions(reader)?;
    Ok(Change::AlterPolicy(AlterPolicy { name, table, roles, using, with_check }))
}
