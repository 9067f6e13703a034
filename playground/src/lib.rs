//! pgassay's core for a web page: text in, an HTML page out. It does no I/O, so nothing that is typed leaves the page.
//!
//! The page writes a text into [`input`]'s memory, calls [`check`] or [`plan`], and reads [`output`]. Several texts are divided by a NUL.

use std::sync::{Mutex, PoisonError};

use pgassay_core::check::Job;
use pgassay_core::history::Completeness;
use pgassay_core::migration::Migration;
use pgassay_core::plan;
use pgassay_core::plan::draw::Assayed;
use pgassay_core::report::{Html, Renderer};
use pgassay_core::source::{SourceFile, Sources};
use pgassay_core::sql::hide_secrets;
use pgassay_core::text::plain;
use pgassay_core::version::PgVersion;

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static OUTPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Room for a text of so many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    let mut input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
    input.clear();
    input.resize(length, 0);
    input.as_mut_ptr()
}

/// The last answer.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    OUTPUT.lock().unwrap_or_else(PoisonError::into_inner).as_ptr()
}

/// Judges what exists and a migration, each a text of the input, for a major version. Returns the length of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn check(version: u32) -> usize {
    let version = u16::try_from(version).ok().and_then(PgVersion::new).unwrap_or_else(PgVersion::assumed);
    answer(|texts| check_page(texts, version))
}

/// Reads a plan as EXPLAIN prints it. Returns the length of the answer.
#[unsafe(no_mangle)]
pub extern "C" fn plan() -> usize {
    answer(|texts| plan_page(texts.first().copied().unwrap_or_default()))
}

fn answer(make: impl Fn(&[&str]) -> std::io::Result<Vec<u8>>) -> usize {
    let input = INPUT.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&input);
    let texts: Vec<&str> = text.split('\0').collect();
    let page = make(&texts).unwrap_or_else(|error| error.to_string().into_bytes());
    let length = page.len();
    *OUTPUT.lock().unwrap_or_else(PoisonError::into_inner) = page;
    length
}

fn check_page(texts: &[&str], version: PgVersion) -> std::io::Result<Vec<u8>> {
    let [given, migration, ..] = texts else { return Ok(Vec::new()) };
    let mut sources = Sources::default();
    let mut plain = |name: &str, text: &str| {
        let file = sources.add(SourceFile::new(name, text));
        Migration::plain(name, file, text.len())
    };
    let exists = !given.trim().is_empty();
    let base = exists.then(|| plain("schema.sql", given)).into_iter().collect();
    let completeness = if exists { Completeness::Complete } else { Completeness::Auto };
    let migrations = vec![plain("migration.sql", migration)];
    let job = Job { base, migrations, version, completeness, ..Job::default() };
    let report = pgassay_core::check::check(&job, &sources);
    hide_secrets(&mut sources);
    let mut page = Vec::new();
    Html.render(&report, &sources, &mut page)?;
    Ok(page)
}

fn plan_page(text: &str) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    match plan::read(text) {
        Ok(plans) => {
            let plans: Vec<Assayed> = plans.into_iter().map(Assayed::new).collect();
            plan::draw::html(&plans, &mut page)?;
        }
        Err(problem) => page.extend(format!("<p>{}</p>", plain::html(&problem.to_string())).into_bytes()),
    }
    Ok(page)
}
