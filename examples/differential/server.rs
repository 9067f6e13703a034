//! Running histories on a server beside the model.

use std::time::Duration;

use pgassay::effect::Effect;
use pgassay::shadow::{Installation, Observation, Options, Server, Session, observe_in_block, refusal};
use pgassay::version::PgVersion;

use super::clients::{self, Client};
use super::compare::{self, Found, Step};
use super::history::World;
use super::random::Random;
use super::report::{Arguments, Difference, Kind, Tally};
use super::{catalog, generate};

const LIMIT: Duration = Duration::from_secs(20);

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
        let clients = server.connect("postgres").await.expect("a session");
        clients.batch_execute(clients::TRIES).await.expect("a function");
        let bench = Bench { session, clients, version };
        for number in 0..arguments.histories {
            let mut random = Random::new(arguments.seed.wrapping_mul(1_000_003).wrapping_add(number));
            if let Some(found) = bench.history(&mut random, arguments.length, &mut tally).await {
                let shrunk = bench.shrink(found).await;
                tally.differences.push(shrunk);
            }
        }
        bench.session.close().await;
        bench.clients.close().await;
    });
    tally
}

struct Bench {
    session: Session,
    /// Another session, so that what it keeps in mind of the tables changes nothing of what is observed.
    clients: Session,
    version: PgVersion,
}

/// A history at work: both sides, and the clients that are served.
struct Run {
    world: World,
    clients: Vec<Client>,
    /// The texts that ran.
    done: Vec<String>,
}

/// How one text went.
enum Outcome {
    /// It ran, and the run goes on from there.
    Ran,
    Refused,
    /// The server took it when it was watched, and not when it was to stay.
    Broken,
    Differs(Found),
}

impl Bench {
    /// An empty database again. A sequential scan is observed where no index serves, however small the table is.
    async fn start(&self) -> Run {
        let clean = "RESET ALL; DROP PUBLICATION IF EXISTS pub1; DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET timezone = 'UTC'; SET client_min_messages = error; SET enable_seqscan = off";
        self.session.batch_execute(clean).await.expect("an empty schema");
        Run { world: World::new(self.version), clients: Vec::new(), done: Vec::new() }
    }

    /// One random history up to its first difference.
    async fn history(&self, random: &mut Random, length: usize, tally: &mut Tally) -> Option<Difference> {
        let mut run = self.start().await;
        for _ in 0..length {
            let text = generate::next(random, &run.world);
            match self.text(&mut run, &text, Some(&mut *tally)).await? {
                Outcome::Ran | Outcome::Refused => {}
                Outcome::Broken => tally.broken += 1,
                Outcome::Differs(found) => return Some(difference(found, &run.done, Some(&text))),
            }
        }
        tally.catalogs += 1;
        self.catalogs(&run).await
    }

    /// Runs a text on both sides.
    async fn text(&self, run: &mut Run, text: &str, tally: Option<&mut Tally>) -> Option<Outcome> {
        let mut next = run.world.clone();
        let said = next.run(text);
        let single = !text.starts_with("BEGIN");
        let observed = match single {
            true => observe_in_block(&self.session, text, LIMIT).await.ok()?,
            false => self.transaction(text).await,
        };
        let step = Step { observed, said, effects: single };
        if let Some(tally) = tally {
            tally.count(&step);
        }
        if let Some(found) = compare::of_step(&step, text) {
            return Some(Outcome::Differs(found));
        }
        if step.observed.error.is_some() {
            return Some(Outcome::Refused);
        }
        if single && self.session.batch_execute(text).await.is_err() {
            return Some(Outcome::Broken);
        }
        run.world = next;
        let lost = self.serve(run, text).await?;
        if let Some(found) = compare::of_clients(&step.said, &lost, text) {
            return Some(Outcome::Differs(found));
        }
        run.done.push(text.to_owned());
        Some(Outcome::Ran)
    }

    /// Runs a transaction of several statements; what it leaves open after an error is ended.
    async fn transaction(&self, text: &str) -> Observation {
        let error = refusal(self.session.batch_execute(text).await).expect("a session");
        if error.is_some() {
            self.session.batch_execute("ROLLBACK").await.expect("a session");
        }
        Observation { effect: Effect::default(), error }
    }

    /// The clients' statements that are refused now, with SQLSTATE; then the clients of the schema as it is now.
    async fn serve(&self, run: &mut Run, text: &str) -> Option<Vec<(Client, String)>> {
        let wanted = clients::of_schema(run.world.schema());
        let served = run.clients.len();
        let all: Vec<Client> = run.clients.drain(..).chain(wanted).collect();
        let refused = clients::refused(&self.clients, &all).await.ok()?;
        let takes = |at: &usize| *at >= served && !refused.iter().any(|(place, _)| place == at);
        run.clients = (0..all.len()).filter(takes).filter_map(|at| all.get(at).cloned()).collect();
        if writes_rows(text) {
            return Some(Vec::new());
        }
        let lost = refused.iter().filter(|(at, _)| *at < served);
        Some(lost.filter_map(|(at, code)| Some((all.get(*at)?.clone(), code.clone()))).collect())
    }

    async fn catalogs(&self, run: &Run) -> Option<Difference> {
        let (server, model) = (catalog::of_server(&self.session).await.ok()?, catalog::of_schema(run.world.schema()));
        if server == model {
            return None;
        }
        let missing: Vec<&String> = server.difference(&model).collect();
        let extra: Vec<&String> = model.difference(&server).collect();
        let first = missing.first().or(extra.first()).map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        let detail = format!("only the server: {missing:?}; only the model: {extra:?}");
        Some(difference((Kind::Catalog, first.unwrap_or_default(), detail), &run.done, None))
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
        let mut run = self.start().await;
        for text in statements {
            if let Outcome::Differs(found) = self.text(&mut run, text, None).await? {
                return Some(difference(found, &run.done, Some(text)));
            }
        }
        self.catalogs(&run).await
    }
}

/// Rows decide what clients can do after such a text.
fn writes_rows(text: &str) -> bool {
    text.lines().any(|line| ["INSERT", "UPDATE", "DELETE", "DO"].iter().any(|verb| line.starts_with(verb)))
}

fn difference((kind, key, detail): Found, done: &[String], last: Option<&str>) -> Difference {
    let statements = done.iter().cloned().chain(last.map(str::to_owned)).collect();
    Difference { kind, key, detail, statements }
}
