//! The tables, made and brought up to date.

use sqlx::{AnyConnection, Connection, Executor, Row};

use super::LedgerError;
use super::place::Place;

/// Each brings the books from the version of its index to the next. What was released is never edited.
const MIGRATIONS: [&str; 3] = [
    include_str!("../../assets/migrations/0001_books.sql"),
    include_str!("../../assets/migrations/0002_refunds_and_notifications.sql"),
    include_str!("../../assets/migrations/0003_operators.sql"),
];

/// The version of the tables that this program reads and writes.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// Any number that is ours alone: server processes that start together take turns by it.
const POSTGRES_TURN: &str = "SELECT pg_advisory_xact_lock(7223174505)";

/// The version of the tables there; 0 for none.
async fn version(connection: &mut AnyConnection, place: &Place) -> Result<i64, sqlx::Error> {
    // The one question that the databases answer under different names.
    let tables = if place.is_postgres() {
        "SELECT COUNT(*), COUNT(CASE WHEN table_name = 'schema_version' THEN 1 END) FROM information_schema.tables \
         WHERE table_schema = current_schema()"
    } else {
        "SELECT COUNT(*), COUNT(CASE WHEN name = 'schema_version' THEN 1 END) FROM sqlite_master"
    };
    let row = connection.fetch_one(tables).await?;
    let (all, ours): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    match (all, ours) {
        (0, _) => Ok(0),
        (_, 0) if place.is_postgres() => Ok(0),
        (_, 0) => Ok(-1),
        _ => connection.fetch_one("SELECT MAX(version) FROM schema_version").await?.try_get(0),
    }
}

/// The names of all tables.
pub(super) async fn tables(connection: &mut AnyConnection, place: &Place) -> Result<Vec<String>, sqlx::Error> {
    let names = if place.is_postgres() {
        "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"
    };
    connection.fetch_all(names).await?.iter().map(|row| row.try_get(0)).collect()
}

fn check(version: i64, place: &Place) -> Result<usize, LedgerError> {
    match usize::try_from(version) {
        Err(_) => Err(LedgerError::Damaged { place: place.shown() }),
        Ok(version) if version > MIGRATIONS.len() => Err(LedgerError::Newer { place: place.shown() }),
        Ok(version) => Ok(version),
    }
}

/// Makes the tables or brings them up to date. Also finds out, before any payment does, whether the books can be
/// written at all.
pub(super) async fn migrate(connection: &mut AnyConnection, place: &Place) -> Result<(), LedgerError> {
    let refused = |error| place.refused(error);
    let mut transaction = connection.begin_with(place.begin_write()).await.map_err(refused)?;
    if place.is_postgres() {
        transaction.execute(POSTGRES_TURN).await.map_err(refused)?;
    }
    let found = check(version(&mut transaction, place).await.map_err(refused)?, place)?;
    for migration in &MIGRATIONS[found..] {
        transaction.execute(sqlx::raw_sql(migration)).await.map_err(refused)?;
    }
    transaction.commit().await.map_err(refused)
}

/// Checks that there are books of our version to read.
pub(super) async fn check_readable(connection: &mut AnyConnection, place: &Place) -> Result<(), LedgerError> {
    match check(version(connection, place).await.map_err(|error| place.refused(error))?, place)? {
        0 => Err(LedgerError::Absent { place: place.shown() }),
        found if found < MIGRATIONS.len() => Err(LedgerError::Database(
            "they were written by an older version of scantill: start the till or `scantill serve` once to bring them \
             up to date"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}
