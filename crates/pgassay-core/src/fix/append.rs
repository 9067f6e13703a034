//! The files of a deploy whose code is ready: after the last migration of its folder.

use std::collections::BTreeMap;
use std::path::Path;

use super::code::CodeTool;
use super::files::{changed, or_filler, or_nothing};
use super::inverse;
use super::journal::{add_sums, add_to_journal};
use super::number::Number;
use super::place::Place;
use super::plan_file::Due;
use super::text::{Down, in_halves, in_one_file, texts};
use super::{Piece, Ways, Written, later_code, liquibase, sqitch};
use crate::migration::Framework;

/// A piece with what it is known to take away allowed: whoever asks for the deploy says that the code is ready.
pub fn allowed(piece: &Piece, once: &str) -> Piece {
    let allow = |sql: &String| {
        let parts: Vec<String> = inverse::statements(sql);
        if parts.iter().all(|part| inverse::rules_of_loss(part).is_empty()) {
            return sql.clone();
        }
        let parts = parts.into_iter().map(|part| match inverse::rules_of_loss(&part).as_slice() {
            [] => part,
            rules => format!("-- pgassay: allow({}) {once}\n{part}", rules.join(", ")),
        });
        parts.collect::<Vec<_>>().join(";\n")
    };
    Piece { statements: piece.statements.iter().map(allow).collect(), ..piece.clone() }
}

/// The files of a deploy that waited: at the end of its folder.
pub(super) fn append(due: &Due) -> Result<Written, String> {
    let framework: Framework = due.waiting.tool.parse().map_err(|error| format!("{error}"))?;
    let pieces: Vec<Piece> = due.pieces.iter().map(|piece| allowed(piece, due.once)).collect();
    let due = &Due { pieces: &pieces, ..*due };
    match (CodeTool::of_path(&due.waiting.migration), framework) {
        (Some(tool), _) => later_code::append(tool, due),
        (None, Framework::Sqitch) => sqitch::append(due),
        (None, Framework::Liquibase) => liquibase::append(due),
        (None, _) => append_files(framework, due),
    }
}

/// A file for each piece, numbered after the last one of the folder.
fn append_files(framework: Framework, due: &Due) -> Result<Written, String> {
    let Due { waiting, pieces, is_last, folder, now, .. } = *due;
    let place = Place::read(framework, &waiting.migration)
        .ok_or_else(|| format!("{}: its name has no number that another could follow", due.shown()))?;
    let taken = folder.keys().filter_map(|path| Place::read(framework, path));
    let code = folder.keys().filter(|path| path.parent() == Some(place.folder()));
    let code = code.filter_map(|path| Some(Place::number_of_code(path)?.compared_as(&place.number)));
    let taken = taken.filter(|it| it.folder() == place.folder()).map(|it| it.number);
    let last = taken.chain(code).max_by_key(Number::key);
    let last = last.unwrap_or_else(|| place.number.clone());
    let fresh = place.number.at(now).filter(|fresh| fresh.key() > last.key());
    let mut number = fresh.or_else(|| last.next());
    let goes_back = !waiting.down.trim().is_empty();
    let (mut changes, mut paths) = (BTreeMap::new(), Vec::new());
    for (at, piece) in pieces.iter().enumerate() {
        let Some(here) = number.take() else {
            return Err(format!("{}: there is no number left after {}", due.shown(), last.text()));
        };
        let more = if at == 0 { String::new() } else { format!("_{}", at + 1) };
        let words = format!("_deploy{}{more}", waiting.next);
        // Play's files are called by a number alone.
        let named = place.with(here.clone(), if framework == Framework::Play { "" } else { &words });
        let down = if is_last && at + 1 == pieces.len() {
            Down { text: waiting.down.clone(), alone: waiting.down_alone }
        } else {
            Down::of(piece)
        };
        let down = if goes_back { or_filler(framework, down) } else { down };
        let texts = if Ways::in_file(framework) {
            let up = in_one_file(framework, std::slice::from_ref(piece));
            super::text::Texts { up: in_halves(framework, up, &down), ..Default::default() }
        } else {
            texts(framework, piece, "", &down)
        };
        changes.insert(named.up(), Some(texts.up));
        if let Some(path) = named.down(framework).filter(|_| goes_back) {
            changes.insert(path, Some(or_nothing(texts.down)));
        }
        if let (Some(path), Some(settings)) = (named.settings(framework), texts.settings) {
            changes.insert(path, Some(settings));
        }
        paths.push(named.up());
        number = here.next();
    }
    let around = waiting.migration.parent().unwrap_or(Path::new(""));
    add_sums(framework, around, folder, &mut changes);
    if framework == Framework::Drizzle {
        add_to_journal(around, &paths, folder, &mut changes)?;
    }
    Ok(Written { changes: changed(changes, folder), paths })
}
