//! A few hundred random histories on every server; `scripts/differential` runs as many as are wanted.

#[path = "../../examples/differential/catalog.rs"]
mod catalog;
#[path = "../../examples/differential/clients.rs"]
mod clients;
#[path = "../../examples/differential/compare.rs"]
mod compare;
#[path = "../../examples/differential/generate/mod.rs"]
mod generate;
#[path = "../../examples/differential/history.rs"]
mod history;
#[path = "../../examples/differential/random.rs"]
mod random;
#[path = "../../examples/differential/report.rs"]
#[allow(dead_code, reason = "the command line of the example has more")]
mod report;
#[path = "../../examples/differential/server.rs"]
mod server;

use crate::support::servers;
use report::{Arguments, Kind, Tally};

#[test]
fn no_random_statement_that_runs_is_called_refused() {
    let mut wrong = Vec::new();
    for installation in servers::all() {
        let arguments = Arguments { seed: 22, histories: 40, versions: Vec::new(), length: 12, show: 5 };
        let tally: Tally = server::run(&installation, &arguments);
        tally.print(installation.major(), &arguments);
        let found = tally.differences.iter().filter(|it| it.kind == Kind::FalseRefusal);
        wrong.extend(found.map(|it| format!("{}: {}: {:?}", installation.major(), it.detail, it.statements)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
