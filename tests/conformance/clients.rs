//! The clients' homes: a Python environment and a folder of npm packages, filled once and kept between runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

impl Language {
    /// Where its scripts are.
    fn scripts(self) -> PathBuf {
        let folder = match self {
            Self::Python => "python",
            Self::Node => "node",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(folder)
    }
}

fn checked(what: &str, output: std::io::Result<Output>) {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The folder in which a language's clients are installed, made by `install` where what it is made of has changed.
/// Two test processes do not fill it at once.
fn home(name: &str, made_of: &Path, install: impl FnOnce(&Path)) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance").join(name);
    fs::create_dir_all(&home).expect("a folder for the clients");
    let lock = File::create(home.with_extension("lock")).expect("a lock file");
    lock.lock().expect("a lock");
    let wanted = fs::read_to_string(made_of).expect("the list of clients");
    let stamp = home.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return home;
    }
    install(&home);
    fs::write(stamp, wanted).expect("a stamp");
    home
}

fn python() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let list = Language::Python.scripts().join("requirements.txt");
        home("python", &list, |home| {
            let venv = Command::new("python3").args(["-m", "venv"]).arg(home).output();
            checked("a Python environment (Debian: python3-venv)", venv);
            let pip = Command::new(home.join("bin/pip"))
                .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
                .arg(&list)
                .output();
            checked("the Python clients could not be installed", pip);
        })
    })
}

fn node() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let list = Language::Node.scripts().join("package.json");
        let home = home("node", &list, |home| {
            fs::copy(&list, home.join("package.json")).expect("the list of clients");
            let npm = Command::new("npm")
                .args([
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--no-package-lock",
                    "--ignore-scripts",
                    "--loglevel=error",
                ])
                .current_dir(home)
                .output();
            checked("the Node.js clients could not be installed", npm);
        });
        // Modules are looked for beside the script, so the scripts run as copies beside the packages.
        for entry in fs::read_dir(Language::Node.scripts()).expect("the scripts").map_while(Result::ok) {
            let fresh = home.join(format!("{}.{}", entry.file_name().display(), std::process::id()));
            fs::copy(entry.path(), &fresh)
                .and_then(|_| fs::rename(&fresh, home.join(entry.file_name())))
                .expect("a copy");
        }
        home
    })
}

/// Runs a script to its end; what it said is shown where it fails.
pub fn run(language: Language, script: &str, arguments: &[&str]) {
    let scripts = language.scripts();
    let mut command = match language {
        Language::Python => {
            let mut command = Command::new(python().join("bin/python"));
            command.arg(scripts.join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
        Language::Node => {
            let mut command = Command::new("node");
            command.arg(node().join(script));
            command
        }
    };
    // The merchants of these providers are in China, and so are the clocks that the clients stamp requests with.
    command.args(arguments).env("TZ", "Asia/Shanghai").env("NO_PROXY", "*").env("no_proxy", "*");
    checked(script, command.output());
}
