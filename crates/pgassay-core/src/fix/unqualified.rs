//! Steps in the names of the statement that they replace: what it finds by the search_path, they find there too.
//!
//! The model knows in which schema a table was made, and the advice says it. A tool may run the same migrations in another schema, or in
//! one after the other: there a name with a schema is none of this table.

use std::borrow::Cow;

use crate::change::{Change, ObjectName, Reindex, ReindexTarget};
use crate::finding::{FixStep, Walk};
use crate::source::{FileId, SourceFile};
use crate::sql::read_script;

/// The steps without the schema of the table, where the statement does not write it.
pub(super) fn as_written<'s>(steps: &'s [FixStep], change: Option<&Change>, statement: &str) -> Cow<'s, [FixStep]> {
    let Some(table) = change.and_then(table_of).filter(|table| table.schema.is_none()) else { return steps.into() };
    let Some(schema) = steps.iter().find_map(|step| schema_in(&step.sql, table)) else { return steps.into() };
    let strip = |sql: &str| without(sql, &schema, statement);
    let step = |step: &FixStep| FixStep {
        sql: strip(&step.sql),
        walk: step.walk.as_ref().map(|walk| Walk {
            table: strip(&walk.table),
            change: strip(&walk.change),
            key: walk.key.clone(),
            row: walk.row.clone(),
        }),
        ..step.clone()
    };
    steps.iter().map(step).collect::<Vec<_>>().into()
}

fn table_of(change: &Change) -> Option<&ObjectName> {
    match change {
        Change::AlterTable(alter) => Some(&alter.relation),
        Change::CreateIndex(create) => Some(&create.table),
        Change::CreateTable(create) => create.partition_of.as_ref().map(|(parent, _)| parent),
        Change::RefreshMaterializedView(refresh) => Some(&refresh.name),
        Change::Reindex(Reindex { target: ReindexTarget::Index(name) | ReindexTarget::Table(name), .. }) => Some(name),
        Change::Cluster(cluster) => cluster.table.as_ref(),
        Change::Vacuum(vacuum) => vacuum.tables.first(),
        Change::Drop(drop) => drop.objects.first().map(|object| &object.name),
        _ => None,
    }
}

/// The schema that a step writes before the table.
fn schema_in(sql: &str, table: &ObjectName) -> Option<String> {
    let source = SourceFile::new("step", sql);
    let statements = read_script(FileId(0), &source).statements;
    let mut tables = statements.iter().filter_map(|it| table_of(it.change.as_ref().ok()?));
    let found = tables.find(|it| it.name == table.name && it.schema.is_some())?;
    found.schema.as_ref().map(ToString::to_string)
}

/// A text without `schema.` before names, but for those that the statement itself writes so. Bodies in dollar quotes stay.
fn without(sql: &str, schema: &str, statement: &str) -> String {
    let prefix = format!("{schema}.");
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        let is_start = !(before.is_alphanumeric() || matches!(before, '_' | '$' | '.' | '"'));
        if is_start
            && let Some(after) = rest.strip_prefix(&prefix)
            && let Some(name) = name_at(after)
            && !statement.contains(&format!("{prefix}{name}"))
        {
            rest = after;
            before = ' ';
            text.push_str(name);
            rest = rest.get(name.len()..).unwrap_or_default();
            continue;
        }
        let length = match letter {
            '\'' => quoted_length(rest, '\''),
            '"' => quoted_length(rest, '"'),
            '$' if is_start => dollar_length(rest).unwrap_or(1),
            _ => letter.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match token.strip_prefix('\'').and_then(|inside| inside.strip_prefix(&prefix)) {
            Some(inside) if is_name(inside.trim_end_matches('\'')) => text.push_str(&format!("'{inside}")),
            _ => text.push_str(token),
        }
        before = token.chars().next_back().unwrap_or(letter);
        rest = after;
    }
    text
}

/// The identifier that a text begins with.
fn name_at(text: &str) -> Option<&str> {
    let length = match text.chars().next()? {
        '"' => quoted_length(text, '"'),
        first if first.is_alphabetic() || first == '_' => {
            text.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '$'))).unwrap_or(text.len())
        }
        _ => return None,
    };
    text.get(..length)
}

/// Names with dots between them, and nothing else: what `nextval` and its kin are given.
fn is_name(text: &str) -> bool {
    name_at(text).is_some_and(|name| name.len() == text.len())
}

/// With both quotes; a doubled one is part of it.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}

fn dollar_length(text: &str) -> Option<usize> {
    let tag = text.get(1..)?.find('$')? + 2;
    let mark = text.get(..tag)?;
    let is_tag = mark.trim_matches('$').chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let end = text.get(tag..)?.find(mark)?;
    is_tag.then_some(tag + end + tag)
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn only_names_lose_their_schema() {
        let stripped = |sql| without(sql, "public", "CREATE INDEX ON orders (public.f(no))");
        assert_eq!(stripped("ALTER TABLE public.orders ADD c int"), "ALTER TABLE orders ADD c int");
        assert_eq!(stripped("UPDATE public.\"Or\"\"d\" SET a = 1"), "UPDATE \"Or\"\"d\" SET a = 1");
        assert_eq!(stripped("SET DEFAULT nextval('public.orders_seq')"), "SET DEFAULT nextval('orders_seq')");
        assert_eq!(stripped("CHECK (a <> 'public.orders is here')"), "CHECK (a <> 'public.orders is here')");
        assert_eq!(stripped("ON public.orders (public.f(no))"), "ON orders (public.f(no))");
        assert_eq!(
            stripped("SELECT x.public.y, \"public\".a, republic.b"),
            "SELECT x.public.y, \"public\".a, republic.b"
        );
        assert_eq!(stripped("EXECUTE FUNCTION public.sync()"), "EXECUTE FUNCTION sync()");
        assert_eq!(stripped("AS $$SELECT public.a$$; DROP TABLE public.b"), "AS $$SELECT public.a$$; DROP TABLE b");
    }
}
