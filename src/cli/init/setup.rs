//! What a CI job installs before it runs migrations that are code: the language, the project's dependencies, the programs of a
//! PostgreSQL server.

use std::path::Path;

use super::project::{Code, slashes};

/// How a project with a certain file is made ready to run. In the texts `{home}` is the folder of that file, `{in}` the same before a
/// file's name, and `{file}` the file that pins the language's version.
struct Recipe {
    languages: &'static [&'static str],
    /// The file that tells.
    file: &'static str,
    install: &'static str,
    /// The action that installs the language; empty: runners have it.
    action: &'static str,
    /// The action's settings.
    with: &'static str,
    pinned: Pinned,
    /// Where a GitLab job runs, and Debian's packages that it lacks.
    image: &'static str,
    packages: &'static str,
}

/// Settings of the action by whether a file pins the language's version.
#[derive(Clone, Copy)]
struct Pinned {
    files: &'static [&'static str],
    by_file: &'static str,
    otherwise: &'static str,
}

const UNPINNED: Pinned = Pinned { files: &[], by_file: "", otherwise: "" };

/// Of a language; each package manager adds its own file and command.
const OTHER: Recipe = Recipe {
    languages: &[],
    file: "",
    install: "",
    action: "",
    with: "",
    pinned: UNPINNED,
    image: "",
    packages: "npm",
};

const RUBY: Recipe = Recipe {
    languages: &["Ruby"],
    action: "ruby/setup-ruby@v1",
    with: "working-directory: \"{home}\"",
    pinned: Pinned { files: &[".ruby-version", ".tool-versions"], by_file: "", otherwise: "ruby-version: ruby" },
    image: "ruby:3",
    ..OTHER
};

const PYTHON: Recipe = Recipe {
    languages: &["Python"],
    action: "actions/setup-python@v6",
    pinned: Pinned {
        files: &[".python-version", ".tool-versions"],
        by_file: "python-version-file: \"{in}{file}\"",
        otherwise: "python-version: 3.x",
    },
    image: "python:3",
    ..OTHER
};

const NODE: Recipe = Recipe {
    languages: &["TypeScript", "JavaScript"],
    action: "actions/setup-node@v6",
    pinned: Pinned {
        files: &[".nvmrc", ".node-version", ".tool-versions"],
        by_file: "node-version-file: \"{in}{file}\"",
        otherwise: "node-version: lts/*",
    },
    image: "node:22",
    packages: "",
    ..OTHER
};

const ELIXIR: Pinned = Pinned {
    files: &[".tool-versions"],
    by_file: "version-type: strict, version-file: \"{in}{file}\"",
    otherwise: "otp-version: 27, elixir-version: 1.18",
};

const GO: Pinned = Pinned { files: &["go.mod"], by_file: "go-version-file: \"{in}{file}\"", otherwise: "" };

/// By what is surest to be the one in use.
static RECIPES: [Recipe; 16] = [
    Recipe { file: "Gemfile", install: "bundle install", ..RUBY },
    Recipe { file: "uv.lock", install: "pip install --quiet uv && uv sync", ..PYTHON },
    Recipe { file: "poetry.lock", install: "pip install --quiet poetry && poetry install", ..PYTHON },
    Recipe { file: "Pipfile.lock", install: "pip install --quiet pipenv && pipenv sync --dev", ..PYTHON },
    Recipe { file: "requirements.txt", install: "pip install --quiet -r requirements.txt", ..PYTHON },
    Recipe { file: "pyproject.toml", install: "pip install --quiet .", ..PYTHON },
    Recipe {
        file: "pnpm-lock.yaml",
        install: "npm install --global corepack && corepack enable && pnpm install --frozen-lockfile",
        ..NODE
    },
    Recipe { file: "yarn.lock", install: "npm install --global corepack && corepack enable && yarn install", ..NODE },
    Recipe { file: "bun.lock", install: "npx --yes bun install --frozen-lockfile", ..NODE },
    Recipe { file: "package-lock.json", install: "npm ci", ..NODE },
    Recipe { file: "package.json", install: "npm install", ..NODE },
    Recipe {
        languages: &["PHP"],
        file: "composer.json",
        install: "composer install --no-interaction",
        image: "node:22",
        packages: "composer php-curl php-mbstring php-pgsql php-xml",
        ..OTHER
    },
    Recipe {
        languages: &["Elixir"],
        file: "mix.exs",
        install: "mix local.hex --force && mix local.rebar --force && mix deps.get",
        action: "erlef/setup-beam@v1",
        pinned: ELIXIR,
        image: "elixir:1.18",
        ..OTHER
    },
    Recipe {
        languages: &["Go"],
        file: "go.mod",
        action: "actions/setup-go@v6",
        pinned: GO,
        image: "golang:1",
        ..OTHER
    },
    Recipe { languages: &["Rust"], file: "Cargo.toml", image: "rust:1", ..OTHER },
    Recipe {
        languages: &["C#"],
        install: "dotnet tool install --global dotnet-ef",
        image: "mcr.microsoft.com/dotnet/sdk:9.0",
        ..OTHER
    },
];

/// What is known of a project whose migrations are code.
pub struct Setup<'a> {
    code: &'a Code,
    /// With the folder of its file.
    recipe: Option<(&'static Recipe, &'a Path)>,
}

impl<'a> Setup<'a> {
    pub fn of(code: &'a Code) -> Setup<'a> {
        let own = |recipe: &&Recipe| recipe.languages.contains(&code.language);
        // The nearest folder first: a lock above belongs to a workspace.
        let recipe = code.home.ancestors().find_map(|folder| {
            let found = RECIPES.iter().filter(own).find(|recipe| folder.join(recipe.file).exists())?;
            Some((found, folder))
        });
        Setup { code, recipe }
    }

    /// Steps of a GitHub job, without indentation.
    pub fn github(&self) -> Vec<String> {
        let server =
            "- run: sudo apt-get update -qq && sudo apt-get install -qq --no-install-recommends postgresql >/dev/null";
        let mut lines = vec!["# A server of PostgreSQL, which runs the migrations.".to_owned(), server.to_owned()];
        let Some((recipe, folder)) = self.recipe else {
            lines.push(self.to_be_added());
            return lines;
        };
        if !recipe.action.is_empty() {
            lines.push(format!("- uses: {}", recipe.action));
            let settings: Vec<String> = [recipe.with.to_owned(), recipe.pinned.settings(folder)]
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect();
            if !settings.is_empty() {
                lines.push(format!("  with: {{ {} }}", filled(&settings.join(", "), folder)));
            }
        }
        if !recipe.install.is_empty() {
            lines.push(format!("- run: {}", recipe.install));
            if !folder.as_os_str().is_empty() {
                lines.push(filled("  working-directory: \"{home}\"", folder));
            }
        }
        lines
    }

    /// The image of a GitLab job.
    pub fn image(&self) -> &'static str {
        self.recipe.map_or("node:22", |(recipe, _)| recipe.image)
    }

    /// Debian's packages that it needs.
    pub fn packages(&self) -> String {
        let own = self.recipe.map_or("", |(recipe, _)| recipe.packages);
        format!("{own} postgresql").trim_start().to_owned()
    }

    /// Lines of a GitLab job's script, without indentation.
    pub fn gitlab(&self) -> Vec<String> {
        match self.recipe {
            None => vec![self.to_be_added()],
            Some((recipe, _)) if recipe.install.is_empty() => Vec::new(),
            Some((recipe, folder)) if folder.as_os_str().is_empty() => vec![format!("- {}", recipe.install)],
            Some((recipe, folder)) => vec![filled(&format!("- (cd \"{{home}}\" && {})", recipe.install), folder)],
        }
    }

    fn to_be_added(&self) -> String {
        format!("# Add what `{}` needs: the language, and the project's dependencies.", self.code.command)
    }
}

impl Pinned {
    fn settings(&self, folder: &Path) -> String {
        match self.files.iter().find(|file| folder.join(file).exists()) {
            Some(file) => self.by_file.replace("{file}", file),
            None => self.otherwise.to_owned(),
        }
    }
}

fn filled(text: &str, folder: &Path) -> String {
    let home = slashes(folder);
    let before = if folder.as_os_str().is_empty() { String::new() } else { format!("{home}/") };
    text.replace("{home}", &home).replace("{in}", &before)
}
