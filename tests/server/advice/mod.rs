//! Advice is never something PostgreSQL refuses: the steps of every finding are run, one after the other, on real servers, and leave
//! the schema and the rows that the user's own migration leaves. What they warn of they do not do themselves.

mod cases;
mod catalog;
mod run;

use std::sync::Mutex;

use cases::Case;
use pgassay::rules;
use pgassay::shadow::Installation;

/// The oldest supported server, the one that distributions carry, and the newest.
fn servers() -> Vec<Installation> {
    let all = crate::support::servers::all();
    let last = all.len() - 1;
    let chosen = |(at, server): (usize, &Installation)| at == 0 || at == last || server.major() == 15;
    all.iter().enumerate().filter(|(at, server)| chosen((*at, server))).map(|(_, server)| server.clone()).collect()
}

/// What makes a rule speak, as a case.
fn examples() -> Vec<Case> {
    let example = |rule: &&rules::Rule| Case {
        name: format!("example/{}", rule.name),
        text_only: true,
        given: rule.fires.given.to_owned(),
        run: rule.fires.migration.to_owned(),
        // The values of a volatile default are different every time.
        differs: vec!["rows of".to_owned()],
        ..Case::default()
    };
    rules::ALL.iter().map(example).collect()
}

#[test]
fn the_steps_of_every_finding_do_what_the_statement_does() {
    let cases: Vec<Case> = examples().into_iter().chain(cases::all()).collect();
    let written = cases.len() - rules::ALL.len();
    assert!(written >= 120, "{written} cases");
    let only = std::env::var("CASE").unwrap_or_default();
    let cases: Vec<Case> = cases.into_iter().filter(|case| case.name.contains(&only)).collect();
    let waiting = Mutex::new(servers());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(server) = waiting.lock().expect("servers").pop() else { break };
                    let (tally, found) = run::on(&server, &cases);
                    println!("{}: {tally}", server.major());
                    wrong.lock().expect("wrong").extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("wrong");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}
