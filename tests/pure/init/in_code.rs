//! Migrations that are code: the command that runs them, and what the jobs install for it.

use super::{pgassay, set_keys, stderr, stdout};

/// The jobs that `init` writes in a folder with these empty files.
fn jobs(files: &[&str]) -> (tempfile::TempDir, serde_yaml_ng::Value, serde_yaml_ng::Value) {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = if file.ends_with("package.json") { "{\"dependencies\": {\"knex\": \"3\"}}" } else { "" };
        std::fs::write(path, text).unwrap();
    }
    let init = pgassay(folder.path(), &["init", "--github", "--gitlab"]);
    assert!(init.status.success(), "{}", stderr(&init));
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
    };
    let (github, gitlab) = (read(".github/workflows/pgassay.yml"), read(".gitlab/pgassay.yml"));
    (folder, github, gitlab)
}

/// The steps of a GitHub job after the checkout, a line each.
fn steps(github: &serde_yaml_ng::Value) -> Vec<String> {
    let steps = github["jobs"]["pgassay"]["steps"].as_sequence().unwrap();
    assert_eq!(steps[0]["with"]["persist-credentials"].as_bool(), Some(false));
    steps[1..].iter().map(|step| serde_json::to_string(step).unwrap()).collect()
}

fn script(gitlab: &serde_yaml_ng::Value) -> Vec<&str> {
    gitlab["pgassay"]["before_script"].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn rails_gets_ruby_and_its_gems() {
    let (folder, github, gitlab) = jobs(&["bin/rails", "Gemfile", ".ruby-version", "db/migrate/20260101000000_a.rb"]);
    assert_eq!(set_keys(folder.path()), "run = \"bin/rails db:migrate\"\n");
    let steps = steps(&github);
    assert!(steps[0].contains("install -qq --no-install-recommends postgresql "), "{steps:?}");
    assert_eq!(steps[1], r#"{"uses":"ruby/setup-ruby@v1","with":{"working-directory":"."}}"#);
    assert_eq!(steps[2], r#"{"run":"bundle install"}"#);
    assert!(steps[3].contains("npx --yes pgassay@") && steps.len() == 4, "{steps:?}");
    assert_eq!(gitlab["pgassay"]["image"].as_str(), Some("ruby:3"));
    let hook = stdout(&pgassay(folder.path(), &["init", "--pre-commit", "--dry-run"]));
    assert!(hook.contains("files: \"^(db/migrate)\""), "{hook}");
    let script = script(&gitlab);
    assert!(script[0].contains(" git npm postgresql "), "{script:?}");
    assert_eq!(script[1..], ["bundle install"]);
}

#[test]
fn a_tool_in_a_folder_below_is_run_there_through_its_package_manager() {
    let (folder, github, gitlab) = jobs(&[
        "apps/the api/alembic.ini",
        "apps/the api/migrations/versions/1a2b3c4d5e6f_add_orders.py",
        "apps/uv.lock",
        "apps/.python-version",
        "README.md",
    ]);
    assert_eq!(set_keys(folder.path()), "run = \"cd 'apps/the api' && uv run alembic upgrade head\"\n");
    let steps = steps(&github);
    assert_eq!(steps[1], r#"{"uses":"actions/setup-python@v6","with":{"python-version-file":"apps/.python-version"}}"#);
    assert_eq!(steps[2], r#"{"run":"pip install --quiet uv && uv sync","working-directory":"apps"}"#);
    assert_eq!(script(&gitlab)[1..], ["(cd \"apps\" && pip install --quiet uv && uv sync)"]);
    let check = pgassay(folder.path(), &["check", "--no-config"]);
    let wanted = "pgassay check --run \"cd 'apps/the api' && uv run alembic upgrade head\"";
    assert!(stdout(&check).contains(wanted), "{}", stdout(&check));
}

#[test]
fn alembic_within_flask_is_run_by_flask() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("api/requirements.txt", "Flask-Migrate\n");
    write("api/migrations/alembic.ini", "");
    write("api/migrations/env.py", "from flask import current_app\n");
    write("api/migrations/versions/1a2b3c4d5e6f_add_orders.py", "");
    let init = pgassay(folder.path(), &["init"]);
    assert!(init.status.success(), "{}", stderr(&init));
    assert_eq!(set_keys(folder.path()), "run = \"cd api && flask db upgrade\"\n");
    write("api/migrations/env.py", "from alembic import context\n");
    assert!(pgassay(folder.path(), &["init", "--force"]).status.success());
    assert_eq!(set_keys(folder.path()), "run = \"cd api/migrations && alembic upgrade head\"\n");
}

#[test]
fn the_lock_says_which_package_manager() {
    let migration = "migrations/20260101000000_a.js";
    for (lock, install) in [
        ("package-lock.json", "npm ci"),
        ("pnpm-lock.yaml", "npm install --global corepack && corepack enable && pnpm install --frozen-lockfile"),
        ("README.md", "npm install"),
    ] {
        let (_, github, gitlab) = jobs(&["package.json", lock, migration]);
        let steps = steps(&github);
        assert_eq!(steps[1], r#"{"uses":"actions/setup-node@v6","with":{"node-version":"lts/*"}}"#);
        assert_eq!(steps[2], format!("{{\"run\":\"{install}\"}}"));
        assert_eq!(gitlab["pgassay"]["image"].as_str(), Some("node:22"));
        assert_eq!(script(&gitlab)[1..], [install]);
    }
}

#[test]
fn what_is_not_known_is_left_to_be_added() {
    let (folder, github, _) = jobs(&["src/main/resources/db/migration/V1__a.java"]);
    assert_eq!(steps(&github).len(), 2);
    for job in [".github/workflows/pgassay.yml", ".gitlab/pgassay.yml"] {
        let text = std::fs::read_to_string(folder.path().join(job)).unwrap();
        assert!(text.contains("# Add what `flyway migrate` needs: the language"), "{text}");
    }
}
