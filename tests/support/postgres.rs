//! A PostgreSQL server of the tests' own, from the system's binaries, in a temporary folder, on a socket in it.
//!
//! A small shell watches over it and stops it and removes its folder as soon as the test program is gone, however that
//! came about: its standard input, which only the test program holds, then ends.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor, PgConnection};

/// Starts a server in a fresh folder, then runs it until told to stop; `restart` and `stop` come over standard input.
const WATCHER: &str = r#"
bin=$1 dir=$2 fsync=$3
start() {
    "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses='' -c fsync=$fsync -c max_connections=60 \
        -c shared_buffers=16MB >>"$dir/log" 2>&1 &
    server=$!
    for _ in $(seq 600); do
        "$bin/pg_isready" -q -h "$dir" -d postgres && return
        sleep 0.05
    done
}
stop() { kill -INT "$server" 2>/dev/null; wait "$server"; }
trap '' INT HUP
"$bin/initdb" -D "$dir/data" -U scantill -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 && start && echo ready
while read -r order; do
    case $order in
        stop) stop ;;
        start) start ;;
    esac
    echo done
done
stop
rm -rf "$dir"
"#;

/// A running server. It stops when this is dropped, or when the program ends.
pub struct Server {
    folder: PathBuf,
    orders: Option<ChildStdin>,
    answers: BufReader<std::process::ChildStdout>,
    watcher: Child,
}

impl Server {
    /// Starts one that does not wait for the disk: tests need not outlive a power cut.
    pub fn start() -> Self {
        Self::start_with("off")
    }

    /// Starts one that does, as a shop's would.
    pub fn start_durable() -> Self {
        Self::start_with("on")
    }

    fn start_with(fsync: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let bin = binaries();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Not the temporary folder of the settings: a socket's path must be short.
        let folder = PathBuf::from(format!("/tmp/scantill-pg-{}-{count}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder for PostgreSQL in /tmp");
        let mut shell = Command::new("sh");
        shell.args(["-c", WATCHER, "watcher"]).arg(&bin).arg(&folder).arg(fsync).current_dir(&folder);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        if let Some((user, group)) = server_user(&folder) {
            chown(&folder, Some(user), Some(group)).expect("the folder is handed to PostgreSQL's user");
            shell.uid(user).gid(group);
        }
        let mut watcher = shell.spawn().expect("sh starts");
        let orders = watcher.stdin.take();
        let answers = BufReader::new(watcher.stdout.take().expect("a pipe"));
        let mut server = Self { folder, orders, answers, watcher };
        let answer = server.answer();
        let log = std::fs::read_to_string(server.folder.join("log")).unwrap_or_default();
        assert_eq!(answer, "ready", "PostgreSQL in {} did not start:\n{log}", bin.display());
        server
    }

    /// Stops the server as an administrator would, cutting connections; its data stay.
    pub fn stop(&mut self) {
        self.order("stop");
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        self.order("start");
    }

    /// The URL of a database of that name.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://scantill@localhost/{database}?host={}",
            self.folder.display().to_string().replace('/', "%2F")
        )
    }

    /// Makes a database and tells its URL.
    pub async fn database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("books{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("the server answers");
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.expect("a database is made");
        self.url(&name)
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().expect("a pipe"), "{order}").expect("the watcher listens");
        assert_eq!(self.answer(), "done");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the watcher answers");
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input ends the watcher; it takes the server and the folder with it.
        drop(self.orders.take());
        let _ = self.watcher.wait();
    }
}

/// The server that the tests of this program share.
pub fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// The newest PostgreSQL on this machine.
fn binaries() -> PathBuf {
    let mut folders: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort_by_key(|folder| {
        let version = folder.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders
        .into_iter()
        .find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file()))
        .expect("this test needs PostgreSQL's server: apt-get install postgresql (packaging/test does)")
}

/// Whom the server has to run as where we are root, which it refuses.
fn server_user(folder: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if folder.metadata().expect("our folder").uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("the list of users");
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user postgres or nobody to run the server as"))
}
