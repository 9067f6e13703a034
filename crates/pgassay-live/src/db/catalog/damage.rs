//! Objects that the server cannot print: what they name is not in its catalog any more ("cache lookup failed for function 16397").
//!
//! In: a query that prints many objects and has an error. Out: which of them it fails on, so that only those are left out.

use super::super::{DbError, Row, Session};
use super::Oid;
use crate::facts::{Topic, Unread};

/// A query that prints objects, but for those in its `$1`.
#[derive(Clone, Copy)]
pub(in super::super) struct Printing<'q> {
    pub part: &'static str,
    pub topic: Topic,
    pub sql: &'q str,
    /// A query of the identifiers of all that it may print, with their names.
    pub objects: &'q str,
}

/// An object, and what the server says when it is to print it.
#[derive(Debug, Clone)]
pub(in super::super) struct Damaged {
    pub oid: Oid,
    pub name: String,
    pub message: String,
}

/// A catalog with more than these is not searched any further: what is left of the search is left out whole.
const MOST: usize = 50;

/// Whether an error may be of one object. Privileges, locks, cancelled statements, shut down servers and what a server lacks are of all.
pub(in super::super) fn is_damage(error: &DbError) -> bool {
    let others = ["55P03", "42501", "0A000"];
    error.code().is_some_and(|code| {
        !others.contains(&code) && !["25", "40", "53", "57"].iter().any(|class| code.starts_with(class))
    })
}

/// Runs a query without the objects of `left_out`, and without those that it fails on.
///
/// # Errors
/// That of the query, where it is of no object in particular.
pub(in super::super) async fn each<T: Default>(
    session: &Session,
    query: Printing<'_>,
    left_out: &[Oid],
    mut visit: impl FnMut(&Row, &mut T) -> Result<(), DbError>,
) -> Result<(T, Vec<Damaged>), DbError> {
    let mut damaged: Vec<Damaged> = Vec::new();
    loop {
        let mut rows = T::default();
        let without: Vec<Oid> = left_out.iter().copied().chain(damaged.iter().map(|it| it.oid)).collect();
        let result =
            session.each_in_savepoint(query.part, query.sql, Some(&without), |row| visit(row, &mut rows)).await;
        match result {
            Ok(()) => return Ok((rows, damaged)),
            Err(error) if damaged.is_empty() && is_damage(&error) => {
                damaged = find(session, query, left_out).await?;
                if damaged.is_empty() {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Halves what is printed until each part that fails is one object. Empty where the query fails without any.
async fn find(session: &Session, query: Printing<'_>, left_out: &[Oid]) -> Result<Vec<Damaged>, DbError> {
    let mut objects: Vec<(Oid, String)> = Vec::new();
    session
        .each_in_savepoint(query.part, query.objects, None, |row| {
            objects.push((row.get(0)?, row.get::<&str>(1)?.to_owned()));
            Ok(())
        })
        .await?;
    let only = |from: usize, to: usize| -> Vec<Oid> {
        let others = objects[..from].iter().chain(&objects[to..]).map(|(oid, _)| *oid);
        left_out.iter().copied().chain(others).collect()
    };
    let fails = async |from: usize, to: usize| -> Result<Option<String>, DbError> {
        let without = only(from, to);
        match session.each_in_savepoint(query.part, query.sql, Some(&without), |_| Ok(())).await {
            Ok(()) => Ok(None),
            Err(DbError::Query { message, code, .. }) if !matches!(&*code, "55P03" | "57014") => Ok(Some(message)),
            Err(error) => Err(error),
        }
    };
    let mut damaged = Vec::new();
    let mut parts = match fails(0, 0).await? {
        Some(_) => Vec::new(),
        None => vec![(0, objects.len())],
    };
    while let Some((from, to)) = parts.pop() {
        let Some(message) = fails(from, to).await? else { continue };
        if to - from > 1 && damaged.len() < MOST {
            let middle = from.midpoint(to);
            parts.extend([(middle, to), (from, middle)]);
        } else {
            let found = objects[from..to].iter();
            damaged.extend(found.map(|(oid, name)| Damaged {
                oid: *oid,
                name: name.clone(),
                message: message.clone(),
            }));
        }
    }
    Ok(damaged)
}

/// Says what was left out of a part.
pub(in super::super) fn unread(topic: Topic, part: &str, damaged: Vec<Damaged>) -> Option<Unread> {
    let first = damaged.first()?;
    let fact = match damaged.len() {
        1 => format!("{part}: {}", first.name),
        several => format!("{part}: {several} objects"),
    };
    let unchecked = match topic {
        Topic::Sizes => "how large they are now",
        Topic::ColumnStatistics | Topic::ExtendedStatistics => "what rules know from these statistics",
        _ => "the schema lacks them: nothing is said of them, and what needs them may be misjudged",
    };
    Some(Unread {
        topic,
        fact,
        reason: format!("the catalog is damaged: {}", first.message),
        unchecked: unchecked.to_owned(),
        objects: damaged.into_iter().map(|it| it.name).take(100).collect(),
    })
}
