//! A deploy that waited, as a new migration in the language of Rails, Django or Alembic.

use std::path::PathBuf;

use super::Written;
use super::code::{self, CodeTool};
use super::files::changed;
use super::plan_file::Due;

/// The file after the last one of its folder.
pub(super) fn append(tool: CodeTool, due: &Due) -> Result<Written, String> {
    let Due { waiting, once, pieces, folder, now, .. } = *due;
    let shown = due.shown();
    let original = folder.get(&waiting.migration).ok_or_else(|| format!("{shown}: its file was not found"))?;
    let own = waiting.migration.parent();
    let beside: Vec<(&str, &str)> = folder
        .iter()
        .filter(|(path, _)| path.parent() == own && path.extension() == waiting.migration.extension())
        .filter_map(|(path, text)| Some((path.file_stem()?.to_str()?, text.as_str())))
        .collect();
    let stem = waiting.migration.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    let (name, empty) = match tool {
        CodeTool::Rails => rails(stem, original, &beside, waiting.next, now),
        CodeTool::Django => django(stem, original, &beside, waiting.next),
        CodeTool::Alembic => alembic(stem, once, &beside, waiting.next, now),
    }
    .map_err(|why| format!("{shown}: {why}"))?;
    let text = code::written(tool, &empty, pieces).map_err(|why| format!("{shown}: {why}"))?;
    let text = due.whole_back().map_or_else(|| text.clone(), |down| code::with_back(tool, &text, down));
    let path: PathBuf = waiting.migration.with_file_name(name);
    let changes = [(path.clone(), Some(text))].into();
    Ok(Written { changes: changed(changes, folder), paths: vec![path] })
}

/// `20240301080000_add_note`, and `AddNote` in it.
fn rails(
    stem: &str,
    original: &str,
    beside: &[(&str, &str)],
    number: usize,
    now: &str,
) -> Result<(String, String), String> {
    let (_, words) = stem.split_once('_').ok_or("its name has no number")?;
    let is_class = |line: &&str| line.trim_start().starts_with("class ") && line.contains("ActiveRecord::Migration");
    let class = original.lines().find(is_class).ok_or("no class of ActiveRecord::Migration was found in it")?;
    let (name, parent) = class.trim().trim_start_matches("class ").split_once('<').ok_or("its class has no parent")?;
    let last = beside.iter().filter_map(|(stem, _)| stem.split_once('_')?.0.parse::<u64>().ok()).max().unwrap_or(0);
    let time = now.parse::<u64>().unwrap_or(0).max(last + 1);
    let text = format!("class {}Deploy{number} < {}\n  def change\n  end\nend\n", name.trim(), parent.trim());
    Ok((format!("{time}_{words}_deploy{number}.rb"), text))
}

/// `0003_note`, after the last of the folder.
fn django(stem: &str, original: &str, beside: &[(&str, &str)], number: usize) -> Result<(String, String), String> {
    let read = |stem: &str| stem.split_once('_').and_then(|(digits, _)| digits.parse::<u32>().ok());
    let last = beside.iter().filter(|(stem, _)| read(stem).is_some()).max_by_key(|(stem, _)| read(stem));
    let (last, _) = last.ok_or("its folder has no numbered migration")?;
    let words = stem.split_once('_').map_or(stem, |(_, words)| words);
    let here = read(last).unwrap_or(0) + 1;
    let app = beside
        .iter()
        .find_map(|(_, text)| app(text, beside))
        .ok_or("no dependency in its folder says the app's name")?;
    let header = original.lines().find(|line| line.contains("import") && line.contains("migrations"));
    let import = header.unwrap_or("from django.db import migrations");
    let text = format!(
        "{import}\n\n\nclass Migration(migrations.Migration):\n    dependencies = [(\"{app}\", \"{last}\")]\n\n    operations = []\n"
    );
    Ok((format!("{here:04}_{words}_deploy{number}.py"), text))
}

/// The app's label: the one that a dependency on a migration of the same folder names.
fn app<'t>(text: &'t str, beside: &[(&str, &str)]) -> Option<&'t str> {
    let mut quoted: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let quote = rest.get(at..at + 1)?;
        let inside = rest.get(at + 1..)?;
        let end = inside.find(quote)?;
        quoted.push(inside.get(..end)?);
        rest = inside.get(end + 1..)?;
    }
    let pairs = quoted.windows(2);
    pairs.filter(|pair| beside.iter().any(|(stem, _)| *stem == pair[1])).map(|pair| pair[0]).find(|it| is_label(it))
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// A revision after the head of the chain.
fn alembic(
    stem: &str,
    once: &str,
    beside: &[(&str, &str)],
    number: usize,
    now: &str,
) -> Result<(String, String), String> {
    let revisions: Vec<&str> = beside.iter().flat_map(|(_, text)| assigned(text, "revision")).collect();
    let before: Vec<&str> = beside.iter().flat_map(|(_, text)| assigned(text, "down_revision")).collect();
    let heads: Vec<&&str> = revisions.iter().filter(|it| !before.contains(it)).collect();
    let [head] = heads.as_slice() else {
        return Err(format!("the chain of revisions has {} heads: merge them first", heads.len()));
    };
    let revision = identifier(&format!("{stem} {number} {now}"));
    let words = stem.split_once('_').map_or(stem, |(_, words)| words);
    let title = once.replace(['"', '\\'], "'");
    let text = format!(
        "\"\"\"Once {title}\n\nRevision ID: {revision}\nRevises: {head}\n\"\"\"\n\nfrom alembic import op\n\nrevision = \"{revision}\"\ndown_revision = \"{head}\"\nbranch_labels = None\ndepends_on = None\n\n\n\
         def upgrade() -> None:\n    pass\n\n\ndef downgrade() -> None:\n    pass\n"
    );
    Ok((format!("{revision}_{words}_deploy{number}.py"), text))
}

/// The strings that a name at the start of a line is set to: `revision: str = "a1"`, `down_revision = ("a1", "b2")`.
fn assigned<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (before, value) = rest.split_once('=')?;
        (before.trim().is_empty() || before.starts_with(':')).then_some(value)
    });
    values.flat_map(|value| value.split(['"', '\'']).skip(1).step_by(2)).collect()
}

/// Twelve hexadecimal digits, as Alembic makes them, of a text (FNV-1a).
fn identifier(text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{:012x}", hash & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_gets_the_file_after_its_last() {
        let beside = [
            (
                "0001_initial",
                "class Migration(migrations.Migration):\n    dependencies = [(\"auth\", \"0001_users\")]\n",
            ),
            ("0002_note", "    dependencies = [('shop', '0001_initial')]\n"),
        ];
        let (name, text) = django("0002_note", "from django.db import migrations, models\n", &beside, 2).unwrap();
        assert_eq!(name, "0003_note_deploy2.py");
        assert!(text.contains("dependencies = [(\"shop\", \"0002_note\")]"), "{text}");

        let beside = [
            ("a1_one", "revision = \"a1\"\ndown_revision = None\n"),
            ("b2_two", "revision: str = 'b2'\ndown_revision: str | None = 'a1'\n"),
        ];
        let (name, text) = alembic("b2_two", "no code reads \"note\"", &beside, 2, "20240301080000").unwrap();
        assert!(name.ends_with("_two_deploy2.py") && text.contains("down_revision = \"b2\"\n"), "{name}\n{text}");
        let split = [beside[0], beside[1], ("c3_three", "revision = 'c3'\ndown_revision = 'a1'\n")];
        assert!(alembic("b2_two", "", &split, 2, "20240301080000").is_err());

        let (name, text) = rails(
            "20240301080000_drop_note",
            "class DropNote < ActiveRecord::Migration[7.1]\n",
            &[("20240301080000_drop_note", "")],
            2,
            "20240101000000",
        )
        .unwrap();
        assert_eq!(name, "20240301080001_drop_note_deploy2.rb");
        assert!(text.starts_with("class DropNoteDeploy2 < ActiveRecord::Migration[7.1]\n"), "{text}");
    }
}
