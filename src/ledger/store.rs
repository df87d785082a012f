//! The database under the books: opening, migrating, and what its errors mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Row};

use super::LedgerError;

const SCHEMA: &str = include_str!("../../assets/migrations/0001_books.sql");
/// The schema that this program writes.
pub(super) const SCHEMA_VERSION: i64 = 1;
/// How long SQLite waits for another connection of this process.
const BUSY: Duration = Duration::from_millis(2_000);
/// How long to wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

/// Which database, and where.
#[derive(Clone)]
pub(super) struct Place {
    options: AnyConnectOptions,
    path: Option<PathBuf>,
    /// For people: without a password.
    pub name: String,
    read_only: bool,
}

/// Keeps other programs from writing the same SQLite file, as long as it lives.
pub(super) type FileLock = Option<Arc<File>>;

impl Place {
    pub fn parse(url: &str, read_only: bool) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.split_once('?').map_or(path, |(path, _)| path);
            if path.is_empty() || path == ":memory:" {
                return Err(LedgerError::BadUrl(url.to_owned()));
            }
            let escaped = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
            let mode = if read_only { "ro" } else { "rw" };
            let options = AnyConnectOptions::from_str(&format!("sqlite:{escaped}?mode={mode}"))
                .map_err(|_| LedgerError::BadUrl(url.to_owned()))?;
            let options = options.disable_statement_logging();
            return Ok(Self { options, path: Some(path.into()), name: path.to_owned(), read_only });
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = AnyConnectOptions::from_str(url).map_err(|_| LedgerError::BadUrl(without_password(url)))?;
            let options = options.disable_statement_logging();
            return Ok(Self { options, path: None, name: without_password(url), read_only });
        }
        Err(LedgerError::BadUrl(without_password(url)))
    }

    pub const fn is_sqlite(&self) -> bool {
        self.path.is_some()
    }

    /// Makes the SQLite file where it is absent (mode 0600) and takes its lock.
    pub fn claim(&self) -> Result<FileLock, LedgerError> {
        let Some(path) = &self.path else { return Ok(None) };
        if self.read_only {
            return if path.exists() { Ok(None) } else { Err(LedgerError::Absent { place: self.name.clone() }) };
        }
        let refused = |error: &std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => LedgerError::DiskFull { place: self.name.clone() },
            _ => LedgerError::ReadOnly { place: self.name.clone() },
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| refused(&error))?;
        }
        let lock = private(&beside(path, ".lock")).map_err(|error| refused(&error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Locked { place: self.name.clone() }),
            Err(TryLockError::Error(error)) => return Err(refused(&error)),
        }
        drop(private(path).map_err(|error| refused(&error))?);
        Ok(Some(Arc::new(lock)))
    }

    pub async fn connect(&self) -> Result<AnyConnection, LedgerError> {
        let mut connection = AnyConnection::connect_with(&self.options).await.map_err(|error| self.error(&error))?;
        self.prepare(&mut connection).await.map_err(|error| self.error(&error))?;
        Ok(connection)
    }

    pub fn pool(&self) -> AnyPool {
        let place = self.clone();
        AnyPoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| {
                let place = place.clone();
                Box::pin(async move { place.prepare(connection).await })
            })
            .connect_lazy_with(self.options.clone())
    }

    async fn prepare(&self, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if self.is_sqlite() {
            let busy = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
            connection.execute(busy.as_str()).await?;
            if !self.read_only {
                connection.execute("PRAGMA journal_mode = WAL").await?;
                connection.execute("PRAGMA synchronous = FULL").await?;
            }
        }
        Ok(())
    }

    /// Begins a transaction that may write: on SQLite the write lock is taken at once.
    pub const fn begin(&self) -> &'static str {
        if self.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    /// Makes the tables where there are none; refuses what a newer version wrote.
    pub async fn migrate(&self, connection: &mut AnyConnection) -> Result<(), LedgerError> {
        let fail = |error: sqlx::Error| self.error(&error);
        let has = "SELECT COUNT(*) FROM payments WHERE id = ''";
        let version = sqlx::query("SELECT MAX(version) FROM schema_version").fetch_optional(&mut *connection).await;
        match version {
            Ok(row) => match row.and_then(|row| row.try_get::<Option<i64>, _>(0).ok().flatten()) {
                Some(SCHEMA_VERSION) => connection.execute(has).await.map(|_| ()).map_err(fail),
                Some(version) if version > SCHEMA_VERSION => Err(LedgerError::Newer { place: self.name.clone() }),
                _ => Err(LedgerError::Damaged { place: self.name.clone() }),
            },
            Err(sqlx::Error::Database(error)) if no_such_table(error.as_ref()) => {
                if self.read_only {
                    return Err(LedgerError::Absent { place: self.name.clone() });
                }
                if self.is_sqlite() && self.has_other_tables(connection).await? {
                    return Err(LedgerError::Damaged { place: self.name.clone() });
                }
                connection.execute(self.begin()).await.map_err(fail)?;
                for statement in SCHEMA.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
                    connection.execute(statement).await.map_err(fail)?;
                }
                connection.execute("COMMIT").await.map_err(fail)?;
                Ok(())
            }
            Err(error) => Err(fail(error)),
        }
    }

    async fn has_other_tables(&self, connection: &mut AnyConnection) -> Result<bool, LedgerError> {
        let row = sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(connection).await;
        let count: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| self.error(&error))?;
        Ok(count > 0)
    }

    /// What a driver's error means to a person.
    pub fn error(&self, error: &sqlx::Error) -> LedgerError {
        let place = || self.name.clone();
        let unreachable = |detail: String| LedgerError::Unreachable { place: place(), detail };
        match error {
            sqlx::Error::Database(database) if self.is_sqlite() => {
                // SQLite's extended result codes keep the primary code in their low byte.
                let code = database.code().and_then(|code| code.parse::<i64>().ok()).unwrap_or(0) & 0xff;
                match code {
                    5 | 6 => LedgerError::Locked { place: place() },
                    8 | 14 => LedgerError::ReadOnly { place: place() },
                    13 => LedgerError::DiskFull { place: place() },
                    11 | 26 => LedgerError::Damaged { place: place() },
                    _ => LedgerError::Database(database.message().to_owned()),
                }
            }
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some("53100") => LedgerError::DiskFull { place: place() },
                Some("25006" | "42501") => LedgerError::ReadOnly { place: place() },
                Some(code)
                    if code.starts_with("08")
                        || code.starts_with("57P")
                        || code.starts_with("28")
                        || code == "3D000" =>
                {
                    unreachable(database.message().to_owned())
                }
                _ => LedgerError::Database(database.message().to_owned()),
            },
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
                unreachable(error.to_string())
            }
            other => LedgerError::Database(other.to_string()),
        }
    }
}

fn no_such_table(error: &dyn sqlx::error::DatabaseError) -> bool {
    // SQLite has no code of its own for it; PostgreSQL has 42P01.
    error.code().as_deref() == Some("42P01") || error.message().contains("no such table")
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((who, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = who.split_once(':').map_or(who, |(user, _)| user);
    format!("{scheme}://{user}@{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_told() {
        assert_eq!(without_password("postgres://till:p@ss@db/till"), "postgres://till@db/till");
        assert_eq!(without_password("postgres://db/till"), "postgres://db/till");
    }
}
