//! Sequences and their options, which identity columns share.

use super::reader::{Reader, Result};
use crate::change::{
    AlterSequence, Change, CreateSequence, Ident, ObjectName, SequenceOptions, SequenceOwner, Unreadable,
};

pub(super) fn create_sequence(reader: &mut Reader) -> Result<Change> {
    reader.expect_word("CREATE")?;
    let persistence = reader.persistence()?;
    reader.expect_word("SEQUENCE")?;
    let if_not_exists = reader.if_not_exists();
    let name = reader.object_name_as("the name of a sequence")?;
    let options = optional_options(reader)?;
    Ok(Change::CreateSequence(CreateSequence { name, if_not_exists, persistence, options }))
}

/// ALTER SEQUENCE with options of its own; `None`, with nothing read, when it is an action that tables have too.
pub(super) fn alter_options(reader: &mut Reader) -> Result<Option<Change>> {
    let start = reader.position();
    reader.expect_words(&["ALTER", "SEQUENCE"])?;
    let if_exists = reader.if_exists();
    let name = reader.object_name_as("the name of a sequence")?;
    if !at_option(reader) {
        reader.restore(start);
        return Ok(None);
    }
    Ok(Some(Change::AlterSequence(AlterSequence { name, if_exists, options: options(reader)? })))
}

pub(super) fn at_option(reader: &Reader) -> bool {
    const WORDS: &[&str] = &[
        "AS",
        "CACHE",
        "CYCLE",
        "INCREMENT",
        "LOGGED",
        "MAXVALUE",
        "MINVALUE",
        "OWNED",
        "SEQUENCE",
        "START",
        "RESTART",
        "UNLOGGED",
    ];
    let no = ["MAXVALUE", "MINVALUE", "CYCLE"];
    reader.at_any_word(WORDS) || (reader.at_word("NO") && no.iter().any(|word| reader.at_nth_word(1, word)))
}

/// One or more options.
pub(super) fn options(reader: &mut Reader) -> Result<SequenceOptions> {
    if !at_option(reader) {
        return Err(reader.error("a sequence option"));
    }
    optional_options(reader)
}

fn optional_options(reader: &mut Reader) -> Result<SequenceOptions> {
    let mut options = SequenceOptions::default();
    let mut words: Vec<&str> = Vec::new();
    while at_option(reader) {
        let start = reader.position();
        let word = topic(reader);
        option(reader, &mut options)?;
        if words.contains(&word) {
            return Err(Unreadable::invalid("conflicting or redundant options", reader.span_from(start)));
        }
        words.push(word);
    }
    Ok(options)
}

/// What the option that comes next is about: NO MINVALUE is about MINVALUE.
fn topic(reader: &Reader) -> &'static str {
    const WORDS: &[&str] =
        &["AS", "CACHE", "CYCLE", "INCREMENT", "MAXVALUE", "MINVALUE", "OWNED", "SEQUENCE", "START", "RESTART"];
    let n = usize::from(reader.at_word("NO"));
    WORDS.iter().find(|word| reader.at_nth_word(n, word)).copied().unwrap_or("LOGGED")
}

/// Reads one option into the others.
pub(super) fn option(reader: &mut Reader, options: &mut SequenceOptions) -> Result<()> {
    const WORDS: &[&str] = &[
        "AS",
        "CACHE",
        "CYCLE",
        "INCREMENT",
        "LOGGED",
        "UNLOGGED",
        "MAXVALUE",
        "MINVALUE",
        "NO",
        "OWNED",
        "SEQUENCE",
        "START",
        "RESTART",
    ];
    match reader.take_any_word(WORDS) {
        Some("AS") => options.data_type = Some(reader.type_name()?),
        Some("CACHE") => options.cache = Some(reader.integer()?),
        Some("CYCLE") => options.cycle = Some(true),
        Some("INCREMENT") => {
            reader.take_word("BY");
            options.increment = Some(reader.integer()?);
        }
        Some("LOGGED" | "UNLOGGED") => {}
        Some("MAXVALUE") => options.max_value = Some(reader.integer()?),
        Some("MINVALUE") => options.min_value = Some(reader.integer()?),
        Some("NO") => match reader.take_any_word(&["MAXVALUE", "MINVALUE", "CYCLE"]) {
            Some("MAXVALUE") => options.max_value = None,
            Some("MINVALUE") => options.min_value = None,
            Some(_) => options.cycle = Some(false),
            None => return Err(reader.error("MINVALUE, MAXVALUE or CYCLE")),
        },
        Some("OWNED") => {
            reader.expect_word("BY")?;
            options.owned_by = Some(owner(reader)?);
        }
        Some("SEQUENCE") => {
            reader.expect_word("NAME")?;
            options.name = Some(reader.object_name()?);
        }
        Some("START") => {
            reader.take_word("WITH");
            options.start = Some(reader.integer()?);
        }
        Some(_) => {
            let number = reader.take_word("WITH") || reader.at_integer();
            options.restart = Some(if number { Some(reader.integer()?) } else { None });
        }
        None => return Err(reader.error("a sequence option")),
    }
    Ok(())
}

/// `NONE`, or `[schema.]table.column`.
fn owner(reader: &mut Reader) -> Result<SequenceOwner> {
    let (table, column) = match table_and_column(reader)? {
        (None, none) if none.name == "none" => return Ok(SequenceOwner::None),
        (None, _) => return Err(reader.error("'.' and the name of a column")),
        (Some(table), column) => (table, column),
    };
    Ok(SequenceOwner::Column { table, column })
}

/// `[[database.]schema.]table.column`, cut at its last dot.
pub(super) fn table_and_column(reader: &mut Reader) -> Result<(Option<ObjectName>, Ident)> {
    let path = reader.path()?;
    let Some((column, table)) = path.split_last() else { return Err(reader.error("a name")) };
    let Some(last) = table.last() else { return Ok((None, column.clone())) };
    let schema = table.len().checked_sub(2).and_then(|at| table.get(at));
    let span = schema.map_or(last.span, |schema| schema.span.to(last.span));
    let table = ObjectName { schema: schema.map(|schema| schema.name.clone()), name: last.name.clone(), span };
    Ok((Some(table), column.clone()))
}
