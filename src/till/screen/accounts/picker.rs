//! Picks a key file: a folder's files, arrows choose, Enter takes. It needs no desktop's own dialogue, which a counter's
//! machine often lacks.

use std::path::{Path, PathBuf};
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Action;

/// No key or certificate file is longer.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// A folder with more is no place for keys.
const MAX_ENTRIES: usize = 2_000;

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
    /// Whether its name is one that keys and certificates have.
    pub likely: bool,
}

/// The picker's state.
#[derive(Debug, Clone, Default)]
pub struct Picker {
    /// The folder that is shown; `None` while it is read.
    pub folder: Option<PathBuf>,
    /// What is in it.
    pub entries: Vec<Entry>,
    /// Which is chosen.
    pub chosen: usize,
    /// Why the folder cannot be read.
    pub trouble: Option<String>,
}

impl Picker {
    /// A folder was read, or could not be.
    pub fn show(&mut self, folder: PathBuf, entries: Result<Vec<Entry>, String>) {
        match entries {
            Ok(entries) => {
                self.chosen = entries.iter().position(|entry| entry.likely).unwrap_or(0);
                (self.folder, self.entries, self.trouble) = (Some(folder), entries, None);
            }
            Err(why) => self.trouble = Some(why),
        }
    }

    /// Takes what is chosen.
    pub fn take(&self) -> Action {
        match self.entries.get(self.chosen) {
            Some(entry) if entry.folder => Action::ReadFolder(Some(entry.path.clone())),
            Some(entry) => Action::ReadFile(entry.path.clone()),
            None => Action::None,
        }
    }
}

/// What is in a folder: the way up, folders, then files; hidden ones left out.
///
/// # Errors
/// The folder cannot be read; in the system's words.
pub fn read_folder(folder: &Path) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .map_err(|error| error.to_string())?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
            let folder = entry.path().is_dir();
            Some(Entry { likely: !folder && is_likely(&name), path: entry.path(), name, folder })
        })
        .take(MAX_ENTRIES)
        .collect();
    entries.sort_by_key(|entry| (!entry.folder, !entry.likely, entry.name.to_lowercase()));
    if let Some(up) = folder.parent() {
        entries.insert(0, Entry { name: "..".into(), path: up.to_owned(), folder: true, likely: false });
    }
    Ok(entries)
}

fn is_likely(name: &str) -> bool {
    const ENDINGS: [&str; 9] = ["pem", "key", "crt", "cer", "p12", "pfx", "der", "txt", "pub"];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// A file as a credential: text as it is, anything else in base64.
///
/// # Errors
/// It cannot be read, or is too long to be a key; in words, without its content.
pub fn read_credential(path: &Path) -> Result<Zeroizing<String>, String> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("{length} bytes: too long for a key or a certificate"));
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(|error: io::Error| error.to_string())?);
    Ok(Zeroizing::new(match std::str::from_utf8(&bytes) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => STANDARD.encode(bytes.as_slice()),
    }))
}
