//! The data folder: who can read it, and how much room is left.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::data::DataDir;
use super::Check;

#[cfg(unix)]
const FOLDER: &str = "data_folder";
#[cfg(unix)]
const DISK: &str = "disk";
/// With less than this the books may stop at any moment.
#[cfg(unix)]
const FULL_MIB: u64 = 64;
/// With less than this somebody should make room soon.
#[cfg(unix)]
const LOW_MIB: u64 = 1024;
/// So many files are named at most.
#[cfg(unix)]
const NAMED: usize = 5;

#[cfg(not(unix))]
pub(super) fn examine(data: &DataDir) -> Vec<Check> {
    let found = format!("{} is there; who else may read it has to be looked up by hand.", data.path().display());
    vec![Check::ok("data_folder", found)]
}

#[cfg(unix)]
pub(super) fn examine(data: &DataDir) -> Vec<Check> {
    vec![who_can_read(data.path()), room(data.path())]
}

/// Books, keys and credentials are for their owner alone: by the folder's mode, or by each file's own.
#[cfg(unix)]
fn who_can_read(folder: &Path) -> Check {
    let open = |path: &Path| fs::metadata(path).is_ok_and(|found| mode(&found) & 0o077 != 0);
    let mut files = Vec::new();
    if let Err(error) = secret_files(folder, &mut files) {
        return Check::failure(
            FOLDER,
            format!("{} cannot be read: {error}.", folder.display()),
            "Give this user the folder, or name another with --data-dir.",
        );
    }
    let readable: Vec<_> = files.into_iter().filter(|path| open(path)).collect();
    if readable.is_empty() {
        return Check::ok(FOLDER, format!("{}: books and keys can be read by their owner alone.", folder.display()));
    }
    let names: Vec<_> = readable.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    let more = readable.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let cure = format!("chmod -R go-rwx '{}'", folder.display());
    let found = format!("Others on this machine may read {}{more}.", names.join(", "));
    // Where the folder itself is closed the files' own modes are a second lock that stands open.
    if open(folder) { Check::failure(FOLDER, found, cure) } else { Check::warning(FOLDER, found, cure) }
}

#[cfg(unix)]
fn mode(found: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions())
}

/// Everything but the settings, which hold no secret.
#[cfg(unix)]
fn secret_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            secret_files(&path, files)?;
        } else if !path.ends_with("config.toml") && !path.ends_with("till.json") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(unix)]
fn room(folder: &Path) -> Check {
    let found = match rustix::fs::statvfs(folder) {
        Ok(found) => found,
        Err(error) => {
            return Check::warning(
                DISK,
                format!("How much room is left for {} cannot be told: {error}.", folder.display()),
                "Look it up by hand (df).",
            );
        }
    };
    let mib = found.f_bavail.saturating_mul(found.f_frsize) >> 20;
    let told = format!("{mib} MiB are free where {} is.", folder.display());
    let cure = "Free some space, or move the data folder to a larger disk.";
    match mib {
        ..FULL_MIB => Check::failure(DISK, told, cure),
        FULL_MIB..LOW_MIB => Check::warning(DISK, told, cure),
        _ => Check::ok(DISK, told),
    }
}
