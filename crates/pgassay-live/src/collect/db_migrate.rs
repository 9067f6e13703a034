//! db-migrate: `migrations/sqls/<time>-<name>-up.sql` and `-down.sql`, which a JavaScript file of the same name runs.
//!
//! Recognised by these names in a folder `sqls`. Each file is one string, in a transaction.

use super::folder::{File, Folder};
use super::order::leading_digits;
use super::tools::{Entry, Input, Order, Split, Tool};
use super::{Direction, Framework, TransactionMode};

pub(super) struct DbMigrate;

fn direction(file: &File) -> Option<Direction> {
    let stem = file.stem();
    if leading_digits(stem).is_empty() {
        None
    } else if stem.ends_with("-up") {
        Some(Direction::Up)
    } else if stem.ends_with("-down") {
        Some(Direction::Down)
    } else {
        None
    }
}

/// The name of the JavaScript file.
fn name(file: &File) -> &str {
    let stem = file.stem();
    stem.strip_suffix("-up").or_else(|| stem.strip_suffix("-down")).unwrap_or(stem)
}

/// Whether a JavaScript file does nothing but run the SQL files of its name.
pub(super) fn is_only_sql(folder: &Folder, file: &File) -> bool {
    let stem = file.relative.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let sql = file.relative.with_file_name("sqls").join(format!("{stem}-up.sql"));
    file.has_extension("js") && folder.file(sql).is_some()
}

impl Tool for DbMigrate {
    fn framework(&self) -> Framework {
        Framework::DbMigrate
    }

    /// The folder of the JavaScript files, or the one of SQL files itself.
    fn detect(&self, folder: &Folder) -> bool {
        let sqls: Vec<&File> = files(folder).collect();
        folder.own_sql().next().is_none_or(|_| folder.path.ends_with("sqls"))
            && !sqls.is_empty()
            && sqls.iter().all(|file| direction(file).is_some())
    }

    fn order(&self, folder: &Folder) -> Order {
        let mut order = Order::default();
        for file in files(folder) {
            let Some(direction) = direction(file) else { continue };
            order.entries.push(Entry { direction: Some(direction), ..Entry::new(name(file), file) });
        }
        order.entries.sort_by(|a, b| a.name.cmp(&b.name));
        order
    }

    fn split(&self, input: &Input<'_>) -> Split {
        Split::whole(input, TransactionMode::WrappedString)
    }
}

fn files(folder: &Folder) -> impl Iterator<Item = &File> {
    let is_own = folder.path.ends_with("sqls");
    folder.files.iter().filter(move |file| {
        file.is_sql() && if is_own { file.depth() == 1 } else { file.depth() == 2 && file.relative.starts_with("sqls") }
    })
}
