//! A copy of the books: always a SQLite file with the same tables, whatever database they are in, so that every command
//! that reads books reads it.

use std::fs;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Column, Connection, Executor, Row};

use super::chain::read_head;
use super::place::{Access, Place};
use super::sql::{self, Param};
use super::{Anchor, Ledger, LedgerConfig, LedgerError, schema};

/// Rows that are carried over at once.
const ROWS: usize = 256;
/// The version is made with the tables.
const NOT_COPIED: &str = "schema_version";

impl Ledger {
    /// Copies the books, as they are at one moment, into a new file, also while they are written. Tells where the copied
    /// journal ends. Secrets in it stay sealed; the keys that open them are not in it.
    ///
    /// # Errors
    /// There is such a file, or books or file fail; no half file is left then.
    pub async fn backup(&self, file: &Path) -> Result<Anchor, LedgerError> {
        let copy = Place::Sqlite(file.to_owned());
        copy.create_new()?;
        let made = self.copy_to(&copy).await;
        if made.is_err() {
            // What is left of it is of no use; that it cannot be removed either is no worse.
            let _ = fs::remove_file(file);
        }
        made
    }

    async fn copy_to(&self, copy: &Place) -> Result<Anchor, LedgerError> {
        let refused = |error| self.refused(error);
        let unwritten = |error| copy.refused(error);
        let mut target = copy.connect(Access::Write).await?;
        schema::migrate(&mut target, copy).await?;
        let mut source = self.readers()?.acquire().await.map_err(refused)?;
        let snapshot = self.books.rules.place.begin_snapshot();
        let mut source = Connection::begin_with(&mut *source, snapshot).await.map_err(refused)?;
        let (head, seal) = read_head(&mut source).await.map_err(refused)?;
        carry(&mut source, &mut target, copy).await?;
        source.rollback().await.map_err(refused)?;
        // One file, without a log beside it.
        target.execute("PRAGMA journal_mode = DELETE").await.map_err(unwritten)?;
        target.close().await.map_err(unwritten)?;
        Ok(Anchor { seq: head.seq, mac: head.mac, seal })
    }

    /// Puts a copy in the place of the books at `config.url`, where there are none. With `replace`, books in a SQLite
    /// file are moved aside, and where they are then is told.
    ///
    /// # Errors
    /// There are books already, they are in use, or books or copy fail.
    pub async fn restore(copy: &Path, config: &LedgerConfig, replace: bool) -> Result<Option<PathBuf>, LedgerError> {
        let place = Place::parse(&config.url)?;
        let lock = place.prepare_to_write()?;
        let mut aside = None;
        if let Place::Sqlite(path) = &place
            && fs::metadata(path).is_ok_and(|found| found.len() > 0)
        {
            if !replace {
                return Err(occupied(&place));
            }
            aside =
                Some(move_aside(path).map_err(|error| {
                    LedgerError::Database(format!("{} cannot be moved aside: {error}", place.shown()))
                })?);
            place.create_new()?;
        }
        let mut target = place.connect(Access::Write).await?;
        schema::migrate(&mut target, &place).await?;
        let (head, _) = read_head(&mut target).await.map_err(|error| place.refused(error))?;
        if head.seq > 0 {
            return Err(occupied(&place));
        }
        let from = Place::Sqlite(copy.to_owned());
        let mut source = from.connect(Access::Read).await?;
        carry(&mut source, &mut target, &place).await?;
        source.close().await.map_err(|error| from.refused(error))?;
        target.close().await.map_err(|error| place.refused(error))?;
        drop(lock);
        Ok(aside)
    }
}

fn occupied(place: &Place) -> LedgerError {
    LedgerError::Database(format!("there are books at {} already, and nothing was changed", place.shown()))
}

/// Gives a database's files names that nobody has, and tells the first.
fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let with = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let free = (1_u32..).map(|number| with(path, &format!(".replaced-{number}"))).find(|aside| !aside.exists());
    let aside = free.unwrap_or_else(|| with(path, ".replaced"));
    // The log first: a database without its log is an older one, a log without its database is nothing.
    for end in ["-wal", "-shm", ""] {
        let from = with(path, end);
        if from.exists() {
            fs::rename(from, with(&aside, end))?;
        }
    }
    Ok(aside)
}

/// Carries every table over, in one transaction.
async fn carry(source: &mut AnyConnection, target: &mut AnyConnection, place: &Place) -> Result<(), LedgerError> {
    let refused = |error| place.refused(error);
    let mut transaction = target.begin_with(place.begin_write()).await.map_err(refused)?;
    let tables = schema::tables(&mut transaction, place).await.map_err(refused)?;
    for table in tables.iter().filter(|table| *table != NOT_COPIED) {
        sql::execute(&mut transaction, &format!("DELETE FROM {table}"), []).await.map_err(refused)?;
        let select = format!("SELECT * FROM {table}");
        let mut rows = sqlx::query(&select).fetch(&mut *source);
        let mut waiting = Vec::with_capacity(ROWS);
        while let Some(row) = rows.try_next().await.map_err(refused)? {
            waiting.push(row);
            if waiting.len() == ROWS {
                insert(&mut transaction, table, &waiting).await.map_err(refused)?;
                waiting.clear();
            }
        }
        insert(&mut transaction, table, &waiting).await.map_err(refused)?;
    }
    transaction.commit().await.map_err(refused)
}

/// One value; the tables hold no other kinds.
enum Cell {
    Int(i64),
    Text(Option<String>),
}

async fn insert(connection: &mut AnyConnection, table: &str, rows: &[AnyRow]) -> Result<(), sqlx::Error> {
    let Some(first) = rows.first() else { return Ok(()) };
    let columns: Vec<_> = first.columns().iter().map(|column| column.name().to_owned()).collect();
    let mut cells = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        for column in 0..columns.len() {
            cells.push(match row.try_get::<Option<String>, _>(column) {
                Ok(text) => Cell::Text(text),
                Err(_) => Cell::Int(row.try_get(column)?),
            });
        }
    }
    let params = cells.iter().map(|cell| match cell {
        Cell::Int(number) => Param::Int(*number),
        Cell::Text(text) => Param::Maybe(text.as_deref()),
    });
    sql::insert_rows(connection, &format!("{table} ({})", columns.join(", ")), columns.len(), params).await
}
