//! Migrations that are code, recorded while they ran: their steps as SQL in the same file, in the words of Rails, Django and Alembic.
//!
//! Only code that changes the schema and nothing else is written anew: what depends on rows sent nothing on the empty database on which
//! it was recorded, and would be lost.

use std::path::Path;

use super::Piece;
use crate::migration::Migration;

/// A tool whose files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeTool {
    Rails,
    Django,
    Alembic,
}

impl CodeTool {
    /// By the language of a recorded migration, and where it is.
    pub fn of(migration: &Migration) -> Option<CodeTool> {
        CodeTool::of_path(&migration.path)
    }

    pub fn of_path(path: &Path) -> Option<CodeTool> {
        let is_below = |name: &str| path.iter().any(|part| part == name);
        match path.extension()?.to_str()? {
            "rb" if is_below("migrate") => Some(CodeTool::Rails),
            "py" if is_below("versions") => Some(CodeTool::Alembic),
            "py" if is_below("migrations") => Some(CodeTool::Django),
            _ => None,
        }
    }
}

/// The file with the pieces in the place of what it did. The error says why it stays.
pub(super) fn written(tool: CodeTool, text: &str, pieces: &[Piece]) -> Result<String, String> {
    match tool {
        CodeTool::Rails => rails(text, pieces),
        CodeTool::Django => django(text, pieces),
        CodeTool::Alembic => alembic(text, pieces),
    }
}

/// The words that lines of a migration of Rails may begin with: what changes the schema, and what is around it.
const RAILS: [&str; 14] = [
    "add_",
    "remove_",
    "change_",
    "create_",
    "drop_",
    "rename_",
    "execute",
    "enable_extension",
    "disable_",
    "validate_",
    "safety_assured",
    "def ",
    "end",
    "t.",
];

fn rails(text: &str, pieces: &[Piece]) -> Result<String, String> {
    let is_class = |line: &&str| line.trim_start().starts_with("class ") && line.contains("ActiveRecord::Migration");
    let class = text.lines().find(is_class).ok_or("no class of ActiveRecord::Migration was found in it")?;
    let start = text.find(class).unwrap_or_default();
    let body = text.get(start + class.len()..).unwrap_or_default();
    if let Some(line) = other(body, |line| is_known(line, &RAILS, "#")) {
        return Err(format!("it does more than change the schema ({line}): write its steps by hand"));
    }
    let is_safe = body.contains("safety_assured");
    let up = statements(pieces, |group| ruby(group, is_safe));
    let back: Vec<&Piece> = pieces.iter().rev().collect();
    let inverse = || {
        let all = back.iter().all(|piece| !piece.down.is_empty());
        let written = back.iter().flat_map(|piece| &piece.down).map(|sql| ruby(std::slice::from_ref(sql), is_safe));
        all.then(|| written.collect::<String>())
    };
    let down = way_back(body).or_else(inverse);
    let down = down.unwrap_or_else(|| "    raise ActiveRecord::IrreversibleMigration\n".to_owned());
    let head = text.get(..start).unwrap_or_default();
    Ok(format!("{head}{class}\n  disable_ddl_transaction!\n\n  def up\n{up}  end\n\n  def down\n{down}  end\nend\n"))
}

/// The file without the body of its way back, which comes beside it: while steps wait, there is more to take back than was done.
pub(super) fn without_back(tool: CodeTool, text: &str) -> (String, String) {
    let (head, nothing) = match tool {
        CodeTool::Rails => ("  def down", ""),
        CodeTool::Alembic => ("def downgrade(", "    pass\n"),
        // Each of its operations has its own.
        CodeTool::Django => return (text.to_owned(), String::new()),
    };
    let Some(line) = text.lines().find(|line| line.starts_with(head)) else { return (text.to_owned(), String::new()) };
    let start = text.find(line).unwrap_or_default() + line.len() + 1;
    let inside = text.get(start..).unwrap_or_default();
    let is_end = |line: &&str| match tool {
        CodeTool::Rails => line.starts_with("  end"),
        _ => line.starts_with(|letter: char| !letter.is_whitespace()),
    };
    let end = inside
        .lines()
        .find(is_end)
        .and_then(|line| inside.find(&format!("\n{line}")))
        .map_or(inside.len(), |at| at + 1);
    let end = if inside.lines().next().as_ref().is_some_and(is_end) { 0 } else { end };
    let (body, rest) = inside.split_at(end.min(inside.len()));
    (format!("{}{nothing}{rest}", text.get(..start).unwrap_or_default()), body.to_owned())
}

/// The file with a body of its way back.
pub(super) fn with_back(tool: CodeTool, text: &str, body: &str) -> String {
    let (head, nothing) = match tool {
        CodeTool::Rails => ("  def down\n", ""),
        CodeTool::Alembic => ("def downgrade() -> None:\n", "    pass\n"),
        CodeTool::Django => return text.to_owned(),
    };
    match text.split_once(head) {
        Some((before, rest)) => {
            let rest = rest.strip_prefix(nothing).unwrap_or(rest);
            format!("{before}{head}{body}{rest}")
        }
        None => text.to_owned(),
    }
}

/// What the class has under `def down`.
fn way_back(body: &str) -> Option<String> {
    let mut lines = body.lines().skip_while(|line| line.trim() != "def down");
    let head = lines.next()?;
    let end = format!("{}end", &head[..head.len() - head.trim_start().len()]);
    Some(lines.take_while(|line| line.trim_end() != end).map(|line| format!("{line}\n")).collect())
}

/// The first line that is not one of those, and does not go on from the line before it.
fn other(text: &str, is_one: impl Fn(&str) -> bool) -> Option<&str> {
    let mut goes_on = false;
    text.lines().map(str::trim).find(|line| {
        let is_other = !goes_on && !is_one(line);
        goes_on = line.ends_with([',', '(', '[']);
        is_other
    })
}

/// Whether a line is blank, a comment, goes on from the one before it, or begins with one of the words.
fn is_known(line: &str, words: &[&str], comment: &str) -> bool {
    let goes_on = line.starts_with(['\'', '"', ':', ')', ']', '}', '|']) || line.ends_with(',');
    line.is_empty() || line.starts_with(comment) || goes_on || words.iter().any(|word| line.starts_with(word))
}

/// Statements that commit together, or one.
fn ruby(group: &[String], is_safe: bool) -> String {
    let execute = |sql: &String, indent: &str| {
        let (open, close) = if is_safe { ("safety_assured { execute(", ") }") } else { ("execute ", "") };
        // Without interpolation: SQL is what it is.
        format!("{indent}{open}<<~'SQL'{close}\n{}{indent}SQL\n", indented(sql, &format!("{indent}  ")))
    };
    match group {
        [one] => execute(one, "    "),
        group => {
            let inside: String = group.iter().map(|sql| execute(sql, "      ")).collect();
            format!("    transaction do\n{inside}    end\n")
        }
    }
}

fn indented(sql: &str, indent: &str) -> String {
    sql.lines().map(|line| if line.trim().is_empty() { "\n".to_owned() } else { format!("{indent}{line}\n") }).collect()
}

/// Pieces in order: statements of one that commit together, and the others one by one.
fn statements(pieces: &[Piece], written: impl Fn(&[String]) -> String) -> String {
    let mut text = String::new();
    for piece in pieces {
        if piece.together && piece.statements.len() > 1 {
            text.push_str(&written(&piece.statements));
        } else {
            piece.statements.iter().for_each(|sql| text.push_str(&written(std::slice::from_ref(sql))));
        }
    }
    text
}

/// Operations of Django that change more than the schema, or something that is not in the recording.
const DJANGO_OTHERS: [&str; 2] = ["RunPython", "SeparateDatabaseAndState"];

fn django(text: &str, pieces: &[Piece]) -> Result<String, String> {
    if let Some(other) = DJANGO_OTHERS.iter().find(|other| text.contains(**other)) {
        return Err(format!("it does more than change the schema ({other}): write its steps by hand"));
    }
    let class = text
        .lines()
        .find(|line| line.trim_start().starts_with("class Migration("))
        .ok_or("no class Migration was found in it")?;
    let at = text.find("operations = [").ok_or("no list of operations was found in it")?;
    let open = at + "operations = ".len();
    let close = closing(text, open).ok_or("its list of operations does not end")?;
    let operations = text.get(open + 1..close).unwrap_or_default().trim_start_matches('\n').trim_end();
    let indent = "                ";
    let run = |group: &[String]| {
        let mut all: Vec<String> = group.iter().map(|sql| python(sql)).collect();
        if group.len() > 1 {
            all.insert(0, "\"BEGIN\"".to_owned());
            all.push("\"COMMIT\"".to_owned());
        }
        all.join(", ")
    };
    let mut database = String::new();
    for piece in pieces {
        let groups: Vec<&[String]> = match piece.together {
            true => vec![&piece.statements],
            false => piece.statements.chunks(1).collect(),
        };
        let last = groups.len().saturating_sub(1);
        for (place, group) in groups.into_iter().enumerate() {
            let back: Vec<String> = piece.down.iter().map(|sql| python(sql)).collect();
            let reverse = match place == last && !back.is_empty() {
                true => format!(", reverse_sql=[{}]", back.join(", ")),
                false => String::new(),
            };
            database.push_str(&format!("{indent}migrations.RunSQL(sql=[{}]{reverse}),\n", run(group)));
        }
    }
    let state: String = operations.lines().map(|line| format!("        {line}\n")).collect();
    let new = format!(
        "[\n        migrations.SeparateDatabaseAndState(\n            database_operations=[\n{database}            ],\n            state_operations=[\n{state}            ],\n        ),\n    ]"
    );
    let text = format!("{}{new}{}", text.get(..open).unwrap_or_default(), text.get(close + 1..).unwrap_or_default());
    let has_atomic = text.lines().any(|line| line.trim_start().starts_with("atomic"));
    Ok(if has_atomic { text } else { text.replacen(class, &format!("{class}\n    atomic = False\n"), 1) })
}

/// The calls of Alembic that change the schema begin so.
const ALEMBIC: [&str; 9] =
    ["op.add_", "op.drop_", "op.alter_", "op.create_", "op.rename_", "op.execute", "with op.", "batch_op.", "sa."];

fn alembic(text: &str, pieces: &[Piece]) -> Result<String, String> {
    let head = text.lines().find(|line| line.starts_with("def upgrade(")).ok_or("no upgrade() was found in it")?;
    let start = text.find(head).unwrap_or_default() + head.len();
    let body = text.get(start..).unwrap_or_default();
    let end = body.match_indices('\n').find(|(at, _)| body[at + 1..].starts_with(|c: char| !c.is_whitespace()));
    let end = end.map_or(text.len(), |(at, _)| start + at + 1);
    let old = text.get(start..end).unwrap_or_default();
    let is_one = |line: &str| is_known(line, &ALEMBIC, "#") || line == "pass" || line.starts_with("\"\"\"");
    if let Some(line) = other(old, is_one) {
        return Err(format!("it does more than change the schema ({line}): write its steps by hand"));
    }
    let execute = |sql: &String, indent: &str| format!("{indent}op.execute({})\n", python(&without_binds(sql)));
    // A block commits what is open before it, so that no step waits for the locks of another.
    let block = |lines: String| format!("    with op.get_context().autocommit_block():\n{lines}");
    let up = statements(pieces, |group| match group {
        [one] => block(execute(one, "        ")),
        group => {
            let inside: String = group.iter().map(|sql| execute(sql, "        ")).collect();
            block(format!("        op.execute(\"BEGIN\")\n{inside}        op.execute(\"COMMIT\")\n"))
        }
    });
    let up = if up.is_empty() { "    pass\n".to_owned() } else { up };
    let rest = text.get(end..).unwrap_or_default();
    let gap = if rest.trim().is_empty() { "" } else { "\n\n" };
    Ok(format!("{}\n{up}{gap}{}", text.get(..start).unwrap_or_default(), rest.trim_start_matches('\n')))
}

/// SQLAlchemy takes `:name` for a parameter.
fn without_binds(sql: &str) -> String {
    let mut text = String::new();
    let letters: Vec<char> = sql.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let is_name = letters.get(at + 1).is_some_and(|next| next.is_alphanumeric() || *next == '_');
        if *letter == ':' && before != Some(&':') && is_name {
            text.push('\\');
        }
        text.push(*letter);
    }
    text
}

/// A string of Python.
fn python(sql: &str) -> String {
    let escaped = sql.replace('\\', "\\\\").replace('"', "\\\"");
    if sql.contains('\n') { format!("\"\"\"{escaped}\"\"\"") } else { format!("\"{escaped}\"") }
}

/// Where the bracket that opens at a place is closed, outside of strings and comments of Python.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = open;
    while at < text.len() {
        let rest = text.get(at..)?;
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote));
        if let Some(quote) = quote {
            at += quote.len() + string_end(&rest[quote.len()..], quote)?;
            continue;
        }
        let letter = rest.chars().next()?;
        match letter {
            '#' => at += rest.find('\n').unwrap_or(rest.len()),
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += if letter == '#' { 0 } else { letter.len_utf8() };
    }
    None
}

/// Where a string ends, with its quote.
fn string_end(rest: &str, quote: &str) -> Option<usize> {
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if rest[at..].starts_with(quote) {
            return Some(at + quote.len());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Vec<Piece> {
        let piece = |statements: &[&str], alone: bool, down: &[&str]| Piece {
            statements: statements.iter().map(|sql| (*sql).to_owned()).collect(),
            alone,
            together: !alone,
            down: down.iter().map(|sql| (*sql).to_owned()).collect(),
        };
        vec![
            piece(
                &["SET LOCAL lock_timeout = '2s'", "ALTER TABLE a ADD COLUMN n int"],
                false,
                &["ALTER TABLE a DROP COLUMN n"],
            ),
            piece(&["CREATE INDEX CONCURRENTLY i ON a (n)"], true, &["DROP INDEX CONCURRENTLY i"]),
        ]
    }

    #[test]
    fn rails_runs_the_steps_outside_of_its_transaction() {
        let text = "# frozen_string_literal: true\n\nclass AddIndex < ActiveRecord::Migration[7.1]\n  def change\n    add_column :a, :n, :integer,\n      null: true\n    add_index :a, :n\n  end\nend\n";
        let new = rails(text, &pieces()).unwrap();
        assert_eq!(
            new,
            "# frozen_string_literal: true\n\nclass AddIndex < ActiveRecord::Migration[7.1]\n  disable_ddl_transaction!\n\n  def up\n    transaction do\n      execute <<~'SQL'\n        SET LOCAL lock_timeout = '2s'\n      SQL\n      execute <<~'SQL'\n        ALTER TABLE a ADD COLUMN n int\n      SQL\n    end\n    execute <<~'SQL'\n      CREATE INDEX CONCURRENTLY i ON a (n)\n    SQL\n  end\n\n  def down\n    execute <<~'SQL'\n      DROP INDEX CONCURRENTLY i\n    SQL\n    execute <<~'SQL'\n      ALTER TABLE a DROP COLUMN n\n    SQL\n  end\nend\n"
        );
        let data =
            "class X < ActiveRecord::Migration[7.1]\n  def up\n    User.find_each { |user| user.touch }\n  end\nend\n";
        assert!(rails(data, &pieces()).unwrap_err().contains("User.find_each"));
    }

    #[test]
    fn django_keeps_its_state() {
        let text = "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n    dependencies = [(\"shop\", \"0001_initial\")]\n\n    operations = [\n        migrations.AddIndex(\"a\", models.Index(fields=[\"n\"], name=\"]i\")),  # ]\n    ]\n";
        let new = django(text, &pieces()).unwrap();
        assert_eq!(
            new,
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n    atomic = False\n\n    dependencies = [(\"shop\", \"0001_initial\")]\n\n    operations = [\n        migrations.SeparateDatabaseAndState(\n            database_operations=[\n                migrations.RunSQL(sql=[\"BEGIN\", \"SET LOCAL lock_timeout = '2s'\", \"ALTER TABLE a ADD COLUMN n int\", \"COMMIT\"], reverse_sql=[\"ALTER TABLE a DROP COLUMN n\"]),\n                migrations.RunSQL(sql=[\"CREATE INDEX CONCURRENTLY i ON a (n)\"], reverse_sql=[\"DROP INDEX CONCURRENTLY i\"]),\n            ],\n            state_operations=[\n                migrations.AddIndex(\"a\", models.Index(fields=[\"n\"], name=\"]i\")),  # ]\n            ],\n        ),\n    ]\n"
        );
        assert!(
            django("class Migration(migrations.Migration):\n    operations = [migrations.RunPython(f)]\n", &pieces())
                .is_err()
        );
    }

    #[test]
    fn the_way_back_waits_with_the_rest() {
        let text = "def upgrade() -> None:\n    op.drop_column(\"a\", \"n\")\n\n\ndef downgrade() -> None:\n    op.add_column(\"a\")\n";
        let (kept, back) = without_back(CodeTool::Alembic, text);
        assert_eq!(back, "    op.add_column(\"a\")\n");
        assert_eq!(
            alembic(&kept, &[]).unwrap(),
            "def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"
        );
        assert_eq!(with_back(CodeTool::Alembic, &kept, &back), text);
        let text = "class A < ActiveRecord::Migration[7.1]\n  def up\n    x\n  end\n\n  def down\n    y\n  end\nend\n";
        let (kept, back) = without_back(CodeTool::Rails, text);
        assert_eq!((back.as_str(), kept.contains("  def down\n  end\n")), ("    y\n", true));
        assert_eq!(with_back(CodeTool::Rails, &kept, &back), text);
    }

    #[test]
    fn alembic_commits_before_what_is_alone() {
        let text = "revision = \"b2\"\n\n\ndef upgrade() -> None:\n    op.add_column(\"a\", sa.Column(\"n\", sa.Integer()))\n    op.create_index(\"i\", \"a\", [\"n\"])\n\n\ndef downgrade() -> None:\n    op.drop_index(\"i\")\n";
        let new = alembic(text, &pieces()).unwrap();
        assert_eq!(
            new,
            "revision = \"b2\"\n\n\ndef upgrade() -> None:\n    with op.get_context().autocommit_block():\n        op.execute(\"BEGIN\")\n        op.execute(\"SET LOCAL lock_timeout = '2s'\")\n        op.execute(\"ALTER TABLE a ADD COLUMN n int\")\n        op.execute(\"COMMIT\")\n    with op.get_context().autocommit_block():\n        op.execute(\"CREATE INDEX CONCURRENTLY i ON a (n)\")\n\n\ndef downgrade() -> None:\n    op.drop_index(\"i\")\n"
        );
        assert_eq!(without_binds("SELECT a::int, ':x', b :y"), "SELECT a::int, '\\:x', b \\:y");
        assert!(alembic("def upgrade():\n    bind = op.get_bind()\n", &pieces()).is_err());
    }
}
