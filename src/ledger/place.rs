//! Where the books are, how a connection to them is made, and what a driver's error means for a person.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};

use super::LedgerError;
use super::disk::Disk;

/// How long a server may take to let us in.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How many readers work at the same time.
const SQLITE_READERS: u32 = 4;
const POSTGRES_READERS: u32 = 8;

/// Where the books are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file; the path as it was given.
    Sqlite(PathBuf),
    /// A server.
    Postgres {
        /// With the password, for the driver.
        url: String,
        /// Without, for people.
        shown: String,
    },
    /// The memory of this very program.
    Memory(Disk),
}

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Read and write.
    Write,
    /// Read beside a writer.
    Read,
    /// Read a file that nobody writes and whose folder cannot be written: no lock, no log.
    ReadAlone,
}

impl Place {
    /// Reads `sqlite:PATH`, `postgres://...` or `postgresql://...`.
    pub(super) fn parse(url: &str) -> Result<Self, LedgerError> {
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path == ":memory:" || path.contains('\0') {
                return Err(LedgerError::BadUrl(masked(url)));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(LedgerError::BadUrl(masked(url)));
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| LedgerError::BadUrl(masked(url)))?;
        let host = options.get_socket().map_or_else(
            || format!("{}:{}", options.get_host(), options.get_port()),
            |path| path.display().to_string(),
        );
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let shown = format!("postgres://{}@{host}/{database}", options.get_username());
        Ok(Self::Postgres { url: url.to_owned(), shown })
    }

    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// For people: without a password.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres { shown, .. } => shown.clone(),
            Self::Memory(_) => "memory".to_owned(),
        }
    }

    /// The same for every name of the same file.
    pub(super) fn settled_name(&self) -> String {
        match self {
            Self::Sqlite(path) => settled(path).display().to_string(),
            Self::Postgres { shown, .. } => shown.clone(),
            Self::Memory(_) => self.shown(),
        }
    }

    fn options(&self, access: Access) -> Result<AnyConnectOptions, LedgerError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let url = match self {
            Self::Postgres { url, .. } => url.clone(),
            Self::Memory(_) => return Err(LedgerError::BadUrl(self.shown())),
            Self::Sqlite(path) => {
                let mode = match access {
                    Access::Write => "rw",
                    Access::Read => "ro",
                    Access::ReadAlone => "ro&immutable=1",
                };
                format!("sqlite:{}?mode={mode}", url_path(&settled(path)))
            }
        };
        AnyConnectOptions::from_str(&url).map_err(|_| LedgerError::BadUrl(masked(&url)))
    }

    /// What every new connection is told. The waiting times are short: another program's lock is worth a sentence soon.
    const fn greeting(&self, access: Access) -> &'static str {
        match (self, access) {
            (Self::Sqlite(_), Access::Write) => {
                "PRAGMA busy_timeout = 1000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"
            }
            (Self::Sqlite(_), _) => "PRAGMA busy_timeout = 1000; PRAGMA query_only = ON",
            (Self::Postgres { .. }, Access::Write) => {
                "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'; SET synchronous_commit = on"
            }
            (Self::Postgres { .. }, _) => "SET default_transaction_read_only = on",
            (Self::Memory(_), _) => "",
        }
    }

    /// Connects.
    pub(super) async fn connect(&self, access: Access) -> Result<AnyConnection, LedgerError> {
        let options = self.options(access)?;
        let connecting = async {
            let mut connection = AnyConnection::connect_with(&options).await?;
            connection.execute(sqlx::raw_sql(self.greeting(access))).await?;
            Ok::<_, sqlx::Error>(connection)
        };
        match tokio::time::timeout(CONNECT_TIME, connecting).await {
            Ok(done) => done.map_err(|error| self.refused(error)),
            Err(_) if self.is_postgres() => {
                Err(self.unreachable(format!("no answer within {} s", CONNECT_TIME.as_secs())))
            }
            Err(_) => Err(LedgerError::Locked { place: self.shown() }),
        }
    }

    /// A pool of readers, which connects when it is first used.
    pub(super) fn readers(&self, access: Access) -> Result<AnyPool, LedgerError> {
        let greeting = self.greeting(access);
        Ok(AnyPoolOptions::new()
            .max_connections(if self.is_postgres() { POSTGRES_READERS } else { SQLITE_READERS })
            .acquire_timeout(CONNECT_TIME)
            .test_before_acquire(self.is_postgres())
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(sqlx::raw_sql(greeting)).await.map(|_| ()) })
            })
            .connect_lazy_with(self.options(access)?))
    }

    /// The statement that begins a transaction that writes. SQLite takes its write lock at once.
    pub(super) const fn begin_write(&self) -> &'static str {
        match self {
            Self::Sqlite(_) | Self::Memory(_) => "BEGIN IMMEDIATE",
            Self::Postgres { .. } => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// The statement that begins a transaction that sees one moment.
    pub(super) const fn begin_snapshot(&self) -> &'static str {
        match self {
            Self::Sqlite(_) | Self::Memory(_) => "BEGIN",
            Self::Postgres { .. } => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Makes SQLite's file where there is none, readable by its owner alone, and takes the one writer's lock, which
    /// lasts as long as the file that is returned. A server needs neither.
    pub(super) fn prepare_to_write(&self) -> Result<Option<File>, LedgerError> {
        let Self::Sqlite(path) = self else { return Ok(None) };
        if path.is_dir() {
            return Err(LedgerError::Damaged { place: self.shown() });
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| self.io(&error))?;
        }
        let mut lock_path = settled(path).into_os_string();
        lock_path.push(".lock");
        let lock = private_file(Path::new(&lock_path)).map_err(|error| self.io(&error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Locked { place: self.shown() }),
            Err(TryLockError::Error(error)) => return Err(self.io(&error)),
        }
        private_file(path).map_err(|error| self.io(&error))?;
        Ok(Some(lock))
    }

    /// Makes SQLite's file, for its owner alone, where there must not be one yet.
    pub(super) fn create_new(&self) -> Result<(), LedgerError> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                LedgerError::Database(format!("there is a file {} already: name another", path.display()))
            }
            io::ErrorKind::NotFound => {
                LedgerError::Database(format!("there is no folder for {}: make it, or name another", path.display()))
            }
            _ => self.io(&error),
        })
    }

    /// Whether there is nothing to read at all.
    pub(super) fn check_present(&self) -> Result<(), LedgerError> {
        let Self::Sqlite(path) = self else { return Ok(()) };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(LedgerError::Damaged { place: self.shown() }),
            Ok(found) if found.len() == 0 => Err(LedgerError::Absent { place: self.shown() }),
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(LedgerError::Absent { place: self.shown() })
            }
            Err(error) => Err(LedgerError::Database(format!("{}: {error}", self.shown()))),
        }
    }

    /// Whether SQLite's log beside the file is empty, so that the file alone is the whole truth.
    pub(super) fn has_no_log(&self) -> bool {
        let Self::Sqlite(path) = self else { return false };
        let mut log = settled(path).into_os_string();
        log.push("-wal");
        fs::metadata(log).map_or(true, |found| found.len() == 0)
    }

    fn io(&self, error: &io::Error) -> LedgerError {
        use io::ErrorKind as K;
        match error.kind() {
            K::PermissionDenied | K::ReadOnlyFilesystem | K::NotADirectory | K::AlreadyExists => {
                LedgerError::ReadOnly { place: self.shown() }
            }
            K::StorageFull | K::QuotaExceeded => LedgerError::DiskFull { place: self.shown() },
            _ => LedgerError::Database(format!("{}: {error}", self.shown())),
        }
    }

    pub(super) fn unreachable(&self, detail: impl Into<String>) -> LedgerError {
        LedgerError::Unreachable { place: self.shown(), detail: detail.into() }
    }

    /// What the driver's error means.
    pub(super) fn refused(&self, error: sqlx::Error) -> LedgerError {
        let place = self.shown();
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                let known = if self.is_postgres() { postgres_code(&code) } else { sqlite_code(&code) };
                match known {
                    Some(Trouble::Locked) => LedgerError::Locked { place },
                    Some(Trouble::ReadOnly) => LedgerError::ReadOnly { place },
                    Some(Trouble::DiskFull) => LedgerError::DiskFull { place },
                    Some(Trouble::Damaged) => LedgerError::Damaged { place },
                    Some(Trouble::Unreachable) => {
                        LedgerError::Unreachable { place, detail: error.message().to_owned() }
                    }
                    None => LedgerError::Database(error.message().to_owned()),
                }
            }
            sqlx::Error::PoolClosed => LedgerError::Database("the books were closed".to_owned()),
            sqlx::Error::PoolTimedOut if self.is_postgres() => self.unreachable("every connection is busy or broken"),
            sqlx::Error::PoolTimedOut => LedgerError::Locked { place },
            sqlx::Error::Io(error) if !self.is_postgres() => self.io(&error),
            error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) if self.is_postgres() => {
                self.unreachable(error.to_string())
            }
            error => LedgerError::Database(error.to_string()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Locked,
    ReadOnly,
    DiskFull,
    Damaged,
    Unreachable,
}

/// SQLite's result codes (sqlite.org/rescode.html): the low byte is the kind, the rest the detail.
fn sqlite_code(code: &str) -> Option<Trouble> {
    const SHARED_MEMORY_SIZE: u32 = 10 | (19 << 8);
    let code: u32 = code.parse().ok()?;
    match (code, code & 0xff) {
        // The log's index could not grow: the file system is full.
        (SHARED_MEMORY_SIZE, _) | (_, 13) => Some(Trouble::DiskFull),
        (_, 5 | 6) => Some(Trouble::Locked),
        (_, 3 | 8 | 14) => Some(Trouble::ReadOnly),
        (_, 11 | 26) => Some(Trouble::Damaged),
        _ => None,
    }
}

/// PostgreSQL's SQLSTATE codes (appendix A of its manual).
fn postgres_code(code: &str) -> Option<Trouble> {
    match code {
        "55P03" => Some(Trouble::Locked),
        "25006" | "42501" => Some(Trouble::ReadOnly),
        "53100" => Some(Trouble::DiskFull),
        "XX001" | "XX002" => Some(Trouble::Damaged),
        "3D000" | "53300" => Some(Trouble::Unreachable),
        _ if code.starts_with("08") || code.starts_with("28") || code.starts_with("57P") => Some(Trouble::Unreachable),
        _ => None,
    }
}

/// A URL that may hold a password, as far as it may be shown.
fn masked(url: &str) -> String {
    let shown = match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => format!("{}***{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    };
    let shown = shown.split('?').next().unwrap_or_default();
    shown.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// The path with its folder's links resolved, so that two names of one file share one lock.
fn settled(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// The path with every byte that means something in a URL in percent form.
fn url_path(path: &Path) -> String {
    path.to_string_lossy()
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Opens a file to read and write, or makes it for its owner alone.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_file_or_a_server_and_nothing_else() {
        assert!(matches!(Place::parse("sqlite:books.db"), Ok(Place::Sqlite(path)) if path == Path::new("books.db")));
        assert!(
            matches!(Place::parse("sqlite:///a/b c.db"), Ok(Place::Sqlite(path)) if path == Path::new("/a/b c.db"))
        );
        let server = Place::parse("postgres://shop:geheim@db.example:5433/books").unwrap();
        assert_eq!(server.shown(), "postgres://shop@db.example:5433/books");
        for bad in ["", "books.db", "sqlite:", "sqlite::memory:", "mysql://a:geheim@b/c", "postgres://a:geheim@b:x/c"] {
            let Err(LedgerError::BadUrl(shown)) = Place::parse(bad) else { panic!("{bad:?} is no database") };
            assert!(!shown.contains("geheim"), "{shown}");
        }
    }

    #[test]
    fn codes_of_both_databases_mean_the_same_troubles() {
        for (code, trouble) in [
            ("5", Trouble::Locked),
            ("261", Trouble::Locked),
            ("8", Trouble::ReadOnly),
            ("1032", Trouble::ReadOnly),
            ("14", Trouble::ReadOnly),
            ("13", Trouble::DiskFull),
            ("4874", Trouble::DiskFull),
            ("26", Trouble::Damaged),
            ("11", Trouble::Damaged),
        ] {
            assert_eq!(sqlite_code(code), Some(trouble), "{code}");
        }
        assert_eq!(sqlite_code("19"), None);
        for (code, trouble) in [
            ("55P03", Trouble::Locked),
            ("25006", Trouble::ReadOnly),
            ("53100", Trouble::DiskFull),
            ("57P01", Trouble::Unreachable),
            ("08006", Trouble::Unreachable),
            ("28P01", Trouble::Unreachable),
        ] {
            assert_eq!(postgres_code(code), Some(trouble), "{code}");
        }
        assert_eq!(postgres_code("23505"), None);
    }
}
