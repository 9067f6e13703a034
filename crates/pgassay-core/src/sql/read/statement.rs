//! Which reader reads a statement: the first words say.
//!
//! Every reader begins at the statement's first word and leaves the cursor behind its last token.

use super::reader::{Reader, Result};
use super::{
    alter_object, alter_table, create_other, data, foreign, grant, index, maintenance, object, publication, routine,
    schema, sequence, session, table, trigger, types, view,
};
use crate::change::{Change, Unreadable};

/// Reads one statement, to its end.
pub(in crate::sql) fn read_statement(reader: &mut Reader) -> Result<Change> {
    let change = read_first_words(reader)?;
    reader.expect_end()?;
    Ok(change)
}

fn read_first_words(reader: &mut Reader) -> Result<Change> {
    match first_word(reader).as_str() {
        "create" => create(reader),
        "alter" => alter(reader),
        "drop" if reader.at_nth_word(1, "OWNED") => object::owned(reader),
        "drop" => object::drop(reader),
        "reassign" => object::owned(reader),
        "comment" => object::comment(reader),
        "grant" => grant::grant(reader),
        "revoke" => grant::revoke(reader),
        "truncate" => table::truncate(reader),
        "lock" => table::lock_table(reader),
        "reindex" => maintenance::reindex(reader),
        "cluster" => maintenance::cluster(reader),
        "vacuum" => maintenance::vacuum(reader),
        "analyze" | "analyse" => maintenance::analyze(reader),
        "security" => object::security_label(reader),
        "import" => foreign::import_schema(reader),
        "refresh" => view::refresh_materialized_view(reader),
        "do" => session::do_block(reader),
        "begin" | "start" | "commit" | "end" | "rollback" | "abort" | "savepoint" | "release" => {
            session::transaction(reader)
        }
        "prepare" if reader.at_nth_word(1, "TRANSACTION") => session::transaction(reader),
        "set" => session::set(reader),
        "reset" | "discard" => session::reset(reader),
        _ => data::read(reader),
    }
}

fn first_word(reader: &Reader) -> String {
    reader.peek().to_string().to_ascii_lowercase()
}

/// The words between CREATE and the kind of object.
const BEFORE_KIND: &[&str] = &[
    "OR",
    "REPLACE",
    "GLOBAL",
    "LOCAL",
    "TEMP",
    "TEMPORARY",
    "UNLOGGED",
    "UNIQUE",
    "RECURSIVE",
    "CONSTRAINT",
    "TRUSTED",
    "PROCEDURAL",
    "DEFAULT",
];

/// What CREATE OR REPLACE is often written of, and no grammar has.
const NEVER_REPLACED: &[&str] = &[
    "TABLE",
    "INDEX",
    "MATERIALIZED",
    "SEQUENCE",
    "TYPE",
    "DOMAIN",
    "POLICY",
    "SCHEMA",
    "EXTENSION",
    "DATABASE",
    "ROLE",
    "USER",
];

fn create(reader: &mut Reader) -> Result<Change> {
    let mut kind = 1;
    while BEFORE_KIND.iter().any(|word| reader.at_nth_word(kind, word)) {
        kind += 1;
    }
    let at = |word: &str| reader.at_nth_word(kind, word);
    let next = |word: &str| reader.at_nth_word(kind + 1, word);
    if reader.at_nth_word(1, "OR") && NEVER_REPLACED.iter().any(|word| at(word)) {
        let word = reader.peek_nth(kind).to_string().to_uppercase();
        let view = if word == "MATERIALIZED" { " VIEW" } else { "" };
        let message = format!("there is no CREATE OR REPLACE {word}{view}: a syntax error");
        return Err(Unreadable::invalid(message, reader.span()));
    }
    match () {
        () if at("TABLE") => table::create_table(reader),
        () if at("FOREIGN") && next("TABLE") => table::create_foreign_table(reader),
        () if at("INDEX") => index::create_index(reader),
        () if at("STATISTICS") => index::create_statistics(reader),
        () if at("VIEW") => view::create_view(reader),
        () if at("MATERIALIZED") => view::create_materialized_view(reader),
        () if at("SEQUENCE") => sequence::create_sequence(reader),
        () if at("TYPE") => types::create_type(reader),
        () if at("DOMAIN") => types::create_domain(reader),
        () if at("FUNCTION") || at("PROCEDURE") => routine::create_routine(reader),
        () if at("TRIGGER") => trigger::create_trigger(reader),
        () if at("EVENT") && next("TRIGGER") => trigger::create_event_trigger(reader),
        () if at("RULE") => trigger::create_rule(reader),
        () if at("POLICY") => trigger::create_policy(reader),
        () if at("SCHEMA") => schema::create_schema(reader),
        () if at("EXTENSION") => schema::create_extension(reader),
        () if at("PUBLICATION") => publication::create_publication(reader),
        () if at("DATABASE") => schema::create_database(reader),
        () => create_other::create_other(reader),
    }
}

fn alter(reader: &mut Reader) -> Result<Change> {
    let at = |word: &str| reader.at_nth_word(1, word);
    let next = |word: &str| reader.at_nth_word(2, word);
    match () {
        () if at("TABLE") => alter_table::alter_table(reader),
        () if at("FOREIGN") && next("TABLE") => alter_table::alter_foreign_table(reader),
        () if at("VIEW") => alter_table::alter_view(reader),
        () if at("MATERIALIZED") => alter_table::alter_materialized_view(reader),
        () if at("INDEX") => alter_table::alter_index(reader),
        () if at("SEQUENCE") => alter_table::alter_sequence(reader),
        () if at("TYPE") => types::alter_type(reader),
        () if at("DOMAIN") => types::alter_domain(reader),
        () if at("FUNCTION") || at("PROCEDURE") || at("ROUTINE") => routine::alter_routine(reader),
        () if at("POLICY") => trigger::alter_policy(reader),
        () if at("EXTENSION") => schema::alter_extension(reader),
        () if at("PUBLICATION") => publication::alter_publication(reader),
        () if at("DEFAULT") && next("PRIVILEGES") => grant::alter_default_privileges(reader),
        () => alter_object::alter_object(reader),
    }
}
