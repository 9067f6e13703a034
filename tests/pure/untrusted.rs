//! Input of people who are not trusted: links, names that are commands to a terminal or a CI runner, servers that do not answer.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

fn pgassay(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgassay"));
    command.current_dir(folder).args(arguments).env("NO_COLOR", "1").env("MY_SECRET", "topsecret");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.output().expect("pgassay runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A repository with one migration, and a file outside of it.
fn repository() -> (tempfile::TempDir, tempfile::TempDir) {
    let (repository, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    fs::create_dir(repository.path().join(".git")).expect("a folder");
    fs::create_dir(repository.path().join("migrations")).expect("a folder");
    fs::write(repository.path().join("migrations/0001.sql"), "CREATE TABLE t (id bigint PRIMARY KEY);\n")
        .expect("a file");
    fs::write(outside.path().join("secret"), "topsecret of another file;\n").expect("a file");
    (repository, outside)
}

#[test]
fn links_out_of_the_repository_are_not_read() {
    let (repository, outside) = repository();
    let here = repository.path();
    let secret = outside.path().join("secret");
    for target in [secret.as_path(), Path::new("/proc/self/environ"), Path::new("/etc/passwd")] {
        let link = here.join("migrations/0002.sql");
        symlink(target, &link).expect("a link");
        for format in ["text", "markdown", "json", "sarif", "github", "gitlab", "junit"] {
            let output = pgassay(here, &["check", "--no-config", "--format", format, "migrations"]);
            assert_eq!(output.status.code(), Some(2), "{format}: {}", said(&output));
            assert!(
                !said(&output).contains("topsecret") && !said(&output).contains("root:x"),
                "{format}: {}",
                said(&output)
            );
            assert!(said(&output).contains("link out of the repository"), "{format}: {}", said(&output));
        }
        fs::remove_file(link).expect("removed");
    }
    // A link within it is a file as any other.
    fs::create_dir(here.join("shared")).expect("a folder");
    fs::write(here.join("shared/2.sql"), "ALTER TABLE t ADD COLUMN a int;\n").expect("a file");
    symlink("../shared/2.sql", here.join("migrations/0002.sql")).expect("a link");
    assert_eq!(pgassay(here, &["check", "--no-config", "migrations"]).status.code(), Some(0));
    symlink(&secret, here.join("pgassay.toml")).expect("a link");
    let output = pgassay(here, &["check", "migrations"]);
    assert!(output.status.code() == Some(2) && !said(&output).contains("topsecret"), "{}", said(&output));
}

#[test]
fn a_configuration_names_no_files_outside_of_its_repository() {
    let (repository, outside) = repository();
    let here = repository.path();
    let secret = outside.path().join("secret").display().to_string();
    for path in ["/etc/passwd", &secret, "../../../../../../../../etc/passwd"] {
        for key in ["paths", "base"] {
            fs::write(here.join("pgassay.toml"), format!("{key} = [\"{path}\"]\n")).expect("a file");
            for command in ["check", "audit"] {
                let output = pgassay(here, &[command, "--format", "markdown"]);
                let text = said(&output);
                assert_eq!(output.status.code(), Some(2), "{command} {key} {path}: {text}");
                assert!(text.contains("outside of the repository") && text.contains("pgassay.toml:1"), "{text}");
                assert!(!text.contains("topsecret") && !text.contains("root:x"), "{text}");
            }
        }
    }
    // Whoever runs it may name any file, and the configuration those of its repository, from wherever it is read.
    fs::write(here.join("pgassay.toml"), "paths = [\"migrations/../migrations\"]\n").expect("a file");
    assert_eq!(pgassay(&here.join("migrations"), &["check"]).status.code(), Some(0));
    let named = outside.path().join("2.sql");
    fs::write(&named, "CREATE TABLE u (id bigint PRIMARY KEY);\n").expect("a file");
    assert_eq!(pgassay(here, &["check", &named.display().to_string()]).status.code(), Some(0));
}

#[test]
fn outputs_follow_no_links() {
    let (repository, outside) = repository();
    let here = repository.path();
    let precious = outside.path().join("precious");
    fs::write(&precious, "precious").expect("a file");
    symlink(&precious, here.join("comment.md")).expect("a link");
    symlink(&precious, here.join("known.json")).expect("a link");
    symlink(outside.path(), here.join("out")).expect("a link");
    let output = pgassay(
        here,
        &["check", "--no-config", "--output", "markdown=comment.md", "--write-baseline", "known.json", "migrations"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(fs::read_to_string(&precious).expect("a file"), "precious");
    assert!(here.join("comment.md").symlink_metadata().expect("a file").is_file());
    let output = pgassay(here, &["check", "--no-config", "--output", "json=out/new.json", "migrations"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(!outside.path().join("new.json").exists());
    let output = pgassay(here, &["check", "--no-config", "--output", "text=/dev/stderr", "migrations"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn names_are_no_commands() {
    let (repository, _outside) = repository();
    let here = repository.path();
    let name = "a\u{1b}]0;title\u{7}\u{9b}31m\u{202e}b\r\n::stop-commands::x\n##[error]y";
    let text = format!("CREATE TABLE \"{name}\" (id int);\nDROP TABLE \"{name}\";\n-- {name}\n");
    fs::write(here.join("migrations/0002.sql"), text).expect("a file");
    for format in ["text", "markdown", "json", "sarif", "github", "gitlab", "junit"] {
        let output = pgassay(here, &["check", "--no-config", "--format", format, "migrations"]);
        let text = said(&output);
        for hidden in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'] {
            assert!(!text.contains(hidden), "{format} has {hidden:?}: {text}");
        }
        if format != "github" {
            let command = text.lines().find(|line| line.trim_start().starts_with("::"));
            assert_eq!(command, None, "{format}: {text}");
        }
        assert!(!text.contains("::stop-commands::x\n") || format != "github", "{text}");
        assert!(format == "json" || !text.contains("##[error]"), "{format}: {text}");
    }
}

#[test]
fn a_failed_audit_is_a_whole_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let url = format!("host=127.0.0.1 port={port} user=u dbname=d");
    for format in ["json", "sarif", "gitlab"] {
        let output = pgassay(folder.path(), &["audit", "--no-config", "--db", &url, "--format", format]);
        assert_eq!(output.status.code(), Some(2));
        let document: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert!(format == "gitlab" || document.to_string().contains("could not connect"), "{document}");
    }
    let output = pgassay(folder.path(), &["audit", "--no-config", "--db", &url, "--format", "junit"]);
    assert!(roxmltree::Document::parse(&String::from_utf8_lossy(&output.stdout)).is_ok());
}

/// A server that sends something to whoever comes, and nothing after it.
fn silent(greeting: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(greeting);
            kept.push(stream);
        }
    });
    format!("host=127.0.0.1 port={port} user=u dbname=d connect_timeout=1")
}

#[test]
fn a_server_that_says_nothing_ends_the_run() {
    let folder = tempfile::tempdir().expect("a folder");
    // AuthenticationOk and ReadyForQuery.
    const READY: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    for (greeting, sslmode, says) in [
        (&b""[..], "disable", "timeout expired"),
        (b"", "require", "timeout expired"),
        (b"S", "require", "timeout expired"),
        (b"R\0\0\0\x08", "disable", "timeout expired"),
        (READY, "disable", "has not answered for 6 s"),
    ] {
        let started = Instant::now();
        let url = format!("{} sslmode={sslmode}", silent(greeting));
        let output = pgassay(folder.path(), &["audit", "--no-config", "--statement-timeout", "1", "--db", &url]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(says), "{greeting:?}: {}", said(&output));
        assert!(started.elapsed() < Duration::from_secs(12), "{greeting:?}: {:?}", started.elapsed());
    }
}

#[test]
fn a_file_without_sql_is_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    fs::write(here.join(".env"), "TOKEN=topsecret\nOTHER='top;\nsecret';\n").expect("a file");
    fs::write(here.join("passwd"), "root:x:0:0:topsecret:/root:/bin/bash\n").expect("a file");
    fs::write(here.join("pgassay.toml"), "paths = [\"passwd\"]\n").expect("a file");
    for format in ["text", "markdown", "json", "sarif", "github", "gitlab", "junit", "html"] {
        for arguments in [&["check", "--no-config", ".env", "passwd"][..], &["check"]] {
            let output = pgassay(here, &[arguments, &["--format", format]].concat());
            assert_eq!(output.status.code(), Some(2), "{format}: {}", said(&output));
            assert!(!said(&output).contains("TOKEN") && !said(&output).contains("topsecret"), "{}", said(&output));
            assert!(said(&output).contains("is not SQL"), "{format}: {}", said(&output));
        }
    }
    // What has SQL in it is judged whatever it is called, and so is what is called SQL.
    fs::write(here.join("change.txt"), "CREATE TABLE t (id bigint PRIMARY KEY);\nSELEC 1;\n").expect("a file");
    fs::write(here.join("typo.sql"), "SELEC 1;\n").expect("a file");
    let output = pgassay(here, &["check", "--no-config", "change.txt", "typo.sql"]);
    assert_eq!(said(&output).matches("no statement begins with SELEC").count(), 2, "{}", said(&output));
}
