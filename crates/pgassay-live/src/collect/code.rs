//! Migrations that are written as code: which files those are, whose they are, and the command that runs them.
//!
//! Nothing of them is read here. What they do is known once their tool has run them (`check --run`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::code_command::{command, command_or_yours, home};
use super::dialect::words;
use super::order::leading_digits;
use super::project::Project;

/// A programming language, by the endings of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Language {
    pub name: &'static str,
    extensions: &'static [&'static str],
}

const LANGUAGES: [Language; 14] = [
    Language { name: "Ruby", extensions: &["rb"] },
    Language { name: "Python", extensions: &["py"] },
    Language { name: "TypeScript", extensions: &["ts", "mts", "cts"] },
    Language { name: "JavaScript", extensions: &["js", "mjs", "cjs", "coffee"] },
    Language { name: "PHP", extensions: &["php"] },
    Language { name: "C#", extensions: &["cs"] },
    Language { name: "Java", extensions: &["java"] },
    Language { name: "Kotlin", extensions: &["kt", "kts"] },
    Language { name: "Elixir", extensions: &["ex", "exs"] },
    Language { name: "Go", extensions: &["go"] },
    Language { name: "Rust", extensions: &["rs"] },
    Language { name: "Scala", extensions: &["scala"] },
    Language { name: "F#", extensions: &["fs"] },
    Language { name: "Swift", extensions: &["swift"] },
];

/// The language of a file that is called as a migration is: by a number, a version, a time or a revision.
pub(super) fn language(path: &Path) -> Option<Language> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let language = LANGUAGES.into_iter().find(|language| language.extensions.contains(&extension.as_str()))?;
    let stem = path.file_stem()?.to_str()?;
    is_called_as_migration(stem).then_some(language)
}

/// Whether a file is written in a language that migrations are written in.
pub(super) fn is_code(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    LANGUAGES.iter().any(|language| language.extensions.contains(&extension))
}

/// Endings of files that stand beside a migration of the same name.
const COMPANIONS: [&str; 7] = [".designer", ".d", ".test", ".spec", "_test", ".snapshot", "modelsnapshot"];

fn is_called_as_migration(stem: &str) -> bool {
    let lower = stem.to_ascii_lowercase();
    if COMPANIONS.iter().any(|ending| lower.ends_with(ending)) {
        return false;
    }
    let after_word =
        ["version", "migration", "m", "v", "r__", "u", "b"].iter().find_map(|word| lower.strip_prefix(word));
    let numbered = |text: &str| !leading_digits(text).is_empty();
    numbered(&lower)
        || lower.starts_with("r__")
        || after_word.is_some_and(|rest| numbered(rest.trim_start_matches('_')))
        || is_revision(&lower)
}

/// Alembic's names: a revision of twelve hexadecimal digits, then what it does.
fn is_revision(stem: &str) -> bool {
    let (revision, rest) = stem.split_once('_').unwrap_or((stem, ""));
    revision.len() == 12 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()) && !rest.is_empty()
}

/// Whether a folder's name says that migrations are in it.
pub(super) fn is_called_migrations(name: &str) -> bool {
    words(name).any(|word| matches!(word.as_str(), "migrations" | "migration" | "migrate" | "versions" | "evolutions"))
}

/// A tool whose migrations are code.
#[derive(Debug, PartialEq, Eq)]
pub struct CodeTool {
    pub name: &'static str,
    languages: &'static [&'static str],
    /// The end of the folder's path, `*` for any name; empty: any folder.
    folder: &'static str,
    /// A manifest that names the tool, and its name there.
    declared: &'static [(&'static str, &'static str)],
    /// What runs all that is pending.
    pub(super) command: &'static str,
    /// The file that is in the folder that the command is run in; empty: none in particular.
    pub(super) beside: &'static str,
}

const SCRIPTS: &[&str] = &["TypeScript", "JavaScript"];

/// The surest to recognise first.
static CODE_TOOLS: [CodeTool; 22] = [
    CodeTool {
        name: "Rails",
        languages: &["Ruby"],
        folder: "db/migrate",
        declared: &[],
        command: "bin/rails db:migrate",
        beside: "bin/rails",
    },
    CodeTool {
        name: "Laravel",
        languages: &["PHP"],
        folder: "database/migrations",
        declared: &[],
        command: "php artisan migrate --force",
        beside: "artisan",
    },
    CodeTool {
        name: "Ecto",
        languages: &["Elixir"],
        folder: "priv/*/migrations",
        declared: &[],
        command: "mix ecto.migrate",
        beside: "mix.exs",
    },
    CodeTool {
        name: FLASK,
        languages: &["Python"],
        folder: "versions",
        declared: &[],
        command: "flask db upgrade",
        beside: "migrations/env.py",
    },
    CodeTool {
        name: "Alembic",
        languages: &["Python"],
        folder: "versions",
        declared: &[],
        command: "alembic upgrade head",
        beside: "alembic.ini",
    },
    CodeTool {
        name: "Django",
        languages: &["Python"],
        folder: "migrations",
        declared: &[],
        command: "python manage.py migrate",
        beside: "manage.py",
    },
    CodeTool {
        name: "EF Core",
        languages: &["C#"],
        folder: "",
        declared: &[],
        command: "dotnet ef database update",
        beside: "",
    },
    CodeTool {
        name: "TypeORM",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "typeorm")],
        command: "npx typeorm migration:run -d src/data-source.ts",
        beside: "package.json",
    },
    CodeTool {
        name: "MikroORM",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "@mikro-orm/migrations")],
        command: "npx mikro-orm migration:up",
        beside: "package.json",
    },
    CodeTool {
        name: "Sequelize",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "sequelize"), ("package.json", "sequelize-cli")],
        command: "npx sequelize-cli db:migrate",
        beside: "package.json",
    },
    CodeTool {
        name: "Knex",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "knex")],
        command: "npx knex migrate:latest",
        beside: "package.json",
    },
    CodeTool {
        name: "Kysely",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "kysely")],
        command: "npx kysely migrate:latest",
        beside: "package.json",
    },
    CodeTool {
        name: "node-pg-migrate",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "node-pg-migrate")],
        command: "npx node-pg-migrate up",
        beside: "package.json",
    },
    CodeTool {
        name: "db-migrate",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "db-migrate")],
        command: "npx db-migrate up",
        beside: "package.json",
    },
    CodeTool {
        name: "Umzug",
        languages: SCRIPTS,
        folder: "",
        declared: &[("package.json", "umzug")],
        command: "node migrate.js up",
        beside: "package.json",
    },
    CodeTool {
        name: "Doctrine",
        languages: &["PHP"],
        folder: "",
        declared: &[("composer.json", "doctrine/doctrine-migrations-bundle"), ("composer.json", "doctrine/migrations")],
        command: "php bin/console doctrine:migrations:migrate --no-interaction",
        beside: "bin/console",
    },
    CodeTool {
        name: "Phinx",
        languages: &["PHP"],
        folder: "",
        declared: &[("composer.json", "robmorgan/phinx")],
        command: "vendor/bin/phinx migrate",
        beside: "composer.json",
    },
    CodeTool {
        name: "goose",
        languages: &["Go"],
        folder: "",
        declared: &[("go.mod", "github.com/pressly/goose/v3")],
        command: "go run ./cmd/migrate up",
        beside: "go.mod",
    },
    CodeTool {
        name: "SeaORM",
        languages: &["Rust"],
        folder: "",
        declared: &[("Cargo.toml", "sea-orm-migration")],
        command: "cargo run -p migration -- up",
        beside: "Cargo.toml",
    },
    CodeTool {
        name: "refinery",
        languages: &["Rust"],
        folder: "",
        declared: &[("Cargo.toml", "refinery")],
        command: "cargo run -- migrate",
        beside: "Cargo.toml",
    },
    CodeTool {
        name: "Flyway",
        languages: &["Java", "Kotlin"],
        folder: "db/migration",
        declared: &[],
        command: "flyway migrate",
        beside: "",
    },
    CodeTool { name: "Liquibase", languages: &[], folder: "", declared: &[], command: "liquibase update", beside: "" },
];

/// The tool whose migrations are in a folder, as far as the place and the project's manifests say.
pub(super) fn tool_of(folder: &Path, language: Language, project: &Project) -> Option<&'static CodeTool> {
    CODE_TOOLS.iter().find(|tool| {
        let is_declared = tool.declared.iter().any(|(manifest, name)| project.declares(manifest, name));
        tool.languages.contains(&language.name)
            && (tool.folder.is_empty() || ends_with(folder, tool.folder))
            && (tool.declared.is_empty() || is_declared)
            && (tool.name != DJANGO || is_django(folder))
            && (tool.name != FLASK || is_flask(folder))
    })
}

const DJANGO: &str = "Django";

const FLASK: &str = "Flask-Migrate";

/// Its migrations are Alembic's, and can be run from within the application alone: their environment asks it for the database.
fn is_flask(folder: &Path) -> bool {
    let environment = std::fs::read_to_string(folder.join("../env.py"));
    environment.is_ok_and(|text| text.contains("current_app"))
}

/// Other tools keep Python files in folders called `migrations` too.
fn is_django(folder: &Path) -> bool {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    full.join("__init__.py").exists() || full.ancestors().take(5).any(|above| above.join("manage.py").exists())
}

fn ends_with(folder: &Path, pattern: &str) -> bool {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let names: Vec<String> = full.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    let wanted: Vec<&str> = pattern.split('/').collect();
    let tail = names.len().checked_sub(wanted.len()).map(|from| &names[from..]);
    tail.is_some_and(|tail| tail.iter().zip(wanted).all(|(name, want)| want == "*" || name == want))
}

/// A folder of migrations that are code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeFolder {
    pub folder: PathBuf,
    pub language: Language,
    pub tool: Option<&'static CodeTool>,
    pub files: Vec<PathBuf>,
}

impl CodeFolder {
    /// "3 Ruby migrations (Rails) in db/migrate".
    pub fn describe(&self) -> String {
        let plural = if self.files.len() == 1 { "" } else { "s" };
        let tool = self.tool.map(|tool| format!(" ({})", tool.name)).unwrap_or_default();
        format!("{} {} migration{plural}{tool} in {}", self.files.len(), self.language.name, self.folder.display())
    }

    /// How they can be judged.
    pub fn advice(&self) -> String {
        format!(
            "judge what they send to a throwaway server: pgassay check --run \"{}\"",
            command_or_yours(self.command())
        )
    }

    /// What runs them from the working directory.
    pub fn command(&self) -> Option<String> {
        Some(command(&self.folder, self.language, self.tool?))
    }

    /// The folder that their tool is run in, from the working directory on.
    pub fn home(&self) -> PathBuf {
        home(&self.folder, self.tool).to_owned()
    }
}

/// The folders that files written as code stand in; `files` are migrations already.
pub(super) fn folders(
    files: impl IntoIterator<Item = (PathBuf, Language)>,
    project: impl Fn(&Path) -> Project,
) -> Vec<CodeFolder> {
    let mut by_folder: BTreeMap<(PathBuf, Language), Vec<PathBuf>> = BTreeMap::new();
    for (file, language) in files {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        by_folder.entry((folder, language)).or_default().push(file);
    }
    let folder = |((folder, language), files): ((PathBuf, Language), Vec<PathBuf>)| {
        let tool = tool_of(&folder, language, &project(&folder));
        CodeFolder { folder, language, tool, files }
    };
    by_folder.into_iter().map(folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_known_by_their_names() {
        let is = |name: &str| language(Path::new(name)).map(|language| language.name);
        for (name, found) in [
            ("20240101000000_add_name.rb", Some("Ruby")),
            ("0001_initial.py", Some("Python")),
            ("1a2b3c4d5e6f_add_orders.py", Some("Python")),
            ("1700000000000-AddName.ts", Some("TypeScript")),
            ("Migration20240101000000.ts", Some("TypeScript")),
            ("Version20240101000000.php", Some("PHP")),
            ("2014_10_12_000000_create_users.php", Some("PHP")),
            ("m20220101_000001_create_table.rs", Some("Rust")),
            ("V2__add.java", Some("Java")),
            ("20240101_Init.cs", Some("C#")),
            ("20240101_Init.Designer.cs", None),
            ("ShopContextModelSnapshot.cs", None),
            ("__init__.py", None),
            ("env.py", None),
            ("index.ts", None),
            ("0001_a.test.ts", None),
            ("001_a.sql", None),
        ] {
            assert_eq!(is(name), found, "{name}");
        }
    }
}
