//! Runs a folder of migrations with the libraries behind `sqlx migrate`, `diesel migration` and `refinery migrate`.
//!
//! Arguments: the tool, `up` or `down` (all the way), the folder, the database's URL. Exit code 1 when the tool fails.

use std::error::Error;
use std::path::Path;

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [tool, direction, folder, url] = arguments.as_slice() else {
        eprintln!("usage: rust-tools sqlx|diesel|refinery up|down FOLDER URL");
        std::process::exit(2);
    };
    let is_up = direction == "up";
    let outcome = match tool.as_str() {
        "sqlx" => sqlx(is_up, folder, url),
        "diesel" => diesel(is_up, folder, url),
        _ => refinery(folder, url),
    };
    if let Err(error) = outcome {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn sqlx(is_up: bool, folder: &str, url: &str) -> Outcome {
    use sqlx::Connection;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let migrator = sqlx::migrate::Migrator::new(Path::new(folder)).await?;
        let mut connection = sqlx::PgConnection::connect(url).await?;
        match is_up {
            true => migrator.run_direct(&mut connection).await?,
            false => migrator.undo(&mut connection, 0).await?,
        }
        Ok(())
    })
}

fn diesel(is_up: bool, folder: &str, url: &str) -> Outcome {
    use diesel::Connection;
    use diesel_migrations::MigrationHarness;
    let migrations = diesel_migrations::FileBasedMigrations::from_path(folder)?;
    let mut connection = diesel::PgConnection::establish(url)?;
    match is_up {
        true => connection.run_pending_migrations(migrations)?,
        false => connection.revert_all_migrations(migrations)?,
    };
    Ok(())
}

fn refinery(folder: &str, url: &str) -> Outcome {
    let migrations = refinery::load_sql_migrations(folder)?;
    let mut connection = postgres::Client::connect(url, postgres::NoTls)?;
    refinery::Runner::new(&migrations).run(&mut connection)?;
    Ok(())
}
