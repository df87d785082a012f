//! What the cashier has chosen, kept in a small JSON file from one start to the next.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::scan::WedgeSettings;
use crate::scan::serial::SerialSettings;

/// The settings file. A field that is missing or unknown takes its default, so that a file of another version is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The language's tag; the system's where absent.
    pub language: Option<String>,
    /// Whether the dark theme is used; light where absent.
    pub dark: Option<bool>,
    /// Whether things may move.
    pub motion: bool,
    /// Whether there is sound.
    pub sound: bool,
    /// The camera's source; empty for none, the first one found where absent.
    pub camera: Option<String>,
    /// Whether the camera's picture is shown as a mirror shows it.
    pub mirror: bool,
    /// What tells a keyboard-wedge scanner from typing.
    pub wedge: WedgeSettings,
    /// The scanner at a serial port; none where absent.
    pub serial: Option<SerialSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            dark: None,
            motion: true,
            sound: true,
            camera: None,
            mirror: false,
            wedge: WedgeSettings::default(),
            serial: None,
        }
    }
}

impl Settings {
    /// Reads the file. A file that is missing or broken gives the defaults: settings are never worth a till that does
    /// not start.
    #[must_use]
    pub fn load(file: Option<&Path>) -> Self {
        file.and_then(|file| std::fs::read(file).ok())
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Writes the file; the old one stays whole if that fails.
    ///
    /// # Errors
    /// Why the file cannot be written.
    pub fn save(&self, file: &Path) -> std::io::Result<()> {
        let new = file.with_extension("json.new");
        std::fs::write(&new, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(&new, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_a_broken_file_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("till.json");
        assert_eq!(Settings::load(Some(&file)), Settings::default());
        let wedge = WedgeSettings { gap_ms: 60, prefix: "~".into(), ..WedgeSettings::default() };
        let serial = SerialSettings { port: "COM3".into(), speed: 115_200, ..SerialSettings::default() };
        let settings = Settings {
            dark: Some(true),
            camera: Some(String::new()),
            mirror: true,
            wedge,
            serial: Some(serial),
            ..Settings::default()
        };
        settings.save(&file).unwrap();
        assert_eq!(Settings::load(Some(&file)), settings);
        std::fs::write(&file, b"{\"dark\": tr").unwrap();
        assert_eq!(Settings::load(Some(&file)), Settings::default());
        std::fs::write(&file, b"{\"dark\": true, \"of_a_later_version\": 1}").unwrap();
        assert_eq!(Settings::load(Some(&file)).dark, Some(true));
    }
}
