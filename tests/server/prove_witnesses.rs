//! The witness of every kind of breakage under `check --prove`: it is run and fails where the breakage is one, and the finding is
//! withdrawn where the server shows that it is none.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Rows of these kinds would have to be made up in a way that only the case knows; or what is lost is nothing that a statement shows.
const NOT_SHOWN: &[&str] = &[
    "DELETE of a row of public.users now sets",
    "restrictive policy q of public.t",
    "restrictive policy r of public.t",
    "norm has another body, and index public.i",
    "is another table now, and the old one is called",
];

fn write(folder: &Path, case: &str, number: usize, text: &str) {
    let folder = folder.join(case);
    std::fs::create_dir_all(&folder).expect("a folder");
    // golang-migrate's names: each folder is a history of its own.
    std::fs::write(folder.join(format!("00000{number}_step.up.sql")), text).expect("a file");
}

/// Makes everything as it was, in a way that no reading of the migration tells.
fn undo(before: &str) -> String {
    let text = before.replace('\'', "''");
    format!(
        "CREATE SCHEMA keep;
CREATE FUNCTION keep.undo() RETURNS void LANGUAGE plpgsql AS $undo$ DECLARE s text; BEGIN
  FOR s IN SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$|^keep$' LOOP
    EXECUTE concat('DROP SCHEMA ', s, ' CASCADE');
  END LOOP;
  FOR s IN SELECT quote_ident(pubname) FROM pg_publication LOOP
    EXECUTE concat('DROP PUBLICATION ', s);
  END LOOP;
  EXECUTE concat('CREATE SCHEMA ', 'public'); EXECUTE concat('GRANT ALL ON SCHEMA public TO PUBLIC');
  EXECUTE concat('', '{text}');
END $undo$;
"
    )
}

fn prove(folder: &Path) -> Value {
    let installation = crate::support::servers::all().into_iter().find(|it| it.major() == 15).expect("PostgreSQL 15");
    let done = Command::new(env!("CARGO_BIN_EXE_pgassay"))
        .current_dir(folder)
        .args([
            "check",
            "--no-config",
            "--prove",
            "--pg-version",
            "15",
            "--history",
            "complete",
            "--format",
            "json",
            "--pg-bin",
        ])
        .arg(installation.bin())
        .arg(".")
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&done.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)))
}

/// The folders of findings with a witness: those where it was seen to fail, and the others, with their messages.
fn by_evidence(report: &Value) -> (BTreeSet<String>, Vec<String>) {
    let (mut seen, mut unseen) = (BTreeSet::new(), Vec::new());
    for finding in report["findings"].as_array().expect("findings") {
        if finding["witness"].is_null() || finding["category"] != "breaking" {
            continue;
        }
        let file = finding["file"].as_str().unwrap_or_default().to_owned();
        let observed = finding["evidence"].as_array().into_iter().flatten().any(|it| it["kind"] == "observed");
        match observed {
            true => drop(seen.insert(file)),
            false => unseen.push(format!("{file}: {}\n    {}", finding["message"], finding["witness"])),
        }
    }
    (seen, unseen)
}

#[test]
fn witnesses_fail_on_the_shadow() {
    let folder = tempfile::tempdir().expect("a folder");
    let firing: Vec<(usize, &crate::contract_cases::Case)> =
        crate::contract_cases::CASES.iter().enumerate().filter(|(_, case)| !case.kinds.is_empty()).collect();
    for (number, case) in &firing {
        write(folder.path(), &format!("case_{number}"), 1, case.before);
        write(folder.path(), &format!("case_{number}"), 2, case.migration);
    }
    let report = prove(folder.path());
    let (seen, unseen) = by_evidence(&report);
    println!("{} cases, {} seen to fail, {} findings not seen", firing.len(), seen.len(), unseen.len());
    let unexpected: Vec<&String> =
        unseen.iter().filter(|text| !NOT_SHOWN.iter().any(|words| text.contains(words))).collect();
    println!("{unexpected:#?}\nwithdrawn {:#?}", report["proof"]["withdrawn"]);
    assert!(report["proof"]["withdrawn"].as_array().is_some_and(Vec::is_empty), "{:#}", report["proof"]["withdrawn"]);
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

#[test]
fn what_is_undone_out_of_sight_is_withdrawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let firing: Vec<(usize, &crate::contract_cases::Case)> =
        crate::contract_cases::CASES.iter().enumerate().filter(|(_, case)| !case.kinds.is_empty()).collect();
    for (number, case) in &firing {
        write(folder.path(), &format!("case_{number}"), 1, &format!("{}\n{}", case.before, undo(case.before)));
        write(folder.path(), &format!("case_{number}"), 2, &format!("{};\nSELECT keep.undo();", case.migration));
    }
    let report = prove(folder.path());
    let (seen, unseen) = by_evidence(&report);
    let withdrawn = report["proof"]["withdrawn"].as_array().expect("withdrawn").len();
    println!("{} cases, {withdrawn} withdrawn, {} left", firing.len(), unseen.len());
    println!("{seen:#?} {unseen:#?}");
    // What answers otherwise, rather than fails, may need other rows: that is not withdrawn.
    assert!(withdrawn >= 80, "{withdrawn}");
    assert!(!unseen.iter().any(|text| text.contains("\n    \"INSERT") && !text.contains("RETURNING")), "{unseen:#?}");
    assert_eq!(seen, BTreeSet::new());
}
