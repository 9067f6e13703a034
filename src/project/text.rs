//! Which relation or column a word of a statement means.
//!
//! In: the text of a statement and the schema that it meets. Out: [`Target`]s, each with its place. By the words alone, so that it also
//! works while a statement is typed and cannot be read.

use pgassay::change::{Name, ObjectName};
use pgassay::schema::{ColumnId, Relation, RelationId, Schema, Session};
use pgassay::source::Span;
use pgassay::sql::{SourceToken, SourceTokenKind, source_tokens};

/// A word that means something that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Relation(RelationId),
    Column(RelationId, ColumnId),
}

/// A name of one or more words with dots between.
struct Dotted {
    parts: Vec<(Name, Span)>,
    quoted: bool,
}

/// Everything in a statement that means a relation or a column of one.
pub fn targets(place: Span, text: &str, schema: &Schema, session: &Session) -> Vec<Target> {
    let names = dotted(&source_tokens(place, text));
    let relations = relations(&names, schema, session);
    let mut found: Vec<Target> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if let Some((_, _, span, relation)) = relations.iter().find(|(index, ..)| *index == at) {
            found.push(Target { span: *span, kind: Kind::Relation(relation.id) });
            continue;
        }
        if let Some(target) = column(name, &relations) {
            found.push(target);
        }
    }
    found
}

/// The relations that a statement names, each with the words that stand for it there: its own name, and its alias.
pub fn named_relations(place: Span, text: &str, schema: &Schema, session: &Session) -> Vec<(Vec<Name>, Relation)> {
    let names = dotted(&source_tokens(place, text));
    let found = relations(&names, schema, session);
    found.into_iter().map(|(_, words, _, relation)| (words, relation.clone())).collect()
}

type Found<'s> = (usize, Vec<Name>, Span, &'s Relation);

fn relations<'s>(names: &[Dotted], schema: &'s Schema, session: &Session) -> Vec<Found<'s>> {
    let mut found: Vec<Found> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let (written, last) = match name.parts.as_slice() {
            [(name, span)] => (ObjectName { schema: None, name: name.clone(), span: *span }, *span),
            [(schema, first), (name, span)] => {
                (ObjectName { schema: Some(schema.clone()), name: name.clone(), span: first.to(*span) }, *span)
            }
            _ => continue,
        };
        let Some(relation) = schema.find_relation(&written, session) else { continue };
        let mut words = vec![relation.name.name.clone()];
        words.extend(alias(names, at));
        found.push((at, words, last, relation));
    }
    found
}

/// `orders o`, `orders AS o`.
fn alias(names: &[Dotted], at: usize) -> Option<Name> {
    let word = |at: usize| names.get(at).filter(|name| name.parts.len() == 1);
    let next = word(at + 1)?;
    let is_as = !next.quoted && next.parts[0].0 == "as";
    let alias = if is_as { word(at + 2)? } else { next };
    let (name, _) = &alias.parts[0];
    (alias.quoted || pgassay::sql::can_name_column(name.as_str())).then(|| name.clone())
}

fn column(name: &Dotted, relations: &[Found]) -> Option<Target> {
    let (column, span) = name.parts.last()?;
    let qualifier = name.parts.len().checked_sub(2).and_then(|at| name.parts.get(at)).map(|(name, _)| name);
    let fits = |words: &[Name]| qualifier.is_none_or(|qualifier| words.contains(qualifier));
    relations.iter().filter(|(_, words, ..)| fits(words)).find_map(|(_, _, _, relation)| {
        let found = relation.column(column)?;
        Some(Target { span: *span, kind: Kind::Column(relation.id, found.id) })
    })
}

fn dotted(source_tokens: &[SourceToken]) -> Vec<Dotted> {
    let mut names: Vec<Dotted> = Vec::new();
    let mut joined = false;
    for lexeme in source_tokens {
        match &lexeme.kind {
            SourceTokenKind::Word { name, quoted } => match names.last_mut().filter(|_| joined) {
                Some(last) => last.parts.push((name.clone(), lexeme.span)),
                None => names.push(Dotted { parts: vec![(name.clone(), lexeme.span)], quoted: *quoted }),
            },
            SourceTokenKind::Sign(_) | SourceTokenKind::Literal => {}
        }
        joined = matches!(&lexeme.kind, SourceTokenKind::Sign(sign) if sign == ".");
    }
    names
}
