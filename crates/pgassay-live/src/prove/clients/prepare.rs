//! Preparing a query whose parameters' types the server may not be able to tell.
//!
//! In: a query with `$n` where a driver or pg_stat_statements had values. Out: a prepared statement of a name, with the
//! types declared or the text rewritten that made it possible. What `guess` makes of an error is tried until the error moves on.

use std::collections::BTreeSet;

use super::guess::{self, Guess};
use super::probe::Probe;
use crate::change::Name;
use crate::prove::ProveError;
use crate::shadow::ServerError;
use crate::text::quoting::literal;

/// The name of the statement that is being tried.
pub(in crate::prove) const NAME: &str = "pgassay_query";

/// Guesses tried for one query.
const TRIES: usize = 400;

/// How it is seen whether a statement works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::prove) enum Way {
    /// It can be prepared and planned.
    Prepare,
    /// PREPARE does not take it, but a client's Parse message does: CALL, and what has a query inside.
    Parse,
    /// It shows when it runs, and then it is undone.
    Run,
}

impl Way {
    /// `None` for statements that look at nothing in the schema: BEGIN, SET, FETCH and the like.
    pub fn of(text: &str) -> Option<Way> {
        const SESSION: &[&str] = &[
            "begin",
            "start",
            "commit",
            "end",
            "rollback",
            "abort",
            "savepoint",
            "release",
            "set",
            "reset",
            "show",
            "discard",
            "deallocate",
            "execute",
            "listen",
            "unlisten",
            "notify",
            "fetch",
            "move",
            "close",
            "checkpoint",
        ];
        match guess::first_word(text).as_str() {
            word if SESSION.contains(&word) => None,
            "call" | "explain" | "declare" => Some(Way::Parse),
            // Files and programs of the server are not for us to touch.
            "copy" if !guess::copies_to_client(text) => Some(Way::Prepare),
            "copy" | "lock" | "refresh" | "truncate" => Some(Way::Run),
            _ => Some(Way::Prepare),
        }
    }
}

/// How a query can be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::prove) struct Form {
    pub text: String,
    pub way: Way,
    /// By number from 1; `unknown` where the server can tell.
    pub declared: Vec<String>,
    /// Schemas that are searched besides those of every session: applications have a search_path of their own.
    schemas: Vec<String>,
}

impl Form {
    pub fn new(text: &str) -> Form {
        let declared = vec!["unknown".to_owned(); guess::highest_parameter(text)];
        let way = Way::of(text).unwrap_or(Way::Prepare);
        Form { text: text.to_owned(), way, declared, schemas: Vec::new() }
    }

    /// The PREPARE of a name.
    pub fn statement(&self, name: &str) -> String {
        format!("{}{}", self.head(name), self.text)
    }

    fn head(&self, name: &str) -> String {
        if self.way != Way::Prepare {
            return String::new();
        }
        let types = match self.declared.iter().all(|it| it == "unknown") {
            true => String::new(),
            false => format!("({})", self.declared.join(", ")),
        };
        format!("PREPARE {name}{types} AS ")
    }

    /// The search_path that it means, where that is not every session's.
    pub fn search_path(&self) -> Option<String> {
        let quoted: Vec<String> = self.schemas.iter().map(|schema| Name::new(schema).to_string()).collect();
        (!quoted.is_empty()).then(|| format!("\"$user\", public, {}", quoted.join(", ")))
    }

    /// The place of an error in the text, in bytes.
    fn place(&self, error: &ServerError) -> Option<usize> {
        let at = usize::try_from(error.position?).ok()?.checked_sub(1)?;
        let at = at.checked_sub(self.head(NAME).chars().count())?;
        Some(self.text.char_indices().nth(at).map_or(self.text.len(), |(byte, _)| byte))
    }

    fn with(&self, guess: Guess) -> Form {
        let mut next = self.clone();
        match guess {
            Guess::Text(text) => {
                next.declared.resize(guess::highest_parameter(&text), "unknown".to_owned());
                next.text = text;
            }
            Guess::Types(types) => {
                for (number, data_type) in types {
                    if let Some(declared) = number.checked_sub(1).and_then(|at| next.declared.get_mut(at)) {
                        *declared = data_type;
                    }
                }
            }
        }
        next
    }
}

/// Prepares it as it stands, or tries it in its way; a prepared statement stays until [`forget`].
pub(in crate::prove) async fn prepare(probe: &Probe<'_>, form: &Form) -> Result<Option<ServerError>, ProveError> {
    if let Some(path) = form.search_path() {
        probe.keep(&format!("SET LOCAL search_path TO {path}")).await?;
    }
    match form.way {
        Way::Prepare => probe.keep_one(&form.statement(NAME)).await,
        Way::Parse => probe.parse(&form.text).await,
        // Parsed first: the server takes one statement there, and sent it could be several.
        Way::Run => match probe.parse(&form.text).await? {
            None => probe.send(&form.text).await,
            refused => Ok(refused),
        },
    }
}

/// Finds a form that can be prepared. The error is the first one, which is about the query as it was given.
pub(in crate::prove) async fn find(probe: &Probe<'_>, text: &str) -> Result<Result<Form, ServerError>, ProveError> {
    let mut form = Form::new(text);
    let Some(first) = prepare(probe, &form).await? else { return Ok(Ok(form)) };
    let mut error = first.clone();
    // Places where the server stopped, from the end of the text: what is rewritten stands before them.
    let place = |form: &Form, error: &ServerError| match form.place(error) {
        Some(at) => (form.text.len() - at.min(form.text.len()), String::new()),
        None => (0, error.message.clone()),
    };
    let mut met = BTreeSet::from([place(&form, &error)]);
    let mut tries = 0;
    'moves: while tries < TRIES {
        let mut next = Vec::new();
        if let Some(schema) = missing_schema(probe, &error).await?.filter(|it| !form.schemas.contains(it)) {
            let mut searching = form.clone();
            searching.schemas.push(schema);
            next.push(searching);
        }
        let signatures = signatures(probe, &error).await?;
        // What does not go through PREPARE has nowhere to declare types.
        if form.way != Way::Prepare {
            break;
        }
        let guesses = guess::guesses(&form.text, &error, form.place(&error), &signatures);
        next.extend(guesses.into_iter().map(|guess| form.with(guess)).filter(|it| *it != form));
        for candidate in next {
            tries += 1;
            match prepare(probe, &candidate).await? {
                None => return Ok(Ok(candidate)),
                Some(again) if met.insert(place(&candidate, &again)) => {
                    (form, error) = (candidate, again);
                    continue 'moves;
                }
                Some(_) => {}
            }
        }
        break;
    }
    forget(probe, &form).await?;
    Ok(Err(first))
}

/// The schema of the relation that the error misses, where just one has it.
async fn missing_schema(probe: &Probe<'_>, error: &ServerError) -> Result<Option<String>, ProveError> {
    let name = error.message.strip_prefix("relation \"").and_then(|rest| rest.strip_suffix("\" does not exist"));
    let Some(name) = name.filter(|_| error.code == "42P01") else { return Ok(None) };
    let sql = format!(
        "SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relname = {} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
        literal(name)
    );
    let schemas: Vec<String> = probe.runner().rows(&sql).await?.into_iter().flatten().flatten().collect();
    Ok(<[String; 1]>::try_from(schemas).ok().map(|[schema]| schema))
}

/// What functions of the name in the error take.
async fn signatures(probe: &Probe<'_>, error: &ServerError) -> Result<Vec<Vec<String>>, ProveError> {
    let Some((name, arguments)) = guess::function_of(error) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT pg_catalog.string_agg(CASE WHEN t.typname IN ('any', 'anyelement', 'anynonarray', 'anycompatible', 'anycompatiblenonarray') THEN 'text'
                     WHEN t.typname IN ('anyarray', 'anycompatiblearray') THEN 'text[]' ELSE pg_catalog.format_type(t.oid, NULL) END, E'\\x01' ORDER BY place)
           FROM pg_catalog.pg_proc p CROSS JOIN pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a(oid, place)
           JOIN pg_catalog.pg_type t ON t.oid = a.oid
          WHERE p.proname = {} AND p.pronargs = {arguments} GROUP BY p.oid ORDER BY p.oid LIMIT 40",
        literal(&name)
    );
    let rows = probe.runner().rows(&sql).await?;
    Ok(rows.into_iter().flatten().flatten().map(|row| row.split('\u{1}').map(str::to_owned).collect()).collect())
}

/// Gives up the prepared statement, if there is one, and what was searched for it.
pub(in crate::prove) async fn forget(probe: &Probe<'_>, form: &Form) -> Result<(), ProveError> {
    if form.search_path().is_some() {
        probe.keep("SET LOCAL search_path TO DEFAULT").await?;
    }
    match form.way {
        Way::Prepare => probe.keep(&format!("DEALLOCATE {NAME}")).await.map(drop),
        Way::Parse | Way::Run => Ok(()),
    }
}

/// The types of the parameters of the prepared statement.
pub(in crate::prove) async fn types(probe: &Probe<'_>) -> Result<Vec<String>, ProveError> {
    let sql = format!(
        "SELECT t::text FROM pg_catalog.pg_prepared_statements, pg_catalog.unnest(parameter_types) WITH ORDINALITY AS p(t, place)
          WHERE name = '{NAME}' ORDER BY place"
    );
    Ok(probe.runner().rows(&sql).await?.into_iter().flatten().flatten().collect())
}
