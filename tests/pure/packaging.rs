//! What a release consists of: one version in every package, and the action's scripts against stubs.

use std::path::Path;
use std::process::Command;

fn run(program: &str, arguments: &[&str]) -> std::process::Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args(arguments).current_dir(root).env("PYTHONDONTWRITEBYTECODE", "1").output();
    output.unwrap_or_else(|error| panic!("{program} could not be run: {error}; scripts/test says what the tests need"))
}

#[test]
fn the_scripts_of_the_action_work() {
    let tests = run("python3", &["packaging/action/test_action.py"]);
    assert!(tests.status.success(), "{}", String::from_utf8_lossy(&tests.stderr));
}

#[test]
fn the_changelog_has_the_version() {
    let changelog = std::fs::read_to_string("CHANGELOG.md").unwrap();
    let wanted = format!("## {}", env!("CARGO_PKG_VERSION"));
    assert!(changelog.lines().any(|line| line.starts_with(&wanted)), "CHANGELOG.md has no section {wanted}");
}
