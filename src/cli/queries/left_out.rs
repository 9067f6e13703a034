//! Statements that are not looked at, because they have no plan: counted, and named by their command alone, which gives nothing away.

use pgassay::facts::{Command, Workload};

/// Statements without a plan, and what they take.
#[derive(Debug, Clone, Default)]
pub struct Utility {
    pub statements: usize,
    pub milliseconds: f64,
    /// The command that takes most.
    pub slowest: String,
    most: f64,
}

impl Utility {
    /// COPY, CREATE TABLE AS, cursors, DO and the like, as pg_stat_statements has them.
    pub fn of(workload: &Workload) -> Utility {
        let mut found = Utility::default();
        for command in &workload.commands {
            found.add(command);
        }
        found
    }

    pub fn add(&mut self, command: &Command) {
        if is_of_transactions(&command.name) {
            return;
        }
        self.statements += command.statements;
        self.milliseconds += command.milliseconds;
        if self.slowest.is_empty() || command.milliseconds > self.most {
            (self.slowest, self.most) = (command.name.clone(), command.milliseconds);
        }
    }
}

fn is_of_transactions(name: &str) -> bool {
    const VERBS: &[&str] = &[
        "BEGIN",
        "START",
        "COMMIT",
        "END",
        "ROLLBACK",
        "ABORT",
        "SAVEPOINT",
        "RELEASE",
        "SET",
        "RESET",
        "SHOW",
        "DISCARD",
        "DEALLOCATE",
    ];
    VERBS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_transaction_is_no_work() {
        let mut found = Utility::default();
        for (text, milliseconds) in
            [("COMMIT", 90.0), ("COPY t FROM STDIN", 5.0), ("DO $$ BEGIN END $$", 20.0), ("set x = 1", 1.0)]
        {
            found.add(&Command::of(text, milliseconds));
        }
        assert_eq!((found.statements, found.milliseconds, found.slowest.as_str()), (2, 25.0, "DO"));
    }
}
