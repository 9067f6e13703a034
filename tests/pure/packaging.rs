//! What a release consists of: one version in every package, and the action's scripts against stubs.

use std::path::Path;
use std::process::Command;

fn run(program: &str, arguments: &[&str]) -> std::process::Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(program).args(arguments).current_dir(root).env("PYTHONDONTWRITEBYTECODE", "1").output();
    output.unwrap_or_else(|error| panic!("{program} could not be run: {error}; scripts/test says what the tests need"))
}

#[test]
fn every_crate_has_its_licences_and_a_page() {
    for folder in ["", "crates/pgassay-core/", "crates/pgassay-live/"] {
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            let text = std::fs::read_to_string(format!("{folder}{file}"));
            assert!(text.is_ok_and(|text| !text.is_empty()), "{folder}{file}");
        }
    }
}

#[test]
fn what_is_published_is_stripped() {
    let manifest: toml::Table = toml::from_str(&std::fs::read_to_string("Cargo.toml").unwrap()).unwrap();
    let own = &manifest["profile"]["dist"]["package"]["pgassay"];
    // With settings of its own, a package is stripped of debug information only, whatever the profile says: 4 MB of symbols stay.
    assert_eq!(own["strip"].as_str(), Some("symbols"));
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

/// The targets that a file names: words like `x86_64-apple-darwin`.
fn targets(text: &str) -> std::collections::BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '-');
    words.filter(|word| word.starts_with("x86_64-") || word.starts_with("aarch64-")).collect()
}

#[test]
fn what_is_downloaded_is_what_the_release_builds() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let workflow = read(".github/workflows/release.yml");
    let built = targets(&workflow);
    assert!(built.len() >= 7, "{built:?}");
    for path in ["packaging/action/install.sh", "packaging/homebrew/pgassay.rb", "packaging/homebrew/fill"] {
        let text = read(path);
        let missing: Vec<_> = targets(&text).difference(&built).copied().map(str::to_owned).collect();
        assert!(missing.is_empty(), "{path} names targets that the release does not build: {missing:?}");
    }
    let packages = read("packaging/npm/build.js");
    for line in workflow.lines().filter_map(|line| line.split_once(" npm: ")) {
        let platform = line.1.trim_end_matches([' ', '}']).split(',').next().unwrap();
        assert!(packages.contains(&format!("\"{platform}\"")), "build.js does not know {platform}");
    }
}

#[test]
fn an_archive_has_the_binary_and_the_formula_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("pgassay"), "the binary").unwrap();
    for target in targets(&std::fs::read_to_string("packaging/homebrew/fill").unwrap()) {
        let packed = run("packaging/archive", &[target, &at("pgassay"), &at("assets")]);
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    }
    let listed = run("tar", &["-tzf", &at("assets/pgassay-x86_64-apple-darwin.tar.gz")]);
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "pgassay\nLICENSE-MIT\nLICENSE-APACHE\n");
    let filled = run("packaging/homebrew/fill", &["owner/name", "1.2.3", &at("assets")]);
    let formula = String::from_utf8(filled.stdout).unwrap();
    let sum = std::fs::read_to_string(at("assets/pgassay-aarch64-apple-darwin.tar.gz.sha256")).unwrap();
    assert!(formula.contains(sum.split(' ').next().unwrap()) && !formula.contains('@'), "{formula}");
    assert!(
        formula.contains("https://github.com/owner/name/releases/download/v1.2.3/pgassay-aarch64-apple-darwin.tar.gz")
    );
}

#[test]
fn the_binary_comes_out_of_a_wheel() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join("pgassay.whl").to_str().unwrap().to_owned();
    let make = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').writestr('pgassay-1.data/scripts/pgassay', 'the binary')";
    assert!(run("python3", &["-c", make, &wheel]).status.success());
    let out = folder.path().join("out");
    let unpacked = run("packaging/unpack", &[&wheel, out.to_str().unwrap()]);
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    assert_eq!(std::fs::read_to_string(out.join("pgassay")).unwrap(), "the binary");
}
