//! Transactions of several statements, with savepoints and what is taken back.

use super::super::history::World;
use super::super::random::Random;

/// `BEGIN`, a few statements, perhaps a savepoint, and an end.
pub(super) fn transaction(random: &mut Random, world: &World) -> String {
    let mut script = Script { world: world.clone(), texts: vec!["BEGIN".to_owned()] };
    script.statements(random, 2);
    if random.chance(60) {
        script.texts.push("SAVEPOINT s1".to_owned());
        let before = script.world.clone();
        script.statements(random, 2);
        match random.below(3) {
            0 => script.texts.push("RELEASE SAVEPOINT s1".to_owned()),
            _ => {
                script.texts.push("ROLLBACK TO SAVEPOINT s1".to_owned());
                script.world = before;
            }
        }
        script.statements(random, 1);
    }
    let end = if random.chance(20) { "ROLLBACK" } else { "COMMIT" };
    script.texts.push(end.to_owned());
    script.texts.join(";\n")
}

struct Script {
    world: World,
    texts: Vec<String>,
}

impl Script {
    /// One to `most` statements that the model takes: what is refused would end the transaction.
    fn statements(&mut self, random: &mut Random, most: usize) {
        for _ in 0..=random.below(most) {
            let text = super::statement(random, &self.world);
            if self.world.predict(&text).refusals.is_empty() {
                self.world.run(&text);
                self.texts.push(text);
            }
        }
    }
}
