//! Running histories on a server beside the model.

use std::time::Duration;

use pgassay::schema::Schema;
use pgassay::shadow::{Installation, Observation, Options, Server, ServerError, Session, observe_in_block};
use pgassay::version::PgVersion;

use super::catalog;
use super::generate::Generator;
use super::history::{Said, World};
use super::random::Random;
use super::report::{Arguments, Difference, Kind, Tally};

const LIMIT: Duration = Duration::from_secs(20);

/// Refusals that rows decide: integrity, and data that does not fit. What has a place in the text was refused when it was read.
fn is_of_rows(error: &ServerError) -> bool {
    error.position.is_none() && (error.code.starts_with("23") || error.code.starts_with("22"))
}

/// Runs the histories; what differs is shrunk.
///
/// # Panics
/// If the server does not start, or goes away.
pub fn run(installation: &Installation, arguments: &Arguments) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = Server::start(installation, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let version = PgVersion::new(installation.major()).expect("a supported version");
    let mut tally = Tally::default();
    runtime.block_on(async {
        let session = server.connect("postgres").await.expect("a session");
        let bench = Bench { session, version };
        for number in 0..arguments.histories {
            let mut random = Random::new(arguments.seed.wrapping_mul(1_000_003).wrapping_add(number));
            bench.reset().await;
            let statements = bench.history(&mut random, arguments.length, &mut tally).await;
            if let Some(found) = statements {
                let shrunk = bench.shrink(found).await;
                tally.differences.push(shrunk);
            }
        }
        bench.session.close().await;
    });
    tally
}

struct Bench {
    session: Session,
    version: PgVersion,
}

/// What came of one statement on both sides.
struct Step {
    observed: Observation,
    said: Said,
}

impl Bench {
    /// An empty database again.
    async fn reset(&self) {
        let clean = "RESET ALL; DROP PUBLICATION IF EXISTS pub1; DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET timezone = 'UTC'; SET client_min_messages = error";
        self.session.batch_execute(clean).await.expect("an empty schema");
    }

    /// One random history up to its first difference.
    async fn history(&self, random: &mut Random, length: usize, tally: &mut Tally) -> Option<Difference> {
        let mut world = World::new(self.version);
        let mut done: Vec<String> = Vec::new();
        for _ in 0..length {
            let schema: Schema = world.schema.clone();
            let text = Generator { random: &mut *random, schema: &schema, major: self.version.major() }.statement();
            let step = self.step(&world, &text).await?;
            tally.statements += 1;
            done.push(text.clone());
            if let Some(found) = compare(&step, &done) {
                self.count(&step, tally);
                return Some(found);
            }
            self.count(&step, tally);
            if step.observed.error.is_some() {
                done.pop();
                continue;
            }
            if self.session.batch_execute(&text).await.is_err() {
                tally.broken += 1;
                done.pop();
                continue;
            }
            world.run(&text);
        }
        tally.catalogs += 1;
        self.compare_catalog(&world, &done).await
    }

    fn count(&self, step: &Step, tally: &mut Tally) {
        match &step.observed.error {
            None => {
                tally.ran += 1;
                tally.effects += 1;
            }
            Some(error) => {
                tally.refused += 1;
                let rows = step.said.refusals.is_empty() && is_of_rows(error);
                tally.by_rows += u64::from(rows);
                tally.told += u64::from(!step.said.refusals.is_empty());
            }
        }
    }

    async fn step(&self, world: &World, text: &str) -> Option<Step> {
        let observed = observe_in_block(&self.session, text, LIMIT).await.ok()?;
        Some(Step { observed, said: world.predict(text) })
    }

    async fn compare_catalog(&self, world: &World, done: &[String]) -> Option<Difference> {
        let (server, model) = (catalog::of_server(&self.session).await.ok()?, catalog::of_schema(&world.schema));
        if server == model {
            return None;
        }
        let missing: Vec<&String> = server.difference(&model).collect();
        let extra: Vec<&String> = model.difference(&server).collect();
        let first = missing.first().or(extra.first()).map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        Some(Difference {
            kind: Kind::Catalog,
            key: first.unwrap_or_default(),
            detail: format!("only the server: {missing:?}; only the model: {extra:?}"),
            statements: done.to_vec(),
        })
    }

    /// The fewest statements that still show a difference of the kind.
    async fn shrink(&self, found: Difference) -> Difference {
        let mut best = found;
        let mut at = 0;
        while at + 1 < best.statements.len() + usize::from(best.kind == Kind::Catalog) {
            let mut fewer = best.statements.clone();
            fewer.remove(at);
            match self.replay(&fewer).await {
                Some(other)
                    if other.kind == best.kind
                        && other.key == best.key
                        && other.statements.len() < best.statements.len() =>
                {
                    best = other;
                }
                _ => at += 1,
            }
        }
        best
    }

    async fn replay(&self, statements: &[String]) -> Option<Difference> {
        self.reset().await;
        let mut world = World::new(self.version);
        let mut done: Vec<String> = Vec::new();
        for text in statements {
            let step = self.step(&world, text).await?;
            done.push(text.clone());
            if let Some(found) = compare(&step, &done) {
                return Some(found);
            }
            if step.observed.error.is_some() || self.session.batch_execute(text).await.is_err() {
                done.pop();
                continue;
            }
            world.run(text);
        }
        self.compare_catalog(&world, &done).await
    }
}

fn compare(step: &Step, done: &[String]) -> Option<Difference> {
    let (observed, said) = (&step.observed, &step.said);
    let found = |kind, key: String, detail: String| Some(Difference { kind, key, detail, statements: done.to_vec() });
    match (&observed.error, said.refusals.first()) {
        (None, Some(refusal)) => return found(Kind::FalseRefusal, shape(refusal), said.refusals.join("; ")),
        (Some(_), Some(_)) => return None,
        (Some(error), None) if is_of_rows(error) || said.may_fail => return None,
        (Some(error), None) => {
            return found(Kind::Missed, format!("{} {}", error.code, shape(&error.message)), error.message.clone());
        }
        (None, None) => {}
    }
    if observed.effect.in_transaction_block == pgassay::effect::InTransactionBlock::Forbidden {
        return None;
    }
    let (one, other) = (&said.effect, &observed.effect);
    let verb =
        done.last().map(|text| text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).unwrap_or_default();
    if one.locks != other.locks {
        return found(Kind::Locks, verb, format!("predicted {:?}, observed {:?}", one.locks, other.locks));
    }
    if one.rewrites != other.rewrites {
        return found(Kind::Rewrites, verb, format!("predicted {:?}, observed {:?}", one.rewrites, other.rewrites));
    }
    if one.index_builds != other.index_builds {
        return found(
            Kind::IndexBuilds,
            verb,
            format!("predicted {:?}, observed {:?}", one.index_builds, other.index_builds),
        );
    }
    // A scan of an empty table may be counted or not: only what was not predicted is a difference.
    if !other.scans.is_subset(&one.scans) {
        return found(Kind::Scans, verb, format!("predicted {:?}, observed {:?}", one.scans, other.scans));
    }
    None
}

/// A message without what is quoted and without numbers.
fn shape(message: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for character in message.chars() {
        match character {
            '"' => {
                quoted = !quoted;
                if quoted {
                    out.push_str("\"…\"");
                }
            }
            _ if quoted => {}
            digit if digit.is_ascii_digit() => {}
            other => out.push(other),
        }
    }
    out
}
